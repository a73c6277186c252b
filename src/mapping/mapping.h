#pragma once
/// \file
/// A mapping of one operator onto one chain: temporal loops per level, spatial factors per fan-out,
/// and which tensor is kept at which level.
///
/// Reading order: level 0 is outermost. At a level the temporal loops run outermost first; below
/// them the spatial loops of the level's fan-out, X then Y; below those the next level. The tile of
/// a tensor at level l spans all loops of level l and inside: the loops of level l iterate over
/// sub-tiles of the tile that level l holds.
///
/// Imperfect factors: a loop has `bound` iterations, but `last` in the last iteration of the
/// enclosing loops of the same dim (Ruby; Timeloop `X=a,b`). `last == bound` is a perfect factor.
/// With stride_i the product of the bounds of all loops of the dim inside loop i, a dim is covered
/// exactly when 1 + sum_i (last_i - 1) * stride_i equals its bound, where 1 <= last_i <= bound_i.
/// Tested by tests/unit/mapping_test.cpp, tests/property/mapping_roundtrip_test.cpp.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "arch/architecture.h"
#include "base/diagnostic.h"
#include "base/static_vector.h"
#include "mapping/workload.h"

namespace sluice::mapping {

struct Loop {
  std::int32_t dim = 0;
  std::int32_t bound = 1;
  std::int32_t last = 1;
  friend bool operator==(const Loop&, const Loop&) = default;
};
[[nodiscard]] constexpr Loop PerfectLoop(int dim, std::int64_t bound) {
  return {dim, static_cast<std::int32_t>(bound), static_cast<std::int32_t>(bound)};
}

using LoopList = StaticVector<Loop, kMaxDims>;

struct LevelMapping {
  LoopList temporal;   ///< outermost first; each dim at most once
  LoopList spatial_x;  ///< on the X axis of the level's fan-out, outermost first
  LoopList spatial_y;
  std::uint32_t keep = ~0U;  ///< bit t set: tensor t is kept at this level
  friend bool operator==(const LevelMapping&, const LevelMapping&) = default;
};

struct Mapping {
  StaticVector<LevelMapping, arch::kMaxLevels> levels;  ///< one per level of the chain
  friend bool operator==(const Mapping&, const Mapping&) = default;
};

/// Every loop of one dim on level 0: always covers; rarely fits.
Mapping TrivialMapping(const Workload& workload, std::size_t levels);
/// The same loops, keeping only what must be kept: the least demanding mapping there is. If it is
/// not valid on `chain`, none is. Requires: at least one level.
Mapping TrivialMapping(const Workload& workload, const arch::Chain& chain);

/// Why a mapping is not valid. Everything a user needs to act.
struct Violation {
  ErrorCode code = ErrorCode::kMappingInvalid;
  int level = -1;   ///< index into the chain, -1 if none
  int tensor = -1;  ///< index into the workload, -1 if none
  int dim = -1;
  std::int64_t words_needed = 0;  ///< for capacity
  std::int64_t words_available = 0;
  std::string message;
  int axis = -1;  ///< of a fan-out: 0 = X, 1 = Y
  /// The least capacity, in words, with which the memory would do; 0: not known.
  std::int64_t capacity_wanted = 0;
};

/// Tile of tensor t held by one instance of `level` (largest over time): words of the box.
std::int64_t TileWords(const Workload& workload, const Mapping& mapping, std::size_t level,
                       std::size_t tensor);

/// All reasons why `mapping` is invalid for `workload` on `chain`: coverage, factors, fan-out sizes
/// and allowed dims, keep rules (level 0 keeps everything), capacity. Empty = valid. O(levels x
/// dims). Not for hot paths; mapping/validity.h has an allocation-free check with the same verdict
/// (tested).
std::vector<Violation> CheckMapping(const Workload& workload, const arch::Chain& chain,
                                    const Mapping& mapping);

/// Names of the tensors for print-outs, unique: their own if all have at most ten characters, else
/// `input`, `weight`, `output`, with a number from the second of a class on.
std::vector<std::string> TensorLabels(const Workload& workload);

/// An indented loop nest, 80 columns, one line a loop, tiles kept at the right:
///   DRAM  [Input 802816] [Weight 36864] [Output 200704]
///     for K in 0:4
std::string PrintLoopNest(const Workload& workload, const arch::Chain& chain,
                          const Mapping& mapping);

}  // namespace sluice::mapping
