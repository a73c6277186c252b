#include "verify/grid.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include "cost/axis/axis_set.h"
#include "cost/compiled.h"
#include "cost/evaluator.h"
#include "cost/policy.h"
#include "mapping/constraints.h"
#include "mapping/mapping.h"
#include "mapping/validity.h"
#include "mapping/workload.h"

namespace sluice::verify {

using cost::HasBit;
using cost::Index;

namespace {

std::vector<std::int64_t> DivisorsOf(std::int64_t n) {
  std::vector<std::int64_t> low;
  std::vector<std::int64_t> high;
  for (std::int64_t i = 1; i * i <= n; ++i) {
    if (n % i == 0) {
      low.push_back(i);
      if (i != n / i) {
        high.push_back(n / i);
      }
    }
  }
  low.insert(low.end(), high.rbegin(), high.rend());
  return low;
}

}  // namespace

double Grid::CountTiles(const cost::Evaluator& evaluator) {
  double count = 1;
  for (int d = 0; d < evaluator.compiled().dims; ++d) {
    count *= static_cast<double>(DivisorsOf(evaluator.compiled().bound[Index(d)]).size());
  }
  return count;
}

Grid::Grid(const cost::Evaluator& evaluator, const mapping::Constraints* constraints)
    : evaluator_(&evaluator), constraints_(constraints) {
  for (int d = 0; d < dims(); ++d) {
    divisors_[Index(d)] = DivisorsOf(compiled().bound[Index(d)]);
    stride_[Index(d)] = size_;
    size_ *= static_cast<Code>(divisors_[Index(d)].size());
  }
  for (int l = 0; l < levels(); ++l) {
    must_[Index(l)] = evaluator.validity().levels[Index(l)].must_keep;
    may_[Index(l)] = evaluator.validity().levels[Index(l)].may_keep;
    if (constraints != nullptr) {
      must_[Index(l)] |= constraints->levels[Index(l)].must_keep;
      may_[Index(l)] &= ~constraints->levels[Index(l)].never_keep;
    }
  }
  FillTiles();
  FillRates();
  for (int l = 0; l < levels(); ++l) {
    FillSpreads(l);
  }
}

void Grid::FillTiles() {
  coordinate_.resize(static_cast<std::size_t>(size_) * Index(dims()));
  steps_.assign(static_cast<std::size_t>(size_), 1.0);
  for (int t = 0; t < tensors(); ++t) {
    words_[Index(t)].assign(static_cast<std::size_t>(size_), 1.0);
    const cost::CompiledTensor& tensor = compiled().tensor[Index(t)];
    simple_[Index(t)] = tensor.windows == 0 && !tensor.joint;
    touched_[Index(t)] = 1;
    for (int a = 0; a < tensor.axes && !tensor.joint; ++a) {
      cost::GeneratorList all;
      for (const mapping::WorkloadTerm& term : tensor.axis[Index(a)]) {
        all.push_back({term.coefficient, compiled().bound[Index(term.dim)]});
      }
      touched_[Index(t)] *= static_cast<double>(cost::AxisSet::Build(all, false).size());
    }
  }
  for (Code x = 0; x < size_; ++x) {
    Code rest = x;
    for (int d = 0; d < dims(); ++d) {
      const auto count = static_cast<Code>(divisors_[Index(d)].size());
      coordinate_[static_cast<std::size_t>(x) * Index(dims()) + Index(d)] =
          static_cast<std::uint16_t>(rest % count);
      rest /= count;
      steps_[static_cast<std::size_t>(x)] *=
          static_cast<double>(compiled().bound[Index(d)]) / static_cast<double>(Value(x, d));
    }
    for (int t = 0; t < tensors(); ++t) {
      const cost::CompiledTensor& tensor = compiled().tensor[Index(t)];
      for (int a = 0; a < tensor.axes; ++a) {
        cost::GeneratorList tile;
        for (const mapping::WorkloadTerm& term : tensor.axis[Index(a)]) {
          tile.push_back({term.coefficient, Value(x, term.dim)});
        }
        words_[Index(t)][static_cast<std::size_t>(x)] *=
            static_cast<double>(cost::AxisSet::Build(tile, evaluator_->policy().gap_words).size());
      }
    }
  }
}

bool Grid::Divides(Code a, Code b) const {
  for (int d = 0; d < dims(); ++d) {
    if (Value(b, d) % Value(a, d) != 0) {
      return false;
    }
  }
  return true;
}

Code Grid::Times(Code a, Code b) const {
  if (a == 0 || b == 0) {
    return a + b;
  }
  std::array<std::int64_t, mapping::kMaxDims> values;
  for (int d = 0; d < dims(); ++d) {
    values[Index(d)] = Value(a, d) * Value(b, d);
  }
  return Find(values);
}

double Grid::Still(int t, Code x) const {
  double product = 1;
  for (int d = 0; d < dims(); ++d) {
    if (!Moves(t, d)) {
      product *= static_cast<double>(Value(x, d));
    }
  }
  return product;
}

// Positions of the tile on the axis that d moves; a step leaves those that it shares with itself.
// Later moves (the wrap around of this loop) go back by at least as much, and bring at least as
// much if the tile has no holes, unless another dim of the axis has loops outside too, which may
// put the tile anywhere.
double Grid::Slide(int t, Code tile, Code step, int d, bool& steady) const {
  const cost::CompiledTensor& tensor = compiled().tensor[Index(t)];
  for (int a = 0; a < tensor.axes; ++a) {
    const std::int64_t coefficient = tensor.coefficient[Index(a)][Index(d)];
    if (coefficient == 0) {
      continue;
    }
    if (tensor.axis[Index(a)].size() == 1) {
      steady = true;
      return 1;
    }
    cost::GeneratorList generators;
    std::int64_t extent = 1;
    bool alone = true;
    for (const mapping::WorkloadTerm& term : tensor.axis[Index(a)]) {
      const std::int64_t points = Value(tile, term.dim);
      generators.push_back({term.coefficient, points});
      extent += term.coefficient * (points - 1);
      alone = alone && (term.dim == d || Value(step, term.dim) == Value(top(), term.dim));
    }
    const cost::AxisSet set = cost::AxisSet::Build(generators, evaluator_->policy().gap_words);
    steady = alone && set.size() == extent;
    return 1.0 - static_cast<double>(set.SelfOverlap(coefficient * Value(step, d))) /
                     static_cast<double>(set.size());
  }
  steady = false;
  return 0;
}

double Grid::Merge(int level, int t, Code space, Code tile) const {
  const cost::CompiledTensor& tensor = compiled().tensor[Index(t)];
  const cost::CompiledLevel& at = compiled().level[Index(level)];
  if (space == 0 || tensor.joint || !(tensor.is_output ? at.reduction : at.multicast)) {
    // Two dims of a joint tensor may hide equal tiles: it is never priced by merge.
    return 1;
  }
  double merge = Still(t, space);
  for (int a = 0; a < tensor.axes; ++a) {
    cost::GeneratorList offsets;
    double cells = 1;
    for (const mapping::WorkloadTerm& term : tensor.axis[Index(a)]) {
      const std::int64_t count = Value(space, term.dim);
      offsets.push_back({term.coefficient * Value(tile, term.dim), count});
      cells *= static_cast<double>(count);
    }
    if (tensor.axis[Index(a)].size() > 1 && cells > 1) {
      merge *= cells / static_cast<double>(cost::AxisSet::Build(offsets, false).size());
    }
  }
  return merge;
}

// Where two dims of the fan-out share an axis, the way depends on the tile: a word for g cells
// passes g - 1 links at least; the groups of one fan-out have different cells, so their mean
// distance is at least that of as many nearest cells. Routers: floor(hops) + 1, at least max(1,
// hops). Averages over groups keep all of this.
double Grid::Way(int level, int t, double merge, const Spread& spread) const {
  const cost::CompiledLevel& at = compiled().level[Index(level)];
  if (!at.has_network_cost || compiled().tensor[Index(t)].joint) {
    return 0;
  }
  if (!Diagonal(t, spread.factors)) {
    return spread.way[Index(t)];
  }
  const auto& reach = reach_[Index(level)];
  const auto groups =
      static_cast<std::size_t>(std::max(1.0, std::floor(spread.units / merge + 1e-9)));
  const double hops = std::max(merge - 1, reach[std::min(groups, reach.size()) - 1]);
  return hops * at.hop_pj + std::max(1.0, hops) * at.router_pj +
         (IsOutput(t) ? (merge - 1) * at.reduction_pj : 0.0);
}

bool Grid::Diagonal(int t, Code space) const {
  const cost::CompiledTensor& tensor = compiled().tensor[Index(t)];
  for (int a = 0; a < tensor.axes; ++a) {
    int spatial = 0;
    for (const mapping::WorkloadTerm& term : tensor.axis[Index(a)]) {
      spatial += Value(space, term.dim) > 1 ? 1 : 0;
    }
    if (spatial > 1) {
      return true;
    }
  }
  return false;
}

mapping::LoopList Grid::LoopsOf(Code x) const {
  mapping::LoopList loops;
  for (int d = 0; d < dims(); ++d) {
    if (Value(x, d) > 1) {
      loops.push_back(mapping::PerfectLoop(d, Value(x, d)));
    }
  }
  return loops;
}

void Grid::FillPlacements(int level, const std::vector<std::pair<Code, Code>>& axes,
                          Spread& spread) const {
  const auto by_dim = [](const mapping::Loop& a, const mapping::Loop& b) { return a.dim < b.dim; };
  if (!compiled().level[Index(level)].has_network_cost) {
    spread.axes.push_back({LoopsOf(axes[0].first), LoopsOf(axes[0].second), {}});
    return;
  }
  bool fixed = true;  // rates depend on the placement only
  for (int t = 0; t < tensors(); ++t) {
    fixed = fixed && !compiled().tensor[Index(t)].joint && !Diagonal(t, spread.factors);
  }
  spread.way.fill(std::numeric_limits<double>::infinity());
  mapping::Mapping mapping;
  mapping.levels.resize(Index(levels()));
  mapping::LevelMapping& at = mapping.levels[Index(level)];
  for (const auto& [x, y] : axes) {
    at.spatial_x = LoopsOf(x);
    at.spatial_y = LoopsOf(y);
    do {
      do {
        AddPlacement(level, mapping, fixed, spread);
      } while (std::ranges::next_permutation(at.spatial_y, by_dim).found);
    } while (std::ranges::next_permutation(at.spatial_x, by_dim).found);
  }
}

// Adds the placement of `mapping` in the fan-out below `level`. `fixed`: its rates are all that
// counts, so that one which is worse for no tensor stands for others.
void Grid::AddPlacement(int level, const mapping::Mapping& mapping, bool fixed,
                        Spread& spread) const {
  const mapping::LevelMapping& at = mapping.levels[Index(level)];
  Spread::Axes placed = {at.spatial_x, at.spatial_y, {}};
  cost::Nest nest;
  cost::BuildNest(compiled(), mapping, nest);
  for (int t = 0; t < tensors(); ++t) {
    placed.rate[Index(t)] = cost::NetworkWordEnergy(compiled(), nest, level, t);
    spread.way[Index(t)] = std::min(spread.way[Index(t)], placed.rate[Index(t)]);
  }
  const auto no_worse = [this](const Spread::Axes& a, const Spread::Axes& b) {
    for (int t = 0; t < tensors(); ++t) {
      if (a.rate[Index(t)] > b.rate[Index(t)]) {
        return false;
      }
    }
    return true;
  };
  if (fixed) {
    if (std::ranges::any_of(spread.axes,
                            [&](const Spread::Axes& other) { return no_worse(other, placed); })) {
      return;
    }
    std::erase_if(spread.axes, [&](const Spread::Axes& other) { return no_worse(placed, other); });
  }
  spread.axes.push_back(placed);
}

bool Grid::Fits(int level, std::uint32_t keep, Code x) const {
  double words = 0;
  for (int t = 0; t < tensors(); ++t) {
    if (!HasBit(keep, t)) {
      continue;
    }
    double box = 1;
    const cost::CompiledTensor& tensor = compiled().tensor[Index(t)];
    for (int a = 0; a < tensor.axes; ++a) {
      double extent = 1;
      for (const mapping::WorkloadTerm& term : tensor.axis[Index(a)]) {
        extent += static_cast<double>(term.coefficient * (Value(x, term.dim) - 1));
      }
      box *= extent;
    }
    words += box;
  }
  return words <= static_cast<double>(evaluator_->validity().levels[Index(level)].usable_words);
}

bool Grid::LoopsAllowed(int level, Code outer, Code inner) const {
  for (int d = 0; constraints_ != nullptr && d < dims(); ++d) {
    if (!constraints_->levels[Index(level)]
             .of(mapping::LoopKind::kTemporal)
             .Allows(Index(d), Value(outer, d) / Value(inner, d))) {
      return false;
    }
  }
  return true;
}

bool Grid::Ordered(int level) const {
  return constraints_ != nullptr && (!constraints_->levels[Index(level)].innermost.empty() ||
                                     !constraints_->levels[Index(level)].outermost.empty());
}

double Grid::ComputeCycles(double units) const {
  return std::ceil(points() / units * compiled().cycles_per_point - 1e-9);
}

void Grid::FillRates() {
  const cost::Policy& policy = evaluator_->policy();
  leakage_ = compiled().compute_leakage_pj;
  for (int l = 0; l < levels(); ++l) {
    const cost::CompiledLevel& at = compiled().level[Index(l)];
    Rates& rates = rates_[Index(l)];
    const auto block = static_cast<double>(at.block_words);
    const double read = at.read_pj / block;
    leakage_ += at.leakage_pj;
    forwards_ = forwards_ || at.forwarding;
    for (int t = 0; t < tensors(); ++t) {
      const cost::CompiledTensor& tensor = compiled().tensor[Index(t)];
      if (!tensor.is_output) {
        rates.parent[Index(t)] = read;
        rates.child[Index(t)] = at.fill_pj / block;
        continue;
      }
      rates.parent[Index(t)] = at.update_pj / block;
      rates.child[Index(t)] = policy.child_read_on_drain ? read : 0;
      // Elided first visits are simple to count for plain tensors only; memories that add by
      // themselves read at other places. Where it is not simple nothing is claimed.
      const bool elides = policy.first_read_elision;
      if (!tensor.accumulates || (elides && (!tensor.plain || policy.parent_accumulates))) {
        continue;
      }
      rates.parent[Index(t)] += read;
      rates.adds = true;
      rates.parent_saved = elides ? read * Touched(t) : 0;
      if (!policy.parent_accumulates && !policy.dram_accumulates) {
        rates.child[Index(t)] += at.fill_pj / block;
        rates.child_saved = elides ? at.fill_pj / block * Touched(t) : 0;
      }
    }
    for (std::int64_t x = 0; at.has_network_cost && x < at.fan_x; ++x) {
      for (std::int64_t y = 0; y < at.fan_y; ++y) {
        reach_[Index(l)].push_back(
            static_cast<double>(x) +
            std::abs(static_cast<double>(y) - static_cast<double>(at.fan_y - 1) / 2.0));
      }
    }
    auto& reach = reach_[Index(l)];
    std::ranges::sort(reach);
    double sum = 0;
    for (std::size_t i = 0; i < reach.size(); ++i) {
      sum += reach[i];
      reach[i] = sum / static_cast<double>(i + 1);
    }
  }
  double below = 1;
  for (int l = levels() - 1; l >= 0; --l) {
    below *=
        static_cast<double>(compiled().level[Index(l)].fan_x * compiled().level[Index(l)].fan_y);
    below_[Index(l)] = below;
  }
}

// Vectors of factors that fit one axis of `room` cells, over the dims of `may`.
std::vector<Code> Grid::FactorsOnAxis(int level, mapping::LoopKind kind, std::int64_t room,
                                      std::uint32_t may) const {
  std::vector<Code> found = {0};
  for (int d = 0; d < dims(); ++d) {
    std::vector<Code> next;
    for (const Code x : found) {
      const double used = Product(x);
      for (std::size_t i = 0; i < divisors_[Index(d)].size(); ++i) {
        const std::int64_t factor = divisors_[Index(d)][i];
        if (used * static_cast<double>(factor) <= static_cast<double>(room) &&
            (factor == 1 || HasBit(may, d)) &&
            (constraints_ == nullptr ||
             constraints_->levels[Index(level)].of(kind).Allows(Index(d), factor))) {
          next.push_back(x + stride_[Index(d)] * static_cast<Code>(i));
        }
      }
    }
    found = std::move(next);
  }
  return found;
}

// All pairs of factors on X and on Y, by their product.
void Grid::FillSpreads(int level) {
  const mapping::ValidityTable::Level& limits = evaluator_->validity().levels[Index(level)];
  std::map<Code, std::vector<std::pair<Code, Code>>> by_product;
  const std::vector<Code> on_y =
      FactorsOnAxis(level, mapping::LoopKind::kSpatialY, limits.y, limits.may_unroll_y);
  for (const Code x :
       FactorsOnAxis(level, mapping::LoopKind::kSpatialX, limits.x, limits.may_unroll_x)) {
    for (const Code y : on_y) {
      const Code product = Times(x, y);
      if (product >= 0) {
        by_product[product].emplace_back(x, y);
      }
    }
  }
  for (const auto& [product, axes] : by_product) {
    Spread& spread = spreads_[Index(level)].emplace_back();
    spread.factors = product;
    spread.units = Product(product);
    FillPlacements(level, axes, spread);
  }
}

}  // namespace sluice::verify
