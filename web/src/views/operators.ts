// Every operator of the network in one table.

import { type Op } from "../derive";
import { section } from "../dom";
import * as f from "../format";
import { table } from "../table";
import { bindingColors, opLink, type View } from "../view";

export const operatorsView: View = {
  key: "operators",
  title: "Operators",
  draw(context) {
    const { report } = context;
    const colors = bindingColors(report);
    const { energy_pj: energy, cycles } = report.data.plan;
    return [
      section(
        "All operators",
        [],
        table<Op>({
          name: "operators",
          rows: report.ops,
          filter: true,
          limit: 150,
          columns: [
            { title: "#", value: (op) => op.index },
            { title: "Operator", value: (op) => op.name, link: opLink(context) },
            { title: "Kind", value: (op) => op.kind },
            { title: "Output", value: (op) => op.shape.join(" × ") },
            { title: "MACs", value: (op) => op.macs, text: f.count },
            { title: "Energy", value: (op) => op.energy, text: f.energy, bar: (op) => op.energy / energy },
            { title: "Cycles", value: (op) => op.cycles, text: f.count, bar: (op) => op.cycles / cycles },
            { title: "Utilisation", value: (op) => op.solution?.utilization ?? null, text: f.percent,
              bar: (op) => op.solution?.utilization ?? 0 },
            { title: "Bound by", value: (op) => (op.solution ? op.binding : "view"),
              chip: (op) => colors.get(op.binding) ?? "transparent" },
            { title: "Energy / bound", hint: "1 = the lower bound of this operator's energy is met",
              value: (op) => (op.solution && op.solution.bound_energy_pj > 0 ? op.energy / op.solution.bound_energy_pj : null),
              text: f.digits },
            { title: "Shared by", hint: "how many operators have this workload and share its mapping",
              value: (op) => op.solution?.uses ?? null },
          ],
        }),
      ),
    ];
  },
};
