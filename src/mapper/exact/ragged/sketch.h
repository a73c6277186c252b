#pragma once
/// \file
/// From a walk of the bound (bound.h) to mappings: the same keeps, orders and unrolling, and tiles
/// as near to those of the walk as products of loop bounds come.

#include <functional>

#include "mapper/exact/ragged/bound.h"
#include "mapper/exact/ragged/steps.h"
#include "mapper/mapspace.h"
#include "mapping/mapping.h"

namespace sluice::mapper::exact {

/// Calls `visit` with mappings that fit. `space` must be imperfect.
void DrawMappings(const Mapspace& space, const Steps& steps, const Sketch& sketch,
                  const std::function<void(const mapping::Mapping&)>& visit);

}  // namespace sluice::mapper::exact
