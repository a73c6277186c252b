#include "mapper/exact/exact.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>

#include "cost/cost.h"
#include "cost/evaluator.h"
#include "mapper/annealing.h"
#include "mapper/exact/goal.h"
#include "mapper/exact/labels.h"
#include "mapper/exact/lattice.h"
#include "mapper/exact/model.h"
#include "mapper/exact/space.h"
#include "mapper/exact/tree.h"
#include "mapper/mapper.h"
#include "mapper/mapspace.h"
#include "mapper/search.h"
#include "mapping/mapping.h"

namespace sluice::mapper {
namespace {

/// Divisor vectors of a workload: about a gigabyte of tables.
constexpr double kMaxVectors = 2e6;
/// Evaluations of the annealing that gives the first incumbent, for each prime factor.
constexpr std::int64_t kSeedPerPrime = 150;

double Seconds(std::chrono::steady_clock::time_point since) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - since).count();
}

}  // namespace

Result ExactMapper::Solve(const Problem& problem, const Budget& budget) const {
  Counts counts;
  return Solve(problem, budget, counts);
}

Result ExactMapper::NoSeed(const Problem& problem, const Budget& budget, Counts& counts) {
  Budget none = budget;
  none.evaluations = std::numeric_limits<std::int64_t>::max() - 1;
  return ExactMapper().Solve(problem, none, counts);
}

Result ExactMapper::Solve(const Problem& problem, const Budget& budget, Counts& counts) const {
  const auto start = std::chrono::steady_clock::now();
  const cost::Evaluator& evaluator = *problem.evaluator;
  const Mapspace space(evaluator.workload(), evaluator.chain(), false);
  Budget seeding = budget;
  seeding.evaluations =
      std::min(budget.evaluations, kSeedPerPrime * std::max(1, space.prime_factors()));
  if (budget.evaluations == std::numeric_limits<std::int64_t>::max() - 1) {
    seeding.evaluations = 1;
  }
  Problem perfect = problem;
  perfect.imperfect = false;
  Result result = AnnealingMapper().Solve(perfect, seeding);
  counts.seed_seconds = Seconds(start);
  if (!result.best || result.stopped == StopReason::kProven ||
      exact::Lattice::CountVectors(evaluator.workload().bounds) > kMaxVectors) {
    return result;
  }

  const cost::Score least = cost::LowerBound(evaluator);
  const exact::Model model(evaluator);
  exact::Spaces spaces(model);
  exact::Goal goal(problem.objective, model.LeakagePerCycle(), least.cycles);
  goal.Improve(result.score.value(problem.objective));

  StopReason stopped = StopReason::kProven;
  const auto stop = [&] {
    if (budget.stop != nullptr && budget.stop->load(std::memory_order_relaxed)) {
      stopped = StopReason::kInterrupted;
    } else if (result.evaluations >= budget.evaluations) {
      stopped = StopReason::kEvaluations;
    } else if (budget.seconds < std::numeric_limits<double>::infinity() &&
               Seconds(start) >= budget.seconds) {
      stopped = StopReason::kSeconds;
    } else {
      return false;
    }
    return true;
  };
  const auto evaluate = [&](const mapping::Mapping& mapping) {
    const cost::Score score = evaluator.Evaluate(mapping);
    ++result.evaluations;
    if (Better(problem.objective, score, result.score)) {
      result.score = score;
      result.best = mapping;
      goal.Improve(score.value(problem.objective));
    }
    return score;
  };
  const auto labels_start = std::chrono::steady_clock::now();
  exact::CostToGo inside(model, spaces, goal);
  const bool built = inside.Build(stop);
  counts.labels = inside.counts();
  counts.label_seconds = Seconds(labels_start);
  if (built) {
    const auto tree_start = std::chrono::steady_clock::now();
    exact::Tree tree(model, spaces, inside, goal, evaluate, stop);
    const bool done = tree.Run();
    counts.tree = tree.counts();
    counts.tree_seconds = Seconds(tree_start);
    result.candidates += tree.counts().nodes;
    const double value = result.score.value(problem.objective);
    result.bound = std::max(
        result.bound, done ? value * (1 - exact::kEqual) : std::min(value, tree.open_bound()));
  }
  result.stopped = stopped;
  result.seconds = Seconds(start);
  return result;
}

}  // namespace sluice::mapper
