// Where the plan came from, and how to make it again.

import { h, section } from "../dom";
import * as f from "../format";
import type { View } from "../view";

export const provenanceView: View = {
  key: "provenance",
  title: "Provenance",
  draw(context) {
    const { plan } = context.report.data;
    const p = plan.provenance;
    const rows: [string, string, string][] = [
      ["Made by", "tool_version", `Sluice ${p.tool_version}`],
      ["Command", "command", p.command],
      ["Network", "network", plan.network],
      ["Model file", "model_path", p.model_path],
      ["Model hash", "model_hash", p.model_hash],
      ["Batch", "batch", p.batch === 0 ? "as in the model" : String(p.batch)],
      ["Symbolic dims", "dims", p.dims.length === 0 ? "none given" : p.dims.map(([name, value]) => `${name}=${value}`).join(", ")],
      ["Architecture", "architecture", plan.architecture],
      ["Architecture file", "architecture_path", p.architecture_path],
      ["Architecture hash", "architecture_hash", p.architecture_hash],
      ...(p.constraints_path === "" ? [] : [
        ["Constraints", "constraints_path", p.constraints_path],
        ["Constraints hash", "constraints_hash", p.constraints_hash],
      ] satisfies [string, string, string][]),
      ["Objective", "objective", p.objective],
      ["Mapper", "mapper", p.mapper],
      ["Cost policy", "policy", p.policy],
      ["Seed", "seed", p.seed],
      ["Imperfect factors", "imperfect", p.imperfect ? "allowed" : "not allowed"],
      ["Mappings evaluated", "evaluations", f.exact(plan.evaluations)],
      ["Planning time", "seconds", f.time(plan.seconds)],
      ["Search", "complete", plan.complete ? "complete" : "interrupted"],
      ["Plan format", "format_version", String(plan.format_version)],
    ];
    return [
      section("Where this plan came from", [],
        h("table", { class: "provenance" }, h("tbody", {}, ...rows.map(([label, key, text]) =>
          h("tr", {}, h("th", { scope: "row" }, label), h("td", { "data-key": key }, text)))))),
      section("Reading the numbers", [],
        h("p", {}, "Energy, cycles and traffic are what the cost model counts for the mappings of the plan; nothing on this page is measured or estimated again. " +
          "The bound is a figure that no valid mapping of the operator can beat. Shown are four significant digits; the exact value is the tooltip of every number and stands in the CSV files."),
        h("p", {}, "The hashes are XXH3-128 of the files' bytes. The same command with the same files and seed gives the same plan.")),
    ];
  },
};
