#pragma once
/// \file
/// Largest first, equal ones in their old order. Not std::stable_sort: under clang-19 the one of
/// libstdc++ 12 does not compile without a deprecation warning. Tested by
/// tests/unit/driver_explain_test.cpp.

#include <algorithm>
#include <cstddef>
#include <functional>
#include <numeric>
#include <utility>
#include <vector>

namespace sluice::driver {

/// `key(item)` is a number. O(n log n).
template <class T, class Key>
void SortLargestFirst(std::vector<T>& items, Key key) {
  std::vector<std::size_t> order(items.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    const auto key_a = std::invoke(key, items[a]);
    const auto key_b = std::invoke(key, items[b]);
    return key_a != key_b ? key_a > key_b : a < b;
  });
  std::vector<T> sorted;
  sorted.reserve(items.size());
  for (const std::size_t i : order) {
    sorted.push_back(std::move(items[i]));
  }
  items = std::move(sorted);
}

}  // namespace sluice::driver
