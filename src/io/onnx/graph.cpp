/// \file
/// Element types, constants and attribute access of the light graph.
/// Tested by tests/unit/onnx_fold_test.cpp.

#include "io/onnx/graph.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::io::onnx_import {

int ElementBits(std::int32_t type) {
  switch (type) {
    case 1:   // float
    case 6:   // int32
    case 12:  // uint32
      return 32;
    case 2:   // uint8
    case 3:   // int8
    case 9:   // bool: a byte in ONNX
    case 17:  // float8e4m3fn
    case 18:  // float8e4m3fnuz
    case 19:  // float8e5m2
    case 20:  // float8e5m2fnuz
    case 24:  // float8e8m0
      return 8;
    case 4:   // uint16
    case 5:   // int16
    case 10:  // float16
    case 16:  // bfloat16
      return 16;
    case 7:   // int64
    case 11:  // double
    case 13:  // uint64
    case 14:  // complex64
      return 64;
    case 15:  // complex128
      return 128;
    case 21:  // uint4
    case 22:  // int4
    case 23:  // float4e2m1
      return 4;
    default:  // undefined, string, or newer than we know
      return 0;
  }
}

bool IsFloatType(std::int32_t type) {
  return type == kFloatType || type == kDoubleType || type == kFloat16Type || type == 16;
}

std::int64_t Constant::AsInt(std::size_t i) const {
  if (!is_float()) {
    return ints[i];
  }
  const double value = floats[i];
  constexpr double kLimit = 9.2e18;
  return value > -kLimit && value < kLimit ? static_cast<std::int64_t>(value) : 0;
}

void Constant::Append(double value) {
  if (is_float()) {
    floats.push_back(type == kFloatType ? static_cast<double>(static_cast<float>(value)) : value);
    return;
  }
  if (type == kBoolType) {
    ints.push_back(value != 0 ? 1 : 0);
    return;
  }
  constexpr double kLimit = 9.2e18;
  ints.push_back(value > -kLimit && value < kLimit ? static_cast<std::int64_t>(value) : 0);
}

void Constant::AppendInt(std::int64_t value) {
  if (is_float()) {
    Append(static_cast<double>(value));
  } else {
    ints.push_back(type == kBoolType ? (value != 0 ? 1 : 0) : value);
  }
}

const Attribute* Node::Find(std::string_view attribute) const {
  const auto it = attributes.find(attribute);
  return it == attributes.end() ? nullptr : &it->second;
}

std::int64_t Node::Int(std::string_view attribute, std::int64_t fallback) const {
  const Attribute* found = Find(attribute);
  return found != nullptr && found->i ? *found->i : fallback;
}

double Node::Float(std::string_view attribute, double fallback) const {
  const Attribute* found = Find(attribute);
  return found != nullptr && found->f ? static_cast<double>(*found->f) : fallback;
}

std::string Node::String(std::string_view attribute, const std::string& fallback) const {
  const Attribute* found = Find(attribute);
  return found != nullptr && found->s ? *found->s : fallback;
}

std::optional<std::vector<std::int64_t>> Node::Ints(std::string_view attribute) const {
  const Attribute* found = Find(attribute);
  if (found == nullptr || !found->has_ints) {
    return std::nullopt;
  }
  return found->ints;
}

}  // namespace sluice::io::onnx_import
