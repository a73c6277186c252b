#pragma once
/// \file
/// A walk through a map space by small moves, each undoable, none allocating. The walker keeps the
/// point and the mapping it stands for in step by rewriting only the levels a move touched.
///
/// Moves: shift a prime factor of a dim between two slots; exchange factors of two dims between the
/// same two slots (keeps tiles near their capacity, where single shifts are mostly refused); swap
/// two loops of an order; rotate a loop to another position; flip an optional keep; exchange two
/// axes of a fan-out; and, for imperfect spaces, set a factor freely with another slot taking the
/// ceiling. The order of the innermost level is never moved: no operand is reused inside the
/// compute unit, so no cost depends on it. Tested by tests/property/mapper_test.cpp (every proposal
/// covers; undo restores the mapping).

#include <array>
#include <cstdint>

#include "base/rng.h"
#include "base/static_vector.h"
#include "mapper/mapspace.h"

namespace sluice::mapper {

class Walker {
 public:
  /// `space` must outlive the walker.
  explicit Walker(const Mapspace& space);

  void Set(const Point& point);
  /// Makes one random move. False when nothing changed (no such move here); then there is nothing
  /// to undo. Spatial limits hold afterwards; capacity is the caller's to check.
  bool Propose(Rng& rng);
  /// Takes the last successful Propose back. At most once per proposal.
  void Undo();

  [[nodiscard]] const Point& point() const { return point_; }
  [[nodiscard]] const mapping::Mapping& mapping() const { return mapping_; }
  [[nodiscard]] bool Fits() const { return space_->Fits(point_); }

 private:
  struct Change {
    std::uint8_t slot = 0;
    std::uint8_t dim = 0;
    std::int32_t old = 1;
  };

  bool ShiftFactor(Rng& rng);
  bool ExchangeFactors(Rng& rng);
  bool SwapLoops(Rng& rng);
  bool RotateLoop(Rng& rng);
  bool Reorder(Rng& rng, void (*change)(LoopOrder& order, std::size_t i, std::size_t j));
  bool FlipKeep(Rng& rng);
  bool ExchangeAxes(Rng& rng);
  bool FreeFactor(Rng& rng);

  bool MovePrime(std::size_t dim, std::size_t from, std::size_t to, Rng& rng);
  void Assign(std::size_t slot, std::size_t dim, std::int32_t factor);
  void RestoreFactors();
  /// Two distinct positions in the order of a level whose loops run more than once.
  [[nodiscard]] bool PickLoops(Rng& rng, std::size_t& level, std::size_t& i, std::size_t& j) const;
  void Rewrite();

  const Mapspace* space_;
  Point point_;
  mapping::Mapping mapping_;
  StaticVector<std::uint8_t, arch::kMaxLevels> keep_levels_;
  StaticVector<std::uint8_t, arch::kMaxLevels> axis_levels_;

  // What the last move did.
  StaticVector<Change, 2 * kMaxSlots> changes_;
  std::uint32_t touched_ = 0;  ///< bit l: level l must be rewritten
  int order_level_ = -1;
  LoopOrder old_order_{};
  int keep_level_ = -1;
  std::uint32_t old_keep_ = 0;
};

}  // namespace sluice::mapper
