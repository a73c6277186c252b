// Costs from mappings: what `sluice evaluate plan.json` does, and the proof that a plan file is
// honest.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "arch/architecture.h"
#include "base/diagnostic.h"
#include "base/text.h"
#include "cost/cost.h"
#include "cost/evaluator.h"
#include "cost/policy.h"
#include "ir/network.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"
#include "planner/layerwise.h"
#include "planner/plan.h"
#include "planner/totals.h"

namespace sluice::planner {
namespace {

/// A name for messages: the first operator that uses solution `index`.
std::string UserOf(const Plan& plan, std::size_t index) {
  for (const OperatorPlan& op : plan.operators) {
    if (op.solution == static_cast<int>(index)) {
      return op.name;
    }
  }
  return fmt::format("solutions[{}]", index);
}

Status CheckShape(const Plan& plan, const std::vector<arch::Chain>& chains) {
  if (plan.chains != NamesOf(chains)) {
    return Fail(
        Diagnostic(ErrorCode::kPlanMismatch,
                   fmt::format("the plan was made for `{}`, whose memories and units differ "
                               "from those of the architecture given",
                               plan.architecture_name))
            .WithPath("chains")
            .WithHint("evaluate the plan on the architecture it was made for"));
  }
  for (std::size_t i = 0; i < plan.operators.size(); ++i) {
    const int solution = plan.operators[i].solution;
    if (solution < -1 || solution >= static_cast<int>(plan.solutions.size())) {
      return Fail(Diagnostic(ErrorCode::kPlanMismatch,
                             fmt::format("operator `{}` refers to solution {}, but there are {}",
                                         plan.operators[i].name, solution, plan.solutions.size()))
                      .WithPath(fmt::format("operators[{}].solution", i)));
    }
  }
  for (std::size_t i = 0; i < plan.solutions.size(); ++i) {
    const Solution& solution = plan.solutions[i];
    if (solution.chain < 0 || static_cast<std::size_t>(solution.chain) >= chains.size() ||
        chains[static_cast<std::size_t>(solution.chain)].levels.size() !=
            solution.mapping.levels.size()) {
      return Fail(
          Diagnostic(ErrorCode::kPlanMismatch,
                     fmt::format("`{}` is planned on chain {} with {} levels, which this "
                                 "architecture does not have",
                                 UserOf(plan, i), solution.chain, solution.mapping.levels.size()))
              .WithPath(fmt::format("solutions[{}]", i)));
    }
  }
  return {};
}

Status CheckNetwork(const Plan& plan, const ir::Network& network) {
  if (plan.operators.size() != network.operators.size()) {
    return Fail(Diagnostic(ErrorCode::kPlanMismatch,
                           fmt::format("the plan has {} operators, the network {}",
                                       plan.operators.size(), network.operators.size()))
                    .WithHint("evaluate the plan with the model it was made for"));
  }
  for (std::size_t i = 0; i < plan.operators.size(); ++i) {
    const OperatorPlan& part = plan.operators[i];
    const ir::Operator& op = network.operators[i];
    bool same = part.name == op.name && (part.solution < 0) == op.is_view();
    if (same && part.solution >= 0) {
      SLUICE_TRY(const mapping::Workload workload, mapping::MakeWorkload(op, network));
      same = mapping::WorkloadKey(workload) ==
             mapping::WorkloadKey(plan.solutions[static_cast<std::size_t>(part.solution)].workload);
    }
    if (!same) {
      return Fail(
          Diagnostic(ErrorCode::kPlanMismatch,
                     fmt::format("operator {} of the plan is `{}`, which is not `{}` of the "
                                 "network",
                                 i, part.name, op.name))
              .WithPath(fmt::format("operators[{}]", i))
              .WithHint("evaluate the plan with the model, batch and dims it was made for"));
    }
  }
  return {};
}

/// Compares figure after figure and remembers the first that differs.
class Comparison {
 public:
  void Integer(const std::string& what, std::int64_t a, std::int64_t b) {
    if (!difference_ && a != b) {
      difference_ = fmt::format("{}: {}, {}", what, a, b);
    }
  }
  void Real(const std::string& what, double a, double b) {
    if (!difference_ && a != b) {
      difference_ = fmt::format("{}: {}, {}", what, ShortestDouble(a), ShortestDouble(b));
    }
  }
  [[nodiscard]] bool found() const { return difference_.has_value(); }
  [[nodiscard]] std::optional<std::string> Take() { return std::move(difference_); }

 private:
  std::optional<std::string> difference_;
};

void CompareTraffic(const std::string& at, const cost::TensorTraffic& a,
                    const cost::TensorTraffic& b, Comparison& compare) {
  compare.Integer(at + ".reads", a.reads, b.reads);
  compare.Integer(at + ".fills", a.fills, b.fills);
  compare.Integer(at + ".updates", a.updates, b.updates);
  compare.Integer(at + ".tile_words", a.tile_words, b.tile_words);
  compare.Integer(at + ".read_blocks", a.read_blocks, b.read_blocks);
  compare.Integer(at + ".fill_blocks", a.fill_blocks, b.fill_blocks);
  compare.Integer(at + ".update_blocks", a.update_blocks, b.update_blocks);
  compare.Integer(at + ".network_words", a.network_words, b.network_words);
  compare.Real(at + ".hops", a.hops, b.hops);
  compare.Integer(at + ".spatial_reductions", a.spatial_reductions, b.spatial_reductions);
  compare.Real(at + ".energy_pj", a.energy_pj, b.energy_pj);
  compare.Real(at + ".network_energy_pj", a.network_energy_pj, b.network_energy_pj);
  compare.Integer(at + ".kept", a.kept ? 1 : 0, b.kept ? 1 : 0);
}

void CompareCost(const std::string& at, const cost::Cost& a, const cost::Cost& b,
                 Comparison& compare) {
  compare.Real(at + ".energy_pj", a.score.energy_pj, b.score.energy_pj);
  compare.Real(at + ".cycles", a.score.cycles, b.score.cycles);
  compare.Integer(at + ".operations", a.operations, b.operations);
  compare.Integer(at + ".compute_cycles", a.compute_cycles, b.compute_cycles);
  compare.Integer(at + ".instances_used", a.instances_used, b.instances_used);
  compare.Real(at + ".compute_energy_pj", a.compute_energy_pj, b.compute_energy_pj);
  compare.Real(at + ".leakage_pj", a.leakage_pj, b.leakage_pj);
  compare.Real(at + ".utilization", a.utilization, b.utilization);
  compare.Integer(at + ".binding.resource", static_cast<int>(a.binding.resource),
                  static_cast<int>(b.binding.resource));
  compare.Integer(at + ".binding.level", a.binding.level, b.binding.level);
  compare.Integer(at + ".levels", a.levels, b.levels);
  compare.Integer(at + ".tensors", a.tensors, b.tensors);
  for (std::size_t l = 0; l < static_cast<std::size_t>(a.levels) && !compare.found(); ++l) {
    const std::string level = fmt::format("{}.levels[{}]", at, l);
    compare.Integer(level + ".instances_used", a.level[l].instances_used,
                    b.level[l].instances_used);
    compare.Real(level + ".read_cycles", a.level[l].read_cycles, b.level[l].read_cycles);
    compare.Real(level + ".write_cycles", a.level[l].write_cycles, b.level[l].write_cycles);
    compare.Real(level + ".network_cycles", a.level[l].network_cycles, b.level[l].network_cycles);
    compare.Real(level + ".leakage_pj", a.level[l].leakage_pj, b.level[l].leakage_pj);
    for (std::size_t t = 0; t < static_cast<std::size_t>(a.tensors); ++t) {
      CompareTraffic(fmt::format("{}.tensors[{}]", level, t), a.level[l].tensors[t],
                     b.level[l].tensors[t], compare);
    }
  }
}

}  // namespace

Result<Plan> Reevaluate(const Plan& plan, const ir::Network* network,
                        const arch::Architecture& architecture) {
  const std::vector<arch::Chain> chains = arch::Chains(architecture);
  SLUICE_TRY_STATUS(CheckShape(plan, chains));
  if (network != nullptr) {
    SLUICE_TRY_STATUS(CheckNetwork(plan, *network));
  }
  SLUICE_TRY(const cost::Policy policy, cost::ParsePolicy(plan.provenance.policy));
  Plan again = plan;
  std::vector<cost::Score> bounds;
  for (std::size_t i = 0; i < again.solutions.size(); ++i) {
    Solution& solution = again.solutions[i];
    const arch::Chain& chain = chains[static_cast<std::size_t>(solution.chain)];
    Result<cost::Evaluator> evaluator = cost::Evaluator::Create(solution.workload, chain, policy);
    if (!evaluator) {
      return Fail(std::move(evaluator).error().WithPath(fmt::format("solutions[{}]", i)));
    }
    const auto violations = mapping::CheckMapping(solution.workload, chain, solution.mapping);
    if (!violations.empty()) {
      Diagnostic diagnostic(violations.front().code,
                            fmt::format("the mapping of `{}` is not valid here: {}",
                                        UserOf(plan, i), violations.front().message));
      for (std::size_t v = 1; v < violations.size(); ++v) {
        diagnostic.notes.push_back(violations[v].message);
      }
      return Fail(std::move(diagnostic)
                      .WithPath(fmt::format("solutions[{}].mapping", i))
                      .WithHint("evaluate the plan on the architecture it was made for"));
    }
    solution.cost = evaluator->EvaluateFull(solution.mapping);
    solution.uses = 0;
    bounds.push_back(cost::LowerBound(*evaluator));
  }
  for (const OperatorPlan& op : again.operators) {
    if (op.solution >= 0) {
      ++again.solutions[static_cast<std::size_t>(op.solution)].uses;
    }
  }
  again.totals = ComputeTotals(again, chains, bounds);
  return again;
}

std::optional<std::string> FirstDifference(const Plan& a, const Plan& b) {
  Comparison compare;
  compare.Integer("operators", static_cast<std::int64_t>(a.operators.size()),
                  static_cast<std::int64_t>(b.operators.size()));
  compare.Integer("solutions", static_cast<std::int64_t>(a.solutions.size()),
                  static_cast<std::int64_t>(b.solutions.size()));
  for (std::size_t i = 0; i < a.solutions.size() && !compare.found(); ++i) {
    CompareCost(fmt::format("solutions[{}].cost", i), a.solutions[i].cost, b.solutions[i].cost,
                compare);
    compare.Integer(fmt::format("solutions[{}].uses", i), a.solutions[i].uses, b.solutions[i].uses);
  }
  compare.Real("energy_pj", a.totals.energy_pj, b.totals.energy_pj);
  compare.Real("cycles", a.totals.cycles, b.totals.cycles);
  compare.Integer("macs", a.totals.macs, b.totals.macs);
  compare.Real("utilization", a.totals.utilization, b.totals.utilization);
  compare.Real("bound.energy_pj", a.totals.bound_energy_pj, b.totals.bound_energy_pj);
  compare.Real("bound.cycles", a.totals.bound_cycles, b.totals.bound_cycles);
  compare.Integer("evaluations", a.totals.evaluations, b.totals.evaluations);
  return compare.Take();
}

}  // namespace sluice::planner
