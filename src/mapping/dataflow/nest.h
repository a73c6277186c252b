#pragma once
/// \file
/// Dataflow codes as mappings of any machine, so that the reference model prices what the `maestro`
/// models price.
///
/// Correspondence. Level i of a code runs its loops over tiles at memory i of the chain, so that
/// memory i + 1 holds its tile. Its parallel dim goes on the i-th axis of the machine's fan-outs,
/// outermost first, X before Y, and around again. What the code leaves open follows by the rules of
/// fill.h. Memories further in than the code has levels hold what fits of its last tile, in the
/// order of its last level; dims of the operator that no code speaks of (batch, groups, a third
/// window) are outermost everywhere.
///
/// Tested by tests/property/dataflow_code_test.cpp.

#include <array>
#include <vector>

#include "arch/architecture.h"
#include "base/diagnostic.h"
#include "mapping/dataflow/code.h"
#include "mapping/dataflow/fill.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"

namespace sluice::mapping {

/// An operator as a layer.
struct LayerBinding {
  Layer layer;
  std::array<int, kCodeDims> dim{};  ///< of the workload, per code dim; -1 where the extent is 1
  std::vector<int> others;           ///< dims of the workload that no code dim stands for
};

/// Finds the roles of the dims by what they move: K moves weight and output, C and the windows
/// input and weight, Y and X input and output. Errors: kOperatorInvalid unless the operator is a
/// product of two tensors into a third.
Result<LayerBinding> BindLayer(const Workload& workload);

class CodeMapper {
 public:
  /// Requires: an architecture that passed arch::Validate. Errors of BindLayer.
  static Result<CodeMapper> Create(const Workload& workload, const arch::Chain& chain);

  [[nodiscard]] const Layer& layer() const { return binding_.layer; }
  /// Requires: a canonical code of layer(). Valid, if any mapping with factors that divide is. No
  /// allocation.
  [[nodiscard]] Mapping MappingOf(const DataflowCode& code) const;
  /// What the rules think of that mapping's traffic. No allocation.
  [[nodiscard]] FillFigures FiguresOf(const DataflowCode& code) const;

 private:
  CodeMapper(const Workload& workload, const arch::Chain& chain, LayerBinding binding);
  [[nodiscard]] FillWish WishOf(const DataflowCode& code) const;

  Workload workload_;
  FillMachine machine_;
  LayerBinding binding_;
};

}  // namespace sluice::mapping
