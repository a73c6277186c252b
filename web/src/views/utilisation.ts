// How busy the units are and how full the memories.

import { occupancy, type Op } from "../derive";
import { choice, h, section } from "../dom";
import { categorical } from "../color";
import * as f from "../format";
import { table } from "../table";
import { opLink, type Context, type View } from "../view";
import { operatorBars, ordered, type Order } from "./bars";

/** Share of the compute units that hold work at the busiest step. */
function spatial(context: Context, op: Op): number {
  return op.solution!.instances_used / context.report.data.chains[op.solution!.chain]!.units;
}

function fill(context: Context, op: Op, memory: string): number | null {
  const chain = context.report.data.chains[op.solution!.chain]!;
  const level = chain.levels.findIndex((item) => item.name === memory);
  return level < 0 ? null : occupancy(context.report, op.solution!, level);
}

function draw(context: Context, order: Order, redraw: (order: Order) => void): HTMLElement[] {
  const { report } = context;
  const planned = report.ops.filter((op) => op.solution);
  const bounded = report.memories.filter((name) => planned.some((op) => fill(context, op, name) !== null));
  return [
    section(
      "Utilisation of the units",
      [choice("Order", [["execution", "execution"], ["largest", "highest first"]], order, (value) => redraw(value as Order))],
      h("p", { class: "muted" },
        "In space: units that hold work at the busiest step. In all: operations of the peak, stalls and idle units counted."),
      operatorBars(context, {
        label: "Utilisation of every operator",
        ops: ordered(planned, order, (op) => op.solution!.utilization),
        arrange: "overlay",
        series: [
          { name: "in space", color: categorical[4]!, value: (op) => spatial(context, op) },
          { name: "in all", color: categorical[0]!, value: (op) => op.solution!.utilization },
        ],
        format: f.percent,
        max: 1,
      }),
    ),
    section(
      "Units and memories",
      [],
      table<Op>({
        name: "utilisation",
        rows: planned,
        filter: true,
        limit: 100,
        columns: [
          { title: "#", value: (op) => op.index },
          { title: "Operator", value: (op) => op.name, link: opLink(context) },
          { title: "Units used", value: (op) => op.solution!.instances_used, text: f.count },
          { title: "in space", value: (op) => spatial(context, op), text: f.percent, bar: (op) => spatial(context, op) },
          { title: "in all", value: (op) => op.solution!.utilization, text: f.percent, bar: (op) => op.solution!.utilization },
          { title: "Cycles", value: (op) => op.cycles, text: f.count },
          ...bounded.map((name) => ({
            title: `${name} full`,
            hint: `Largest tiles held at once, buffering included, of one ${name}`,
            value: (op: Op) => fill(context, op, name),
            text: f.percent,
            bar: (op: Op) => fill(context, op, name) ?? 0,
          })),
        ],
      }),
    ),
  ];
}

export const utilisationView: View = {
  key: "utilisation",
  title: "Utilisation",
  draw(context) {
    const box = h("div", { class: "stack" });
    const redraw = (order: Order) => box.replaceChildren(...draw(context, order, redraw));
    redraw("execution");
    return [box];
  },
};
