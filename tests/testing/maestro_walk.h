#pragma once
/// \file
/// A literal walk over every step, unit and word of a chain of tiles: what the exact `maestro`
/// model must agree with. Slow, for small layers only.

#include <array>
#include <cstdint>

#include "cost/maestro/tiles.h"
#include "mapping/dataflow/dataflow.h"

namespace sluice::testing {

struct MaestroWalk {
  bool each_once = true;  ///< every operation of the layer was done exactly once
  std::int64_t operations = 0;
  std::int64_t runtime = 0;
  /// Words of inputs and weights that at least one unit needs and did not hold one step before.
  std::array<std::int64_t, 2> reads{};
  std::int64_t writes = 0;  ///< of outputs, all that the units touch in a step
};

/// Whether a unit that had nothing to do for a step still holds what it held.
enum class Idle { kKeeps, kForgets };

/// The off-chip link is not walked: hardware.offchip_bandwidth must not bind.
MaestroWalk WalkMaestro(const mapping::Layer& layer, const cost::maestro::Hardware& hardware,
                        const cost::maestro::TileChain& chain, Idle idle);

}  // namespace sluice::testing
