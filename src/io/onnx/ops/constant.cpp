/// \file
/// Operators whose outputs are known at import time (constants, shapes, ranges), random tensors,
/// and conversions between real and quantised numbers. Tested by tests/unit/onnx_fold_test.cpp,
/// tests/unit/onnx_ops_test.cpp.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
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

Constant IntegerConstant(const std::vector<std::int64_t>& numbers, bool scalar) {
  Constant constant;
  constant.type = kInt64Type;
  constant.ints = numbers;
  if (!scalar) {
    constant.shape = {static_cast<std::int64_t>(numbers.size())};
  }
  return constant;
}

Constant FloatConstant(const std::vector<float>& numbers, bool scalar) {
  Constant constant;
  constant.type = kFloatType;
  constant.floats.assign(numbers.begin(), numbers.end());
  if (!scalar) {
    constant.shape = {static_cast<std::int64_t>(numbers.size())};
  }
  return constant;
}

Status ConstantNode(Importer& importer, const Node& node, const OpRow&) {
  if (const Attribute* v = node.Find("value"); v != nullptr && v->tensor_shape) {
    return v->tensor ? importer.DefineConstant(node, 0, *v->tensor)
                     : importer.Define(node, 0, *v->tensor_shape, v->tensor_type);
  }
  if (const Attribute* v = node.Find("value_int"); v != nullptr && v->i) {
    return importer.DefineConstant(node, 0, IntegerConstant({*v->i}, true));
  }
  if (const Attribute* v = node.Find("value_float"); v != nullptr && v->f) {
    return importer.DefineConstant(node, 0, FloatConstant({*v->f}, true));
  }
  if (const Attribute* v = node.Find("value_ints")) {
    return importer.DefineConstant(node, 0, IntegerConstant(v->ints, false));
  }
  if (const Attribute* v = node.Find("value_floats")) {
    return importer.DefineConstant(node, 0, FloatConstant(v->floats, false));
  }
  return Importer::Unsupported("a constant that is no tensor of numbers");
}

/// start and end (opset 15) select axes.
Status ShapeNode(Importer& importer, const Node& node, const OpRow&) {
  const Shape& x = importer.ShapeOf(node, 0);
  const auto rank = static_cast<std::int64_t>(x.size());
  const auto place = [rank](std::int64_t at) {
    return std::clamp<std::int64_t>(at < 0 ? std::max(at, -rank) + rank : at, 0, rank);
  };
  const std::int64_t start = place(node.Int("start", 0));
  const std::int64_t end = std::max(start, place(node.Int("end", rank)));
  return importer.DefineConstant(node, 0,
                                 IntegerConstant({x.begin() + start, x.begin() + end}, false));
}

Status SizeNode(Importer& importer, const Node& node, const OpRow&) {
  SLUICE_TRY(const std::int64_t elements, ElementCount(importer.ShapeOf(node, 0)));
  return importer.DefineConstant(node, 0, IntegerConstant({elements}, true));
}

Status ConstantOfShape(Importer& importer, const Node& node, const OpRow&) {
  SLUICE_TRY(const Shape shape, importer.Integers(node, 0));
  const Attribute* value = node.Find("value");
  return importer.Define(node, 0, shape, value != nullptr ? value->tensor_type : kFloatType);
}

/// Inputs: start, limit, delta.
Status Range(Importer& importer, const Node& node, const OpRow&) {
  SLUICE_TRY(const auto start, importer.Numbers(node, 0));
  SLUICE_TRY(const auto limit, importer.Numbers(node, 1));
  SLUICE_TRY(const auto delta, importer.Numbers(node, 2));
  if (start.size() != 1 || limit.size() != 1 || delta.size() != 1 || delta[0] == 0) {
    return Importer::ShapeError("start, limit and delta must be single numbers, delta not 0");
  }
  const double count = std::max(0.0, std::ceil((limit[0] - start[0]) / delta[0]));
  if (!(count < 1e15)) {
    return Importer::ShapeError(fmt::format("a range of {} numbers", count));
  }
  return importer.Define(node, 0, {static_cast<std::int64_t>(count)}, importer.TypeOf(node, 0));
}

Status EyeLike(Importer& importer, const Node& node, const OpRow&) {
  const Shape shape = importer.ShapeOf(node, 0);
  const auto type = static_cast<std::int32_t>(node.Int("dtype", importer.TypeOf(node, 0)));
  SLUICE_TRY_STATUS(importer.Define(node, 0, shape, type));
  OpBuilder op(importer, node);
  const std::vector<int> dims = op.DimsFor(shape);
  return op.Write(node.outputs[0], AlongAll(dims)).Work(ir::WorkClass::kMove, 1).Emit();
}

/// A tensor drawn at run time: written, nothing read.
Status EmitRandom(Importer& importer, const Node& node, const Shape& shape, std::int32_t type,
                  const OpRow& row) {
  SLUICE_TRY_STATUS(importer.Define(node, 0, shape, type));
  OpBuilder op(importer, node);
  const std::vector<int> dims = op.DimsFor(shape);
  return op.Write(node.outputs[0], AlongAll(dims)).Work(row).Emit();
}

Status Random(Importer& importer, const Node& node, const OpRow& row) {
  const auto shape = node.Ints("shape");
  if (!shape) {
    return Importer::ShapeError("shape is missing");
  }
  return EmitRandom(importer, node, *shape,
                    static_cast<std::int32_t>(node.Int("dtype", kFloatType)), row);
}

Status RandomLike(Importer& importer, const Node& node, const OpRow& row) {
  const auto type = static_cast<std::int32_t>(node.Int("dtype", importer.TypeOf(node, 0)));
  return EmitRandom(importer, node, importer.ShapeOf(node, 0), type, row);
}

/// Draws with the probabilities of its input.
Status Bernoulli(Importer& importer, const Node& node, const OpRow& row) {
  const Shape shape = importer.ShapeOf(node, 0);
  const auto type = static_cast<std::int32_t>(node.Int("dtype", importer.TypeOf(node, 0)));
  SLUICE_TRY_STATUS(importer.Define(node, 0, shape, type));
  OpBuilder op(importer, node);
  const std::vector<int> dims = op.DimsFor(shape);
  return op.Read(node.inputs[0], AlongAll(dims))
      .Write(node.outputs[0], AlongAll(dims))
      .Work(row)
      .Emit();
}

/// Inputs: x, scale, zero point; both one number, one per index of `axis`, or one per block.
Status EmitScaled(Importer& importer, const Node& node, std::int32_t type, const OpRow& row) {
  const Shape x = importer.ShapeOf(node, 0);
  SLUICE_TRY_STATUS(importer.Define(node, 0, x, type));
  OpBuilder op(importer, node);
  const std::vector<int> dims = op.DimsFor(x);
  op.Read(node.inputs[0], AlongAll(dims));
  for (std::size_t i = 1; i < 3; ++i) {
    if (!Importer::Has(node, i)) {
      continue;
    }
    const Shape& scale = importer.ShapeOf(node, i);
    std::vector<ir::AxisExpr> axes(scale.size());
    if (scale.size() == 1 && scale[0] > 1) {
      SLUICE_TRY(const std::int64_t axis, NormalizeAxis(node.Int("axis", 1), x.size()));
      axes[0] = Along(dims[static_cast<std::size_t>(axis)]);
    } else if (scale.size() == x.size()) {
      const std::int64_t block = std::max<std::int64_t>(1, node.Int("block_size", 1));
      for (std::size_t k = 0; k < x.size(); ++k) {
        axes[k] = Affine({{dims[k], 1}}, 0, scale[k] == x[k] ? 1 : block);
      }
    } else if (scale.size() > 1) {
      return Importer::ShapeError(
          fmt::format("input {} of shape {} does not scale {}", i, ShapeText(scale), ShapeText(x)));
    }
    op.Parameter(node.inputs[i], std::move(axes));
  }
  return op.Write(node.outputs[0], AlongAll(dims)).Work(row).Emit();
}

Status QuantizeLinear(Importer& importer, const Node& node, const OpRow& row) {
  const std::int32_t stated = static_cast<std::int32_t>(node.Int("output_dtype", kUndefinedType));
  const std::int32_t type = Importer::Has(node, 2)     ? importer.TypeOf(node, 2)
                            : stated != kUndefinedType ? stated
                                                       : kUint8Type;
  return EmitScaled(importer, node, type, row);
}

Status DequantizeLinear(Importer& importer, const Node& node, const OpRow& row) {
  return EmitScaled(importer, node, importer.TypeOf(node, 1), row);
}

/// Outputs: y, scale, zero point, the latter two from the extremes of x.
Status DynamicQuantizeLinear(Importer& importer, const Node& node, const OpRow& row) {
  const Shape x = importer.ShapeOf(node, 0);
  SLUICE_TRY_STATUS(importer.Define(node, 0, x, kUint8Type));
  SLUICE_TRY_STATUS(importer.Define(node, 1, {}, kFloatType));
  SLUICE_TRY_STATUS(importer.Define(node, 2, {}, kUint8Type));
  int scale = importer.Wants(node, 1) ? node.outputs[1] : -1;
  if (scale < 0) {
    SLUICE_TRY(scale, importer.NewValue(node.name + ".scale", {}, kFloatType));
  }
  OpBuilder extremes(importer, node, "scale");
  std::vector<int> dims = extremes.DimsFor(x);
  SLUICE_TRY_STATUS(extremes.Read(node.inputs[0], AlongAll(dims))
                        .Accumulate(scale, {})
                        .Work(ir::WorkClass::kVector, 2)
                        .Emit());
  if (importer.Wants(node, 2)) {
    OpBuilder zero(importer, node, "zero_point");
    SLUICE_TRY_STATUS(
        zero.Read(scale, {}).Write(node.outputs[2], {}).Work(ir::WorkClass::kVector, 2).Emit());
  }
  if (!importer.Wants(node, 0)) {
    return {};
  }
  OpBuilder op(importer, node);
  dims = op.DimsFor(x);
  return op.Read(node.inputs[0], AlongAll(dims))
      .Read(scale, {})
      .Write(node.outputs[0], AlongAll(dims))
      .Work(row)
      .Emit();
}

constexpr OpRow kConstants[] = {
    {"Constant", ConstantNode, 0},
    {"Shape", ShapeNode, 1},
    {"Size", SizeNode, 1},
    {"ConstantOfShape", ConstantOfShape, 1},
    {"Range", Range, 3},
    {"EyeLike", EyeLike, 1},
    {"RandomNormal", Random, 0, 2, 2},
    {"RandomUniform", Random, 0, 2},
    {"RandomNormalLike", RandomLike, 1, 2, 2},
    {"RandomUniformLike", RandomLike, 1, 2},
    {"Bernoulli", Bernoulli, 1, 2},
};

constexpr OpRow kQuantizations[] = {
    {"QuantizeLinear", QuantizeLinear, 2, 4},  // scale, round, shift, saturate
    {"DequantizeLinear", DequantizeLinear, 2, 2},
    {"DynamicQuantizeLinear", DynamicQuantizeLinear, 1, 4, 0, true},
};

}  // namespace

std::span<const OpRow> ConstantRows() {
  return kConstants;
}
std::span<const OpRow> QuantizationRows() {
  return kQuantizations;
}

}  // namespace sluice::io::onnx_import
