/// \file
/// Operators that only rename bytes: reshape, flatten, squeeze, unsqueeze, identity. They cost
/// nothing; what matters is that slices pass through them exactly. Input and output shape are
/// refined to common factors from the right ([128, 768] and [128, 12, 64] share 128 x 12 x 64), and
/// each factor is a dim that is affine on both sides. Where the factors do not nest ([4, 6] and [6,
/// 4]) the group of axes is one whole dim: such a view cannot be cut.
///
/// Also here: the opaque operator, of which only the shapes are known.
/// Tested by tests/unit/onnx_ops_test.cpp.

#include <algorithm>
#include <cstddef>
#include <cstdint>
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

/// One side of a view while it is taken apart from the right.
class Side {
 public:
  explicit Side(const Shape& shape) : shape_(shape), axes_(shape.size()), at_(shape.size()) {}

  /// Whether factors are left; moves to the next axis when the one at hand is used up.
  bool Open() {
    while (left_ == 1 && at_ > 0) {
      left_ = shape_[--at_];
      scale_ = 1;
    }
    return left_ > 1;
  }
  [[nodiscard]] std::int64_t left() const { return left_; }
  void Take(int dim, std::int64_t factor) {
    axes_[at_].terms.push_back({dim, scale_});
    scale_ *= factor;
    left_ /= factor;
  }
  /// Takes what is left of the axis at hand into a group; returns its extent.
  std::int64_t TakeAll(std::vector<std::size_t>* group) {
    group->push_back(at_);
    return std::exchange(left_, 1);
  }
  ir::AxisExpr& axis(std::size_t i) { return axes_[i]; }
  [[nodiscard]] const std::vector<ir::AxisExpr>& axes() const { return axes_; }

 private:
  Shape shape_;
  std::vector<ir::AxisExpr> axes_;
  std::size_t at_;
  std::int64_t left_ = 1;
  std::int64_t scale_ = 1;
};

/// Axes of both sides whose products agree but whose factors do not nest: one whole dim.
void TakeGroup(OpBuilder* op, Side* in, Side* out) {
  std::vector<std::size_t> in_axes;
  std::vector<std::size_t> out_axes;
  std::int64_t a = in->TakeAll(&in_axes);
  std::int64_t b = out->TakeAll(&out_axes);
  while (a != b) {
    if (a < b && in->Open()) {
      a *= in->TakeAll(&in_axes);
    } else if (b < a && out->Open()) {
      b *= out->TakeAll(&out_axes);
    } else {
      break;  // sizes were checked equal, so this is not reached
    }
  }
  const int dim = op->Dim("L", a, true);
  // Factors that were split off before stay as terms, so that every dim still moves the axis.
  for (const std::size_t axis : in_axes) {
    in->axis(axis).terms.push_back({dim, 1});
    in->axis(axis).indirect = true;
  }
  for (const std::size_t axis : out_axes) {
    out->axis(axis).terms.push_back({dim, 1});
    out->axis(axis).indirect = true;
  }
}

}  // namespace

Status Importer::EmitView(const Node& node, std::size_t o) {
  if (folding_ || !Wants(node, o)) {
    return {};
  }
  const Shape in_shape = ShapeOf(node, 0);
  const Shape out_shape = value(node.outputs[o]).known_shape();
  SLUICE_TRY(const std::int64_t in_elements, ElementCount(in_shape));
  SLUICE_TRY(const std::int64_t out_elements, ElementCount(out_shape));
  if (in_elements != out_elements) {
    return ShapeError(fmt::format("{} and {} have different numbers of elements",
                                  ShapeText(in_shape), ShapeText(out_shape)));
  }
  OpBuilder op(*this, node);
  Side in(in_shape);
  Side out(out_shape);
  int number = 0;
  while (in.Open() && out.Open()) {
    const std::int64_t factor = std::min(in.left(), out.left());
    if (in.left() % factor == 0 && out.left() % factor == 0) {
      const int dim = op.Dim(fmt::format("V{}", number++), factor);
      in.Take(dim, factor);
      out.Take(dim, factor);
      continue;
    }
    TakeGroup(&op, &in, &out);
  }
  mutable_value(node.outputs[o]).storage = node.inputs[0];
  return op.Read(node.inputs[0], in.axes()).Write(node.outputs[o], out.axes()).Emit();
}

Status Importer::EmitOpaque(const Node& node, std::size_t o, ir::WorkClass work) {
  constexpr std::size_t kMaxInputs = 64;
  if (node.inputs.size() > kMaxInputs) {
    return Fail(ErrorCode::kOnnxUnsupportedOp,
                fmt::format("an opaque operator of {} inputs, at most {} are supported",
                            node.inputs.size(), kMaxInputs));
  }
  OpBuilder op(*this, node, o == 0 ? "" : std::to_string(o));
  const std::vector<int> dims = op.DimsFor(value(node.outputs[o]).known_shape());
  std::size_t reads = 0;
  for (const int input : node.inputs) {
    if (input < 0 || !value(input).shape) {
      continue;
    }
    SLUICE_TRY(const std::int64_t elements, ElementCount(value(input).known_shape()));
    if (elements == 0) {
      continue;  // an empty constant that stands for "not given"
    }
    // A machine holds at most six tensors of an operator.
    constexpr std::size_t kMaxReads = 5;
    if (value(input).is_constant && reads >= kMaxReads) {
      op.Parameter(input, {});
      continue;
    }
    ++reads;
    // Any element may be needed. Output dims are spread over the axes from the right, so that no
    // more elements are counted than there are points.
    std::vector<std::vector<int>> fed(value(input).known_shape().size());
    for (std::size_t r = 0; r < dims.size() && !fed.empty(); ++r) {
      fed[r < fed.size() ? fed.size() - 1 - r : 0].push_back(dims[dims.size() - 1 - r]);
    }
    std::vector<ir::AxisExpr> axes;
    axes.reserve(fed.size());
    for (const std::vector<int>& feeding : fed) {
      axes.push_back(op.Indirect(feeding));
    }
    op.Read(input, std::move(axes));
  }
  return op.Write(node.outputs[o], AlongAll(dims)).Work(work, 1).Emit();
}

namespace {

Status View(Importer& importer, const Node& node, Shape shape) {
  SLUICE_TRY_STATUS(importer.Define(node, 0, std::move(shape), importer.TypeOf(node, 0)));
  return importer.EmitView(node, 0);
}

Status Identity(Importer& importer, const Node& node, const OpRow&) {
  return View(importer, node, importer.ShapeOf(node, 0));
}

Status Reshape(Importer& importer, const Node& node, const OpRow&) {
  const auto wanted = importer.Integers(node, 1);
  if (!wanted) {
    const auto declared = importer.Declared(node, 0);
    return declared ? View(importer, node, *declared) : Status(Fail(wanted.error()));
  }
  SLUICE_TRY(Shape shape,
             PlanReshape(importer.ShapeOf(node, 0), *wanted, node.Int("allowzero", 0) != 0));
  return View(importer, node, std::move(shape));
}

Status Flatten(Importer& importer, const Node& node, const OpRow&) {
  const Shape& x = importer.ShapeOf(node, 0);
  const auto rank = static_cast<std::int64_t>(x.size());
  std::int64_t axis = node.Int("axis", 1);
  if (axis < -rank || axis > rank) {
    return Importer::ShapeError(fmt::format("axis {} does not exist in {}", axis, ShapeText(x)));
  }
  axis += axis < 0 ? rank : 0;
  SLUICE_TRY(const std::int64_t outer, ElementCount(Shape(x.begin(), x.begin() + axis)));
  SLUICE_TRY(const std::int64_t inner, ElementCount(Shape(x.begin() + axis, x.end())));
  return View(importer, node, {outer, inner});
}

Status Squeeze(Importer& importer, const Node& node, const OpRow&) {
  const Shape& x = importer.ShapeOf(node, 0);
  SLUICE_TRY(const auto given, importer.IntegersOrAttribute(node, 1, "axes"));
  std::vector<std::int64_t> axes;
  if (given) {
    SLUICE_TRY(axes, NormalizeAxes(*given, x.size()));
  }
  Shape shape;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const bool listed = std::ranges::find(axes, static_cast<std::int64_t>(i)) != axes.end();
    if (listed && x[i] != 1) {
      return Importer::ShapeError(
          fmt::format("axis {} of {} is squeezed but is not 1", i, ShapeText(x)));
    }
    if (given ? !listed : x[i] != 1) {
      shape.push_back(x[i]);
    }
  }
  return View(importer, node, std::move(shape));
}

Status Unsqueeze(Importer& importer, const Node& node, const OpRow&) {
  const Shape& x = importer.ShapeOf(node, 0);
  SLUICE_TRY(const auto given, importer.IntegersOrAttribute(node, 1, "axes"));
  if (!given) {
    return Importer::ShapeError("axes are missing");
  }
  const std::size_t rank = x.size() + given->size();
  SLUICE_TRY(const auto axes, NormalizeAxes(*given, rank));
  Shape shape(rank, 1);
  std::size_t next = 0;
  for (std::size_t i = 0; i < rank; ++i) {
    if (std::ranges::find(axes, static_cast<std::int64_t>(i)) == axes.end()) {
      shape[i] = x[next++];
    }
  }
  return View(importer, node, std::move(shape));
}

constexpr OpRow kRows[] = {
    {"Identity", Identity, 1}, {"Reshape", Reshape, 2},     {"Flatten", Flatten, 1},
    {"Squeeze", Squeeze, 1},   {"Unsqueeze", Unsqueeze, 1},
};

}  // namespace

std::span<const OpRow> ViewRows() {
  return kRows;
}

}  // namespace sluice::io::onnx_import
