#include "mapper/random.h"

#include <cstdint>
#include <limits>
#include <utility>

#include "base/rng.h"
#include "mapper/mapper.h"
#include "mapper/mapspace.h"
#include "mapper/search.h"
#include "mapper/walk/walk_guard.h"
#include "mapping/mapping.h"

namespace sluice::mapper {
namespace {

/// When no budget is given: a second or less on any operator.
constexpr std::int64_t kDefaultEvaluations = 200'000;
/// Mappings too slow to score, one after the other, before the search gives up.
constexpr std::int64_t kMostRejected = 1'000'000;
/// For one operator of many.
constexpr std::int64_t kPlanningEvaluations = 20'000;

}  // namespace

Result RandomMapper::Solve(const Problem& problem, const Budget& budget) const {
  Search search(problem, budget);
  const Mapspace space(problem.evaluator->workload(), problem.evaluator->chain(), problem.imperfect,
                       problem.constraints);
  if (auto reasons = space.Infeasible(); !reasons.empty()) {
    return search.Infeasible(std::move(reasons));
  }
  const bool unlimited = budget.evaluations == std::numeric_limits<std::int64_t>::max() &&
                         budget.seconds == std::numeric_limits<double>::infinity();
  const WalkGuard guard(*problem.evaluator);
  Rng rng(problem.seed);
  // Even a budget that is spent at once yields a mapping.
  search.Evaluate(space.ToMapping(space.Outermost()));
  std::int64_t rejected = 0;  // in a row
  while (!search.Done() && rejected < kMostRejected &&
         !(unlimited && search.evaluations() >= kDefaultEvaluations)) {
    Point point = space.Random(rng);
    space.Repair(point, rng);
    const mapping::Mapping mapping = space.ToMapping(point);
    ++rejected;
    if (problem.evaluator->IsValid(mapping) && !guard.TooSlow(mapping)) {
      rejected = 0;
      search.Evaluate(mapping);
    } else {
      search.CountRejected();
    }
  }
  return search.Finish(StopReason::kConverged);
}

std::int64_t RandomMapper::PlanningEvaluations(const Problem& /*problem*/) const {
  return kPlanningEvaluations;
}

}  // namespace sluice::mapper
