#pragma once
/// \file
/// Internal to the compatible model: a dataflow as MAESTRO completes it, with the static tile sizes
/// from which every volume is a product.

#include <array>
#include <cstdint>

#include "base/static_vector.h"
#include "cost/maestro/hardware.h"
#include "cost/maestro/report.h"
#include "mapping/dataflow/dataflow.h"

namespace sluice::cost::maestro {

/// One map of a completed level. `Out` sizes count outputs along Y and X, else equal the others.
struct LevelMap {
  mapping::LayerDim dim = mapping::LayerDim::kC;
  bool spatial = false;
  std::array<bool, kTensorRoles> coupled{};
  std::int64_t size = 1;
  std::int64_t offset = 1;
  std::int64_t reach = 1;        ///< no cluster is given a larger tile
  std::int64_t mapped = 1;       ///< positions in a full tile
  std::int64_t unique = 1;       ///< of them new against the tile before
  std::int64_t mapped_edge = 1;  ///< the same of the last, ragged tile
  std::int64_t unique_edge = 1;
  std::int64_t mapped_out = 1;
  std::int64_t unique_out = 1;
  std::int64_t mapped_edge_out = 1;
  std::int64_t unique_edge_out = 1;
};

struct CompletedLevel {
  StaticVector<LevelMap, mapping::kLayerDims> maps;
  std::int64_t units = 1;       ///< sub-clusters
  std::int64_t edge_units = 1;  ///< of them busy in the last, partial round
  StaticVector<std::size_t, mapping::kLayerDims> spatial;  ///< positions in maps, one or two
};

struct CompletedDataflow {
  StaticVector<CompletedLevel, mapping::kMaxClusterLevels> levels;
  Verdict verdict = Verdict::kOk;
};

CompletedDataflow Complete(const mapping::Layer& layer, const mapping::LayerTensors& tensors,
                           const Hardware& hardware, const mapping::Dataflow& dataflow);

}  // namespace sluice::cost::maestro
