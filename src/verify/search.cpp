#include "verify/search.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <tuple>
#include <utility>
#include <vector>

#include "cost/compiled.h"
#include "cost/cost.h"
#include "cost/policy.h"
#include "mapping/mapping.h"
#include "verify/grid.h"
#include "verify/states.h"
#include "verify/verify.h"

namespace sluice::verify {

using cost::HasBit;
using cost::Index;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

constexpr std::uint32_t Bit(int i) {
  return 1U << static_cast<unsigned>(i);
}

}  // namespace

Search::Search(const Grid& grid, cost::Objective objective, double limit, const Limits& limits)
    : grid_(&grid), objective_(objective), limit_(limit), limits_(&limits) {
  const bool timed = objective != cost::Objective::kEnergy || grid.leakage() > 0;
  for (int l = 0; timed && l < grid.levels(); ++l) {
    const cost::CompiledLevel& level = grid.compiled().level[Index(l)];
    for (const auto& [kind, bandwidth] : {std::pair(Port::kRead, level.read_bandwidth),
                                          std::pair(Port::kWrite, level.write_bandwidth),
                                          std::pair(Port::kNetwork, level.network_bandwidth)}) {
      if (bandwidth > 0 && ports_.size() < kPorts) {
        ports_.push_back({l, kind, bandwidth});
      }
    }
  }
  mapping_.levels.resize(Index(grid.levels()));
  int fans = 0;
  for (int l = 0; l < grid.levels(); ++l) {
    const cost::CompiledLevel& level = grid.compiled().level[Index(l)];
    if (level.fan_x * level.fan_y > 1) {
      only_fan_out_ = ++fans > 1 ? -1 : l;
    }
  }
}

bool Search::Late() {
  if (!late_ && (++ticks_ & 0xFF) == 0) {
    late_ = (limits_->stop != nullptr && limits_->stop->load(std::memory_order_relaxed)) ||
            (limits_->seconds < kInfinity &&
             std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count() >
                 limits_->seconds);
  }
  return late_;
}

void Search::CountInto(Report& report) const {
  report.choices = choices_;
  report.opened = opened_;
  report.nodes = nodes_;
  report.mappings = mappings_;
}

double Search::Value(const Cost& cost, double cycles) const {
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    cycles = std::max(cycles, cost.port[i]);
  }
  const double energy = cost.energy + grid_->leakage() * cycles;
  return objective_ == cost::Objective::kEnergy    ? energy
         : objective_ == cost::Objective::kLatency ? cycles
                                                   : energy * cycles;
}

bool Search::Closed(const Cost& outside, const Frontier& rest, double cycles) const {
  return std::ranges::none_of(rest, [&](Cost cost) {
    cost.Add(outside, 1);
    return Value(cost, cycles) < limit_;
  });
}

void Search::Run() {
  Layer& outer = At(0);
  outer.keep = Bit(grid_->tensors()) - 1U;
  outer.price = grid_->RatesAt(0).parent;
  outer.served.fill(1);
  outer.saved = grid_->RatesAt(0).parent_saved;
  outer.constant.energy = grid_->points() * grid_->compiled().compute_pj_per_point;
  EnterBase(0);
  mapping_.levels[0].keep = outer.keep;
  Decide(0);
}

// All spatial factors of the fan-out below the level, and all that the next level may keep.
void Search::Decide(int level) {
  for (const Spread& spread : grid_->Spreads(level)) {
    if (better_ || Late()) {
      return;
    }
    const double units = At(level).units * spread.units;
    const bool last = level + 1 == grid_->levels();
    const double cycles = grid_->ComputeCycles(units * (last ? 1 : grid_->UnitsBelow(level + 1)));
    if (Value(At(level).base, cycles) >= limit_) {
      return;  // spreads come by falling units
    }
    if (!Holds(level, spread.factors)) {
      continue;  // together with those outside they do not divide the operator, or have no room
    }
    if (last) {
      Compute(spread);
      continue;
    }
    const std::uint32_t must = grid_->Must(level + 1);
    const std::uint32_t free = grid_->May(level + 1) & ~must;
    for (std::uint32_t chosen = free;; chosen = (chosen - 1) & free) {
      ++choices_;
      Enter(level + 1, spread, must | chosen);
      const Layer& layer = At(level + 1);
      Cost least = layer.base;
      for (int t = 0; t < grid_->tensors(); ++t) {
        least.Add(layer.unit[Index(t)], layer.least[Index(t)]);
      }
      if (Holds(level + 1, 0) && !Closed(least, Rest(level, spread.factors, 0), layer.cycles)) {
        ++opened_;
        Decide(level + 1);
      }
      if (chosen == 0) {
        break;
      }
    }
  }
}

void Search::Enter(int level, const Spread& spread, std::uint32_t keep) {
  const Layer& above = At(level - 1);
  Layer& layer = At(level);
  const int output = grid_->tensors() - 1;
  layer.keep = keep;
  layer.spread = &spread;
  layer.units = above.units * spread.units;
  layer.copies = above.copies * grid_->Still(output, spread.factors);
  layer.saved = above.saved;
  layer.constant = above.constant;
  layer.source = above.source;
  layer.diagonal = 0;
  for (int l = 0; l < level; ++l) {
    layer.space[Index(l)] = above.space[Index(l)] + spread.factors;
  }
  layer.space[Index(level)] = 0;
  layer.states.clear();
  layer.unit_at.clear();
  for (int t = 0; t < grid_->tensors(); ++t) {
    const double merge = grid_->Merge(level - 1, t, spread, -1);
    const double way = HasBit(spread.diagonal, t) ? 0 : grid_->Way(level - 1, t, merge, spread);
    layer.price[Index(t)] = (above.price[Index(t)] + way) / merge;
    layer.served[Index(t)] = above.served[Index(t)] / merge;
    layer.unit[Index(t)] = {};
    layer.least[Index(t)] = 0;
    if (HasBit(keep, t)) {
      EnterEdge(level, t);
    }
  }
  EnterBase(level);
  mapping_.levels[Index(level)].keep = keep;
}

// The edge into a level that keeps t, from the next level outside that does.
void Search::EnterEdge(int level, int t) {
  Layer& layer = At(level);
  const int parent = layer.source[Index(t)];
  const Grid::Rates& rates = grid_->RatesAt(level);
  layer.parent[Index(t)] = parent;
  for (int l = parent + 1; l <= level; ++l) {
    layer.diagonal |= At(l).spread->diagonal & Bit(t);
  }
  if (!grid_->IsJoint(t)) {
    layer.least[Index(t)] = grid_->Touched(t) * grid_->Still(t, layer.space[0]);
    layer.unit[Index(t)] = UnitOf(t, parent, level, layer.price[Index(t)], layer.served[Index(t)]);
  }
  if (Hops(t)) {
    // Only the distinct words are sure to be read at the parent.
    double read = kInfinity;
    for (int l = 0; l < level; ++l) {
      read = std::min(read, grid_->RatesAt(l).parent[Index(t)]);
    }
    layer.constant.energy += grid_->Touched(t) * read;
  }
  if (grid_->IsOutput(t)) {
    layer.constant.energy -= layer.saved + rates.child_saved * layer.copies;
    layer.saved = rates.parent_saved * layer.copies;
  }
  layer.source[Index(t)] = level;
  layer.price[Index(t)] = rates.parent[Index(t)];
  layer.served[Index(t)] = 1;
}

// The least that Rest does not count: the operands of the compute units, each from the cheapest
// level that may serve it.
void Search::EnterBase(int level) {
  Layer& layer = At(level);
  layer.base = layer.constant;
  layer.cycles = grid_->ComputeCycles(layer.units * grid_->UnitsBelow(level));
  for (int t = 0; t < grid_->tensors(); ++t) {
    const auto feed = [&](double rate, double saved, int from) {
      const double inside = grid_->UnitsBelow(from);
      return grid_->points() / inside * rate - (grid_->IsOutput(t) ? saved / inside : 0);
    };
    double least = kInfinity;
    bool kept = false;  // by a level inside
    for (int l = grid_->levels() - 1; l > level && !kept; --l) {
      if (HasBit(grid_->May(l), t)) {
        const Grid::Rates& rates = grid_->RatesAt(l);
        least = std::min(
            least, feed(rates.parent[Index(t)], rates.parent_saved * grid_->UnitsBelow(0), l));
        kept = HasBit(grid_->Must(l), t);
      }
    }
    if (!kept) {
      least = std::min(least,
                       feed(layer.price[Index(t)], layer.saved * grid_->UnitsBelow(level), level));
    }
    layer.base.energy += grid_->IsJoint(t) ? 0 : std::max(0.0, least);
  }
}

// What one word of t costs that reaches `child` (levels: a compute unit).
Cost Search::UnitOf(int t, int parent, int child, double price, double served) const {
  const bool output = grid_->IsOutput(t);
  const bool inside = child < grid_->levels();
  const bool hops = inside && Hops(t);
  Cost unit;
  if (objective_ != cost::Objective::kLatency) {
    unit.energy = (hops ? 0 : price) + (inside ? grid_->RatesAt(child).child[Index(t)] : 0);
  }
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    const Port& port = ports_[i];
    const bool reads = port.kind == Port::kRead;
    const bool writes = port.kind == Port::kWrite;
    double words = 0;
    if (port.level == parent && !hops) {
      const bool passes = port.kind == Port::kNetwork || (reads && !output) || (writes && output);
      words = passes ? served : 0;
    } else if (port.level == child) {
      const bool drained = output && grid_->evaluator().policy().child_read_on_drain;
      words = (writes && !output) || (reads && drained) ? 1 : 0;
    }
    if (words > 0) {
      unit.port[i] = words / (port.bandwidth * At(port.level).units);
    }
  }
  return unit;
}

// The same where merges depend on the tile: `tile` is what the child holds in dims that move t, and
// the fan-outs inside `level` meet no other.
const Cost& Search::UnitAt(int t, int child, int level, Code tile) {
  const cost::CompiledTensor& tensor = grid_->compiled().tensor[Index(t)];
  const Code window = grid_->Part(tile, tensor.dims & ~tensor.single_dims);
  const auto [place, fresh] = At(child).unit_at.try_emplace(std::array{window, t, level});
  if (!fresh) {
    return place->second;
  }
  const int parent = At(child).parent[Index(t)];
  double price = grid_->RatesAt(parent).parent[Index(t)];
  double served = 1;
  for (int l = parent; l < child; ++l) {
    const Spread& spread = *At(l + 1).spread;
    const bool known = l >= level;
    const double merge =
        grid_->Merge(l, t, spread, known ? tile + At(child).space[Index(l + 1)] : -1);
    const bool free = HasBit(spread.diagonal, t) && !known;
    price = (price + (free ? 0 : grid_->Way(l, t, merge, spread))) / merge;
    served /= merge;
  }
  return place->second = UnitOf(t, parent, child, price, served);
}

// Grid::Fresh, which depends on the dims of one axis only.
double Search::Fresh(int t, Code tile, Code step, int d, std::int64_t factor) {
  const std::uint32_t axis = grid_->Along(t, d);
  const auto [place, fresh] = fresh_[Index(t)].try_emplace(
      std::tuple(grid_->Part(tile, axis), grid_->Part(step, axis), d, factor));
  return fresh ? place->second = grid_->Fresh(t, tile, step, d, factor) : place->second;
}

// What the open edges of t cost when a loop over d around x is the first that moves it (-1: none
// does).
Cost Search::Moved(int t, Open open, int level, Code x, int d, std::int64_t factor) {
  Cost sum;
  for (int child = OpenOf(open, t); child > level; child = At(child).parent[Index(t)]) {
    const Layer& layer = At(child);
    const Code tile = x - layer.space[Index(level)];
    double words = grid_->Words(t, tile) * grid_->Tiles(tile);
    if (!grid_->Simple(t) && d >= 0) {
      words *= grid_->IsJoint(t) ? 0 : Fresh(t, tile, x, d, factor);
    }
    words = std::max(words, layer.least[Index(t)]);
    sum.Add(HasBit(layer.diagonal, t) ? UnitAt(t, child, level, tile) : layer.unit[Index(t)],
            grid_->IsJoint(t) ? 0 : words);
  }
  return sum;
}

// What words for the compute units cost in the fan-out above a level that lets them pass, beyond
// the least that any tile allows.
Cost Search::Crossed(int level, Code tile) const {
  const Layer& layer = At(level);
  const Layer& above = At(level - 1);
  Cost sum;
  for (int t = 0; t < grid_->tensors(); ++t) {
    bool passes = HasBit(layer.spread->diagonal & ~layer.keep, t);
    for (int l = level + 1; l < grid_->levels(); ++l) {
      passes = passes && !HasBit(grid_->May(l), t);
    }
    if (passes) {
      const double merge = grid_->Merge(level - 1, t, *layer.spread, tile);
      const double way = grid_->Way(level - 1, t, merge, *layer.spread);
      const int source = layer.source[Index(t)];
      const double words = grid_->points() / grid_->UnitsBelow(level);
      sum.Add(UnitOf(t, source, grid_->levels(), (above.price[Index(t)] + way) / merge,
                     above.served[Index(t)] / merge),
              words);
      sum.Add(UnitOf(t, source, grid_->levels(), layer.price[Index(t)], layer.served[Index(t)]),
              -words);
    }
  }
  return sum;
}

// Everything decided but the loops.
void Search::Compute(const Spread& spread) {
  const int last = grid_->levels() - 1;
  const Layer& layer = At(last);
  compute_ = &spread;
  decided_ = layer.constant;
  decided_.energy -= layer.saved;
  cycles_ = grid_->ComputeCycles(layer.units * spread.units);
  for (int t = 0; t < grid_->tensors(); ++t) {
    const double merge = grid_->Merge(last, t, spread, 0);
    const double price = (layer.price[Index(t)] + grid_->Way(last, t, merge, spread)) / merge;
    const Cost unit =
        UnitOf(t, layer.source[Index(t)], grid_->levels(), price, layer.served[Index(t)] / merge);
    decided_.Add(unit, grid_->IsJoint(t) ? 1 : grid_->points());
  }
  Walk walk;
  walk.level = last;
  walk.start = walk.tile = spread.factors;
  walk.sum = decided_;
  Follow(walk);
}

const Frontier& Search::Rest(int level, Code x, Open open) {
  int owner = level;
  for (int t = 0; t < grid_->tensors(); ++t) {
    owner = std::max(owner, OpenOf(open, t));
  }
  Layer& layer = At(owner);
  const std::uint64_t key = static_cast<std::uint64_t>(x) |
                            static_cast<std::uint64_t>(open) << 24U |
                            static_cast<std::uint64_t>(level) << 48U;
  const auto [place, fresh] = layer.states.try_emplace(key);
  Frontier& rest = place->second;  // stays where it is when others are added
  if (fresh && !Late()) {
    ++nodes_;
    Frontier found;
    RestOf(level, x, open, layer, found);
    rest = std::move(found);
  }
  return rest;
}

void Search::RestOf(int level, Code x, Open open, const Layer& layer, Frontier& found) {
  if (level == 0 && (open == 0 || x == grid_->top())) {
    Cost cost;
    for (int t = 0; t < grid_->tensors(); ++t) {
      cost.Add(Moved(t, open, 0, x, -1, 1), 1);
    }
    found.Insert(cost);
    return;
  }
  if (level > 0) {
    const Code next = x + At(level).spread->factors;
    if (Holds(level - 1, next)) {
      AddAll(Rest(level - 1, next, Kept(level, open)), Crossed(level, x), layer, found);
    }
  }
  for (int d = 0; d < grid_->dims(); ++d) {
    if (!grid_->MayLoop(level, d)) {
      continue;
    }
    Open after = open;
    bool slides = false;
    for (int t = 0; t < grid_->tensors(); ++t) {
      if (OpenOf(open, t) != 0 && grid_->Moves(t, d)) {
        after &= ~OpenAt(t, 0xF);
        slides = slides || !grid_->Simple(t);
      }
    }
    for (const Step& step : grid_->Loops(level, x, d, !slides)) {
      if (!Holds(level, x + step.offset)) {
        continue;
      }
      Cost cost;
      for (int t = 0; after != open && t < grid_->tensors(); ++t) {
        if (OpenOf(open, t) != OpenOf(after, t)) {
          cost.Add(Moved(t, open, level, x, d, step.factor), 1);
        }
      }
      AddAll(Rest(level, x + step.offset, after), cost, layer, found);
    }
  }
}

void Search::AddAll(const Frontier& from, const Cost& cost, const Layer& layer,
                    Frontier& to) const {
  for (Cost sum : from) {
    sum.Add(cost, 1);
    Cost all = sum;
    all.Add(layer.base, 1);
    if (Value(all, layer.cycles) < limit_) {
      to.Insert(sum);
    }
  }
}

// Whether the level can hold a multiple of x, and the fan-outs outside as many of it.
bool Search::Holds(int level, Code x) const {
  const Layer& layer = At(level);
  return grid_->Times(x, layer.space[0]) >= 0 && grid_->Fits(level, layer.keep, x);
}

// The edges of what a level keeps open when its loops end.
Search::Open Search::Kept(int level, Open open) const {
  for (int t = 0; t < grid_->tensors(); ++t) {
    if (HasBit(At(level).keep, t) && OpenOf(open, t) == 0) {
      open |= OpenAt(t, level);
    }
  }
  return open;
}

}  // namespace sluice::verify
