/// \file
/// Data-dependent addressing. The axis that data selects is `indirect`: each point of the index
/// dims touches one position somewhere on it, and every other axis stays affine, so traffic and
/// slices of the rest are exact. Indices known at import time become affine when they are evenly
/// spaced. Tested by tests/unit/onnx_ops_test.cpp, tests/differential/onnx_shapes_test.cpp.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
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

/// Start and step of constant indices along one dim, if they are evenly spaced.
struct Progression {
  std::int64_t start = 0;
  std::int64_t step = 0;
};

Result<std::optional<Progression>> EvenlySpaced(const Value& indices, std::int64_t extent) {
  if (!indices.data || indices.data->size() == 0 || indices.known_shape().size() > 1) {
    return std::optional<Progression>();
  }
  std::vector<std::int64_t> at;
  for (std::size_t i = 0; i < indices.data->size(); ++i) {
    const std::int64_t index = indices.data->AsInt(i);
    if (index < -extent || index >= extent) {
      return Importer::ShapeError(
          fmt::format("index {} does not exist on an axis of {}", index, extent));
    }
    at.push_back(index < 0 ? index + extent : index);
  }
  Progression p{at[0], at.size() > 1 ? at[1] - at[0] : 0};
  for (std::size_t i = 1; i < at.size(); ++i) {
    if (p.step == 0 || at[i] - at[i - 1] != p.step) {
      return std::optional<Progression>();
    }
  }
  return std::optional(p);
}

/// Inputs: data, indices. out = data[:axis] + indices + data[axis + 1:]
Status Gather(Importer& importer, const Node& node, const OpRow&) {
  const Shape x = importer.ShapeOf(node, 0);
  const Shape indices = importer.ShapeOf(node, 1);
  SLUICE_TRY(const std::int64_t axis, NormalizeAxis(node.Int("axis", 0), x.size()));
  const auto a = static_cast<std::size_t>(axis);
  Shape y(x.begin(), x.begin() + axis);
  y.insert(y.end(), indices.begin(), indices.end());
  y.insert(y.end(), x.begin() + axis + 1, x.end());
  SLUICE_TRY_STATUS(importer.Define(node, 0, y, importer.TypeOf(node, 0)));
  OpBuilder op(importer, node);
  const std::vector<int> dims = op.DimsFor(y);
  const auto from = dims.begin() + axis;
  const std::vector<int> index_dims(from, from + static_cast<std::ptrdiff_t>(indices.size()));
  SLUICE_TRY(const auto known, EvenlySpaced(importer.Input(node, 1), x[a]));
  std::vector<ir::AxisExpr> read;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (i == a && known) {
      Terms terms;
      if (!index_dims.empty()) {
        terms.emplace_back(index_dims[0], known->step);
      }
      read.push_back(Affine(terms, known->start));
    } else if (i == a) {
      read.push_back(op.Indirect(index_dims));
    } else {
      read.push_back(Along(dims[i < a ? i : i + indices.size() - 1]));
    }
  }
  op.Read(node.inputs[0], std::move(read));
  if (!known) {
    op.Read(node.inputs[1], AlongAll(index_dims));
  }
  return op.Write(node.outputs[0], AlongAll(dims)).Work(ir::WorkClass::kMove, 1).Emit();
}

/// Inputs: data, indices. The output has the indices' shape.
Status GatherElements(Importer& importer, const Node& node, const OpRow&) {
  const Shape x = importer.ShapeOf(node, 0);
  const Shape y = importer.ShapeOf(node, 1);
  SLUICE_TRY(const std::int64_t axis, NormalizeAxis(node.Int("axis", 0), x.size()));
  if (x.size() != y.size()) {
    return Importer::ShapeError(
        fmt::format("indices {} and data {} differ in rank", ShapeText(y), ShapeText(x)));
  }
  SLUICE_TRY_STATUS(importer.Define(node, 0, y, importer.TypeOf(node, 0)));
  OpBuilder op(importer, node);
  const std::vector<int> dims = op.DimsFor(y);
  std::vector<ir::AxisExpr> read = AlongAll(dims);
  read[static_cast<std::size_t>(axis)] = op.Indirect({dims[static_cast<std::size_t>(axis)]});
  return op.Read(node.inputs[0], std::move(read))
      .Read(node.inputs[1], AlongAll(dims))
      .Write(node.outputs[0], AlongAll(dims))
      .Work(ir::WorkClass::kMove, 1)
      .Emit();
}

/// Splits the shapes of GatherND and ScatterND: batch axes, index axes, tuple length, rest of data.
struct TupleIndex {
  std::size_t batch = 0;
  std::size_t outer = 0;   ///< axes of indices before the tuple
  std::size_t length = 0;  ///< of the tuple
};

Result<TupleIndex> PlanTuple(const Shape& data, const Shape& indices, std::int64_t batch) {
  const auto rank = static_cast<std::int64_t>(data.size());
  if (indices.empty() || batch < 0 || batch >= static_cast<std::int64_t>(indices.size()) ||
      batch >= rank || indices.back() < 1 || indices.back() > rank - batch) {
    return Importer::ShapeError(fmt::format("indices {} with {} batch axes do not address {}",
                                            ShapeText(indices), batch, ShapeText(data)));
  }
  return TupleIndex{static_cast<std::size_t>(batch), indices.size() - 1,
                    static_cast<std::size_t>(indices.back())};
}

/// Axes of the data at the positions the tuples name; `inner` are the dims of the rest.
std::vector<ir::AxisExpr> TupleAxes(const OpBuilder& op, const TupleIndex& tuple,
                                    const std::vector<int>& outer, const std::vector<int>& inner) {
  std::vector<ir::AxisExpr> axes;
  axes.reserve(tuple.batch + tuple.length + inner.size());
  for (std::size_t i = 0; i < tuple.batch; ++i) {
    axes.push_back(Along(outer[i]));
  }
  const std::vector<int> index_dims(outer.begin() + static_cast<std::ptrdiff_t>(tuple.batch),
                                    outer.end());
  // One point touches one element, so each dim may feed one of the axes only.
  for (std::size_t i = 0; i < tuple.length; ++i) {
    const std::size_t end = i + 1 == tuple.length ? index_dims.size() : i + 1;
    std::vector<int> fed;
    for (std::size_t k = i; k < end && k < index_dims.size(); ++k) {
      fed.push_back(index_dims[k]);
    }
    axes.push_back(op.Indirect(fed));
  }
  for (const int dim : inner) {
    axes.push_back(Along(dim));
  }
  return axes;
}

/// The tuples themselves: a part of each is read at every point of the outer dims.
std::vector<ir::AxisExpr> IndexAxes(const std::vector<int>& outer, int component) {
  std::vector<ir::AxisExpr> axes = AlongAll(outer);
  axes.push_back(Along(component));
  return axes;
}

Status GatherNd(Importer& importer, const Node& node, const OpRow&) {
  const Shape x = importer.ShapeOf(node, 0);
  const Shape indices = importer.ShapeOf(node, 1);
  SLUICE_TRY(const TupleIndex tuple, PlanTuple(x, indices, node.Int("batch_dims", 0)));
  Shape y(indices.begin(), indices.end() - 1);
  const Shape rest(x.begin() + static_cast<std::ptrdiff_t>(tuple.batch + tuple.length), x.end());
  y.insert(y.end(), rest.begin(), rest.end());
  SLUICE_TRY_STATUS(importer.Define(node, 0, y, importer.TypeOf(node, 0)));
  OpBuilder op(importer, node);
  const std::vector<int> dims = op.DimsFor(y);
  const std::vector<int> outer(dims.begin(),
                               dims.begin() + static_cast<std::ptrdiff_t>(tuple.outer));
  const std::vector<int> inner(dims.begin() + static_cast<std::ptrdiff_t>(tuple.outer), dims.end());
  op.Read(node.inputs[0], TupleAxes(op, tuple, outer, inner));
  if (!importer.Input(node, 1).is_constant) {
    const int component = op.Dim("I", indices.back());
    op.Read(node.inputs[1], IndexAxes(outer, component));
    // Each part of a tuple is looked at, the element is copied once: it accumulates over the parts.
    return op.Accumulate(node.outputs[0], AlongAll(dims)).Work(ir::WorkClass::kMove, 1).Emit();
  }
  return op.Parameter(node.inputs[1], {})
      .Write(node.outputs[0], AlongAll(dims))
      .Work(ir::WorkClass::kMove, 1)
      .Emit();
}

/// First operator of a scatter: the output starts as a copy of the data.
Status EmitCopy(Importer& importer, const Node& node, const Shape& shape) {
  OpBuilder copy(importer, node, "copy");
  const std::vector<int> dims = copy.DimsFor(shape);
  return copy.Read(node.inputs[0], AlongAll(dims))
      .Write(node.outputs[0], AlongAll(dims))
      .Work(ir::WorkClass::kMove, 1)
      .Emit();
}

ir::WorkClass ScatterWork(const Node& node) {
  return node.String("reduction", "none") == "none" ? ir::WorkClass::kMove : ir::WorkClass::kVector;
}

/// Inputs: data, indices, updates.
Status ScatterElements(Importer& importer, const Node& node, const OpRow&) {
  const Shape x = importer.ShapeOf(node, 0);
  const Shape updates = importer.ShapeOf(node, 2);
  SLUICE_TRY(const std::int64_t axis, NormalizeAxis(node.Int("axis", 0), x.size()));
  if (updates.size() != x.size() || importer.ShapeOf(node, 1) != updates) {
    return Importer::ShapeError("indices and updates must have one shape of the data's rank");
  }
  SLUICE_TRY_STATUS(importer.Define(node, 0, x, importer.TypeOf(node, 0)));
  SLUICE_TRY_STATUS(EmitCopy(importer, node, x));
  OpBuilder op(importer, node);
  const std::vector<int> dims = op.DimsFor(updates);
  std::vector<ir::AxisExpr> write = AlongAll(dims);
  write[static_cast<std::size_t>(axis)] = op.Indirect({dims[static_cast<std::size_t>(axis)]});
  return op.Read(node.inputs[1], AlongAll(dims))
      .Read(node.inputs[2], AlongAll(dims))
      .Accumulate(node.outputs[0], std::move(write))
      .Work(ScatterWork(node), 1)
      .Emit();
}

/// Inputs: data, indices, updates.
Status ScatterNd(Importer& importer, const Node& node, const OpRow&) {
  const Shape x = importer.ShapeOf(node, 0);
  const Shape indices = importer.ShapeOf(node, 1);
  SLUICE_TRY(const TupleIndex tuple, PlanTuple(x, indices, 0));
  Shape updates(indices.begin(), indices.end() - 1);
  updates.insert(updates.end(), x.begin() + static_cast<std::ptrdiff_t>(tuple.length), x.end());
  if (importer.ShapeOf(node, 2) != updates) {
    return Importer::ShapeError(fmt::format(
        "updates {} should be {}", ShapeText(importer.ShapeOf(node, 2)), ShapeText(updates)));
  }
  SLUICE_TRY_STATUS(importer.Define(node, 0, x, importer.TypeOf(node, 0)));
  SLUICE_TRY_STATUS(EmitCopy(importer, node, x));
  OpBuilder op(importer, node);
  const std::vector<int> dims = op.DimsFor(updates);
  const std::vector<int> outer(dims.begin(),
                               dims.begin() + static_cast<std::ptrdiff_t>(tuple.outer));
  const std::vector<int> inner(dims.begin() + static_cast<std::ptrdiff_t>(tuple.outer), dims.end());
  if (importer.Input(node, 1).is_constant) {
    op.Parameter(node.inputs[1], {});
  } else {
    const int component = op.Dim("I", indices.back());
    op.Read(node.inputs[1], IndexAxes(outer, component));
  }
  return op.Read(node.inputs[2], AlongAll(dims))
      .Accumulate(node.outputs[0], TupleAxes(op, tuple, outer, inner))
      .Work(ScatterWork(node), 1)
      .Emit();
}

/// Comparisons one element needs to be placed among k: its depth in a heap.
std::int64_t HeapDepth(std::int64_t k) {
  std::int64_t depth = 1;
  while (k > 1) {
    k /= 2;
    ++depth;
  }
  return depth;
}

/// Inputs: x, k. Outputs: values, indices. Every element is compared, then lands anywhere or
/// nowhere.
Status TopK(Importer& importer, const Node& node, const OpRow&) {
  const Shape x = importer.ShapeOf(node, 0);
  SLUICE_TRY(const std::int64_t axis, NormalizeAxis(node.Int("axis", -1), x.size()));
  SLUICE_TRY(const auto k, importer.Integers(node, 1));
  const auto a = static_cast<std::size_t>(axis);
  if (k.size() != 1 || k[0] < 1 || k[0] > x[a]) {
    return Importer::ShapeError(fmt::format("k must be one number of 1..{}", x[a]));
  }
  Shape y = x;
  y[a] = k[0];
  for (std::size_t o = 0; o < 2; ++o) {
    SLUICE_TRY_STATUS(importer.Define(node, o, y, o == 0 ? importer.TypeOf(node, 0) : kInt64Type));
    if (!importer.Wants(node, o)) {
      continue;
    }
    OpBuilder op(importer, node, o == 0 ? "" : "indices");
    const std::vector<int> dims = op.DimsFor(x);
    op.SetWhole(dims[a]);
    std::vector<ir::AxisExpr> write = AlongAll(dims);
    write[a] = op.Indirect({dims[a]});
    op.Read(node.inputs[0], AlongAll(dims)).Write(node.outputs[o], std::move(write));
    op.Work(o == 0 ? ir::WorkClass::kVector : ir::WorkClass::kMove, o == 0 ? HeapDepth(k[0]) : 1);
    SLUICE_TRY_STATUS(op.Emit());
  }
  return {};
}

/// Inputs: indices, depth, values. Each output element is one comparison.
Status OneHot(Importer& importer, const Node& node, const OpRow&) {
  const Shape indices = importer.ShapeOf(node, 0);
  SLUICE_TRY(const auto depth, importer.Integers(node, 1));
  SLUICE_TRY(const std::int64_t axis, NormalizeAxis(node.Int("axis", -1), indices.size() + 1));
  if (depth.size() != 1) {
    return Importer::ShapeError("depth must be one number");
  }
  Shape y = indices;
  y.insert(y.begin() + axis, depth[0]);
  SLUICE_TRY_STATUS(importer.Define(node, 0, y, importer.TypeOf(node, 2)));
  OpBuilder op(importer, node);
  const std::vector<int> dims = op.DimsFor(y);
  std::vector<int> index_dims = dims;
  index_dims.erase(index_dims.begin() + axis);
  return op.Read(node.inputs[0], AlongAll(index_dims))
      .Write(node.outputs[0], AlongAll(dims))
      .Work(ir::WorkClass::kVector, 1)
      .Emit();
}

/// Inputs: x, axis. Sums along one axis in order, which therefore stays whole.
Status CumSum(Importer& importer, const Node& node, const OpRow&) {
  const Shape x = importer.ShapeOf(node, 0);
  SLUICE_TRY_STATUS(importer.Define(node, 0, x, importer.TypeOf(node, 0)));
  OpBuilder op(importer, node);
  const std::vector<int> dims = op.DimsFor(x);
  if (const auto axis = importer.Integers(node, 1); axis && axis->size() == 1) {
    SLUICE_TRY(const std::int64_t a, NormalizeAxis(axis->front(), x.size()));
    op.SetWhole(dims[static_cast<std::size_t>(a)]);
  } else {
    for (const int dim : dims) {  // the axis depends on data: any of them
      op.SetWhole(dim);
    }
  }
  return op.Read(node.inputs[0], AlongAll(dims))
      .Write(node.outputs[0], AlongAll(dims))
      .Work(ir::WorkClass::kVector, 1)
      .Emit();
}

/// Inputs: x, lengths. Reverses a prefix of the time axis whose length depends on data.
Status ReverseSequence(Importer& importer, const Node& node, const OpRow&) {
  const Shape x = importer.ShapeOf(node, 0);
  SLUICE_TRY(const std::int64_t time, NormalizeAxis(node.Int("time_axis", 0), x.size()));
  SLUICE_TRY(const std::int64_t batch, NormalizeAxis(node.Int("batch_axis", 1), x.size()));
  SLUICE_TRY_STATUS(importer.Define(node, 0, x, importer.TypeOf(node, 0)));
  OpBuilder op(importer, node);
  const std::vector<int> dims = op.DimsFor(x);
  std::vector<ir::AxisExpr> read = AlongAll(dims);
  const auto t = static_cast<std::size_t>(time);
  read[t] = op.Indirect({dims[t]});
  return op.Read(node.inputs[0], std::move(read))
      .Parameter(node.inputs[1], {Along(dims[static_cast<std::size_t>(batch)])})
      .Write(node.outputs[0], AlongAll(dims))
      .Work(ir::WorkClass::kMove, 1)
      .Emit();
}

/// Positions of the non-zero elements: known only if the input is.
Status NonZero(Importer& importer, const Node& node, const OpRow&) {
  SLUICE_TRY(const auto numbers, importer.Numbers(node, 0));
  const auto count = std::ranges::count_if(numbers, [](double v) { return v != 0; });
  return importer.Define(node, 0,
                         {static_cast<std::int64_t>(importer.ShapeOf(node, 0).size()),
                          static_cast<std::int64_t>(count)},
                         kInt64Type);
}

/// How many elements come out depends on data: planned only if the model declares it.
Status DataDependent(Importer&, const Node& node, const OpRow&) {
  return Fail(Diagnostic(ErrorCode::kOnnxDynamicDim,
                         fmt::format("the shape of the output of {} depends on data", node.op_type))
                  .WithHint("declare a static shape for its outputs in the model (value_info)"));
}

/// Inputs: x [N, C, H, W], grid [N, H', W', 2]. Four neighbours of a place the grid names.
Status GridSample(Importer& importer, const Node& node, const OpRow&) {
  const Shape x = importer.ShapeOf(node, 0);
  const Shape grid = importer.ShapeOf(node, 1);
  if (x.size() < 3 || grid.size() != x.size() || grid[0] != x[0] ||
      grid.back() != static_cast<std::int64_t>(x.size()) - 2) {
    return Importer::ShapeError(
        fmt::format("grid {} does not address {}", ShapeText(grid), ShapeText(x)));
  }
  Shape y{x[0], x[1]};
  y.insert(y.end(), grid.begin() + 1, grid.end() - 1);
  SLUICE_TRY_STATUS(importer.Define(node, 0, y, importer.TypeOf(node, 0)));
  OpBuilder op(importer, node);
  const std::vector<int> dims = op.DimsFor(y);
  const std::vector<int> places(dims.begin() + 2, dims.end());
  const int component = op.Dim("I", grid.back());
  std::vector<ir::AxisExpr> read{Along(dims[0]), Along(dims[1])};
  std::vector<ir::AxisExpr> where{Along(dims[0])};
  for (const int place : places) {
    read.push_back(op.Indirect({place}));
    where.push_back(Along(place));
  }
  where.push_back(Along(component));
  return op.Read(node.inputs[0], std::move(read))
      .Read(node.inputs[1], std::move(where))
      .Accumulate(node.outputs[0], AlongAll(dims))
      .Work(ir::WorkClass::kVector, 4)
      .Emit();
}

/// Inputs: x [N, C, H, W], rois [R, 4], batch_indices [R]. Samples averaged in each output cell.
Status RoiAlign(Importer& importer, const Node& node, const OpRow&) {
  const Shape x = importer.ShapeOf(node, 0);
  const Shape rois = importer.ShapeOf(node, 1);
  const std::int64_t samples = std::max<std::int64_t>(1, node.Int("sampling_ratio", 0));
  if (x.size() != 4 || rois.size() != 2 || samples > 1024) {
    return Importer::ShapeError("needs an image batch of rank 4 and rois of rank 2");
  }
  const Shape y{rois[0], x[1], node.Int("output_height", 1), node.Int("output_width", 1)};
  SLUICE_TRY_STATUS(importer.Define(node, 0, y, importer.TypeOf(node, 0)));
  OpBuilder op(importer, node);
  const std::vector<int> dims = op.DimsFor(y);
  const int sample = op.Dim("S", samples * samples);
  return op
      .Read(node.inputs[0], {op.Indirect({}), Along(dims[1]),
                             op.Indirect({dims[0], dims[2], sample}), op.Indirect({dims[3]})})
      .Read(node.inputs[1], {Along(dims[0]), op.Indirect({sample})})
      .Accumulate(node.outputs[0], AlongAll(dims))
      .Work(ir::WorkClass::kVector, 8)
      .Emit();
}

constexpr OpRow kRows[] = {
    {"Gather", Gather, 2},
    {"GatherElements", GatherElements, 2},
    {"GatherND", GatherNd, 2},
    {"ScatterElements", ScatterElements, 3},
    {"ScatterND", ScatterNd, 3},
    {"TopK", TopK, 2, 0, 0, true},
    {"OneHot", OneHot, 3},
    {"CumSum", CumSum, 2},
    {"ReverseSequence", ReverseSequence, 2},
    {"GridSample", GridSample, 2},
    {"RoiAlign", RoiAlign, 3},
    {"NonZero", NonZero, 1},
    {"Compress", DataDependent, 2},
    {"Unique", DataDependent, 1},
    {"NonMaxSuppression", DataDependent, 2},
};

}  // namespace

std::span<const OpRow> IndexingRows() {
  return kRows;
}

}  // namespace sluice::io::onnx_import
