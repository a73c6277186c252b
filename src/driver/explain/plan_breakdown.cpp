// See plan_breakdown.h.

#include "driver/explain/plan_breakdown.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "arch/architecture.h"
#include "base/diagnostic.h"
#include "cost/cost.h"
#include "cost/evaluator.h"
#include "cost/policy.h"
#include "driver/driver.h"
#include "driver/explain/explain.h"
#include "driver/sorting.h"
#include "mapping/workload.h"
#include "planner/plan.h"

namespace sluice::driver {
namespace {

/// Rows in the order in which they first appear.
class EnergyRows {
 public:
  EnergyRow& At(const std::string& name) {
    const auto found = std::ranges::find(rows_, name, &EnergyRow::name);
    return found != rows_.end() ? *found : rows_.emplace_back(EnergyRow{name, {}, 0});
  }
  std::vector<EnergyRow> Take() { return std::move(rows_); }

 private:
  std::vector<EnergyRow> rows_;
};

std::vector<EnergyRow> EnergyByLevel(const planner::Plan& plan) {
  constexpr const char* kNetworks = "networks";
  EnergyRows rows;
  for (const planner::ChainNames& chain : plan.chains) {
    for (const std::string& level : chain.levels) {
      rows.At(level);
    }
  }
  for (const planner::OperatorPlan& op : plan.operators) {
    if (op.solution < 0) {
      continue;
    }
    const planner::Solution& solution = plan.solutions[static_cast<std::size_t>(op.solution)];
    const auto& levels = plan.chains[static_cast<std::size_t>(solution.chain)].levels;
    for (std::size_t l = 0; l < levels.size(); ++l) {
      for (std::size_t t = 0; t < solution.workload.tensors.size(); ++t) {
        const cost::TensorTraffic& traffic = solution.cost.level[l].tensors[t];
        const auto kind = static_cast<std::size_t>(solution.workload.tensors[t].tensor_class);
        EnergyRow& level = rows.At(levels[l]);
        level.by_class[kind] += traffic.energy_pj;
        level.total += traffic.energy_pj;
        if (traffic.network_energy_pj > 0) {
          EnergyRow& network = rows.At(kNetworks);
          network.by_class[kind] += traffic.network_energy_pj;
          network.total += traffic.network_energy_pj;
        }
      }
    }
    rows.At("compute").total += solution.cost.compute_energy_pj;
    if (solution.cost.leakage_pj > 0) {
      rows.At("leakage").total += solution.cost.leakage_pj;
    }
  }
  return rows.Take();
}

std::vector<BindingRow> TimeByResource(const planner::Plan& plan) {
  std::map<std::string, double> sums;
  for (const planner::OperatorPlan& op : plan.operators) {
    if (op.solution >= 0) {
      const planner::Solution& solution = plan.solutions[static_cast<std::size_t>(op.solution)];
      const planner::ChainNames& chain = plan.chains[static_cast<std::size_t>(solution.chain)];
      sums[ResourceText(solution.cost.binding, chain.levels, chain.compute)] +=
          solution.cost.score.cycles;
    }
  }
  std::vector<BindingRow> rows;
  rows.reserve(sums.size());
  for (const auto& [resource, cycles] : sums) {
    rows.push_back({resource, cycles});
  }
  SortLargestFirst(rows, &BindingRow::cycles);
  return rows;
}

}  // namespace

Result<PlanBreakdown> BreakDown(const PlanOutcome& outcome) {
  const planner::Plan& plan = outcome.plan;
  PlanBreakdown breakdown;
  breakdown.energy = EnergyByLevel(plan);
  breakdown.binding = TimeByResource(plan);

  SLUICE_TRY(const cost::Policy policy, cost::ParsePolicy(plan.provenance.policy));
  const std::vector<arch::Chain> chains = arch::Chains(outcome.architecture.architecture);
  std::vector<std::vector<RoofTerm>> roofs;  // of each solution
  for (const planner::Solution& solution : plan.solutions) {
    SLUICE_TRY(const cost::Evaluator evaluator,
               cost::Evaluator::Create(solution.workload,
                                       chains[static_cast<std::size_t>(solution.chain)], policy));
    roofs.push_back(RoofsOf(evaluator, solution.cost));
  }
  const auto is_port = [&roofs](const std::string& resource) {
    return std::ranges::any_of(roofs, [&](const std::vector<RoofTerm>& terms) {
      return std::ranges::find(terms, resource, &RoofTerm::port) != terms.end();
    });
  };
  for (const BindingRow& row : breakdown.binding) {
    if (breakdown.port.empty() && is_port(row.resource)) {
      breakdown.port = row.resource;
    }
  }
  for (const std::vector<RoofTerm>& terms : roofs) {  // when nothing but the units binds
    breakdown.port = breakdown.port.empty() && !terms.empty() ? terms.front().port : breakdown.port;
  }
  for (std::size_t i = 0; i < plan.operators.size(); ++i) {
    if (plan.operators[i].solution < 0) {
      continue;
    }
    const auto index = static_cast<std::size_t>(plan.operators[i].solution);
    const auto found = std::ranges::find(roofs[index], breakdown.port, &RoofTerm::port);
    if (found != roofs[index].end()) {
      breakdown.roof.push_back({i, plan.solutions[index].cost.score.cycles, *found});
    }
  }
  SortLargestFirst(breakdown.roof, &RoofRow::cycles);
  return breakdown;
}

}  // namespace sluice::driver
