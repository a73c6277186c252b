// A whole plan taken apart: the text twin of the report.

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "arch/architecture.h"
#include "base/text.h"
#include "driver/driver.h"
#include "driver/explain/plan_breakdown.h"
#include "driver/text/page.h"
#include "driver/text/parts.h"
#include "driver/text/render.h"
#include "driver/text/table.h"
#include "planner/plan.h"

namespace sluice::driver {
namespace {

Page EnergyTable(const PlanBreakdown& breakdown, double whole) {
  Table table({{"level", Table::Align::kLeft, 18},
               {"input", Table::Align::kRight},
               {"weight", Table::Align::kRight},
               {"output", Table::Align::kRight},
               {"in all", Table::Align::kRight},
               {"", Table::Align::kRight}});
  double most = 0;
  for (const EnergyRow& row : breakdown.energy) {
    most = std::max(most, row.total);
  }
  for (const EnergyRow& row : breakdown.energy) {
    std::vector<std::string> cells = {row.name};
    for (const double energy : row.by_class) {
      cells.push_back(energy > 0 ? HumanEnergy(energy) : "-");
    }
    cells.push_back(HumanEnergy(row.total));
    cells.push_back(Percent(row.total / whole));
    table.Add(std::move(cells), row.total == most ? Emphasis::kStrong : Emphasis::kNone);
  }
  return table.Lines();
}

Page BindingTable(const PlanBreakdown& breakdown, double whole) {
  Table table({{"resource", Table::Align::kLeft, 40},
               {"cycles", Table::Align::kRight},
               {"", Table::Align::kRight}});
  for (const BindingRow& row : breakdown.binding) {
    table.Add({row.resource, HumanCount(row.cycles), Percent(row.cycles / whole)},
              &row == breakdown.binding.data() ? Emphasis::kStrong : Emphasis::kNone);
  }
  return table.Lines();
}

Page RooflineTable(const planner::Plan& plan, const PlanBreakdown& breakdown, int top) {
  Table table({{"no", Table::Align::kRight},
               {"operator", Table::Align::kLeft, 23},
               {"cycles", Table::Align::kRight},
               {"op/word", Table::Align::kRight},
               {"op/cycle", Table::Align::kRight},
               {"roof", Table::Align::kRight},
               {"of roof", Table::Align::kRight}});
  const std::size_t count = std::min(breakdown.roof.size(), static_cast<std::size_t>(top));
  for (std::size_t i = 0; i < count; ++i) {
    const RoofRow& row = breakdown.roof[i];
    table.Add({std::to_string(row.op), plan.operators[row.op].name, HumanCount(row.cycles),
               fmt::format("{:.4g}", row.term.intensity), fmt::format("{:.4g}", row.term.rate),
               fmt::format("{:.4g}", row.term.roof), Percent(row.term.share)});
  }
  return table.Lines();
}

Page ProvenanceLines(const planner::Plan& plan) {
  const planner::Provenance& p = plan.provenance;
  Page page;
  const auto line = [&page](const std::string& label, const std::string& text) {
    constexpr std::size_t kIndent = 16;
    if (!text.empty()) {
      page.Add(Wrapped("  " + label, text, kIndent));
    }
  };
  std::string dims;
  for (const auto& [name, value] : p.dims) {
    dims += fmt::format("{}{}={}", dims.empty() ? "" : " ", name, value);
  }
  line("made by", "Sluice " + p.tool_version);
  line("command", p.command);
  line("model", p.model_path);
  line("  hash", p.model_hash);
  line("  batch", p.batch > 0 ? std::to_string(p.batch) : "as in the model");
  line("  dims", dims);
  line("machine", p.architecture_path);
  line("  hash", p.architecture_hash);
  if (!p.constraints_path.empty()) {
    line("rules", p.constraints_path);
    line("  hash", p.constraints_hash);
  }
  line("search", fmt::format("{} mapper, {} objective, {} policy, seed {}{}", p.mapper, p.objective,
                             p.policy, p.seed, p.imperfect ? ", imperfect factors" : ""));
  line("format", fmt::format("plan version {}", plan.version));
  return page;
}

}  // namespace

Page RenderPlanExplanation(const PlanOutcome& outcome, const PlanBreakdown& breakdown,
                           const Evaluation& dearest, int top) {
  const planner::Plan& plan = outcome.plan;
  Page page = PlanSummary(plan);
  for (const std::string& warning : outcome.network.network.warnings) {
    page.Add(Wrapped("  note", warning, 15));
  }
  page.Heading("Where the energy goes, by memory and kind of tensor");
  page.Add(EnergyTable(breakdown, plan.totals.energy_pj));
  page.Heading("What binds the time");
  page.Add(BindingTable(breakdown, plan.totals.cycles));
  page.Heading("By kind of operator");
  page.Add(KindTable(plan));
  page.Heading("The most expensive operators");
  page.Add(OperatorTable(plan, top));
  page.Heading("How near the roof");
  if (breakdown.port.empty()) {
    page.Add("  no port of this machine has a limited rate: everything runs at its peak");
  } else {
    page.Add(fmt::format("  under the {}, longest operators first", breakdown.port));
    page.Add(RooflineTable(plan, breakdown, top));
  }
  page.Heading("The machine");
  page.Add(arch::DrawTree(outcome.architecture.architecture));
  page.Heading("Where this comes from");
  page.Add(ProvenanceLines(plan));
  page.Heading("The most expensive operator (--op NAME or NO shows another)");
  page.Add("");
  page.Add(RenderExplanation(dearest, top));
  return page;
}

}  // namespace sluice::driver
