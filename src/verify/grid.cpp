#include "verify/grid.h"

#include <algorithm>
#include <bit>
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

/// Primes and their exponents.
std::vector<std::pair<std::int64_t, int>> PrimesOf(std::int64_t n) {
  std::vector<std::pair<std::int64_t, int>> primes;
  for (std::int64_t p = 2; n > 1; p = p * p > n ? n : p + 1) {
    int exponent = 0;
    for (; n % p == 0; n /= p) {
      ++exponent;
    }
    if (exponent > 0) {
      primes.emplace_back(p, exponent);
    }
  }
  return primes;
}

}  // namespace

double Grid::CountTiles(const cost::Evaluator& evaluator) {
  double count = 1;
  for (int d = 0; d < evaluator.compiled().dims; ++d) {
    for (const auto& [prime, exponent] : PrimesOf(evaluator.compiled().bound[Index(d)])) {
      count *= exponent + 1;
    }
  }
  return count;
}

Grid::Grid(const cost::Evaluator& evaluator, const mapping::Constraints* constraints)
    : evaluator_(&evaluator), constraints_(constraints) {
  for (int l = 0; l < levels(); ++l) {
    must_[Index(l)] = evaluator.validity().levels[Index(l)].must_keep;
    may_[Index(l)] = evaluator.validity().levels[Index(l)].may_keep;
    if (constraints != nullptr) {
      must_[Index(l)] |= constraints->levels[Index(l)].must_keep;
      may_[Index(l)] &= ~constraints->levels[Index(l)].never_keep;
    }
  }
  FillDims();
  FillTiles();
  FillRates();
  for (int l = 0; l < levels(); ++l) {
    FillSpreads(l);
  }
}

void Grid::FillDims() {
  unsigned bits = 0;
  for (int d = 0; d < dims(); ++d) {
    const std::int64_t bound = compiled().bound[Index(d)];
    std::vector<std::int64_t>& values = values_[Index(d)];
    std::vector<std::uint64_t>& packed = packed_digit_[Index(d)];
    values = {1};
    packed = {0};
    for (const auto& [prime, exponent] : PrimesOf(bound)) {
      const std::size_t before = values.size();
      for (std::size_t i = 0; i < before * static_cast<std::size_t>(exponent); ++i) {
        values.push_back(values[i] * prime);
        packed.push_back(packed[i] + (std::uint64_t{1} << bits));
      }
      bits += static_cast<unsigned>(std::bit_width(static_cast<unsigned>(exponent))) + 1;
      guard_ |= std::uint64_t{1} << (bits - 1);
    }
    stride_[Index(d)] = size_;
    size_ *= static_cast<Code>(values.size());
    for (std::size_t a = 0; a < values.size(); ++a) {
      loops_[Index(d)].emplace_back();
      primes_[Index(d)].emplace_back();
      for (std::size_t b = 1; a + b < values.size(); ++b) {
        if (bound % (values[a] * values[b]) != 0) {
          continue;
        }
        const Step step = {stride_[Index(d)] * static_cast<Code>(b), values[b]};
        loops_[Index(d)].back().push_back(step);
        if (PrimesOf(values[b]).size() == 1 && PrimesOf(values[b])[0].second == 1) {
          primes_[Index(d)].back().push_back(step);
        }
      }
    }
  }
}

void Grid::FillTiles() {
  const auto size = static_cast<std::size_t>(size_);
  digit_.resize(size * Index(dims()));
  packed_.assign(size, 0);
  tiles_.assign(size, 1.0);
  for (int t = 0; t < tensors(); ++t) {
    words_[Index(t)].assign(size, 1.0);
    box_[Index(t)].assign(size, 1.0);
    still_[Index(t)].assign(size, 1.0);
    const cost::CompiledTensor& tensor = compiled().tensor[Index(t)];
    simple_[Index(t)] = tensor.windows == 0 && !tensor.joint;
  }
  for (Code x = 0; x < size_; ++x) {
    for (int d = 0; d < dims(); ++d) {
      const std::size_t digit =
          static_cast<std::size_t>(x / stride_[Index(d)]) % values_[Index(d)].size();
      digit_[At(x) * Index(dims()) + Index(d)] = static_cast<std::uint16_t>(digit);
      packed_[At(x)] += packed_digit_[Index(d)][digit];
      tiles_[At(x)] *=
          static_cast<double>(compiled().bound[Index(d)]) / static_cast<double>(Value(x, d));
    }
    for (int t = 0; t < tensors(); ++t) {
      const cost::CompiledTensor& tensor = compiled().tensor[Index(t)];
      for (int a = 0; a < tensor.axes; ++a) {
        cost::GeneratorList tile;
        double extent = 1;
        for (const mapping::WorkloadTerm& term : tensor.axis[Index(a)]) {
          tile.push_back({term.coefficient, Value(x, term.dim)});
          extent += static_cast<double>(term.coefficient * (Value(x, term.dim) - 1));
        }
        words_[Index(t)][At(x)] *=
            static_cast<double>(cost::AxisSet::Build(tile, evaluator_->policy().gap_words).size());
        box_[Index(t)][At(x)] *= extent;
      }
      for (int d = 0; d < dims(); ++d) {
        still_[Index(t)][At(x)] *= Moves(t, d) ? 1.0 : static_cast<double>(Value(x, d));
      }
    }
  }
  for (int t = 0; t < tensors(); ++t) {
    const cost::CompiledTensor& tensor = compiled().tensor[Index(t)];
    touched_[Index(t)] = 1;
    for (int a = 0; a < tensor.axes && !tensor.joint; ++a) {
      cost::GeneratorList all;
      for (const mapping::WorkloadTerm& term : tensor.axis[Index(a)]) {
        all.push_back({term.coefficient, compiled().bound[Index(term.dim)]});
      }
      touched_[Index(t)] *= static_cast<double>(cost::AxisSet::Build(all, false).size());
    }
  }
}

// A loop over a dim of its own brings whole tiles, also when an outer loop steps. Else the tile
// slides along an axis: a step of the loop shifts it by one stride. When another loop steps, this
// one starts again: the tile goes all its strides back, and whole rounds of them either way if
// there are loops over d outside, and any strides of the other dim of the axis if that has loops
// outside. What it shares with itself at most is not fresh. Of three such dims nothing is claimed.
double Grid::Fresh(int t, Code tile, Code step, int d, std::int64_t factor) const {
  const cost::CompiledTensor& tensor = compiled().tensor[Index(t)];
  int axis = 0;
  while (tensor.coefficient[Index(axis)][Index(d)] == 0) {
    ++axis;
  }
  const mapping::WorkloadAxis& terms = tensor.axis[Index(axis)];
  if (terms.size() == 1) {
    return 1;
  }
  cost::GeneratorList generators;
  std::int64_t extent = 1;
  std::int64_t other = 1;  // stride of the other dim
  std::int64_t most = 0;   // of these strides
  std::int64_t rounds = 1;
  int others = 0;
  for (const mapping::WorkloadTerm& term : terms) {
    const std::int64_t points = Value(tile, term.dim);
    generators.push_back({term.coefficient, points});
    extent += term.coefficient * (points - 1);
    const std::int64_t outside = Value(top(), term.dim) / Value(step, term.dim);
    if (term.dim != d && outside > 1) {
      ++others;
      other = term.coefficient * Value(step, term.dim);
      most = outside - 1;
    } else if (term.dim == d) {
      rounds = outside / factor;
    }
  }
  const cost::AxisSet set = cost::AxisSet::Build(generators, evaluator_->policy().gap_words);
  const std::int64_t stride = tensor.coefficient[Index(axis)][Index(d)] * Value(step, d);
  std::int64_t shared = others > 1 ? set.size() : 0;
  for (std::int64_t round = rounds > 1 ? -rounds : 1; round <= rounds && others < 2; ++round) {
    const std::int64_t shift = stride * (1 - factor * round);
    // Strides of the other dim that bring the tile near enough to overlap.
    const std::int64_t near = -shift / other;
    const std::int64_t reach = extent / other + 1;
    for (std::int64_t strides = std::max(-most, near - reach);
         strides <= std::min(most, near + reach); ++strides) {
      shared = std::max(shared, set.SelfOverlap(shift + strides * other));
    }
  }
  const auto fresh = [&set](std::int64_t words) {
    return 1.0 - static_cast<double>(words) / static_cast<double>(set.size());
  };
  return (static_cast<double>(factor - 1) * fresh(set.SelfOverlap(stride)) + fresh(shared)) /
         static_cast<double>(factor);
}

double Grid::Merge(int level, int t, const Spread& spread, Code tile) const {
  const cost::CompiledTensor& tensor = compiled().tensor[Index(t)];
  const cost::CompiledLevel& at = compiled().level[Index(level)];
  if (spread.factors == 0 || tensor.joint || !(tensor.is_output ? at.reduction : at.multicast)) {
    // Two dims of a joint tensor may hide equal tiles: it is never priced by merge.
    return 1;
  }
  double merge = Still(t, spread.factors);
  for (int a = 0; HasBit(spread.diagonal, t) && a < tensor.axes; ++a) {
    cost::GeneratorList offsets;
    std::int64_t cells = 1;
    std::int64_t fewest = 1;  // distinct offsets
    for (const mapping::WorkloadTerm& term : tensor.axis[Index(a)]) {
      const std::int64_t count = Value(spread.factors, term.dim);
      offsets.push_back({term.coefficient * (tile < 0 ? 1 : Value(tile, term.dim)), count});
      cells *= count;
      fewest += count - 1;
    }
    const std::int64_t distinct = tile < 0 ? fewest : cost::AxisSet::Build(offsets, false).size();
    merge *= static_cast<double>(cells) / static_cast<double>(distinct);
  }
  return merge;
}

// Where two dims of the fan-out share an axis, the way depends on the tile: a word for g cells
// passes g - 1 links at least. Routers: floor(hops) + 1, at least max(1, hops). Averages over
// groups keep all of this.
double Grid::Way(int level, int t, double merge, const Spread& spread) const {
  const cost::CompiledLevel& at = compiled().level[Index(level)];
  if (!at.has_network_cost || IsJoint(t)) {
    return 0;
  }
  if (!HasBit(spread.diagonal, t)) {
    return spread.way[Index(t)];
  }
  const double hops = merge - 1;
  return hops * at.hop_pj + std::max(1.0, hops) * at.router_pj +
         (IsOutput(t) ? hops * at.reduction_pj : 0.0);
}

std::uint32_t Grid::Along(int t, int d) const {
  const cost::CompiledTensor& tensor = compiled().tensor[Index(t)];
  std::uint32_t dims = 0;
  for (int a = 0; a < tensor.axes; ++a) {
    for (int e = 0; tensor.coefficient[Index(a)][Index(d)] != 0 && e < this->dims(); ++e) {
      dims |= tensor.coefficient[Index(a)][Index(e)] != 0 ? 1U << static_cast<unsigned>(e) : 0;
    }
  }
  return dims;
}

Code Grid::Part(Code x, std::uint32_t dims) const {
  Code part = 0;
  for (std::uint32_t ds = dims; ds != 0; ds &= ds - 1U) {
    const int d = std::countr_zero(ds);
    part += static_cast<Code>(Digit(x, d)) * stride_[Index(d)];
  }
  return part;
}

std::vector<PerTensor> Grid::Ways(int level, const Spread& spread, Code tile) const {
  mapping::Mapping mapping;
  mapping.levels.resize(Index(levels()));
  if (level + 1 < levels()) {
    mapping.levels[Index(level + 1)].temporal = LoopsOf(tile);
  }
  std::vector<PerTensor> ways;
  for (const Spread::Axes& axes : spread.axes) {
    mapping.levels[Index(level)].spatial_x = axes.x;
    mapping.levels[Index(level)].spatial_y = axes.y;
    cost::Nest nest;
    cost::BuildNest(compiled(), mapping, nest);
    PerTensor& way = ways.emplace_back();
    for (int t = 0; t < tensors(); ++t) {
      way[Index(t)] = cost::NetworkWordEnergy(compiled(), nest, level, t);
    }
  }
  return ways;
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
    fixed = fixed && !IsJoint(t) && !HasBit(spread.diagonal, t);
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
    words += HasBit(keep, t) ? box_[Index(t)][At(x)] : 0;
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

bool Grid::MayLoop(int level, int d) const {
  return constraints_ == nullptr ||
         constraints_->levels[Index(level)].of(mapping::LoopKind::kTemporal).max[Index(d)] != 1;
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
      rates.parent_saved = elides ? read * Touched(t) : 0;
      if (!policy.parent_accumulates && !policy.dram_accumulates) {
        rates.child[Index(t)] += at.fill_pj / block;
        rates.child_saved = elides ? at.fill_pj / block * Touched(t) : 0;
      }
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
    const auto allowed = [&](std::int64_t factor) {
      return constraints_ == nullptr ||
             constraints_->levels[Index(level)].of(kind).Allows(Index(d), factor);
    };
    for (const Code x : found) {
      if (allowed(1)) {
        next.push_back(x);
      }
      const double used = Tiles(0) / Tiles(x);
      for (const Step& step : loops_[Index(d)][Digit(x, d)]) {
        if (HasBit(may, d) && allowed(step.factor) &&
            used * static_cast<double>(step.factor) <= static_cast<double>(room)) {
          next.push_back(x + step.offset);
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
    spread.units = Tiles(0) / Tiles(product);
    for (int t = 0; t < tensors(); ++t) {
      spread.diagonal |= Diagonal(t, product) ? 1U << static_cast<unsigned>(t) : 0;
    }
    FillPlacements(level, axes, spread);
  }
  std::ranges::sort(spreads_[Index(level)], [](const Spread& a, const Spread& b) {
    return std::pair(-a.units, a.factors) < std::pair(-b.units, b.factors);
  });
}

}  // namespace sluice::verify
