#pragma once
/// \file
/// MAESTRO's cost model with its defects repaired: the same machine, the same rules of reuse, but
/// every tile has its true size, so that all operations are counted, once, and no result is faster
/// than the array. docs/design/0009-maestro-exact.md lists what was repaired and what was kept.
///
/// Where all tiles divide their parents and the stride is 1, every count except the L1 space of
/// outputs equals the compatible model's (tested), as long as no tensor has to start over.
///
/// Invariants, for every dataflow with verdict kOk: macs == true_macs; runtime >= compute_bound;
/// L2 reads of an input >= its touched words. Tested by tests/unit/maestro_exact_test.cpp, and
/// tests/property/maestro_test.cpp against a literal walk over all steps and units.

#include "cost/maestro/hardware.h"
#include "cost/maestro/report.h"
#include "cost/maestro/tiles.h"
#include "mapping/dataflow/dataflow.h"

namespace sluice::cost::maestro {

class ExactModel {
 public:
  /// Requires: ValidateLayer(layer); positive hardware parameters.
  ExactModel(const mapping::Layer& layer, const Hardware& hardware);

  /// Requires: ValidateDataflow(layer, dataflow). Thread-safe, no allocation.
  [[nodiscard]] Report Evaluate(const mapping::Dataflow& dataflow) const;
  /// The same for tiles that are there already. Requires: chain.verdict == kOk, of this layer and
  /// machine.
  [[nodiscard]] Report Evaluate(const TileChain& chain) const;

 private:
  mapping::Layer layer_;
  mapping::LayerTensors tensors_;
  Hardware hardware_;
};

}  // namespace sluice::cost::maestro
