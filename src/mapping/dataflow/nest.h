#pragma once
/// \file
/// Dataflow codes as mappings of any machine, so that the reference model prices what the `maestro`
/// models price.
///
/// Correspondence. Level i of a code runs its loops over tiles at memory i of the chain (so memory
/// i + 1 holds its tile), and what is left inside the last level's tile runs one memory further in.
/// Its parallel dim is unrolled on the i-th axis of the machine's fan-outs, outermost first, X
/// before Y. Tensors are kept wherever the memories may hold them.
///
/// Where tiles divide their parents, units divide trip counts and the chain has enough memories and
/// axes, CodeOf is the inverse of MappingOf (up to loops that do not iterate). Elsewhere:
///   1. A tile that is no multiple of the tile inside it is rounded up to one; the last iteration
///   is
///      ragged, and everything is still covered exactly once.
///   2. Units are cut to the size of the axis. Without an axis, or where the machine does not let
///   the
///      dim on it, the dim stays in time.
///   3. With more code levels than memories, the inner levels share the innermost memory.
///   4. Dims of the operator that no code speaks of (batch, groups, a third window) are stepped
///      through at the outermost memory.
/// Tested by tests/property/dataflow_code_test.cpp.

#include <array>
#include <vector>

#include "arch/architecture.h"
#include "base/diagnostic.h"
#include "mapping/dataflow/code.h"
#include "mapping/mapping.h"
#include "mapping/validity.h"
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
  /// Requires: a canonical code of layer(). Covers the workload and respects the fan-outs; capacity
  /// is left to FitsQuickly. No allocation.
  [[nodiscard]] Mapping MappingOf(const DataflowCode& code) const;
  /// The code of `levels` levels whose mapping this is. Errors: kMappingInvalid when there is none.
  [[nodiscard]] Result<DataflowCode> CodeOf(const Mapping& mapping, std::size_t levels) const;

 private:
  struct Axis {
    std::size_t memory = 0;
    bool y = false;
    std::int64_t size = 1;
    std::uint32_t may_unroll = 0;
  };

  CodeMapper(const Workload& workload, const arch::Chain& chain, LayerBinding binding);
  [[nodiscard]] const Axis* AxisOf(std::size_t level, int dim) const;
  void Fold(Mapping& mapping) const;

  LayerBinding binding_;
  StaticVector<std::int64_t, kMaxDims> bounds_;
  StaticVector<Axis, std::size_t{2} * arch::kMaxLevels> axes_;
  StaticVector<std::uint32_t, arch::kMaxLevels> keep_;
};

/// The code with trip counts of 1 put last in each order, and units no larger than they can be:
/// what a mapping remembers of it. `axes`: units at the outermost level.
DataflowCode Remembered(const Layer& layer, DataflowCode code, std::int64_t outermost_units);

}  // namespace sluice::mapping
