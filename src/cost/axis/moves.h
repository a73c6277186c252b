#pragma once
/// \file
/// New words of a tile that moves under a nest of perfect temporal loops: the closed form behind
/// every count. Loop k steps (bound_k - 1) times for every iteration of the loops outside it; each
/// such move shifts the tile by its own stride and takes back everything the inner loops had
/// advanced. The shift depends on k only, so the whole walk is a sum over loops, O(loops x axes).
/// Source: analysis of Timeloop's nest (ISPASS'19) in closed form; docs/cost-model.md derives it.

#include <array>
#include <cstdint>
#include <span>

#include "cost/axis/axis_set.h"
#include "cost/compiled.h"

namespace sluice::cost {

/// Sum over all deliveries (the first tile and every move).
struct Delivered {
  std::int64_t words = 0;
  std::int64_t blocks_a = 0;  ///< every delivery rounded up to blocks of size a
  std::int64_t blocks_b = 0;
};

/// Words of a block where words leave (a) and where they arrive (b).
struct BlockSizes {
  std::int64_t a = 1;
  std::int64_t b = 1;
};

/// The temporal loops above a level, outermost first.
[[nodiscard]] inline std::span<const FlatLoop> LoopsAbove(const Nest& nest, int level) {
  return {nest.temporal.data(), Index(nest.end[Index(level)])};
}

using AxisSets = std::array<AxisSet, kMaxAxes>;

/// `sets[a]`: positions of the tile on axis a. `loops`: those above the tile. `new_words`, if
/// given, receives the words of one move of each loop.
Delivered CountMoves(const CompiledTensor& tensor, const AxisSets& sets,
                     std::span<const FlatLoop> loops, WindowRule rule, BlockSizes blocks,
                     std::int64_t* new_words = nullptr);

/// Positions on one axis of a tile with `size[d]` points of dim d; `bounding` fills the gaps.
AxisSet TileAxis(const mapping::WorkloadAxis& axis, const DimArray& size, bool bounding);

/// `step * x` for 0 <= x < count: what an axis set nearly always is.
struct Progression {
  std::int64_t step;
  std::int64_t count;
};

/// CountMoves for tiles whose axes are all progressions, without its generality: an axis with a
/// single term keeps nothing when it moves, so only windows need their overlap computed.
Delivered CountWindowMoves(const CompiledTensor& tensor, const Progression* axes,
                           std::span<const FlatLoop> loops, WindowRule rule, BlockSizes blocks);

}  // namespace sluice::cost
