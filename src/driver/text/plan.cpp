// The summary of a plan: totals, where energy and time go, and the most expensive operators.

#include "planner/plan.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "cost/cost.h"
#include "driver/explain/explain.h"
#include "driver/sorting.h"
#include "driver/text/page.h"
#include "driver/text/parts.h"
#include "driver/text/render.h"
#include "driver/text/table.h"
#include "ir/network.h"

namespace sluice::driver {
namespace {

using planner::OperatorPlan;
using planner::Plan;
using planner::Solution;

const Solution& SolutionOf(const Plan& plan, const OperatorPlan& op) {
  return plan.solutions[static_cast<std::size_t>(op.solution)];
}

}  // namespace

Page KindTable(const Plan& plan) {
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
  return table.Lines();
}

Page OperatorTable(const Plan& plan, int top) {
  std::vector<std::size_t> ops;
  for (std::size_t i = 0; i < plan.operators.size(); ++i) {
    if (plan.operators[i].solution >= 0) {
      ops.push_back(i);
    }
  }
  SortLargestFirst(ops, [&plan](std::size_t i) {
    return SolutionOf(plan, plan.operators[i]).cost.score.energy_pj;
  });
  if (static_cast<std::size_t>(top) < ops.size()) {
    ops.resize(static_cast<std::size_t>(top));
  }
  Table table({{"no", Table::Align::kRight},
               {"operator", Table::Align::kLeft, 18},
               {"energy", Table::Align::kRight},
               {"", Table::Align::kRight},
               {"cycles", Table::Align::kRight},
               {"used", Table::Align::kRight},
               {"limited by", Table::Align::kLeft, 16}});
  for (const std::size_t i : ops) {
    const OperatorPlan& op = plan.operators[i];
    const Solution& solution = SolutionOf(plan, op);
    const planner::ChainNames& chain = plan.chains[static_cast<std::size_t>(solution.chain)];
    table.Add({std::to_string(i), op.name, HumanEnergy(solution.cost.score.energy_pj),
               Percent(solution.cost.score.energy_pj / plan.totals.energy_pj),
               HumanCount(solution.cost.score.cycles), Percent(solution.cost.utilization),
               ResourceText(solution.cost.binding, chain.levels, chain.compute)});
  }
  return table.Lines();
}

Page PlanSummary(const Plan& plan) {
  const planner::Totals& totals = plan.totals;
  const planner::Provenance& provenance = plan.provenance;
  Page page;
  page.Heading(fmt::format("{} on {}{}", plan.network_name, plan.architecture_name,
                           plan.complete ? "" : "  (interrupted: best found so far)"));
  page.Add(
      fmt::format("  operators    {} ({} distinct)", plan.operators.size(), plan.solutions.size()));
  page.Add(fmt::format("  MACs         {} ({})", HumanCount(static_cast<double>(totals.macs)),
                       Grouped(totals.macs)));
  page.Add(fmt::format("  energy       {}  (no mapping needs less than {})",
                       HumanEnergy(totals.energy_pj), HumanEnergy(totals.bound_energy_pj)));
  page.Add(fmt::format("  cycles       {}  (no mapping needs less than {})",
                       HumanCount(totals.cycles), HumanCount(totals.bound_cycles)));
  page.Add(fmt::format("  EDP          {:.4g} pJ x cycles", totals.edp()));
  page.Add(fmt::format("  utilization  {}", Percent(totals.utilization)));
  const auto proven = std::ranges::count_if(
      plan.solutions, [](const Solution& solution) { return solution.stopped == "proven"; });
  if (proven > 0) {
    page.Add(fmt::format("  proven       {} of {} distinct mappings are optimal ({})", proven,
                         plan.solutions.size(), provenance.objective));
  }
  page.Add(fmt::format("  search       {} mapper, {} objective, {} policy, seed {},",
                       provenance.mapper, provenance.objective, provenance.policy,
                       provenance.seed));
  page.Add(fmt::format("               {} evaluations in {:.2f} s",
                       HumanCount(static_cast<double>(totals.evaluations)), plan.seconds));
  return page;
}

Page RenderPlan(const Plan& plan, int top) {
  Page page = PlanSummary(plan);
  page.Add("");
  page.Add(KindTable(plan));
  page.Add("");
  page.Add(OperatorTable(plan, top));
  return page;
}

}  // namespace sluice::driver
