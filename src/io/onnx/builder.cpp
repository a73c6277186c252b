/// \file
/// Building operators from dims and affine axes. Tensors come into being only when an operator that
/// touches them is emitted, so folded shape arithmetic leaves no trace in the network.
/// Tested by tests/unit/onnx_ops_test.cpp.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/diagnostic.h"
#include "io/onnx/graph.h"
#include "io/onnx/importer.h"
#include "io/onnx/shapes.h"
#include "ir/network.h"

namespace sluice::io::onnx_import {

namespace {

/// Terms an axis may have on a machine's side (mapping/workload.h).
constexpr std::size_t kMaxAxisTerms = 4;

/// Customary names by rank; higher ranks are numbered.
std::string AxisName(std::size_t rank, std::size_t axis) {
  static constexpr std::string_view kNames[] = {"", "N", "MN", "BMN", "NCHW", "NCDHW"};
  if (rank < std::size(kNames)) {
    return std::string(1, kNames[rank][axis]);
  }
  return fmt::format("A{}", axis);
}

}  // namespace

ir::AxisExpr Affine(const Terms& terms, std::int64_t offset, std::int64_t divisor) {
  ir::AxisExpr axis;
  for (const auto& [dim, coefficient] : terms) {
    if (coefficient != 0) {
      axis.terms.push_back({dim, coefficient});
    }
  }
  axis.offset = offset;
  axis.divisor = divisor;
  return axis;
}

ir::AxisExpr Along(int dim) {
  return Affine({{dim, 1}});
}

std::vector<ir::AxisExpr> AlongAll(const std::vector<int>& dims) {
  std::vector<ir::AxisExpr> axes;
  axes.reserve(dims.size());
  for (const int dim : dims) {
    axes.push_back(Along(dim));
  }
  return axes;
}

OpBuilder::OpBuilder(Importer& importer, const Node& node, const std::string& suffix)
    : importer_(&importer) {
  op_.name = suffix.empty() ? node.name : node.name + "." + suffix;
  op_.kind = node.op_type;
}

int OpBuilder::Dim(std::string name, std::int64_t bound, bool whole) {
  if (op_.FindDim(name) >= 0) {
    int number = 2;
    while (op_.FindDim(fmt::format("{}{}", name, number)) >= 0) {
      ++number;
    }
    name += std::to_string(number);
  }
  op_.dims.push_back({std::move(name), bound, whole});
  return static_cast<int>(op_.dims.size()) - 1;
}

std::vector<int> OpBuilder::DimsFor(const Shape& shape) {
  std::vector<int> dims;
  dims.reserve(shape.size());
  for (std::size_t i = 0; i < shape.size(); ++i) {
    dims.push_back(Dim(AxisName(shape.size(), i), shape[i]));
  }
  return dims;
}

ir::AxisExpr OpBuilder::Indirect(const std::vector<int>& dims) const {
  const auto bound = [this](int dim) { return op_.dims[static_cast<std::size_t>(dim)].bound; };
  std::vector<int> longest;
  std::ranges::copy_if(dims, std::back_inserter(longest), [&](int dim) { return bound(dim) > 1; });
  std::ranges::sort(
      longest, [&](int a, int b) { return bound(a) != bound(b) ? bound(a) > bound(b) : a < b; });
  longest.resize(std::min(longest.size(), kMaxAxisTerms));
  std::ranges::sort(longest);
  const auto repeated = std::ranges::unique(longest);
  longest.erase(repeated.begin(), repeated.end());
  ir::AxisExpr axis;
  axis.indirect = true;
  for (const int dim : longest) {
    axis.terms.push_back({dim, 1});
  }
  return axis;
}

OpBuilder& OpBuilder::Read(int id, std::vector<ir::AxisExpr> axes) {
  // Tensor ids are values until Emit.
  op_.accesses.push_back({{id}, ir::AccessMode::kRead, std::move(axes)});
  return *this;
}

OpBuilder& OpBuilder::ReadBroadcast(int id, const std::vector<int>& dims) {
  const Value& value = importer_->value(id);
  const Shape& shape = value.known_shape();
  const bool single = std::ranges::all_of(shape, [](auto e) { return e == 1; });
  if (value.is_constant && single) {
    return *this;
  }
  std::vector<ir::AxisExpr> axes;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const int dim = dims[dims.size() - shape.size() + i];
    axes.push_back(shape[i] == 1 ? ir::AxisExpr{} : Along(dim));
  }
  return Read(id, std::move(axes));
}

OpBuilder& OpBuilder::Parameter(int id, std::vector<ir::AxisExpr> axes) {
  if (id < 0) {
    return *this;
  }
  if (importer_->value(id).is_constant) {
    op_.parameters.push_back({id});
    return *this;
  }
  return Read(id, std::move(axes));
}

OpBuilder& OpBuilder::Write(int id, std::vector<ir::AxisExpr> axes) {
  op_.accesses.push_back({{id}, ir::AccessMode::kWrite, std::move(axes)});
  return *this;
}

OpBuilder& OpBuilder::Accumulate(int id, std::vector<ir::AxisExpr> axes) {
  op_.accesses.push_back({{id}, ir::AccessMode::kAccumulate, std::move(axes)});
  return *this;
}

OpBuilder& OpBuilder::Work(ir::WorkClass work_class, std::int64_t per_point) {
  op_.body.push_back({work_class, per_point});
  return *this;
}

OpBuilder& OpBuilder::Work(const OpRow& row) {
  if (row.transcendental > 0) {
    Work(ir::WorkClass::kTranscendental, row.transcendental);
  }
  if (row.vector > 0) {
    Work(ir::WorkClass::kVector, row.vector);
  }
  return row.vector + row.transcendental == 0 ? Work(ir::WorkClass::kMove, 1) : *this;
}

Status OpBuilder::Emit() {
  if (importer_->folding_) {
    return {};
  }
  for (ir::Access& access : op_.accesses) {
    access.tensor = importer_->TensorOf(access.tensor.value);
  }
  for (ir::TensorId& parameter : op_.parameters) {
    parameter = importer_->TensorOf(parameter.value);
  }
  op_.name = importer_->UniqueName(op_.name);
  if (Status valid = ir::Validate(op_, importer_->network_.tensors); !valid) {
    // The model's tensors do not have the ranks its operator needs.
    Diagnostic diagnostic = std::move(valid).error();
    if (diagnostic.code == ErrorCode::kOperatorInvalid) {
      diagnostic.code = ErrorCode::kOnnxShape;
    }
    return Fail(std::move(diagnostic));
  }
  importer_->AddOperator(std::move(op_));
  return {};
}

}  // namespace sluice::io::onnx_import
