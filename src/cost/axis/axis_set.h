#pragma once
/// \file
/// The positions that a tile touches on one tensor axis: all sums of `step_i * x_i` with 0 <= x_i <
/// count_i. Almost always an arithmetic progression, kept as (step, count); otherwise ("irregular":
/// strided windows with gaps) as an explicit sorted list. Tested by tests/unit/axis_set_test.cpp.

#include <cstdint>
#include <vector>

#include "base/static_vector.h"

namespace sluice::cost {

/// One generator of positions. Requires step >= 1, count >= 1.
struct Generator {
  std::int64_t step = 1;
  std::int64_t count = 1;
};
using GeneratorList = StaticVector<Generator, 40>;

class AxisSet {
 public:
  AxisSet() = default;
  static AxisSet Progression(std::int64_t step, std::int64_t count) {
    AxisSet set;
    set.step_ = step;
    set.size_ = count;
    return set;
  }
  /// `bounding`: fill every gap (Timeloop's bounding box). Allocates only for irregular sets.
  static AxisSet Build(GeneratorList generators, bool bounding);

  /// Number of positions.
  [[nodiscard]] std::int64_t size() const { return size_; }
  /// The i-th smallest position. Requires 0 <= i < size().
  [[nodiscard]] std::int64_t At(std::int64_t i) const {
    return irregular_.empty() ? i * step_ : irregular_[static_cast<std::size_t>(i)];
  }
  /// |this ∩ (other + shift)|: positions of `other`, moved by `shift`, that this set has too.
  [[nodiscard]] std::int64_t Overlap(const AxisSet& other, std::int64_t shift) const;
  /// |this ∩ (this + shift)|
  [[nodiscard]] std::int64_t SelfOverlap(std::int64_t shift) const {
    if (irregular_.empty() && step_ == 1) {
      const std::int64_t distance = shift < 0 ? -shift : shift;
      return distance >= size_ ? 0 : size_ - distance;
    }
    return Overlap(*this, shift);
  }

 private:
  std::int64_t step_ = 1;
  std::int64_t size_ = 1;
  std::vector<std::int64_t> irregular_;  ///< sorted positions, empty for a progression
};

}  // namespace sluice::cost
