#pragma once
/// \file
/// What the two halves of constant folding share: walking small tensors in row-major order.
/// Internal to the ONNX reader.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "io/onnx/importer.h"

namespace sluice::io::onnx_import {

using Outputs = std::vector<std::optional<Constant>>;

inline tl::unexpected<Diagnostic> Bad(const std::string& what) {
  return Fail(ErrorCode::kOnnxShape, what);
}

/// 64-bit arithmetic that wraps.
inline std::uint64_t U(std::int64_t value) {
  return static_cast<std::uint64_t>(value);
}
inline std::int64_t I(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}

/// What a fold function works on.
struct Job {
  const Node& node;
  const std::vector<const Constant*>& inputs;
  const std::vector<Shape>& shapes;
  const std::vector<std::int32_t>& types;
  std::int64_t opset;

  [[nodiscard]] const Constant& in(std::size_t i) const { return *inputs[i]; }
  [[nodiscard]] bool has(std::size_t i) const { return i < inputs.size() && inputs[i] != nullptr; }
  [[nodiscard]] Constant Empty(std::size_t o = 0) const { return {types[o], shapes[o], {}, {}}; }
};

inline std::size_t Elements(const Shape& shape) {
  std::size_t count = 1;
  for (const std::int64_t extent : shape) {
    count *=
        static_cast<std::size_t>(extent);  // at most kMaxConstantElements: checked by the caller
  }
  return count;
}

/// Row-major strides.
inline Shape Strides(const Shape& shape) {
  Shape strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) {
    strides[i - 1] = strides[i] * shape[i];
  }
  return strides;
}

/// Calls `visit(index)` for every index of `shape`, in row-major order.
template <class Visit>
void ForEach(const Shape& shape, Visit visit) {
  Shape index(shape.size(), 0);
  const std::size_t count = Elements(shape);
  for (std::size_t n = 0; n < count; ++n) {
    visit(index);
    for (std::size_t i = shape.size(); i-- > 0;) {
      if (++index[i] < shape[i]) {
        break;
      }
      index[i] = 0;
    }
  }
}

inline std::size_t Offset(const Shape& index, const Shape& strides) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < index.size(); ++i) {
    sum += index[i] * strides[i];
  }
  return static_cast<std::size_t>(sum);
}

/// Strides of `shape` seen from `out`, zero where it broadcasts.
inline Shape BroadcastStrides(const Shape& shape, const Shape& out) {
  const Shape own = Strides(shape);
  Shape strides(out.size(), 0);
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] != 1) {
      strides[out.size() - shape.size() + i] = own[i];
    }
  }
  return strides;
}

inline void Copy(const Constant& from, std::size_t at, Constant* to) {
  if (from.is_float()) {
    to->Append(from.floats[at]);
  } else {
    to->AppendInt(from.ints[at]);
  }
}

/// Element-wise arithmetic; nullopt if the operator is none.
std::optional<Result<Outputs>> FoldArithmetic(const Job& job);

}  // namespace sluice::io::onnx_import
