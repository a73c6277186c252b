/// \file
/// Elementwise operators with numpy broadcasting: one point per output element. An operand's axis
/// of extent 1 does not move; an operand that is a single constant is an immediate and no access at
/// all. Costs are per output element: a comparison, addition or multiplication is one vector
/// operation; exp, log, division, roots and trigonometry are transcendental. Tested by
/// tests/unit/onnx_ops_test.cpp, tests/differential/onnx_shapes_test.cpp.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/diagnostic.h"
#include "io/onnx/graph.h"
#include "io/onnx/importer.h"
#include "io/onnx/shapes.h"
#include "ir/network.h"

namespace sluice::io::onnx_import {

namespace {

/// Reads one operator may have: six tensors less the output.
constexpr std::size_t kMaxReads = 5;

/// One of the operators that a node becomes.
struct Part {
  int out;             ///< the value it writes
  std::string suffix;  ///< of its name
  std::int64_t operations = 1;
};

/// One operator over the shape of `part.out`; `part.operations` scales the work of the row.
Status EmitOver(Importer& importer, const Node& node, const OpRow& row,
                const std::vector<int>& inputs, const Part& part) {
  OpBuilder op(importer, node, part.suffix);
  const std::vector<int> dims = op.DimsFor(importer.value(part.out).known_shape());
  for (const int input : inputs) {
    op.ReadBroadcast(input, dims);
  }
  op.Write(part.out, AlongAll(dims));
  if (part.operations > 1) {
    op.Work(ir::WorkClass::kVector, row.vector * part.operations);
  } else {
    op.Work(row);
  }
  return op.Emit();
}

Result<Shape> BroadcastInputs(const Importer& importer, const Node& node, std::size_t count) {
  Shape shape;
  for (std::size_t i = 0; i < count; ++i) {
    if (Importer::Has(node, i)) {
      SLUICE_TRY(shape, Broadcast(shape, importer.ShapeOf(node, i)));
    }
  }
  return shape;
}

Status Elementwise(Importer& importer, const Node& node, const OpRow& row, std::size_t arity,
                   std::int32_t type) {
  SLUICE_TRY(const Shape shape, BroadcastInputs(importer, node, arity));
  SLUICE_TRY_STATUS(importer.Define(node, 0, shape, type));
  std::vector<int> inputs;
  for (std::size_t i = 0; i < arity; ++i) {
    if (Importer::Has(node, i)) {
      inputs.push_back(node.inputs[i]);
    }
  }
  return EmitOver(importer, node, row, inputs, {node.outputs[0], ""});
}

Status Unary(Importer& importer, const Node& node, const OpRow& row) {
  return Elementwise(importer, node, row, 1, importer.TypeOf(node, 0));
}

Status UnaryTest(Importer& importer, const Node& node, const OpRow& row) {
  return Elementwise(importer, node, row, 1, kBoolType);
}

Status Binary(Importer& importer, const Node& node, const OpRow& row) {
  return Elementwise(importer, node, row, 2, importer.TypeOf(node, 0));
}

Status Compare(Importer& importer, const Node& node, const OpRow& row) {
  return Elementwise(importer, node, row, 2, kBoolType);
}

/// Inputs: condition, x, y.
Status Where(Importer& importer, const Node& node, const OpRow& row) {
  return Elementwise(importer, node, row, 3, importer.TypeOf(node, 1));
}

/// Bounds are attributes before opset 11 and inputs since; scalars either way.
Status Clip(Importer& importer, const Node& node, const OpRow& row) {
  return Elementwise(importer, node, row, 1, importer.TypeOf(node, 0));
}

/// The slope broadcasts to x only.
Status PRelu(Importer& importer, const Node& node, const OpRow& row) {
  SLUICE_TRY(const Shape shape, BroadcastInputs(importer, node, 2));
  if (shape != importer.ShapeOf(node, 0)) {
    return Importer::ShapeError(fmt::format("slope {} does not broadcast to {}",
                                            ShapeText(importer.ShapeOf(node, 1)),
                                            ShapeText(importer.ShapeOf(node, 0))));
  }
  return Elementwise(importer, node, row, 2, importer.TypeOf(node, 0));
}

/// Sum, Mean, Max, Min of any number of tensors, in groups that one operator can read.
Status Variadic(Importer& importer, const Node& node, const OpRow& row) {
  SLUICE_TRY(const Shape shape, BroadcastInputs(importer, node, node.inputs.size()));
  const std::int32_t type = importer.TypeOf(node, 0);
  SLUICE_TRY_STATUS(importer.Define(node, 0, shape, type));
  std::vector<int> open;
  std::ranges::copy_if(node.inputs, std::back_inserter(open), [](int id) { return id >= 0; });
  std::size_t next = 1;
  int partial = open[0];
  for (int part = 0; next < open.size() || part == 0; ++part) {
    const std::size_t count = std::min(open.size() - next, kMaxReads - 1);
    std::vector<int> reads{partial};
    reads.insert(reads.end(), open.begin() + static_cast<std::ptrdiff_t>(next),
                 open.begin() + static_cast<std::ptrdiff_t>(next + count));
    next += count;
    const bool last = next == open.size();
    const std::string& name = importer.value(node.outputs[0]).name;
    int out = node.outputs[0];
    if (!last) {
      SLUICE_TRY(out, importer.NewValue(fmt::format("{}.{}", name, part), shape, type));
    }
    SLUICE_TRY_STATUS(EmitOver(
        importer, node, row, reads,
        {out, last ? "" : std::to_string(part), static_cast<std::int64_t>(reads.size()) - 1}));
    partial = out;
  }
  return {};
}

/// A cast to the same type renames; any other converts each element.
Status CastTo(Importer& importer, const Node& node, std::int32_t type, const OpRow& row) {
  SLUICE_TRY_STATUS(importer.Define(node, 0, importer.ShapeOf(node, 0), type));
  if (type == importer.TypeOf(node, 0)) {
    return importer.EmitView(node, 0);
  }
  return EmitOver(importer, node, row, {node.inputs[0]}, {node.outputs[0], ""});
}

Status Cast(Importer& importer, const Node& node, const OpRow& row) {
  return CastTo(importer, node, static_cast<std::int32_t>(node.Int("to", 0)), row);
}

Status CastLike(Importer& importer, const Node& node, const OpRow& row) {
  return CastTo(importer, node, importer.TypeOf(node, 1), row);
}

/// Inputs: x, ratio, training_mode. Identity at inference, where the mask is all true; a
/// multiplication by the drawn mask where the model trains or may.
Status Dropout(Importer& importer, const Node& node, const OpRow& row) {
  const Shape shape = importer.ShapeOf(node, 0);
  SLUICE_TRY_STATUS(importer.Define(node, 0, shape, importer.TypeOf(node, 0)));
  SLUICE_TRY_STATUS(importer.Define(node, 1, shape, kBoolType));
  bool trains = Importer::Has(node, 2);
  if (const Result<std::vector<std::int64_t>> mode =
          trains ? importer.Integers(node, 2) : std::vector<std::int64_t>{};
      mode) {
    trains = !mode->empty() && mode->front() != 0;
  }
  if (importer.Wants(node, 0)) {
    SLUICE_TRY_STATUS(
        trains ? EmitOver(importer, node, row, {node.inputs[0]}, {node.outputs[0], "", 2})
               : importer.EmitView(node, 0));
  }
  return importer.Wants(node, 1) ? EmitOver(importer, node, row, {}, {node.outputs[1], "mask"})
                                 : Status{};
}

constexpr OpRow kRows[] = {
    {"Abs", Unary, 1, 1},
    {"Neg", Unary, 1, 1},
    {"Sign", Unary, 1, 1},
    {"Floor", Unary, 1, 1},
    {"Ceil", Unary, 1, 1},
    {"Round", Unary, 1, 1},
    {"Not", Unary, 1, 1},
    {"BitwiseNot", Unary, 1, 1},
    {"Relu", Unary, 1, 1},
    {"LeakyRelu", Unary, 1, 2},
    {"ThresholdedRelu", Unary, 1, 1},
    {"HardSigmoid", Unary, 1, 3},
    {"HardSwish", Unary, 1, 4},
    {"Shrink", Unary, 1, 2},
    {"Clip", Clip, 1, 2},
    {"Elu", Unary, 1, 2, 1},
    {"Selu", Unary, 1, 3, 1},
    {"Celu", Unary, 1, 3, 1},
    {"Sigmoid", Unary, 1, 1, 1},
    {"Swish", Unary, 1, 2, 1},
    {"Mish", Unary, 1, 1, 3},
    {"Gelu", Unary, 1, 3, 1},
    {"Tanh", Unary, 1, 0, 1},
    {"Softplus", Unary, 1, 1, 2},
    {"Softsign", Unary, 1, 2, 1},
    {"Exp", Unary, 1, 0, 1},
    {"Log", Unary, 1, 0, 1},
    {"Sqrt", Unary, 1, 0, 1},
    {"Reciprocal", Unary, 1, 0, 1},
    {"Erf", Unary, 1, 0, 1},
    {"Sin", Unary, 1, 0, 1},
    {"Cos", Unary, 1, 0, 1},
    {"Tan", Unary, 1, 0, 1},
    {"Asin", Unary, 1, 0, 1},
    {"Acos", Unary, 1, 0, 1},
    {"Atan", Unary, 1, 0, 1},
    {"Sinh", Unary, 1, 0, 1},
    {"Cosh", Unary, 1, 0, 1},
    {"Asinh", Unary, 1, 0, 1},
    {"Acosh", Unary, 1, 0, 1},
    {"Atanh", Unary, 1, 0, 1},
    {"IsNaN", UnaryTest, 1, 1},
    {"IsInf", UnaryTest, 1, 1},
    {"Add", Binary, 2, 1},
    {"Sub", Binary, 2, 1},
    {"Mul", Binary, 2, 1},
    {"Div", Binary, 2, 0, 1},
    {"Pow", Binary, 2, 0, 1},
    {"Mod", Binary, 2, 0, 1},
    {"And", Binary, 2, 1},
    {"Or", Binary, 2, 1},
    {"Xor", Binary, 2, 1},
    {"BitShift", Binary, 2, 1},
    {"BitwiseAnd", Binary, 2, 1},
    {"BitwiseOr", Binary, 2, 1},
    {"BitwiseXor", Binary, 2, 1},
    {"PRelu", PRelu, 2, 2},
    {"Equal", Compare, 2, 1},
    {"Greater", Compare, 2, 1},
    {"GreaterOrEqual", Compare, 2, 1},
    {"Less", Compare, 2, 1},
    {"LessOrEqual", Compare, 2, 1},
    {"Where", Where, 3, 1},
    {"Sum", Variadic, 1, 1},
    {"Mean", Variadic, 1, 1},
    {"Max", Variadic, 1, 1},
    {"Min", Variadic, 1, 1},
    {"Cast", Cast, 1, 1},
    {"CastLike", CastLike, 2, 1},
    {"Dropout", Dropout, 1, 1, 0, true},
};

}  // namespace

Status Importer::EmitAdd(const Node& node, int a, int b, int out) {
  return EmitOver(*this, node, {"Add", nullptr, 2, 1}, {a, b}, {out, "bias"});
}

std::span<const OpRow> ElementwiseRows() {
  return kRows;
}

}  // namespace sluice::io::onnx_import
