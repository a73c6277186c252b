#include "mapper/exact/ragged/sketch.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "mapper/exact/model/model.h"
#include "mapper/exact/ragged/bound.h"
#include "mapper/exact/ragged/tiles/steps.h"
#include "mapper/exact/ragged/tiles/unroll.h"
#include "mapper/mapspace.h"
#include "mapping/mapping.h"

namespace sluice::mapper::exact {
namespace {

/// Tiles of each level at least as large as the walk's (so that there are no more of them), or at
/// most as large (so that they fit).
enum class Round { kUp, kDown };

std::int64_t Factor(const Steps::Cell& cell, std::int64_t bound, std::int64_t inside, Round round) {
  if (cell.low == 1) {
    return Tiles(bound, inside);
  }
  if (round == Round::kUp) {
    return std::max<std::int64_t>(1, Tiles(cell.least_tile, inside));
  }
  const std::int64_t largest = (bound - 1) / (cell.low - 1);
  return std::max<std::int64_t>(1, largest / inside);
}

Point Draw(const Mapspace& space, const Steps& steps, const Sketch& sketch, Round round) {
  Point point = space.Outermost();
  for (auto& slot : point.factor) {
    slot.fill(1);
  }
  const auto levels = static_cast<int>(space.levels());
  for (std::size_t d = 0; d < space.dims(); ++d) {
    const int dim = static_cast<int>(d);
    std::int64_t inside = 1;
    for (int l = levels - 1; l >= 0; --l) {
      const auto level = static_cast<std::size_t>(l);
      const std::int32_t spatial = sketch.unrolling->factor[level][d];
      const std::int32_t on_x = sketch.unrolling->on_x[level][d];
      point.factor[SlotIndex(level, SlotKind::kSpatialX)][d] = on_x;
      point.factor[SlotIndex(level, SlotKind::kSpatialY)][d] = spatial / on_x;
      inside *= spatial;
      const bool loops = std::ranges::find(sketch.order[level], static_cast<std::int8_t>(d)) !=
                         sketch.order[level].end();
      const std::int64_t factor =
          loops || l == 0 ? Factor(steps.At(sketch.tile[level], dim), space.bound(d), inside, round)
                          : 1;
      point.factor[SlotIndex(level, SlotKind::kTemporal)][d] = static_cast<std::int32_t>(factor);
      inside *= factor;
    }
    space.Trim(point, d);
  }
  for (int l = 0; l < levels; ++l) {
    const auto level = static_cast<std::size_t>(l);
    point.keep[level] = sketch.keep[level];
    // Outermost first in a point.
    std::size_t next = space.dims();
    std::uint32_t placed = 0;
    for (const std::int8_t d : sketch.order[level]) {
      point.order[level][--next] = static_cast<std::uint8_t>(d);
      placed |= Bit(d);
    }
    for (std::size_t d = space.dims(); d-- > 0;) {
      if ((placed & Bit(static_cast<int>(d))) == 0) {
        point.order[level][--next] = static_cast<std::uint8_t>(d);
      }
    }
    space.RestoreOrder(point, level);
  }
  return point;
}

class Descent {
 public:
  Descent(const Mapspace& space, const mapping::Mapping& start, std::int64_t most,
          const std::function<bool(const mapping::Mapping&)>& better)
      : space_(space), point_(space.FromMapping(start)), left_(most), better_(better) {}

  void Run() {
    while (left_ > 0 && (ChangeFactors() || SwapLoops())) {
    }
  }

 private:
  /// Whether the neighbour is better; then it is where to go on from.
  bool Try(const Point& neighbour) {
    if (left_ <= 0 || !space_.Fits(neighbour)) {
      return false;
    }
    --left_;
    if (!better_(space_.ToMapping(neighbour))) {
      return false;
    }
    point_ = neighbour;
    return true;
  }

  bool ChangeFactors() {
    bool any = false;
    for (const std::uint8_t dim : space_.movable_dims()) {
      for (const std::uint8_t slot : space_.slots(dim)) {
        for (const std::uint8_t other : space_.slots(dim)) {
          any = (slot != other && ChangeFactor(dim, slot, other)) || any;
        }
      }
    }
    return any;
  }

  bool ChangeFactor(std::size_t dim, std::size_t slot, std::size_t other) {
    bool any = false;
    const auto bound = static_cast<std::int32_t>(space_.bound(dim));
    const std::int32_t now = point_.factor[slot][dim];
    for (const std::int32_t factor : {now - 1, now + 1, now / 2, 2 * now}) {
      Point neighbour = point_;
      if (factor >= 1 && factor <= bound && factor != point_.factor[slot][dim] &&
          space_.SetImperfect(neighbour, dim, slot, factor, other)) {
        any = Try(neighbour) || any;
      }
    }
    return any;
  }

  bool SwapLoops() {
    bool any = false;
    for (std::size_t level = 0; level < space_.levels(); ++level) {
      for (std::size_t from = 0; from < space_.dims(); ++from) {
        if (!Loops(level, from)) {
          continue;
        }
        for (std::size_t to = 0; to < space_.dims(); ++to) {
          if (to == from || !Loops(level, to)) {
            continue;
          }
          Point neighbour = point_;
          MoveLoop(neighbour.order[level], from, to);
          space_.RestoreOrder(neighbour, level);
          any = Try(neighbour) || any;
        }
      }
    }
    return any;
  }

  [[nodiscard]] bool Loops(std::size_t level, std::size_t place) const {
    return point_.factor[SlotIndex(level, SlotKind::kTemporal)][point_.order[level][place]] > 1;
  }

  const Mapspace& space_;
  Point point_;
  std::int64_t left_;
  const std::function<bool(const mapping::Mapping&)>& better_;
};

}  // namespace

void Descend(const Mapspace& space, const mapping::Mapping& start, std::int64_t most,
             const std::function<bool(const mapping::Mapping&)>& better) {
  Descent(space, start, most, better).Run();
}

void DrawMappings(const Mapspace& space, const Steps& steps, const Sketch& sketch,
                  const std::function<void(const mapping::Mapping&)>& visit) {
  for (const Round round : {Round::kUp, Round::kDown}) {
    const Point point = Draw(space, steps, sketch, round);
    if (space.Fits(point)) {
      visit(space.ToMapping(point));
    }
  }
}

}  // namespace sluice::mapper::exact
