#include "mapper/exact/model/lattice.h"

#include <algorithm>  // NOLINT(misc-include-cleaner): std::ranges::lower_bound
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/divisors.h"
#include "base/static_vector.h"
#include "mapping/workload.h"

namespace sluice::mapper::exact {

double Lattice::CountVectors(const StaticVector<std::int64_t, mapping::kMaxDims>& bounds) {
  double count = 1;
  for (const std::int64_t bound : bounds) {
    count *= static_cast<double>(sluice::DivisorsOf(bound).size());
  }
  return count;
}

Lattice::Lattice(const StaticVector<std::int64_t, mapping::kMaxDims>& bounds) {
  for (const std::int64_t bound : bounds) {
    Axis axis;
    axis.divisors = sluice::DivisorsOf(bound);
    axis.stride = size_;
    const std::size_t n = axis.divisors.size();
    axis.product.assign(n * n, -1);
    axis.quotient.assign(n * n, -1);
    axis.primes.resize(n);
    axis.all.resize(n);
    const auto find = [&axis](std::int64_t value) {
      const auto it = std::ranges::lower_bound(axis.divisors, value);
      return it != axis.divisors.end() && *it == value
                 ? static_cast<std::int16_t>(it - axis.divisors.begin())
                 : std::int16_t{-1};
    };
    for (std::size_t i = 0; i < n; ++i) {
      axis.steps.push_back(static_cast<double>(bound) / static_cast<double>(axis.divisors[i]));
      for (std::size_t j = 0; j < n; ++j) {
        axis.product[i * n + j] = find(axis.divisors[i] * axis.divisors[j]);
        if (axis.divisors[i] % axis.divisors[j] != 0) {
          continue;
        }
        axis.quotient[i * n + j] = find(axis.divisors[i] / axis.divisors[j]);
        const std::int64_t factor = axis.divisors[i] / axis.divisors[j];
        const Step step = {static_cast<Tile>(i - j) * axis.stride,
                           static_cast<std::int32_t>(factor)};
        if (factor > 1) {
          axis.all[j].push_back(step);
        }
        if (IsPrime(factor)) {
          axis.primes[j].push_back(step);
        }
      }
    }
    size_ *= static_cast<Tile>(n);
    axis_.push_back(std::move(axis));
  }
  coordinate_.resize(static_cast<std::size_t>(size_) * axis_.size());
  for (Tile x = 0; x < size_; ++x) {
    Tile rest = x;
    for (std::size_t d = 0; d < axis_.size(); ++d) {
      const auto n = static_cast<Tile>(axis_[d].divisors.size());
      coordinate_[static_cast<std::size_t>(x) * axis_.size() + d] =
          static_cast<std::uint16_t>(rest % n);
      rest /= n;
    }
  }
  PackExponents();
}

// Every prime of every dim gets a field of bits for its exponent, and a guard bit above it.
void Lattice::PackExponents() {
  struct Field {
    std::size_t dim;
    std::int64_t prime;
    std::size_t word;
    unsigned shift;
  };
  std::vector<Field> fields;
  unsigned used = 0;
  guard_.assign(1, 0);
  for (std::size_t d = 0; d < axis_.size(); ++d) {
    for (const std::int64_t prime : axis_[d].divisors) {
      if (!IsPrime(prime)) {
        continue;
      }
      unsigned exponent = 0;
      for (std::int64_t rest = axis_[d].divisors.back(); rest % prime == 0; rest /= prime) {
        ++exponent;
      }
      const auto bits = static_cast<unsigned>(std::bit_width(exponent));
      if (used + bits + 1 > 64) {
        guard_.push_back(0);
        used = 0;
      }
      fields.push_back({d, prime, guard_.size() - 1, used});
      // NOLINTNEXTLINE(clang-analyzer-core.BitwiseShift): used + bits < 64, by the test above
      guard_.back() |= std::uint64_t{1} << (used + bits);
      used += bits + 1;
    }
  }
  exponents_.assign(static_cast<std::size_t>(size_) * guard_.size(), 0);
  for (Tile x = 0; x < size_; ++x) {
    std::uint64_t* words = &exponents_[static_cast<std::size_t>(x) * guard_.size()];
    for (const Field& field : fields) {
      std::uint64_t exponent = 0;
      for (std::int64_t rest = Value(x, static_cast<int>(field.dim)); rest % field.prime == 0;
           rest /= field.prime) {
        ++exponent;
      }
      words[field.word] |= exponent << field.shift;
    }
  }
}

Tile Lattice::Multiply(Tile a, Tile b) const {
  Tile result = 0;
  for (std::size_t d = 0; d < axis_.size(); ++d) {
    const auto& axis = axis_[d];
    const auto i = static_cast<std::size_t>(Coordinate(a, static_cast<int>(d)));
    const auto j = static_cast<std::size_t>(Coordinate(b, static_cast<int>(d)));
    const std::int16_t product = axis.product[i * axis.divisors.size() + j];
    if (product < 0) {
      return -1;
    }
    result += axis.stride * product;
  }
  return result;
}

Tile Lattice::Quotient(Tile b, Tile a) const {
  Tile result = 0;
  for (std::size_t d = 0; d < axis_.size(); ++d) {
    const auto& axis = axis_[d];
    const auto i = static_cast<std::size_t>(Coordinate(b, static_cast<int>(d)));
    const auto j = static_cast<std::size_t>(Coordinate(a, static_cast<int>(d)));
    result += axis.stride * axis.quotient[i * axis.divisors.size() + j];
  }
  return result;
}

Tile Lattice::Single(int dim, std::int64_t value) const {
  const Axis& axis = axis_[static_cast<std::size_t>(dim)];
  const auto it = std::ranges::lower_bound(axis.divisors, value);
  if (it == axis.divisors.end() || *it != value) {
    return -1;
  }
  return static_cast<Tile>(it - axis.divisors.begin()) * axis.stride;
}

}  // namespace sluice::mapper::exact
