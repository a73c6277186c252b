/// \file
/// Resize and Upsample. Output position p reads input position floor((p * a + b) / c) on each axis,
/// with a / c the inverse scale as a fraction of small integers and b from the coordinate rule;
/// linear and cubic interpolation read two or four neighbours from there on. So a resize by any
/// ratio is an affine access with a divisor, and halos come out of the same slice function as for
/// convolutions. Tested by tests/unit/onnx_ops_test.cpp, tests/differential/onnx_shapes_test.cpp.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
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

constexpr std::int64_t kMaxDenominator = 1 << 16;

struct Fraction {
  std::int64_t numerator = 1;
  std::int64_t denominator = 1;
};

/// Best fraction with a small denominator (continued fraction); exact for every ratio of interest.
Fraction Approximate(double value) {
  std::int64_t p0 = 0;
  std::int64_t q0 = 1;
  std::int64_t p1 = 1;
  std::int64_t q1 = 0;
  double rest = value;
  for (int i = 0; i < 32; ++i) {
    const double whole = std::floor(rest);
    if (whole > 1e9) {
      break;
    }
    const auto w = static_cast<std::int64_t>(whole);
    const std::int64_t p2 = w * p1 + p0;
    const std::int64_t q2 = w * q1 + q0;
    if (q2 > kMaxDenominator || p2 > (std::int64_t{1} << 40)) {
      break;
    }
    p0 = std::exchange(p1, p2);
    q0 = std::exchange(q1, q2);
    const double error = std::abs(static_cast<double>(p1) / static_cast<double>(q1) - value);
    if (error <= 1e-7 * value || rest - whole < 1e-12) {
      break;
    }
    rest = 1.0 / (rest - whole);
  }
  return q1 == 0 || p1 == 0 ? Fraction{1, kMaxDenominator} : Fraction{p1, q1};
}

/// One axis: what it was, what it becomes, and the scale the model states.
struct Axis {
  std::int64_t in = 1;
  std::int64_t out = 1;
  double scale = 1;
};

Status CheckScale(double scale) {
  if (!(scale > 1e-6) || !(scale < 1e6)) {
    return Importer::ShapeError(fmt::format("scale {} is not positive or out of range", scale));
  }
  return {};
}

/// Listed axes (opset 18) or all.
Result<std::vector<std::int64_t>> ResizedAxes(const Node& node, std::size_t rank) {
  std::vector<std::int64_t> all(rank);
  std::iota(all.begin(), all.end(), 0);
  return NormalizeAxes(node.Ints("axes").value_or(all), rank);
}

/// keep_aspect_ratio_policy: one scale for all axes, the smallest or largest of those asked for.
Status KeepAspectRatio(const std::string& policy, const std::vector<std::int64_t>& which,
                       std::vector<Axis>* axes) {
  if (policy != "not_larger" && policy != "not_smaller") {
    return {};
  }
  double scale = 0;
  for (const std::int64_t i : which) {
    const double s = (*axes)[static_cast<std::size_t>(i)].scale;
    scale = scale == 0 ? s : policy == "not_larger" ? std::min(scale, s) : std::max(scale, s);
  }
  for (const std::int64_t i : which) {
    Axis& axis = (*axes)[static_cast<std::size_t>(i)];
    const double out = std::floor(scale * static_cast<double>(axis.in) + 0.5);
    if (out >= kMaxElements) {
      return Importer::ShapeError(fmt::format("extent {:.0f} is out of range", out));
    }
    axis.scale = scale;
    axis.out = static_cast<std::int64_t>(out);
  }
  return {};
}

Result<std::vector<Axis>> PlanAxes(const Importer& importer, const Node& node,
                                   std::size_t scales_input, std::size_t sizes_input) {
  const Shape& x = importer.ShapeOf(node, 0);
  SLUICE_TRY(const auto which, ResizedAxes(node, x.size()));
  std::vector<Axis> axes;
  for (const std::int64_t extent : x) {
    axes.push_back({extent, extent, 1});
  }
  const bool by_size = Importer::Has(node, sizes_input);
  if (!by_size && !Importer::Has(node, scales_input)) {
    return Importer::ShapeError("neither scales nor sizes are given");
  }
  if (by_size) {
    SLUICE_TRY(const auto sizes, importer.Integers(node, sizes_input));
    if (sizes.size() != which.size()) {
      return Importer::ShapeError(fmt::format("{} sizes for {} axes", sizes.size(), which.size()));
    }
    for (std::size_t i = 0; i < which.size(); ++i) {
      Axis& axis = axes[static_cast<std::size_t>(which[i])];
      if (sizes[i] < 1 || sizes[i] > (std::int64_t{1} << 30)) {
        return Importer::ShapeError(fmt::format("size {} is out of range", sizes[i]));
      }
      axis.out = sizes[i];
      axis.scale = static_cast<double>(sizes[i]) / static_cast<double>(axis.in);
    }
    SLUICE_TRY_STATUS(
        KeepAspectRatio(node.String("keep_aspect_ratio_policy", "stretch"), which, &axes));
    return axes;
  }
  SLUICE_TRY(const auto scales, importer.Numbers(node, scales_input));
  if (scales.size() != which.size()) {
    return Importer::ShapeError(fmt::format("{} scales for {} axes", scales.size(), which.size()));
  }
  for (std::size_t i = 0; i < which.size(); ++i) {
    SLUICE_TRY_STATUS(CheckScale(scales[i]));
    Axis& axis = axes[static_cast<std::size_t>(which[i])];
    axis.scale = scales[i];
    // The specification computes in single precision.
    const float exact = static_cast<float>(axis.in) * static_cast<float>(scales[i]);
    axis.out = static_cast<std::int64_t>(std::floor(exact));
  }
  return axes;
}

/// floor((p * a + b) / c): the first input position output position p reads.
struct Rule {
  std::int64_t a = 1;
  std::int64_t b = 0;
  std::int64_t c = 1;
};

/// x = (p + 0.5) / scale - 0.5 and its relatives, for `taps` neighbours (1: nearest).
Rule PlanRule(const Axis& axis, const std::string& mode, const std::string& nearest, int taps) {
  Fraction inverse = Approximate(1.0 / axis.scale);
  // Twice the fraction, so that halves are integers: x = (p * 2n + shift) / 2d.
  std::int64_t shift = 0;
  if (mode == "half_pixel" || mode == "half_pixel_symmetric" ||
      (mode == "pytorch_half_pixel" && axis.out > 1)) {
    shift = inverse.numerator - inverse.denominator;
  } else if (mode == "tf_half_pixel_for_nn") {  // x = (p + 0.5) / scale
    shift = inverse.numerator;
  } else if (mode == "align_corners" && axis.out > 1) {
    inverse = {axis.in - 1, axis.out - 1};
    const std::int64_t divisor = std::max<std::int64_t>(1, std::gcd(axis.in - 1, axis.out - 1));
    inverse = {inverse.numerator / divisor, inverse.denominator / divisor};
  }
  Rule rule{2 * inverse.numerator, shift, 2 * inverse.denominator};
  if (taps > 1) {
    rule.b -= (taps / 2 - 1) * rule.c;
  } else if (nearest == "ceil") {
    rule.b += rule.c - 1;
  } else if (nearest == "round_prefer_ceil") {
    rule.b += rule.c / 2;
  } else if (nearest != "floor") {  // round_prefer_floor: ties go down
    rule.b += rule.c / 2 - 1;
  }
  const std::int64_t divisor = std::gcd(std::gcd(rule.a, rule.b), rule.c);
  if (divisor > 1) {
    rule = {rule.a / divisor, rule.b / divisor, rule.c / divisor};
  }
  return rule;
}

/// Positions beyond the border repeat the border element, which an affine access cannot say.
bool LeavesInput(const Axis& axis, const Rule& rule) {
  return rule.b < 0 || FloorDiv(rule.a * (axis.out - 1) + rule.b, rule.c) >= axis.in;
}

/// Whole multiples need no divisor: position p = h * scale + i reads h.
bool IsPlainUpscale(const Axis& axis, const Rule& rule, int taps) {
  return taps == 1 && rule.a == 1 && axis.out == axis.in * rule.c && rule.b >= 0 &&
         rule.b < rule.c && (rule.b == 0 || rule.c == 1);
}

Status EmitResize(Importer& importer, const Node& node, const std::vector<Axis>& axes,
                  const std::string& mode, const std::string& interpolation) {
  Shape y;
  for (const Axis& axis : axes) {
    y.push_back(axis.out);
  }
  SLUICE_TRY_STATUS(importer.Define(node, 0, y, importer.TypeOf(node, 0)));
  const int taps = interpolation == "cubic" ? 4 : interpolation == "linear" ? 2 : 1;
  OpBuilder op(importer, node);
  const bool crops = mode == "tf_crop_and_resize";
  std::vector<ir::AxisExpr> read;
  std::vector<ir::AxisExpr> write;
  bool interpolates = false;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const Axis& axis = axes[i];
    const std::string name(
        axes.size() <= 5 ? std::string("NCDHW").substr(axes.size() == 4 && i > 1 ? i + 1 : i, 1)
                         : fmt::format("A{}", i));
    if (axis.in == axis.out && axis.scale == 1) {
      const int dim = op.Dim(name, axis.out);
      read.push_back(Along(dim));
      write.push_back(Along(dim));
      continue;
    }
    const Rule rule = PlanRule(axis, mode, node.String("nearest_mode", "round_prefer_floor"), taps);
    if (IsPlainUpscale(axis, rule, taps)) {
      const int dim = op.Dim(name, axis.in);
      const int part = op.Dim(name + "i", rule.c);
      read.push_back(Along(dim));
      write.push_back(Affine({{dim, rule.c}, {part, 1}}));
      continue;
    }
    const int dim = op.Dim(name, axis.out);
    write.push_back(Along(dim));
    if (crops || (taps == 1 && LeavesInput(axis, rule))) {
      read.push_back(op.Indirect({dim}));
    } else if (taps == 1) {
      read.push_back(Affine({{dim, rule.a}}, rule.b, rule.c));
    } else {
      interpolates = true;
      const int tap = op.Dim(name + "t", taps);
      read.push_back(Affine({{dim, rule.a}, {tap, rule.c}}, rule.b, rule.c));
    }
  }
  op.Read(node.inputs[0], std::move(read));
  if (interpolates) {
    op.Accumulate(node.outputs[0], std::move(write)).Work(ir::WorkClass::kVector, 2);
  } else {
    op.Write(node.outputs[0], std::move(write)).Work(ir::WorkClass::kMove, 1);
  }
  return op.Emit();
}

/// Inputs: x, roi, scales, sizes.
Status Resize(Importer& importer, const Node& node, const OpRow&) {
  SLUICE_TRY(const std::vector<Axis> axes, PlanAxes(importer, node, 2, 3));
  return EmitResize(importer, node, axes,
                    node.String("coordinate_transformation_mode", "half_pixel"),
                    node.String("mode", "nearest"));
}

constexpr OpRow kRows[] = {{"Resize", Resize, 1}};

}  // namespace

std::span<const OpRow> ResizeRows() {
  return kRows;
}

}  // namespace sluice::io::onnx_import
