// What a view gets and gives. A view is a function from the report to elements; it keeps no state
// of its own beyond the page it drew.

import type { Op, Report } from "./derive";
import { categoryColors } from "./color";

export interface Context {
  reports: Report[];
  /** which plan is shown */
  current: number;
  report: Report;
  /** what follows the view's name in the address, for example the number of an operator */
  argument: string;
  href(view: string, argument?: string | number): string;
  go(view: string, argument?: string | number): void;
}

export interface View {
  key: string;
  title: string;
  draw(context: Context): HTMLElement[];
}

export const planNames = ["A", "B"];

export function opLink(context: Context): (op: Op) => string | null {
  return (op) => context.href("operator", op.index);
}

/** Colours of what binds latency: one for each resource that occurs, in order of weight. */
export function bindingColors(report: Report): Map<string, string> {
  const cycles = new Map<string, number>();
  for (const op of report.ops) {
    if (op.solution) {
      cycles.set(op.binding, (cycles.get(op.binding) ?? 0) + op.cycles);
    }
  }
  const names = [...cycles].sort((a, b) => b[1] - a[1]).map(([name]) => name);
  return categoryColors(names);
}

/** The operator's cost in what the plan was made to minimise. */
export function objectiveOf(report: Report): { name: string; value: (op: Op) => number } {
  switch (report.data.plan.provenance.objective) {
    case "energy":
      return { name: "Energy", value: (op) => op.energy };
    case "latency":
      return { name: "Cycles", value: (op) => op.cycles };
    default:
      return { name: "Energy x cycles", value: (op) => op.energy * op.cycles };
  }
}
