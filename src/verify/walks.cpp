// The end of the checker's search: walks below the limit, as whole mappings in every order and
// placement that could matter.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "cost/compiled.h"
#include "cost/cost.h"
#include "cost/evaluator.h"
#include "cost/policy.h"
#include "mapping/constraints.h"
#include "mapping/mapping.h"
#include "verify/grid.h"
#include "verify/search.h"

namespace sluice::verify {

using cost::HasBit;
using cost::Index;

namespace {

/// Sums in another order may differ by so much.
constexpr double kRounding = 1e-9;

constexpr std::uint32_t Bit(int i) {
  return 1U << static_cast<unsigned>(i);
}

}  // namespace

// All mappings below the limit that go on so.
void Search::Follow(const Walk& walk) {
  if (better_ || Late() || Closed(walk.sum, Rest(walk.level, walk.tile, walk.open), cycles_)) {
    return;
  }
  ++nodes_;
  tiles_[Index(walk.level)] = walk.tile;
  if (walk.level == 0 && walk.tile == grid_->top()) {
    if (grid_->LoopsAllowed(0, walk.tile, walk.start)) {
      Place(0);
    }
    return;
  }
  if (walk.level > 0 && grid_->LoopsAllowed(walk.level, walk.tile, walk.start)) {
    const Code start = walk.tile + At(walk.level).spread->factors;
    if (Holds(walk.level - 1, start)) {
      Walk next = walk;
      next.level = walk.level - 1;
      next.start = next.tile = start;
      next.open = Kept(walk.level, walk.open);
      next.sum.Add(Crossed(walk.level, walk.tile), 1);
      next.used = next.barred = 0;
      next.next = 0;
      mapping_.levels[Index(next.level)].temporal.clear();
      Follow(next);
    }
  }
  FollowLoops(walk);
}

void Search::FollowLoops(const Walk& walk) {
  // Where parents add, a child may read the less the more often it hands its words on.
  const cost::Policy& policy = grid_->evaluator().policy();
  bool strict = !grid_->Ordered(walk.level) && walk.slid == 0 &&
                !(policy.parent_accumulates && policy.first_read_elision);
  std::uint32_t moving = 0;
  for (int t = 0; t < grid_->tensors(); ++t) {
    const cost::CompiledTensor& tensor = grid_->compiled().tensor[Index(t)];
    moving |= OpenOf(walk.open, t) != 0 || HasBit(walk.slid, t) ? tensor.dims : 0;
    strict = strict && (!tensor.joint || walk.level + 1 == grid_->levels());
  }
  mapping::LoopList& loops = mapping_.levels[Index(walk.level)].temporal;
  for (int d = 0; d < grid_->dims(); ++d) {
    const bool idle = strict && !HasBit(moving, d);
    if (HasBit(walk.used, d) || (idle && (d < walk.next || HasBit(walk.barred, d)))) {
      continue;
    }
    for (const Step& step : grid_->Loops(walk.level, walk.tile, d, false)) {
      if (!Holds(walk.level, walk.tile + step.offset)) {
        continue;
      }
      Walk next = walk;
      next.tile += step.offset;
      next.used |= Bit(d);
      next.next = idle ? d + 1 : 0;
      next.barred |= strict && !idle ? ~moving : 0;
      for (int t = 0; t < grid_->tensors(); ++t) {
        if (!grid_->Moves(t, d)) {
          continue;
        }
        next.sum.Add(Moved(t, walk.open, walk.level, walk.tile, d, step.factor), 1);
        next.open &= ~OpenAt(t, 0xF);
        if (grid_->Simple(t) || HasBit(grid_->compiled().tensor[Index(t)].single_dims, d)) {
          next.slid &= ~Bit(t);
        } else if (OpenOf(walk.open, t) != 0) {
          next.slid |= Bit(t);
        }
      }
      loops.push_back(mapping::PerfectLoop(d, step.factor));
      Follow(next);
      loops.resize(loops.size() - 1);
    }
  }
}

// All placements of the spatial factors.
void Search::Place(int level) {
  if (level == grid_->levels()) {
    Evaluate();
    return;
  }
  const std::vector<Spread::Axes>& axes = SpreadBelow(level).axes;
  LayOut(level, axes[0]);
  const std::vector<cost::Score> least =
      level == only_fan_out_ && axes.size() > 1 ? Scores(level) : std::vector<cost::Score>();
  for (std::size_t i = 0; i < axes.size() && !better_ && !Late(); ++i) {
    if (least.empty() || least[i].value(objective_) < limit_) {
      LayOut(level, axes[i]);
      Place(level + 1);
    }
  }
}

void Search::LayOut(int level, const Spread::Axes& axes) {
  mapping_.levels[Index(level)].spatial_x = axes.x;
  mapping_.levels[Index(level)].spatial_y = axes.y;
}

// What the placements cost in the only fan-out, rounded down: they differ in the ways of words
// alone, which depend on the tile below only where two dims share an axis.
std::vector<cost::Score> Search::Scores(int level) {
  const Spread& spread = SpreadBelow(level);
  const Code tile = level + 1 < grid_->levels() ? tiles_[Index(level + 1)] : 0;
  std::uint32_t dims = 0;
  for (int t = 0; t < grid_->tensors(); ++t) {
    dims |= HasBit(spread.diagonal, t) || grid_->IsJoint(t)
                ? grid_->compiled().tensor[Index(t)].dims
                : 0;
  }
  const auto [place, fresh] = ways_.try_emplace(std::pair(&spread, grid_->Part(tile, dims)));
  if (fresh) {
    place->second = grid_->Ways(level, spread, tile);
  }
  ++mappings_;
  const cost::Cost first = grid_->evaluator().EvaluateFull(Whole());
  std::vector<cost::Score> scores;
  for (const PerTensor& way : place->second) {
    cost::Score& score = scores.emplace_back(first.score);
    for (int t = 0; t < grid_->tensors(); ++t) {
      int source = level;
      while (!HasBit(mapping_.levels[Index(source)].keep, t)) {
        --source;
      }
      const auto& traffic = first.level[Index(source)].tensors[Index(t)];
      score.energy_pj +=
          static_cast<double>(traffic.network_words) * (way[Index(t)] - place->second[0][Index(t)]);
    }
    score.energy_pj *= 1 - kRounding;
  }
  return scores;
}

mapping::Mapping Search::Whole() const {
  mapping::Mapping mapping = mapping_;
  for (mapping::LevelMapping& at : mapping.levels) {
    std::ranges::reverse(at.temporal);
  }
  return mapping;
}

void Search::Evaluate() {
  ++mappings_;
  const mapping::Mapping mapping = Whole();
  const cost::Evaluator& evaluator = grid_->evaluator();
  const cost::Score score = evaluator.Evaluate(mapping);
  if (score.value(objective_) < limit_ && evaluator.IsValid(mapping) &&
      (grid_->constraints() == nullptr ||
       Satisfies(*grid_->constraints(), evaluator.workload(), mapping))) {
    better_ = score;
  }
}

}  // namespace sluice::verify
