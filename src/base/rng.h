#pragma once
/// \file
/// The only source of randomness: xoshiro256** seeded by SplitMix64 (Blackman, Vigna; public domain
/// algorithm). Own, because `std::` distributions differ between standard libraries and results
/// must be the same bytes everywhere.

#include <cstdint>

namespace sluice {

class Rng {
 public:
  explicit constexpr Rng(std::uint64_t seed) {
    for (auto& s : state_) {
      seed += 0x9E3779B97F4A7C15ULL;
      std::uint64_t z = seed;
      z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
      z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
      s = z ^ (z >> 31U);
    }
  }

  /// Uniform over all 64-bit values.
  constexpr std::uint64_t Next() {
    const std::uint64_t result = Rotate(state_[1] * 5U, 7) * 9U;
    const std::uint64_t t = state_[1] << 17U;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = Rotate(state_[3], 45);
    return result;
  }

  /// Uniform in [0, n). Requires n > 0. Multiply-shift; the bias below 2^-32 is irrelevant here.
  constexpr std::uint32_t Below(std::uint32_t n) {
    return static_cast<std::uint32_t>(((Next() >> 32U) * n) >> 32U);
  }

  /// Uniform in [lo, hi].
  constexpr std::int64_t Between(std::int64_t lo, std::int64_t hi) {
    return lo + static_cast<std::int64_t>(Next() % (static_cast<std::uint64_t>(hi - lo) + 1U));
  }

  /// Uniform in [0, 1).
  constexpr double Uniform() { return static_cast<double>(Next() >> 11U) * 0x1.0p-53; }

  /// An independent stream; used to give every layer or thread its own generator.
  [[nodiscard]] constexpr Rng Split(std::uint64_t stream) const {
    return Rng(state_[0] ^ (stream * 0xD1342543DE82EF95ULL + 0x2545F4914F6CDD1DULL));
  }

 private:
  static constexpr std::uint64_t Rotate(std::uint64_t x, unsigned k) {
    return (x << k) | (x >> (64U - k));
  }
  std::uint64_t state_[4] = {};
};

}  // namespace sluice
