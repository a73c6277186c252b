#pragma once
/// \file
/// Our exact counts in the form that timeloop-model prints: per instance, rounded as it rounds.
///
/// With perfect factors every used instance does the same, so a per-instance figure is the total
/// divided by the instances used, exactly. With imperfect factors instances differ and Timeloop
/// prints rounded averages over U = the most instances used at once, then multiplies energies by
/// another average. These rules are Timeloop's and live here only; cost::Cost has the exact totals:
///   avg            floor(active instance-steps / executed temporal steps)
///   reads, updates round(total / U);   fills of operands   trunc(total / U)
///   output reads   updates - p,   output fills   round(delivered / U) - p,
///                  p = trunc(words ever held, summed over instances / U)
///   energy         (per-instance accesses in blocks) * pJ * avg
///   computes       floor(points / U * avg)
///   cycles         product of all temporal bounds, last iterations counted as full ones
/// Tested by tests/golden/timeloop_test.cpp.

#include <cstdint>
#include <vector>

#include "cost/cost.h"
#include "cost/evaluator.h"
#include "mapping/mapping.h"

namespace sluice::io {

struct TimeloopTensorStats {
  bool kept = false;
  std::int64_t reads = 0;  ///< words, per instance
  std::int64_t fills = 0;
  std::int64_t updates = 0;
  std::int64_t read_blocks = 0;  ///< vector accesses, per instance
  std::int64_t fill_blocks = 0;
  std::int64_t update_blocks = 0;
  double energy_pj = 0;  ///< over all instances
};

struct TimeloopLevelStats {
  std::int64_t instances_max = 0;
  std::int64_t instances_avg = 0;
  std::vector<TimeloopTensorStats> tensors;  ///< by index of the workload
};

struct TimeloopStats {
  std::vector<TimeloopLevelStats> levels;  ///< outermost first (Timeloop prints innermost first)
  std::int64_t cycles = 0;
  std::int64_t computes = 0;
  std::int64_t compute_instances_max = 0;
  std::int64_t compute_instances_avg = 0;
  double compute_energy_pj = 0;
  double energy_pj = 0;
};

/// Requires: `cost` is EvaluateFull(mapping) of `evaluator`, under the `timeloop` policy or a
/// variant of it that does not read the child on drains.
TimeloopStats TimeloopView(const cost::Cost& cost, const cost::Evaluator& evaluator,
                           const mapping::Mapping& mapping);

}  // namespace sluice::io
