#pragma once
/// \file
/// The map space of one workload on one chain: every mapping that respects coverage, fan-out sizes,
/// allowed dims, whole dims and keep rules, as points that are cheap to draw and to change.
///
/// A point distributes each dim over *slots*. A level has three: its temporal loops, and the X and
/// Y axes of the fan-out below it. The factors of a dim multiply to its bound (perfect), or, with
/// `imperfect`, to the smallest covering product: one slot is always the ceiling of what the others
/// leave, and the ragged ends follow from the mixed-radix digits of (bound - 1), which is the only
/// assignment of `last` that mapping.h accepts for given bounds.
///
/// Everything but capacity holds by construction; capacity is `Fits`, and `Repair` makes a point
/// fit by pushing factors outwards. A point that cannot be repaired proves that the space is empty,
/// because the mapping with every loop on level 0 and nothing optional kept is the smallest
/// everywhere.
///
/// Constraints narrow the space: fixed factors sit on their slots and are not among the free ones;
/// orders are put right after every shuffle; keeps are masks. Limits on free factors are part of
/// `Fits`. The smallest mapping is then found by search (feasible.h) and takes the place of
/// the one with every loop on level 0; `Repair` falls back on it. What a dim has left over goes to
/// its outermost free slot, its *home*, which is slot 0 without constraints.
///
/// Points are trivially copyable and no function on them allocates.
/// Tested by tests/unit/mapper_test.cpp, tests/property/mapper_test.cpp.

#include <array>
#include <cstdint>
#include <vector>

#include "arch/architecture.h"
#include "base/rng.h"
#include "base/static_vector.h"
#include "mapping/constraints.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"

namespace sluice::mapper {

inline constexpr std::size_t kSlotsPerLevel = 3;
inline constexpr std::size_t kMaxSlots = kSlotsPerLevel * arch::kMaxLevels;

enum class SlotKind : std::uint8_t { kTemporal, kSpatialX, kSpatialY };

[[nodiscard]] constexpr std::size_t SlotIndex(std::size_t level, SlotKind kind) {
  return level * kSlotsPerLevel + static_cast<std::size_t>(kind);
}

/// The dims of one level's loops, outermost first.
using LoopOrder = std::array<std::uint8_t, mapping::kMaxDims>;
/// The loop at `from` goes to `to`; those between make room.
void MoveLoop(LoopOrder& order, std::size_t from, std::size_t to);

/// One factor per (slot, dim), one order per level, one keep mask per level.
struct Point {
  using Factors = std::array<std::int32_t, mapping::kMaxDims>;
  std::array<Factors, kMaxSlots> factor{};
  /// A permutation of all dims per level, outermost first; dims with factor 1 are skipped when
  /// written.
  std::array<LoopOrder, arch::kMaxLevels> order{};
  std::array<std::uint32_t, arch::kMaxLevels> keep{};
};

struct SpaceLimits;

class Mapspace {
 public:
  /// `workload`, `chain` and `constraints` must outlive the space. Check `Infeasible()` before
  /// drawing points. `constraints` may be null; else they were resolved for this workload and
  /// chain.
  Mapspace(const mapping::Workload& workload, const arch::Chain& chain, bool imperfect,
           const mapping::Constraints* constraints = nullptr);

  /// Why the space is empty: the levels and tensors that bind, with the words short and the
  /// capacity that would do. Empty = it is not.
  [[nodiscard]] std::vector<mapping::Violation> Infeasible() const;

  /// The smallest tiles and only mandatory tensors kept: fits whenever anything does. Every loop is
  /// on level 0 unless constraints say otherwise.
  [[nodiscard]] Point Outermost() const;
  /// Every prime factor on a random slot, random orders and keeps. Coverage holds, capacity may
  /// not.
  [[nodiscard]] Point Random(Rng& rng) const;
  /// Fills fan-outs, then buffers from the innermost outwards, in a random order of dims. Fits.
  [[nodiscard]] Point Greedy(Rng& rng) const;
  /// Pushes random factors outwards (and drops optional keeps) until the point fits.
  void Repair(Point& point, Rng& rng) const;
  /// Capacity of every level, and limits that constraints set on factors. Everything else holds by
  /// construction.
  [[nodiscard]] bool Fits(const Point& point) const;

  [[nodiscard]] mapping::Mapping ToMapping(const Point& point) const;
  /// Rewrites one level of a mapping from a point.
  void WriteLevel(const Point& point, std::size_t level, mapping::LevelMapping& out) const;
  /// The point of a valid mapping of this space.
  [[nodiscard]] Point FromMapping(const mapping::Mapping& mapping) const;

  [[nodiscard]] std::size_t levels() const { return levels_; }
  [[nodiscard]] std::size_t dims() const { return dims_; }
  [[nodiscard]] std::size_t tensors() const { return tensors_; }
  [[nodiscard]] bool imperfect() const { return imperfect_; }
  [[nodiscard]] std::int64_t bound(std::size_t dim) const { return bounds_[dim]; }
  /// Slots where the factor of dim may change, outermost first; without constraints slot 0 is among
  /// them.
  using SlotList = StaticVector<std::uint8_t, kMaxSlots>;
  [[nodiscard]] const SlotList& slots(std::size_t dim) const { return slots_[dim]; }
  /// `slots` and those with a fixed factor above 1, outermost first.
  [[nodiscard]] const SlotList& occupied(std::size_t dim) const { return occupied_[dim]; }
  /// Puts the loops of a level in an order that the constraints allow, changing it little.
  void RestoreOrder(Point& point, std::size_t level) const;
  /// Distinct primes of the dim's bound.
  using PrimeList = StaticVector<std::int32_t, 16>;
  [[nodiscard]] const PrimeList& primes(std::size_t dim) const { return primes_[dim]; }
  /// Tensors whose keeping at a level is the mapping's choice.
  [[nodiscard]] std::uint32_t free_keeps(std::size_t level) const { return keep_free_[level]; }
  /// Product of factors a slot may hold over all dims; temporal slots are unlimited.
  [[nodiscard]] std::int64_t slot_limit(std::size_t slot) const { return slot_limit_[slot]; }
  [[nodiscard]] std::int64_t SlotProduct(const Point& point, std::size_t slot) const;
  /// Dims with at least two slots and a bound above 1: those a move can change.
  [[nodiscard]] const StaticVector<std::uint8_t, mapping::kMaxDims>& movable_dims() const {
    return movable_;
  }
  /// Prime factors over all dims, with multiplicity: the size of the search in one number.
  [[nodiscard]] int prime_factors() const { return prime_factor_count_; }

  /// Sets factor (slot a) of an imperfect dim, slot b taking the ceiling of what is left, and trims
  /// the outermost loop. Requires a != b. Returns false, leaving the point unspecified in this dim,
  /// when a spatial limit breaks.
  bool SetImperfect(Point& point, std::size_t dim, std::size_t a, std::int32_t factor,
                    std::size_t b) const;
  /// Cuts iterations of the outermost loops of a dim that lie beyond its bound.
  void Trim(Point& point, std::size_t dim) const;

 private:
  using Extents = std::array<std::int64_t, mapping::kMaxDims>;
  [[nodiscard]] std::int64_t TileWords(std::size_t tensor, const Extents& extents) const;
  [[nodiscard]] Extents TileExtents(const Point& point, std::size_t level) const;
  [[nodiscard]] bool LevelFits(const Point& point, std::size_t level, const Extents& extents) const;
  [[nodiscard]] bool ShrinkTile(Point& point, std::size_t level, Rng& rng) const;
  void MoveOut(Point& point, std::size_t dim, std::size_t from, std::size_t to, Rng& rng) const;
  void FillFromOutside(Point& point, std::size_t slot, Rng& rng) const;
  /// Fills the primes of a dim from its bound.
  void Factorize(std::size_t dim);
  /// What constraints and machine leave of the factors and keeps.
  [[nodiscard]] SpaceLimits Limits() const;
  /// Free slots, homes and keeps under constraints, and the smallest point.
  void Constrain();
  /// Whether every factor of dim is within its limits. Constrained spaces only.
  [[nodiscard]] bool WithinLimits(const Point& point, std::size_t dim) const;
  /// Primes of a dim on random free slots, as far as limits allow.
  void ScatterPrimes(Point& point, std::size_t dim, Rng& rng) const;
  /// A temporal slot outside `level` where dim may grow, at random; kMaxSlots when there is none.
  [[nodiscard]] std::size_t OuterSlot(std::size_t dim, std::size_t level, Rng& rng) const;
  /// Random factors of an imperfect dim, from slot 0 to a few others.
  void DrawFactors(Point& point, std::size_t dim, Rng& rng) const;
  /// Every prime of a perfect dim on a random slot that has `room` for it.
  void SpreadPrimes(Point& point, std::size_t dim, std::array<std::int64_t, kMaxSlots>& room,
                    Rng& rng) const;
  /// Iterations of a loop in the last round of those outside: a mixed-radix digit of (bound - 1).
  [[nodiscard]] std::int32_t LastRound(const Point& point, std::size_t slot, std::size_t dim) const;
  void ShuffleOrders(Point& point, Rng& rng) const;
  void RandomKeeps(Point& point, Rng& rng) const;

  struct Range {
    std::int32_t min = 1;
    std::int32_t max = 1;
  };
  using Ranges = std::array<std::array<Range, mapping::kMaxDims>, kMaxSlots>;

  const mapping::Workload* workload_;
  const arch::Chain* chain_;
  const mapping::Constraints* constraints_;  ///< null: none
  bool imperfect_ = false;
  std::size_t levels_ = 0;
  std::size_t dims_ = 0;
  std::size_t tensors_ = 0;
  std::array<std::int64_t, mapping::kMaxDims> bounds_{};
  std::array<SlotList, mapping::kMaxDims> slots_;
  std::array<SlotList, mapping::kMaxDims> occupied_;
  std::array<std::uint8_t, mapping::kMaxDims> home_{};  ///< the first of slots_
  std::array<PrimeList, mapping::kMaxDims> primes_;
  std::array<StaticVector<std::int32_t, 64>, mapping::kMaxDims> prime_multiset_;
  std::array<std::int64_t, kMaxSlots> slot_limit_{};
  std::array<std::uint32_t, arch::kMaxLevels> keep_must_{};
  std::array<std::uint32_t, arch::kMaxLevels> keep_free_{};
  std::array<std::int64_t, arch::kMaxLevels> usable_words_{};  ///< int64 max = unbounded
  StaticVector<std::uint8_t, mapping::kMaxDims> movable_;
  int prime_factor_count_ = 0;

  // Constrained spaces only.
  Ranges ranges_{};
  Point smallest_;
  std::vector<mapping::Violation> reasons_;
};

/// A prime of `list` that divides `factor`, drawn at random; 0 when factor is 1.
std::int32_t DrawPrime(const Mapspace::PrimeList& list, std::int32_t factor, Rng& rng);

}  // namespace sluice::mapper
