#pragma once
/// \file
/// The layerwise planner: every operator alone, its tensors through the outermost memory.
///
/// Operators with equal workloads on equal chains share one solution, searched once. Vector
/// operators and data movement are searched and costed like all others; only views are free. A
/// search is seeded by the text of what it maps (not by its place in the network), so that plans do
/// not depend on the order of operators, nor on the number of threads. Tested by
/// tests/unit/planner_test.cpp.

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "arch/architecture.h"
#include "base/diagnostic.h"
#include "cost/policy.h"
#include "ir/network.h"
#include "mapper/cache/cache.h"
#include "mapper/mapper.h"
#include "mapping/constraints.h"
#include "planner/plan.h"

namespace sluice::planner {

struct PlanOptions {
  const mapper::Mapper* mapper = nullptr;  ///< null: exact
  cost::Policy policy;
  cost::Objective objective = cost::Objective::kEdp;
  std::uint64_t seed = 1;
  bool imperfect = false;
  /// What every mapping must satisfy; null: nothing. Not owned.
  const mapping::ConstraintSpec* constraints = nullptr;
  /// Where results are recalled from and stored; null: nowhere. Not owned.
  mapper::ResultCache* cache = nullptr;
  /// Evaluations of each distinct operator; 0: the mapper's own criterion.
  std::int64_t evaluations = 0;
  /// Wall time of the whole network, shared among its distinct operators; 0: unlimited. With a
  /// limit the plan depends on the speed of the machine.
  double seconds = 0;
  /// Polled; when true every search ends with its best so far and the plan is marked incomplete.
  const std::atomic<bool>* stop = nullptr;
  int threads = 1;
  /// Operators that the mapper does not support go to the exact one; false: they are errors.
  bool substitute = true;
  /// Called after each distinct operator, by one thread at a time.
  std::function<void(std::size_t done, std::size_t total, std::string_view name)> progress;
  /// Called with the names of the operators (of each distinct one the first) that went to the exact
  /// mapper, if any, and why the first of them did; after all searches.
  std::function<void(const std::vector<std::string>& names, const Diagnostic& why)> substituted;
};

/// Plans `network`. Fills everything of the plan but the file-related provenance (tool version,
/// command, paths, hashes, batch, dims), which the caller knows. Errors: kNoValidMapping naming the
/// operator, the level, the tensor, the bytes short and the smallest change of the architecture
/// that admits a mapping; those of Mapper::Supports without `substitute`; kConstraints and
/// kUnknownName for constraints that contradict an operator; those of MakeWorkload, ChainFor and
/// Evaluator::Create.
Result<Plan> PlanLayerwise(const ir::Network& network, const arch::Architecture& architecture,
                           const PlanOptions& options);

/// The plan with every cost and total recomputed from its mappings; what the searches reported
/// (bounds, evaluations, stop reasons) is kept. With `network`, also checks that the plan belongs
/// to it. Errors: kPlanMismatch (chain, workload or operator list), kMappingInvalid and its kin for
/// a mapping that does not fit, each naming the operator.
Result<Plan> Reevaluate(const Plan& plan, const ir::Network* network,
                        const arch::Architecture& architecture);

/// The first cost figure in which two plans of the same shape differ, as `what: a, b`; nothing when
/// they are equal to the last digit.
std::optional<std::string> FirstDifference(const Plan& a, const Plan& b);

}  // namespace sluice::planner
