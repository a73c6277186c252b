#pragma once
/// \file
/// Problems small enough to enumerate every mapping: any workload, machine and policy.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "arch/architecture.h"
#include "base/rng.h"
#include "cost/policy.h"
#include "mapping/workload.h"

namespace sluice::testing {

/// `cases` times SLUICE_PROPERTY_CASES, at least one.
std::uint64_t AtLeastOneScaled(std::uint64_t cases);

struct SmallCase {
  mapping::Workload workload;
  arch::Chain chain;
  cost::Policy policy;
};

/// The same for the same seed and number. Workloads of at most `points` + 7 points.
SmallCase MakeSmallCase(std::uint64_t seed, std::uint64_t number, std::uint32_t points);

/// The same operator with dim d at place order[d], names along with it.
mapping::Workload PermuteDims(const mapping::Workload& workload,
                              const std::vector<std::size_t>& order);
/// A random permutation of 0 .. count - 1.
std::vector<std::size_t> RandomOrder(std::size_t count, Rng& rng);

}  // namespace sluice::testing
