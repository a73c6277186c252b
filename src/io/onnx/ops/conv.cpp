/// \file
/// Convolutions and pools: windows sliding over spatial axes.
///
/// Forward: output position p and kernel position r read input p * stride + r * dilation - pad.
/// Transposed: input position p and kernel position r add into output p * stride + r * dilation -
/// pad; the same expression, on the output side. Padding is what falls outside. Dims: N, G
/// (groups), K and C (output and input channels of a group), output positions O P Q and kernel
/// positions T R S (1-D: Q S, 2-D: P Q R S), input positions D H W when transposed. Tested by
/// tests/unit/onnx_ops_test.cpp, tests/differential/onnx_shapes_test.cpp.

#include <cstddef>
#include <cstdint>
#include <span>
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

/// Name of spatial axis i of `rank`, the last being the last letter.
std::string SpatialName(std::string_view letters, std::size_t rank, std::size_t i) {
  if (rank <= letters.size()) {
    return std::string(1, letters[letters.size() - rank + i]);
  }
  return fmt::format("{}{}", letters.back(), i);
}

/// Where a convolution's operands stand among the node's inputs.
struct Operands {
  std::size_t x = 0;
  std::size_t w = 1;
  std::size_t bias = 2;
  std::vector<std::size_t> parameters = {};  ///< scales and zero points
  std::int32_t output_type = kFloatType;
};

struct Channels {
  std::int64_t groups = 1;
  std::int64_t in = 1;   ///< per group
  std::int64_t out = 1;  ///< per group
  bool transposed = false;
};

Result<Channels> CheckChannels(const Node& node, const Shape& x, const Shape& w, bool transposed) {
  if (x.size() < 3 || w.size() != x.size()) {
    return Importer::ShapeError(fmt::format(
        "input {} and weights {} must have the same rank, at least 3", ShapeText(x), ShapeText(w)));
  }
  Channels c;
  c.transposed = transposed;
  c.groups = node.Int("group", 1);
  const std::int64_t stored = transposed ? w[0] : w[1];
  if (c.groups < 1 || x[1] % c.groups != 0 || w[0] % c.groups != 0 ||
      stored != (transposed ? x[1] : x[1] / c.groups)) {
    return Importer::ShapeError(fmt::format("{} input channels in {} groups do not fit weights {}",
                                            x[1], c.groups, ShapeText(w)),
                                transposed ? "transposed weights are [in, out / groups, kernel ...]"
                                           : "weights are [out, in / groups, kernel ...]");
  }
  c.in = x[1] / c.groups;
  c.out = transposed ? w[1] : w[0] / c.groups;
  return c;
}

/// Emits the convolution into value `out`. `windows` are planned for its direction.
Status EmitWindows(Importer& importer, const Node& node, const Operands& operands,
                   const Channels& channels, const std::vector<Window>& windows, int out) {
  const std::size_t rank = windows.size();
  const bool transposed = channels.transposed;
  OpBuilder op(importer, node);
  const int n = op.Dim("N", importer.ShapeOf(node, operands.x)[0]);
  const int g = channels.groups > 1 ? op.Dim("G", channels.groups) : -1;
  const int k = op.Dim("K", channels.out);
  const int c = op.Dim("C", channels.in);
  std::vector<int> position;
  std::vector<int> kernel;
  position.reserve(rank);
  kernel.reserve(rank);
  for (std::size_t i = 0; i < rank; ++i) {
    position.push_back(op.Dim(SpatialName(transposed ? "DHW" : "OPQ", rank, i),
                              transposed ? windows[i].input : windows[i].output));
  }
  for (std::size_t i = 0; i < rank; ++i) {
    kernel.push_back(op.Dim(SpatialName("TRS", rank, i), windows[i].kernel));
  }
  const auto grouped = [g](int dim, std::int64_t per_group) {
    return g < 0 ? Along(dim) : Affine({{g, per_group}, {dim, 1}});
  };
  std::vector<ir::AxisExpr> x{Along(n), grouped(c, channels.in)};
  std::vector<ir::AxisExpr> y{Along(n), grouped(k, channels.out)};
  std::vector<ir::AxisExpr> w;
  if (transposed) {
    w = {grouped(c, channels.in), Along(k)};
  } else {
    w = {grouped(k, channels.out), Along(c)};
  }
  for (std::size_t i = 0; i < rank; ++i) {
    const Window& window = windows[i];
    const ir::AxisExpr sliding =
        Affine({{position[i], window.stride}, {kernel[i], window.dilation}}, -window.pad_begin);
    x.push_back(transposed ? Along(position[i]) : sliding);
    y.push_back(transposed ? sliding : Along(position[i]));
    w.push_back(Along(kernel[i]));
  }
  op.Read(node.inputs[operands.x], std::move(x)).Read(node.inputs[operands.w], std::move(w));
  for (const std::size_t p : operands.parameters) {
    if (Importer::Has(node, p) && importer.Input(node, p).is_constant) {
      op.Parameter(node.inputs[p], {});
    }
  }
  if (Importer::Has(node, operands.bias) && importer.Input(node, operands.bias).is_constant) {
    op.Parameter(node.inputs[operands.bias], {});
  }
  return op.Accumulate(out, std::move(y)).Work(ir::WorkClass::kMac, 1).Emit();
}

Status EmitConvolution(Importer& importer, const Node& node, const Operands& operands,
                       bool transposed) {
  const Shape x = importer.ShapeOf(node, operands.x);
  const Shape w = importer.ShapeOf(node, operands.w);
  SLUICE_TRY(const Channels channels, CheckChannels(node, x, w, transposed));
  const Shape kernel(w.begin() + 2, w.end());
  if (const auto stated = node.Ints("kernel_shape"); stated && *stated != kernel) {
    return Importer::ShapeError(fmt::format("kernel_shape {} differs from the weights {}",
                                            ShapeText(*stated), ShapeText(w)));
  }
  const Shape spatial(x.begin() + 2, x.end());
  std::vector<Window> windows;
  if (transposed) {
    SLUICE_TRY(windows, PlanTransposedWindows(node, spatial, kernel));
  } else {
    SLUICE_TRY(windows, PlanWindows(node, spatial, kernel, false));
  }
  Shape y{x[0], channels.out * channels.groups};
  for (const Window& window : windows) {
    y.push_back(window.output);
  }
  SLUICE_TRY_STATUS(importer.Define(node, 0, y, operands.output_type));
  // A bias that is computed at run time is an addition of its own.
  const bool has_bias = Importer::Has(node, operands.bias);
  if (has_bias && importer.ShapeOf(node, operands.bias) != Shape{y[1]}) {
    return Importer::ShapeError(fmt::format("bias {} does not have the {} output channels",
                                            ShapeText(importer.ShapeOf(node, operands.bias)),
                                            y[1]));
  }
  if (!has_bias || importer.Input(node, operands.bias).is_constant) {
    return EmitWindows(importer, node, operands, channels, windows, node.outputs[0]);
  }
  const std::string& name = importer.value(node.outputs[0]).name;
  SLUICE_TRY(const int sums, importer.NewValue(name + ".unbiased", y, operands.output_type));
  SLUICE_TRY_STATUS(EmitWindows(importer, node, operands, channels, windows, sums));
  OpBuilder add(importer, node, "bias");
  const std::vector<int> dims = add.DimsFor(y);
  const std::vector<ir::AxisExpr> all = AlongAll(dims);
  return add.Read(sums, all)
      .Read(node.inputs[operands.bias], {Along(dims[1])})
      .Write(node.outputs[0], all)
      .Work(ir::WorkClass::kVector, 1)
      .Emit();
}

Status Conv(Importer& importer, const Node& node, const OpRow&) {
  return EmitConvolution(importer, node, {.output_type = importer.TypeOf(node, 0)}, false);
}

Status ConvTranspose(Importer& importer, const Node& node, const OpRow&) {
  return EmitConvolution(importer, node, {.output_type = importer.TypeOf(node, 0)}, true);
}

/// Inputs: x, w, x_zero_point, w_zero_point.
Status ConvInteger(Importer& importer, const Node& node, const OpRow&) {
  return EmitConvolution(importer, node,
                         {.bias = 99, .parameters = {2, 3}, .output_type = kInt32Type}, false);
}

/// Inputs: x, x_scale, x_zero_point, w, w_scale, w_zero_point, y_scale, y_zero_point, bias.
Status QLinearConv(Importer& importer, const Node& node, const OpRow&) {
  return EmitConvolution(importer, node,
                         {.w = 3,
                          .bias = 8,
                          .parameters = {1, 2, 4, 5, 6, 7},
                          .output_type = importer.TypeOf(node, 7)},
                         false);
}

/// Reads a window of the input per output position. `out` accumulates over the kernel dims.
Status EmitPool(Importer& importer, const Node& node, const std::string& suffix,
                const std::vector<Window>& windows, int out, const OpRow& row) {
  const Shape x = importer.ShapeOf(node, 0);
  OpBuilder op(importer, node, suffix);
  const int n = op.Dim("N", x[0]);
  const int c = op.Dim("C", x[1]);
  std::vector<int> position;
  position.reserve(windows.size());
  for (std::size_t i = 0; i < windows.size(); ++i) {
    position.push_back(op.Dim(SpatialName("OPQ", windows.size(), i), windows[i].output));
  }
  std::vector<ir::AxisExpr> read{Along(n), Along(c)};
  std::vector<ir::AxisExpr> write{Along(n), Along(c)};
  for (std::size_t i = 0; i < windows.size(); ++i) {
    const int kernel = op.Dim(SpatialName("TRS", windows.size(), i), windows[i].kernel);
    read.push_back(Affine({{position[i], windows[i].stride}, {kernel, windows[i].dilation}},
                          -windows[i].pad_begin));
    write.push_back(Along(position[i]));
  }
  return op.Read(node.inputs[0], std::move(read))
      .Accumulate(out, std::move(write))
      .Work(row)
      .Emit();
}

Status FinishPool(Importer& importer, const Node& node, const OpRow& row,
                  const std::vector<Window>& windows) {
  const Shape& x = importer.ShapeOf(node, 0);
  Shape y{x[0], x[1]};
  for (const Window& window : windows) {
    y.push_back(window.output);
  }
  const std::int32_t type = importer.TypeOf(node, 0);
  SLUICE_TRY_STATUS(importer.Define(node, 0, y, type));
  SLUICE_TRY_STATUS(importer.Define(node, 1, y, kInt64Type));
  if (importer.Wants(node, 0)) {
    SLUICE_TRY_STATUS(EmitPool(importer, node, "", windows, node.outputs[0], row));
  }
  if (importer.Wants(node, 1)) {
    SLUICE_TRY_STATUS(EmitPool(importer, node, "indices", windows, node.outputs[1], row));
  }
  return {};
}

Status Pool(Importer& importer, const Node& node, const OpRow& row) {
  const Shape& x = importer.ShapeOf(node, 0);
  const auto kernel = node.Ints("kernel_shape");
  if (x.size() < 3 || !kernel) {
    return Importer::ShapeError(
        fmt::format("a pool needs an input of rank 3 or more and a kernel_shape, the input is {}",
                    ShapeText(x)));
  }
  SLUICE_TRY(const std::vector<Window> windows,
             PlanWindows(node, Shape(x.begin() + 2, x.end()), *kernel, importer.opset() >= 18));
  return FinishPool(importer, node, row, windows);
}

Status GlobalPool(Importer& importer, const Node& node, const OpRow& row) {
  const Shape& x = importer.ShapeOf(node, 0);
  if (x.size() < 3) {
    return Importer::ShapeError(
        fmt::format("a global pool needs spatial axes, the input is {}", ShapeText(x)));
  }
  std::vector<Window> windows;
  for (std::size_t i = 2; i < x.size(); ++i) {
    Window window;
    window.input = window.kernel = x[i];
    windows.push_back(window);
  }
  return FinishPool(importer, node, row, windows);
}

/// Inputs: values, indices, output_shape. Every value goes to the position its index says.
Status MaxUnpool(Importer& importer, const Node& node, const OpRow&) {
  const Shape x = importer.ShapeOf(node, 0);
  const auto kernel = node.Ints("kernel_shape");
  if (x.size() < 3 || !kernel || importer.ShapeOf(node, 1) != x) {
    return Importer::ShapeError("needs a kernel_shape and indices of the shape of the values");
  }
  Shape y;
  if (Importer::Has(node, 2)) {
    SLUICE_TRY(y, importer.Integers(node, 2));
    if (y.size() != x.size()) {
      return Importer::ShapeError("output_shape has the wrong number of axes");
    }
  } else {
    const Shape spatial(x.begin() + 2, x.end());
    SLUICE_TRY(const auto windows, PlanTransposedWindows(node, spatial, *kernel));
    y = {x[0], x[1]};
    for (const Window& window : windows) {
      y.push_back(window.output);
    }
  }
  SLUICE_TRY_STATUS(importer.Define(node, 0, y, importer.TypeOf(node, 0)));
  OpBuilder op(importer, node);
  const std::vector<int> dims = op.DimsFor(x);
  std::vector<ir::AxisExpr> read;
  std::vector<ir::AxisExpr> write{Along(dims[0]), Along(dims[1])};
  for (std::size_t i = 0; i < x.size(); ++i) {
    read.push_back(Along(dims[i]));
    if (i >= 2) {
      write.push_back(op.Indirect({dims[i]}));
    }
  }
  return op.Read(node.inputs[0], read)
      .Read(node.inputs[1], read)
      .Write(node.outputs[0], std::move(write))
      .Work(ir::WorkClass::kMove, 1)
      .Emit();
}

constexpr OpRow kRows[] = {
    {"Conv", Conv, 2},
    {"ConvTranspose", ConvTranspose, 2},
    {"ConvInteger", ConvInteger, 2},
    {"QLinearConv", QLinearConv, 8},
    {"MaxPool", Pool, 1, 1, 0, true},
    {"AveragePool", Pool, 1, 1},
    {"LpPool", Pool, 1, 2},
    {"GlobalMaxPool", GlobalPool, 1, 1},
    {"GlobalAveragePool", GlobalPool, 1, 1},
    {"GlobalLpPool", GlobalPool, 1, 2},
    {"MaxUnpool", MaxUnpool, 2},
};

}  // namespace

std::span<const OpRow> ConvolutionRows() {
  return kRows;
}

}  // namespace sluice::io::onnx_import
