#pragma once
/// \file
/// What every search mapper shares: the incumbent, the budget and the counters.
/// Time and the stop flag are polled every 256 evaluations, so that they cost nothing; in imperfect
/// spaces, where one evaluation may take milliseconds, every time.

#include <chrono>
#include <cstdint>
#include <optional>

#include "mapper/mapper.h"

namespace sluice::mapper {

/// Whether `a` is better than `b`: by the objective, ties by the figure that the objective leaves
/// out.
bool Better(cost::Objective objective, const cost::Score& a, const cost::Score& b);

/// One run of a mapper on one problem. Not thread-safe.
class Search {
 public:
  Search(const Problem& problem, const Budget& budget);

  /// Evaluates a mapping that fits, keeps it if it is the best, and returns what a descent should
  /// minimise: the objective, with a slight slope along the other figure where the objective is
  /// flat.
  double Evaluate(const mapping::Mapping& mapping);
  /// A candidate that was rejected before evaluation.
  void CountRejected() {
    ++result_.candidates;
    if ((result_.candidates & 0xFFF) == 0) {
      Poll();
    }
  }
  /// Whether the budget is spent, a stop was asked for, or nothing can be better.
  [[nodiscard]] bool Done() const { return done_; }
  [[nodiscard]] const std::optional<mapping::Mapping>& best() const { return result_.best; }
  [[nodiscard]] const cost::Score& best_score() const { return result_.score; }
  [[nodiscard]] std::int64_t evaluations() const { return result_.evaluations; }

  /// The result; `converged` is why the search ended when no budget did.
  Result Finish(StopReason converged);
  /// The result for an empty map space.
  Result Infeasible(std::vector<mapping::Violation> reasons);

 private:
  void Poll();

  const cost::Evaluator* evaluator_;
  cost::Objective objective_;
  Budget budget_;
  std::int64_t poll_mask_;  ///< polls when no bit of the mask is set in the count of evaluations
  cost::Score bound_score_;
  Result result_;
  bool done_ = false;
  StopReason stopped_ = StopReason::kConverged;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace sluice::mapper
