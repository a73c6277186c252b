// The roofline of any port of the machine. Exact, not a sketch: the words through the port and the
// cycles are those of the cost model, so no operator can lie above its roof.

import { axis, chart, inks, legend } from "../charts";
import { categorical } from "../color";
import { ports, rooflinePoints, sum, type Port, type RooflinePoint } from "../derive";
import { choice, h, section } from "../dom";
import * as f from "../format";
import { table } from "../table";
import { opLink, type Context, type View } from "../view";

function peaksOf(points: RooflinePoint[]): number[] {
  return [...new Set(points.map((point) => point.peak))].sort((a, b) => b - a);
}

function roofChart(context: Context, port: Port, points: RooflinePoint[]): HTMLElement {
  const total = context.report.data.plan.cycles;
  const peaks = peaksOf(points);
  const shown = peaks.slice(0, 4);
  const low = Math.min(...points.map((point) => point.intensity), ...shown.map((peak) => peak / port.bandwidth)) / 3;
  const high = Math.max(...points.map((point) => point.intensity), ...shown.map((peak) => peak / port.bandwidth)) * 3;
  const group = (point: RooflinePoint) => (point.op.macs > 0 ? "with multiply-accumulates" : "vector and data movement");
  const groups = [...new Set(points.map(group))].sort();
  return chart(
    440,
    `Roofline of ${port.key}`,
    () => {
      const ink = inks();
      return {
        grid: { left: 34, right: 24, top: 34, bottom: 30, containLabel: true },
        legend: legend({ data: [...groups, "roof"] }),
        tooltip: {
          trigger: "item",
          formatter: (item: { data: { point?: RooflinePoint } }) => {
            const point = item.data.point;
            const box = document.createElement("div");
            if (point) {
              const title = document.createElement("strong");
              title.textContent = `${point.op.name} (${point.op.kind})`;
              const lines = [
                `${f.digits(point.intensity)} operations a word`,
                `${f.digits(point.rate)} operations a cycle, ${f.percent(point.rate / Math.min(point.peak, point.intensity * port.bandwidth))} of its roof`,
                `bound by ${point.op.binding}`,
              ].map((text) => {
                const line = document.createElement("div");
                line.textContent = text;
                return line;
              });
              box.append(title, ...lines);
            }
            return box;
          },
        },
        xAxis: axis({ type: "log", min: low, max: high, name: "operations per word", nameLocation: "middle", nameGap: 26,
          axisLabel: { color: ink.muted, formatter: f.count, showMinLabel: false, showMaxLabel: false } }),
        yAxis: axis({ type: "log", name: "operations per cycle", nameLocation: "middle", nameGap: 46,
          axisLabel: { color: ink.muted, formatter: f.count } }),
        series: [
          ...shown.map((peak, i) => ({
            name: "roof",
            type: "line",
            symbol: "none",
            silent: true,
            color: ink.text,
            lineStyle: { color: ink.text, width: i === 0 ? 1.8 : 1, type: i === 0 ? "solid" : "dashed" },
            data: [[low, low * port.bandwidth], [peak / port.bandwidth, peak], [high, peak]].filter(
              ([x]) => x! >= low && x! <= high,
            ),
            endLabel: { show: true, formatter: `${f.count(peak)} / cycle`, color: ink.muted, fontSize: 11, offset: [-70, -9] },
          })),
          ...groups.map((name, i) => ({
            name,
            type: "scatter",
            symbol: i === 0 ? "circle" : "diamond",
            itemStyle: { color: categorical[i === 0 ? 5 : 0], opacity: 0.75, borderColor: ink.surface, borderWidth: 0.5 },
            data: points.filter((point) => group(point) === name).map((point) => ({
              value: [point.intensity, point.rate],
              symbolSize: 6 + 44 * Math.sqrt(point.op.cycles / total),
              point,
            })),
          })),
        ],
      };
    },
    ({ data }) => {
      const point = (data as { point?: RooflinePoint }).point;
      if (point) {
        context.go("operator", point.op.index);
      }
    },
  );
}

function draw(context: Context, port: Port, redraw: (port: Port) => void): HTMLElement[] {
  const all = ports(context.report);
  const points = rooflinePoints(context.report, port);
  const roof = (point: RooflinePoint) => Math.min(point.peak, point.intensity * port.bandwidth);
  const covered = sum(points, (point) => point.op.cycles) / context.report.data.plan.cycles;
  return [
    section(
      "Roofline",
      [
        choice("Port", all.map((item) => [item.key, item.key]), port.key,
          (key) => redraw(all.find((item) => item.key === key)!)),
      ],
      h("p", { class: "muted" },
        `${points.length} operators move words through the ${port.kind} port of ${port.memory} ` +
        `(${f.digits(port.bandwidth)} words a cycle in all); they take ${f.percent(covered)} of the time. ` +
        "The area of a mark is its share of the cycles."),
      points.length > 0 ? roofChart(context, port, points) : h("p", {}, "No operator uses this port."),
    ),
    section(
      "How near the roof",
      [],
      table<RooflinePoint>({
        name: `roofline-${port.memory}-${port.kind}`,
        rows: points,
        filter: true,
        limit: 50,
        sort: { column: 5, descending: true },
        columns: [
          { title: "Operator", value: (point) => point.op.name, link: (point) => opLink(context)(point.op) },
          { title: "Operations / word", value: (point) => point.intensity, text: f.digits },
          { title: "Operations / cycle", value: (point) => point.rate, text: f.digits },
          { title: "Roof", value: roof, text: f.digits },
          { title: "of roof", value: (point) => point.rate / roof(point), text: f.percent, bar: (point) => point.rate / roof(point) },
          { title: "Cycles", value: (point) => point.op.cycles, text: f.count },
          { title: "Bound by", value: (point) => point.op.binding },
        ],
      }),
    ),
  ];
}

export const rooflineView: View = {
  key: "roofline",
  title: "Roofline",
  draw(context) {
    const all = ports(context.report);
    if (all.length === 0) {
      return [section("Roofline", [], h("p", {}, "No port of this architecture has a limited rate: everything runs at its peak."))];
    }
    const box = h("div", { class: "stack" });
    const redraw = (port: Port) => box.replaceChildren(...draw(context, port, redraw));
    // The port that binds most of the time, else the first.
    const weight = (port: Port) => sum(context.report.ops, (op) => (op.binding === port.key ? op.cycles : 0));
    redraw(all.reduce((best, port) => (weight(port) > weight(best) ? port : best)));
    return [box];
  },
};
