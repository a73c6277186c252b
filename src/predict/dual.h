#pragma once
/// \file
/// Numbers that carry their derivatives with respect to N variables (forward mode), and the same
/// functions for plain numbers, so that a formula is written once for both.
/// Tested by tests/unit/predict_features_test.cpp.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

namespace sluice::predict {

template <std::size_t N>
struct Dual {
  double value = 0;
  std::array<float, N> slope{};

  Dual() = default;
  // Implicit: constants mix with variables in formulas.
  Dual(double v) : value(v) {}  // NOLINT(google-explicit-constructor)

  /// f(value), f'(value).
  [[nodiscard]] Dual Chain(double f, double derivative) const {
    Dual result(f);
    for (std::size_t i = 0; i < N; ++i) {
      result.slope[i] = static_cast<float>(derivative) * slope[i];
    }
    return result;
  }
  Dual& operator+=(const Dual& b) {
    value += b.value;
    for (std::size_t i = 0; i < N; ++i) {
      slope[i] += b.slope[i];
    }
    return *this;
  }
  friend Dual operator+(Dual a, const Dual& b) { return a += b; }
  friend Dual operator-(const Dual& a) { return a.Chain(-a.value, -1); }
  friend Dual operator-(Dual a, const Dual& b) {
    a.value -= b.value;
    for (std::size_t i = 0; i < N; ++i) {
      a.slope[i] -= b.slope[i];
    }
    return a;
  }
  friend Dual operator*(const Dual& a, const Dual& b) {
    Dual result(a.value * b.value);
    const auto x = static_cast<float>(a.value);
    const auto y = static_cast<float>(b.value);
    for (std::size_t i = 0; i < N; ++i) {
      result.slope[i] = a.slope[i] * y + b.slope[i] * x;
    }
    return result;
  }
};

inline double ValueOf(double x) {
  return x;
}
template <std::size_t N>
double ValueOf(const Dual<N>& x) {
  return x.value;
}

inline double Exp(double x) {
  return std::exp(x);
}
template <std::size_t N>
Dual<N> Exp(const Dual<N>& x) {
  const double e = std::exp(x.value);
  return x.Chain(e, e);
}

inline double Log(double x) {
  return std::log(x);
}
template <std::size_t N>
Dual<N> Log(const Dual<N>& x) {
  return x.Chain(std::log(x.value), 1 / x.value);
}

template <class T>
T Larger(const T& a, const T& b) {
  return ValueOf(a) >= ValueOf(b) ? a : b;
}
template <class T>
T Smaller(const T& a, const T& b) {
  return ValueOf(a) <= ValueOf(b) ? a : b;
}

/// The value of `f`, with the slope of x: rounding that lets the slope through.
inline double Through(double, double f) {
  return f;
}
template <std::size_t N>
Dual<N> Through(const Dual<N>& x, double f) {
  return x.Chain(f, 1);
}

/// log(exp(a) + exp(b))
template <class T>
T LogAdd(const T& a, const T& b) {
  const T& high = ValueOf(a) >= ValueOf(b) ? a : b;
  const T& low = ValueOf(a) >= ValueOf(b) ? b : a;
  return high + Log(T(1.0) + Exp(low - high));
}

/// 1 / (1 + exp(-x)), with x kept where exp does not overflow.
template <class T>
T Logistic(const T& x) {
  const double v = 1 / (1 + std::exp(-std::clamp(ValueOf(x), -60.0, 60.0)));
  if constexpr (requires { x.Chain(0.0, 0.0); }) {
    return x.Chain(v, v * (1 - v));
  } else {
    return v;
  }
}

}  // namespace sluice::predict
