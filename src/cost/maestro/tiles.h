#pragma once
/// \file
/// Internal to the exact model: a dataflow as chains of tiles counted in *outputs*. Each level cuts
/// the tile it is given into pieces of at most `size` along some dims, in time or over its units;
/// the last piece is what is left. So every operation is done once, by construction; a dataflow
/// that cannot be written this way (offsets that skip or overlap) is refused with the reason.

#include <cstdint>

#include "base/static_vector.h"
#include "cost/maestro/hardware.h"
#include "cost/maestro/report.h"
#include "mapping/dataflow/dataflow.h"

namespace sluice::cost::maestro {

/// One loop of a level: pieces of `size` along `dim`. Maps that leave their tile whole are dropped.
struct TileLoop {
  mapping::LayerDim dim = mapping::LayerDim::kC;
  bool spatial = false;
  std::int64_t size = 1;
};

struct TileLevel {
  StaticVector<TileLoop, mapping::kLayerDims> loops;  ///< outermost first, at most one spatial
  std::int64_t units = 1;
};

struct TileChain {
  StaticVector<TileLevel, mapping::kMaxClusterLevels> levels;
  mapping::LayerSizes leaf{};  ///< the largest tile of a PE
  Verdict verdict = Verdict::kOk;
};

/// Extents of the layer in outputs; 1 for dims it does not have.
mapping::LayerSizes OutputExtents(const mapping::Layer& layer);

TileChain MakeTileChain(const mapping::Layer& layer, const Hardware& hardware,
                        const mapping::Dataflow& dataflow);

}  // namespace sluice::cost::maestro
