// The summary of a plan: totals, where energy and time go, and the most expensive operators.

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "cost/cost.h"
#include "driver/render.h"
#include "driver/sorting.h"
#include "driver/table.h"
#include "ir/network.h"
#include "planner/plan.h"

namespace sluice::driver {
namespace {

using planner::OperatorPlan;
using planner::Plan;
using planner::Solution;

const Solution& SolutionOf(const Plan& plan, const OperatorPlan& op) {
  return plan.solutions[static_cast<std::size_t>(op.solution)];
}

std::string_view ResourceName(cost::Resource resource) {
  switch (resource) {
    case cost::Resource::kCompute:
      return "compute";
    case cost::Resource::kRead:
      return "reads";
    case cost::Resource::kWrite:
      return "writes";
    case cost::Resource::kNetwork:
      return "network";
  }
  return "?";
}

/// `compute`, or the level and what of it: `DRAM reads`.
std::string LimitText(const Plan& plan, const Solution& solution) {
  const cost::Binding& binding = solution.cost.binding;
  if (binding.level < 0) {
    return std::string(ResourceName(binding.resource));
  }
  const auto& levels = plan.chains[static_cast<std::size_t>(solution.chain)].levels;
  return fmt::format("{} {}", levels[static_cast<std::size_t>(binding.level)],
                     ResourceName(binding.resource));
}

/// Sums by kind of operator, most expensive first.
std::string ByKind(const Plan& plan) {
  struct Sum {
    int count = 0;
    double energy = 0;
    double cycles = 0;
    std::int64_t macs = 0;
  };
  std::map<std::string, Sum> sums;
  for (const OperatorPlan& op : plan.operators) {
    Sum& sum = sums[op.kind];
    ++sum.count;
    if (op.solution >= 0) {
      const Solution& solution = SolutionOf(plan, op);
      sum.energy += solution.cost.score.energy_pj;
      sum.cycles += solution.cost.score.cycles;
      for (const ir::Work& work : solution.workload.body) {
        if (work.work_class == ir::WorkClass::kMac) {
          sum.macs += solution.workload.points() * work.per_point;
        }
      }
    }
  }
  std::vector<std::pair<std::string, Sum>> rows(sums.begin(), sums.end());
  SortLargestFirst(rows, [](const auto& row) { return row.second.energy; });
  Table table({{"kind", Table::Align::kLeft, 22},
               {"count", Table::Align::kRight},
               {"MACs", Table::Align::kRight},
               {"energy", Table::Align::kRight},
               {"", Table::Align::kRight},
               {"cycles", Table::Align::kRight},
               {"", Table::Align::kRight}});
  for (const auto& [kind, sum] : rows) {
    table.Add({kind, std::to_string(sum.count), HumanCount(static_cast<double>(sum.macs)),
               HumanEnergy(sum.energy), Percent(sum.energy / plan.totals.energy_pj),
               HumanCount(sum.cycles), Percent(sum.cycles / plan.totals.cycles)});
  }
  return table.Render();
}

std::string MostExpensive(const Plan& plan, int top) {
  std::vector<const OperatorPlan*> ops;
  for (const OperatorPlan& op : plan.operators) {
    if (op.solution >= 0) {
      ops.push_back(&op);
    }
  }
  SortLargestFirst(
      ops, [&plan](const OperatorPlan* op) { return SolutionOf(plan, *op).cost.score.energy_pj; });
  if (static_cast<std::size_t>(top) < ops.size()) {
    ops.resize(static_cast<std::size_t>(top));
  }
  Table table({{"operator", Table::Align::kLeft, 25},
               {"energy", Table::Align::kRight},
               {"", Table::Align::kRight},
               {"cycles", Table::Align::kRight},
               {"used", Table::Align::kRight},
               {"limited by", Table::Align::kLeft, 16}});
  for (const OperatorPlan* op : ops) {
    const Solution& solution = SolutionOf(plan, *op);
    table.Add({op->name, HumanEnergy(solution.cost.score.energy_pj),
               Percent(solution.cost.score.energy_pj / plan.totals.energy_pj),
               HumanCount(solution.cost.score.cycles), Percent(solution.cost.utilization),
               LimitText(plan, solution)});
  }
  return table.Render();
}

}  // namespace

std::string RenderPlan(const planner::Plan& plan, int top) {
  const planner::Totals& totals = plan.totals;
  std::string text = fmt::format("{} on {}{}\n", plan.network_name, plan.architecture_name,
                                 plan.complete ? "" : "  (interrupted: best found so far)");
  text += fmt::format("  operators    {} ({} distinct)\n", plan.operators.size(),
                      plan.solutions.size());
  text += fmt::format("  MACs         {} ({})\n", HumanCount(static_cast<double>(totals.macs)),
                      Grouped(totals.macs));
  text += fmt::format("  energy       {}  (no mapping needs less than {})\n",
                      HumanEnergy(totals.energy_pj), HumanEnergy(totals.bound_energy_pj));
  text += fmt::format("  cycles       {}  (no mapping needs less than {})\n",
                      HumanCount(totals.cycles), HumanCount(totals.bound_cycles));
  text += fmt::format("  EDP          {:.4g} pJ x cycles\n", totals.edp());
  text += fmt::format("  utilization  {}\n", Percent(totals.utilization));
  text += fmt::format("  search       {} mapper, {} objective, {} policy, seed {},\n",
                      plan.provenance.mapper, plan.provenance.objective, plan.provenance.policy,
                      plan.provenance.seed);
  text += fmt::format("               {} evaluations in {:.2f} s\n",
                      HumanCount(static_cast<double>(totals.evaluations)), plan.seconds);
  text += "\n" + ByKind(plan);
  text += "\n" + MostExpensive(plan, top);
  return text;
}

}  // namespace sluice::driver
