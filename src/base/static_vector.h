#pragma once
/// \file
/// A trivially copyable vector of at most N elements, for the hot paths: no allocation, cheap
/// copies. Unused elements are left uninitialised when T allows it: clearing them would cost more
/// than the work.

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <type_traits>

#include "base/diagnostic.h"

namespace sluice {

template <class T, std::size_t N>
class StaticVector {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  using value_type = T;
  using iterator = T*;
  using const_iterator = const T*;

  constexpr StaticVector() = default;
  constexpr StaticVector(std::initializer_list<T> values) {
    for (const T& v : values) {
      push_back(v);
    }
  }

  [[nodiscard]] static constexpr std::size_t capacity() { return N; }
  [[nodiscard]] constexpr std::size_t size() const { return size_; }
  [[nodiscard]] constexpr bool empty() const { return size_ == 0; }
  [[nodiscard]] constexpr bool full() const { return size_ == N; }
  constexpr T& operator[](std::size_t i) { return items_[i]; }
  constexpr const T& operator[](std::size_t i) const { return items_[i]; }
  constexpr T& back() { return items_[size_ - 1U]; }
  [[nodiscard]] constexpr const T& back() const { return items_[size_ - 1U]; }
  constexpr iterator begin() { return items_.data(); }
  constexpr iterator end() { return items_.data() + size_; }
  [[nodiscard]] constexpr const_iterator begin() const { return items_.data(); }
  [[nodiscard]] constexpr const_iterator end() const { return items_.data() + size_; }
  constexpr void clear() { size_ = 0; }
  /// Overflow is a bug of the caller and checked.
  constexpr void push_back(const T& value) {
    SLUICE_CHECK(size_ < N, "StaticVector is full");
    items_[size_++] = value;
  }
  constexpr void pop_back() { --size_; }
  constexpr void resize(std::size_t n) {
    SLUICE_CHECK(n <= N, "StaticVector is too small");
    for (std::size_t i = size_; i < n; ++i) {
      items_[i] = T{};
    }
    size_ = static_cast<std::uint32_t>(n);
  }
  constexpr void erase(std::size_t position) {
    for (std::size_t i = position; i + 1 < size_; ++i) {
      items_[i] = items_[i + 1];
    }
    --size_;
  }
  constexpr void insert(std::size_t position, const T& value) {
    push_back(value);
    for (std::size_t i = size_ - 1U; i > position; --i) {
      items_[i] = items_[i - 1];
    }
    items_[position] = value;
  }
  friend constexpr bool operator==(const StaticVector& a, const StaticVector& b) {
    if (a.size_ != b.size_) {
      return false;
    }
    for (std::size_t i = 0; i < a.size_; ++i) {
      if (!(a.items_[i] == b.items_[i])) {
        return false;
      }
    }
    return true;
  }

 private:
  std::array<T, N> items_;
  std::uint32_t size_ = 0;
};

}  // namespace sluice
