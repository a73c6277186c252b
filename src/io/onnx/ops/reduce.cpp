/// \file
/// Reductions and normalisations.
///
/// A reduction accumulates over the reduced dims. A normalisation needs its statistics before the
/// first result, so the dims it normalises over are `whole`; its per-channel scale and shift are
/// parameters. What is done once per row (a root, a logarithm) is less than one operation per point
/// and left out. Tested by tests/unit/onnx_ops_test.cpp, tests/differential/onnx_shapes_test.cpp.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
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

using Axes = std::vector<std::int64_t>;

bool Contains(const Axes& axes, std::size_t axis) {
  return std::ranges::find(axes, static_cast<std::int64_t>(axis)) != axes.end();
}

Shape ReducedShape(const Shape& x, const Axes& axes, bool keep) {
  Shape y;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!Contains(axes, i)) {
      y.push_back(x[i]);
    } else if (keep) {
      y.push_back(1);
    }
  }
  return y;
}

struct Reduction {
  std::string suffix;  ///< of the operator's name
  int in;
  int out;  ///< of shape ReducedShape
  Axes axes;
  bool keep;
};

/// Accumulates one value over axes into another.
Status EmitReduction(Importer& importer, const Node& node, const Reduction& r, const OpRow& row) {
  const Shape x = importer.value(r.in).known_shape();
  OpBuilder op(importer, node, r.suffix);
  const std::vector<int> dims = op.DimsFor(x);
  std::vector<ir::AxisExpr> write;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!Contains(r.axes, i)) {
      write.push_back(Along(dims[i]));
    } else if (r.keep) {
      write.emplace_back();
    }
  }
  return op.Read(r.in, AlongAll(dims)).Accumulate(r.out, std::move(write)).Work(row).Emit();
}

/// Axes are an attribute until opset 17 (ReduceSum: 12) and an input since; none means all, or with
/// noop_with_empty_axes nothing.
Status Reduce(Importer& importer, const Node& node, const OpRow& row) {
  const Shape x = importer.ShapeOf(node, 0);
  SLUICE_TRY(auto given, importer.IntegersOrAttribute(node, 1, "axes"));
  const bool keep = node.Int("keepdims", 1) != 0;
  Axes axes;
  if (given && !given->empty()) {
    SLUICE_TRY(axes, NormalizeAxes(*given, x.size()));
  } else if (node.Int("noop_with_empty_axes", 0) == 0) {
    axes.resize(x.size());
    std::iota(axes.begin(), axes.end(), 0);
  } else {
    SLUICE_TRY_STATUS(importer.Define(node, 0, x, importer.TypeOf(node, 0)));
    return importer.EmitView(node, 0);
  }
  SLUICE_TRY_STATUS(
      importer.Define(node, 0, ReducedShape(x, axes, keep), importer.TypeOf(node, 0)));
  return EmitReduction(importer, node, {"", node.inputs[0], node.outputs[0], axes, keep}, row);
}

Status ArgReduce(Importer& importer, const Node& node, const OpRow& row) {
  const Shape x = importer.ShapeOf(node, 0);
  SLUICE_TRY(const std::int64_t axis, NormalizeAxis(node.Int("axis", 0), x.size()));
  const bool keep = node.Int("keepdims", 1) != 0;
  SLUICE_TRY_STATUS(importer.Define(node, 0, ReducedShape(x, {axis}, keep), kInt64Type));
  return EmitReduction(importer, node, {"", node.inputs[0], node.outputs[0], {axis}, keep}, row);
}

/// y = f(x along the whole axes), elementwise in shape. Inputs from 1 on are parameters or reads
/// that broadcast.
Status EmitNormalization(Importer& importer, const Node& node, const Axes& whole,
                         const OpRow& row) {
  const Shape x = importer.ShapeOf(node, 0);
  OpBuilder op(importer, node);
  const std::vector<int> dims = op.DimsFor(x);
  for (const std::int64_t axis : whole) {
    op.SetWhole(dims[static_cast<std::size_t>(axis)]);
  }
  op.Read(node.inputs[0], AlongAll(dims));
  for (std::size_t i = 1; i < node.inputs.size(); ++i) {
    if (!Importer::Has(node, i)) {
      continue;
    }
    if (importer.Input(node, i).is_constant) {
      op.Parameter(node.inputs[i], {});
    } else if (importer.ShapeOf(node, i).size() <= x.size()) {
      op.ReadBroadcast(node.inputs[i], dims);
    }
  }
  return op.Write(node.outputs[0], AlongAll(dims)).Work(row).Emit();
}

/// Since opset 13 along one axis (default the last); before, over all axes from `axis` (default 1)
/// on.
Status Softmax(Importer& importer, const Node& node, const OpRow& row) {
  const Shape x = importer.ShapeOf(node, 0);
  const bool flattens = importer.opset() < 13;
  // A rank of 1 with the old default of 1 is the whole tensor.
  std::int64_t axis = node.Int("axis", flattens ? 1 : -1);
  if (!flattens || axis != static_cast<std::int64_t>(x.size())) {
    SLUICE_TRY(axis, NormalizeAxis(axis, x.size()));
  }
  Axes whole{axis};
  if (flattens) {
    whole.clear();
    for (auto i = axis; i < static_cast<std::int64_t>(x.size()); ++i) {
      whole.push_back(i);
    }
  }
  SLUICE_TRY_STATUS(importer.Define(node, 0, x, importer.TypeOf(node, 0)));
  return EmitNormalization(importer, node, whole, row);
}

/// Inputs: x, scale, bias. Outputs: y, mean, inverse deviation.
Status LayerNormalization(Importer& importer, const Node& node, const OpRow& row) {
  const Shape x = importer.ShapeOf(node, 0);
  SLUICE_TRY(const std::int64_t axis, NormalizeAxis(node.Int("axis", -1), x.size()));
  Axes whole;
  for (auto i = axis; i < static_cast<std::int64_t>(x.size()); ++i) {
    whole.push_back(i);
  }
  const Shape statistics = ReducedShape(x, whole, true);
  const auto type = static_cast<std::int32_t>(node.Int("stash_type", kFloatType));
  SLUICE_TRY_STATUS(importer.Define(node, 0, x, importer.TypeOf(node, 0)));
  for (std::size_t o = 1; o < 3; ++o) {
    SLUICE_TRY_STATUS(importer.Define(node, o, statistics, type));
    if (importer.Wants(node, o)) {
      SLUICE_TRY_STATUS(EmitReduction(
          importer, node,
          {o == 1 ? "mean" : "deviation", node.inputs[0], node.outputs[o], whole, true},
          {"", nullptr, 1, static_cast<int>(o)}));
    }
  }
  return importer.Wants(node, 0) ? EmitNormalization(importer, node, whole, row) : Status{};
}

Status LpNormalization(Importer& importer, const Node& node, const OpRow& row) {
  const Shape x = importer.ShapeOf(node, 0);
  SLUICE_TRY(const std::int64_t axis, NormalizeAxis(node.Int("axis", -1), x.size()));
  SLUICE_TRY_STATUS(importer.Define(node, 0, x, importer.TypeOf(node, 0)));
  return EmitNormalization(importer, node, {axis}, row);
}

Status MeanVarianceNormalization(Importer& importer, const Node& node, const OpRow& row) {
  const Shape x = importer.ShapeOf(node, 0);
  SLUICE_TRY(const Axes axes, NormalizeAxes(node.Ints("axes").value_or(Axes{0, 2, 3}), x.size()));
  SLUICE_TRY_STATUS(importer.Define(node, 0, x, importer.TypeOf(node, 0)));
  return EmitNormalization(importer, node, axes, row);
}

/// Channel parameters of an [N, C, ...] normalisation: parameters if constant, else read along `c`.
Status AddChannelInputs(Importer& importer, const Node& node, const ir::AxisExpr& c,
                        std::int64_t channels, OpBuilder* op) {
  for (std::size_t i = 1; i < node.inputs.size(); ++i) {
    if (!Importer::Has(node, i)) {
      continue;
    }
    if (importer.ShapeOf(node, i) != Shape{channels}) {
      return Importer::ShapeError(fmt::format("input {} has shape {}, [{}] is expected", i,
                                              ShapeText(importer.ShapeOf(node, i)), channels));
    }
    op->Parameter(node.inputs[i], {c});
  }
  return {};
}

/// Per channel over all spatial positions.
Status InstanceNormalization(Importer& importer, const Node& node, const OpRow& row) {
  const Shape x = importer.ShapeOf(node, 0);
  if (x.size() < 2) {
    return Importer::ShapeError("the input needs a channel axis");
  }
  SLUICE_TRY_STATUS(importer.Define(node, 0, x, importer.TypeOf(node, 0)));
  OpBuilder op(importer, node);
  const std::vector<int> dims = op.DimsFor(x);
  for (std::size_t i = 2; i < dims.size(); ++i) {
    op.SetWhole(dims[i]);
  }
  op.Read(node.inputs[0], AlongAll(dims));
  SLUICE_TRY_STATUS(AddChannelInputs(importer, node, Along(dims[1]), x[1], &op));
  return op.Write(node.outputs[0], AlongAll(dims)).Work(row).Emit();
}

/// Scale and bias are per group in opset 18 and per channel since 21.
Status GroupNormalization(Importer& importer, const Node& node, const OpRow& row) {
  const Shape x = importer.ShapeOf(node, 0);
  const std::int64_t groups = node.Int("num_groups", 1);
  if (x.size() < 2 || groups < 1 || x[1] % groups != 0) {
    return Importer::ShapeError(
        fmt::format("{} has no {} groups of channels", ShapeText(x), groups));
  }
  SLUICE_TRY_STATUS(importer.Define(node, 0, x, importer.TypeOf(node, 0)));
  OpBuilder op(importer, node);
  const int n = op.Dim("N", x[0]);
  const int g = op.Dim("G", groups);
  const int c = op.Dim("C", x[1] / groups, true);
  const ir::AxisExpr channel = Affine({{g, x[1] / groups}, {c, 1}});
  std::vector<ir::AxisExpr> axes{Along(n), channel};
  for (std::size_t i = 2; i < x.size(); ++i) {
    axes.push_back(
        Along(op.Dim(x.size() == 4 ? (i == 2 ? "H" : "W") : fmt::format("A{}", i), x[i], true)));
  }
  op.Read(node.inputs[0], axes);
  const bool per_group = importer.opset() < 21;
  SLUICE_TRY_STATUS(AddChannelInputs(importer, node, per_group ? Along(g) : channel,
                                     per_group ? groups : x[1], &op));
  return op.Write(node.outputs[0], axes).Work(row).Emit();
}

/// Inputs: x, scale, shift, mean, variance. At inference a scale and a shift per channel.
Status BatchNormalization(Importer& importer, const Node& node, const OpRow& row) {
  const Shape x = importer.ShapeOf(node, 0);
  if (x.empty()) {
    return Importer::ShapeError("the input needs an axis");
  }
  const std::int64_t channels = x.size() > 1 ? x[1] : 1;
  const bool training = node.Int("training_mode", 0) != 0;
  SLUICE_TRY_STATUS(importer.Define(node, 0, x, importer.TypeOf(node, 0)));
  Axes statistics;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (i != 1) {
      statistics.push_back(static_cast<std::int64_t>(i));
    }
  }
  for (std::size_t o = 1; o < 5; ++o) {
    SLUICE_TRY_STATUS(importer.Define(node, o, {channels}, importer.TypeOf(node, 0)));
    if (importer.Wants(node, o) && x.size() > 1) {
      SLUICE_TRY_STATUS(EmitReduction(
          importer, node,
          {fmt::format("statistics{}", o), node.inputs[0], node.outputs[o], statistics, false},
          {"", nullptr, 1, o % 2 == 1 ? 1 : 2}));
    }
  }
  if (!importer.Wants(node, 0)) {
    return {};
  }
  OpBuilder op(importer, node);
  const std::vector<int> dims = op.DimsFor(x);
  if (training) {
    for (const std::int64_t axis : statistics) {
      op.SetWhole(dims[static_cast<std::size_t>(axis)]);
    }
  }
  op.Read(node.inputs[0], AlongAll(dims));
  SLUICE_TRY_STATUS(AddChannelInputs(importer, node, x.size() > 1 ? Along(dims[1]) : ir::AxisExpr{},
                                     channels, &op));
  return op.Write(node.outputs[0], AlongAll(dims)).Work(row).Emit();
}

/// Squares summed over a window of channels, then a power and a division.
Status Lrn(Importer& importer, const Node& node, const OpRow& row) {
  const Shape x = importer.ShapeOf(node, 0);
  const std::int64_t size = node.Int("size", 1);
  if (x.size() < 2 || size < 1 || size > (std::int64_t{1} << 20)) {
    return Importer::ShapeError("needs a channel axis and a positive size");
  }
  const std::int32_t type = importer.TypeOf(node, 0);
  SLUICE_TRY_STATUS(importer.Define(node, 0, x, type));
  SLUICE_TRY(const int sums,
             importer.NewValue(importer.value(node.outputs[0]).name + ".squares", x, type));
  OpBuilder sum(importer, node, "squares");
  std::vector<int> dims = sum.DimsFor(x);
  const int window = sum.Dim("S", size);
  std::vector<ir::AxisExpr> shifted = AlongAll(dims);
  shifted[1] = Affine({{dims[1], 1}, {window, 1}}, -((size - 1) / 2));
  SLUICE_TRY_STATUS(sum.Read(node.inputs[0], std::move(shifted))
                        .Accumulate(sums, AlongAll(dims))
                        .Work(ir::WorkClass::kVector, 2)
                        .Emit());
  OpBuilder divide(importer, node);
  dims = divide.DimsFor(x);
  return divide.Read(node.inputs[0], AlongAll(dims))
      .Read(sums, AlongAll(dims))
      .Write(node.outputs[0], AlongAll(dims))
      .Work(row)
      .Emit();
}

/// One value per target: minus the entry of `scores` the target names, summed if `reduced`.
Status EmitLoss(Importer& importer, const Node& node, int scores, const OpRow& row) {
  const Shape x = importer.value(scores).known_shape();
  const Shape target = importer.ShapeOf(node, 1);
  Shape expected = x;
  if (x.size() >= 2) {
    expected.erase(expected.begin() + 1);
  }
  if (x.size() < 2 || target != expected) {
    return Importer::ShapeError(
        fmt::format("targets {} do not match scores {}", ShapeText(target), ShapeText(x)));
  }
  const bool reduced = node.String("reduction", "mean") != "none";
  SLUICE_TRY_STATUS(
      importer.Define(node, 0, reduced ? Shape{} : target, importer.value(scores).type));
  OpBuilder op(importer, node);
  const std::vector<int> dims = op.DimsFor(target);
  // Every point picks one class: the other axes say which points there are.
  std::vector<ir::AxisExpr> read{Along(dims[0]), op.Indirect({})};
  for (std::size_t i = 1; i < dims.size(); ++i) {
    read.push_back(Along(dims[i]));
  }
  op.Read(scores, std::move(read)).Read(node.inputs[1], AlongAll(dims));
  if (Importer::Has(node, 2)) {
    op.Parameter(node.inputs[2], {op.Indirect(dims)});
  }
  if (reduced) {
    op.Accumulate(node.outputs[0], {});
  } else {
    op.Write(node.outputs[0], AlongAll(dims));
  }
  return op.Work(row).Emit();
}

Status NegativeLogLikelihoodLoss(Importer& importer, const Node& node, const OpRow& row) {
  return EmitLoss(importer, node, node.inputs[0], row);
}

/// Outputs: loss, logarithms of the probabilities.
Status SoftmaxCrossEntropyLoss(Importer& importer, const Node& node, const OpRow& row) {
  const Shape x = importer.ShapeOf(node, 0);
  const std::int32_t type = importer.TypeOf(node, 0);
  if (x.size() < 2) {
    return Importer::ShapeError("scores need a class axis");
  }
  SLUICE_TRY_STATUS(importer.Define(node, 1, x, type));
  int scores = node.outputs.size() > 1 ? node.outputs[1] : -1;
  if (!importer.Wants(node, 1)) {
    SLUICE_TRY(scores, importer.NewValue(node.name + ".log_prob", x, type));
  }
  OpBuilder softmax(importer, node, "log_softmax");
  const std::vector<int> dims = softmax.DimsFor(x);
  softmax.SetWhole(dims[1]);
  SLUICE_TRY_STATUS(softmax.Read(node.inputs[0], AlongAll(dims))
                        .Write(scores, AlongAll(dims))
                        .Work(ir::WorkClass::kTranscendental, 1)
                        .Work(ir::WorkClass::kVector, 4)
                        .Emit());
  return importer.Wants(node, 0) ? EmitLoss(importer, node, scores, row) : Status{};
}

constexpr OpRow kReductions[] = {
    {"ReduceSum", Reduce, 1, 1},
    {"ReduceMean", Reduce, 1, 1},
    {"ReduceMax", Reduce, 1, 1},
    {"ReduceMin", Reduce, 1, 1},
    {"ReduceProd", Reduce, 1, 1},
    {"ReduceL1", Reduce, 1, 2},
    {"ReduceL2", Reduce, 1, 2},
    {"ReduceSumSquare", Reduce, 1, 2},
    {"ReduceLogSum", Reduce, 1, 1},
    {"ReduceLogSumExp", Reduce, 1, 2, 1},
    {"ArgMax", ArgReduce, 1, 1},
    {"ArgMin", ArgReduce, 1, 1},
    {"NegativeLogLikelihoodLoss", NegativeLogLikelihoodLoss, 2, 1},
    {"SoftmaxCrossEntropyLoss", SoftmaxCrossEntropyLoss, 2, 1, 0, true},
};

constexpr OpRow kNormalizations[] = {
    {"Softmax", Softmax, 1, 4, 1},     // max, subtract, add, multiply by the inverse; exp
    {"LogSoftmax", Softmax, 1, 4, 1},  // max, subtract, add, subtract; exp
    {"Hardmax", Softmax, 1, 2},
    {"LayerNormalization", LayerNormalization, 2, 6, 0, true},  // two sums, centre, scale, affine
    {"RMSNormalization", LayerNormalization, 2, 4, 0, true},
    {"LpNormalization", LpNormalization, 1, 3},
    {"MeanVarianceNormalization", MeanVarianceNormalization, 1, 5},
    {"InstanceNormalization", InstanceNormalization, 3, 6},
    {"GroupNormalization", GroupNormalization, 3, 6},
    {"BatchNormalization", BatchNormalization, 5, 2, 0, true},
    {"LRN", Lrn, 1, 1, 2},
};

}  // namespace

std::span<const OpRow> ReductionRows() {
  return kReductions;
}
std::span<const OpRow> NormalizationRows() {
  return kNormalizations;
}

}  // namespace sluice::io::onnx_import
