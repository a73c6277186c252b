#include <algorithm>
#include <array>
#include <cstdint>

#include "cost/compiled.h"
#include "mapping/mapping.h"

namespace sluice::cost {
namespace {

/// Appends the loops of `list` that do something.
void Append(const mapping::LoopList& list, int level, FlatLoop* out, std::int32_t& count,
            bool& ragged) {
  for (const mapping::Loop& loop : list) {
    if (loop.bound > 1) {
      out[count++] = {loop.dim, level, loop.bound, loop.last, 1};
      ragged = ragged || loop.last != loop.bound;
    }
  }
}

}  // namespace

void BuildNest(const Compiled& compiled, const mapping::Mapping& mapping, Nest& nest) {
  const int levels = compiled.levels;
  std::int32_t temporal = 0;
  std::int32_t spatial = 0;
  nest.ragged = false;
  for (int l = 0; l < levels; ++l) {
    const mapping::LevelMapping& level = mapping.levels[Index(l)];
    nest.end[Index(l)] = temporal;
    Append(level.temporal, l, nest.temporal.data(), temporal, nest.ragged);
    nest.spatial_end[Index(l)] = spatial;
    Append(level.spatial_x, l, nest.spatial.data(), spatial, nest.ragged);
    nest.spatial_y[Index(l)] = spatial;
    Append(level.spatial_y, l, nest.spatial.data(), spatial, nest.ragged);
  }
  nest.end[Index(levels)] = temporal;
  nest.spatial_end[Index(levels)] = spatial;

  // Strides, inside out.
  std::array<std::int64_t, kMaxDims> inside;
  std::fill_n(inside.begin(), compiled.dims, 1);
  const auto climb = [&inside](FlatLoop* loops, std::int32_t begin, std::int32_t end) {
    for (std::int32_t i = end - 1; i >= begin; --i) {
      std::int64_t& points = inside[Index(loops[i].dim)];
      loops[i].stride = points;
      points *= loops[i].bound;
    }
  };
  std::copy_n(inside.begin(), compiled.dims, nest.tile[Index(levels)].begin());
  for (int l = levels - 1; l >= 0; --l) {
    climb(nest.spatial.data(), nest.spatial_end[Index(l)], nest.spatial_end[Index(l) + 1]);
    climb(nest.temporal.data(), nest.end[Index(l)], nest.end[Index(l) + 1]);
    std::copy_n(inside.begin(), compiled.dims, nest.tile[Index(l)].begin());
  }
}

}  // namespace sluice::cost
