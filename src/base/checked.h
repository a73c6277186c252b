#pragma once
/// \file
/// Checked 64-bit arithmetic: sizes and products of user-supplied numbers never wrap silently.

#include <cstdint>
#include <optional>

namespace sluice {

[[nodiscard]] constexpr std::optional<std::int64_t> CheckedMul(std::int64_t a, std::int64_t b) {
  std::int64_t r = 0;
  if (__builtin_mul_overflow(a, b, &r)) {
    return std::nullopt;
  }
  return r;
}

[[nodiscard]] constexpr std::optional<std::int64_t> CheckedAdd(std::int64_t a, std::int64_t b) {
  std::int64_t r = 0;
  if (__builtin_add_overflow(a, b, &r)) {
    return std::nullopt;
  }
  return r;
}

/// Floor division for any sign of `a`. Requires b > 0.
[[nodiscard]] constexpr std::int64_t FloorDiv(std::int64_t a, std::int64_t b) {
  const std::int64_t q = a / b;
  return q - ((a % b != 0 && a < 0) ? 1 : 0);
}

/// Ceiling division for any sign of `a`. Requires b > 0.
[[nodiscard]] constexpr std::int64_t CeilDiv(std::int64_t a, std::int64_t b) {
  const std::int64_t q = a / b;
  return q + ((a % b != 0 && a > 0) ? 1 : 0);
}

}  // namespace sluice
