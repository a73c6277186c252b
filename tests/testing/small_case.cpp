#include "testing/small_case.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "base/rng.h"
#include "testing/generators.h"
#include "testing/walker_case.h"

namespace sluice::testing {

std::uint64_t AtLeastOneScaled(std::uint64_t cases) {
  const char* scale = std::getenv("SLUICE_PROPERTY_CASES");
  const double factor = scale != nullptr ? std::atof(scale) : 1.0;
  return std::max<std::uint64_t>(1,
                                 static_cast<std::uint64_t>(static_cast<double>(cases) * factor));
}

SmallCase MakeSmallCase(std::uint64_t seed, std::uint64_t number, std::uint32_t points) {
  Rng rng = Rng(seed).Split(number);
  SmallCase c;
  const auto kind = static_cast<WorkloadKind>(rng.Below(kWorkloadKinds));
  c.workload = RandomWorkload(rng, kind, 8 + static_cast<std::int64_t>(rng.Below(points)));
  c.chain = RandomChain(rng);
  c.policy = RandomPolicy(rng);
  return c;
}

}  // namespace sluice::testing
