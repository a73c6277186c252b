#pragma once
/// \file
/// What the fan-outs of a machine may unroll in an imperfect map space: any factors that fit the
/// axes. Costs depend on the product per dim only, so options that differ in the split over X and Y
/// are one. Tested by tests/property/ragged_test.cpp.

#include <array>
#include <cstdint>
#include <functional>

#include "arch/architecture.h"
#include "cost/compiled.h"
#include "mapper/exact/model/model.h"

namespace sluice::mapper::exact {

/// Spatial factors of every fan-out, by level.
struct Unrolling {
  using Factors = std::array<std::int32_t, mapping::kMaxDims>;
  std::array<Factors, arch::kMaxLevels> factor{};
  /// Copies that are certain to have work when nothing runs outside them: a factor split over X and
  /// Y may be larger than the number of tiles, but not by so much that a smaller one would do.
  std::array<Factors, arch::kMaxLevels> active{};
  std::array<Factors, arch::kMaxLevels> on_x{};  ///< one way to place them: the part on X
  double steps = 1;                              ///< no compute unit is done in fewer
};

/// Calls `visit` with every unrolling that `wanted` (called with its least number of steps, before
/// it is complete too) does not reject, until it returns false: then the result is false.
bool ListUnrollings(const Model& model, const std::function<bool(double steps)>& wanted,
                    const std::function<bool(const Unrolling&)>& visit);

/// Picojoules of a word of each tensor on its way through the fan-out below `level` when every copy
/// has work, the least over all ways to lay the factors on its axes.
TensorDoubles LeastWays(const Model& model, int level, const Unrolling::Factors& factors);

}  // namespace sluice::mapper::exact
