#include "mapper/annealing.h"

#include <algorithm>
#include <cmath>

#include "mapper/mapspace.h"
#include "mapper/search.h"
#include "mapper/walker.h"

namespace sluice::mapper {
namespace {

/// Temperatures are on ln(objective): a move that makes things e^T worse passes with probability
/// 1/e.
constexpr double kHot = 0.5;
constexpr double kWarm = 0.1;  ///< reheats start here, near the incumbent
constexpr double kCold = 0.002;
/// Moves of a round for each prime factor of the workload; a round is at least kShortestRound.
constexpr std::int64_t kMovesPerPrime = 1500;
constexpr std::int64_t kShortestRound = 2000;
/// Rounds without progress (relative kProgress) after which the search has converged.
constexpr int kPatience = 6;
constexpr double kProgress = 1e-9;
/// Steps at one temperature.
constexpr std::int64_t kStepsPerTemperature = 64;

/// One walk from `start`; returns when the schedule or the budget is over.
void Anneal(const Mapspace& space, const Point& start, double hot, std::int64_t steps, Rng& rng,
            Search& search, Walker& walker) {
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
  static_cast<void>(space);
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
  search.Evaluate(space.ToMapping(space.Outermost()));
  const std::int64_t steps = std::max(kShortestRound, kMovesPerPrime * space.prime_factors());
  int stale = 0;
  for (int round = 0; !search.Done() && stale < kPatience; ++round) {
    const cost::Score before = search.best_score();
    Point start;
    double hot = kHot;
    switch (round % 3) {
      case 0:
        start = space.Greedy(rng);
        break;
      case 1:
        start = space.FromMapping(search.best());
        hot = kWarm;
        break;
      default:
        start = space.Random(rng);
        space.Repair(start, rng);
        break;
    }
    Anneal(space, start, hot, steps, rng, search, walker);
    const bool progress = search.best_score().value(problem.objective) <
                          before.value(problem.objective) * (1 - kProgress);
    stale = progress ? 0 : stale + 1;
  }
  return search.Finish(StopReason::kConverged);
}

}  // namespace sluice::mapper
