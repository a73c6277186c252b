#pragma once
/// \file
/// Shape arithmetic shared by the operator handlers: broadcasting, axes, windows of convolutions
/// and pools. Everything here is checked: attributes of a hostile model may be any 64-bit number.
/// Tested by tests/unit/onnx_shapes_test.cpp and tests/differential/onnx_shapes_test.cpp.

#include <cstdint>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "io/onnx/graph.h"

namespace sluice::io::onnx_import {

/// `[1, 3, 224, 224]`
std::string ShapeText(const Shape& shape);

/// Elements, or an error if they do not fit 63 bits.
Result<std::int64_t> ElementCount(const Shape& shape);

/// Numpy broadcasting of two shapes.
Result<Shape> Broadcast(const Shape& a, const Shape& b);

/// -rank <= axis < rank, made positive.
Result<std::int64_t> NormalizeAxis(std::int64_t axis, std::size_t rank);
/// The same for a list, which may not repeat an axis.
Result<std::vector<std::int64_t>> NormalizeAxes(std::vector<std::int64_t> axes, std::size_t rank);

/// One spatial axis of a convolution or pool.
struct Window {
  std::int64_t input = 1;
  std::int64_t kernel = 1;
  std::int64_t stride = 1;
  std::int64_t dilation = 1;
  std::int64_t pad_begin = 0;
  std::int64_t pad_end = 0;
  std::int64_t output_padding = 0;  ///< transposed only
  std::int64_t output = 1;
};

/// Attributes strides, dilations, pads, auto_pad, ceil_mode of `node` for inputs of the given
/// spatial extents; fills in the outputs. `exact_ceil`: windows that would start in the end padding
/// are dropped (opset 18 and later).
Result<std::vector<Window>> PlanWindows(const Node& node, const Shape& spatial, const Shape& kernel,
                                        bool exact_ceil);
/// The same for transposed convolution (output_padding, output_shape).
Result<std::vector<Window>> PlanTransposedWindows(const Node& node, const Shape& spatial,
                                                  const Shape& kernel);

/// Start, step and count of ONNX Slice on one axis.
struct SliceRange {
  std::int64_t start = 0;
  std::int64_t step = 1;
  std::int64_t count = 0;
};
Result<SliceRange> PlanSlice(std::int64_t extent, std::int64_t start, std::int64_t end,
                             std::int64_t step);

/// The shape Reshape asks for (0 copies, -1 is inferred).
Result<Shape> PlanReshape(const Shape& input, const std::vector<std::int64_t>& wanted,
                          bool allow_zero);

}  // namespace sluice::io::onnx_import
