#include "mapper/exact/ragged/sketch.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "mapper/exact/model/model.h"
#include "mapper/exact/ragged/bound.h"
#include "mapper/exact/ragged/steps.h"
#include "mapper/exact/ragged/unroll.h"
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

}  // namespace

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
