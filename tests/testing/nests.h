#pragma once
/// \file
/// Loop nests as short texts, for tests that must be readable: workloads from axis expressions,
/// mappings from one line a level, and the same texts back for printed reproductions of random
/// cases.
///
///   auto conv = MakeNest({{"R", 3}, {"P", 16}}, {{"W", {"R"}}, {"I", {"R+P"}}, {"O", {"P"}}});
///   auto map = MakeMapping(conv, {"R=3 P=4", "P=4"});
///
/// A level's line has its loops outermost first: `P=4`, ragged `P=4,3` (3 iterations in the last),
/// on the fan-out below `x:P=4` or `y:P=4`; `-W` bypasses tensor W. Spaces separate.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "arch/architecture.h"
#include "cost/policy.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"

namespace sluice::testing {

struct NestTensor {
  std::string name;
  std::vector<std::string> axes;  ///< sums such as `R+2P`
};

/// The last tensor is the output; it accumulates when some dim does not move it. One MAC a point.
mapping::Workload MakeNest(const std::vector<std::pair<std::string, std::int64_t>>& dims,
                           const std::vector<NestTensor>& tensors);

mapping::Mapping MakeMapping(const mapping::Workload& workload,
                             const std::vector<std::string>& levels);

/// `levels` unbounded memories of unit energies, fan-outs just large enough for `mapping`, one MAC
/// a cycle. Networks multicast and reduce.
arch::Chain MakeChain(const mapping::Mapping& mapping);

/// The texts that make the nest, one line each; with policy and machine, a complete reproduction.
std::string Describe(const mapping::Workload& workload, const arch::Chain& chain,
                     const mapping::Mapping& mapping, const cost::Policy& policy);

}  // namespace sluice::testing
