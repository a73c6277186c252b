#pragma once
/// \file
/// Every valid even or imperfect mapping of a small workload, by brute force: all factorisations,
/// all placements on the fan-outs, all loop orders (the innermost level's excepted: no tile lies
/// below it), all optional keeps. The judge of the exact mapper; shares no code with it.

#include <cstdint>
#include <functional>

#include "arch/architecture.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"

namespace sluice::testing {

/// Calls `visit` with every mapping that CheckMapping accepts. Stops and returns -1 as soon as more
/// than `limit` candidates were looked at; otherwise the number of valid mappings. Orders of dims
/// on one axis of a fan-out are enumerated when `axis_orders` (they matter only for distances).
std::int64_t ForEachMapping(const mapping::Workload& workload, const arch::Chain& chain,
                            bool axis_orders, std::int64_t limit,
                            const std::function<void(const mapping::Mapping&)>& visit);

/// The same over the imperfect mappings too: any loop bounds, the last round of a loop ragged.
/// Loops have no iterations that never run.
std::int64_t ForEachImperfectMapping(const mapping::Workload& workload, const arch::Chain& chain,
                                     bool axis_orders, std::int64_t limit,
                                     const std::function<void(const mapping::Mapping&)>& visit);

}  // namespace sluice::testing
