/// \file
/// Every invariant of network.h, checked once when a network is made so that nothing behind it
/// needs to check again: indices, arity, positive bounds, products and index arithmetic that fit 64
/// bits, topological order, and one writer per element. Tested by tests/unit/network_test.cpp.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/checked.h"
#include "base/diagnostic.h"
#include "ir/network.h"

namespace sluice::ir {

namespace {

/// Index arithmetic (coefficients times bounds, extents times divisors) stays below this, so that
/// sums of a few such numbers cannot wrap.
constexpr std::int64_t kIndexLimit = std::int64_t{1} << 58;
/// Most writers of one tensor that are compared pairwise when no single axis separates them.
constexpr std::size_t kPairwiseWriters = 4096;

tl::unexpected<Diagnostic> Bad(const Operator& op, const std::string& what) {
  return Fail(ErrorCode::kOperatorInvalid, fmt::format("operator `{}`: {}", op.name, what));
}

tl::unexpected<Diagnostic> Overflow(const std::string& what) {
  return Fail(Diagnostic(ErrorCode::kOnnxOverflow, what)
                  .WithHint("use a smaller batch or smaller extents: sizes must fit 62 bits"));
}

std::optional<std::int64_t> Product(const std::vector<std::int64_t>& factors) {
  std::int64_t product = 1;
  for (const std::int64_t factor : factors) {
    const auto next = CheckedMul(product, factor);
    if (!next || *next > (std::int64_t{1} << 62)) {
      return std::nullopt;
    }
    product = *next;
  }
  return product;
}

Status CheckTensor(const Tensor& tensor, std::size_t count) {
  const auto bad = [&](const std::string& what) {
    return Fail(ErrorCode::kOperatorInvalid, fmt::format("tensor `{}`: {}", tensor.name, what));
  };
  for (const std::int64_t extent : tensor.shape) {
    if (extent < 1) {
      return bad(fmt::format("extent {} is not positive", extent));
    }
  }
  if (tensor.element_bits < 1) {
    return bad("an element has no bits");
  }
  const auto elements = Product(tensor.shape);
  if (!elements || !CheckedMul(*elements, tensor.element_bits)) {
    return Overflow(
        fmt::format("tensor `{}` has more elements than 62 bits can count", tensor.name));
  }
  if (tensor.storage.value >= static_cast<std::int32_t>(count) || tensor.storage.value < -1) {
    return bad("its storage is not a tensor of the network");
  }
  return {};
}

Status CheckDims(const Operator& op) {
  std::set<std::string> names;
  std::vector<std::int64_t> bounds;
  for (const Dim& dim : op.dims) {
    if (dim.bound < 1) {
      return Bad(op,
                 fmt::format("dim {} has bound {}, it must be at least 1", dim.name, dim.bound));
    }
    if (dim.name.empty() || !names.insert(dim.name).second) {
      return Bad(op, fmt::format("dim name `{}` is empty or used twice", dim.name));
    }
    bounds.push_back(dim.bound);
  }
  const auto points = Product(bounds);
  if (!points) {
    return Overflow(fmt::format("operator `{}` has more points than 62 bits can count", op.name));
  }
  for (const Work& work : op.body) {
    if (work.per_point < 1) {
      return Bad(op, "work per point must be at least 1");
    }
    if (!CheckedMul(*points, work.per_point)) {
      return Overflow(
          fmt::format("operator `{}` does more operations than 63 bits count", op.name));
    }
  }
  return {};
}

Status CheckAxis(const Operator& op, const AxisExpr& axis, std::int64_t extent) {
  if (axis.divisor < 1) {
    return Bad(op, "a divisor is not positive");
  }
  std::set<std::int32_t> seen;
  std::int64_t reach = 0;
  const auto grow = [&reach](std::optional<std::int64_t> by) {
    if (!by || *by > kIndexLimit || *by < -kIndexLimit) {
      return false;
    }
    reach += *by < 0 ? -*by : *by;
    return reach <= kIndexLimit;
  };
  if (!grow(axis.offset) || !grow(CheckedMul(extent, axis.divisor))) {
    return Overflow(fmt::format("operator `{}`: an index does not fit", op.name));
  }
  for (const Term& term : axis.terms) {
    if (term.dim < 0 || static_cast<std::size_t>(term.dim) >= op.dims.size()) {
      return Bad(op, fmt::format("a term names dim {}, there are {}", term.dim, op.dims.size()));
    }
    if (term.coefficient == 0 || !seen.insert(term.dim).second) {
      return Bad(op, "a term has coefficient 0 or repeats a dim on one axis");
    }
    if (!grow(CheckedMul(term.coefficient, op.dims[static_cast<std::size_t>(term.dim)].bound))) {
      return Overflow(fmt::format("operator `{}`: an index does not fit", op.name));
    }
  }
  return {};
}

Status CheckAccess(const Operator& op, const Access& access, const std::vector<Tensor>& tensors,
                   bool last) {
  if (!access.tensor.valid() || static_cast<std::size_t>(access.tensor.value) >= tensors.size()) {
    return Bad(op, "an access names no tensor of the network");
  }
  const Tensor& tensor = tensors[static_cast<std::size_t>(access.tensor.value)];
  if (access.axes.size() != tensor.shape.size()) {
    return Bad(op, fmt::format("access to `{}` has {} axes, the tensor has {}", tensor.name,
                               access.axes.size(), tensor.shape.size()));
  }
  if ((access.mode == AccessMode::kRead) == last) {
    return Bad(op, "accesses are reads followed by exactly one write");
  }
  std::set<std::int32_t> moving;
  for (std::size_t x = 0; x < access.axes.size(); ++x) {
    SLUICE_TRY_STATUS(CheckAxis(op, access.axes[x], tensor.shape[x]));
    for (const Term& term : access.axes[x].terms) {
      moving.insert(term.dim);
    }
  }
  if (access.mode == AccessMode::kWrite) {
    for (std::size_t d = 0; d < op.dims.size(); ++d) {
      if (op.dims[d].bound > 1 && !moving.contains(static_cast<std::int32_t>(d))) {
        return Bad(op,
                   fmt::format("dim {} does not move the output `{}`, so several points write one "
                               "element: the output must accumulate",
                               op.dims[d].name, tensor.name));
      }
    }
  }
  return {};
}

bool Overlap(const Box& a, const Box& b) {
  for (std::size_t x = 0; x < a.size(); ++x) {
    if (a[x].end <= b[x].begin || b[x].end <= a[x].begin) {
      return false;
    }
  }
  return true;
}

/// True if the boxes follow one another without overlap along some axis (a concat): O(n log n).
bool SeparatedByOneAxis(std::vector<std::pair<Box, std::size_t>> boxes) {
  for (std::size_t x = 0; x < boxes.front().first.size(); ++x) {
    std::ranges::sort(
        boxes, [x](const auto& a, const auto& b) { return a.first[x].begin < b.first[x].begin; });
    const auto meet = std::ranges::adjacent_find(
        boxes, [x](const auto& a, const auto& b) { return b.first[x].begin < a.first[x].end; });
    if (meet == boxes.end()) {
      return true;
    }
  }
  return false;
}

/// Writers of one tensor must write disjoint boxes.
Status CheckDisjoint(const Network& network, const std::vector<std::size_t>& writers) {
  std::vector<std::pair<Box, std::size_t>> boxes;
  for (const std::size_t w : writers) {
    const Operator& op = network.operators[w];
    const auto indirect = [](const AxisExpr& axis) { return axis.indirect; };
    // A scatter updates, in order, what an earlier operator wrote.
    if (std::ranges::none_of(op.output().axes, indirect)) {
      boxes.emplace_back(FullSlice(op, network.tensors).accesses.back(), w);
    }
  }
  if (boxes.size() < 2 || SeparatedByOneAxis(boxes)) {
    return {};
  }
  if (boxes.size() > kPairwiseWriters) {
    return Bad(network.operators[boxes.front().second],
               fmt::format("its output has {} writers that no axis separates, at most {} can be "
                           "checked",
                           boxes.size(), kPairwiseWriters));
  }
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    for (std::size_t j = i + 1; j < boxes.size(); ++j) {
      if (Overlap(boxes[i].first, boxes[j].first)) {
        return Bad(network.operators[boxes[j].second],
                   fmt::format("writes elements that `{}` writes too",
                               network.operators[boxes[i].second].name));
      }
    }
  }
  return {};
}

/// Views rename bytes: same size as their storage, and following storages ends. O(tensors): a chain
/// is followed only up to the first tensor that is known to end.
Status CheckStorages(const Network& network) {
  std::vector<bool> ends(network.tensors.size(), false);
  std::vector<bool> on_path(network.tensors.size(), false);
  for (std::size_t t = 0; t < network.tensors.size(); ++t) {
    std::vector<std::size_t> path;
    for (std::size_t at = t; !ends[at];) {
      const Tensor& tensor = network.tensors[at];
      if (on_path[at]) {
        return Fail(ErrorCode::kOnnxCycle,
                    fmt::format("tensor `{}` is a view of itself", tensor.name));
      }
      on_path[at] = true;
      path.push_back(at);
      if (!tensor.storage.valid()) {
        break;
      }
      const Tensor& storage = network.tensor(tensor.storage);
      if (TensorBytes(tensor) != TensorBytes(storage)) {
        return Fail(ErrorCode::kOperatorInvalid,
                    fmt::format("tensor `{}` is a view of `{}` but has another size", tensor.name,
                                storage.name));
      }
      at = static_cast<std::size_t>(tensor.storage.value);
    }
    for (const std::size_t at : path) {
      ends[at] = true;
    }
  }
  return {};
}

Status CheckFlow(const Network& network) {
  std::vector<std::vector<std::size_t>> writers(network.tensors.size());
  for (std::size_t i = 0; i < network.operators.size(); ++i) {
    const Operator& op = network.operators[i];
    const TensorId out = op.output().tensor;
    const Tensor& tensor = network.tensor(out);
    if (tensor.role == TensorRole::kInput || tensor.role == TensorRole::kWeight) {
      return Bad(op, fmt::format("writes `{}`, which is an input or a weight", tensor.name));
    }
    writers[static_cast<std::size_t>(out.value)].push_back(i);
  }
  for (std::size_t i = 0; i < network.operators.size(); ++i) {
    const Operator& op = network.operators[i];
    for (std::size_t a = 0; a + 1 < op.accesses.size(); ++a) {
      const TensorId in = op.accesses[a].tensor;
      const Tensor& tensor = network.tensor(in);
      const auto& sources = writers[static_cast<std::size_t>(in.value)];
      const bool own = in == op.output().tensor;
      if (!sources.empty() && !own && sources.back() >= i) {
        return Fail(ErrorCode::kOnnxCycle,
                    fmt::format("operator `{}` reads `{}`, which `{}` writes later", op.name,
                                tensor.name, network.operators[sources.back()].name));
      }
      if (sources.empty() && tensor.role == TensorRole::kIntermediate && !tensor.storage.valid()) {
        return Bad(op, fmt::format("reads `{}`, which nothing writes", tensor.name));
      }
    }
    for (const TensorId parameter : op.parameters) {
      if (network.tensor(parameter).role != TensorRole::kWeight) {
        return Bad(op,
                   fmt::format("parameter `{}` is not a weight", network.tensor(parameter).name));
      }
    }
  }
  for (const auto& sources : writers) {
    if (sources.size() > 1) {
      SLUICE_TRY_STATUS(CheckDisjoint(network, sources));
    }
  }
  return {};
}

/// `total` plus the operations and the bytes of `op`.
Result<std::int64_t> AddWork(const Network& network, const Operator& op, std::int64_t total) {
  std::optional<std::int64_t> sum = total;
  const auto add = [&sum](std::int64_t value) { sum = sum ? CheckedAdd(*sum, value) : sum; };
  const std::int64_t points = op.points();
  for (const Work& work : op.body) {
    add(points * work.per_point);  // fits: CheckDims
  }
  for (const Access& access : op.accesses) {
    add(TensorBytes(network.tensor(access.tensor)));
  }
  for (const TensorId parameter : op.parameters) {
    add(TensorBytes(network.tensor(parameter)));
  }
  if (!sum) {
    return Overflow("the network has more operations and bytes than 63 bits can count");
  }
  return *sum;
}

}  // namespace

Status Validate(const Operator& op, const std::vector<Tensor>& tensors) {
  SLUICE_TRY_STATUS(CheckDims(op));
  if (op.accesses.empty()) {
    return Bad(op, "it accesses no tensor");
  }
  for (std::size_t a = 0; a < op.accesses.size(); ++a) {
    SLUICE_TRY_STATUS(CheckAccess(op, op.accesses[a], tensors, a + 1 == op.accesses.size()));
  }
  for (const TensorId parameter : op.parameters) {
    if (!parameter.valid() || static_cast<std::size_t>(parameter.value) >= tensors.size()) {
      return Bad(op, "a parameter names no tensor of the network");
    }
  }
  return {};
}

Status Validate(const Network& network) {
  std::set<std::string> names;
  for (const Tensor& tensor : network.tensors) {
    SLUICE_TRY_STATUS(CheckTensor(tensor, network.tensors.size()));
    if (!names.insert(tensor.name).second) {
      return Fail(ErrorCode::kOperatorInvalid,
                  fmt::format("two tensors are called `{}`", tensor.name));
    }
  }
  SLUICE_TRY_STATUS(CheckStorages(network));
  names.clear();
  std::int64_t total = 0;  // of operations, and an upper bound of all bytes moved
  for (const Operator& op : network.operators) {
    SLUICE_TRY_STATUS(Validate(op, network.tensors));
    if (!names.insert(op.name).second) {
      return Fail(ErrorCode::kOperatorInvalid,
                  fmt::format("two operators are called `{}`", op.name));
    }
    SLUICE_TRY(total, AddWork(network, op, total));
  }
  return CheckFlow(network);
}

}  // namespace sluice::ir
