// Two plans side by side: operators matched by name, differences sorted by size. Pure.

import type { Op, Report } from "./derive";

export interface Difference {
  name: string;
  kind: string;
  a: Op | null;
  b: Op | null;
  energy: number;
  cycles: number;
}

/** B minus A for every operator of either plan; one that a plan lacks counts as zero there. */
export function differences(a: Report, b: Report): Difference[] {
  const inB = new Map(b.ops.map((op) => [op.name, op]));
  const rows = a.ops.map((op): Difference => {
    const other = inB.get(op.name) ?? null;
    inB.delete(op.name);
    return {
      name: op.name,
      kind: op.kind,
      a: op,
      b: other,
      energy: (other?.energy ?? 0) - op.energy,
      cycles: (other?.cycles ?? 0) - op.cycles,
    };
  });
  for (const op of inB.values()) {
    rows.push({ name: op.name, kind: op.kind, a: null, b: op, energy: op.energy, cycles: op.cycles });
  }
  return rows;
}

/** Largest first; what did not change is left out. */
export function largest(rows: Difference[], by: "energy" | "cycles"): Difference[] {
  return rows
    .filter((row) => row[by] !== 0 || row.a === null || row.b === null)
    .sort((x, y) => Math.abs(y[by]) - Math.abs(x[by]) || (x.name < y.name ? -1 : 1));
}

export interface Total {
  label: string;
  unit: "energy" | "count" | "percent" | "edp" | "time";
  a: number;
  b: number;
}

export function totals(a: Report, b: Report): Total[] {
  const p = a.data.plan;
  const q = b.data.plan;
  const row = (label: string, unit: Total["unit"], x: number, y: number): Total => ({ label, unit, a: x, b: y });
  return [
    row("Energy", "energy", p.energy_pj, q.energy_pj),
    row("Cycles", "count", p.cycles, q.cycles),
    row("Time", "time", p.cycles / a.clock, q.cycles / b.clock),
    row("Energy-delay product", "edp", p.edp, q.edp),
    row("Utilisation", "percent", p.utilization, q.utilization),
    row("Multiply-accumulates", "count", p.macs, q.macs),
    row("Energy bound", "energy", p.bound_energy_pj, q.bound_energy_pj),
    row("Cycles bound", "count", p.bound_cycles, q.bound_cycles),
    row("Operators", "count", a.ops.length, b.ops.length),
    row("Distinct operators", "count", a.data.solutions.length, b.data.solutions.length),
    row("Mappings evaluated", "count", p.evaluations, q.evaluations),
  ];
}

/** Relative change; infinite when something comes from nothing. */
export function change(a: number, b: number): number {
  return a === b ? 0 : a === 0 ? Infinity : (b - a) / Math.abs(a);
}
