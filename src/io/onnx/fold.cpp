/// \file
/// Constant folding: evaluates the operators that exporters build shape arithmetic from, on small
/// tensors. Shapes are already known from the handlers; here only elements are computed. Integers
/// are exact and wrap at 64 bits, floats are rounded to their type after every operation, as the
/// runtime would. An operator that is not listed leaves its outputs unknown, which is never wrong:
/// a shape that needs them is then reported. Tested by tests/unit/onnx_fold_test.cpp,
/// tests/differential/onnx_shapes_test.cpp.

#include "io/onnx/fold.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/diagnostic.h"
#include "io/onnx/graph.h"
#include "io/onnx/shapes.h"

namespace sluice::io::onnx_import {

namespace {

/// Reshapes and casts: the same elements in the same order.
Result<Outputs> FoldCopy(const Job& job) {
  Constant out = job.Empty();
  const Constant& x = job.in(0);
  if (x.size() != Elements(out.shape)) {
    return Outputs{};
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    Copy(x, i, &out);
  }
  return Outputs{std::move(out)};
}

Result<Outputs> FoldExpand(const Job& job) {
  Constant out = job.Empty();
  const Shape strides = BroadcastStrides(job.in(0).shape, out.shape);
  ForEach(out.shape, [&](const Shape& index) { Copy(job.in(0), Offset(index, strides), &out); });
  return Outputs{std::move(out)};
}

Result<Outputs> FoldTile(const Job& job) {
  Constant out = job.Empty();
  const Shape& x = job.in(0).shape;
  const Shape strides = Strides(x);
  ForEach(out.shape, [&](Shape index) {
    for (std::size_t i = 0; i < index.size(); ++i) {
      index[i] %= x[i];
    }
    Copy(job.in(0), Offset(index, strides), &out);
  });
  return Outputs{std::move(out)};
}

Result<Outputs> FoldTranspose(const Job& job) {
  Constant out = job.Empty();
  const std::size_t rank = out.shape.size();
  std::vector<std::int64_t> order(rank);
  std::iota(order.rbegin(), order.rend(), 0);
  if (const auto given = job.node.Ints("perm")) {
    SLUICE_TRY(order, NormalizeAxes(*given, rank));
  }
  const Shape own = Strides(job.in(0).shape);
  Shape strides;
  for (const std::int64_t axis : order) {
    strides.push_back(own[static_cast<std::size_t>(axis)]);
  }
  ForEach(out.shape, [&](const Shape& index) { Copy(job.in(0), Offset(index, strides), &out); });
  return Outputs{std::move(out)};
}

Result<Outputs> FoldConcat(const Job& job) {
  Constant out = job.Empty();
  SLUICE_TRY(const std::int64_t axis, NormalizeAxis(job.node.Int("axis", 0), out.shape.size()));
  const auto a = static_cast<std::size_t>(axis);
  std::vector<Shape> strides;
  strides.reserve(job.inputs.size());
  for (std::size_t i = 0; i < job.inputs.size(); ++i) {
    strides.push_back(Strides(job.in(i).shape));
  }
  ForEach(out.shape, [&](Shape index) {
    std::size_t part = 0;
    while (index[a] >= job.in(part).shape[a]) {
      index[a] -= job.in(part).shape[a];
      ++part;
    }
    Copy(job.in(part), Offset(index, strides[part]), &out);
  });
  return Outputs{std::move(out)};
}

Result<Outputs> FoldSplit(const Job& job) {
  const Constant& x = job.in(0);
  SLUICE_TRY(const std::int64_t axis, NormalizeAxis(job.node.Int("axis", 0), x.shape.size()));
  const auto a = static_cast<std::size_t>(axis);
  const Shape strides = Strides(x.shape);
  Outputs outputs;
  std::int64_t begin = 0;
  for (std::size_t o = 0; o < job.shapes.size(); ++o) {
    if (job.shapes[o].size() != x.shape.size()) {
      return Outputs{};  // an unused part: where the next one begins is not known here
    }
    Constant out = job.Empty(o);
    ForEach(out.shape, [&](Shape index) {
      index[a] += begin;
      Copy(x, Offset(index, strides), &out);
    });
    begin += out.shape[a];
    outputs.emplace_back(std::move(out));
  }
  return outputs;
}

Result<Outputs> FoldGather(const Job& job) {
  const Constant& x = job.in(0);
  const Constant& indices = job.in(1);
  SLUICE_TRY(const std::int64_t axis, NormalizeAxis(job.node.Int("axis", 0), x.shape.size()));
  const auto a = static_cast<std::size_t>(axis);
  const std::int64_t extent = x.shape[a];
  for (std::size_t i = 0; i < indices.size(); ++i) {
    if (indices.AsInt(i) < -extent || indices.AsInt(i) >= extent) {
      return Bad(fmt::format("index {} does not exist on an axis of {}", indices.AsInt(i), extent));
    }
  }
  const Shape strides = Strides(x.shape);
  const Shape index_strides = Strides(indices.shape);
  Constant out = job.Empty();
  ForEach(out.shape, [&](const Shape& index) {
    const auto from = index.begin() + axis;
    const auto to = from + static_cast<std::ptrdiff_t>(indices.shape.size());
    const std::int64_t at = indices.AsInt(Offset(Shape(from, to), index_strides));
    Shape source(index.begin(), from);
    source.push_back(at < 0 ? at + extent : at);
    source.insert(source.end(), to, index.end());
    Copy(x, Offset(source, strides), &out);
  });
  return Outputs{std::move(out)};
}

Result<Outputs> FoldSlice(const Job& job) {
  const Constant& x = job.in(0);
  std::vector<SliceRange> ranges(x.shape.size());
  for (std::size_t i = 0; i < job.in(1).size(); ++i) {
    std::int64_t axis = job.has(3) ? job.in(3).AsInt(i) : static_cast<std::int64_t>(i);
    SLUICE_TRY(axis, NormalizeAxis(axis, x.shape.size()));
    const auto a = static_cast<std::size_t>(axis);
    SLUICE_TRY(ranges[a], PlanSlice(x.shape[a], job.in(1).AsInt(i), job.in(2).AsInt(i),
                                    job.has(4) ? job.in(4).AsInt(i) : 1));
  }
  const Shape strides = Strides(x.shape);
  Constant out = job.Empty();
  ForEach(out.shape, [&](Shape index) {
    for (std::size_t i = 0; i < index.size(); ++i) {
      index[i] = ranges[i].start + index[i] * ranges[i].step;
    }
    Copy(x, Offset(index, strides), &out);
  });
  return Outputs{std::move(out)};
}

Result<Outputs> FoldRange(const Job& job) {
  Constant out = job.Empty();
  const std::size_t count = Elements(out.shape);
  for (std::size_t i = 0; i < count; ++i) {
    if (out.is_float()) {
      out.Append(job.in(0).AsDouble(0) + static_cast<double>(i) * job.in(2).AsDouble(0));
    } else {
      out.AppendInt(I(U(job.in(0).AsInt(0)) + i * U(job.in(2).AsInt(0))));
    }
  }
  return Outputs{std::move(out)};
}

Result<Outputs> FoldConstantOfShape(const Job& job) {
  Constant out = job.Empty();
  const Attribute* value = job.node.Find("value");
  const bool known = value != nullptr && value->tensor && value->tensor->size() == 1;
  if (value != nullptr && !known) {
    return Outputs{};
  }
  const std::size_t count = Elements(out.shape);
  for (std::size_t i = 0; i < count; ++i) {
    if (known) {
      Copy(*value->tensor, 0, &out);
    } else {
      out.Append(0);
    }
  }
  return Outputs{std::move(out)};
}

Result<Outputs> FoldWhere(const Job& job) {
  Constant out = job.Empty();
  const Shape condition = BroadcastStrides(job.in(0).shape, out.shape);
  const Shape x = BroadcastStrides(job.in(1).shape, out.shape);
  const Shape y = BroadcastStrides(job.in(2).shape, out.shape);
  ForEach(out.shape, [&](const Shape& index) {
    if (job.in(0).AsInt(Offset(index, condition)) != 0) {
      Copy(job.in(1), Offset(index, x), &out);
    } else {
      Copy(job.in(2), Offset(index, y), &out);
    }
  });
  return Outputs{std::move(out)};
}

/// Replaces the slices of data that index tuples name.
Result<Outputs> FoldScatterNd(const Job& job) {
  if (job.node.String("reduction", "none") != "none") {
    return Outputs{};
  }
  Constant out = job.in(0);
  const Constant& indices = job.in(1);
  const Constant& updates = job.in(2);
  const auto length = static_cast<std::size_t>(indices.shape.back());
  const Shape strides = Strides(out.shape);
  const std::size_t tuples = length == 0 ? 0 : indices.size() / length;
  const std::size_t block = tuples == 0 ? 0 : updates.size() / tuples;
  for (std::size_t t = 0; t < tuples; ++t) {
    std::int64_t at = 0;
    for (std::size_t i = 0; i < length; ++i) {
      const std::int64_t extent = out.shape[i];
      const std::int64_t index = indices.AsInt(t * length + i);
      if (index < -extent || index >= extent) {
        return Bad(fmt::format("index {} does not exist on an axis of {}", index, extent));
      }
      at += (index < 0 ? index + extent : index) * strides[i];
    }
    for (std::size_t k = 0; k < block; ++k) {
      const std::size_t to = static_cast<std::size_t>(at) + k;
      if (out.is_float()) {
        out.floats[to] = updates.AsDouble(t * block + k);
      } else {
        out.ints[to] = updates.AsInt(t * block + k);
      }
    }
  }
  return Outputs{std::move(out)};
}

/// Sum, product, maximum or minimum over axes.
Result<Outputs> FoldReduce(const Job& job) {
  const Constant& x = job.in(0);
  std::vector<std::int64_t> axes(x.shape.size());
  std::iota(axes.begin(), axes.end(), 0);
  if (job.has(1) && job.in(1).size() > 0) {
    axes = job.in(1).ints;
  } else if (const auto given = job.node.Ints("axes"); given && !given->empty()) {
    axes = *given;
  } else if (job.node.Int("noop_with_empty_axes", 0) != 0) {
    return FoldCopy(job);
  }
  SLUICE_TRY(axes, NormalizeAxes(axes, x.shape.size()));
  Shape kept = x.shape;
  for (const std::int64_t axis : axes) {
    kept[static_cast<std::size_t>(axis)] = 1;
  }
  Constant out = job.Empty();
  const std::string& name = job.node.op_type;
  const Shape strides = BroadcastStrides(kept, x.shape);
  std::vector<std::optional<double>> sums(Elements(kept));
  std::size_t next = 0;
  ForEach(x.shape, [&](const Shape& index) {
    std::optional<double>& sum = sums[Offset(index, strides)];
    const double v = x.AsDouble(next++);
    sum = !sum                   ? v
          : name == "ReduceSum"  ? *sum + v
          : name == "ReduceProd" ? *sum * v
          : name == "ReduceMax"  ? std::max(*sum, v)
                                 : std::min(*sum, v);
  });
  for (const auto& sum : sums) {
    constexpr double kExact = 9007199254740992.0;  // 2^53: beyond, a double no longer counts
    const double empty = name == "ReduceProd" ? 1 : 0;
    if (sum && !x.is_float() && std::abs(*sum) >= kExact) {
      return Outputs{};
    }
    out.Append(sum.value_or(empty));
  }
  return Outputs{std::move(out)};
}

Result<Outputs> FoldNonZero(const Job& job) {
  const Constant& x = job.in(0);
  Constant out = job.Empty();
  std::vector<Shape> found;
  std::size_t next = 0;
  ForEach(x.shape, [&](const Shape& index) {
    if (x.AsDouble(next++) != 0) {
      found.push_back(index);
    }
  });
  for (std::size_t i = 0; i < x.shape.size(); ++i) {
    for (const Shape& index : found) {
      out.AppendInt(index[i]);
    }
  }
  return Outputs{std::move(out)};
}

Result<Outputs> FoldCumSum(const Job& job) {
  const Constant& x = job.in(0);
  if (x.is_float() || x.shape.size() != 1 || job.node.Int("exclusive", 0) != 0 ||
      job.node.Int("reverse", 0) != 0) {
    return Outputs{};
  }
  Constant out = job.Empty();
  std::int64_t sum = 0;
  for (const std::int64_t v : x.ints) {
    sum = I(U(sum) + U(v));
    out.AppendInt(sum);
  }
  return Outputs{std::move(out)};
}

using FoldFunction = Result<Outputs> (*)(const Job&);

struct FoldRow {
  std::string_view name;
  FoldFunction function;
};

constexpr FoldRow kFolds[] = {
    {"Identity", FoldCopy},
    {"Reshape", FoldCopy},
    {"Flatten", FoldCopy},
    {"Squeeze", FoldCopy},
    {"Unsqueeze", FoldCopy},
    {"Dropout", FoldCopy},
    {"Cast", FoldCopy},
    {"CastLike", FoldCopy},
    {"Expand", FoldExpand},
    {"Tile", FoldTile},
    {"Transpose", FoldTranspose},
    {"Concat", FoldConcat},
    {"Split", FoldSplit},
    {"Gather", FoldGather},
    {"Slice", FoldSlice},
    {"Range", FoldRange},
    {"ConstantOfShape", FoldConstantOfShape},
    {"Where", FoldWhere},
    {"ScatterND", FoldScatterNd},
    {"ReduceSum", FoldReduce},
    {"ReduceProd", FoldReduce},
    {"ReduceMax", FoldReduce},
    {"ReduceMin", FoldReduce},
    {"NonZero", FoldNonZero},
    {"CumSum", FoldCumSum},
};

}  // namespace

Result<Outputs> FoldNode(const Node& node, const std::vector<const Constant*>& inputs,
                         const std::vector<Shape>& output_shapes,
                         const std::vector<std::int32_t>& types, std::int64_t opset) {
  const Job job{node, inputs, output_shapes, types, opset};
  for (const FoldRow& row : kFolds) {
    if (row.name == node.op_type) {
      return row.function(job);
    }
  }
  if (auto arithmetic = FoldArithmetic(job)) {
    return std::move(*arithmetic);
  }
  return Outputs{};
}

}  // namespace sluice::io::onnx_import
