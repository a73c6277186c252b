#pragma once
/// \file
/// What a mapping costs: exact integer counts per level and tensor, and the energy and cycles that
/// are linear (respectively max-linear) in them. docs/cost-model.md has the definitions and worked
/// examples.
///
/// Reads, fills and updates are words summed over all instances of a level:
///   reads    words read at this level: to feed children or the compute unit, to read back partial
///            sums for accumulation, and (policy) to drain an output tile to the parent
///   fills    words written at this level because the parent sent them
///   updates  words written at this level because a child (or the compute unit) drained output
///   there
/// Tested by tests/golden (Timeloop), tests/property/cost_vs_walker_test.cpp.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "arch/architecture.h"
#include "cost/policy.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"

namespace sluice::cost {

enum class Objective : std::uint8_t { kEnergy, kLatency, kEdp };
Result<Objective> ParseObjective(std::string_view text);
std::string_view ObjectiveName(Objective objective);

struct TensorTraffic {
  std::int64_t reads = 0;
  std::int64_t fills = 0;
  std::int64_t updates = 0;
  std::int64_t tile_words = 0;   ///< largest tile one instance holds
  std::int64_t read_blocks = 0;  ///< vector accesses after rounding
  std::int64_t fill_blocks = 0;
  std::int64_t update_blocks = 0;
  /// Words that entered the fan-out below this level for (or left it from) this tensor.
  std::int64_t network_words = 0;
  double hops = 0;                      ///< word-hops in the fan-out below
  std::int64_t spatial_reductions = 0;  ///< words added in the network
  double energy_pj = 0;                 ///< of the accesses at this level
  double network_energy_pj = 0;
  bool kept = false;
};

struct LevelCost {
  std::array<TensorTraffic, mapping::kMaxTensors> tensors{};
  std::int64_t instances_used = 0;  ///< at the busiest step
  double read_cycles = 0;           ///< cycles this level's read port needs (0 if unlimited)
  double write_cycles = 0;
  double network_cycles = 0;
  double leakage_pj = 0;
};

/// What limits latency.
enum class Resource : std::uint8_t { kCompute, kRead, kWrite, kNetwork };
inline constexpr std::array<std::string_view, 4> kResourceNames = {"compute", "read", "write",
                                                                   "network"};
constexpr std::string_view ResourceName(Resource resource) {
  return kResourceNames[static_cast<std::size_t>(resource)];
}
struct Binding {
  Resource resource = Resource::kCompute;
  int level = -1;  ///< -1 for compute
};

/// The short answer, all that a search needs.
struct Score {
  double energy_pj = 0;
  double cycles = 0;  ///< integral value
  [[nodiscard]] double edp() const { return energy_pj * cycles; }
  [[nodiscard]] double value(Objective o) const {
    return o == Objective::kEnergy ? energy_pj : o == Objective::kLatency ? cycles : edp();
  }
};

/// The long answer.
struct Cost {
  Score score;
  std::int64_t operations = 0;      ///< points of the iteration space executed
  std::int64_t compute_cycles = 0;  ///< temporal steps / operations per cycle, rounded up
  std::int64_t instances_used = 0;  ///< compute units at the busiest step
  double compute_energy_pj = 0;
  double leakage_pj = 0;
  double utilization = 0;  ///< operations / (cycles * all compute units * operations per cycle)
  Binding binding;
  int levels = 0;
  int tensors = 0;
  std::array<LevelCost, arch::kMaxLevels> level{};
};

}  // namespace sluice::cost
