#include "cost/moves.h"

namespace sluice::cost {
namespace {

using Shift = std::array<std::int64_t, kMaxAxes>;

std::int64_t Blocks(std::int64_t words, std::int64_t block) {
  return block == 1 ? words : (words + block - 1) / block;
}

std::int64_t CoefficientOf(const mapping::WorkloadAxis& axis, int dim) {
  for (const mapping::WorkloadTerm& term : axis) {
    if (term.dim == dim) {
      return term.coefficient;
    }
  }
  return 0;
}

}  // namespace

Delivered CountMoves(const CompiledTensor& tensor, const AxisSets& sets, const FlatLoop* loops,
                     int count, WindowRule rule, std::int64_t block_a, std::int64_t block_b) {
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
  for (int k = count - 1; k >= 0; --k) {
    const FlatLoop& loop = loops[k];
    Shift shift;
    int moving = 0;
    bool as_first = has_first;
    for (int a = 0; a < axes; ++a) {
      const std::int64_t coefficient =
          HasBit(tensor.dims, loop.dim) ? CoefficientOf(tensor.axis[Index(a)], loop.dim) : 0;
      const std::int64_t step = coefficient * loop.stride;
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
    moves.words = moves.words * loop.bound + (loop.bound - 1) * words;
    if (block_a != 1 || block_b != 1) {
      moves.blocks_a = moves.blocks_a * loop.bound + (loop.bound - 1) * Blocks(words, block_a);
      moves.blocks_b = moves.blocks_b * loop.bound + (loop.bound - 1) * Blocks(words, block_b);
    }
  }
  moves.words += box;
  if (block_a != 1 || block_b != 1) {
    moves.blocks_a += Blocks(box, block_a);
    moves.blocks_b += Blocks(box, block_b);
  } else {
    moves.blocks_a = moves.words;
    moves.blocks_b = moves.words;
  }
  return moves;
}

}  // namespace sluice::cost
