// The network as a graph, coloured by cost. Drawn as SVG so that every operator is a link: it can
// be reached with the keyboard, zoomed and read out.

import { inkOn, sequential } from "../color";
import { isDark } from "../theme";
import { sum, type Op } from "../derive";
import { choice, h, s, section } from "../dom";
import * as f from "../format";
import { collapse, edgePath, layoutGraph, mergeGroups, sizes, type Layout } from "../layout";
import { bindingColors, type Context, type View } from "../view";

/** A node: an operator, or several that write parts of one tensor. */
interface Shown {
  op: Op;
  parts: number;
  energy: number;
  cycles: number;
  macs: number;
  utilisation: number;
  binding: string;
}

interface Measure {
  key: string;
  title: string;
  value: (node: Shown) => number;
  text: (value: number) => string;
  /** values are shares of 1 already */
  absolute: boolean;
}

const measures: Measure[] = [
  { key: "energy", title: "energy", value: (node) => node.energy, text: f.energy, absolute: false },
  { key: "cycles", title: "cycles", value: (node) => node.cycles, text: (value) => `${f.count(value)} cycles`, absolute: false },
  { key: "utilisation", title: "utilisation", value: (node) => node.utilisation, text: f.percent, absolute: true },
  { key: "macs", title: "multiply-accumulates", value: (node) => node.macs, text: (value) => `${f.count(value)} MACs`, absolute: false },
  { key: "binding", title: "what binds it", value: (node) => node.cycles, text: (value) => `${f.count(value)} cycles`, absolute: false },
];

let state = { measure: "energy", views: false };

function shownNodes(ops: Op[]): Map<number, Shown> {
  const groups = new Map<number, Op[]>();
  for (const op of ops) {
    groups.set(op.group, [...(groups.get(op.group) ?? []), op]);
  }
  return new Map([...groups].map(([id, members]): [number, Shown] => {
    const dearest = members.reduce((best, op) => (op.cycles > best.cycles ? op : best));
    const cycles = sum(members, (op) => op.cycles);
    const busy = sum(members, (op) => (op.solution?.utilization ?? 0) * op.cycles);
    return [id, {
      op: dearest,
      parts: members.length,
      energy: sum(members, (op) => op.energy),
      cycles,
      macs: sum(members, (op) => op.macs),
      utilisation: cycles > 0 ? busy / cycles : 0,
      binding: dearest.binding,
    }];
  }));
}

function drawNode(context: Context, node: Shown, x: number, y: number, measure: Measure, top: number, colors: Map<string, string>): SVGElement {
  const { op } = node;
  const value = measure.value(node);
  const kind = node.parts > 1 ? `${op.kind} × ${node.parts}` : op.kind;
  const fill = !op.solution ? "none" : measure.key === "binding" ? colors.get(node.binding)! : sequential(top > 0 ? value / top : 0, isDark());
  const ink = op.solution ? inkOn(fill) : "currentColor";
  const text = op.solution ? measure.text(value) : "view";
  return s(
    "a",
    { href: context.href("operator", op.index), class: `node${op.solution ? "" : " view"}`, "data-op": op.group,
      "aria-label": `${op.name}, ${kind}, ${text}` },
    s("title", {}, `${op.name}\n${kind}, ${op.shape.join(" × ")}\n${text}`),
    s("rect", { x, y, width: sizes.width, height: sizes.height, rx: 5, fill }),
    s("text", { x: x + 8, y: y + 14, fill: ink, class: "kind" }, f.shortName(kind, 19)),
    s("text", { x: x + 8, y: y + 27, fill: ink, class: "name" }, f.shortName(op.name, 21)),
  );
}

function topOf(nodes: Map<number, Shown>, measure: Measure): number {
  return measure.absolute ? 1 : Math.max(0, ...[...nodes.values()].map(measure.value));
}

function drawing(context: Context, nodes: Map<number, Shown>, layout: Layout, edges: [number, number][], measure: Measure): SVGSVGElement {
  const top = topOf(nodes, measure);
  const colors = bindingColors(context.report);
  const svg = s("svg", { class: "graph", viewBox: `0 0 ${layout.width} ${layout.height}`, role: "group", "aria-label": "Network graph" });
  const lines = s("g", { class: edges.length > 500 ? "edges many" : "edges" });
  const touching = new Map<number, SVGPathElement[]>();
  for (const [from, to] of edges) {
    const path = s("path", { d: edgePath(layout, from, to) });
    lines.append(path);
    for (const end of [from, to]) {
      touching.set(end, [...(touching.get(end) ?? []), path]);
    }
  }
  const boxes = s("g", {});
  for (const place of layout.nodes.values()) {
    boxes.append(drawNode(context, nodes.get(place.id)!, place.x, place.y, measure, top, colors));
  }
  const mark = (event: Event, on: boolean) => {
    const id = (event.target as Element).closest("[data-op]")?.getAttribute("data-op");
    for (const path of id ? (touching.get(Number(id)) ?? []) : []) {
      path.classList.toggle("on", on);
    }
  };
  boxes.addEventListener("pointerover", (event) => mark(event, true));
  boxes.addEventListener("pointerout", (event) => mark(event, false));
  boxes.addEventListener("focusin", (event) => mark(event, true));
  boxes.addEventListener("focusout", (event) => mark(event, false));
  svg.append(lines, boxes);
  return svg;
}

function scale(context: Context, nodes: Map<number, Shown>, measure: Measure): HTMLElement {
  if (measure.key === "binding") {
    return h("div", { class: "legend" }, ...[...bindingColors(context.report)].map(([name, color]) =>
      h("span", {}, h("i", { class: "chip", style: `background:${color}` }), name)));
  }
  const top = topOf(nodes, measure);
  const stops = [0, 0.25, 0.5, 0.75, 1].map((at) => sequential(at, isDark())).join(",");
  return h("div", { class: "legend" }, h("span", { class: "muted" }, measure.text(0)),
    h("i", { class: "ramp", style: `background:linear-gradient(90deg,${stops})` }),
    h("span", { class: "muted" }, measure.text(top)));
}

function draw(context: Context, redraw: () => void): HTMLElement[] {
  const { ops } = context.report;
  const measure = measures.find((item) => item.key === state.measure)!;
  const nodes = shownNodes(ops);
  const inputs = mergeGroups(ops.map((op) => ({ id: op.index, inputs: op.inputs })), (id) => ops[id]!.group);
  const graph = collapse(inputs, (id) => state.views || nodes.get(id)!.op.solution !== null);
  const wide = window.innerWidth > 800;
  const layout = layoutGraph(graph, wide ? 1.9 : 0.8);
  const edges = graph.flatMap((node) => node.inputs.map((input): [number, number] => [input, node.id]));
  const svg = drawing(context, nodes, layout, edges, measure);
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
  const hidden = nodes.size - graph.length;
  const merged = ops.length - nodes.size;
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
          `${graph.length} nodes, ${edges.length} edges` +
            (hidden > 0 ? `, ${hidden} views drawn through` : "") +
            (merged > 0 ? `, parts of one tensor drawn as one` : "") +
            (layout.columns > 1 ? `; reads down and then right, in ${layout.columns} columns` : "")),
        scale(context, nodes, measure)),
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
