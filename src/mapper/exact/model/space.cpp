#include "mapper/exact/model/space.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "cost/compiled.h"
#include "mapper/exact/model/lattice.h"
#include "mapper/exact/model/model.h"
#include "mapper/exact/model/placements.h"
#include "mapping/constraints.h"
#include "mapping/mapping.h"
#include "mapping/validity.h"
#include "mapping/workload.h"

namespace sluice::mapper::exact {
namespace {

using cost::HasBit;
using cost::Index;
/// Tables of overlaps have at most so many rows and columns.
constexpr std::size_t kMostParts = 1024;

/// Whether `a` costs no tensor less than `b`.
bool NoBetter(const Placement& a, const Placement& b, int tensors) {
  for (int t = 0; t < tensors; ++t) {
    if (a.rate[Index(t)] < b.rate[Index(t)]) {
      return false;
    }
  }
  return true;
}

}  // namespace

Spaces::Spaces(const Model& model) : model_(&model) {
  options_.resize(Index(model.levels()));
  placed_.resize(Index(model.levels()));
  dividing_.assign(Index(model.levels()), std::vector<std::vector<std::int32_t>>(
                                              static_cast<std::size_t>(model.lattice().size())));
  number_.resize(Index(model.levels()));
  for (int l = 0; l < model.levels(); ++l) {
    Enumerate(l);
    number_[Index(l)].assign(static_cast<std::size_t>(model.lattice().size()), -1);
    for (std::size_t s = 0; s < At(l).size(); ++s) {
      number_[Index(l)][static_cast<std::size_t>(At(l)[s].factors)] = static_cast<std::int32_t>(s);
    }
    placed_[Index(l)].resize(options_[Index(l)].size());
  }
}

void Spaces::Enumerate(int level) {
  const Lattice& lattice = model_->lattice();
  const auto& limits = model_->evaluator().validity().levels[Index(level)];
  const auto cells = static_cast<double>(limits.x * limits.y);
  std::vector<Space>& options = options_[Index(level)];
  const std::uint32_t may = limits.may_unroll_x | limits.may_unroll_y;
  // Lattice numbers grow dim by dim, so extending known vectors by one dim at a time meets each
  // vector once.
  std::vector<Tile> vectors = {0};
  for (int d = 0; d < lattice.dims(); ++d) {
    if (cells <= 1 || !HasBit(may, d)) {
      continue;
    }
    const std::size_t known = vectors.size();
    for (std::size_t i = 0; i < known; ++i) {
      for (const Lattice::Step& step : lattice.Steps(d, 0)) {
        if (model_->Product(vectors[i]) * step.factor <= cells) {
          vectors.push_back(vectors[i] + step.offset);
        }
      }
    }
  }
  for (const Tile factors : vectors) {
    if (!HasPlacement(level, factors)) {
      continue;
    }
    Space space;
    space.factors = factors;
    space.units = model_->Product(factors);
    space.copies = model_->Copies(factors);
    for (int t = 0; t < model_->tensors(); ++t) {
      space.merge[Index(t)] = model_->PlainMerge(level, t, factors);
      space.way[Index(t)] = model_->NetworkRate(level, t, space.merge[Index(t)], space.units);
      for (int a = 0; a < model_->compiled().tensor[Index(t)].axes; ++a) {
        int spatial = 0;
        for (const mapping::WorkloadTerm& term :
             model_->compiled().tensor[Index(t)].axis[Index(a)]) {
          spatial += lattice.Value(factors, term.dim) > 1 ? 1 : 0;
        }
        if (spatial > 1) {
          space.collides |= 1U << static_cast<unsigned>(t);
        }
      }
    }
    options.push_back(space);
  }
  std::ranges::sort(options, [](const Space& a, const Space& b) {
    return a.units != b.units ? a.units > b.units : a.factors < b.factors;
  });
}

SpatialFactors Spaces::FactorsOf(Tile factors) const {
  SpatialFactors all;
  for (int d = 0; d < model_->lattice().dims(); ++d) {
    all.push_back(model_->lattice().Value(factors, d));
  }
  return all;
}

AllowFactor Spaces::AllowedAt(int level) const {
  return [this, level](mapping::LoopKind kind, int dim, std::int64_t factor) {
    return model_->Allows(level, kind, dim, factor);
  };
}

bool Spaces::HasPlacement(int level, Tile factors) const {
  bool found = false;
  ForEachSplit(model_->evaluator().validity().levels[Index(level)], FactorsOf(factors),
               AllowedAt(level), [&found](const mapping::LoopList&, const mapping::LoopList&) {
                 found = true;
                 return false;
               });
  return found;
}

const std::vector<std::int32_t>& Spaces::Dividing(int level, Tile room) {
  std::vector<std::int32_t>& numbers = dividing_[Index(level)][static_cast<std::size_t>(room)];
  if (numbers.empty()) {  // no factors at all divide everything
    const auto& limits = model_->evaluator().validity().levels[Index(level)];
    Collect(level, 0, room, 0, limits.x * limits.y, numbers);
    std::ranges::sort(numbers);
  }
  return numbers;
}

// Far fewer factors divide the room than a fan-out has options.
void Spaces::Collect(int level, int dim, Tile room, Tile factors, std::int64_t cells,
                     std::vector<std::int32_t>& out) const {
  const Lattice& lattice = model_->lattice();
  if (dim == lattice.dims()) {
    const std::int32_t option = number_[Index(level)][static_cast<std::size_t>(factors)];
    if (option >= 0) {
      out.push_back(option);
    }
    return;
  }
  Collect(level, dim + 1, room, factors, cells, out);
  const std::int64_t value = lattice.Value(room, dim);
  if (value == 1) {
    return;
  }
  for (const Lattice::Step& step : lattice.Steps(dim, 0)) {
    if (step.factor <= cells && value % step.factor == 0) {
      Collect(level, dim + 1, room, factors + step.offset, cells / step.factor, out);
    }
  }
}

double Spaces::Merge(int level, const Space& space, int t, Tile x) {
  double merge = space.merge[Index(t)];
  if (!HasBit(space.collides & ~model_->joint(), t) || !model_->Merges(level, t)) {
    return merge;
  }
  for (int a = 0; a < model_->compiled().tensor[Index(t)].axes; ++a) {
    if (!HasBit(model_->compiled().tensor[Index(t)].windows, a)) {
      continue;
    }
    std::vector<double>& known = overlaps_[Index(t)][Index(a)];
    const std::size_t parts = model_->AxisParts(t, a);
    if (parts > kMostParts) {
      merge *= model_->Overlap(t, a, space.factors, x);
      continue;
    }
    if (known.empty()) {
      known.resize(parts * parts);
    }
    double& overlap =
        known[model_->AxisPart(t, a, space.factors) * parts + model_->AxisPart(t, a, x)];
    if (overlap == 0) {
      overlap = model_->Overlap(t, a, space.factors, x);
    }
    merge *= overlap;
  }
  return merge;
}

const std::vector<Placement>& Spaces::Placements(int level, std::size_t option) {
  Placed& placed = placed_[Index(level)][option];
  if (placed.placements.empty()) {
    Work(level, At(level)[option], placed);
  }
  return placed.placements;
}

double Spaces::Rate(int level, std::size_t option, int t, double merge) {
  const Space& space = At(level)[option];
  if (!model_->compiled().level[Index(level)].has_network_cost || HasBit(model_->joint(), t)) {
    return 0;
  }
  if (HasBit(space.collides, t)) {
    return model_->NetworkRate(level, t, merge, space.units);
  }
  Placements(level, option);
  return placed_[Index(level)][option].least[Index(t)];
}

const TensorDoubles* Spaces::LeastRates(int level, std::size_t option) {
  if (!model_->compiled().level[Index(level)].has_network_cost ||
      Placements(level, option).size() < 2) {
    return nullptr;
  }
  return &placed_[Index(level)][option].least;
}

// What of a tile decides which of its neighbours share words.
std::size_t Spaces::WindowPart(std::uint32_t tensors, Tile x) const {
  std::size_t part = 0;
  for (; tensors != 0; tensors &= tensors - 1) {
    const int t = std::countr_zero(tensors);
    for (std::uint32_t axes = model_->compiled().tensor[Index(t)].windows; axes != 0;
         axes &= axes - 1) {
      const int a = std::countr_zero(axes);
      part = part * model_->AxisParts(t, a) + model_->AxisPart(t, a, x);
    }
  }
  return part;
}

const std::vector<TensorDoubles>* Spaces::CollidingRates(int level, std::size_t option, Tile x) {
  const Space& space = At(level)[option];
  const Lattice& lattice = model_->lattice();
  if (space.collides == 0 || !model_->compiled().level[Index(level)].has_network_cost) {
    return nullptr;
  }
  const std::vector<Placement>& placements = Placements(level, option);
  std::vector<TensorDoubles>& rates =
      placed_[Index(level)][option].colliding[WindowPart(space.collides, x)];
  if (!rates.empty()) {
    return &rates;
  }
  mapping::Mapping mapping;
  mapping.levels.resize(Index(model_->levels()));
  for (int d = 0; d < lattice.dims(); ++d) {
    // All of the tile inside one level: only its sizes matter. Compute units hold single points.
    if (lattice.Value(x, d) > 1) {
      mapping.levels[Index(level) + 1].temporal.push_back(
          mapping::PerfectLoop(d, lattice.Value(x, d)));
    }
  }
  cost::Nest nest;
  for (const Placement& placement : placements) {
    mapping.levels[Index(level)].spatial_x = placement.x;
    mapping.levels[Index(level)].spatial_y = placement.y;
    cost::BuildNest(model_->compiled(), mapping, nest);
    rates.push_back(placement.rate);
    for (std::uint32_t ts = space.collides; ts != 0; ts &= ts - 1) {
      const int t = std::countr_zero(ts);
      rates.back()[Index(t)] = cost::NetworkWordEnergy(model_->compiled(), nest, level, t);
    }
  }
  return &rates;
}

// Energy is linear in the words of each tensor, so a placement that costs no tensor less than
// another one does can be left out.
void Spaces::Work(int level, const Space& space, Placed& placed) const {
  const cost::Compiled& compiled = model_->compiled();
  placed.least.fill(std::numeric_limits<double>::infinity());
  const mapping::ValidityTable::Level& limits = model_->evaluator().validity().levels[Index(level)];
  const SpatialFactors factors = FactorsOf(space.factors);
  const AllowFactor allowed = AllowedAt(level);
  if (!compiled.level[Index(level)].has_network_cost) {
    ForEachSplit(limits, factors, allowed,
                 [&placed](const mapping::LoopList& x, const mapping::LoopList& y) {
                   placed.placements.push_back({x, y, {}});
                   return false;
                 });
    return;
  }
  const int tensors = model_->tensors();
  mapping::Mapping mapping;
  mapping.levels.resize(Index(model_->levels()));
  cost::Nest nest;
  const auto add = [&](const mapping::LoopList& x, const mapping::LoopList& y) {
    Placement placement{x, y, {}};
    mapping.levels[Index(level)].spatial_x = x;
    mapping.levels[Index(level)].spatial_y = y;
    cost::BuildNest(compiled, mapping, nest);
    for (int t = 0; t < tensors; ++t) {
      // Where tiles collide, the rate depends on them: Rate() bounds it for all placements alike.
      placement.rate[Index(t)] =
          HasBit(space.collides, t) ? 0 : cost::NetworkWordEnergy(compiled, nest, level, t);
      placed.least[Index(t)] = std::min(placed.least[Index(t)], placement.rate[Index(t)]);
    }
    if (space.collides == 0) {
      for (const Placement& other : placed.placements) {
        if (NoBetter(placement, other, tensors)) {
          return;
        }
      }
      std::erase_if(placed.placements,
                    [&](const Placement& other) { return NoBetter(other, placement, tensors); });
    }
    placed.placements.push_back(placement);
  };
  ForEachPlacement(limits, factors, allowed,
                   [&add](const mapping::LoopList& x, const mapping::LoopList& y) {
                     add(x, y);
                     return true;
                   });
}

}  // namespace sluice::mapper::exact
