#pragma once
/// \file
/// What one mapping of one operator costs, number by number.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <sluice/architecture.h>
#include <sluice/error.h>
#include <sluice/export.h>
#include <sluice/network.h>

namespace sluice {

/// The traffic of one tensor at one memory that keeps it. Words are summed over all instances.
struct TensorTraffic {
  std::string memory;            ///< name of the memory
  std::string tensor;            ///< name of the tensor
  std::int64_t tile_words = 0;   ///< the largest tile that one instance holds
  std::int64_t reads = 0;        ///< words read here
  std::int64_t fills = 0;        ///< words written here because the memory outside sent them
  std::int64_t updates = 0;      ///< words written here because results came from inside
  double access_energy_pj = 0;   ///< picojoules of these accesses
  double network_energy_pj = 0;  ///< picojoules of moving the words through the fan-out below
};

/// One resource, and the cycles that it alone would need.
struct ResourceCycles {
  std::string resource;  ///< `PE (compute)`, `GlobalBuffer read port`, ...
  double cycles = 0;     ///< a lower bound of the operator's cycles
  bool binds = false;    ///< whether it is what determines the cycles
};

/// A mapping with its cost.
struct Evaluation {
  double energy_pj = 0;                   ///< picojoules
  double cycles = 0;                      ///< of the architecture's clock; integral
  std::int64_t operations = 0;            ///< points of the iteration space
  double utilization = 0;                 ///< share of the peak operations per cycle, 0 to 1
  double compute_energy_pj = 0;           ///< part of energy_pj
  double leakage_pj = 0;                  ///< part of energy_pj
  double bound_energy_pj = 0;             ///< no valid mapping needs less
  double bound_cycles = 0;                ///< no valid mapping needs fewer
  std::string binding;                    ///< the resource that determines the cycles
  std::vector<ResourceCycles> resources;  ///< most cycles first
  std::vector<TensorTraffic> traffic;     ///< by memory from the outermost, then tensor
  std::string mapping_yaml;               ///< docs/formats/mapping.md
  std::string loop_nest;                  ///< for people, one loop a line
};

/// Scores a mapping, given as YAML or JSON text (docs/formats/mapping.md), of operator number
/// `index` of `network`. `policy` names the accounting: `physical` or `timeloop`, with changes such
/// as `physical,multicast=off`. Errors: kInput for an index out of range, a view, a malformed or
/// invalid mapping (naming level, tensor and missing words), an unknown policy. Thread-safe.
/// Microseconds, plus reading the text.
SLUICE_API Expected<Evaluation> EvaluateMapping(const Network& network, std::size_t index,
                                                const Architecture& architecture,
                                                const std::string& mapping,
                                                const std::string& policy = "physical");

}  // namespace sluice
