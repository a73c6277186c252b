#pragma once
/// \file
/// From a walk of the bound (bound.h) to mappings: the same keeps, orders and unrolling, and tiles
/// as near to those of the walk as products of loop bounds come. And from a mapping to the best of
/// those around it, by descent.

#include <cstdint>
#include <functional>

#include "mapper/exact/ragged/bound.h"
#include "mapper/exact/ragged/tiles/steps.h"
#include "mapper/mapspace.h"
#include "mapping/mapping.h"

namespace sluice::mapper::exact {

/// Calls `visit` with mappings that fit. `space` must be imperfect.
void DrawMappings(const Mapspace& space, const Steps& steps, const Sketch& sketch,
                  const std::function<void(const mapping::Mapping&)>& visit);

/// Calls `better` with neighbours of a valid mapping: one factor a little or much larger or
/// smaller, with another slot taking what is left, or two loops of a level swapped. Goes on from
/// each that it accepts, until none is or `most` were tried. `space` must be imperfect.
void Descend(const Mapspace& space, const mapping::Mapping& start, std::int64_t most,
             const std::function<bool(const mapping::Mapping&)>& better);

}  // namespace sluice::mapper::exact
