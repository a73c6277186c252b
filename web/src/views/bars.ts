// A bar for every operator, in execution order or largest first: shared by energy, latency and
// utilisation.

import { axis, chart, inks, legend, zoom } from "../charts";
import type { Op } from "../derive";
import { shortName } from "../format";
import type { Context } from "../view";

export interface Bars {
  label: string;
  ops: Op[];
  /** one on the other, one in front of the other, in the order given */
  arrange: "stack" | "overlay";
  series: { name: string; color: string; value: (op: Op) => number }[];
  format: (value: number) => string;
  max?: number;
}

export function operatorBars(context: Context, bars: Bars): HTMLElement {
  const used = bars.series.filter((one) => bars.ops.some((op) => one.value(op) > 0));
  const many = bars.ops.length > 40;
  const names = bars.ops.map((op) => op.name);
  return chart(
    340,
    bars.label,
    () => ({
      grid: { left: 8, right: 12, top: 34, bottom: many ? 34 : 8, containLabel: true },
      legend: legend(),
      dataZoom: zoom(bars.ops.length),
      tooltip: {
        trigger: "axis",
        axisPointer: { type: "shadow" },
        formatter: (items: { dataIndex: number; seriesIndex: number; marker: string; value: number }[]) => {
          const box = document.createElement("div");
          const title = document.createElement("strong");
          const op = bars.ops[items[0]?.dataIndex ?? 0]!;
          title.textContent = `${op.name} (${op.kind})`;
          box.append(title);
          for (const item of [...items].sort((a, b) => b.value - a.value)) {
            if (item.value > 0) {
              const line = document.createElement("div");
              const chip = document.createElement("i");
              chip.className = "chip";
              chip.style.background = used[item.seriesIndex]!.color;
              line.append(chip, `${used[item.seriesIndex]!.name}: ${bars.format(item.value)}`);
              box.append(line);
            }
          }
          return box;
        },
      },
      xAxis: axis({
        type: "category",
        data: names,
        axisLabel: {
          show: !many,
          color: inks().muted,
          fontSize: 10,
          rotate: 40,
          formatter: (name: string) => shortName(name, 18),
        },
      }),
      yAxis: axis({
        type: "value",
        ...(bars.max === undefined ? {} : { max: bars.max }),
        axisLabel: { color: inks().muted, formatter: bars.format, hideOverlap: true },
      }),
      series: used.map((one) => ({
        name: one.name,
        type: "bar",
        ...(bars.arrange === "stack" ? { stack: "all" } : { barGap: "-100%" }),
        barCategoryGap: many ? "8%" : "25%",
        itemStyle: { color: one.color },
        emphasis: { focus: "none" },
        data: bars.ops.map(one.value),
      })),
    }),
    ({ dataIndex }) => context.go("operator", bars.ops[dataIndex]!.index),
  );
}

export type Order = "execution" | "largest";

export function ordered(ops: Op[], order: Order, value: (op: Op) => number): Op[] {
  return order === "execution" ? ops : [...ops].sort((a, b) => value(b) - value(a) || a.index - b.index);
}
