/// \file
/// Data movement with positions known in advance: every copy is a move operator with affine
/// accesses. Several parts that make one tensor (concat) or several tensors from one (split) are
/// several moves. Tested by tests/unit/onnx_ops_test.cpp, tests/differential/onnx_shapes_test.cpp.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/checked.h"
#include "base/diagnostic.h"
#include "io/onnx/graph.h"
#include "io/onnx/importer.h"
#include "io/onnx/shapes.h"
#include "ir/network.h"

namespace sluice::io::onnx_import {

namespace {

using Integers = std::vector<std::int64_t>;

Status Transpose(Importer& importer, const Node& node, const OpRow&) {
  const Shape x = importer.ShapeOf(node, 0);
  Integers order(x.size());
  std::iota(order.rbegin(), order.rend(), 0);
  if (const auto given = node.Ints("perm")) {
    SLUICE_TRY(order, NormalizeAxes(*given, x.size()));
    if (order.size() != x.size()) {
      return Importer::ShapeError(
          fmt::format("perm has {} axes, the input {}", order.size(), x.size()));
    }
  }
  Shape y;
  for (const std::int64_t axis : order) {
    y.push_back(x[static_cast<std::size_t>(axis)]);
  }
  SLUICE_TRY_STATUS(importer.Define(node, 0, y, importer.TypeOf(node, 0)));
  // Moving only axes of extent 1 leaves every byte where it is.
  Integers moved;
  std::ranges::copy_if(order, std::back_inserter(moved),
                       [&x](std::int64_t axis) { return x[static_cast<std::size_t>(axis)] > 1; });
  if (std::ranges::is_sorted(moved)) {
    return importer.EmitView(node, 0);
  }
  OpBuilder op(importer, node);
  const std::vector<int> dims = op.DimsFor(y);
  std::vector<ir::AxisExpr> read(x.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    read[static_cast<std::size_t>(order[i])] = Along(dims[i]);
  }
  return op.Read(node.inputs[0], std::move(read))
      .Write(node.outputs[0], AlongAll(dims))
      .Work(ir::WorkClass::kMove, 1)
      .Emit();
}

Status Concat(Importer& importer, const Node& node, const OpRow&) {
  Shape y = importer.ShapeOf(node, 0);
  SLUICE_TRY(const std::int64_t axis, NormalizeAxis(node.Int("axis", 0), y.size()));
  const auto a = static_cast<std::size_t>(axis);
  y[a] = 0;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    if (!Importer::Has(node, i)) {
      return Importer::ShapeError(fmt::format("input {} is missing", i));
    }
    Shape part = importer.ShapeOf(node, i);
    if (part.size() == y.size()) {
      const auto sum = CheckedAdd(y[a], std::exchange(part[a], y[a]));
      if (sum && part == y) {
        y[a] = *sum;
        continue;
      }
    }
    return Importer::ShapeError(fmt::format("input {} of shape {} does not join {} along axis {}",
                                            i, ShapeText(importer.ShapeOf(node, i)),
                                            ShapeText(importer.ShapeOf(node, 0)), axis));
  }
  SLUICE_TRY_STATUS(importer.Define(node, 0, y, importer.TypeOf(node, 0)));
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const Shape part = importer.ShapeOf(node, i);
    OpBuilder op(importer, node, fmt::format("part{}", i));
    const std::vector<int> dims = op.DimsFor(part);
    std::vector<ir::AxisExpr> write = AlongAll(dims);
    write[a].offset = offset;
    offset += part[a];
    SLUICE_TRY_STATUS(op.Read(node.inputs[i], AlongAll(dims))
                          .Write(node.outputs[0], std::move(write))
                          .Work(ir::WorkClass::kMove, 1)
                          .Emit());
  }
  return {};
}

/// Sizes are an attribute until opset 12 and an input since; num_outputs (18) or nothing means
/// equal parts, the last one smaller.
Result<Integers> SplitSizes(const Importer& importer, const Node& node, std::int64_t extent) {
  SLUICE_TRY(const auto given, importer.IntegersOrAttribute(node, 1, "split"));
  if (given) {
    return *given;
  }
  const auto parts = static_cast<std::int64_t>(node.outputs.size());
  const std::int64_t size = CeilDiv(extent, parts);
  Integers sizes(node.outputs.size(), size);
  sizes.back() = extent - size * (parts - 1);
  return sizes;
}

Status Split(Importer& importer, const Node& node, const OpRow&) {
  const Shape x = importer.ShapeOf(node, 0);
  SLUICE_TRY(const std::int64_t axis, NormalizeAxis(node.Int("axis", 0), x.size()));
  const auto a = static_cast<std::size_t>(axis);
  SLUICE_TRY(const Integers sizes, SplitSizes(importer, node, x[a]));
  std::int64_t sum = 0;
  for (const std::int64_t size : sizes) {
    if (size < 0 || size > x[a] - sum) {
      return Importer::ShapeError(
          fmt::format("part of {} does not fit axis {} of {}", size, axis, ShapeText(x)));
    }
    sum += size;
  }
  if (sum != x[a] || sizes.size() != node.outputs.size()) {
    return Importer::ShapeError(fmt::format("{} parts with {} in all do not split {} outputs of {}",
                                            sizes.size(), sum, node.outputs.size(), ShapeText(x)));
  }
  std::int64_t offset = 0;
  for (std::size_t o = 0; o < sizes.size(); ++o) {
    Shape y = x;
    y[a] = sizes[o];
    SLUICE_TRY_STATUS(importer.Define(node, o, y, importer.TypeOf(node, 0)));
    if (importer.Wants(node, o)) {
      OpBuilder op(importer, node, fmt::format("part{}", o));
      const std::vector<int> dims = op.DimsFor(y);
      std::vector<ir::AxisExpr> read = AlongAll(dims);
      read[a].offset = offset;
      SLUICE_TRY_STATUS(op.Read(node.inputs[0], std::move(read))
                            .Write(node.outputs[o], AlongAll(dims))
                            .Work(ir::WorkClass::kMove, 1)
                            .Emit());
    }
    offset += sizes[o];
  }
  return {};
}

/// Inputs: x, starts, ends, axes, steps.
Status Slice(Importer& importer, const Node& node, const OpRow&) {
  const Shape x = importer.ShapeOf(node, 0);
  SLUICE_TRY(const Integers starts, importer.Integers(node, 1));
  SLUICE_TRY(const Integers ends, importer.Integers(node, 2));
  Integers axes(starts.size());
  std::iota(axes.begin(), axes.end(), 0);
  Integers steps(starts.size(), 1);
  if (Importer::Has(node, 3)) {
    SLUICE_TRY(axes, importer.Integers(node, 3));
  }
  if (Importer::Has(node, 4)) {
    SLUICE_TRY(steps, importer.Integers(node, 4));
  }
  SLUICE_TRY(axes, NormalizeAxes(axes, x.size()));
  if (ends.size() != starts.size() || axes.size() != starts.size() ||
      steps.size() != starts.size()) {
    return Importer::ShapeError("starts, ends, axes and steps differ in length");
  }
  Shape y = x;
  std::vector<SliceRange> ranges(x.size());
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto axis = static_cast<std::size_t>(axes[i]);
    SLUICE_TRY(ranges[axis], PlanSlice(x[axis], starts[i], ends[i], steps[i]));
    y[axis] = ranges[axis].count;
  }
  SLUICE_TRY_STATUS(importer.Define(node, 0, y, importer.TypeOf(node, 0)));
  OpBuilder op(importer, node);
  const std::vector<int> dims = op.DimsFor(y);
  std::vector<ir::AxisExpr> read;
  read.reserve(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    read.push_back(Affine({{dims[i], ranges[i].step}}, ranges[i].start));
  }
  return op.Read(node.inputs[0], std::move(read))
      .Write(node.outputs[0], AlongAll(dims))
      .Work(ir::WorkClass::kMove, 1)
      .Emit();
}

/// Pads of all axes: of the listed ones (axes input, opset 18) or of every axis.
Result<Integers> FullPads(const Importer& importer, const Node& node, std::size_t rank) {
  SLUICE_TRY(const auto given, importer.IntegersOrAttribute(node, 1, "pads"));
  Integers axes(rank);
  std::iota(axes.begin(), axes.end(), 0);
  if (Importer::Has(node, 3)) {
    SLUICE_TRY(const Integers listed, importer.Integers(node, 3));
    SLUICE_TRY(axes, NormalizeAxes(listed, rank));
  }
  if (!given || given->size() != 2 * axes.size()) {
    return Importer::ShapeError(fmt::format("pads must have {} numbers", 2 * axes.size()));
  }
  Integers pads(2 * rank, 0);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    for (const std::size_t side : {std::size_t{0}, std::size_t{1}}) {
      const std::int64_t pad = (*given)[side * axes.size() + i];
      constexpr std::int64_t kLimit = std::int64_t{1} << 40;
      if (pad < -kLimit || pad > kLimit) {
        return Importer::ShapeError(fmt::format("padding {} is out of range", pad));
      }
      pads[side * rank + static_cast<std::size_t>(axes[i])] = pad;
    }
  }
  return pads;
}

/// Constant padding reads nothing; the other modes repeat elements of the input, somewhere on the
/// axis.
Status Pad(Importer& importer, const Node& node, const OpRow&) {
  const Shape x = importer.ShapeOf(node, 0);
  SLUICE_TRY(const Integers pads, FullPads(importer, node, x.size()));
  Shape y;
  for (std::size_t i = 0; i < x.size(); ++i) {
    y.push_back(x[i] + pads[i] + pads[x.size() + i]);
  }
  SLUICE_TRY_STATUS(importer.Define(node, 0, y, importer.TypeOf(node, 0)));
  if (y == x) {
    return importer.EmitView(node, 0);
  }
  const bool constant = node.String("mode", "constant") == "constant";
  OpBuilder op(importer, node);
  const std::vector<int> dims = op.DimsFor(y);
  std::vector<ir::AxisExpr> read;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const bool padded = pads[i] != 0 || pads[x.size() + i] != 0;
    read.push_back(padded && !constant ? op.Indirect({dims[i]}) : Affine({{dims[i], 1}}, -pads[i]));
  }
  return op.Read(node.inputs[0], std::move(read))
      .Write(node.outputs[0], AlongAll(dims))
      .Work(ir::WorkClass::kMove, 1)
      .Emit();
}

/// Copies `x` to the shape it broadcasts to.
Status BroadcastTo(Importer& importer, const Node& node, const Shape& y) {
  SLUICE_TRY_STATUS(importer.Define(node, 0, y, importer.TypeOf(node, 0)));
  const Shape x = importer.ShapeOf(node, 0);
  SLUICE_TRY(const std::int64_t before, ElementCount(x));
  SLUICE_TRY(const std::int64_t after, ElementCount(y));
  if (before == after) {
    return importer.EmitView(node, 0);
  }
  OpBuilder op(importer, node);
  const std::vector<int> dims = op.DimsFor(y);
  return op.ReadBroadcast(node.inputs[0], dims)
      .Write(node.outputs[0], AlongAll(dims))
      .Work(ir::WorkClass::kMove, 1)
      .Emit();
}

Status Expand(Importer& importer, const Node& node, const OpRow&) {
  SLUICE_TRY(const Integers wanted, importer.Integers(node, 1));
  if (std::ranges::any_of(wanted, [](auto e) { return e < 0; })) {
    return Importer::ShapeError(fmt::format("cannot expand to {}", ShapeText(wanted)));
  }
  SLUICE_TRY(const Shape y, Broadcast(importer.ShapeOf(node, 0), wanted));
  return BroadcastTo(importer, node, y);
}

Status Tile(Importer& importer, const Node& node, const OpRow&) {
  const Shape x = importer.ShapeOf(node, 0);
  SLUICE_TRY(const Integers repeats, importer.Integers(node, 1));
  if (repeats.size() != x.size()) {
    return Importer::ShapeError(fmt::format("{} repeats for {}", repeats.size(), ShapeText(x)));
  }
  Shape y;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto extent = CheckedMul(x[i], repeats[i]);
    if (!extent || repeats[i] < 0) {
      return Importer::ShapeError(fmt::format("cannot repeat {} times", repeats[i]));
    }
    y.push_back(*extent);
  }
  SLUICE_TRY_STATUS(importer.Define(node, 0, y, importer.TypeOf(node, 0)));
  OpBuilder op(importer, node);
  const std::vector<int> inner = op.DimsFor(x);
  std::vector<ir::AxisExpr> write;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (repeats[i] <= 1) {
      write.push_back(Along(inner[i]));
      continue;
    }
    const int outer = op.Dim(fmt::format("T{}", i), repeats[i]);
    write.push_back(Affine({{outer, x[i]}, {inner[i], 1}}));
  }
  return op.Read(node.inputs[0], AlongAll(inner))
      .Write(node.outputs[0], std::move(write))
      .Work(ir::WorkClass::kMove, 1)
      .Emit();
}

Result<std::int64_t> BlockSize(const Node& node, const Shape& x) {
  const std::int64_t block = node.Int("blocksize", 0);
  if (x.size() != 4 || block < 1 || block > (1 << 20)) {
    return Importer::ShapeError(fmt::format(
        "needs an input of rank 4 and a blocksize, not {} and {}", ShapeText(x), block));
  }
  return block;
}

/// Dims N C H W and the block's Y X; the two sides differ in where the block is written.
Status EmitBlocks(Importer& importer, const Node& node, const Shape& deep, std::int64_t block,
                  bool to_space, bool columns_first) {
  const std::int64_t channels = deep[1] / (block * block);
  OpBuilder op(importer, node);
  const int n = op.Dim("N", deep[0]);
  const int c = op.Dim("C", channels);
  const int h = op.Dim("H", deep[2]);
  const int w = op.Dim("W", deep[3]);
  const int y = op.Dim("Y", block);
  const int x = op.Dim("X", block);
  const ir::AxisExpr channel = columns_first
                                   ? Affine({{c, block * block}, {y, block}, {x, 1}})
                                   : Affine({{y, block * channels}, {x, channels}, {c, 1}});
  const std::vector<ir::AxisExpr> packed{Along(n), channel, Along(h), Along(w)};
  const std::vector<ir::AxisExpr> spread{Along(n), Along(c), Affine({{h, block}, {y, 1}}),
                                         Affine({{w, block}, {x, 1}})};
  return op.Read(node.inputs[0], to_space ? packed : spread)
      .Write(node.outputs[0], to_space ? spread : packed)
      .Work(ir::WorkClass::kMove, 1)
      .Emit();
}

Status DepthToSpace(Importer& importer, const Node& node, const OpRow&) {
  const Shape x = importer.ShapeOf(node, 0);
  SLUICE_TRY(const std::int64_t block, BlockSize(node, x));
  if (x[1] % (block * block) != 0) {
    return Importer::ShapeError(fmt::format("{} channels are no blocks of {}", x[1], block));
  }
  SLUICE_TRY_STATUS(importer.Define(node, 0,
                                    {x[0], x[1] / (block * block), x[2] * block, x[3] * block},
                                    importer.TypeOf(node, 0)));
  return EmitBlocks(importer, node, x, block, true, node.String("mode", "DCR") == "CRD");
}

Status SpaceToDepth(Importer& importer, const Node& node, const OpRow&) {
  const Shape x = importer.ShapeOf(node, 0);
  SLUICE_TRY(const std::int64_t block, BlockSize(node, x));
  if (x[2] % block != 0 || x[3] % block != 0) {
    return Importer::ShapeError(fmt::format("{} is no multiple of {}", ShapeText(x), block));
  }
  const auto channels = CheckedMul(x[1], block * block);
  if (!channels) {
    return Importer::ShapeError("too many channels");
  }
  const Shape deep{x[0], *channels, x[2] / block, x[3] / block};
  SLUICE_TRY_STATUS(importer.Define(node, 0, deep, importer.TypeOf(node, 0)));
  return EmitBlocks(importer, node, deep, block, false, false);
}

/// Upper or lower triangle: the other half is zero, every element is visited.
Status Trilu(Importer& importer, const Node& node, const OpRow&) {
  const Shape x = importer.ShapeOf(node, 0);
  if (x.size() < 2) {
    return Importer::ShapeError("needs a matrix");
  }
  SLUICE_TRY_STATUS(importer.Define(node, 0, x, importer.TypeOf(node, 0)));
  OpBuilder op(importer, node);
  const std::vector<int> dims = op.DimsFor(x);
  return op.Read(node.inputs[0], AlongAll(dims))
      .Write(node.outputs[0], AlongAll(dims))
      .Work(ir::WorkClass::kMove, 1)
      .Emit();
}

constexpr OpRow kRows[] = {
    {"Transpose", Transpose, 1},
    {"Concat", Concat, 1},
    {"Split", Split, 1, 0, 0, true},
    {"Slice", Slice, 3},
    {"Pad", Pad, 1},
    {"Expand", Expand, 2},
    {"Tile", Tile, 2},
    {"DepthToSpace", DepthToSpace, 1},
    {"SpaceToDepth", SpaceToDepth, 1},
    {"Trilu", Trilu, 1},
};

}  // namespace

std::span<const OpRow> MovementRows() {
  return kRows;
}

}  // namespace sluice::io::onnx_import
