#pragma once
/// \file
/// The `maestro` cost models as an oracle. Level 0 is the L2, level 1 the L1.

#include <memory>

#include "base/diagnostic.h"
#include "cost/maestro/hardware.h"
#include "cost/oracle/oracle.h"
#include "mapping/dataflow/dataflow.h"

namespace sluice::cost {

enum class MaestroMode : std::uint8_t { kCompatible, kExact };

struct MaestroOracleOptions {
  MaestroMode mode = MaestroMode::kExact;
  /// Codes that the compatible model prices below what physics allows are kImpossible. Without it
  /// they are legal, as for the tools that search on MAESTRO.
  bool physical_only = false;
  /// With physical_only: results that count operations twice are legal too, as for published
  /// figures that ask for complete work and a runtime of at least the bound.
  bool surplus_work = false;
};

/// Errors: kOperatorInvalid (ValidateLayer), kBadValue for hardware without PEs or bandwidth.
Result<std::unique_ptr<CostOracle>> MakeMaestroOracle(const mapping::Layer& layer,
                                                      const maestro::Hardware& hardware,
                                                      const MaestroOracleOptions& options);

}  // namespace sluice::cost
