#include "mapper/exact/model/placements.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "cost/compiled.h"
#include "mapping/constraints.h"
#include "mapping/mapping.h"
#include "mapping/validity.h"

namespace sluice::mapper::exact {
namespace {

using cost::HasBit;

/// Splits each spatial factor into an X and a Y part, dim by dim.
class Splitter {
 public:
  Splitter(const mapping::ValidityTable::Level& limits, const SpatialFactors& factors,
           const AllowFactor& allows, const VisitPlacement& visit)
      : limits_(limits), factors_(factors), allows_(allows), visit_(visit) {}

  /// Returns false when `visit` asked to stop.
  bool Dim(std::size_t d, std::int64_t x, std::int64_t y) {
    if (d == factors_.size()) {
      return visit_(x_, y_);
    }
    const auto dim = static_cast<int>(d);
    for (std::int64_t on_x = factors_[d]; on_x >= 1; --on_x) {
      const std::int64_t on_y = factors_[d] / on_x;
      if (factors_[d] % on_x != 0 || x * on_x > limits_.x || y * on_y > limits_.y ||
          (on_x > 1 && !HasBit(limits_.may_unroll_x, dim)) ||
          (on_y > 1 && !HasBit(limits_.may_unroll_y, dim)) ||
          (allows_ && (!allows_(mapping::LoopKind::kSpatialX, dim, on_x) ||
                       !allows_(mapping::LoopKind::kSpatialY, dim, on_y)))) {
        continue;
      }
      if (on_x > 1) {
        x_.push_back(mapping::PerfectLoop(dim, on_x));
      }
      if (on_y > 1) {
        y_.push_back(mapping::PerfectLoop(dim, on_y));
      }
      const bool go_on = Dim(d + 1, x * on_x, y * on_y);
      if (on_x > 1) {
        x_.pop_back();
      }
      if (on_y > 1) {
        y_.pop_back();
      }
      if (!go_on) {
        return false;
      }
    }
    return true;
  }

 private:
  const mapping::ValidityTable::Level& limits_;
  const SpatialFactors& factors_;
  const AllowFactor& allows_;
  const VisitPlacement& visit_;
  mapping::LoopList x_;
  mapping::LoopList y_;
};

bool ByDim(const mapping::Loop& a, const mapping::Loop& b) {
  return a.dim < b.dim;
}

}  // namespace

void ForEachSplit(const mapping::ValidityTable::Level& limits, const SpatialFactors& factors,
                  const AllowFactor& allows, const VisitPlacement& visit) {
  Splitter(limits, factors, allows, visit).Dim(0, 1, 1);
}

void ForEachPlacement(const mapping::ValidityTable::Level& limits, const SpatialFactors& factors,
                      const AllowFactor& allows, const VisitPlacement& visit) {
  ForEachSplit(limits, factors, allows,
               [&visit](const mapping::LoopList& split_x, const mapping::LoopList& split_y) {
                 mapping::LoopList x = split_x;
                 do {
                   mapping::LoopList y = split_y;
                   do {
                     if (!visit(x, y)) {
                       return false;
                     }
                   } while (std::ranges::next_permutation(y, ByDim).found);
                 } while (std::ranges::next_permutation(x, ByDim).found);
                 return true;
               });
}

}  // namespace sluice::mapper::exact
