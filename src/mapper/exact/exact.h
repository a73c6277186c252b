#pragma once
/// \file
/// The exact mapper: the best mapping there is, with a proof (DESIGN.md section 6).
///
/// Three steps. A short annealing gives an incumbent. Labels (labels.h) bound, for every tile a
/// level may hold, what the levels below cost at least; they are built from the inside out and drop
/// whatever can not beat the incumbent. A search from the outside in (tree.h) then looks at every
/// mapping that the bounds leave, best first, pricing whole mappings with the evaluator. When it
/// ends, the incumbent is optimal; when it is stopped, what is left open gives a bound.
///
/// Needs memory in proportion to the divisor vectors of the workload times the levels; beyond
/// kMaxVectors it does not start and says so by StopReason::kConverged with the trivial bound.
/// Tested by tests/property/exact_test.cpp against complete enumeration.

#include <cstdint>
#include <string_view>

#include "mapper/exact/labels.h"
#include "mapper/exact/tree.h"
#include "mapper/mapper.h"

namespace sluice::mapper {

class ExactMapper : public Mapper {
 public:
  [[nodiscard]] std::string_view name() const override { return "exact"; }
  [[nodiscard]] std::string_view description() const override {
    return "Labels and bounded search over all mappings; the optimum, proven.";
  }
  [[nodiscard]] Result Solve(const Problem& problem, const Budget& budget) const override;

  /// What a solve did, for benchmarks and reports.
  struct Counts {
    exact::LabelCounts labels;
    exact::TreeCounts tree;
    double seed_seconds = 0;
    double label_seconds = 0;
    double tree_seconds = 0;
  };
  Result Solve(const Problem& problem, const Budget& budget, Counts& counts) const;
  static Result NoSeed(const Problem& problem, const Budget& budget, Counts& counts);
};

}  // namespace sluice::mapper
