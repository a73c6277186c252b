#include "mapper/mapspace.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "arch/architecture.h"
#include "base/checked.h"
#include "base/rng.h"
#include "base/static_vector.h"
#include "mapper/feasible.h"
#include "mapping/constraints.h"
#include "mapping/mapping.h"
#include "mapping/validity.h"
#include "mapping/workload.h"

namespace sluice::mapper {
namespace {

constexpr std::int64_t kUnlimited = std::numeric_limits<std::int64_t>::max();

std::uint32_t Bit(std::size_t i) {
  return 1U << i;
}

}  // namespace

std::int32_t DrawPrime(const Mapspace::PrimeList& list, std::int32_t factor, Rng& rng) {
  StaticVector<std::int32_t, 16> dividing;
  for (const std::int32_t p : list) {
    if (factor % p == 0) {
      dividing.push_back(p);
    }
  }
  if (dividing.empty()) {
    return 0;
  }
  return dividing[rng.Below(static_cast<std::uint32_t>(dividing.size()))];
}

Mapspace::Mapspace(const mapping::Workload& workload, const arch::Chain& chain, bool imperfect,
                   const mapping::Constraints* constraints)
    : workload_(&workload),
      chain_(&chain),
      constraints_(constraints),
      imperfect_(imperfect),
      levels_(chain.levels.size()),
      dims_(static_cast<std::size_t>(workload.dims())),
      tensors_(workload.tensors.size()) {
  slot_limit_.fill(kUnlimited);
  std::array<std::uint32_t, kMaxSlots> allowed{};
  const mapping::ValidityTable table = mapping::MakeValidityTable(workload, chain);
  for (std::size_t l = 0; l < levels_; ++l) {
    const mapping::ValidityTable::Level& limits = table.levels[l];
    const std::size_t x = SlotIndex(l, SlotKind::kSpatialX);
    const std::size_t y = SlotIndex(l, SlotKind::kSpatialY);
    allowed[SlotIndex(l, SlotKind::kTemporal)] = ~0U;
    allowed[x] = limits.x > 1 ? limits.may_unroll_x : 0U;
    allowed[y] = limits.y > 1 ? limits.may_unroll_y : 0U;
    slot_limit_[x] = limits.x;
    slot_limit_[y] = limits.y;
    usable_words_[l] = limits.usable_words;
    keep_must_[l] = limits.must_keep;
    keep_free_[l] = limits.may_keep & ~limits.must_keep;
  }
  bool reported = false;  // by Infeasible
  for (std::size_t d = 0; d < dims_; ++d) {
    bounds_[d] = workload.bounds[d];
    for (std::size_t s = 0; s < kSlotsPerLevel * levels_; ++s) {
      if ((allowed[s] & Bit(d)) != 0) {
        slots_[d].push_back(static_cast<std::uint8_t>(s));
      }
    }
    if (bounds_[d] > std::numeric_limits<std::int32_t>::max()) {
      reported = true;
      continue;
    }
    Factorize(d);
  }
  occupied_ = slots_;
  if (constraints_ != nullptr && !reported) {
    Constrain();
  }
  for (std::size_t d = 0; d < dims_; ++d) {
    if (bounds_[d] > 1 && bounds_[d] <= std::numeric_limits<std::int32_t>::max() &&
        slots_[d].size() > 1) {
      movable_.push_back(static_cast<std::uint8_t>(d));
    }
  }
}

void Mapspace::Factorize(std::size_t dim) {
  std::int64_t rest = bounds_[dim];
  for (std::int64_t p = 2; rest > 1; ++p) {
    p = p * p > rest ? rest : p;
    if (rest % p == 0) {
      primes_[dim].push_back(static_cast<std::int32_t>(p));
    }
    for (; rest % p == 0; rest /= p) {
      prime_multiset_[dim].push_back(static_cast<std::int32_t>(p));
      ++prime_factor_count_;
    }
  }
}

std::vector<mapping::Violation> Mapspace::Infeasible() const {
  std::vector<mapping::Violation> violations;
  for (std::size_t d = 0; d < dims_; ++d) {
    if (bounds_[d] > std::numeric_limits<std::int32_t>::max()) {
      mapping::Violation v;
      v.dim = static_cast<int>(d);
      v.message = "dim " + workload_->dim_names[d] + " has bound " + std::to_string(bounds_[d]) +
                  "; one loop runs at most 2147483647 times";
      violations.push_back(std::move(v));
    }
  }
  if (!violations.empty()) {
    return violations;
  }
  if (constraints_ != nullptr) {
    return reasons_;
  }
  const Point smallest = Outermost();
  return Fits(smallest) ? violations
                        : FindFeasible(*workload_, *chain_, Limits(), imperfect_).reasons;
}

Point Mapspace::Outermost() const {
  if (constraints_ != nullptr) {
    return smallest_;
  }
  Point point;
  for (auto& slot : point.factor) {
    slot.fill(1);
  }
  for (std::size_t d = 0; d < dims_; ++d) {
    point.factor[0][d] = static_cast<std::int32_t>(bounds_[d]);
  }
  for (std::size_t l = 0; l < levels_; ++l) {
    for (std::size_t d = 0; d < dims_; ++d) {
      point.order[l][d] = static_cast<std::uint8_t>(d);
    }
    point.keep[l] = keep_must_[l];
  }
  return point;
}

void Mapspace::ShuffleOrders(Point& point, Rng& rng) const {
  for (std::size_t l = 0; l < levels_; ++l) {
    for (std::size_t i = dims_; i > 1; --i) {
      std::swap(point.order[l][i - 1], point.order[l][rng.Below(static_cast<std::uint32_t>(i))]);
    }
    RestoreOrder(point, l);
  }
}

void Mapspace::RandomKeeps(Point& point, Rng& rng) const {
  for (std::size_t l = 0; l < levels_; ++l) {
    point.keep[l] = keep_must_[l] | (keep_free_[l] & static_cast<std::uint32_t>(rng.Next() >> 32U));
  }
}

Point Mapspace::Random(Rng& rng) const {
  Point point = Outermost();
  ShuffleOrders(point, rng);
  RandomKeeps(point, rng);
  std::array<std::int64_t, kMaxSlots> room = slot_limit_;
  for (const std::uint8_t d : movable_) {
    if (imperfect_) {
      DrawFactors(point, d, rng);
    } else if (constraints_ != nullptr) {
      ScatterPrimes(point, d, rng);
    } else {
      SpreadPrimes(point, d, room, rng);
    }
  }
  return point;
}

void Mapspace::DrawFactors(Point& point, std::size_t dim, Rng& rng) const {
  const auto slot_count = static_cast<std::uint32_t>(slots_[dim].size());
  for (int draws = 0; draws < 3; ++draws) {
    const std::size_t s = slots_[dim][1 + rng.Below(slot_count - 1)];
    const std::int64_t taken = point.factor[s][dim];
    const std::int64_t room = slot_limit_[s] == kUnlimited
                                  ? kUnlimited
                                  : slot_limit_[s] / (SlotProduct(point, s) / taken);
    const std::int64_t most = std::min<std::int64_t>(room, point.factor[home_[dim]][dim]);
    if (taken == 1 && most > 1) {
      const Point before = point;
      SetImperfect(point, dim, s, static_cast<std::int32_t>(rng.Between(1, most)), home_[dim]);
      if (constraints_ != nullptr && !WithinLimits(point, dim)) {
        point = before;
      }
    }
  }
}

void Mapspace::SpreadPrimes(Point& point, std::size_t dim,
                            std::array<std::int64_t, kMaxSlots>& room, Rng& rng) const {
  const auto slot_count = static_cast<std::uint32_t>(slots_[dim].size());
  for (const std::int32_t p : prime_multiset_[dim]) {
    const std::size_t s = slots_[dim][rng.Below(slot_count)];
    if (s == 0 || room[s] < p) {
      continue;
    }
    if (room[s] != kUnlimited) {
      room[s] /= p;
    }
    point.factor[0][dim] /= p;
    point.factor[s][dim] *= p;
  }
}

void Mapspace::FillFromOutside(Point& point, std::size_t slot, Rng& rng) const {
  StaticVector<std::uint8_t, mapping::kMaxDims> candidates;
  for (const std::uint8_t d : movable_) {
    if (std::ranges::find(slots_[d], slot) != slots_[d].end() && home_[d] != slot) {
      candidates.push_back(d);
    }
  }
  while (!candidates.empty()) {
    const std::uint32_t i = rng.Below(static_cast<std::uint32_t>(candidates.size()));
    const std::size_t d = candidates[i];
    const std::size_t home = home_[d];
    const Point before = point;
    bool moved = false;
    if (imperfect_ && point.factor[home][d] > 1) {
      const std::int64_t other = SlotProduct(point, slot) / point.factor[slot][d];
      const std::int64_t wanted =
          slot_limit_[slot] == kUnlimited
              ? std::int64_t{2} * point.factor[slot][d]
              : std::min<std::int64_t>(slot_limit_[slot] / other,
                                       std::int64_t{point.factor[slot][d]} * point.factor[home][d]);
      moved = wanted > point.factor[slot][d] &&
              SetImperfect(point, d, slot, static_cast<std::int32_t>(wanted), home);
    } else if (const std::int32_t p = DrawPrime(primes_[d], point.factor[home][d], rng); p > 1) {
      point.factor[home][d] /= p;
      point.factor[slot][d] *= p;
      moved = SlotProduct(point, slot) <= slot_limit_[slot];
    }
    if (!moved || !Fits(point)) {
      point = before;
      candidates.erase(i);
    }
  }
}

Point Mapspace::Greedy(Rng& rng) const {
  Point point = Outermost();
  ShuffleOrders(point, rng);
  RandomKeeps(point, rng);
  Repair(point, rng);
  for (std::size_t l = levels_; l-- > 0;) {
    const bool x_first = rng.Below(2) == 0;
    FillFromOutside(point, SlotIndex(l, x_first ? SlotKind::kSpatialX : SlotKind::kSpatialY), rng);
    FillFromOutside(point, SlotIndex(l, x_first ? SlotKind::kSpatialY : SlotKind::kSpatialX), rng);
  }
  for (std::size_t l = levels_; l-- > 1;) {
    FillFromOutside(point, SlotIndex(l, SlotKind::kTemporal), rng);
  }
  return point;
}

std::int64_t Mapspace::SlotProduct(const Point& point, std::size_t slot) const {
  std::int64_t product = 1;
  for (std::size_t d = 0; d < dims_; ++d) {
    product *= point.factor[slot][d];
  }
  return product;
}

Mapspace::Extents Mapspace::TileExtents(const Point& point, std::size_t level) const {
  Extents extents;
  extents.fill(1);
  for (std::size_t s = SlotIndex(level, SlotKind::kTemporal); s < kSlotsPerLevel * levels_; ++s) {
    for (std::size_t d = 0; d < dims_; ++d) {
      extents[d] *= point.factor[s][d];
    }
  }
  if (imperfect_) {
    for (std::size_t d = 0; d < dims_; ++d) {
      extents[d] = std::min(extents[d], bounds_[d]);
    }
  }
  return extents;
}

std::int64_t Mapspace::TileWords(std::size_t tensor, const Extents& extents) const {
  std::int64_t words = 1;
  for (const mapping::WorkloadAxis& axis : workload_->tensors[tensor].axes) {
    std::int64_t extent = 1;
    for (const mapping::WorkloadTerm& term : axis) {
      extent += term.coefficient * (extents[static_cast<std::size_t>(term.dim)] - 1);
    }
    words *= extent;
  }
  return words;
}

bool Mapspace::LevelFits(const Point& point, std::size_t level, const Extents& extents) const {
  if (usable_words_[level] == kUnlimited) {
    return true;
  }
  std::int64_t words = 0;
  for (std::size_t t = 0; t < tensors_; ++t) {
    if ((point.keep[level] & Bit(t)) != 0) {
      words += TileWords(t, extents);
    }
  }
  return words <= usable_words_[level];
}

bool Mapspace::Fits(const Point& point) const {
  for (std::size_t d = 0; constraints_ != nullptr && d < dims_; ++d) {
    if (!WithinLimits(point, d)) {
      return false;
    }
  }
  Extents inside;
  inside.fill(1);
  for (std::size_t l = levels_; l-- > 0;) {
    const std::size_t s = SlotIndex(l, SlotKind::kTemporal);
    for (std::size_t d = 0; d < dims_; ++d) {
      inside[d] *=
          std::int64_t{point.factor[s][d]} * point.factor[s + 1][d] * point.factor[s + 2][d];
    }
    Extents extents = inside;
    if (imperfect_) {
      for (std::size_t d = 0; d < dims_; ++d) {
        extents[d] = std::min(extents[d], bounds_[d]);
      }
    }
    if (!LevelFits(point, l, extents)) {
      return false;
    }
  }
  return true;
}

void Mapspace::MoveOut(Point& point, std::size_t dim, std::size_t from, std::size_t to,
                       Rng& rng) const {
  if (imperfect_) {
    const std::size_t outer = constraints_ != nullptr ? to : 0;
    SetImperfect(point, dim, from, std::max(1, point.factor[from][dim] / 2), outer);
    return;
  }
  // The factors of a perfect point are products of these primes: one divides. Without, all moves.
  const std::int32_t p = DrawPrime(primes_[dim], point.factor[from][dim], rng);
  const std::int32_t moved = p > 0 ? p : point.factor[from][dim];
  point.factor[from][dim] /= moved;
  point.factor[to][dim] *= moved;
}

bool Mapspace::ShrinkTile(Point& point, std::size_t level, Rng& rng) const {
  std::uint32_t relevant = 0;
  for (std::size_t t = 0; t < tensors_; ++t) {
    relevant |= (point.keep[level] & Bit(t)) != 0 ? workload_->tensors[t].dims : 0U;
  }
  struct Candidate {
    std::uint8_t dim;
    std::uint8_t slot;
  };
  StaticVector<Candidate, kMaxSlots * mapping::kMaxDims> temporal;
  StaticVector<Candidate, kMaxSlots * mapping::kMaxDims> spatial;
  const std::size_t first = SlotIndex(level, SlotKind::kTemporal);
  for (std::size_t s = first; s < kSlotsPerLevel * levels_; ++s) {
    for (std::size_t d = 0; d < dims_; ++d) {
      const bool free =
          constraints_ == nullptr || (point.factor[s][d] > ranges_[s][d].min && home_[d] < first);
      if (point.factor[s][d] > 1 && (relevant & Bit(d)) != 0 && free) {
        auto& list = s % kSlotsPerLevel == 0 ? temporal : spatial;
        list.push_back({static_cast<std::uint8_t>(d), static_cast<std::uint8_t>(s)});
      }
    }
  }
  const auto& list = temporal.empty() ? spatial : temporal;
  if (!list.empty()) {
    const Candidate c = list[rng.Below(static_cast<std::uint32_t>(list.size()))];
    const std::size_t target = OuterSlot(c.dim, level, rng);
    if (target == kMaxSlots) {
      return false;
    }
    MoveOut(point, c.dim, c.slot, target, rng);
    return true;
  }
  const std::uint32_t droppable = point.keep[level] & keep_free_[level];
  if (droppable == 0) {
    return false;
  }
  point.keep[level] &= ~(droppable & (~droppable + 1U));
  return true;
}

void Mapspace::Repair(Point& point, Rng& rng) const {
  for (std::size_t l = levels_; l-- > 1;) {
    while (!LevelFits(point, l, TileExtents(point, l)) && ShrinkTile(point, l, rng)) {
    }
  }
  if (constraints_ != nullptr && !Fits(point)) {
    // Limits are in the way of what is pushed out: the smallest point holds them and fits.
    point.factor = smallest_.factor;
    point.keep = smallest_.keep;
  }
}

void Mapspace::Trim(Point& point, std::size_t dim) const {
  std::int64_t stride = 1;
  for (const std::uint8_t s : occupied_[dim]) {
    stride *= point.factor[s][dim];
  }
  for (const std::uint8_t s : occupied_[dim]) {
    std::int32_t& factor = point.factor[s][dim];
    if (factor == 1) {
      continue;
    }
    stride /= factor;
    factor =
        static_cast<std::int32_t>(std::min<std::int64_t>((bounds_[dim] - 1) / stride + 1, factor));
    if (factor > 1) {
      return;
    }
  }
}

bool Mapspace::SetImperfect(Point& point, std::size_t dim, std::size_t a, std::int32_t factor,
                            std::size_t b) const {
  point.factor[a][dim] = factor;
  std::int64_t others = 1;
  for (const std::uint8_t s : occupied_[dim]) {
    if (s != b) {
      others *= point.factor[s][dim];
      if (others > 2 * bounds_[dim]) {
        return false;
      }
    }
  }
  point.factor[b][dim] = static_cast<std::int32_t>(CeilDiv(bounds_[dim], others));
  Trim(point, dim);
  return SlotProduct(point, a) <= slot_limit_[a] && SlotProduct(point, b) <= slot_limit_[b];
}

std::int32_t Mapspace::LastRound(const Point& point, std::size_t slot, std::size_t dim) const {
  std::int64_t stride = 1;
  for (std::size_t s = slot + 1; s < kSlotsPerLevel * levels_; ++s) {
    stride *= point.factor[s][dim];
  }
  return static_cast<std::int32_t>((bounds_[dim] - 1) / stride % point.factor[slot][dim]) + 1;
}

void Mapspace::WriteLevel(const Point& point, std::size_t level, mapping::LevelMapping& out) const {
  std::array<mapping::LoopList*, kSlotsPerLevel> lists = {&out.temporal, &out.spatial_x,
                                                          &out.spatial_y};
  for (std::size_t k = 0; k < kSlotsPerLevel; ++k) {
    const std::size_t slot = level * kSlotsPerLevel + k;
    lists[k]->clear();
    if (slot_limit_[slot] == 1) {
      continue;
    }
    for (std::size_t i = 0; i < dims_; ++i) {
      const std::size_t d = k == 0 ? point.order[level][i] : i;
      const std::int32_t factor = point.factor[slot][d];
      if (factor == 1) {
        continue;
      }
      const std::int32_t last = imperfect_ ? LastRound(point, slot, d) : factor;
      lists[k]->push_back({static_cast<std::int32_t>(d), factor, last});
    }
  }
  out.keep = point.keep[level];
}

mapping::Mapping Mapspace::ToMapping(const Point& point) const {
  mapping::Mapping mapping;
  mapping.levels.resize(levels_);
  for (std::size_t l = 0; l < levels_; ++l) {
    WriteLevel(point, l, mapping.levels[l]);
  }
  return mapping;
}

Point Mapspace::FromMapping(const mapping::Mapping& mapping) const {
  Point point = Outermost();
  for (auto& slot : point.factor) {
    slot.fill(1);
  }
  for (std::size_t l = 0; l < levels_; ++l) {
    const mapping::LevelMapping& level = mapping.levels[l];
    const std::array<const mapping::LoopList*, kSlotsPerLevel> lists = {
        &level.temporal, &level.spatial_x, &level.spatial_y};
    for (std::size_t k = 0; k < kSlotsPerLevel; ++k) {
      for (const mapping::Loop& loop : *lists[k]) {
        point.factor[l * kSlotsPerLevel + k][static_cast<std::size_t>(loop.dim)] *= loop.bound;
      }
    }
    std::size_t next = 0;
    std::uint32_t placed = 0;
    for (const mapping::Loop& loop : level.temporal) {
      point.order[l][next++] = static_cast<std::uint8_t>(loop.dim);
      placed |= Bit(static_cast<std::size_t>(loop.dim));
    }
    for (std::size_t d = 0; d < dims_; ++d) {
      if ((placed & Bit(d)) == 0) {
        point.order[l][next++] = static_cast<std::uint8_t>(d);
      }
    }
    point.keep[l] = keep_must_[l] | (level.keep & keep_free_[l]);
    RestoreOrder(point, l);
  }
  return point;
}

}  // namespace sluice::mapper
