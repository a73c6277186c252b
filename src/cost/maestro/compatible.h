#pragma once
/// \file
/// MAESTRO's cost model, defects included: counts equal to the tool's (release of May 2021) to the
/// last digit on every dataflow it prices. For comparisons with published results only; exact.h is
/// the model to optimise.
///
/// How it counts. Each level is a list of maps over static tile sizes. A map is in one of three
/// positions: Init (its first tile), Steady (the next full ones), Edge (the ragged last one); the
/// cross product of the positions of all maps gives the *cases*, each with its number of
/// occurrences. Per case the model computes the words that enter and leave the sub-clusters, the
/// time of a sub-cluster by recursion, and takes the longest of the three. Only the outermost
/// level's counts are reported.
/// What is wrong with it (dropped ragged tiles, energy of the wrong layer, ...) is listed in
/// docs/design/0009-maestro-exact.md. Source: behaviour of the tool; no code of it is used.
///
/// Complexity: cases of the outermost level (at most 3^maps) times the *distinct* tile shapes of a
/// sub-cluster; no allocation. Tested by tests/golden/maestro_test.cpp.

#include "cost/maestro/hardware.h"
#include "cost/maestro/report.h"
#include "mapping/dataflow/dataflow.h"

namespace sluice::cost::maestro {

class CompatibleModel {
 public:
  /// Requires: ValidateLayer(layer); positive hardware parameters.
  CompatibleModel(const mapping::Layer& layer, const Hardware& hardware);

  /// Requires: ValidateDataflow(layer, dataflow). Thread-safe.
  [[nodiscard]] Report Evaluate(const mapping::Dataflow& dataflow) const;

 private:
  mapping::Layer layer_;
  mapping::LayerTensors tensors_;  ///< as the tool couples them
  Hardware hardware_;
};

}  // namespace sluice::cost::maestro
