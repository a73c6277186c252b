#include "mapper/walk/walker.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "arch/architecture.h"
#include "base/rng.h"
#include "base/static_vector.h"
#include "mapper/mapspace.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"

namespace sluice::mapper {

Walker::Walker(const Mapspace& space) : space_(&space) {
  mapping_.levels.resize(space.levels());
  for (std::size_t l = 0; l < space.levels(); ++l) {
    if (space.free_keeps(l) != 0) {
      keep_levels_.push_back(static_cast<std::uint8_t>(l));
    }
    if (space.slot_limit(SlotIndex(l, SlotKind::kSpatialX)) > 1 &&
        space.slot_limit(SlotIndex(l, SlotKind::kSpatialY)) > 1) {
      axis_levels_.push_back(static_cast<std::uint8_t>(l));
    }
  }
}

void Walker::Set(const Point& point) {
  point_ = point;
  changes_.clear();
  order_level_ = -1;
  keep_level_ = -1;
  touched_ = ~0U;
  Rewrite();
}

void Walker::Rewrite() {
  for (std::size_t l = 0; l < space_->levels(); ++l) {
    if ((touched_ & (1U << l)) != 0) {
      space_->WriteLevel(point_, l, mapping_.levels[l]);
    }
  }
}

void Walker::Assign(std::size_t slot, std::size_t dim, std::int32_t factor) {
  changes_.push_back(
      {static_cast<std::uint8_t>(slot), static_cast<std::uint8_t>(dim), point_.factor[slot][dim]});
  point_.factor[slot][dim] = factor;
  touched_ |= 1U << (slot / kSlotsPerLevel);
}

void Walker::RestoreFactors() {
  while (!changes_.empty()) {
    const Change& c = changes_.back();
    point_.factor[c.slot][c.dim] = c.old;
    changes_.pop_back();
  }
}

bool Walker::Propose(Rng& rng) {
  changes_.clear();
  touched_ = 0;
  order_level_ = -1;
  keep_level_ = -1;
  const std::uint32_t keep_weight = keep_levels_.empty() ? 0 : 12;
  const std::uint32_t axis_weight = axis_levels_.empty() ? 0 : 3;
  const std::uint32_t free_weight = space_->imperfect() ? 30 : 0;
  const std::uint32_t draw = rng.Below(80 + keep_weight + axis_weight + free_weight);
  bool changed = false;
  if (draw < 35) {
    changed = ShiftFactor(rng);
  } else if (draw < 60) {
    changed = ExchangeFactors(rng);
  } else if (draw < 70) {
    changed = SwapLoops(rng);
  } else if (draw < 80) {
    changed = RotateLoop(rng);
  } else if (draw < 80 + keep_weight) {
    changed = FlipKeep(rng);
  } else if (draw < 80 + keep_weight + axis_weight) {
    changed = ExchangeAxes(rng);
  } else {
    changed = FreeFactor(rng);
  }
  if (!changed) {
    RestoreFactors();
    return false;
  }
  if (space_->imperfect() && !changes_.empty()) {
    touched_ = ~0U;  // the ragged ends of a dim depend on all of its loops
  }
  Rewrite();
  return true;
}

void Walker::Undo() {
  RestoreFactors();
  if (order_level_ >= 0) {
    point_.order[static_cast<std::size_t>(order_level_)] = old_order_;
  }
  if (keep_level_ >= 0) {
    point_.keep[static_cast<std::size_t>(keep_level_)] = old_keep_;
  }
  Rewrite();
}

bool Walker::MovePrime(std::size_t dim, std::size_t from, std::size_t to, Rng& rng) {
  const std::int32_t p = DrawPrime(space_->primes(dim), point_.factor[from][dim], rng);
  if (p == 0) {
    // An imperfect factor may share no prime with the bound; FreeFactor moves those.
    return false;
  }
  if (space_->imperfect()) {
    for (const std::uint8_t s : space_->occupied(dim)) {  // trimming may touch any slot of the dim
      Assign(s, dim, point_.factor[s][dim]);
    }
    point_.factor[from][dim] /= p;
    point_.factor[to][dim] *= p;
    space_->Trim(point_, dim);
    return true;
  }
  Assign(from, dim, point_.factor[from][dim] / p);
  Assign(to, dim, point_.factor[to][dim] * p);
  return true;
}

bool Walker::ShiftFactor(Rng& rng) {
  const auto& movable = space_->movable_dims();
  if (movable.empty()) {
    return false;
  }
  const std::size_t d = movable[rng.Below(static_cast<std::uint32_t>(movable.size()))];
  const auto& slots = space_->slots(d);
  StaticVector<std::uint8_t, kMaxSlots> sources;
  for (const std::uint8_t s : slots) {
    if (point_.factor[s][d] > 1) {
      sources.push_back(s);
    }
  }
  if (sources.empty()) {
    return false;  // constraints: all factors of the dim sit on fixed slots
  }
  const std::size_t from = sources[rng.Below(static_cast<std::uint32_t>(sources.size()))];
  const std::size_t to = slots[rng.Below(static_cast<std::uint32_t>(slots.size()))];
  return from != to && MovePrime(d, from, to, rng) &&
         space_->SlotProduct(point_, to) <= space_->slot_limit(to);
}

bool Walker::ExchangeFactors(Rng& rng) {
  const auto& movable = space_->movable_dims();
  if (movable.size() < 2) {
    return false;
  }
  const auto count = static_cast<std::uint32_t>(movable.size());
  const std::uint32_t i = rng.Below(count);
  const std::uint32_t j = (i + 1 + rng.Below(count - 1)) % count;
  const std::size_t d = movable[i];
  const std::size_t e = movable[j];
  StaticVector<std::uint8_t, kMaxSlots> sources;  // slots where d can give
  StaticVector<std::uint8_t, kMaxSlots> targets;  // slots where e can give and d may go
  for (const std::uint8_t s : space_->slots(d)) {
    const auto& other = space_->slots(e);
    if (std::ranges::find(other, s) == other.end()) {
      continue;
    }
    if (point_.factor[s][d] > 1) {
      sources.push_back(s);
    }
    if (point_.factor[s][e] > 1) {
      targets.push_back(s);
    }
  }
  if (sources.empty() || targets.empty()) {
    return false;
  }
  const std::size_t a = sources[rng.Below(static_cast<std::uint32_t>(sources.size()))];
  const std::size_t b = targets[rng.Below(static_cast<std::uint32_t>(targets.size()))];
  return a != b && MovePrime(d, a, b, rng) && MovePrime(e, b, a, rng) &&
         space_->SlotProduct(point_, a) <= space_->slot_limit(a) &&
         space_->SlotProduct(point_, b) <= space_->slot_limit(b);
}

bool Walker::PickLoops(Rng& rng, std::size_t& level, std::size_t& i, std::size_t& j) const {
  StaticVector<std::uint8_t, arch::kMaxLevels> candidates;
  for (std::size_t l = 0; l + 1 < space_->levels(); ++l) {
    if (mapping_.levels[l].temporal.size() > 1) {
      candidates.push_back(static_cast<std::uint8_t>(l));
    }
  }
  if (candidates.empty()) {
    return false;
  }
  level = candidates[rng.Below(static_cast<std::uint32_t>(candidates.size()))];
  const mapping::LoopList& loops = mapping_.levels[level].temporal;
  const auto count = static_cast<std::uint32_t>(loops.size());
  const std::uint32_t first = rng.Below(count);
  const std::uint32_t second = (first + 1 + rng.Below(count - 1)) % count;
  const auto& order = point_.order[level];
  const auto end = order.begin() + static_cast<std::ptrdiff_t>(space_->dims());
  i = static_cast<std::size_t>(std::find(order.begin(), end, loops[first].dim) - order.begin());
  j = static_cast<std::size_t>(std::find(order.begin(), end, loops[second].dim) - order.begin());
  return true;
}

bool Walker::SwapLoops(Rng& rng) {
  return Reorder(
      rng, [](LoopOrder& order, std::size_t i, std::size_t j) { std::swap(order[i], order[j]); });
}

bool Walker::RotateLoop(Rng& rng) {
  return Reorder(rng, MoveLoop);
}

bool Walker::Reorder(Rng& rng, void (*change)(LoopOrder& order, std::size_t i, std::size_t j)) {
  std::size_t level = 0;
  std::size_t i = 0;
  std::size_t j = 0;
  if (!PickLoops(rng, level, i, j)) {
    return false;
  }
  order_level_ = static_cast<int>(level);
  old_order_ = point_.order[level];
  change(point_.order[level], i, j);
  space_->RestoreOrder(point_, level);
  touched_ = 1U << level;
  return true;
}

bool Walker::FlipKeep(Rng& rng) {
  const std::size_t level =
      keep_levels_[rng.Below(static_cast<std::uint32_t>(keep_levels_.size()))];
  const std::uint32_t free = space_->free_keeps(level);
  StaticVector<std::uint8_t, mapping::kMaxTensors> bits;
  for (std::size_t t = 0; t < space_->tensors(); ++t) {
    if ((free & (1U << t)) != 0) {
      bits.push_back(static_cast<std::uint8_t>(t));
    }
  }
  keep_level_ = static_cast<int>(level);
  old_keep_ = point_.keep[level];
  point_.keep[level] ^= 1U << bits[rng.Below(static_cast<std::uint32_t>(bits.size()))];
  touched_ = 1U << level;
  return true;
}

bool Walker::ExchangeAxes(Rng& rng) {
  const std::size_t level =
      axis_levels_[rng.Below(static_cast<std::uint32_t>(axis_levels_.size()))];
  const std::size_t x = SlotIndex(level, SlotKind::kSpatialX);
  const std::size_t y = SlotIndex(level, SlotKind::kSpatialY);
  bool changed = false;
  for (std::size_t d = 0; d < space_->dims(); ++d) {
    const std::int32_t on_x = point_.factor[x][d];
    const std::int32_t on_y = point_.factor[y][d];
    if (on_x == on_y) {
      continue;
    }
    const auto& slots = space_->slots(d);
    if (std::ranges::find(slots, x) == slots.end() || std::ranges::find(slots, y) == slots.end()) {
      return false;
    }
    Assign(x, d, on_y);
    Assign(y, d, on_x);
    changed = true;
  }
  return changed && space_->SlotProduct(point_, x) <= space_->slot_limit(x) &&
         space_->SlotProduct(point_, y) <= space_->slot_limit(y);
}

bool Walker::FreeFactor(Rng& rng) {
  const auto& movable = space_->movable_dims();
  if (movable.empty()) {
    return false;
  }
  const std::size_t d = movable[rng.Below(static_cast<std::uint32_t>(movable.size()))];
  const auto& slots = space_->slots(d);
  const auto count = static_cast<std::uint32_t>(slots.size());
  const std::uint32_t i = rng.Below(count);
  const std::size_t a = slots[i];
  const std::size_t b = slots[(i + 1 + rng.Below(count - 1)) % count];
  const std::int32_t factor = point_.factor[a][d];
  const std::int64_t most =
      std::min<std::int64_t>(space_->bound(d), std::int64_t{factor} * point_.factor[b][d]);
  std::int64_t wanted = 0;
  switch (rng.Below(4)) {
    case 0:
      wanted = factor + 1;
      break;
    case 1:
      wanted = factor - 1;
      break;
    case 2:
      wanted = std::int64_t{factor} * 2;
      break;
    default:
      wanted = rng.Between(1, most);
      break;
  }
  if (wanted < 1 || wanted > most || wanted == factor) {
    return false;
  }
  for (const std::uint8_t s : space_->occupied(d)) {  // trimming may touch any slot of the dim
    Assign(s, d, point_.factor[s][d]);
  }
  return space_->SetImperfect(point_, d, a, static_cast<std::int32_t>(wanted), b);
}

}  // namespace sluice::mapper
