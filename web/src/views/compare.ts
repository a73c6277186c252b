// Two plans side by side, differences sorted by size.

import { axis, chart, inks, legend } from "../charts";
import { categorical } from "../color";
import { change, differences, largest, totals, type Difference, type Total } from "../difference";
import { choice, h, section } from "../dom";
import * as f from "../format";
import { table } from "../table";
import type { Context, View } from "../view";

function shown(unit: Total["unit"], value: number): string {
  switch (unit) {
    case "energy":
      return f.energy(value);
    case "percent":
      return f.percent(value);
    case "time":
      return f.time(value);
    case "edp":
      return f.digits(value);
    default:
      return f.count(value);
  }
}

function ratio(a: number, b: number): string {
  const relative = change(a, b);
  return relative === Infinity ? "new" : relative === 0 ? "=" : f.signedPercent(relative);
}

function signed(text: (value: number) => string): (value: number) => string {
  return (value) => (value > 0 ? `+${text(value)}` : value < 0 ? `−${text(-value)}` : "0");
}

function totalsTable(context: Context): HTMLElement {
  const [a, b] = context.reports as [Context["report"], Context["report"]];
  return table<Total>({
    name: "totals",
    rows: totals(a, b),
    columns: [
      { title: "Total", value: (row) => row.label },
      { title: "A", value: (row) => row.a, text: (value, row) => shown(row.unit, value) },
      { title: "B", value: (row) => row.b, text: (value, row) => shown(row.unit, value) },
      { title: "B against A", value: (row) => change(row.a, row.b), text: (_, row) => ratio(row.a, row.b) },
    ],
  });
}

function provenanceTable(context: Context): HTMLElement {
  const [p, q] = context.reports.map((report) => report.data.plan) as [Context["report"]["data"]["plan"], Context["report"]["data"]["plan"]];
  const rows: [string, string, string][] = [
    ["Network", p.network, q.network],
    ["Model hash", p.provenance.model_hash, q.provenance.model_hash],
    ["Batch", p.provenance.batch === 0 ? "as in the model" : String(p.provenance.batch), q.provenance.batch === 0 ? "as in the model" : String(q.provenance.batch)],
    ["Architecture", p.architecture, q.architecture],
    ["Architecture hash", p.provenance.architecture_hash, q.provenance.architecture_hash],
    ["Constraints hash", p.provenance.constraints_hash || "none", q.provenance.constraints_hash || "none"],
    ["Objective", p.provenance.objective, q.provenance.objective],
    ["Mapper", p.provenance.mapper, q.provenance.mapper],
    ["Cost policy", p.provenance.policy, q.provenance.policy],
    ["Seed", p.provenance.seed, q.provenance.seed],
    ["Made by", p.provenance.tool_version, q.provenance.tool_version],
    ["Command", p.provenance.command, q.provenance.command],
  ];
  return h("div", { class: "scroll" }, h("table", { class: "provenance" },
    h("thead", {}, h("tr", {}, h("th", {}, ""), h("th", { scope: "col" }, "A"), h("th", { scope: "col" }, "B"))),
    h("tbody", {}, ...rows.map(([label, a, b]) =>
      h("tr", { class: a === b ? "" : "differs" }, h("th", { scope: "row" }, label), h("td", {}, a), h("td", {}, b))))));
}

function draw(context: Context, by: "energy" | "cycles", redraw: (by: "energy" | "cycles") => void): HTMLElement[] {
  const [a, b] = context.reports as [Context["report"], Context["report"]];
  const all = differences(a, b);
  const rows = largest(all, by);
  const top = rows.slice(0, 15);
  const text = by === "energy" ? f.energy : (value: number) => `${f.count(value)} cycles`;
  const biggest = Math.max(0, ...rows.map((row) => Math.abs(row[by])));
  const link = (row: Difference) => {
    const which = row.b ? 1 : 0;
    return `#${which}/operator/${(row.b ?? row.a)!.index}`;
  };
  return [
    h("div", { class: "two" },
      section("Totals", [], totalsTable(context)),
      section("What was asked", [], provenanceTable(context))),
    section("Largest differences",
      [choice("Of", [["energy", "energy"], ["cycles", "cycles"]], by, (value) => redraw(value as "energy" | "cycles"))],
      h("p", { class: "muted" },
        `${rows.length} of ${all.length} operators differ in ${by}; ` +
        `${all.filter((row) => row.b === null).length} only in A, ${all.filter((row) => row.a === null).length} only in B.`),
      top.length === 0 ? null : chart(60 + 26 * top.length, `Largest differences in ${by}, B minus A`, () => ({
        grid: { left: 8, right: 24, top: 30, bottom: 8, containLabel: true },
        legend: legend(),
        tooltip: { trigger: "axis", axisPointer: { type: "shadow" }, valueFormatter: (value: number) => text(value) },
        xAxis: axis({ type: "value", axisLabel: { color: inks().muted, hideOverlap: true, formatter: by === "energy" ? f.energy : f.count } }),
        yAxis: axis({ type: "category", inverse: true, data: top.map((row) => row.name),
          axisLabel: { color: inks().text, formatter: (name: string) => f.shortName(name, window.innerWidth > 700 ? 34 : 16) } }),
        series: [["A", 4, (row: Difference) => row.a?.[by] ?? 0], ["B", 1, (row: Difference) => row.b?.[by] ?? 0]].map(
          ([name, color, value]) => ({ name, type: "bar", barMaxWidth: 9, itemStyle: { color: categorical[color as number] },
            data: top.map(value as (row: Difference) => number) })),
      }), ({ dataIndex }) => { location.hash = link(top[dataIndex]!); }),
      table<Difference>({
        name: `differences-${by}`,
        rows,
        filter: true,
        limit: 100,
        columns: [
          { title: "Operator", value: (row) => row.name, link },
          { title: "Kind", value: (row) => row.kind },
          { title: "A", value: (row) => row.a?.[by] ?? null, text },
          { title: "B", value: (row) => row.b?.[by] ?? null, text },
          { title: "B − A", value: (row) => row[by], text: signed(text), bar: (row) => Math.abs(row[by]) / biggest },
          { title: "relative", value: (row) => (row.a && row.b ? change(row.a[by], row.b[by]) : null),
            text: (_, row) => ratio(row.a![by], row.b![by]) },
          { title: "Bound by", value: (row) => row.a?.binding === row.b?.binding ? (row.a?.binding ?? "") : `${row.a?.binding ?? "–"} → ${row.b?.binding ?? "–"}` },
        ],
      })),
  ];
}

export const compareView: View = {
  key: "compare",
  title: "Compare",
  draw(context) {
    const box = h("div", { class: "stack" });
    const redraw = (by: "energy" | "cycles") => box.replaceChildren(...draw(context, by, redraw));
    redraw("energy");
    return [box];
  },
};
