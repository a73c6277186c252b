#pragma once
/// \file
/// What a `maestro` cost model says about one layer under one dataflow: the counts that MAESTRO
/// prints and the figures that are arithmetic on them (energy, area, power, reuse). Counts are
/// words; the L2 is the buffer above the outermost level, the L1 the one of a PE.
/// Tested by tests/golden/maestro_test.cpp.

#include <array>
#include <cstdint>
#include <string_view>

#include "cost/maestro/hardware.h"

namespace sluice::cost::maestro {

/// Why a dataflow has no cost. MAESTRO ends without a word, or with a signal, on most of these.
enum class Verdict : std::uint8_t {
  kOk,
  kTooFewPes,     ///< the clusters need more PEs than there are
  kSpatialMaps,   ///< a level without a spatial map, or with three
  kWindowTiled,   ///< R or S in temporal tiles (compatible mode only)
  kStuck,         ///< a temporal tile that brings nothing new, or a cluster that takes no time
  kIncomplete,    ///< some operations are left out (exact mode only)
  kRepeated,      ///< some operations are done twice (exact mode only)
  kTooLarge,      ///< counts beyond 2^62
  kTooManyTiles,  ///< ragged in so many ways that counting would take seconds
};
inline constexpr std::int64_t kMaxCases = 4'000'000;  ///< looked at for one dataflow
std::string_view VerdictText(Verdict verdict);

enum class TensorRole : std::uint8_t { kInput, kWeight, kOutput };
inline constexpr int kTensorRoles = 3;
/// `input`, `filter`, `output`: the names MAESTRO prints.
std::string_view TensorRoleName(TensorRole role);

struct TensorCounts {
  std::int64_t l2_words = 0;  ///< buffer space needed, double buffered
  std::int64_t l1_words = 0;
  std::int64_t l2_writes = 0;
  std::int64_t l2_reads = 0;
  std::int64_t l1_writes = 0;
  std::int64_t l1_reads = 0;
  friend bool operator==(const TensorCounts&, const TensorCounts&) = default;
};

/// Cycles of one step of the outermost level.
struct DelayStats {
  std::int64_t min = 0;
  std::int64_t max = 0;
  std::int64_t average = 0;  ///< rounded down
  friend bool operator==(const DelayStats&, const DelayStats&) = default;
};

struct Report {
  Verdict verdict = Verdict::kOk;
  std::int64_t runtime = 0;  ///< cycles
  std::int64_t macs = 0;
  std::array<TensorCounts, kTensorRoles> tensors{};
  std::int64_t peak_bandwidth = 0;  ///< words per cycle that the outermost network needs
  double average_bandwidth = 0;
  std::int64_t offchip_bandwidth = 0;
  double average_pes = 0;
  double arithmetic_intensity = 0;
  DelayStats ingress;
  DelayStats egress;
  DelayStats compute;
  /// The L1 counts are part of the energy that MAESTRO writes for this very layer. False for two or
  /// more levels: there it adds those of the layer before.
  bool csv_has_l1 = false;
  std::int64_t true_macs = 0;
  std::int64_t compute_bound = 0;  ///< cycles that no machine of this size can beat

  [[nodiscard]] const TensorCounts& tensor(TensorRole role) const {
    return tensors[static_cast<std::size_t>(role)];
  }
  [[nodiscard]] std::int64_t l2_words() const;
  [[nodiscard]] std::int64_t l1_words() const;
  /// All MACs, and no faster than the array can be.
  [[nodiscard]] bool physical() const {
    return verdict == Verdict::kOk && macs == true_macs && runtime >= compute_bound;
  }
};

/// Energies in nanojoules. One access costs a fixed number of MACs, one MAC 0.23 pJ.
struct Energy {
  double l2 = 0;  ///< as in MAESTRO's CSV: outputs are written, never read
  double l1 = 0;
  double mac = 0;
  double l2_output_reads = 0;  ///< in the screen's total, not in the CSV's
  [[nodiscard]] double full() const { return l2 + l1 + mac; }
};
Energy EnergyOf(const Report& report);

/// MAESTRO's area (um2) and power (mW) of a machine with buffers just large enough.
struct Physical {
  double area = 0;
  double power = 0;
  double pe_power = 0;
  double l1_power = 0;
  double l2_power = 0;
  double noc_power = 0;
};
Physical PhysicalOf(const Report& report, const Hardware& hardware);

}  // namespace sluice::cost::maestro
