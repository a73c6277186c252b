#pragma once
/// \file
/// The divisor lattice of a workload: every vector of tile sizes that divides the bounds, numbered
/// so that a vector's number is never below that of a vector dividing it. Tile vectors are one
/// 32-bit number everywhere in the exact search; what depends on a vector only is an array over
/// these numbers. Built in O(vectors x dims). Tested by tests/unit/exact_test.cpp.

#include <cstdint>
#include <vector>

#include "base/static_vector.h"
#include "mapping/workload.h"

namespace sluice::mapper::exact {

/// Number of a tile vector. 0 is all ones; size() - 1 is the bounds.
using Tile = std::int32_t;

class Lattice {
 public:
  explicit Lattice(const StaticVector<std::int64_t, mapping::kMaxDims>& bounds);
  /// Vectors there would be, saturating: check before building.
  static double CountVectors(const StaticVector<std::int64_t, mapping::kMaxDims>& bounds);

  [[nodiscard]] int dims() const { return static_cast<int>(axis_.size()); }
  [[nodiscard]] Tile size() const { return size_; }
  [[nodiscard]] Tile top() const { return size_ - 1; }
  [[nodiscard]] int Coordinate(Tile x, int dim) const {
    return coordinate_[static_cast<std::size_t>(x) * axis_.size() + static_cast<std::size_t>(dim)];
  }
  [[nodiscard]] std::int64_t Value(Tile x, int dim) const {
    return axis_[static_cast<std::size_t>(dim)]
        .divisors[static_cast<std::size_t>(Coordinate(x, dim))];
  }
  /// Divisors of the dim's bound, rising.
  [[nodiscard]] const std::vector<std::int64_t>& DivisorsOf(int dim) const {
    return axis_[static_cast<std::size_t>(dim)].divisors;
  }
  [[nodiscard]] std::size_t Values(int dim) const { return DivisorsOf(dim).size(); }
  [[nodiscard]] std::int64_t Bound(int dim) const {
    return axis_[static_cast<std::size_t>(dim)].divisors.back();
  }
  /// Steps of the tile along the dim: bound / value.
  [[nodiscard]] double StepsAround(Tile x, int dim) const {
    const Axis& axis = axis_[static_cast<std::size_t>(dim)];
    return axis.steps[static_cast<std::size_t>(Coordinate(x, dim))];
  }
  [[nodiscard]] bool Divides(Tile a, Tile b) const {
    // Exponents side by side, one guard bit each: a borrow clears the guard.
    const std::uint64_t* x = &exponents_[static_cast<std::size_t>(a) * guard_.size()];
    const std::uint64_t* y = &exponents_[static_cast<std::size_t>(b) * guard_.size()];
    for (std::size_t w = 0; w < guard_.size(); ++w) {
      if ((((y[w] | guard_[w]) - x[w]) & guard_[w]) != guard_[w]) {
        return false;
      }
    }
    return true;
  }
  /// a * b, or -1 when it does not divide the bounds.
  [[nodiscard]] Tile Multiply(Tile a, Tile b) const;
  /// b / a. Requires Divides(a, b).
  [[nodiscard]] Tile Quotient(Tile b, Tile a) const;
  /// What `dim` adds to the number of x.
  [[nodiscard]] Tile Part(Tile x, int dim) const {
    return axis_[static_cast<std::size_t>(dim)].stride * Coordinate(x, dim);
  }
  /// The vector with only `dim` different from one. -1 if `value` does not divide the bound.
  [[nodiscard]] Tile Single(int dim, std::int64_t value) const;

  /// One way to enlarge a vector along one dim.
  struct Step {
    Tile offset = 0;  ///< to add to the number
    std::int32_t factor = 1;
  };
  /// By one prime factor. `coordinate` is that of the vector to enlarge.
  [[nodiscard]] const std::vector<Step>& PrimeSteps(int dim, int coordinate) const {
    return axis_[static_cast<std::size_t>(dim)].primes[static_cast<std::size_t>(coordinate)];
  }
  /// By any factor above one.
  [[nodiscard]] const std::vector<Step>& Steps(int dim, int coordinate) const {
    return axis_[static_cast<std::size_t>(dim)].all[static_cast<std::size_t>(coordinate)];
  }

 private:
  struct Axis {
    std::vector<std::int64_t> divisors;
    std::vector<double> steps;
    Tile stride = 1;
    std::vector<std::int16_t> product;   ///< [i * n + j]: coordinate of divisors[i] * divisors[j]
    std::vector<std::int16_t> quotient;  ///< [i * n + j]: coordinate of divisors[i] / divisors[j]
    std::vector<std::vector<Step>> primes;
    std::vector<std::vector<Step>> all;
  };
  std::vector<Axis> axis_;
  Tile size_ = 1;
  std::vector<std::uint16_t> coordinate_;
  void PackExponents();
  std::vector<std::uint64_t> guard_;      ///< words of one vector
  std::vector<std::uint64_t> exponents_;  ///< [vector][word]
};

}  // namespace sluice::mapper::exact
