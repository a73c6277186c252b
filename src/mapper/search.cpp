#include "mapper/search.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <limits>
#include <utility>
#include <vector>

#include "cost/cost.h"
#include "cost/evaluator.h"
#include "mapper/mapper.h"
#include "mapping/mapping.h"

namespace sluice::mapper {
namespace {

/// Sums in a bound and in a cost are rounded in different orders; closer than this is equal.
constexpr double kSameValue = 1 + 1e-12;
/// How strongly the figure outside the objective tilts flat regions. Small enough never to trade
/// one cycle in a thousand of latency for energy.
constexpr double kTilt = 1e-4;

}  // namespace

bool Better(cost::Objective objective, const cost::Score& a, const cost::Score& b) {
  const double va = a.value(objective);
  const double vb = b.value(objective);
  if (va != vb) {
    return va < vb;
  }
  return objective == cost::Objective::kEnergy ? a.cycles < b.cycles : a.energy_pj < b.energy_pj;
}

Search::Search(const Problem& problem, const Budget& budget)
    : evaluator_(problem.evaluator),
      objective_(problem.objective),
      budget_(budget),
      poll_mask_(problem.imperfect ? 0 : 0xFF),
      bound_score_(cost::LowerBound(*problem.evaluator)),
      start_(std::chrono::steady_clock::now()) {
  result_.bound = bound_score_.value(objective_);
  Poll();
}

void Search::Poll() {
  if (done_) {
    return;
  }
  if (budget_.stop != nullptr && budget_.stop->load(std::memory_order_relaxed)) {
    done_ = true;
    stopped_ = StopReason::kInterrupted;
  } else if (budget_.seconds < std::numeric_limits<double>::infinity()) {
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start_;
    if (spent.count() >= budget_.seconds) {
      done_ = true;
      stopped_ = StopReason::kSeconds;
    }
  }
}

double Search::Evaluate(const mapping::Mapping& mapping) {
  const cost::Score score = evaluator_->Evaluate(mapping);
  ++result_.candidates;
  ++result_.evaluations;
  if ((result_.evaluations & poll_mask_) == 0) {
    Poll();
  }
  if (!done_ && result_.evaluations >= budget_.evaluations) {
    done_ = true;
    stopped_ = StopReason::kEvaluations;
  }
  if (!result_.best || Better(objective_, score, result_.score)) {
    result_.best = mapping;
    result_.score = score;
    // At the latency bound the search goes on: energy still matters to the user.
    if (objective_ != cost::Objective::kLatency &&
        score.value(objective_) <= result_.bound * kSameValue) {
      done_ = true;
      stopped_ = StopReason::kProven;
    }
  }
  if (objective_ == cost::Objective::kLatency) {
    return score.cycles * (1 + kTilt * score.energy_pj / std::max(bound_score_.energy_pj, 1e-30));
  }
  return score.value(objective_);
}

Result Search::Finish(StopReason converged) {
  result_.stopped = done_ ? stopped_ : converged;
  if (result_.best && result_.score.value(objective_) <= result_.bound * kSameValue) {
    result_.stopped = StopReason::kProven;
  }
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start_;
  result_.seconds = spent.count();
  return std::move(result_);
}

Result Search::Infeasible(std::vector<mapping::Violation> reasons) {
  result_.reasons = std::move(reasons);
  stopped_ = StopReason::kInfeasible;
  done_ = true;
  return Finish(StopReason::kInfeasible);
}

}  // namespace sluice::mapper
