#include "mapper/annealing.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "mapper/mapspace.h"
#include "mapper/search.h"
#include "mapper/walker.h"

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

/// One walk from `start`; returns when the schedule or the budget is over.
void Anneal(const Point& start, double hot, std::int64_t steps, Rng& rng, Search& search,
            Walker& walker) {
  walker.Set(start);
  double current = search.Evaluate(walker.mapping());
  const std::int64_t temperatures = std::max<std::int64_t>(1, steps / kStepsPerTemperature);
  const double cooling = std::pow(kCold / hot, 1.0 / static_cast<double>(temperatures));
  double temperature = hot;
  for (std::int64_t k = 0; k < temperatures; ++k, temperature *= cooling) {
    for (std::int64_t i = 0; i < kStepsPerTemperature; ++i) {
      if (search.Done()) {
        return;
      }
      if (!walker.Propose(rng)) {
        search.CountRejected();
        continue;
      }
      if (!walker.Fits()) {
        walker.Undo();
        search.CountRejected();
        continue;
      }
      const double next = search.Evaluate(walker.mapping());
      // exp(-ln(next / current) / T) > u, without the logarithm of the costs
      if (next <= current || next < current * std::pow(1.0 - rng.Uniform(), -temperature)) {
        current = next;
      } else {
        walker.Undo();
      }
    }
  }
}

}  // namespace

Result AnnealingMapper::Solve(const Problem& problem, const Budget& budget) const {
  Search search(problem, budget);
  const Mapspace space(problem.evaluator->workload(), problem.evaluator->chain(),
                       problem.imperfect);
  if (auto reasons = space.Infeasible(); !reasons.empty()) {
    return search.Infeasible(std::move(reasons));
  }
  Rng rng(problem.seed);
  Walker walker(space);
  // Even a budget that is spent at once yields a mapping.
  search.Evaluate(space.ToMapping(space.Outermost()));
  const std::int64_t shortest = std::max(kShortestRound, kMovesPerPrime * space.prime_factors());
  std::int64_t spent = 0;
  std::int64_t spent_at_progress = 0;
  for (std::int64_t round = 1; !search.Done(); ++round) {
    const std::int64_t stale = spent - spent_at_progress;
    if (stale >= kPatience * shortest && 2 * stale > spent) {
      break;
    }
    const double before = search.best_score().value(problem.objective);
    const std::int64_t steps = Luby(round) * shortest;
    if (round % kReheatEvery == 0) {
      Anneal(space.FromMapping(search.best()), kWarm, steps, rng, search, walker);
    } else {
      Anneal(space.Greedy(rng), kHot, steps, rng, search, walker);
    }
    spent += steps;
    if (search.best_score().value(problem.objective) < before * (1 - kProgress)) {
      spent_at_progress = spent;
    }
  }
  return search.Finish(StopReason::kConverged);
}

std::int64_t AnnealingMapper::PlanningEvaluations(const Problem& problem) const {
  const Mapspace space(problem.evaluator->workload(), problem.evaluator->chain(),
                       problem.imperfect);
  return std::max(kShortestRound, kPlanningPerPrime * space.prime_factors());
}

}  // namespace sluice::mapper
