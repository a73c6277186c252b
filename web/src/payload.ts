// The data that src/report writes into the page. Rows of numbers are tuples; the comments name the
// columns, in the order of src/report/payload.cpp.

/** level, tensor, tile words, reads, fills, updates, access pJ, network words, hops, spatial
 *  reductions, network pJ, kept, blocks read, filled, updated */
export type TrafficRow = [
  number, number, number, number, number, number, number, number, number, number, number, number,
  number, number, number,
];
/** instances used, read cycles, write cycles, network cycles, leakage pJ */
export type LevelRow = [number, number, number, number, number];
/** level, dim, bound, moves, new words */
export type MoveRow = [number, number, number, number, number];
/** tensor, parent, child, tile words, delivered to each, children, distinct, exact, moves */
export type EdgeRow = [
  number, number, number, number, number, number, number, number, MoveRow[],
];

export interface SolutionData {
  dims: [string, number, boolean][];
  /** label (see names in OperatorRow), class, words, axes */
  tensors: [string, string, number, string][];
  /** class of work, operations per point */
  body: [string, number][];
  chain: number;
  uses: number;
  evaluations: number;
  stopped: string;
  /** no mapping of the operator has less of the plan's objective */
  bound: number;
  energy_pj: number;
  cycles: number;
  bound_energy_pj: number;
  bound_cycles: number;
  operations: number;
  compute_cycles: number;
  compute_energy_pj: number;
  leakage_pj: number;
  instances_used: number;
  utilization: number;
  peak: number;
  binding: [string, number];
  levels: LevelRow[];
  traffic: TrafficRow[];
  edges: EdgeRow[];
  nest: string;
  directives: string;
}

/** name, kind, solution or -1, operators whose results it reads, shape of the tensor it writes, first
 *  operator that writes a part of the same tensor (as the copies of a concatenation do), names of its
 *  tensors in the order of its solution's */
export type OperatorRow = [string, string, number, number[], number[], number, string[]];

export interface ChainLevel {
  name: string;
  instances: number;
  capacity_words: number | null;
  buffering: number;
  word_bits: number;
  read_bandwidth: number | null;
  write_bandwidth: number | null;
  network_bandwidth: number | null;
}

export interface ChainData {
  levels: ChainLevel[];
  compute: string;
  units: number;
}

export interface MemoryData {
  name: string;
  capacity_words: number | null;
  word_bits: number;
  block_words: number;
  buffering: number;
  read_bandwidth: number | null;
  write_bandwidth: number | null;
  read_pj: number;
  fill_pj: number;
  update_pj: number;
  leakage_pj_per_cycle: number;
  keep: string[];
}

export interface FanOutData {
  name: string;
  x: number;
  y: number;
  multicast: boolean;
  reduction: boolean;
  forwarding: boolean;
  hop_pj: number;
  router_pj: number;
  reduction_pj: number;
  bandwidth: number | null;
  dims_x: string[];
  dims_y: string[];
}

export interface ComputeData {
  name: string;
  classes: { class: string; pj: number; rate: number }[];
  leakage_pj_per_cycle: number;
}

export interface NodeData {
  memory: MemoryData;
  below: { fan_out: FanOutData; node?: NodeData; compute?: ComputeData }[];
}

export interface ArchitectureData {
  name: string;
  description: string;
  clock_hz: number;
  drawing: string;
  root: NodeData;
}

export interface ProvenanceData {
  tool_version: string;
  command: string;
  model_path: string;
  model_hash: string;
  architecture_path: string;
  architecture_hash: string;
  /** empty: none */
  constraints_path: string;
  constraints_hash: string;
  mapper: string;
  policy: string;
  objective: string;
  seed: string;
  imperfect: boolean;
  batch: number;
  dims: [string, number][];
}

export interface PlanData {
  network: string;
  architecture: string;
  format_version: number;
  complete: boolean;
  seconds: number;
  energy_pj: number;
  cycles: number;
  edp: number;
  macs: number;
  utilization: number;
  bound_energy_pj: number;
  bound_cycles: number;
  evaluations: number;
  provenance: ProvenanceData;
}

export interface ReportData {
  plan: PlanData;
  warnings: string[];
  architecture: ArchitectureData;
  chains: ChainData[];
  operators: OperatorRow[];
  solutions: SolutionData[];
}

export interface Payload {
  format: string;
  version: number;
  reports: ReportData[];
}

/** As written: texts are numbers of `lines`; the operators of a second plan of the same network are
 *  only their solutions. */
interface Compact {
  format: string;
  version: number;
  lines: string[];
  reports: (Omit<ReportData, "operators" | "solutions"> & {
    operators: OperatorRow[] | number[];
    solutions: (Omit<SolutionData, "nest" | "directives"> & { nest: number[]; directives: number[] })[];
  })[];
}

export const payloadVersion = 1;

function expand(compact: Compact): ReportData[] {
  const text = (numbers: number[]) => numbers.map((number) => compact.lines[number]!).join("\n");
  const first = compact.reports[0]?.operators as OperatorRow[];
  return compact.reports.map((report) => ({
    ...report,
    operators: report.operators.map((row, index): OperatorRow => {
      if (typeof row !== "number") {
        return row;
      }
      const [name, kind, , inputs, shape, group, tensors] = first[index]!;
      return [name, kind, row, inputs, shape, group, tensors];
    }),
    solutions: report.solutions.map((solution) => ({
      ...solution,
      nest: text(solution.nest),
      directives: text(solution.directives),
    })),
  }));
}

/** Reads the payload, refusing what this page was not built for. */
export function parsePayload(text: string): Payload {
  const payload = JSON.parse(text) as Compact;
  if (payload.format !== "sluice-report" || payload.version !== payloadVersion) {
    throw new Error(
      `this page shows sluice-report version ${payloadVersion}, ` +
        `the data is ${payload.format} version ${payload.version}`,
    );
  }
  if (payload.reports.length < 1 || payload.reports.length > 2) {
    throw new Error(`a report shows one plan or two, the data has ${payload.reports.length}`);
  }
  return { format: payload.format, version: payload.version, reports: expand(payload) };
}
