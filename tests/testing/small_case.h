#pragma once
/// \file
/// Problems small enough to enumerate every mapping: any workload, machine and policy.

#include <cstdint>

#include "arch/architecture.h"
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

}  // namespace sluice::testing
