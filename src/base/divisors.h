#pragma once
/// \file
/// Divisors of small numbers (bounds of loops), by trial division: O(sqrt(n)).

#include <cstdint>
#include <vector>

namespace sluice {

/// Rising. Requires n >= 1.
[[nodiscard]] inline std::vector<std::int64_t> DivisorsOf(std::int64_t n) {
  std::vector<std::int64_t> low;
  std::vector<std::int64_t> high;
  for (std::int64_t i = 1; i <= n / i; ++i) {
    if (n % i == 0) {
      low.push_back(i);
      if (i != n / i) {
        high.push_back(n / i);
      }
    }
  }
  low.insert(low.end(), high.rbegin(), high.rend());
  return low;
}

[[nodiscard]] constexpr bool IsPrime(std::int64_t n) {
  for (std::int64_t i = 2; i <= n / i; ++i) {
    if (n % i == 0) {
      return false;
    }
  }
  return n > 1;
}

}  // namespace sluice
