// Energy of every operator by memory level or by tensor.

import { categoryColors } from "../color";
import { energyBy, energyCategories, type EnergySplit, type Op } from "../derive";
import { choice, h, section } from "../dom";
import * as f from "../format";
import { table } from "../table";
import { opLink, type Context, type View } from "../view";
import { operatorBars, ordered, type Order } from "./bars";

function draw(context: Context, split: EnergySplit, order: Order, redraw: (split: EnergySplit, order: Order) => void): HTMLElement[] {
  const { report } = context;
  const parts = new Map(report.ops.map((op) => [op.index, energyBy(report, op.solution, split)]));
  const planned = report.ops.filter((op) => op.solution);
  const categories = energyCategories(report, split).filter((name) =>
    planned.some((op) => parts.get(op.index)!.get(name)! > 0),
  );
  const colors = categoryColors(energyCategories(report, split));
  const of = (name: string) => (op: Op) => parts.get(op.index)!.get(name) ?? 0;
  const total = report.data.plan.energy_pj;
  return [
    section(
      "Energy of every operator",
      [
        choice("Split by", [["level", "memory level"], ["tensor", "tensor"]], split, (value) => redraw(value as EnergySplit, order)),
        choice("Order", [["execution", "execution"], ["largest", "largest first"]], order, (value) => redraw(split, value as Order)),
      ],
      operatorBars(context, {
        label: `Energy of every operator by ${split}`,
        ops: ordered(planned, order, (op) => op.energy),
        arrange: "stack",
        series: categories.map((name) => ({ name, color: colors.get(name)!, value: of(name) })),
        format: f.energy,
      }),
    ),
    section(
      `Energy by ${split}`,
      [],
      table<Op>({
        name: `energy-by-${split}-and-operator`,
        rows: planned,
        filter: true,
        limit: 100,
        columns: [
          { title: "#", value: (op) => op.index },
          { title: "Operator", value: (op) => op.name, link: opLink(context) },
          { title: "Kind", value: (op) => op.kind },
          { title: "Energy", value: (op) => op.energy, text: f.energy },
          { title: "of all", value: (op) => op.energy / total, text: f.percent, bar: (op) => op.energy / total },
          ...categories.map((name) => ({ title: name, value: of(name), text: f.energy })),
        ],
      }),
    ),
  ];
}

export const energyView: View = {
  key: "energy",
  title: "Energy",
  draw(context) {
    const box = h("div", { class: "stack" });
    const redraw = (split: EnergySplit, order: Order) => box.replaceChildren(...draw(context, split, order, redraw));
    redraw("level", "execution");
    return [box];
  },
};
