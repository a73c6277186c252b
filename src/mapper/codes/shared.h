#pragma once
/// \file
/// One code for all layers of a network: an oracle that prices a code on every distinct layer and
/// sums up, so that every search of this module searches for networks too. What DCP calls per-model
/// optimisation.
///
/// The oracle's own layer is an envelope: each dim as large as the largest layer has it. A code of
/// the envelope becomes the nearest code of each layer's space (tiles within the layer, dividing it
/// where they must; a parallel dim that the layer lacks as CodeSpace::Repair has it). Cycles and
/// energies are sums over all layers, buffers the largest need; legal is what is legal everywhere.
/// So the EDP of a shared code is total cycles times total energy. A code counts as one sample
/// however many layers there are. Tested by tests/property/code_shared_test.cpp.

#include <cstdint>
#include <memory>
#include <vector>

#include "base/diagnostic.h"
#include "cost/oracle/oracle.h"
#include "mapper/codes/search.h"

namespace sluice::mapper::codes {

struct SharingLayer {
  std::unique_ptr<cost::CostOracle> oracle;
  std::int64_t count = 1;  ///< how often the network has this layer
};

/// Errors: kBadValue when there is no layer, or the machines differ.
sluice::Result<std::unique_ptr<cost::CostOracle>> MakeSharedOracle(std::vector<SharingLayer> layers,
                                                                   const SpaceOptions& space);

}  // namespace sluice::mapper::codes
