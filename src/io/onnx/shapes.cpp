/// \file
/// Shape arithmetic of ONNX. Sources: the operator specifications of the opsets; where they are
/// vague (automatic padding of transposed convolutions), what libonnx 1.12 infers. Tested by
/// tests/unit/onnx_shapes_test.cpp and tests/differential/onnx_shapes_test.cpp.

#include "io/onnx/shapes.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/checked.h"
#include "base/diagnostic.h"
#include "io/onnx/graph.h"

namespace sluice::io::onnx_import {

namespace {

/// Extents and attributes of windows stay below this, so that products of two of them fit.
constexpr std::int64_t kWindowLimit = std::int64_t{1} << 30;

tl::unexpected<Diagnostic> Bad(const std::string& what, const std::string& hint = {}) {
  Diagnostic diagnostic(ErrorCode::kOnnxShape, what);
  diagnostic.hint = hint;
  return Fail(std::move(diagnostic));
}

/// An attribute with one number per spatial axis.
Result<std::vector<std::int64_t>> PerAxis(const Node& node, std::string_view attribute,
                                          std::size_t count, std::int64_t fallback,
                                          std::int64_t least) {
  const auto given = node.Ints(attribute);
  if (!given) {
    return std::vector<std::int64_t>(count, fallback);
  }
  if (given->size() != count) {
    return Bad(fmt::format("attribute `{}` has {} numbers, {} are needed", attribute, given->size(),
                           count));
  }
  for (const std::int64_t number : *given) {
    if (number < least || number >= kWindowLimit) {
      return Bad(fmt::format("attribute `{}` contains {}, which is not in {}..{}", attribute,
                             number, least, kWindowLimit - 1));
    }
  }
  return *given;
}

Result<std::vector<Window>> ReadWindows(const Node& node, const Shape& spatial,
                                        const Shape& kernel) {
  const std::size_t rank = spatial.size();
  if (kernel.size() != rank) {
    return Bad(
        fmt::format("the kernel has {} axes, the input has {} spatial axes", kernel.size(), rank));
  }
  SLUICE_TRY(const auto strides, PerAxis(node, "strides", rank, 1, 1));
  SLUICE_TRY(const auto dilations, PerAxis(node, "dilations", rank, 1, 1));
  SLUICE_TRY(const auto pads, PerAxis(node, "pads", 2 * rank, 0, 0));
  SLUICE_TRY(const auto output_padding, PerAxis(node, "output_padding", rank, 0, 0));
  std::vector<Window> windows(rank);
  for (std::size_t i = 0; i < rank; ++i) {
    if (kernel[i] < 1 || kernel[i] >= kWindowLimit || spatial[i] >= kWindowLimit) {
      return Bad(fmt::format("kernel extent {} or input extent {} is not in 1..{}", kernel[i],
                             spatial[i], kWindowLimit - 1));
    }
    windows[i] = {spatial[i], kernel[i],      strides[i],        dilations[i],
                  pads[i],    pads[rank + i], output_padding[i], 0};
  }
  return windows;
}

Status CheckAutoPad(const std::string& auto_pad) {
  if (auto_pad != "NOTSET" && auto_pad != "VALID" && auto_pad != "SAME_UPPER" &&
      auto_pad != "SAME_LOWER") {
    return Bad(fmt::format("auto_pad `{}` is unknown", auto_pad),
               "NOTSET, VALID, SAME_UPPER or SAME_LOWER");
  }
  return {};
}

/// Splits padding that makes the output `w->output` long; SAME_UPPER puts the odd one at the end.
void SplitPadding(std::int64_t total, bool more_at_end, Window* w) {
  const std::int64_t pad = std::max<std::int64_t>(0, total);
  w->pad_begin = more_at_end ? pad / 2 : pad - pad / 2;
  w->pad_end = pad - w->pad_begin;
}

}  // namespace

std::string ShapeText(const Shape& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

Result<std::int64_t> ElementCount(const Shape& shape) {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) {
    const auto next = CheckedMul(count, extent);
    if (!next) {
      return Fail(ErrorCode::kOnnxOverflow,
                  fmt::format("shape {} has more elements than 63 bits count", ShapeText(shape)));
    }
    count = *next;
  }
  return count;
}

Result<Shape> Broadcast(const Shape& a, const Shape& b) {
  const std::size_t rank = std::max(a.size(), b.size());
  Shape out(rank, 1);
  for (std::size_t i = 0; i < rank; ++i) {
    const std::int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1;
    const std::int64_t y = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (x != y && x != 1 && y != 1) {
      return Bad(fmt::format("shapes {} and {} do not broadcast: extents {} and {}", ShapeText(a),
                             ShapeText(b), x, y),
                 "a batch other than the exported one may meet constants that contain it");
    }
    out[rank - 1 - i] = x == 1 ? y : x;
  }
  return out;
}

Result<std::int64_t> NormalizeAxis(std::int64_t axis, std::size_t rank) {
  const auto r = static_cast<std::int64_t>(rank);
  if (axis < -r || axis >= r) {
    return Bad(fmt::format("axis {} does not exist in a tensor of rank {}", axis, rank));
  }
  return axis < 0 ? axis + r : axis;
}

Result<std::vector<std::int64_t>> NormalizeAxes(std::vector<std::int64_t> axes, std::size_t rank) {
  std::set<std::int64_t> seen;
  for (std::int64_t& axis : axes) {
    SLUICE_TRY(axis, NormalizeAxis(axis, rank));
    if (!seen.insert(axis).second) {
      return Bad(fmt::format("axis {} is listed twice", axis));
    }
  }
  return axes;
}

Result<std::vector<Window>> PlanWindows(const Node& node, const Shape& spatial, const Shape& kernel,
                                        bool exact_ceil) {
  SLUICE_TRY(std::vector<Window> windows, ReadWindows(node, spatial, kernel));
  const std::string auto_pad = node.String("auto_pad", "NOTSET");
  SLUICE_TRY_STATUS(CheckAutoPad(auto_pad));
  const bool ceil_mode = node.Int("ceil_mode", 0) != 0;
  for (Window& w : windows) {
    const std::int64_t reach = (w.kernel - 1) * w.dilation + 1;
    if (auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER") {
      w.output = CeilDiv(w.input, w.stride);
      SplitPadding((w.output - 1) * w.stride + reach - w.input, auto_pad == "SAME_UPPER", &w);
      continue;
    }
    if (auto_pad == "VALID") {
      w.pad_begin = w.pad_end = 0;
    }
    const std::int64_t slack = w.input + w.pad_begin + w.pad_end - reach;
    if (slack < 0) {
      return Bad(fmt::format("a window of {} does not fit an input of {} with padding {}+{}", reach,
                             w.input, w.pad_begin, w.pad_end),
                 "use a larger input or a smaller kernel");
    }
    w.output = (ceil_mode ? CeilDiv(slack, w.stride) : slack / w.stride) + 1;
    if (ceil_mode && exact_ceil && (w.output - 1) * w.stride >= w.input + w.pad_begin) {
      --w.output;
    }
  }
  return windows;
}

Result<std::vector<Window>> PlanTransposedWindows(const Node& node, const Shape& spatial,
                                                  const Shape& kernel) {
  SLUICE_TRY(std::vector<Window> windows, ReadWindows(node, spatial, kernel));
  const std::string auto_pad = node.String("auto_pad", "NOTSET");
  SLUICE_TRY_STATUS(CheckAutoPad(auto_pad));
  const bool same = auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER";
  std::vector<std::int64_t> wanted;
  if (node.Ints("output_shape")) {
    SLUICE_TRY(wanted, PerAxis(node, "output_shape", spatial.size(), 1, 1));
  }
  for (std::size_t i = 0; i < windows.size(); ++i) {
    Window& w = windows[i];
    const std::int64_t reach = (w.kernel - 1) * w.dilation + 1;
    const std::int64_t full = w.stride * (w.input - 1) + w.output_padding + reach;
    if (!wanted.empty() || same) {
      w.output = wanted.empty() ? w.input * w.stride : wanted[i];
      SplitPadding(full - w.output, auto_pad == "SAME_UPPER", &w);
    } else {
      if (auto_pad == "VALID") {
        w.pad_begin = w.pad_end = 0;
      }
      w.output = full - w.pad_begin - w.pad_end;
    }
    if (w.output < 1) {
      return Bad(fmt::format("padding {}+{} leaves nothing of a transposed output of {}",
                             w.pad_begin, w.pad_end, full));
    }
  }
  return windows;
}

Result<SliceRange> PlanSlice(std::int64_t extent, std::int64_t start, std::int64_t end,
                             std::int64_t step) {
  if (step == 0) {
    return Bad("a slice has step 0");
  }
  if (extent == 0) {
    return SliceRange{};
  }
  // Steps beyond the extent take one element; limiting them keeps the arithmetic small.
  step = std::clamp(step, -std::max<std::int64_t>(extent, 1), std::max<std::int64_t>(extent, 1));
  const auto place = [extent](std::int64_t at, std::int64_t lo, std::int64_t hi) {
    if (at < 0) {
      at = at < -extent ? -1 - extent : at;
      at += extent;
    }
    return std::clamp(at, lo, hi);
  };
  SliceRange range;
  range.step = step;
  if (step > 0) {
    range.start = place(start, 0, extent);
    const std::int64_t stop = place(end, 0, extent);
    range.count = std::max<std::int64_t>(0, CeilDiv(stop - range.start, step));
  } else {
    range.start = place(start, 0, extent - 1);
    const std::int64_t stop = place(end, -1, extent - 1);
    range.count = std::max<std::int64_t>(0, CeilDiv(range.start - stop, -step));
  }
  return range;
}

Result<Shape> PlanReshape(const Shape& input, const std::vector<std::int64_t>& wanted,
                          bool allow_zero) {
  Shape shape = wanted;
  std::optional<std::size_t> inferred;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == -1) {
      if (inferred) {
        return Bad("a reshape infers (-1) two extents");
      }
      inferred = i;
      shape[i] = 1;
    } else if (shape[i] == 0 && !allow_zero) {
      if (i >= input.size()) {
        return Bad(fmt::format("a reshape copies (0) axis {} of {}", i, ShapeText(input)));
      }
      shape[i] = input[i];
    } else if (shape[i] < 0) {
      return Bad(fmt::format("a reshape asks for extent {}", shape[i]));
    }
  }
  SLUICE_TRY(const std::int64_t elements, ElementCount(input));
  SLUICE_TRY(std::int64_t known, ElementCount(shape));
  if (inferred && known > 0 && elements % known == 0) {
    shape[*inferred] = elements / known;
    known = elements;
  }
  if (known != elements) {
    return Bad(
        fmt::format("cannot reshape {} ({} elements) to {}", ShapeText(input), elements,
                    ShapeText(wanted)),
        "if the batch was changed, the model's constants contain the exported one: export it "
        "with a dynamic batch axis");
  }
  return shape;
}

}  // namespace sluice::io::onnx_import
