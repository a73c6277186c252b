// The network as a graph, coloured by cost. Drawn as SVG so that every operator is a link: it can
// be reached with the keyboard, zoomed and read out.

import { inkOn, sequential } from "../color";
import { isDark } from "../theme";
import { type Op } from "../derive";
import { choice, h, s, section } from "../dom";
import * as f from "../format";
import { collapse, edgePath, layoutGraph, sizes, type Layout } from "../layout";
import { bindingColors, type Context, type View } from "../view";

interface Measure {
  key: string;
  title: string;
  value: (op: Op) => number;
  text: (value: number) => string;
  /** values are shares of 1 already */
  absolute: boolean;
}

const measures: Measure[] = [
  { key: "energy", title: "energy", value: (op) => op.energy, text: f.energy, absolute: false },
  { key: "cycles", title: "cycles", value: (op) => op.cycles, text: (value) => `${f.count(value)} cycles`, absolute: false },
  { key: "utilisation", title: "utilisation", value: (op) => op.solution?.utilization ?? 0, text: f.percent, absolute: true },
  { key: "macs", title: "multiply-accumulates", value: (op) => op.macs, text: (value) => `${f.count(value)} MACs`, absolute: false },
  { key: "binding", title: "what binds it", value: (op) => op.cycles, text: (value) => `${f.count(value)} cycles`, absolute: false },
];

let state = { measure: "energy", views: false };

function drawNode(context: Context, op: Op, x: number, y: number, measure: Measure, top: number, colors: Map<string, string>): SVGElement {
  const value = measure.value(op);
  const fill = !op.solution ? "none" : measure.key === "binding" ? colors.get(op.binding)! : sequential(top > 0 ? value / top : 0, isDark());
  const ink = op.solution ? inkOn(fill) : "currentColor";
  const text = op.solution ? measure.text(value) : "view";
  return s(
    "a",
    { href: context.href("operator", op.index), class: `node${op.solution ? "" : " view"}`, "data-op": op.index,
      "aria-label": `${op.name}, ${op.kind}, ${text}` },
    s("title", {}, `${op.name}\n${op.kind}, ${op.shape.join(" × ")}\n${text}`),
    s("rect", { x, y, width: sizes.width, height: sizes.height, rx: 5, fill }),
    s("text", { x: x + 8, y: y + 14, fill: ink, class: "kind" }, f.shortName(op.kind, 18)),
    s("text", { x: x + 8, y: y + 27, fill: ink, class: "name" }, f.shortName(op.name, 24)),
  );
}

function drawing(context: Context, layout: Layout, edges: [number, number][], measure: Measure): SVGSVGElement {
  const { ops } = context.report;
  const top = measure.absolute ? 1 : Math.max(0, ...ops.map(measure.value));
  const colors = bindingColors(context.report);
  const svg = s("svg", { class: "graph", viewBox: `0 0 ${layout.width} ${layout.height}`, role: "group", "aria-label": "Network graph" });
  const lines = s("g", { class: "edges" });
  const touching = new Map<number, SVGPathElement[]>();
  for (const [from, to] of edges) {
    const path = s("path", { d: edgePath(layout, from, to) });
    lines.append(path);
    for (const end of [from, to]) {
      touching.set(end, [...(touching.get(end) ?? []), path]);
    }
  }
  const nodes = s("g", {});
  for (const place of layout.nodes.values()) {
    nodes.append(drawNode(context, ops[place.id]!, place.x, place.y, measure, top, colors));
  }
  const mark = (event: Event, on: boolean) => {
    const id = (event.target as Element).closest("[data-op]")?.getAttribute("data-op");
    for (const path of id ? (touching.get(Number(id)) ?? []) : []) {
      path.classList.toggle("on", on);
    }
  };
  nodes.addEventListener("pointerover", (event) => mark(event, true));
  nodes.addEventListener("pointerout", (event) => mark(event, false));
  nodes.addEventListener("focusin", (event) => mark(event, true));
  nodes.addEventListener("focusout", (event) => mark(event, false));
  svg.append(lines, nodes);
  return svg;
}

function scale(context: Context, measure: Measure): HTMLElement {
  if (measure.key === "binding") {
    return h("div", { class: "legend" }, ...[...bindingColors(context.report)].map(([name, color]) =>
      h("span", {}, h("i", { class: "chip", style: `background:${color}` }), name)));
  }
  const top = measure.absolute ? 1 : Math.max(0, ...context.report.ops.map(measure.value));
  const stops = [0, 0.25, 0.5, 0.75, 1].map((at) => sequential(at, isDark())).join(",");
  return h("div", { class: "legend" }, h("span", { class: "muted" }, measure.text(0)),
    h("i", { class: "ramp", style: `background:linear-gradient(90deg,${stops})` }),
    h("span", { class: "muted" }, measure.text(top)));
}

function draw(context: Context, redraw: () => void): HTMLElement[] {
  const { ops } = context.report;
  const measure = measures.find((item) => item.key === state.measure)!;
  const graph = collapse(ops.map((op) => ({ id: op.index, inputs: op.inputs })), (id) => state.views || ops[id]!.solution !== null);
  const wide = window.innerWidth > 800;
  const layout = layoutGraph(graph, wide ? 1.9 : 0.8);
  const edges = graph.flatMap((node) => node.inputs.map((input): [number, number] => [input, node.id]));
  const svg = drawing(context, layout, edges, measure);
  const frame = h("div", { class: "frame", tabindex: "0", role: "region", "aria-label": "Graph; arrow keys scroll" }, svg);
  let factor = 1;
  const fit = () => Math.min(1.2, (frame.clientWidth - 4) / layout.width);
  const resize = (next: number) => {
    const old = factor;
    factor = Math.min(2.5, Math.max(0.05, next));
    const x = (frame.scrollLeft + frame.clientWidth / 2) / old;
    const y = (frame.scrollTop + frame.clientHeight / 2) / old;
    svg.setAttribute("width", String(Math.round(layout.width * factor)));
    svg.setAttribute("height", String(Math.round(layout.height * factor)));
    frame.scrollLeft = x * factor - frame.clientWidth / 2;
    frame.scrollTop = y * factor - frame.clientHeight / 2;
    frame.classList.toggle("far", factor < 0.45);
  };
  frame.addEventListener("wheel", (event) => {
    if (event.ctrlKey) {
      event.preventDefault();
      resize(factor * Math.exp(-event.deltaY / 300));
    }
  }, { passive: false });
  requestAnimationFrame(() => resize(fit()));
  const zoomButton = (text: string, label: string, act: () => void) =>
    h("button", { type: "button", title: label, "aria-label": label, onclick: act }, text);
  const hidden = ops.length - graph.length;
  return [
    section(
      "The network, coloured by cost",
      [
        choice("Colour", measures.map((item) => [item.key, item.title]), state.measure, (key) => {
          state = { ...state, measure: key };
          redraw();
        }),
        choice("Views", [["no", "hidden"], ["yes", "shown"]], state.views ? "yes" : "no", (value) => {
          state = { ...state, views: value === "yes" };
          redraw();
        }),
        h("span", { class: "buttons" },
          zoomButton("−", "Zoom out", () => resize(factor / 1.35)),
          zoomButton("Fit", "Fit the width", () => resize(fit())),
          zoomButton("+", "Zoom in", () => resize(factor * 1.35))),
      ],
      h("div", { class: "graph-note" },
        h("span", { class: "muted" },
          `${graph.length} operators, ${edges.length} edges` +
            (hidden > 0 ? `, ${hidden} views drawn through` : "") +
            (layout.columns > 1 ? `; reads down and then right, in ${layout.columns} columns` : "")),
        scale(context, measure)),
      frame,
    ),
  ];
}

export const graphView: View = {
  key: "graph",
  title: "Graph",
  draw(context) {
    const box = h("div", { class: "stack" });
    const redraw = () => box.replaceChildren(...draw(context, redraw));
    redraw();
    return [box];
  },
};
