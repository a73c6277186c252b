#include "mapper/annealing.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "arch/architecture.h"
#include "base/rng.h"
#include "cost/cost.h"
#include "mapper/mapper.h"
#include "mapper/mapspace.h"
#include "mapper/search.h"
#include "mapper/walk/walk_guard.h"
#include "mapper/walk/walker.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"

namespace sluice::mapper {
namespace {

/// Temperatures are on ln(objective): a move that makes things e^T worse passes with probability
/// 1/e.
constexpr double kHot = 0.5;
constexpr double kWarm = 0.1;  ///< reheats start here, near the incumbent
constexpr double kCold = 0.005;
/// Moves of the shortest round for each prime factor of the workload; never below kShortestRound.
constexpr std::int64_t kMovesPerPrime = 150;
constexpr std::int64_t kShortestRound = 500;
/// Of so many rounds one is a reheat.
constexpr std::int64_t kReheatEvery = 16;
constexpr std::int64_t kReheatEveryImperfect = 2;
/// Shortest rounds without progress (relative kProgress) that a search needs to have converged.
constexpr std::int64_t kPatience = 100;
constexpr double kProgress = 1e-9;
/// Steps at one temperature.
constexpr std::int64_t kStepsPerTemperature = 64;
/// Evaluations for each prime factor in a plan of many operators.
constexpr std::int64_t kPlanningPerPrime = 2000;

/// Luby's sequence 1 1 2 1 1 2 4 1 1 2 ..., for i >= 1.
std::int64_t Luby(std::int64_t i) {
  std::int64_t power = 1;
  while (power - 1 < i) {
    power *= 2;
  }
  return power - 1 == i ? power / 2 : Luby(i - (power / 2 - 1));
}

/// Rounds over one space until the search is done, has converged, or has spent `evaluations`.
class Rounds {
 public:
  Rounds(const Mapspace& space, const Problem& problem, const WalkGuard* guard)
      : space_(space), objective_(problem.objective), guard_(guard), walker_(space) {}

  void Run(std::int64_t evaluations, std::int64_t reheat_every, Rng& rng, Search& search) {
    const std::int64_t shortest = std::max(kShortestRound, kMovesPerPrime * space_.prime_factors());
    std::int64_t spent = 0;
    std::int64_t spent_at_progress = 0;
    for (std::int64_t round = 1; !search.Done() && search.evaluations() < evaluations; ++round) {
      const std::int64_t stale = spent - spent_at_progress;
      if (stale >= kPatience * shortest && 2 * stale > spent) {
        return;
      }
      const double before = search.best_score().value(objective_);
      const std::int64_t steps = Luby(round) * shortest;
      if (const auto& best = search.best(); best && round % reheat_every == 0) {
        Anneal(space_.FromMapping(*best), kWarm, steps, rng, search);
      } else {
        Anneal(Start(rng), kHot, steps, rng, search);
      }
      spent += steps;
      if (search.best_score().value(objective_) < before * (1 - kProgress)) {
        spent_at_progress = spent;
      }
    }
  }

 private:
  /// One walk from `start`; returns when the schedule or the budget is over.
  void Anneal(const Point& start, double hot, std::int64_t steps, Rng& rng, Search& search) {
    walker_.Set(start);
    double current = search.Evaluate(walker_.mapping());
    const std::int64_t temperatures = std::max<std::int64_t>(1, steps / kStepsPerTemperature);
    const double cooling = std::pow(kCold / hot, 1.0 / static_cast<double>(temperatures));
    double temperature = hot;
    for (std::int64_t k = 0; k < temperatures; ++k, temperature *= cooling) {
      for (std::int64_t i = 0; i < kStepsPerTemperature; ++i) {
        if (search.Done()) {
          return;
        }
        if (!walker_.Propose(rng)) {
          search.CountRejected();
          continue;
        }
        if (!walker_.Fits() || (guard_ != nullptr && guard_->TooSlow(walker_.mapping()))) {
          walker_.Undo();
          search.CountRejected();
          continue;
        }
        const double next = search.Evaluate(walker_.mapping());
        // exp(-ln(next / current) / T) > u, without the logarithm of the costs
        if (next <= current || next < current * std::pow(1.0 - rng.Uniform(), -temperature)) {
          current = next;
        } else {
          walker_.Undo();
        }
      }
    }
  }

  [[nodiscard]] Point Start(Rng& rng) const {
    const Point start = space_.Greedy(rng);
    // The outermost mapping is perfect, hence quick.
    return guard_ != nullptr && guard_->TooSlow(space_.ToMapping(start)) ? space_.Outermost()
                                                                         : start;
  }

  const Mapspace& space_;
  cost::Objective objective_;
  const WalkGuard* guard_;  ///< set in imperfect spaces
  Walker walker_;
};

}  // namespace

Result AnnealingMapper::Solve(const Problem& problem, const Budget& budget) const {
  Search search(problem, budget);
  const mapping::Workload& workload = problem.evaluator->workload();
  const arch::Chain& chain = problem.evaluator->chain();
  const Mapspace perfect(workload, chain, false, problem.constraints);
  auto reasons = perfect.Infeasible();
  // Constraints may ask for factors that only imperfect mappings have.
  const bool skip_perfect = !reasons.empty() && problem.imperfect && problem.constraints != nullptr;
  if (!reasons.empty() && !skip_perfect) {
    return search.Infeasible(std::move(reasons));
  }
  Rng rng(problem.seed);
  constexpr std::int64_t kAll = std::numeric_limits<std::int64_t>::max();
  if (!skip_perfect) {
    // Even a budget that is spent at once yields a mapping.
    search.Evaluate(perfect.ToMapping(perfect.Outermost()));
    if (!problem.imperfect) {
      Rounds(perfect, problem, nullptr).Run(kAll, kReheatEvery, rng, search);
      return search.Finish(StopReason::kConverged);
    }
    // Perfect mappings are far quicker to score: look for a good one first, then improve on it.
    Rounds(perfect, problem, nullptr)
        .Run(std::min(budget.evaluations / 2, kPlanningPerPrime * perfect.prime_factors()),
             kReheatEvery, rng, search);
  }
  const Mapspace imperfect(workload, chain, true, problem.constraints);
  if (skip_perfect) {
    reasons = imperfect.Infeasible();
    if (!reasons.empty()) {
      return search.Infeasible(std::move(reasons));
    }
    search.Evaluate(imperfect.ToMapping(imperfect.Outermost()));
  }
  const WalkGuard guard(*problem.evaluator);
  Rounds(imperfect, problem, &guard).Run(kAll, kReheatEveryImperfect, rng, search);
  return search.Finish(StopReason::kConverged);
}

Result AnnealingMapper::Improve(const Problem& problem, const Budget& budget,
                                const mapping::Mapping& start) const {
  Search search(problem, budget);
  search.Evaluate(start);
  const Mapspace space(problem.evaluator->workload(), problem.evaluator->chain(), problem.imperfect,
                       problem.constraints);
  Rng rng(problem.seed);
  const WalkGuard guard(*problem.evaluator);
  Rounds(space, problem, problem.imperfect ? &guard : nullptr)
      .Run(std::numeric_limits<std::int64_t>::max(), 1, rng, search);
  return search.Finish(StopReason::kConverged);
}

std::int64_t AnnealingMapper::PlanningEvaluations(const Problem& problem) const {
  const Mapspace space(problem.evaluator->workload(), problem.evaluator->chain(), false);
  return std::max(kShortestRound, kPlanningPerPrime * space.prime_factors());
}

}  // namespace sluice::mapper
