/// \file
/// Folding of element-wise arithmetic: one table of binary and one of unary operators, each with
/// its integer and its floating-point meaning. Integers wrap at 64 bits; floats are rounded to
/// their type by Constant::Append. Tested by tests/unit/onnx_fold_test.cpp.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "base/diagnostic.h"
#include "io/onnx/fold.h"
#include "io/onnx/shapes.h"

namespace sluice::io::onnx_import {

namespace {

using IntOp = std::int64_t (*)(std::int64_t, std::int64_t);
using FloatOp = double (*)(double, double);

struct BinaryRow {
  std::string_view name;
  IntOp integer;
  FloatOp real;
};

std::int64_t IntPower(std::int64_t base, std::int64_t exponent) {
  return static_cast<std::int64_t>(
      std::clamp(std::pow(static_cast<double>(base), static_cast<double>(exponent)), -9e18, 9e18));
}

/// Divisor 0 is refused before, -1 would overflow for the smallest integer.
constexpr BinaryRow kBinary[] = {
    {"Add", [](auto a, auto b) { return I(U(a) + U(b)); },
     [](double a, double b) { return a + b; }},
    {"Sub", [](auto a, auto b) { return I(U(a) - U(b)); },
     [](double a, double b) { return a - b; }},
    {"Mul", [](auto a, auto b) { return I(U(a) * U(b)); },
     [](double a, double b) { return a * b; }},
    {"Div", [](auto a, auto b) { return b == -1 ? I(0U - U(a)) : a / b; },
     [](double a, double b) { return a / b; }},
    {"Pow", IntPower, [](double a, double b) { return std::pow(a, b); }},
    {"Max", [](auto a, auto b) { return std::max(a, b); },
     [](double a, double b) { return std::max(a, b); }},
    {"Min", [](auto a, auto b) { return std::min(a, b); },
     [](double a, double b) { return std::min(a, b); }},
    {"Sum", [](auto a, auto b) { return I(U(a) + U(b)); },
     [](double a, double b) { return a + b; }},
    {"Equal", [](auto a, auto b) { return std::int64_t{a == b}; },
     [](double a, double b) { return a == b ? 1.0 : 0.0; }},
    {"Greater", [](auto a, auto b) { return std::int64_t{a > b}; },
     [](double a, double b) { return a > b ? 1.0 : 0.0; }},
    {"GreaterOrEqual", [](auto a, auto b) { return std::int64_t{a >= b}; },
     [](double a, double b) { return a >= b ? 1.0 : 0.0; }},
    {"Less", [](auto a, auto b) { return std::int64_t{a < b}; },
     [](double a, double b) { return a < b ? 1.0 : 0.0; }},
    {"LessOrEqual", [](auto a, auto b) { return std::int64_t{a <= b}; },
     [](double a, double b) { return a <= b ? 1.0 : 0.0; }},
    {"And", [](auto a, auto b) { return std::int64_t{a != 0 && b != 0}; },
     [](double a, double b) { return a != 0 && b != 0 ? 1.0 : 0.0; }},
    {"Or", [](auto a, auto b) { return std::int64_t{a != 0 || b != 0}; },
     [](double a, double b) { return a != 0 || b != 0 ? 1.0 : 0.0; }},
    {"Xor", [](auto a, auto b) { return std::int64_t{(a != 0) != (b != 0)}; },
     [](double a, double b) { return (a != 0) != (b != 0) ? 1.0 : 0.0; }},
};

/// a op b with broadcasting; the result has `type`.
Constant Combine(const BinaryRow& row, const Constant& a, const Constant& b, const Shape& shape,
                 std::int32_t type) {
  Constant out{type, shape, {}, {}};
  const Shape sa = BroadcastStrides(a.shape, shape);
  const Shape sb = BroadcastStrides(b.shape, shape);
  const bool real = a.is_float() || b.is_float();
  ForEach(shape, [&](const Shape& index) {
    const std::size_t i = Offset(index, sa);
    const std::size_t j = Offset(index, sb);
    if (real) {
      out.Append(row.real(a.AsDouble(i), b.AsDouble(j)));
    } else {
      out.AppendInt(row.integer(a.ints[i], b.ints[j]));
    }
  });
  return out;
}

bool HasZero(const Constant& c) {
  return !c.is_float() && std::ranges::find(c.ints, 0) != c.ints.end();
}

Result<Outputs> FoldBinary(const Job& job, const BinaryRow& row) {
  if (row.name == "Div" && job.has(1) && HasZero(job.in(1))) {
    return Bad("divides a constant by 0");
  }
  Constant result = job.in(0);
  for (std::size_t i = 1; i < job.inputs.size(); ++i) {
    if (!job.has(i)) {
      continue;
    }
    SLUICE_TRY(const Shape shape, Broadcast(result.shape, job.in(i).shape));
    result = Combine(row, result, job.in(i), shape, job.types[0]);
  }
  return Outputs{std::move(result)};
}

/// fmod = 0: the sign of the divisor; 1: of the dividend.
Result<Outputs> FoldMod(const Job& job) {
  const bool c_style = job.node.Int("fmod", 0) != 0;
  if (HasZero(job.in(1))) {
    return Bad("takes a constant modulo 0");
  }
  const BinaryRow truncated{"Mod",
                            [](std::int64_t a, std::int64_t b) { return b == -1 ? 0 : a % b; },
                            [](double a, double b) { return std::fmod(a, b); }};
  const BinaryRow floored{"Mod",
                          [](std::int64_t a, std::int64_t b) {
                            const std::int64_t r = b == -1 ? 0 : a % b;
                            return r != 0 && (r < 0) != (b < 0) ? r + b : r;
                          },
                          [](double a, double b) { return a - b * std::floor(a / b); }};
  return Outputs{
      Combine(c_style ? truncated : floored, job.in(0), job.in(1), job.shapes[0], job.types[0])};
}

struct UnaryRow {
  std::string_view name;
  double (*real)(double);
};

constexpr UnaryRow kUnary[] = {
    {"Neg", [](double v) { return -v; }},
    {"Abs", [](double v) { return std::abs(v); }},
    {"Floor", [](double v) { return std::floor(v); }},
    {"Ceil", [](double v) { return std::ceil(v); }},
    {"Round", [](double v) { return std::nearbyint(v); }},
    {"Sqrt", [](double v) { return std::sqrt(v); }},
    {"Exp", [](double v) { return std::exp(v); }},
    {"Log", [](double v) { return std::log(v); }},
    {"Reciprocal", [](double v) { return 1.0 / v; }},
    {"Not", [](double v) { return v == 0 ? 1.0 : 0.0; }},
    {"Sign", [](double v) { return v > 0   ? 1.0
                                   : v < 0 ? -1.0
                                           : 0.0; }},
};

Result<Outputs> FoldUnary(const Job& job, const UnaryRow& row) {
  Constant out = job.Empty();
  const Constant& x = job.in(0);
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!x.is_float() && row.name == "Neg") {
      out.AppendInt(I(0U - U(x.ints[i])));  // exact beyond 2^53
    } else {
      out.Append(row.real(x.AsDouble(i)));
    }
  }
  return Outputs{std::move(out)};
}

}  // namespace

std::optional<Result<Outputs>> FoldArithmetic(const Job& job) {
  if (job.node.op_type == "Mod") {
    return FoldMod(job);
  }
  for (const BinaryRow& row : kBinary) {
    if (row.name == job.node.op_type) {
      return FoldBinary(job, row);
    }
  }
  for (const UnaryRow& row : kUnary) {
    if (row.name == job.node.op_type) {
      return FoldUnary(job, row);
    }
  }
  return std::nullopt;
}

}  // namespace sluice::io::onnx_import
