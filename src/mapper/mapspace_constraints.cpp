/// \file
/// What constraints change in a map space: which slots are free, how far factors may go, how loops
/// are ordered, and where the smallest point comes from. See mapspace.h.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>

#include "base/rng.h"
#include "mapper/feasible.h"
#include "mapper/mapspace.h"
#include "mapping/constraints.h"

namespace sluice::mapper {

void MoveLoop(LoopOrder& order, std::size_t from, std::size_t to) {
  const std::uint8_t moved = order[from];
  for (; from < to; ++from) {
    order[from] = order[from + 1];
  }
  for (; from > to; --from) {
    order[from] = order[from - 1];
  }
  order[to] = moved;
}

SpaceLimits Mapspace::Limits() const {
  SpaceLimits limits;
  for (auto& slot : limits.min) {
    slot.fill(1);
  }
  for (auto& slot : limits.max) {
    slot.fill(1);
  }
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  for (std::size_t d = 0; d < dims_; ++d) {
    for (const std::uint8_t s : occupied_[d]) {
      std::int64_t max = std::min(slot_limit_[s], bounds_[d]);
      if (constraints_ != nullptr) {
        const auto& loops = constraints_->levels[s / kSlotsPerLevel].loops[s % kSlotsPerLevel];
        limits.min[s][d] = static_cast<std::int32_t>(std::min(loops.min[d], kMost));
        max = std::min(max, loops.max[d]);
      }
      limits.max[s][d] = static_cast<std::int32_t>(std::min(max, kMost));
    }
  }
  for (std::size_t l = 0; l < levels_; ++l) {
    limits.must_keep[l] = keep_must_[l];
  }
  return limits;
}

void Mapspace::Constrain() {
  for (std::size_t l = 0; l < levels_; ++l) {
    const mapping::Constraints::Level& rules = constraints_->levels[l];
    keep_must_[l] |= rules.must_keep & keep_free_[l];
    keep_free_[l] &= ~(rules.must_keep | rules.never_keep);
  }
  const SpaceLimits limits = Limits();
  for (std::size_t d = 0; d < dims_; ++d) {
    const SlotList allowed = slots_[d];
    slots_[d].clear();
    occupied_[d].clear();
    for (const std::uint8_t s : allowed) {
      ranges_[s][d] = {limits.min[s][d], limits.max[s][d]};
      if (limits.min[s][d] != limits.max[s][d]) {
        slots_[d].push_back(s);
      }
      if (limits.max[s][d] > 1) {
        occupied_[d].push_back(s);
      }
    }
    home_[d] = slots_[d].empty() ? std::uint8_t{0} : slots_[d][0];
  }
  Feasibility feasibility = FindFeasible(*workload_, *chain_, limits, imperfect_);
  reasons_ = std::move(feasibility.reasons);
  if (feasibility.point) {
    smallest_ = *feasibility.point;
    for (std::size_t l = 0; l < levels_; ++l) {
      RestoreOrder(smallest_, l);
    }
  }
}

bool Mapspace::WithinLimits(const Point& point, std::size_t dim) const {
  return std::ranges::all_of(occupied_[dim], [&](std::uint8_t s) {
    const Range& range = ranges_[s][dim];
    return range.min <= point.factor[s][dim] && point.factor[s][dim] <= range.max;
  });
}

void Mapspace::RestoreOrder(Point& point, std::size_t level) const {
  if (constraints_ == nullptr) {
    return;
  }
  const mapping::Constraints::Level& rules = constraints_->levels[level];
  auto& order = point.order[level];
  const auto move = [&](std::uint8_t dim, std::size_t to) {
    const auto from = static_cast<std::size_t>(std::ranges::find(order, dim) - order.begin());
    MoveLoop(order, from, to);
  };
  for (std::size_t i = 0; i < rules.outermost.size(); ++i) {
    move(rules.outermost[i], i);
  }
  for (std::size_t i = 0; i < rules.innermost.size(); ++i) {
    move(rules.innermost[i], dims_ - 1 - i);
  }
}

void Mapspace::ScatterPrimes(Point& point, std::size_t dim, Rng& rng) const {
  const SlotList& slots = slots_[dim];
  const Point start = point;
  for (const std::uint8_t from : slots) {
    std::int32_t left = start.factor[from][dim];
    for (std::int32_t p = DrawPrime(primes_[dim], left, rng); p > 1;
         p = DrawPrime(primes_[dim], left, rng)) {
      left /= p;
      const std::size_t to = slots[rng.Below(static_cast<std::uint32_t>(slots.size()))];
      point.factor[from][dim] /= p;
      point.factor[to][dim] *= p;
      if (!WithinLimits(point, dim) || SlotProduct(point, to) > slot_limit_[to]) {
        point.factor[to][dim] /= p;
        point.factor[from][dim] *= p;
      }
    }
  }
}

std::size_t Mapspace::OuterSlot(std::size_t dim, std::size_t level, Rng& rng) const {
  if (constraints_ == nullptr) {
    return SlotIndex(rng.Below(static_cast<std::uint32_t>(level)), SlotKind::kTemporal);
  }
  SlotList outer;
  for (const std::uint8_t s : slots_[dim]) {
    if (s < SlotIndex(level, SlotKind::kTemporal) && s % kSlotsPerLevel == 0) {
      outer.push_back(s);
    }
  }
  return outer.empty() ? kMaxSlots : outer[rng.Below(static_cast<std::uint32_t>(outer.size()))];
}

}  // namespace sluice::mapper
