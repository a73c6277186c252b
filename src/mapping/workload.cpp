/// \file
/// From an operator to the affine boxes that a mapping tiles.
///
/// Four things are normalised, in this order:
///  1. dims of bound 1 vanish (they can be tiled in one way only);
///  2. a divided axis floor((c*d + o) / D) becomes affine. When c divides D, the blocks of D/c
///  steps
///     start at d = 0 and the bound is a whole number of blocks, d is split into d_hi and d_lo
///     (d = d_hi * D/c + d_lo), of which only d_hi moves the axis: exact. In all other cases the
///     coefficient is rounded up to ceil(c / D): an upper bound of what a tile touches;
///  3. an indirect axis (gather) becomes one axis of coefficient 1 per dim that feeds it, so that
///  its
///     extent is the number of points, whatever the positions are;
///  4. coefficients become positive: a mirrored axis touches boxes of the same size.
/// Tested by tests/unit/workload_test.cpp.

#include "mapping/workload.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "arch/architecture.h"
#include "base/checked.h"
#include "base/diagnostic.h"
#include "ir/network.h"

namespace sluice::mapping {
namespace {

using ir::AccessMode;
using ir::AxisExpr;

/// How one dim of the operator appears in the workload.
struct DimImage {
  int high = -1;           ///< index in the workload, -1 when the dim has bound 1
  int low = -1;            ///< index of the inner part when the dim is split
  std::int64_t block = 1;  ///< bound of the inner part
};

tl::unexpected<Diagnostic> Invalid(const ir::Operator& op, std::string message) {
  return Fail(Diagnostic(ErrorCode::kOperatorInvalid,
                         fmt::format("operator `{}`: {}", op.name, std::move(message))));
}

/// The block by which `axis` wants its dim `*dim` split, or 1 when the axis needs no split or when
/// a split would not make it affine.
std::int64_t WantedBlock(const ir::Operator& op, const AxisExpr& axis, int* dim) {
  *dim = -1;
  if (axis.divisor == 1 || axis.indirect) {
    return 1;
  }
  std::int64_t coefficient = 0;
  for (const ir::Term& term : axis.terms) {
    const std::int64_t bound = op.dims[static_cast<std::size_t>(term.dim)].bound;
    if (bound == 1 || term.coefficient % axis.divisor == 0) {
      continue;
    }
    if (*dim >= 0) {
      return 1;  // two dims share the division: floor((a + b) / D) is not affine in any split
    }
    *dim = term.dim;
    coefficient = term.coefficient;
  }
  if (*dim < 0 || coefficient <= 0 || axis.divisor % coefficient != 0) {
    return 1;
  }
  const std::int64_t block = axis.divisor / coefficient;
  const bool aligned = FloorDiv(axis.offset, coefficient) % block == 0;
  const bool whole_blocks = op.dims[static_cast<std::size_t>(*dim)].bound % block == 0;
  return aligned && whole_blocks ? block : 1;
}

/// Which dims are split and by how much. A dim is split only when every axis that divides it
/// agrees.
std::vector<std::int64_t> Blocks(const ir::Operator& op) {
  std::vector<std::int64_t> blocks(op.dims.size(), 1);
  std::vector<bool> conflict(op.dims.size(), false);
  for (const ir::Access& access : op.accesses) {
    for (const AxisExpr& axis : access.axes) {
      int dim = -1;
      const std::int64_t block = WantedBlock(op, axis, &dim);
      if (dim < 0) {
        continue;
      }
      const auto d = static_cast<std::size_t>(dim);
      conflict[d] = conflict[d] || block == 1 || (blocks[d] != 1 && blocks[d] != block);
      blocks[d] = block;
    }
  }
  auto live = static_cast<int>(
      std::ranges::count_if(op.dims, [](const ir::Dim& d) { return d.bound > 1; }));
  for (std::size_t d = 0; d < blocks.size(); ++d) {
    // A block as long as its dim only says that the axis stands still: no second dim is needed.
    const bool splits = blocks[d] > 1 && blocks[d] < op.dims[d].bound;
    if (conflict[d] || (splits && live >= kMaxDims)) {
      blocks[d] = 1;
    } else if (splits) {
      ++live;
    }
  }
  return blocks;
}

std::string FreshName(const std::vector<std::string>& taken, std::string name) {
  while (std::ranges::find(taken, name) != taken.end()) {
    name += '_';
  }
  return name;
}

Result<std::vector<DimImage>> MakeDims(const ir::Operator& op, Workload* workload) {
  const std::vector<std::int64_t> blocks = Blocks(op);
  std::vector<DimImage> images(op.dims.size());
  std::vector<std::string> taken;
  taken.reserve(op.dims.size());
  for (const ir::Dim& dim : op.dims) {
    taken.push_back(dim.name);
  }
  const auto add = [&](std::string name, std::int64_t bound, bool whole) {
    const int index = workload->dims();
    workload->whole |= whole ? 1U << static_cast<unsigned>(index) : 0U;
    workload->dim_names.push_back(std::move(name));
    workload->bounds.push_back(bound);
    return index;
  };
  for (std::size_t d = 0; d < op.dims.size(); ++d) {
    const ir::Dim& dim = op.dims[d];
    if (dim.bound < 1 || dim.bound > std::numeric_limits<std::int32_t>::max()) {
      return Invalid(op, fmt::format("dim {} has {} points; a mapping handles 1 to {}", dim.name,
                                     dim.bound, std::numeric_limits<std::int32_t>::max()));
    }
    if (dim.bound == 1) {
      continue;
    }
    const bool split = blocks[d] > 1 && blocks[d] < dim.bound;
    if (workload->dims() + (split ? 2 : 1) > kMaxDims) {
      return Invalid(op, fmt::format("more than {} dims with more than one point", kMaxDims));
    }
    images[d].block = blocks[d];
    if (!split) {
      const int index = add(dim.name, dim.bound, dim.whole);
      (blocks[d] > 1 ? images[d].low : images[d].high) = index;
      continue;
    }
    std::string high = FreshName(taken, dim.name + "_hi");
    taken.push_back(high);
    images[d].high = add(std::move(high), dim.bound / blocks[d], dim.whole);
    std::string low = FreshName(taken, dim.name + "_lo");
    taken.push_back(low);
    images[d].low = add(std::move(low), blocks[d], dim.whole);
  }
  return images;
}

/// One axis of the tensor becomes one axis, or one per dim when it is indirect.
Status AddAxis(const ir::Operator& op, const AxisExpr& axis, const std::vector<DimImage>& images,
               WorkloadTensor* tensor) {
  WorkloadAxis current;
  bool complete = true;
  const auto flush = [&] {
    complete = complete && !tensor->axes.full();
    if (complete) {
      tensor->axes.push_back(current);
    }
    current.clear();
  };
  const auto add = [&](int dim, std::int64_t coefficient) {
    if (dim < 0) {
      return;
    }
    if (axis.indirect && !current.empty()) {
      flush();
    }
    complete = complete && !current.full();
    if (complete) {
      current.push_back({dim, coefficient});
      tensor->dims |= 1U << static_cast<unsigned>(dim);
    }
  };
  for (const ir::Term& term : axis.terms) {
    const DimImage& image = images[static_cast<std::size_t>(term.dim)];
    if (term.coefficient == std::numeric_limits<std::int64_t>::min()) {
      return Invalid(op, "a coefficient is out of range");
    }
    const std::int64_t size = term.coefficient < 0 ? -term.coefficient : term.coefficient;
    if (axis.indirect) {
      add(image.high, 1);
      add(image.low, 1);
    } else if (axis.divisor == 1 || size % axis.divisor == 0) {
      const std::int64_t step = size / axis.divisor;
      const auto high = CheckedMul(step, image.block);
      if (!high) {
        return Invalid(op, "a coefficient is out of range");
      }
      add(image.high, *high);
      add(image.low, step);
    } else if (image.block > 1) {
      add(image.high, 1);  // image.low stays inside one position
    } else {
      add(image.high, CeilDiv(size, axis.divisor));
    }
  }
  flush();
  if (!complete) {
    return Invalid(op,
                   fmt::format("an access has more than {} axes, or more than {} dims on an axis",
                               kMaxAxes, kMaxTerms));
  }
  return {};
}

bool IsWeight(const ir::Network& network, ir::TensorId id) {
  // A view of a weight is a weight; the chain of views is finite in a validated network.
  for (std::size_t steps = 0; id.valid() && steps <= network.tensors.size(); ++steps) {
    const ir::Tensor& tensor = network.tensor(id);
    if (tensor.role == ir::TensorRole::kWeight) {
      return true;
    }
    id = tensor.storage;
  }
  return false;
}

/// True when two points of the iteration space can land on the same element.
bool Reduces(const Workload& workload, const WorkloadTensor& output) {
  for (int d = 0; d < workload.dims(); ++d) {
    if ((output.dims >> static_cast<unsigned>(d) & 1U) == 0U) {
      return true;
    }
  }
  for (const WorkloadAxis& axis : output.axes) {
    std::vector<WorkloadTerm> terms(axis.begin(), axis.end());
    std::ranges::sort(terms, [](const WorkloadTerm& a, const WorkloadTerm& b) {
      return a.coefficient < b.coefficient;
    });
    std::int64_t reach = 0;  // largest index that the finer terms produce
    for (const WorkloadTerm& term : terms) {
      if (term.coefficient <= reach) {
        return true;
      }
      reach += term.coefficient * (workload.bounds[static_cast<std::size_t>(term.dim)] - 1);
    }
  }
  return false;
}

std::string UniqueTensorName(const std::vector<std::string>& taken, const std::string& name) {
  std::string candidate = name;
  for (int i = 2; std::ranges::find(taken, candidate) != taken.end(); ++i) {
    candidate = fmt::format("{}@{}", name, i);
  }
  return candidate;
}

/// Words of tensor t when every dim is whole; nullopt when it does not fit int64.
std::optional<std::int64_t> CheckedFootprint(const Workload& workload, const WorkloadTensor& t) {
  std::optional<std::int64_t> words = 1;
  for (const WorkloadAxis& axis : t.axes) {
    std::optional<std::int64_t> extent = 1;
    for (const WorkloadTerm& term : axis) {
      const auto reach =
          CheckedMul(term.coefficient, workload.bounds[static_cast<std::size_t>(term.dim)] - 1);
      extent = reach && extent ? CheckedAdd(*extent, *reach) : std::nullopt;
    }
    words = words && extent ? CheckedMul(*words, *extent) : std::nullopt;
  }
  return words;
}

Status CheckSizes(const ir::Operator& op, const Workload& workload) {
  std::optional<std::int64_t> points = 1;
  for (const std::int64_t bound : workload.bounds) {
    points = points ? CheckedMul(*points, bound) : std::nullopt;
  }
  if (!points) {
    return Invalid(op, "the iteration space has more than 2^63 points");
  }
  // Sums over tensors and the doubling of read-modify-write stay far from overflow below this.
  constexpr std::int64_t kLimit = std::int64_t{1} << 60U;
  for (std::size_t t = 0; t < workload.tensors.size(); ++t) {
    const auto words = CheckedFootprint(workload, workload.tensors[t]);
    if (!words || *words > kLimit) {
      return Invalid(op, fmt::format("tensor `{}` is touched over more than 2^60 words",
                                     workload.tensor_names[t]));
    }
  }
  return {};
}

}  // namespace

std::int64_t Workload::points() const {
  return std::accumulate(bounds.begin(), bounds.end(), std::int64_t{1}, std::multiplies<>());
}

std::int64_t Workload::footprint(std::size_t t) const {
  std::int64_t words = 1;
  for (const WorkloadAxis& axis : tensors[t].axes) {
    std::int64_t extent = 1;
    for (const WorkloadTerm& term : axis) {
      extent += term.coefficient * (bounds[static_cast<std::size_t>(term.dim)] - 1);
    }
    words *= extent;
  }
  return words;
}

Result<Workload> MakeWorkload(const ir::Operator& op, const ir::Network& network) {
  Workload workload;
  workload.name = op.name;
  workload.body = op.body;
  SLUICE_TRY(const std::vector<DimImage> images, MakeDims(op, &workload));
  if (op.accesses.empty() || op.accesses.back().mode == AccessMode::kRead) {
    return Invalid(op, "it writes nothing");
  }
  std::vector<const ir::Access*> merged;
  for (const ir::Access& access : op.accesses) {
    const bool repeated =
        std::ranges::any_of(merged, [&](const ir::Access* a) { return *a == access; });
    if (!repeated) {
      merged.push_back(&access);
    }
  }
  if (merged.size() > static_cast<std::size_t>(kMaxTensors)) {
    return Invalid(
        op, fmt::format("it touches {} tensors; a mapping handles {}", merged.size(), kMaxTensors));
  }
  const bool has_weight = std::any_of(merged.begin(), merged.end() - 1, [&](const ir::Access* a) {
    return IsWeight(network, a->tensor);
  });
  int activations = 0;
  for (std::size_t i = 0; i < merged.size(); ++i) {
    const ir::Access& access = *merged[i];
    const bool output = i + 1 == merged.size();
    if (!output && access.mode != AccessMode::kRead) {
      return Invalid(op, "it writes more than one tensor, or writes before it reads");
    }
    WorkloadTensor tensor;
    for (const AxisExpr& axis : access.axes) {
      SLUICE_TRY_STATUS(AddAxis(op, axis, images, &tensor));
    }
    tensor.is_output = output;
    if (output) {
      tensor.tensor_class = arch::TensorClass::kOutput;
    } else if (IsWeight(network, access.tensor)) {
      tensor.tensor_class = arch::TensorClass::kWeight;
    } else {
      ++activations;
      tensor.tensor_class =
          activations == 2 && !has_weight ? arch::TensorClass::kWeight : arch::TensorClass::kInput;
    }
    workload.tensor_names.push_back(
        UniqueTensorName(workload.tensor_names, network.tensor(access.tensor).name));
    workload.tensors.push_back(tensor);
  }
  SLUICE_TRY_STATUS(CheckSizes(op, workload));
  WorkloadTensor& output = workload.tensors.back();
  output.read_modify_write =
      op.output().mode == AccessMode::kAccumulate && Reduces(workload, output);
  return workload;
}

std::string WorkloadKey(const Workload& workload) {
  std::string key = "v1";
  for (int d = 0; d < workload.dims(); ++d) {
    const auto i = static_cast<std::size_t>(d);
    key += fmt::format(" {}={}{}", workload.dim_names[i], workload.bounds[i],
                       (workload.whole >> i & 1U) != 0U ? "!" : "");
  }
  for (const WorkloadTensor& tensor : workload.tensors) {
    constexpr std::string_view kClass = "IWO";
    key += fmt::format(" {}{}", kClass[static_cast<std::size_t>(tensor.tensor_class)],
                       tensor.read_modify_write ? "+" : "");
    for (const WorkloadAxis& axis : tensor.axes) {
      std::vector<WorkloadTerm> terms(axis.begin(), axis.end());
      std::ranges::sort(terms,
                        [](const WorkloadTerm& a, const WorkloadTerm& b) { return a.dim < b.dim; });
      key += '[';
      for (std::size_t i = 0; i < terms.size(); ++i) {
        key += fmt::format("{}{}*{}", i == 0 ? "" : ",", terms[i].dim, terms[i].coefficient);
      }
      key += ']';
    }
  }
  for (const ir::Work& work : workload.body) {
    key += fmt::format(" {}x{}", static_cast<int>(work.work_class), work.per_point);
  }
  return key;
}

}  // namespace sluice::mapping
