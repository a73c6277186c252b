#pragma once
/// \file
/// Dataflow codes: a dataflow as a few integers, for search and learning. DCP's (3, 7, 2) code
/// ("Learning Accelerator Dataflow for Neural Network via Propagation", arXiv 2410.06553) and
/// GAMMA's genome (ICCAD 2020), for one to four levels.
///
/// Per level: a parallel dim with its number of units, and for each of K C Y X R S a place in the
/// loop order and a tile size. Y and X count outputs, so a tile never depends on the kernel. The
/// outermost level takes all units that the machine has; its own count is 0. A GEMM is K = N,
/// C = K, Y = M. Dims that a layer does not have (K of a depth-wise one) have tile 1 and stand
/// last.
///
/// *Canonical* codes (tiles within their parents, parallel dims that exist, units of at least 1)
/// and the dataflows that Decode writes correspond one to one; MAESTRO's text is
/// io::WriteMaestroNetwork of the latter. Batch and groups are no part of a code: Decode steps
/// through them outermost, one at a time. Tested by tests/property/dataflow_code_test.cpp.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "base/diagnostic.h"
#include "base/static_vector.h"
#include "mapping/dataflow/dataflow.h"

namespace sluice::mapping {

inline constexpr int kCodeDims = 6;
inline constexpr int kMaxCodeLevels = 4;
using CodeSizes = std::array<std::int64_t, kCodeDims>;

/// Positions in every array of a code.
enum class CodeDim : std::uint8_t { kK, kC, kY, kX, kR, kS };
constexpr std::size_t Index(CodeDim dim) {
  return static_cast<std::size_t>(dim);
}

struct LevelCode {
  CodeDim parallel = CodeDim::kK;
  std::int64_t units = 1;  ///< sub-clusters; 0 at the outermost level
  std::array<CodeDim, kCodeDims> order = {CodeDim::kK, CodeDim::kC, CodeDim::kY,
                                          CodeDim::kX, CodeDim::kR, CodeDim::kS};
  CodeSizes tile = {1, 1, 1, 1, 1, 1};
  friend bool operator==(const LevelCode&, const LevelCode&) = default;
};

struct DataflowCode {
  StaticVector<LevelCode, kMaxCodeLevels> levels;  ///< outermost first
  friend bool operator==(const DataflowCode&, const DataflowCode&) = default;
};

/// Extents of the layer in code dims (outputs along Y and X), 0 for dims it does not have.
CodeSizes CodeExtents(const Layer& layer);
/// The layer's dim behind a code dim. Requires: CodeExtents is not 0 there.
LayerDim LayerDimOf(const Layer& layer, CodeDim dim);

/// Errors: kMappingInvalid saying what is not canonical.
Status ValidateCode(const Layer& layer, const DataflowCode& code);
/// The nearest canonical code: tiles clamped to 1 .. parent, a parallel dim that does not exist
/// becomes C (as GAMMA does for depth-wise layers), or Y. The identity on canonical codes.
/// Requires: at least one level, each order a permutation.
DataflowCode Canonical(const Layer& layer, DataflowCode code);

/// Requires: a canonical code. No allocation.
Dataflow Decode(const Layer& layer, const DataflowCode& code);
/// The inverse. Errors: kMappingInvalid for a dataflow that Decode does not write (other offsets,
/// input positions, missing maps, two spatial maps in a level).
Result<DataflowCode> Encode(const Layer& layer, const Dataflow& dataflow);

/// (levels, 7, 2) integers: per level the parallel dim and its units, then dim and tile in loop
/// order. Dims count from 0 in the order K C Y X R S.
std::vector<std::int64_t> ToNumbers(const DataflowCode& code);
/// Errors: kMappingInvalid for a wrong count, or dims that are no permutation.
Result<DataflowCode> FromNumbers(std::span<const std::int64_t> numbers);

/// A layer as DCP writes it, K C Y X R S and a type, with what it leaves out.
struct LayerCode {
  std::int64_t k = 1;
  std::int64_t c = 1;
  std::int64_t y = 1;  ///< of the input, without padding
  std::int64_t x = 1;
  std::int64_t r = 1;
  std::int64_t s = 1;
  /// GAMMA's types: 1 convolution, 2 depth-wise, 3 GEMM (k = N, c = K, y = M); here also 4 grouped
  /// and 5 transposed. 0, a fully connected layer, reads as a GEMM with y = 1.
  std::int64_t type = 1;
  std::int64_t stride_y = 1;
  std::int64_t stride_x = 1;
  std::int64_t pad_y = 0;  ///< both sides together
  std::int64_t pad_x = 0;
  std::int64_t batch = 0;  ///< 0: the layer has no such dim
  std::int64_t groups = 0;
  friend bool operator==(const LayerCode&, const LayerCode&) = default;
};

/// The layer with padding folded into Y and X. Errors: kOperatorInvalid.
Result<Layer> LayerOf(const LayerCode& code);
/// The inverse, with no padding. Requires: ValidateLayer(layer).
LayerCode CodeOf(const Layer& layer);

}  // namespace sluice::mapping
