#pragma once
/// \file
/// The exact mapper: the best even mapping there is, with a proof (DESIGN.md section 6).
///
/// Three steps. A short annealing gives an incumbent. Labels (search/labels.h) bound, for every
/// tile a level may hold, what the levels below cost at least; they are built from the inside out
/// and drop whatever can not beat the incumbent. A search from the outside in (search/tree.h) then
/// looks at every mapping that the bounds leave, best first, pricing whole mappings with the
/// evaluator. When it ends, the incumbent is optimal; when it is stopped, what is left open gives a
/// bound, and the rest of the budget goes to annealing.
///
/// Among mappings of equal objective the one is returned that is best in the figure the objective
/// leaves out (latency: energy; energy: cycles), by a second solve.
///
/// Imperfect factors: the even optimum, then reheats in the imperfect space and a bound over all
/// ragged mappings (ragged/bound.h), whose cheapest walks are tried as mappings too.
///
/// Needs memory in proportion to the divisor vectors of the workload times the levels; beyond
/// kMaxVectors it is annealing with the trivial bound. Tested by tests/property/exact_test.cpp
/// against complete enumeration.

#include <cstdint>
#include <string_view>
#include <vector>

#include "mapper/exact/ragged/bound.h"
#include "mapper/exact/search/labels.h"
#include "mapper/exact/search/tree.h"
#include "mapper/mapper.h"

namespace sluice::mapper {

class ExactMapper : public Mapper {
 public:
  /// `seeded`: start from a short annealing. Off in tests, to see the proof alone.
  explicit ExactMapper(bool seeded = true) : seeded_(seeded) {}
  [[nodiscard]] std::string_view name() const override { return "exact"; }
  [[nodiscard]] std::string_view description() const override {
    return "Labels and bounded search over all mappings; the optimum, proven.";
  }
  /// The budget of evaluations counts the labels and nodes of the proof too, kWorkPerEvaluation of
  /// them as one evaluation.
  [[nodiscard]] Result Solve(const Problem& problem, const Budget& budget) const override;
  [[nodiscard]] std::int64_t PlanningEvaluations(const Problem& problem) const override;

  /// What a solve did, for benchmarks and reports.
  struct Counts {
    exact::LabelCounts labels;
    exact::TreeCounts tree;
    double seed_seconds = 0;
    double label_seconds = 0;
    double tree_seconds = 0;
    exact::RaggedCounts ragged;
    double ragged_seconds = 0;
  };
  Result Solve(const Problem& problem, const Budget& budget, Counts& counts) const;

  /// All mappings that no other beats in both energy and cycles, by rising energy; one for each
  /// pair of figures. `complete`: whether the front is proven. Each result's objective is
  /// `problem`'s.
  struct Front {
    std::vector<Result> points;
    bool complete = false;
    StopReason stopped = StopReason::kProven;
    double seconds = 0;
  };
  [[nodiscard]] Front SolveFront(const Problem& problem, const Budget& budget) const;

 private:
  bool seeded_;
};

}  // namespace sluice::mapper
