// Places a network on the plane. Layers by longest path from the inputs; inside a layer by the mean
// position of what a node reads, then of what reads it. Networks are hundreds of layers deep and
// few nodes wide, so the layers are set in columns, like text in a newspaper, and the number of
// columns is the one whose shape is nearest to that of the window. O(nodes + edges). Pure.

export interface GraphNode {
  id: number;
  inputs: number[];
}

export interface Placed {
  id: number;
  x: number;
  y: number;
  layer: number;
  column: number;
}

export interface Layout {
  nodes: Map<number, Placed>;
  width: number;
  height: number;
  columns: number;
  /** x of the gap left of every column */
  gaps: number[];
}

export interface Sizes {
  width: number;
  height: number;
  gapX: number;
  gapY: number;
  gapColumn: number;
}

export const sizes: Sizes = { width: 148, height: 34, gapX: 14, gapY: 20, gapColumn: 46 };

/** The nodes that pass `keep`, with edges drawn through those that do not. Inputs come first in
 *  `nodes` (topological order). */
export function collapse(nodes: GraphNode[], keep: (id: number) => boolean): GraphNode[] {
  const sources = new Map<number, number[]>();
  const kept: GraphNode[] = [];
  for (const node of nodes) {
    const inputs = [...new Set(node.inputs.flatMap((input) => sources.get(input) ?? []))];
    if (keep(node.id)) {
      kept.push({ id: node.id, inputs });
      sources.set(node.id, [node.id]);
    } else {
      sources.set(node.id, inputs);
    }
  }
  return kept;
}

/** One node for every group. Groups stand where their last member stood, so that what they read
 *  comes first; requires that nothing reads a group before it is complete. */
export function mergeGroups(nodes: GraphNode[], groupOf: (id: number) => number): GraphNode[] {
  const last = new Map(nodes.map((node) => [groupOf(node.id), node.id]));
  const inputs = new Map<number, Set<number>>();
  const merged: GraphNode[] = [];
  for (const node of nodes) {
    const group = groupOf(node.id);
    const known = inputs.get(group) ?? new Set<number>();
    inputs.set(group, known);
    node.inputs.map(groupOf).filter((input) => input !== group).forEach((input) => known.add(input));
    if (last.get(group) === node.id) {
      merged.push({ id: group, inputs: [...known] });
    }
  }
  return merged;
}

function layersOf(nodes: GraphNode[]): number[][] {
  const layer = new Map<number, number>();
  const layers: number[][] = [];
  for (const node of nodes) {
    const own = Math.max(0, ...node.inputs.map((input) => (layer.get(input) ?? -1) + 1));
    layer.set(node.id, own);
    (layers[own] ??= []).push(node.id);
  }
  return layers;
}

/** Positions in units of one node, centred around zero, without overlaps. */
function spread(order: { id: number; want: number }[]): Map<number, number> {
  order.sort((a, b) => a.want - b.want || a.id - b.id);
  const at: number[] = [];
  order.forEach((node, i) => at.push(i === 0 ? node.want : Math.max(node.want, at[i - 1]! + 1)));
  const shift = order.reduce((sum, node, i) => sum + node.want - at[i]!, 0) / order.length;
  return new Map(order.map((node, i) => [node.id, at[i]! + shift]));
}

function positions(nodes: GraphNode[], layers: number[][]): Map<number, number> {
  const inputs = new Map(nodes.map((node) => [node.id, node.inputs]));
  const outputs = new Map<number, number[]>(nodes.map((node) => [node.id, []]));
  nodes.forEach((node) => node.inputs.forEach((input) => outputs.get(input)!.push(node.id)));
  const at = new Map<number, number>();
  const mean = (ids: number[], fallback: number) => {
    const known = ids.filter((id) => at.has(id));
    return known.length === 0 ? fallback : known.reduce((sum, id) => sum + at.get(id)!, 0) / known.length;
  };
  const place = (layer: number[], neighbours: Map<number, number[]>) => {
    const wanted = layer.map((id, i) => ({
      id,
      want: mean(neighbours.get(id)!, at.get(id) ?? i - (layer.length - 1) / 2),
    }));
    spread(wanted).forEach((x, id) => at.set(id, x));
  };
  for (let sweep = 0; sweep < 2; ++sweep) {
    layers.forEach((layer) => place(layer, inputs));
    [...layers].reverse().forEach((layer) => place(layer, outputs));
  }
  layers.forEach((layer) => place(layer, inputs));
  return at;
}

/** Leftmost and rightmost position of layers [from, to). */
function extent(layers: number[][], at: Map<number, number>, from: number, to: number): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (let i = from; i < to; ++i) {
    for (const id of layers[i]!) {
      low = Math.min(low, at.get(id)!);
      high = Math.max(high, at.get(id)!);
    }
  }
  return [low, high];
}

interface Column {
  from: number;
  to: number;
  low: number;
  width: number;
}

function columnsOf(layers: number[][], at: Map<number, number>, count: number, size: Sizes): Column[] {
  const per = Math.ceil(layers.length / count);
  const columns: Column[] = [];
  for (let from = 0; from < layers.length; from += per) {
    const to = Math.min(layers.length, from + per);
    const [low, high] = extent(layers, at, from, to);
    columns.push({ from, to, low, width: (high - low) * (size.width + size.gapX) + size.width });
  }
  return columns;
}

function planeOf(columns: Column[], size: Sizes): [number, number] {
  const width = columns.reduce((sum, column) => sum + column.width + size.gapColumn, size.gapColumn);
  const rows = Math.max(0, ...columns.map((column) => column.to - column.from));
  return [width, rows * (size.height + size.gapY) + 2 * size.gapY];
}

/** `aspect`: wanted width / height. Requires topological order. */
export function layoutGraph(nodes: GraphNode[], aspect: number, size: Sizes = sizes): Layout {
  const placed = new Map<number, Placed>();
  if (nodes.length === 0) {
    return { nodes: placed, width: 0, height: 0, columns: 0, gaps: [] };
  }
  const layers = layersOf(nodes);
  const at = positions(nodes, layers);
  let best = columnsOf(layers, at, 1, size);
  const badness = (columns: Column[]) => {
    const [width, height] = planeOf(columns, size);
    return Math.abs(Math.log(width / height / aspect));
  };
  for (let count = 2; count <= Math.min(40, layers.length); ++count) {
    const columns = columnsOf(layers, at, count, size);
    if (badness(columns) < badness(best)) {
      best = columns;
    }
  }
  const gaps: number[] = [];
  let left = size.gapColumn;
  best.forEach((column, index) => {
    gaps.push(left - size.gapColumn / 2);
    for (let layer = column.from; layer < column.to; ++layer) {
      for (const id of layers[layer]!) {
        placed.set(id, {
          id,
          layer,
          column: index,
          x: left + (at.get(id)! - column.low) * (size.width + size.gapX),
          y: size.gapY + (layer - column.from) * (size.height + size.gapY),
        });
      }
    }
    left += column.width + size.gapColumn;
  });
  const [width, height] = planeOf(best, size);
  return { nodes: placed, width, height, columns: best.length, gaps };
}

/** An SVG path from the bottom of one node to the top of another. Edges to another column run in
 *  the gap before it; edges that pass over other layers of their column bend to the side. */
export function edgePath(layout: Layout, source: number, target: number, size: Sizes = sizes): string {
  const from = layout.nodes.get(source)!;
  const to = layout.nodes.get(target)!;
  const r = (value: number) => Math.round(value * 10) / 10;
  const [x0, y0] = [r(from.x + size.width / 2), r(from.y + size.height)];
  const [x1, y1] = [r(to.x + size.width / 2), r(to.y)];
  if (from.column !== to.column) {
    // Neighbouring edges must not hide one another.
    const gap = r(layout.gaps[to.column]! + ((source % 7) - 3) * 4);
    const turn = size.gapY * 0.45;
    const low = r(y0 + turn);
    const high = r(y1 - turn);
    return `M${x0} ${y0}C${x0} ${low} ${x0} ${low} ${(x0 + gap) / 2} ${low}S${gap} ${low} ${gap} ${r((low + high) / 2)}` +
      `S${gap} ${high} ${(gap + x1) / 2} ${high}S${x1} ${high} ${x1} ${y1}`;
  }
  if (to.layer === from.layer + 1) {
    const middle = r((y0 + y1) / 2);
    return x0 === x1 ? `M${x0} ${y0}V${y1}` : `M${x0} ${y0}C${x0} ${middle} ${x1} ${middle} ${x1} ${y1}`;
  }
  // A cubic reaches three quarters of the way to its control points.
  const bend = (size.width / 2 + Math.min(size.gapColumn / 2, 3 + (to.layer - from.layer))) / 0.75;
  return `M${x0} ${y0}C${r(x0 + bend)} ${r(y0 + size.gapY / 2)} ${r(x1 + bend)} ${r(y1 - size.gapY / 2)} ${x1} ${y1}`;
}
