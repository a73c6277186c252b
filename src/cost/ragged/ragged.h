#pragma once
/// \file
/// Internal: pieces of the counting for imperfect factors (ragged.cpp) and of its literal fallback
/// (ragged_walk.cpp).

#include <cstdint>

#include "cost/axis/moves.h"
#include "cost/compiled.h"

namespace sluice::cost {

/// What the network makes of siblings: bit l of `merging`, the fan-out below level l merges equal
/// deliveries; `forward`, the children of a parent act as one buffer.
struct Siblings {
  std::uint32_t merging = 0;
  bool forward = false;
};

/// Fills delivered, served, partitions (and blocks) of one edge by visiting every step and
/// instance. Exact for every policy, slow: O(steps above the child x instances). Used only where
/// copies of a ragged tile overlap in ways that have no closed form: two spatial dims of one
/// window, neighbour forwarding, Timeloop's direction rule on a ragged window, joint axes.
void WalkEdge(const Compiled& compiled, const Policy& policy, const Nest& nest, int tensor,
              Siblings siblings, Edge& edge);

}  // namespace sluice::cost
