#pragma once
/// \file
/// Random layers, machines and dataflows for the tests of the `maestro` cost models and codes.

#include "base/rng.h"
#include "cost/maestro/hardware.h"
#include "cost/maestro/tiles.h"
#include "mapping/dataflow/dataflow.h"

namespace sluice::testing {

struct MaestroCase {
  mapping::Layer layer;
  cost::maestro::Hardware hardware;
  mapping::Dataflow dataflow;
};

struct MaestroShape {
  std::int64_t largest = 8;  ///< of any dim
  /// Tiles divide, units are all busy, stride 1, kernels whole, nothing binds off chip: where the
  /// tool is right.
  bool dividing = false;
};

mapping::Layer RandomMaestroLayer(Rng& rng, const MaestroShape& shape);
/// One to three levels with one spatial map each; tiles never larger than their parents.
MaestroCase RandomMaestroCase(Rng& rng, const MaestroShape& shape);
/// Anything that is structurally valid: offsets, sizes and clusters out of proportion.
MaestroCase WildMaestroCase(Rng& rng);

/// Whether a loop inside another one moves a tensor that the outer one does not move.
bool StartsOver(const mapping::Layer& layer, const cost::maestro::TileChain& chain);

}  // namespace sluice::testing
