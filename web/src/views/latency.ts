// Cycles of every operator, coloured by what binds them, and how near the next resource is.

import { latencyTerms, type LatencyTerm, type Op } from "../derive";
import { choice, h, section } from "../dom";
import * as f from "../format";
import { table } from "../table";
import { bindingColors, opLink, type Context, type View } from "../view";
import { operatorBars, ordered, type Order } from "./bars";

function draw(context: Context, order: Order, redraw: (order: Order) => void): HTMLElement[] {
  const { report } = context;
  const planned = report.ops.filter((op) => op.solution);
  const colors = bindingColors(report);
  const total = report.data.plan.cycles;
  const second = new Map<number, LatencyTerm | undefined>(
    planned.map((op) => [op.index, latencyTerms(report, op.solution!).find((term) => !term.binds)]),
  );
  return [
    section(
      "Cycles of every operator",
      [choice("Order", [["execution", "execution"], ["largest", "largest first"]], order, (value) => redraw(value as Order))],
      operatorBars(context, {
        label: "Cycles of every operator, by what binds it",
        ops: ordered(planned, order, (op) => op.cycles),
        arrange: "stack",
        series: [...colors].map(([name, color]) => ({
          name,
          color,
          value: (op: Op) => (op.binding === name ? op.cycles : 0),
        })),
        format: f.count,
      }),
    ),
    section(
      "What binds it",
      [h("span", { class: "muted" }, "the next resource, and how much of the time it is busy")],
      table<Op>({
        name: "latency",
        rows: planned,
        filter: true,
        limit: 100,
        columns: [
          { title: "#", value: (op) => op.index },
          { title: "Operator", value: (op) => op.name, link: opLink(context) },
          { title: "Kind", value: (op) => op.kind },
          { title: "Cycles", value: (op) => op.cycles, text: f.count },
          { title: "Time", value: (op) => op.cycles / report.clock, text: f.time },
          { title: "of all", value: (op) => op.cycles / total, text: f.percent, bar: (op) => op.cycles / total },
          { title: "Bound by", value: (op) => op.binding, chip: (op) => colors.get(op.binding)! },
          { title: "Next", value: (op) => second.get(op.index)?.resource ?? null },
          { title: "busy", value: (op) => (second.get(op.index)?.cycles ?? 0) / op.cycles, text: f.percent,
            bar: (op) => (second.get(op.index)?.cycles ?? 0) / op.cycles },
          { title: "Lower bound", value: (op) => op.solution!.bound_cycles, text: f.count },
        ],
      }),
    ),
  ];
}

export const latencyView: View = {
  key: "latency",
  title: "Latency",
  draw(context) {
    const box = h("div", { class: "stack" });
    const redraw = (order: Order) => box.replaceChildren(...draw(context, order, redraw));
    redraw("execution");
    return [box];
  },
};
