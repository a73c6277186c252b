#include "mapper/exact/model/model.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "cost/axis/axis_set.h"
#include "cost/axis/moves.h"
#include "cost/compiled.h"
#include "cost/evaluator.h"
#include "cost/policy.h"
#include "mapper/exact/model/lattice.h"
#include "mapping/constraints.h"
#include "mapping/workload.h"

namespace sluice::mapper::exact {
namespace {

using cost::HasBit;
using cost::Index;

}  // namespace

Model::Model(const cost::Evaluator& evaluator, const mapping::Constraints* constraints)
    : evaluator_(&evaluator),
      constraints_(constraints),
      lattice_(evaluator.workload().bounds),
      tensor_count_(static_cast<std::size_t>(evaluator.compiled().tensors)) {
  for (int l = 0; l < levels(); ++l) {
    const auto& limits = evaluator.validity().levels[Index(l)];
    must_keep_[Index(l)] = limits.must_keep;
    may_keep_[Index(l)] = limits.may_keep;
    if (constraints != nullptr) {
      must_keep_[Index(l)] |= Rules(l)->must_keep;
      may_keep_[Index(l)] &= ~Rules(l)->never_keep;
    }
  }
  FillTiles();
  FillRates();
}

cost::AxisSet Model::AxisPositions(int t, int axis, Tile x, bool with_gaps) const {
  cost::DimArray size;
  size.fill(1);
  for (int d = 0; d < lattice_.dims(); ++d) {
    size[Index(d)] = lattice_.Value(x, d);
  }
  return cost::TileAxis(compiled().tensor[Index(t)].axis[Index(axis)], size, with_gaps);
}

void Model::FillTiles() {
  const cost::Compiled& c = compiled();
  const auto vectors = static_cast<std::size_t>(lattice_.size());
  tiles_.assign(vectors * tensor_count_, PerTile{1, 1, 1, false});
  product_.assign(vectors, 1.0);
  for (Tile x = 0; x < lattice_.size(); ++x) {
    for (int d = 0; d < c.dims; ++d) {
      product_[static_cast<std::size_t>(x)] *= static_cast<double>(lattice_.Value(x, d));
    }
  }
  for (int t = 0; t < c.tensors; ++t) {
    const cost::CompiledTensor& tensor = c.tensor[Index(t)];
    touched_[Index(t)] = 1;
    if (tensor.joint) {
      joint_ |= 1U << static_cast<unsigned>(t);
    }
    // Words along each axis depend on the axis' dims only: a table over those.
    auto& tables = axis_tiles_[Index(t)];
    for (int a = 0; a < tensor.axes; ++a) {
      const mapping::WorkloadAxis& axis = tensor.axis[Index(a)];
      if (axis.size() > 1 && !tensor.joint) {
        windowed_ |= 1U << static_cast<unsigned>(t);
        for (const mapping::WorkloadTerm& term : axis) {
          window_dims_[Index(t)] |= 1U << static_cast<unsigned>(term.dim);
        }
      }
      cost::GeneratorList all;
      for (const mapping::WorkloadTerm& term : axis) {
        all.push_back({term.coefficient, c.bound[Index(term.dim)]});
      }
      touched_[Index(t)] *= static_cast<double>(cost::AxisSet::Build(all, false).size());
      tables[Index(a)].assign(AxisParts(t, a), AxisTile{});
    }
    if (tensor.joint) {
      touched_[Index(t)] = 1;
    }
    for (Tile x = 0; x < lattice_.size(); ++x) {
      PerTile& tile = tiles_[static_cast<std::size_t>(x) * tensor_count_ + Index(t)];
      for (int d = 0; d < c.dims; ++d) {
        const double steps =
            static_cast<double>(lattice_.Bound(d)) / static_cast<double>(lattice_.Value(x, d));
        (HasBit(tensor.dims, d) ? tile.total : tile.rest) *= steps;
      }
      for (int a = 0; a < tensor.axes; ++a) {
        std::int64_t extent = 1;
        for (const mapping::WorkloadTerm& term : tensor.axis[Index(a)]) {
          extent += term.coefficient * (lattice_.Value(x, term.dim) - 1);
        }
        AxisTile& known = tables[Index(a)][AxisPart(t, a, x)];
        if (known.words == 0) {
          const bool gap_words = evaluator_->policy().gap_words;
          known = {AxisPositions(t, a, x, gap_words).size(), extent,
                   gap_words && AxisPositions(t, a, x, false).size() < extent};
        }
        tile.gaps = tile.gaps || known.gaps;
        tile.total *= static_cast<double>(known.words);
        tile.box *= static_cast<double>(extent);
      }
      if (tensor.joint) {
        tile.total = 1;
        tile.rest = 1;
      }
    }
    for (int a = 0; a < tensor.axes; ++a) {
      if (tensor.axis[Index(a)].size() > 1 && !tensor.joint) {
        FillKept(t, a);
      }
    }
  }
}

void Model::FillKept(int t, int axis) {
  const mapping::WorkloadAxis& terms = compiled().tensor[Index(t)].axis[Index(axis)];
  KeptTable& kept = kept_[Index(t)][Index(axis)];
  for (const mapping::WorkloadTerm& term : terms) {
    kept.row += lattice_.Values(term.dim);
  }
  kept.positions.assign(AxisParts(t, axis) * kept.row, -1);
  for (Tile x = 0; x < lattice_.size(); ++x) {
    const AxisTile& tile = AxisAt(t, axis, x);
    std::size_t slot = AxisPart(t, axis, x) * kept.row;
    if (tile.words == tile.extent || kept.positions[slot] >= 0) {
      continue;
    }
    const cost::AxisSet positions = AxisPositions(t, axis, x, false);
    for (const mapping::WorkloadTerm& term : terms) {
      for (const std::int64_t value : lattice_.DivisorsOf(term.dim)) {
        kept.positions[slot++] = positions.SelfOverlap(term.coefficient * value);
      }
    }
  }
}

void Model::FillRates() {
  const cost::Compiled& c = compiled();
  double instances = 1;
  for (int l = 0; l < c.levels; ++l) {
    const cost::CompiledLevel& level = c.level[Index(l)];
    max_instances_[Index(l)] = instances;
    any_forwarding_ = any_forwarding_ || level.forwarding;
    instances *= static_cast<double>(level.fan_x * level.fan_y);
    leakage_ += level.leakage_pj;
    const auto block = static_cast<double>(level.block_words);
    for (int t = 0; t < c.tensors; ++t) {
      if (IsOutput(t)) {
        FillOutputRates(l, t);
        continue;
      }
      parent_rate_[Index(l)][Index(t)] = level.read_pj / block;
      certain_rate_[Index(l)][Index(t)] = level.read_pj / block;
      child_rate_[Index(l)][Index(t)] = level.fill_pj / block;
    }
  }
  fixed_ = Points() * c.compute_pj_per_point;
  leakage_ += c.compute_leakage_pj;
  // Mean distance from the source to the k nearest cells of each fan-out.
  nearest_.resize(Index(c.levels));
  for (int l = 0; l < c.levels; ++l) {
    const cost::CompiledLevel& level = c.level[Index(l)];
    if (!level.has_network_cost) {
      continue;
    }
    std::vector<double> distance;
    const double centre = static_cast<double>(level.fan_y - 1) / 2.0;
    for (std::int64_t x = 0; x < level.fan_x; ++x) {
      for (std::int64_t y = 0; y < level.fan_y; ++y) {
        distance.push_back(static_cast<double>(x) + std::abs(static_cast<double>(y) - centre));
      }
    }
    std::ranges::sort(distance);
    double sum = 0;
    for (std::size_t i = 0; i < distance.size(); ++i) {
      sum += distance[i];
      nearest_[Index(l)].push_back(sum / static_cast<double>(i + 1));
    }
  }
}

void Model::FillOutputRates(int level, int t) {
  const cost::CompiledTensor& tensor = compiled().tensor[Index(t)];
  const cost::CompiledLevel& at = compiled().level[Index(level)];
  const cost::Policy& policy = evaluator_->policy();
  const auto block = static_cast<double>(at.block_words);
  double& parent = parent_rate_[Index(level)][Index(t)];
  double& child = child_rate_[Index(level)][Index(t)];
  parent = at.update_pj / block;
  certain_rate_[Index(level)][Index(t)] = parent;
  child = policy.child_read_on_drain ? at.read_pj / block : 0;
  if (!tensor.accumulates) {
    return;
  }
  // With memories that add by themselves the count depends on the next parent: claim nothing.
  const bool known = !policy.parent_accumulates;
  if (known || !policy.first_read_elision) {
    parent += at.read_pj / block;
    accumulate_[Index(level)] = 1;
    if (policy.first_read_elision) {
      parent_rebate_[Index(level)] = tensor.plain ? at.read_pj / block * touched_[Index(t)] : 0;
      if (!tensor.plain) {
        parent -= at.read_pj / block;
        accumulate_[Index(level)] = 0;
      }
    }
  }
  if (known && !policy.dram_accumulates) {
    if (!policy.first_read_elision) {
      child += at.fill_pj / block;
    } else if (tensor.plain) {
      child += at.fill_pj / block;
      child_rebate_[Index(level)] = at.fill_pj / block * touched_[Index(t)];
    }
  }
}

bool Model::Fits(int level, std::uint32_t keep, Tile x) const {
  const auto room = static_cast<double>(evaluator_->validity().levels[Index(level)].usable_words);
  double words = 0;
  for (int t = 0; t < tensors(); ++t) {
    if (HasBit(keep, t)) {
      words += Box(t, x);
    }
  }
  return words <= room;
}

double Model::PlainMerge(int level, int t, Tile space) const {
  if (!Merges(level, t) || HasBit(joint_, t)) {  // joint: only compulsory traffic is counted
    return 1;
  }
  double merge = 1;
  for (int d = 0; d < lattice_.dims(); ++d) {
    if (!HasBit(dims_of(t), d)) {
      merge *= static_cast<double>(lattice_.Value(space, d));
    }
  }
  return merge;
}

double Model::Overlap(int t, int axis, Tile space, Tile x) const {
  cost::GeneratorList generators;
  double cells = 1;
  for (const mapping::WorkloadTerm& term : compiled().tensor[Index(t)].axis[Index(axis)]) {
    const std::int64_t count = lattice_.Value(space, term.dim);
    if (count > 1) {
      generators.push_back({term.coefficient * lattice_.Value(x, term.dim), count});
      cells *= static_cast<double>(count);
    }
  }
  if (generators.size() < 2) {
    return 1;
  }
  return cells / static_cast<double>(cost::AxisSet::Build(generators, false).size());
}

double Model::NetworkRate(int level, int t, double merge, double units) const {
  const cost::CompiledLevel& at_level = compiled().level[Index(level)];
  if (!at_level.has_network_cost ||
      (at_level.fan_x * at_level.fan_y == 1 && at_level.router_pj == 0)) {
    return 0;
  }
  const double groups = std::max(1.0, std::floor(units / merge));
  const auto& nearest = nearest_[Index(level)];
  const double hops =
      std::max(merge - 1, nearest[std::min(nearest.size(), static_cast<std::size_t>(groups)) - 1]);
  double rate = hops * at_level.hop_pj + at_level.router_pj * (1 + std::floor(hops));
  if (IsOutput(t)) {
    rate += at_level.reduction_pj * (merge - 1);
  }
  return rate;
}

double Model::Copies(Tile space) const {
  const int output = tensors() - 1;
  double copies = 1;
  for (int d = 0; d < lattice_.dims(); ++d) {
    if (!HasBit(dims_of(output), d)) {
      copies *= static_cast<double>(lattice_.Value(space, d));
    }
  }
  return copies;
}

// Steps of the first window loop bring `slide` of the tile each (exact). Every other step of the
// nest moves the window by one of a few distances, or moves something else as well, and brings at
// least what lies that far away, `other`:
//   - loops irrelevant to t or on other axes take this axis back by all it has advanced, at least
//     (factor - 1) steps;
//   - a loop of the other dim of this axis moves on by one of its steps and takes back all loops of
//     the first one inside it, and the same dim further out the other dim's (LeastMove);
//   - loops over dims of their own bring the whole tile.
// Axes of three dims and more, and sets with holes that have not moved beyond their span: nothing.
double Model::SlideFraction(int t, Tile child, const WindowLoop& loop) const {
  const cost::CompiledTensor& tensor = compiled().tensor[Index(t)];
  int axis = 0;
  while (tensor.coefficient[Index(axis)][Index(loop.dim)] == 0) {
    ++axis;
  }
  const AxisTile& tile = AxisAt(t, axis, child);
  const auto count = static_cast<double>(tile.words);
  const std::int64_t span = tile.extent;
  const bool contiguous = tile.words == span;
  const std::int64_t step =
      tensor.coefficient[Index(axis)][Index(loop.dim)] * lattice_.Value(loop.from, loop.dim);
  const std::int64_t kept = contiguous ? std::max<std::int64_t>(0, span - step)
                                       : Kept(t, axis, child, loop.dim, loop.from);
  const double slide = 1.0 - static_cast<double>(kept) / count;
  const auto fresh = [&](std::int64_t distance) {
    if (distance >= span) {
      return 1.0;
    }
    return contiguous ? static_cast<double>(distance) / count : 0.0;
  };
  const std::int64_t advanced = step * (loop.factor - 1);
  const bool whole = lattice_.Value(loop.from, loop.dim) * loop.factor == lattice_.Bound(loop.dim);
  double other = fresh(advanced);
  int partners = 0;
  for (const mapping::WorkloadTerm& term : tensor.axis[Index(axis)]) {
    if (term.dim == loop.dim || lattice_.Value(loop.from, term.dim) == lattice_.Bound(term.dim)) {
      continue;
    }
    ++partners;
    const std::int64_t stride = term.coefficient * lattice_.Value(loop.from, term.dim);
    const std::int64_t least =
        loop.closed ? std::abs(stride - advanced) : LeastMove(loop, step, term.dim, stride);
    other = partners == 1 ? std::min(other, fresh(least)) : 0;
  }
  other = loop.closed || whole ? other : std::min(other, slide);
  return (static_cast<double>(loop.factor - 1) * slide + other) / static_cast<double>(loop.factor);
}

// Loops of two dims go on outside a window loop, in any order and split in any way: the partner
// moves on and the first dim goes back, or the other way round. Spatial factors between the loops
// of a dim lengthen its steps further out: then the two may meet anywhere.
std::int64_t Model::LeastMove(const WindowLoop& loop, std::int64_t step, int partner,
                              std::int64_t stride) const {
  if (MaxInstances(loop.level) > 1) {
    return 0;
  }
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  for (const Lattice::Step& to :
       lattice_.Steps(loop.dim, lattice_.Coordinate(loop.from, loop.dim))) {
    if (to.factor % loop.factor == 0) {
      least = std::min(least, std::abs(stride - step * (to.factor - 1)));
    }
  }
  if (lattice_.Value(loop.from, loop.dim) * loop.factor == lattice_.Bound(loop.dim)) {
    return least;  // the first dim never moves on further out
  }
  for (const Lattice::Step& inside :
       lattice_.Steps(partner, lattice_.Coordinate(loop.from, partner))) {
    least = std::min(least, std::abs(step - stride * (inside.factor - 1)));
  }
  return least;
}

double Model::LeastSlide(int t, Tile child, Tile x, int dim) const {
  const cost::CompiledTensor& tensor = compiled().tensor[Index(t)];
  int axis = 0;
  while (tensor.coefficient[Index(axis)][Index(dim)] == 0) {
    ++axis;
  }
  const AxisTile& tile = AxisAt(t, axis, child);
  if (tile.words != tile.extent) {
    return 0;
  }
  const std::int64_t step = tensor.coefficient[Index(axis)][Index(dim)] * lattice_.Value(x, dim);
  return static_cast<double>(std::min(step, tile.extent)) / static_cast<double>(2 * tile.extent);
}

double Model::MovedWords(int t, Tile child, std::span<const cost::FlatLoop> loops) const {
  const cost::CompiledTensor& tensor = compiled().tensor[Index(t)];
  const cost::WindowRule rule = evaluator_->policy().window;
  std::array<cost::Progression, cost::kMaxAxes> axes;
  bool regular = true;
  for (int a = 0; a < tensor.axes; ++a) {
    const AxisTile& tile = AxisAt(t, a, child);
    if (tile.words == tile.extent) {
      axes[Index(a)] = {1, tile.words};
    } else if (tensor.axis[Index(a)].size() == 1) {
      axes[Index(a)] = {tensor.axis[Index(a)][0].coefficient, tile.words};
    } else {
      regular = false;
    }
  }
  if (regular) {
    return static_cast<double>(cost::CountWindowMoves(tensor, axes.data(), loops, rule, {}).words);
  }
  cost::AxisSets sets;
  for (int a = 0; a < tensor.axes; ++a) {
    sets[Index(a)] = AxisPositions(t, a, child, evaluator_->policy().gap_words);
  }
  return static_cast<double>(cost::CountMoves(tensor, sets, loops, rule, {}).words);
}

bool Model::WindowsInside(int t, Tile inner, Tile outer) const {
  const cost::CompiledTensor& tensor = compiled().tensor[Index(t)];
  for (int a = 0; a < tensor.axes; ++a) {
    if (!HasBit(tensor.windows, a)) {
      continue;
    }
    const AxisTile& small = AxisAt(t, a, inner);
    const AxisTile& large = AxisAt(t, a, outer);
    if (small.extent > large.extent || small.words != small.extent || large.words != large.extent) {
      return false;
    }
  }
  return true;
}

double Model::PortCycles(int level, double reads, double writes, double instances) const {
  const cost::CompiledLevel& at = compiled().level[Index(level)];
  double cycles = 0;
  if (at.read_bandwidth > 0) {
    cycles = reads / (instances * at.read_bandwidth);
  }
  if (at.write_bandwidth > 0) {
    cycles = std::max(cycles, writes / (instances * at.write_bandwidth));
  }
  return cycles;
}

}  // namespace sluice::mapper::exact
