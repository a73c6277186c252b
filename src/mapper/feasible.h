#pragma once
/// \file
/// A first mapping of a map space, or the proof that there is none and the smallest change of the
/// architecture that would admit one.
///
/// Without constraints the mapping with every loop on level 0 has the smallest tiles everywhere, so
/// it fits whenever anything does. Constraints may forbid it. Then each dim has several placements
/// of its factors that are minimal in the sense of Pareto (tile points at every level, use of every
/// fan-out axis); they are made slot by slot from the innermost outwards, keeping for each product
/// only the labels that no other dominates. A depth-first search over the dims combines them under
/// the sizes of fan-outs and memories. Tiles grow with the points of every dim, so that the least
/// points of the dims not yet placed bound the words of a level from below.
///
/// When nothing fits, the combination with the fewest excess bits is the explanation: the levels
/// that overflow, and the capacity each would need. With exactly those capacities there is a
/// mapping; with one word less in one of them there is none, or its excess had been smaller.
///
/// The search is complete up to generous limits on labels and nodes; for imperfect factors where
/// the outermost slot is free or the bound is at most 512. `proven` says so.
/// Tested by tests/unit/feasible_test.cpp and tests/property/constraints_test.cpp.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "arch/architecture.h"
#include "mapper/mapspace.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"

namespace sluice::mapper {

/// What a point may be: factors in [min, max] per slot and dim, and tensors that must be kept.
struct SpaceLimits {
  std::array<Point::Factors, kMaxSlots> min;
  std::array<Point::Factors, kMaxSlots> max;
  std::array<std::uint32_t, arch::kMaxLevels> must_keep{};
};

struct Feasibility {
  std::optional<Point> point;  ///< factors and keeps; orders are the identity
  /// When there is no point: levels that overflow with the capacity they need, or dims and
  /// fan-outs that cannot be reconciled.
  std::vector<mapping::Violation> reasons;
  bool proven = true;  ///< the absence of a point is proven
};

/// Requires: bounds that fit 32 bits.
Feasibility FindFeasible(const mapping::Workload& workload, const arch::Chain& chain,
                         const SpaceLimits& limits, bool imperfect);

/// The smallest capacity of `memory` that leaves `words` usable.
std::int64_t CapacityFor(const arch::Memory& memory, std::int64_t words);

/// `GLB needs 12,544 B instead of 8,192 B, RF needs ...`: the capacities that `reasons` want, all
/// of them together the smallest change that admits a mapping. Empty when capacity is not the
/// reason.
std::string CureText(const arch::Chain& chain, const std::vector<mapping::Violation>& reasons);

}  // namespace sluice::mapper
