#include "testing/small_case.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <utility>
#include <vector>

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

mapping::Workload PermuteDims(const mapping::Workload& workload,
                              const std::vector<std::size_t>& order) {
  mapping::Workload result = workload;
  result.whole = 0;
  for (std::size_t d = 0; d < order.size(); ++d) {
    result.bounds[order[d]] = workload.bounds[d];
    result.dim_names[order[d]] = workload.dim_names[d];
    result.whole |= ((workload.whole >> d) & 1U) << order[d];
  }
  for (mapping::WorkloadTensor& tensor : result.tensors) {
    std::uint32_t dims = 0;
    for (std::size_t d = 0; d < order.size(); ++d) {
      dims |= ((tensor.dims >> d) & 1U) << order[d];
    }
    tensor.dims = dims;
    for (mapping::WorkloadAxis& axis : tensor.axes) {
      for (mapping::WorkloadTerm& term : axis) {
        term.dim = static_cast<std::int32_t>(order[static_cast<std::size_t>(term.dim)]);
      }
    }
  }
  return result;
}

std::vector<std::size_t> RandomOrder(std::size_t count, Rng& rng) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::size_t i = count; i > 1; --i) {
    std::swap(order[i - 1], order[rng.Below(static_cast<std::uint32_t>(i))]);
  }
  return order;
}

}  // namespace sluice::testing
