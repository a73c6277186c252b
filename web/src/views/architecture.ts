// The machine as a tree, with what the plan spends at each memory.

import { energyTable, sum } from "../derive";
import { h, section } from "../dom";
import * as f from "../format";
import type { ComputeData, FanOutData, MemoryData, NodeData } from "../payload";
import type { Context, View } from "../view";

function rate(words: number | null): string {
  return words === null ? "unlimited" : `${f.digits(words)} words/cycle`;
}

function facts(items: [string, string][]): HTMLElement {
  return h("dl", { class: "node-facts" }, ...items.map(([label, text]) => h("div", {}, h("dt", {}, label), h("dd", {}, text))));
}

function memoryBox(context: Context, memory: MemoryData, instances: number): HTMLElement {
  const energy = sum((energyTable(context.report).get(memory.name) ?? new Map<string, number>()).values(), (pj) => pj);
  const share = energy / context.report.data.plan.energy_pj;
  const rules = ["input", "weight", "output"]
    .map((name, i) => [name, memory.keep[i]!] as const)
    .filter(([, rule]) => rule !== "may")
    .map(([name, rule]) => `${rule} ${name}`);
  const items: [string, string][] = [
    ["Size", memory.capacity_words === null ? "unbounded" : `${f.bytes((memory.capacity_words * memory.word_bits) / 8)} (${f.exact(memory.capacity_words)} words)`],
    ["Word", `${memory.word_bits} bit, blocks of ${memory.block_words}`],
    ["Read, write", `${rate(memory.read_bandwidth)}, ${rate(memory.write_bandwidth)}`],
    ["Energy", `read ${f.energy(memory.read_pj)}, fill ${f.energy(memory.fill_pj)}, update ${f.energy(memory.update_pj)} a block`],
  ];
  if (memory.buffering !== 1) {
    items.push(["Buffering", `${f.digits(memory.buffering)} tiles at once`]);
  }
  if (memory.leakage_pj_per_cycle !== 0) {
    items.push(["Leakage", `${f.energy(memory.leakage_pj_per_cycle)} a cycle`]);
  }
  if (rules.length > 0) {
    items.push(["Keeps", rules.join(", ")]);
  }
  return h("div", { class: "node-box" },
    h("div", { class: "node-title" }, h("strong", {}, memory.name), h("span", { class: "muted" }, `${f.exact(instances)} ×`),
      h("span", { class: "meter-label", "data-v": energy, title: f.exact(energy) }, `${f.energy(energy)}, ${f.percent(share)} of the plan`)),
    h("div", { class: "thin-meter", "aria-hidden": "true" }, h("i", { style: `width:${(share * 100).toFixed(2)}%` })),
    facts(items));
}

function fanOutText(fan: FanOutData): string {
  const parts = [fan.y > 1 ? `${fan.x} × ${fan.y}` : `${fan.x}`];
  if (fan.multicast) {
    parts.push("multicast");
  }
  if (fan.reduction) {
    parts.push("adds on the way up");
  }
  if (fan.forwarding) {
    parts.push("neighbour links");
  }
  if (fan.hop_pj > 0) {
    parts.push(`${f.energy(fan.hop_pj)} a word and hop`);
  }
  if (fan.router_pj > 0) {
    parts.push(`${f.energy(fan.router_pj)} a router`);
  }
  if (fan.bandwidth !== null) {
    parts.push(`${f.digits(fan.bandwidth)} words/cycle`);
  }
  for (const [axis, dims] of [["x", fan.dims_x], ["y", fan.dims_y]] as const) {
    if (dims.length > 0) {
      parts.push(`${axis} takes ${dims.join(" ")}`);
    }
  }
  return parts.join(", ");
}

function computeBox(compute: ComputeData, instances: number): HTMLElement {
  const items = compute.classes.map((item): [string, string] => [item.class, `${f.digits(item.rate)} a cycle, ${f.energy(item.pj)} each`]);
  if (compute.leakage_pj_per_cycle !== 0) {
    items.push(["Leakage", `${f.energy(compute.leakage_pj_per_cycle)} a cycle`]);
  }
  return h("div", { class: "node-box compute" },
    h("div", { class: "node-title" }, h("strong", {}, compute.name), h("span", { class: "muted" }, `${f.exact(instances)} ×`)), facts(items));
}

function tree(context: Context, node: NodeData, instances: number): HTMLElement {
  return h("li", {}, memoryBox(context, node.memory, instances),
    h("ul", {}, ...node.below.map((branch) => {
      const { fan_out: fan } = branch;
      const below = instances * fan.x * fan.y;
      const inner = branch.node ? tree(context, branch.node, below) : h("li", {}, computeBox(branch.compute!, below));
      if (fan.x * fan.y > 1) {
        inner.prepend(h("div", { class: "fan" }, h("strong", {}, fan.name), ` ${fanOutText(fan)}`));
      }
      return inner;
    })));
}

export const architectureView: View = {
  key: "architecture",
  title: "Architecture",
  draw(context) {
    const { architecture } = context.report.data;
    return [
      section(architecture.name, [h("span", { class: "muted" }, f.frequency(architecture.clock_hz))],
        architecture.description === "" ? null : h("p", {}, architecture.description),
        h("ul", { class: "tree" }, tree(context, architecture.root, 1))),
      section("As text", [], h("pre", { class: "code", tabindex: "0", "data-key": "drawing" }, architecture.drawing)),
    ];
  },
};
