#pragma once
/// \file
/// The ways to lay the spatial factors of one fan-out on its two axes.

#include <cstdint>
#include <functional>

#include "base/static_vector.h"
#include "mapping/constraints.h"
#include "mapping/mapping.h"
#include "mapping/validity.h"

namespace sluice::mapper::exact {

/// By dim.
using SpatialFactors = StaticVector<std::int64_t, mapping::kMaxDims>;
/// False: enough seen.
using VisitPlacement = std::function<bool(const mapping::LoopList& x, const mapping::LoopList& y)>;
using AllowFactor = std::function<bool(mapping::LoopKind, int dim, std::int64_t factor)>;

/// Every split of the factors into X and Y parts that fits and that `allows` has nothing against
/// (null: nothing is forbidden), as much as fits on X first; loops by rising dim.
void ForEachSplit(const mapping::ValidityTable::Level& limits, const SpatialFactors& factors,
                  const AllowFactor& allows, const VisitPlacement& visit);
/// Each of these with the loops of both axes in every order. Orders matter where distance does.
void ForEachPlacement(const mapping::ValidityTable::Level& limits, const SpatialFactors& factors,
                      const AllowFactor& allows, const VisitPlacement& visit);

}  // namespace sluice::mapper::exact
