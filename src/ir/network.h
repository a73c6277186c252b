#pragma once
/// \file
/// The network IR: a DAG of operators over tensors with static shapes.
///
/// An operator is an iteration space (named dims) plus one affine expression per tensor axis plus a
/// body that says what one point costs. Convolution, GEMM, attention, pooling, softmax, gather,
/// resize and copies are all this; nothing outside the ONNX importer and the numeric kernels asks
/// which kind it is (`Operator::kind` is for display and for looking up numerics only).
///
/// Padding is clipping: an access outside [0, extent) reads nothing and moves no bytes.
/// Tested by tests/unit/network_test.cpp and tests/property/slice_test.cpp.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/diagnostic.h"

namespace sluice::ir {

/// Index into Network::tensors. Strong: cannot be mixed with operator indices.
struct TensorId {
  std::int32_t value = -1;
  [[nodiscard]] bool valid() const { return value >= 0; }
  friend bool operator==(TensorId, TensorId) = default;
  friend auto operator<=>(TensorId, TensorId) = default;
};
/// Index into Network::operators.
struct OperatorId {
  std::int32_t value = -1;
  [[nodiscard]] bool valid() const { return value >= 0; }
  friend bool operator==(OperatorId, OperatorId) = default;
  friend auto operator<=>(OperatorId, OperatorId) = default;
};

enum class TensorRole : std::uint8_t { kInput, kWeight, kIntermediate, kOutput };

struct Tensor {
  std::string name;
  std::vector<std::int64_t> shape;  ///< every extent >= 1; empty = scalar
  int element_bits = 32;            ///< of the ONNX type; machines use their own word (see cost)
  TensorRole role = TensorRole::kIntermediate;
  /// Set for a view (reshape, flatten, squeeze ...): the tensor whose bytes this one renames.
  /// An intermediate tensor with a storage but without a writer is *carried*: it is what the
  /// storage held one step earlier along a `whole` dim (the previous hidden state of a recurrent
  /// layer). It makes no edge of the DAG, so recurrent networks stay acyclic.
  TensorId storage;

  /// Number of elements. Network validation guarantees that it fits.
  [[nodiscard]] std::int64_t elements() const;
};

/// One dimension of an iteration space.
struct Dim {
  std::string name;
  std::int64_t bound = 1;
  /// Must not be split between instances or tiles (for example the axis of a softmax).
  bool whole = false;
  friend bool operator==(const Dim&, const Dim&) = default;
};

struct Term {
  std::int32_t dim = 0;  ///< index into Operator::dims
  std::int64_t coefficient = 1;
  friend bool operator==(const Term&, const Term&) = default;
};

/// Index on one tensor axis: floor((sum of coefficient * dim + offset) / divisor).
struct AxisExpr {
  std::vector<Term> terms;  ///< each dim at most once, coefficient != 0
  std::int64_t offset = 0;
  std::int64_t divisor = 1;  ///< >= 1
  /// The index depends on data (gather). The terms still count how many positions are touched: one
  /// point of the terms' dims touches one position, anywhere on the axis.
  bool indirect = false;
  friend bool operator==(const AxisExpr&, const AxisExpr&) = default;
};

enum class AccessMode : std::uint8_t {
  kRead,
  kWrite,       ///< every output element is produced by exactly one point
  kAccumulate,  ///< several points add into one element (read-modify-write)
};

struct Access {
  TensorId tensor;
  AccessMode mode = AccessMode::kRead;
  std::vector<AxisExpr> axes;  ///< one per axis of the tensor
  friend bool operator==(const Access&, const Access&) = default;
};

/// Classes of work; an architecture's compute units say which classes they run.
enum class WorkClass : std::uint8_t {
  kMac,             ///< multiply-accumulate
  kVector,          ///< add, multiply, compare, select
  kTranscendental,  ///< exp, log, sqrt, division, erf, tanh ...
  kMove,            ///< copies and data-dependent addressing, no arithmetic
};

/// What one point of the iteration space costs.
struct Work {
  WorkClass work_class = WorkClass::kMac;
  std::int64_t per_point = 1;  ///< operations of this class for each point
  friend bool operator==(const Work&, const Work&) = default;
};

struct Operator {
  std::string name;  ///< unique within a network
  std::string kind;  ///< for display and numerics, e.g. `Conv`; never switched on elsewhere
  std::vector<Dim> dims;
  std::vector<Access> accesses;  ///< reads first, then exactly one write or accumulate
  std::vector<Work> body;        ///< empty for a view: no work, no bytes
  /// Small weight tensors that enter once per output element and not once per point (bias of a
  /// convolution, scale of a normalisation, zero points): each is fetched once, none is an operand
  /// of the iteration space. In the order of the ONNX inputs; always of role kWeight.
  std::vector<TensorId> parameters;

  /// Product of the bounds. Network validation guarantees that it fits.
  [[nodiscard]] std::int64_t points() const;
  /// points() * per_point over the bodies of class `c`.
  [[nodiscard]] std::int64_t operations(WorkClass c) const;
  [[nodiscard]] std::int64_t macs() const { return operations(WorkClass::kMac); }
  [[nodiscard]] const Access& output() const { return accesses.back(); }
  [[nodiscard]] bool is_view() const { return body.empty(); }
  /// Index of the dim called `name`, or -1.
  [[nodiscard]] int FindDim(const std::string& name) const;
};

struct Network {
  std::string name;
  std::vector<Tensor> tensors;
  std::vector<Operator> operators;  ///< in topological order
  /// Things a user should know (unknown operators made opaque, folded batch norms ...).
  std::vector<std::string> warnings;

  [[nodiscard]] const Tensor& tensor(TensorId id) const {
    return tensors[static_cast<std::size_t>(id.value)];
  }
  [[nodiscard]] std::int64_t macs() const;
};

/// Checks every invariant stated above (indices, axes per tensor, bounds >= 1, products fit int64,
/// topological order, one writer per element range). Errors: kOperatorInvalid, kOnnxOverflow,
/// kOnnxCycle. O(total size).
Status Validate(const Network& network);
/// The same for one operator against the shapes of the tensors it names.
Status Validate(const Operator& op, const std::vector<Tensor>& tensors);

/// Half-open range on one axis.
struct Range {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  [[nodiscard]] std::int64_t size() const { return end > begin ? end - begin : 0; }
  friend bool operator==(const Range&, const Range&) = default;
};
using Box = std::vector<Range>;

/// What producing part of an operator's output needs.
struct Slice {
  Box dims;                   ///< range of each dim of the iteration space that is executed
  std::vector<Box> accesses;  ///< per access (same order): the bounding box touched, clipped
};

/// `slice(op, output range) -> input ranges`: the one function behind halos, instance splitting,
/// recompute counts and memory sizing. `output` has one range per axis of the output tensor, inside
/// its shape.
///  - dims: the smallest box that contains every point that writes into `output`; whole dims are
///  never
///    cut.
///  - accesses: for each read, the bounding box of the in-range indices of all points of that box;
///  for
///    the output, the same restricted to `output` (points that write elsewhere are skipped). An
///    indirect axis is touched anywhere: its whole extent.
/// If no point writes into `output`, every range is {0, 0}. Exact when each dim stands on at most
/// one axis of each access, otherwise enclosing; tested against enumeration of points. O(dims x
/// axes). Requires: `op` is valid.
Slice SliceOutput(const Operator& op, const std::vector<Tensor>& tensors, const Box& output);

/// What the whole operator touches: SliceOutput of the full output tensor.
Slice FullSlice(const Operator& op, const std::vector<Tensor>& tensors);

/// Words of a box.
std::int64_t Volume(const Box& box);

/// Distinct bytes each access touches: its clipped bounding box, where an indirect axis counts at
/// most one position per point. Parallel to Operator::accesses. A view touches nothing.
std::vector<std::int64_t> AccessBytes(const Network& network, const Operator& op);
/// Compulsory traffic of one operator run alone: AccessBytes (an access that repeats another one is
/// counted once) plus its parameters.
std::int64_t OperatorBytes(const Network& network, const Operator& op);
/// Sum of OperatorBytes: every operator alone, every tensor through main memory.
std::int64_t TotalBytes(const Network& network);
/// Bytes of a tensor, rounded up to whole bytes.
std::int64_t TensorBytes(const Tensor& tensor);

/// A one-operator network parsed from a descriptor such as
/// `conv K=64 C=64 P=56 Q=56 R=3 S=3 stride=2 dilation=1 N=1 groups=1` or `gemm M=512 N=768 K=768`,
/// `depthwise C=.. P=.. Q=.. R=.. S=..`, `bmm B=.. M=.. N=.. K=..`. Convolution extents P, Q are
/// output extents; input axes are unpadded: extent (P-1)*stride + (R-1)*dilation + 1. `file` names
/// the origin in errors (`--op`). Errors: kSyntax, kUnknownKey, kMissingKey, kBadValue with a
/// column.
Result<Network> ParseOperatorDescriptor(const std::string& text);

}  // namespace sluice::ir
