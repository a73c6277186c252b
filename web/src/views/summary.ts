// The first page: the totals, where energy and time go, and the dearest operators.

import { categoryColors } from "../color";
import { axis, chart, inks, legend } from "../charts";
import { distanceOf, energyTable, groupSum, sum, type Op } from "../derive";
import { h, number, section } from "../dom";
import * as f from "../format";
import { table } from "../table";
import { bindingColors, objectiveOf, opLink, type Context, type View } from "../view";

function card(label: string, key: string, value: number, text: string, note: string): HTMLElement {
  const big = number(value, text, f.exact(value));
  big.classList.add("big");
  big.dataset["key"] = key;
  return h("div", { class: "card" }, h("span", { class: "muted" }, label), big, h("span", { class: "note" }, note));
}

function provenCard(context: Context): HTMLElement {
  const { plan, solutions } = context.report.data;
  const { objective } = plan.provenance;
  const distances = solutions.map((solution) => distanceOf(solution, objective));
  const proven = distances.filter((distance) => distance.proven).length;
  const open = distances.filter((distance) => !distance.proven);
  const gaps = open.flatMap((distance) => distance.gap ?? []);
  const note = open.length === 0 ? `no mapping has less ${objective === "edp" ? "energy x cycles" : objective}`
    : gaps.length < open.length ? `${open.length - gaps.length} without a bound`
    : `the others at most ${f.percent(Math.max(...gaps))} above`;
  return card("Proven optimal", "proven", proven, `${f.exact(proven)} of ${f.exact(solutions.length)}`, note);
}

function cards(context: Context): HTMLElement {
  const { plan } = context.report.data;
  const seconds = plan.cycles / context.report.clock;
  const gap = (cost: number, bound: number) =>
    bound > 0 ? `${f.percent(cost / bound - 1)} above the bound` : "no bound";
  const planned = context.report.ops.filter((op) => op.solution).length;
  return h(
    "div",
    { class: "cards" },
    card("Energy", "energy_pj", plan.energy_pj, f.energy(plan.energy_pj), gap(plan.energy_pj, plan.bound_energy_pj)),
    card("Latency", "seconds", seconds, f.time(seconds), gap(plan.cycles, plan.bound_cycles)),
    card("Cycles", "cycles", plan.cycles, f.count(plan.cycles), `at ${f.frequency(context.report.clock)}`),
    card("Utilisation", "utilization", plan.utilization, f.percent(plan.utilization), "of the peak MAC rate"),
    card("MACs", "macs", plan.macs, f.count(plan.macs),
      plan.macs > 0 ? `${f.energy(plan.energy_pj / plan.macs)} each` : "none"),
    card("Operators", "operators", context.report.ops.length, f.exact(context.report.ops.length),
      `${planned} planned, ${context.report.data.solutions.length} distinct`),
    provenCard(context),
  );
}

function energyChart(context: Context): HTMLElement {
  const rows = [...energyTable(context.report)].filter(([, parts]) => sum(parts.values(), (pj) => pj) > 0);
  const classes = ["input", "weight", "output", ""];
  const colors = categoryColors(["input", "weight", "output"]);
  return chart(60 + 30 * rows.length, "Energy by level and tensor", () => ({
    grid: { left: 8, right: 24, top: 30, bottom: 8, containLabel: true },
    legend: legend(),
    tooltip: { trigger: "axis", axisPointer: { type: "shadow" }, valueFormatter: (value: number) => f.energy(value) },
    xAxis: axis({ type: "value", axisLabel: { color: inks().muted, formatter: f.energy, hideOverlap: true } }),
    yAxis: axis({ type: "category", inverse: true, data: rows.map(([level]) => level), axisLabel: { color: inks().text } }),
    series: classes.map((tensor) => ({
      name: tensor || "no tensor",
      type: "bar",
      stack: "energy",
      barMaxWidth: 18,
      itemStyle: { color: colors.get(tensor) ?? "#8a929c" },
      data: rows.map(([, parts]) => parts.get(tensor) ?? 0),
    })),
  }));
}

function bindingChart(context: Context): HTMLElement {
  const { report } = context;
  const rows = groupSum(report.ops.filter((op) => op.solution), (op) => op.binding, (op) => op.cycles);
  const colors = bindingColors(report);
  return chart(60 + 30 * rows.length, "Cycles by what binds them", () => ({
    grid: { left: 8, right: 24, top: 8, bottom: 8, containLabel: true },
    tooltip: { trigger: "item", valueFormatter: (value: number) => `${f.count(value)} cycles` },
    xAxis: axis({ type: "value", axisLabel: { color: inks().muted, formatter: f.count, hideOverlap: true } }),
    yAxis: axis({ type: "category", inverse: true, data: rows.map(([name]) => name), axisLabel: { color: inks().text } }),
    series: [{
      type: "bar",
      barMaxWidth: 18,
      data: rows.map(([name, cycles]) => ({ value: cycles, itemStyle: { color: colors.get(name) ?? "#8a929c" } })),
    }],
  }));
}

function energyTableView(context: Context): HTMLElement {
  const total = context.report.data.plan.energy_pj;
  const rows = [...energyTable(context.report)].filter(([, parts]) => parts.size > 0);
  const of = (tensor: string) => (row: [string, Map<string, number>]) => row[1].get(tensor) ?? 0;
  const all = (row: [string, Map<string, number>]) => sum(row[1].values(), (pj) => pj);
  return table({
    name: "energy-by-level",
    rows,
    columns: [
      { title: "Level", value: (row) => row[0] },
      { title: "Input", value: of("input"), text: f.energy },
      { title: "Weight", value: of("weight"), text: f.energy },
      { title: "Output", value: of("output"), text: f.energy },
      { title: "Total", value: all, text: f.energy },
      { title: "Share", value: (row) => all(row) / total, text: f.percent, bar: (row) => all(row) / total },
    ],
  });
}

function dearest(context: Context): HTMLElement {
  const { report } = context;
  const objective = objectiveOf(report);
  const rows = report.ops
    .filter((op) => op.solution)
    .sort((a, b) => objective.value(b) - objective.value(a) || a.index - b.index)
    .slice(0, 10);
  const colors = bindingColors(report);
  const { energy_pj: energy, cycles } = report.data.plan;
  return table<Op>({
    name: "dearest-operators",
    rows,
    columns: [
      { title: "Operator", value: (op) => op.name, link: opLink(context) },
      { title: "Kind", value: (op) => op.kind },
      { title: "Energy", value: (op) => op.energy, text: f.energy },
      { title: "of energy", value: (op) => op.energy / energy, text: f.percent, bar: (op) => op.energy / energy },
      { title: "Cycles", value: (op) => op.cycles, text: f.count },
      { title: "of cycles", value: (op) => op.cycles / cycles, text: f.percent, bar: (op) => op.cycles / cycles },
      { title: "Bound by", value: (op) => op.binding, chip: (op) => colors.get(op.binding)! },
    ],
  });
}

function kinds(context: Context): HTMLElement {
  const { report } = context;
  const { energy_pj: energy, cycles } = report.data.plan;
  const rows = groupSum(report.ops, (op) => op.kind, (op) => op.energy).map(([kind, pj]) => {
    const ops = report.ops.filter((op) => op.kind === kind);
    return { kind, pj, count: ops.length, cycles: sum(ops, (op) => op.cycles), macs: sum(ops, (op) => op.macs) };
  });
  return table({
    name: "kinds",
    rows,
    columns: [
      { title: "Kind", value: (row) => row.kind },
      { title: "Count", value: (row) => row.count },
      { title: "MACs", value: (row) => row.macs, text: f.count },
      { title: "Energy", value: (row) => row.pj, text: f.energy },
      { title: "of energy", value: (row) => row.pj / energy, text: f.percent, bar: (row) => row.pj / energy },
      { title: "Cycles", value: (row) => row.cycles, text: f.count },
      { title: "of cycles", value: (row) => row.cycles / cycles, text: f.percent, bar: (row) => row.cycles / cycles },
    ],
  });
}

export const summary: View = {
  key: "summary",
  title: "Summary",
  draw(context) {
    const { data } = context.report;
    const notes = [
      ...(data.plan.complete ? [] : ["The search was interrupted: this is the best plan it had found."]),
      ...data.warnings,
    ];
    return [
      ...(notes.length > 0
        ? [h("div", { class: "warnings", role: "note" }, ...notes.map((note) => h("p", {}, note)))]
        : []),
      cards(context),
      h(
        "div",
        { class: "two" },
        section("Where the energy goes", [], energyChart(context)),
        section("What binds the time", [], bindingChart(context)),
      ),
      section("The ten dearest operators", [h("span", { class: "muted" }, objectiveOf(context.report).name)], dearest(context)),
      h(
        "div",
        { class: "two" },
        section("Energy by level and tensor", [], energyTableView(context)),
        section("By kind of operator", [], kinds(context)),
      ),
    ];
  },
};
