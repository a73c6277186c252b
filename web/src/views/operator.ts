// One operator: its loop nest and directives, and the terms behind every number.

import { categoryColors } from "../color";
import { distanceOf, energyBy, energyCategories, energyParts, energyTerms, latencyTerms, type EnergyTerm, type Op } from "../derive";
import { h, number, section } from "../dom";
import * as f from "../format";
import type { EdgeRow, SolutionData, TrafficRow } from "../payload";
import { table } from "../table";
import type { Context, View } from "../view";

function fact(label: string, key: string, value: number, text: string, note = ""): HTMLElement {
  const shown = number(value, text, f.exact(value));
  shown.dataset["key"] = key;
  return h("div", {}, h("dt", {}, label), h("dd", {}, shown, note === "" ? null : h("span", { class: "note" }, note)));
}

function links(context: Context, label: string, indices: number[]): HTMLElement {
  const shown = indices.slice(0, 8);
  return h("p", { class: "links" }, h("span", { class: "muted" }, label),
    ...(indices.length === 0 ? [h("span", {}, "none")] : []),
    ...shown.map((index) => {
      const op = context.report.ops[index]!;
      return h("a", { href: context.href("operator", index), title: op.name }, `${f.shortName(op.name, 30)} (${op.kind})`);
    }),
    indices.length > shown.length ? h("span", { class: "muted" }, `and ${indices.length - shown.length} more`) : null);
}

/** A horizontal bar of parts, with its parts in words. */
function partsBar(parts: [string, number][], colors: Map<string, string>, total: number): HTMLElement {
  const shown = parts.filter(([, value]) => value > 0);
  return h("div", { class: "parts" },
    h("div", { class: "parts-bar" }, ...shown.map(([name, value]) =>
      h("i", { style: `flex:${value / total} 0 0;background:${colors.get(name) ?? "#8a929c"}`, title: `${name}: ${f.energy(value)}` }))),
    h("div", { class: "legend" }, ...shown.map(([name, value]) =>
      h("span", {}, h("i", { class: "chip", style: `background:${colors.get(name) ?? "#8a929c"}` }),
        `${name} ${f.energy(value)} (${f.percent(value / total)})`))));
}

function edgeTerms(context: Context, solution: SolutionData, edge: EdgeRow): HTMLElement {
  const chain = context.report.data.chains[solution.chain]!;
  const [tensor, parent, child, tile, delivered, children, distinct, exact, moves] = edge;
  const toCompute = child === chain.levels.length;
  const from = chain.levels[parent]!.name;
  const to = toCompute ? chain.compute : chain.levels[child]!.name;
  const moving = moves.filter((move) => move[4] > 0 && move[3] > 0);
  const still = moves.filter((move) => move[4] === 0);
  const line = (left: string, middle: string, right: number, note: string) =>
    h("tr", {}, h("td", {}, left), h("td", { class: "muted" }, middle), h("td", { class: "num" }, f.exact(right)), h("td", { class: "muted" }, note));
  const rows: HTMLElement[] = [];
  if (toCompute) {
    rows.push(line("one word an operation", `on each of ${f.exact(children)} units`, delivered, "operations a unit"));
  } else {
    rows.push(line("first tile", "", tile, "words"));
    for (const [level, dim, , count, fresh] of moving) {
      rows.push(line(`${solution.dims[dim]![0]} steps at ${chain.levels[level]!.name}`,
        `${f.exact(count)} × ${f.exact(fresh)} new words`, count * fresh, "words"));
    }
    if (exact === 1) {
      rows.push(h("tr", { class: "total" }, h("td", {}, "to each"), h("td", { class: "muted" }, ""),
        h("td", { class: "num" }, f.exact(delivered)), h("td", { class: "muted" }, `words to each of ${f.exact(children)} ${to}`)));
      rows.push(line("distinct over space", `× ${f.exact(distinct)}`, delivered * distinct, "words that the level above serves"));
    } else {
      rows.push(line("with ragged tiles", "per-loop terms do not add up; see the traffic", delivered, "words"));
    }
  }
  return h("details", { class: "edge", open: true },
    h("summary", {}, h("strong", {}, solution.tensors[tensor]![0]), ` ${from} → ${to}`),
    h("div", { class: "scroll" }, h("table", { class: "terms" }, h("tbody", {}, ...rows))),
    still.length > 0
      ? h("p", { class: "muted" }, `Stays in place while ${still.map((move) => `${solution.dims[move[1]]![0]} (${chain.levels[move[0]]!.name})`).join(", ")} steps.`)
      : null);
}

function traffic(context: Context, op: Op, solution: SolutionData): HTMLElement {
  const chain = context.report.data.chains[solution.chain]!;
  return table<TrafficRow>({
    name: `traffic-${op.index}`,
    rows: solution.traffic,
    columns: [
      { title: "Level", value: (row) => chain.levels[row[0]]!.name },
      { title: "Tensor", value: (row) => solution.tensors[row[1]]![0] },
      { title: "Tile", value: (row) => row[2], text: f.count, hint: "Words of the largest tile one instance holds" },
      { title: "Reads", value: (row) => row[3], text: f.count, hint: "Words read here, all instances" },
      { title: "Fills", value: (row) => row[4], text: f.count, hint: "Words written here from the level above" },
      { title: "Updates", value: (row) => row[5], text: f.count, hint: "Words written here from below" },
      { title: "Energy", value: (row) => row[6], text: f.energy },
      { title: "Network", value: (row) => row[10], text: f.energy, hint: "Energy of the network below" },
      { title: "Hops", value: (row) => row[8], text: f.count, hint: "Word-hops in the network below" },
      { title: "of all", value: (row) => (row[6] + row[10]) / op.energy, text: f.percent, bar: (row) => (row[6] + row[10]) / op.energy },
    ],
  });
}

function terms(context: Context, op: Op, solution: SolutionData): HTMLElement {
  return table<EnergyTerm>({
    name: `terms-${op.index}`,
    rows: energyTerms(context.report, solution),
    limit: 12,
    columns: [
      { title: "At", value: (term) => term.level },
      { title: "Tensor", value: (term) => term.tensor },
      { title: "What", value: (term) => term.what },
      { title: "Count", value: (term) => term.count },
      { title: "Each", value: (term) => (term.count === null ? null : term.pj / term.count), text: f.energy },
      { title: "Energy", value: (term) => term.pj, text: f.energy },
      { title: "of all", value: (term) => term.pj / op.energy, text: f.percent, bar: (term) => term.pj / op.energy },
    ],
  });
}

function latency(context: Context, solution: SolutionData): HTMLElement {
  const terms = latencyTerms(context.report, solution);
  return h("table", { class: "resources", "data-table": "resources" }, h("tbody", {}, ...terms.map((term) =>
    h("tr", { class: term.binds ? "binds" : "" },
      h("th", { scope: "row" }, term.resource),
      h("td", { class: "num", "data-v": term.cycles, title: f.exact(term.cycles) }, `${f.count(term.cycles)} cycles`),
      h("td", { class: "meter" }, h("i", { style: `width:${((100 * term.cycles) / solution.cycles).toFixed(2)}%` })),
      h("td", { class: "muted" }, term.binds ? "binds" : f.percent(term.cycles / solution.cycles))))));
}

function dearestTerm(context: Context, solution: SolutionData): string {
  const parts = energyParts(context.report, solution).sort((a, b) => b.pj - a.pj);
  const first = parts[0]!;
  const name = first.tensor === "" ? first.level : `${first.level}, ${first.tensor}`;
  return `Dearest: ${name} with ${f.percent(first.pj / solution.energy_pj)} of the energy.`;
}

function verdict(solution: SolutionData, objective: string): string {
  const { proven, gap } = distanceOf(solution, objective);
  const name = objective === "edp" ? "energy x cycles" : objective;
  return proven ? `proven: no mapping has less ${name}`
    : `stopped: ${solution.stopped}` + (gap === null ? "" : `; ${name} at most ${f.percent(gap)} above the optimum`);
}

function nest(solution: SolutionData): HTMLElement {
  const box = h("pre", { class: "code", tabindex: "0", "data-key": "nest" });
  for (const line of solution.nest.replace(/\n$/, "").split("\n")) {
    const kind = /^\s*for /.test(line) ? "for" : /^\s*par /.test(line) ? "par" : "level";
    box.append(h("span", { class: kind }, line), "\n");
  }
  return box;
}

function planned(context: Context, op: Op, solution: SolutionData): HTMLElement[] {
  const chain = context.report.data.chains[solution.chain]!;
  const plan = context.report.data.plan;
  const colors = categoryColors(energyCategories(context.report, "level"));
  const tensorColors = categoryColors(energyCategories(context.report, "tensor"));
  return [
    h("dl", { class: "facts" },
      fact("Energy", "energy_pj", op.energy, f.energy(op.energy), `${f.percent(op.energy / plan.energy_pj)} of the plan`),
      fact("Cycles", "cycles", op.cycles, f.count(op.cycles), `${f.percent(op.cycles / plan.cycles)} of the plan`),
      fact("Time", "seconds", op.cycles / context.report.clock, f.time(op.cycles / context.report.clock)),
      fact("Operations", "operations", solution.operations, f.count(solution.operations),
        solution.body.map(([kind, n]) => `${n} ${kind}`).join(" + ") + " each"),
      fact("Utilisation", "utilization", solution.utilization, f.percent(solution.utilization),
        `${f.count(solution.instances_used)} of ${f.count(chain.units)} units`),
      fact("Energy bound", "bound_energy_pj", solution.bound_energy_pj, f.energy(solution.bound_energy_pj),
        solution.bound_energy_pj > 0 ? `${f.percent(op.energy / solution.bound_energy_pj - 1)} above` : ""),
      fact("Cycles bound", "bound_cycles", solution.bound_cycles, f.count(solution.bound_cycles),
        solution.bound_cycles > 0 ? `${f.percent(op.cycles / solution.bound_cycles - 1)} above` : ""),
      fact("Mappings tried", "evaluations", solution.evaluations, f.count(solution.evaluations), verdict(solution, plan.provenance.objective))),
    h("p", { class: "muted" },
      `Dims ${solution.dims.map(([name, bound, whole]) => `${name}=${bound}${whole ? " (whole)" : ""}`).join(", ")}. ` +
      (solution.uses > 1 ? `${solution.uses} operators share this workload and its mapping.` : "No other operator shares this workload.")),
    h("div", { class: "two" },
      section("Loop nest", [h("span", { class: "muted" }, "par: in space")], nest(solution)),
      section("Directives", [], h("pre", { class: "code", tabindex: "0", "data-key": "directives" }, solution.directives))),
    section("Energy", [],
      h("p", { class: "muted" }, dearestTerm(context, solution)),
      h("h3", {}, "By level"),
      partsBar([...energyBy(context.report, solution, "level")], colors, op.energy),
      h("h3", {}, "By tensor"),
      partsBar([...energyBy(context.report, solution, "tensor")], tensorColors, op.energy)),
    section("Energy, term by term", [], terms(context, op, solution)),
    section("Latency: what every resource alone would need", [], latency(context, solution)),
    section("Traffic", [h("span", { class: "muted" }, "words")], traffic(context, op, solution)),
    section("The terms behind the traffic",
      [h("span", { class: "muted" }, `${solution.edges.length} deliveries`)],
      h("div", { class: "edges-list" }, ...solution.edges.map((edge) => edgeTerms(context, solution, edge)))),
    section("Tensors", [], table({
      name: `tensors-${op.index}`,
      rows: solution.tensors.map((row, t): [string, ...typeof row] => [op.tensors[t] ?? row[0], ...row]),
      columns: [
        { title: "Tensor", value: (row) => row[0] },
        { title: "Above", value: (row) => row[1], hint: "What this page calls it" },
        { title: "Class", value: (row) => row[2] },
        { title: "Words", value: (row) => row[3], text: f.count },
        { title: "Axes", value: (row) => row[4] },
      ],
    })),
  ];
}

function picker(context: Context, op: Op): HTMLElement {
  const { ops } = context.report;
  const step = (by: number) => {
    const next = (op.index + by + ops.length) % ops.length;
    return h("a", { class: "button", href: context.href("operator", next), title: ops[next]!.name, "data-step": by,
      "aria-label": by < 0 ? "Previous operator" : "Next operator" }, by < 0 ? "←" : "→");
  };
  const select = h("select", { "aria-label": "Operator", onchange: () => context.go("operator", select.value) });
  for (const item of ops) {
    select.append(h("option", { value: item.index, selected: item.index === op.index }, `${item.index}  ${item.name}  (${item.kind})`));
  }
  return h("div", { class: "picker" }, step(-1), select, step(1));
}

export const operatorView: View = {
  key: "operator",
  title: "Operator",
  draw(context) {
    const { ops } = context.report;
    if (ops.length === 0) {
      return [h("p", {}, "The network has no operators.")];
    }
    const dearest = ops.reduce((best, op) => (op.energy > best.energy ? op : best));
    const op = context.argument === "" ? dearest : (ops[Number(context.argument)] ?? dearest);
    return [
      picker(context, op),
      h("div", { class: "op-head" },
        h("h2", {}, op.name),
        h("p", {}, h("span", { class: "tag" }, op.kind), op.solution ? h("span", { class: "tag" }, `bound by ${op.binding}`) : null,
          h("span", { class: "muted" }, `writes ${op.shape.join(" × ")}`))),
      links(context, "Reads from", op.inputs),
      links(context, "Read by", op.outputs),
      ...(op.solution
        ? planned(context, op, op.solution)
        : [h("p", { class: "panel" }, "A view: it renames bytes, moves none and costs nothing.")]),
    ];
  },
};
