#pragma once
/// \file
/// Random small workloads, chains and mappings for property tests: same seed, same objects, on
/// every platform. Sizes are chosen so that the walker enumerates a case in well under a
/// millisecond to a few milliseconds: at most kMaxPoints points.
///
///   Rng rng(seed);
///   const auto workload = RandomWorkload(rng);
///   const auto chain = RandomChain(rng);
///   const auto mapping = RandomMapping(workload, chain, rng, /*imperfect=*/true);

#include <cstdint>

#include "arch/architecture.h"
#include "base/rng.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"

namespace sluice::testing {

inline constexpr std::int64_t kMaxPoints = 2000;

enum class WorkloadKind : std::uint8_t {
  kGemm,         ///< M N K
  kBatchedGemm,  ///< B M N K
  kConv,         ///< N K C P Q R S, stride and dilation 1 to 3 per axis
  kDepthwise,    ///< N G P Q R S
  kGrouped,      ///< G K C P R: two dims on one channel axis, no window on the output
  kConv1d,       ///< K C P R, with gaps (stride above the window) and overlaps
  kPooling,      ///< reads one tensor, reduces over a window and over C
  kElementwise,  ///< writes without reduction; the second operand may be broadcast
  kScatter,      ///< transposed convolution: the window is on the output
};
inline constexpr int kWorkloadKinds = 9;

/// A workload of one kind, of at most `max_points` points. Some dims may have to stay whole.
mapping::Workload RandomWorkload(Rng& rng, WorkloadKind kind, std::int64_t max_points = kMaxPoints);
/// A workload of any kind.
mapping::Workload RandomWorkload(Rng& rng);

/// 1 to 4 levels, 0 to 2 fan-outs (1-D or 2-D), random keep rules, allowed dims, network bits,
/// bandwidths, block sizes, buffering, energies and (below level 0) capacities. Valid in the sense
/// of arch::Validate; the compute unit offers every class of work.
arch::Chain RandomChain(Rng& rng);

/// A mapping that respects coverage, fan-out sizes, allowed and whole dims and keep rules. Capacity
/// may be exceeded. `imperfect`: factors need not divide, so that last tiles are ragged.
mapping::Mapping RandomMapping(const mapping::Workload& workload, const arch::Chain& chain,
                               Rng& rng, bool imperfect);

}  // namespace sluice::testing
