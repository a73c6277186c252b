#include "cost/axis/moves.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "cost/axis/axis_set.h"
#include "cost/compiled.h"
#include "cost/policy.h"
#include "mapping/workload.h"

namespace sluice::cost {
namespace {

using Shift = std::array<std::int64_t, kMaxAxes>;

std::int64_t Blocks(std::int64_t words, std::int64_t block) {
  return block == 1 ? words : (words + block - 1) / block;
}

std::int64_t SelfOverlap(const Progression& axis, std::int64_t shift) {
  std::int64_t distance = shift < 0 ? -shift : shift;
  if (axis.step != 1) {
    if (distance % axis.step != 0) {
      return 0;
    }
    distance /= axis.step;
  }
  return distance >= axis.count ? 0 : axis.count - distance;
}

/// Adds the deliveries of a loop around those of the loops inside it.
void WrapLoop(std::int64_t bound, std::int64_t words, BlockSizes blocks, Delivered& moves) {
  moves.words = moves.words * bound + (bound - 1) * words;
  if (blocks.a != 1 || blocks.b != 1) {
    moves.blocks_a = moves.blocks_a * bound + (bound - 1) * Blocks(words, blocks.a);
    moves.blocks_b = moves.blocks_b * bound + (bound - 1) * Blocks(words, blocks.b);
  }
}

/// Adds the first tile.
void AddFirst(std::int64_t box, BlockSizes blocks, Delivered& moves) {
  moves.words += box;
  if (blocks.a != 1 || blocks.b != 1) {
    moves.blocks_a += Blocks(box, blocks.a);
    moves.blocks_b += Blocks(box, blocks.b);
  } else {
    moves.blocks_a = moves.words;
    moves.blocks_b = moves.words;
  }
}

}  // namespace

AxisSet TileAxis(const mapping::WorkloadAxis& axis, const DimArray& size, bool bounding) {
  if (axis.size() == 1) {
    const std::int64_t count = size[Index(axis[0].dim)];
    return bounding ? AxisSet::Progression(1, 1 + axis[0].coefficient * (count - 1))
                    : AxisSet::Progression(axis[0].coefficient, count);
  }
  GeneratorList generators;
  for (const mapping::WorkloadTerm& term : axis) {
    generators.push_back({term.coefficient, size[Index(term.dim)]});
  }
  return AxisSet::Build(generators, bounding);
}

Delivered CountMoves(const CompiledTensor& tensor, const AxisSets& sets,
                     std::span<const FlatLoop> loops, WindowRule rule, BlockSizes blocks,
                     std::int64_t* new_words) {
  const int axes = tensor.axes;
  std::int64_t box = 1;
  for (int a = 0; a < axes; ++a) {
    box *= sets[Index(a)].size();
  }
  // How far the loops inside the current one have carried the tile along each axis.
  Shift advanced;
  // Timeloop's rule needs the shift of the innermost loop that moves the tile at all: between two
  // moves of outer loops it has always run, so it is what an outer move is compared with.
  Shift first;
  bool has_first = false;
  for (int a = 0; a < axes; ++a) {
    advanced[Index(a)] = 0;
  }
  Delivered moves;
  for (std::size_t k = loops.size(); k-- > 0;) {
    const FlatLoop& loop = loops[k];
    Shift shift;
    int moving = 0;
    bool as_first = has_first;
    for (int a = 0; a < axes; ++a) {
      const std::int64_t step = tensor.coefficient[Index(a)][Index(loop.dim)] * loop.stride;
      shift[Index(a)] = step - advanced[Index(a)];
      advanced[Index(a)] += step * (loop.bound - 1);
      moving += shift[Index(a)] != 0 ? 1 : 0;
      as_first = as_first && shift[Index(a)] == first[Index(a)];
    }
    std::int64_t words = 0;
    if (moving > 0) {
      const bool partial = rule == WindowRule::kExact || (moving == 1 && (as_first || !has_first));
      words = box;
      if (partial) {
        std::int64_t common = 1;
        for (int a = 0; a < axes && common > 0; ++a) {
          common *= sets[Index(a)].SelfOverlap(shift[Index(a)]);
        }
        words -= common;
      }
      if (!has_first) {
        first = shift;
        has_first = true;
      }
    }
    if (new_words != nullptr) {
      new_words[k] = words;
    }
    WrapLoop(loop.bound, words, blocks, moves);
  }
  AddFirst(box, blocks, moves);
  return moves;
}

Delivered CountWindowMoves(const CompiledTensor& tensor, const Progression* axes,
                           std::span<const FlatLoop> loops, WindowRule rule, BlockSizes blocks) {
  std::int64_t singles = 1;  // words of the single-term axes together
  std::array<int, kMaxAxes> window;
  std::array<std::int64_t, kMaxAxes> advanced;
  std::array<std::int64_t, kMaxAxes> first;
  int windows = 0;
  std::int64_t box = 1;
  for (int a = 0; a < tensor.axes; ++a) {
    box *= axes[a].count;
    if (HasBit(tensor.windows, a)) {
      advanced[Index(windows)] = 0;
      first[Index(windows)] = 0;
      window[Index(windows++)] = a;
    } else {
      singles *= axes[a].count;
    }
  }
  bool single_advanced = false;
  bool has_first = false;
  bool first_is_window = false;
  Delivered moves;
  for (std::size_t k = loops.size(); k-- > 0;) {
    const FlatLoop& loop = loops[k];
    const bool single = HasBit(tensor.single_dims, loop.dim);
    const bool single_moves = single || single_advanced;
    single_advanced = single_moves;
    int moving = 0;
    bool as_first = has_first && first_is_window;
    std::int64_t common = singles;
    std::array<std::int64_t, kMaxAxes> shift;
    for (int w = 0; w < windows; ++w) {
      const int a = window[Index(w)];
      const std::int64_t step = tensor.coefficient[Index(a)][Index(loop.dim)] * loop.stride;
      shift[Index(w)] = step - advanced[Index(w)];
      advanced[Index(w)] += step * (loop.bound - 1);
      moving += shift[Index(w)] != 0 ? 1 : 0;
      as_first = as_first && shift[Index(w)] == first[Index(w)];
      common *= SelfOverlap(axes[a], shift[Index(w)]);
    }
    std::int64_t words = 0;
    if (single_moves || moving > 0) {
      const bool partial = !single_moves && (rule == WindowRule::kExact ||
                                             (moving == 1 && (as_first || !has_first)));
      words = partial ? box - common : box;
      if (!has_first) {
        has_first = true;
        first_is_window = !single_moves;
        first = shift;
      }
    }
    WrapLoop(loop.bound, words, blocks, moves);
  }
  AddFirst(box, blocks, moves);
  return moves;
}

}  // namespace sluice::cost
