#include "mapper/exact/search/guard.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "cost/compiled.h"
#include "cost/cost.h"
#include "cost/evaluator.h"
#include "mapper/exact/goal.h"
#include "mapper/exact/model/lattice.h"
#include "mapper/exact/model/model.h"
#include "mapper/exact/model/space.h"
#include "mapper/exact/search/labels.h"
#include "mapper/exact/search/tree.h"
#include "mapper/mapper.h"
#include "mapping/mapping.h"

namespace sluice::mapper::exact {
namespace {

using cost::Index;

/// Sums are rounded in other orders than the evaluator's.
constexpr double kRounding = 1e-8;

Tile Factors(const Lattice& lattice, const mapping::LoopList& loops) {
  Tile factors = 0;
  for (const mapping::Loop& loop : loops) {
    factors = lattice.Multiply(factors, lattice.Single(loop.dim, loop.bound));
  }
  return factors;
}

Trail TrailOf(const Lattice& lattice, const mapping::Mapping& known) {
  Trail trail;
  Tile tile = 0;
  for (std::size_t l = known.levels.size(); l-- > 0;) {
    const mapping::LevelMapping& level = known.levels[l];
    trail.keep[l] = level.keep;
    trail.factors[l] =
        lattice.Multiply(Factors(lattice, level.spatial_x), Factors(lattice, level.spatial_y));
    tile = lattice.Multiply(tile,
                            lattice.Multiply(trail.factors[l], Factors(lattice, level.temporal)));
    trail.tile[l] = tile;
  }
  return trail;
}

std::string Lost(const std::string& rule, int level, double bound, double value) {
  return rule + " of level " + std::to_string(level) + ": bound " + std::to_string(bound) +
         " above the optimum " + std::to_string(value);
}

}  // namespace

std::optional<std::string> LostBy(const Problem& problem, const mapping::Mapping& known) {
  constexpr double kNever = std::numeric_limits<double>::infinity();
  const cost::Evaluator& evaluator = *problem.evaluator;
  const double value = evaluator.Evaluate(known).value(problem.objective);
  const double most = value * (1 + kRounding);
  const Model model(evaluator, problem.constraints);
  Spaces spaces(model);
  Goal goal(problem.objective, model.LeakagePerCycle(), cost::LowerBound(evaluator).cycles);
  goal.Improve(value * (1 + 2 * kRounding));
  CostToGo inside(model, spaces, goal);
  const auto never = [] { return false; };
  inside.Build(never, std::numeric_limits<std::int64_t>::max());
  const Trail trail = TrailOf(model.lattice(), known);
  for (int l = 1; l < model.levels(); ++l) {
    if (inside.At(l, trail.tile[Index(l)]).empty()) {
      return Lost("labels", l, kNever, value);
    }
  }
  double best = kNever;
  const auto evaluate = [&](const mapping::Mapping& mapping) {
    best = std::min(best, evaluator.Evaluate(mapping).value(problem.objective));
  };
  Tree tree(model, spaces, inside, goal, evaluate, never, std::numeric_limits<std::int64_t>::max());
  tree.Follow(trail);
  tree.Run();
  for (int l = 1; l < model.levels(); ++l) {
    const Tree::Followed& least = tree.followed(l);
    if (least.candidate > most) {
      return Lost("candidates", l, least.candidate, value);
    }
    if (least.order > most) {
      return Lost("orders around the tile", l, least.order, value);
    }
  }
  return best > most ? std::optional(Lost("leaves", model.levels(), best, value)) : std::nullopt;
}

}  // namespace sluice::mapper::exact
