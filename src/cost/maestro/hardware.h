#pragma once
/// \file
/// The machine of the `maestro` cost models: PEs with an L1 each, one L2, one network bandwidth for
/// every level, an off-chip link. Defaults are those of the tool's options.

#include <cstdint>
#include <limits>

namespace sluice::cost::maestro {

inline constexpr std::int64_t kUnlimited = std::numeric_limits<std::int32_t>::max();

struct Hardware {
  std::int64_t pes = 7;
  std::int64_t l1_words = kUnlimited;  ///< per PE
  std::int64_t l2_words = kUnlimited;
  std::int64_t noc_bandwidth = kUnlimited;  ///< words per cycle, at every level
  std::int64_t offchip_bandwidth = 70000;   ///< words per cycle
  std::int64_t noc_hops = 1;
  std::int64_t hop_latency = 0;  ///< cycles
  std::int64_t simd_lanes = 1;   ///< MACs per PE and cycle
  [[nodiscard]] std::int64_t peak() const { return pes * simd_lanes; }
  friend bool operator==(const Hardware&, const Hardware&) = default;
};

}  // namespace sluice::cost::maestro
