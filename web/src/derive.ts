// Everything the views show that is not a field of the payload: sums, shares, roofs. Pure.

import type { ChainData, MemoryData, NodeData, ReportData, SolutionData } from "./payload";

export const networks = "networks";
export const computing = "compute";
export const leakage = "leakage";

export interface Op {
  index: number;
  name: string;
  kind: string;
  inputs: number[];
  outputs: number[];
  shape: number[];
  /** the first operator that writes a part of the same tensor; itself when it writes all of it */
  group: number;
  /** names of its tensors, in the order of its solution's */
  tensors: string[];
  /** null for a view, which moves nothing */
  solution: SolutionData | null;
  energy: number;
  cycles: number;
  macs: number;
  /** what binds its latency; empty for a view */
  binding: string;
}

export interface Report {
  data: ReportData;
  /** the network's name without folder and extension */
  name: string;
  ops: Op[];
  clock: number;
  /** memory names of all chains, outermost first */
  memories: string[];
}

function macsOf(solution: SolutionData): number {
  return solution.body.reduce((sum, [kind, n]) => sum + (kind === "mac" ? n : 0), 0) * solution.operations;
}

/** How far a mapping is from the best there is: "proven optimal", or what its bound leaves open. */
export interface Distance {
  proven: boolean;
  /** how much higher than the bound the objective is, 0.1 for 10 %; null without a bound */
  gap: number | null;
}

export function distanceOf(solution: SolutionData, objective: string): Distance {
  const value = objective === "energy" ? solution.energy_pj
    : objective === "latency" ? solution.cycles : solution.energy_pj * solution.cycles;
  const proven = solution.stopped === "proven";
  return { proven, gap: proven ? 0 : solution.bound > 0 ? Math.max(value / solution.bound - 1, 0) : null };
}

export function bindingName(chain: ChainData, [resource, level]: [string, number]): string {
  return resource === "compute" ? chain.compute : `${chain.levels[level]!.name} ${resource}`;
}

export function makeReport(data: ReportData): Report {
  const ops = data.operators.map(([name, kind, number, inputs, shape, group, tensors], index): Op => {
    const solution = number < 0 ? null : data.solutions[number]!;
    return {
      index,
      name,
      kind,
      inputs,
      outputs: [],
      shape,
      group,
      tensors,
      solution,
      energy: solution?.energy_pj ?? 0,
      cycles: solution?.cycles ?? 0,
      macs: solution ? macsOf(solution) : 0,
      binding: solution ? bindingName(data.chains[solution.chain]!, solution.binding) : "",
    };
  });
  for (const op of ops) {
    for (const input of op.inputs) {
      ops[input]!.outputs.push(op.index);
    }
  }
  const memories: string[] = [];
  for (const chain of data.chains) {
    for (const level of chain.levels) {
      if (!memories.includes(level.name)) {
        memories.push(level.name);
      }
    }
  }
  const name = data.plan.network.replace(/^.*\//, "").replace(/\.onnx$/, "");
  return { data, name, ops, clock: data.architecture.clock_hz, memories };
}

/** One part of an operator's energy. `tensor` is the class, or "" for compute and leakage. */
export interface EnergyPart {
  level: string;
  tensor: string;
  pj: number;
}

/** The parts sum to the operator's energy. */
export function energyParts(report: Report, solution: SolutionData): EnergyPart[] {
  const chain = report.data.chains[solution.chain]!;
  const parts: EnergyPart[] = [];
  for (const row of solution.traffic) {
    const tensor = solution.tensors[row[1]]![1];
    parts.push({ level: chain.levels[row[0]]!.name, tensor, pj: row[6] });
    if (row[10] !== 0) {
      parts.push({ level: networks, tensor, pj: row[10] });
    }
  }
  parts.push({ level: computing, tensor: "", pj: solution.compute_energy_pj });
  if (solution.leakage_pj !== 0) {
    parts.push({ level: leakage, tensor: "", pj: solution.leakage_pj });
  }
  return parts;
}

/** One product behind an operator's energy: how many accesses, hops ... times picojoules each. */
export interface EnergyTerm {
  level: string;
  tensor: string;
  what: string;
  /** null where several things have one price, as in a network with hops, routers and adders */
  count: number | null;
  pj: number;
}

function memoriesOf(node: NodeData): MemoryData[] {
  return [node.memory, ...node.below.flatMap((branch) => (branch.node ? memoriesOf(branch.node) : []))];
}

/** The terms sum to the operator's energy. Largest first. */
export function energyTerms(report: Report, solution: SolutionData): EnergyTerm[] {
  const chain = report.data.chains[solution.chain]!;
  const memories = new Map(memoriesOf(report.data.architecture.root).map((memory) => [memory.name, memory]));
  const terms: EnergyTerm[] = [];
  for (const row of solution.traffic) {
    const level = chain.levels[row[0]]!.name;
    const tensor = solution.tensors[row[1]]![0];
    const memory = memories.get(level)!;
    terms.push({ level, tensor, what: "block reads", count: row[12], pj: row[12] * memory.read_pj });
    terms.push({ level, tensor, what: "block fills", count: row[13], pj: row[13] * memory.fill_pj });
    terms.push({ level, tensor, what: "block updates", count: row[14], pj: row[14] * memory.update_pj });
    terms.push({ level, tensor, what: "network below", count: null, pj: row[10] });
  }
  terms.push({ level: chain.compute, tensor: "", what: "operations", count: solution.operations, pj: solution.compute_energy_pj });
  terms.push({ level: "", tensor: "", what: "leakage, cycles", count: solution.cycles, pj: solution.leakage_pj });
  return terms.filter((term) => term.pj !== 0).sort((a, b) => b.pj - a.pj);
}

export type EnergySplit = "level" | "tensor";

/** Energy by category. Every category of the report occurs, in a fixed order. */
export function energyBy(report: Report, solution: SolutionData | null, split: EnergySplit): Map<string, number> {
  const sums = new Map(energyCategories(report, split).map((name) => [name, 0]));
  if (solution) {
    for (const part of energyParts(report, solution)) {
      const key = split === "level" ? part.level : part.tensor || part.level;
      sums.set(key, (sums.get(key) ?? 0) + part.pj);
    }
  }
  return sums;
}

export function energyCategories(report: Report, split: EnergySplit): string[] {
  const first = split === "level" ? [...report.memories, networks] : ["input", "weight", "output"];
  return [...first, computing, leakage];
}

/** Sums over the whole plan, by memory (or networks, compute, leakage) and tensor class. */
export function energyTable(report: Report): Map<string, Map<string, number>> {
  const table = new Map<string, Map<string, number>>();
  for (const level of energyCategories(report, "level")) {
    table.set(level, new Map());
  }
  for (const op of report.ops) {
    for (const part of op.solution ? energyParts(report, op.solution) : []) {
      const row = table.get(part.level)!;
      row.set(part.tensor, (row.get(part.tensor) ?? 0) + part.pj);
    }
  }
  return table;
}

export interface LatencyTerm {
  resource: string;
  cycles: number;
  binds: boolean;
}

/** Every resource with the cycles it alone would need, most first. */
export function latencyTerms(report: Report, solution: SolutionData): LatencyTerm[] {
  const chain = report.data.chains[solution.chain]!;
  const terms: LatencyTerm[] = [];
  const add = (resource: string, level: number, cycles: number) => {
    if (cycles > 0) {
      const binds = solution.binding[0] === resource && (resource === "compute" || solution.binding[1] === level);
      terms.push({ resource: bindingName(chain, [resource, level]), cycles, binds });
    }
  };
  add("compute", -1, solution.compute_cycles);
  solution.levels.forEach((row, level) => {
    add("read", level, row[1]);
    add("write", level, row[2]);
    add("network", level, row[3]);
  });
  return terms.sort((a, b) => b.cycles - a.cycles || Number(b.binds) - Number(a.binds));
}

/** Words that one tile of every kept tensor needs, of the words usable; null when unbounded. */
export function occupancy(report: Report, solution: SolutionData, level: number): number | null {
  const memory = report.data.chains[solution.chain]!.levels[level]!;
  if (memory.capacity_words === null) {
    return null;
  }
  const used = solution.traffic.reduce((sum, row) => sum + (row[0] === level && row[11] === 1 ? row[2] : 0), 0);
  return (used * memory.buffering) / memory.capacity_words;
}

export interface Port {
  key: string;
  memory: string;
  kind: "read" | "write";
  /** words per cycle of all instances together */
  bandwidth: number;
}

/** Ports with a limited rate, of all chains, outermost first. */
export function ports(report: Report): Port[] {
  const found = new Map<string, Port>();
  for (const chain of report.data.chains) {
    for (const level of chain.levels) {
      for (const kind of ["read", "write"] as const) {
        const rate = kind === "read" ? level.read_bandwidth : level.write_bandwidth;
        const key = `${level.name} ${kind}`;
        if (rate !== null && !found.has(key)) {
          found.set(key, { key, memory: level.name, kind, bandwidth: rate * level.instances });
        }
      }
    }
  }
  return [...found.values()];
}

export interface RooflinePoint {
  op: Op;
  /** points of the iteration space per word through the port */
  intensity: number;
  /** points per cycle */
  rate: number;
  peak: number;
}

/** Operators on the roofline of one port. Those that move nothing through it are left out. */
export function rooflinePoints(report: Report, port: Port): RooflinePoint[] {
  const points: RooflinePoint[] = [];
  for (const op of report.ops) {
    const solution = op.solution;
    const level = solution
      ? report.data.chains[solution.chain]!.levels.findIndex((item) => item.name === port.memory)
      : -1;
    if (!solution || level < 0) {
      continue;
    }
    const words = solution.traffic.reduce(
      (sum, row) => sum + (row[0] === level ? (port.kind === "read" ? row[3] : row[4] + row[5]) : 0),
      0,
    );
    if (words > 0) {
      points.push({
        op,
        intensity: solution.operations / words,
        rate: solution.operations / solution.cycles,
        peak: solution.peak,
      });
    }
  }
  return points;
}

export function sum<T>(items: Iterable<T>, value: (item: T) => number): number {
  let total = 0;
  for (const item of items) {
    total += value(item);
  }
  return total;
}

/** Groups with sums, largest first; ties by name. */
export function groupSum<T>(items: Iterable<T>, key: (item: T) => string, value: (item: T) => number): [string, number][] {
  const sums = new Map<string, number>();
  for (const item of items) {
    sums.set(key(item), (sums.get(key(item)) ?? 0) + value(item));
  }
  return [...sums].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
}
