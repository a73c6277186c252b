#pragma once
/// \file
/// The part of an operator that a mapping talks about: dims with bounds and, for each tensor, how
/// its axes move with the dims. Fixed-size, trivially copyable, built once per (operator, chain).
/// Tested by tests/unit/workload_test.cpp.

#include <cstdint>
#include <string>
#include <vector>

#include "arch/architecture.h"
#include "base/diagnostic.h"
#include "base/static_vector.h"
#include "ir/network.h"

namespace sluice::mapping {

inline constexpr int kMaxDims = 12;
inline constexpr int kMaxTensors = 6;
inline constexpr int kMaxAxes = 8;
inline constexpr int kMaxTerms = 4;

/// coefficient * dim on an axis, coefficient > 0 (mirrored axes count the same).
struct WorkloadTerm {
  std::int32_t dim = 0;
  std::int64_t coefficient = 1;
  friend bool operator==(const WorkloadTerm&, const WorkloadTerm&) = default;
};
/// One axis: extent of a tile with t_d points of dim d is 1 + sum coefficient_d * (t_d - 1).
/// An axis with no terms has extent 1.
using WorkloadAxis = StaticVector<WorkloadTerm, kMaxTerms>;

struct WorkloadTensor {
  StaticVector<WorkloadAxis, kMaxAxes> axes;
  arch::TensorClass tensor_class = arch::TensorClass::kInput;
  bool is_output = false;          ///< written; exactly one per workload, the last
  bool read_modify_write = false;  ///< partial sums: accumulates over some dim
  std::uint32_t dims = 0;          ///< bit d set: some axis moves with dim d
};

struct Workload {
  std::string name;
  std::vector<std::string> dim_names;     ///< size = dims
  std::vector<std::string> tensor_names;  ///< size = tensors
  StaticVector<std::int64_t, kMaxDims> bounds;
  std::uint32_t whole = 0;  ///< bit d set: dim d must not be split over space (softmax axis ...)
  StaticVector<WorkloadTensor, kMaxTensors> tensors;
  std::vector<ir::Work> body;

  [[nodiscard]] int dims() const { return static_cast<int>(bounds.size()); }
  [[nodiscard]] std::int64_t points() const;
  /// Words of the whole tensor t as the iteration space touches it (bounding box per axis,
  /// unclipped).
  [[nodiscard]] std::int64_t footprint(std::size_t t) const;
};

/// What `op` is to a mapping. Dims of bound 1 are dropped; identical reads of one tensor are merged
/// (two different reads of one tensor stay apart, the second is called `name@2`). Tensors: reads in
/// the operator's order, the output last.
///
/// Classes: the written tensor is kOutput, tensors of role kWeight (and views of them) are kWeight,
/// the rest is kInput; when there is no weight at all, the second activation counts as kWeight, so
/// that a memory can tell the two operands of a product apart. An axis floor(c*d/D) makes its dim
/// two dims `d_hi`, `d_lo` when that is exact, else its coefficient becomes ceil(c/D), an upper
/// bound. An indirect axis counts one position per point of its terms. Errors: kOperatorInvalid
/// beyond the limits above, or when a size does not fit.
Result<Workload> MakeWorkload(const ir::Operator& op, const ir::Network& network);

/// Equal for two workloads that have the same mappings and costs: dim names and bounds, classes,
/// axes and body, but neither operator nor tensor names. One line of printable text.
std::string WorkloadKey(const Workload& workload);

}  // namespace sluice::mapping
