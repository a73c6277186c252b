#include "testing/small_case.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "cost/evaluator.h"
#include "mapping/constraints.h"
#include "mapping/mapping.h"
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

SmallCases::SmallCases(std::uint64_t seed, std::uint64_t first, std::uint32_t points,
                       std::uint64_t wanted)
    : seed_(seed), next_(first), points_(points), wanted_(AtLeastOneScaled(wanted)) {
  if (const char* moved = std::getenv("SLUICE_PROPERTY_FIRST"); moved != nullptr) {
    next_ += std::strtoull(moved, nullptr, 10);
  }
}

bool SmallCases::Next() {
  if (compared_ >= wanted_) {
    return false;
  }
  do {
    number_ = next_++;
    case_ = MakeSmallCase(seed_, number_, points_);
    auto evaluator = cost::Evaluator::Create(case_.workload, case_.chain, case_.policy);
    evaluator_.reset();
    if (evaluator) {
      evaluator_.emplace(*std::move(evaluator));
    }
  } while (!evaluator_);
  ++compared_;
  return true;
}

mapping::Constraints ConstraintsFrom(const mapping::Mapping& mapping, std::size_t tensors,
                                     Rng& rng) {
  mapping::Constraints constraints;
  constraints.levels.resize(mapping.levels.size());
  for (std::size_t l = 0; l < mapping.levels.size(); ++l) {
    auto& level = constraints.levels[l];
    level = {};
    const std::array loops = {&mapping.levels[l].temporal, &mapping.levels[l].spatial_x,
                              &mapping.levels[l].spatial_y};
    for (std::size_t kind = 0; kind < loops.size(); ++kind) {
      for (const mapping::Loop& loop : *loops[kind]) {
        const auto d = static_cast<std::size_t>(loop.dim);
        if (rng.Below(3) == 0) {
          level.loops[kind].max[d] = loop.bound;
        }
        if (rng.Below(3) == 0) {
          level.loops[kind].min[d] = loop.bound;
        }
      }
    }
    const auto& temporal = mapping.levels[l].temporal;
    // No rules of order for the innermost level: the enumeration has one order there.
    const bool ordered = l + 1 < mapping.levels.size() && !temporal.empty();
    if (ordered && rng.Below(3) == 0) {
      level.innermost.push_back(static_cast<std::uint8_t>(temporal.back().dim));
    } else if (ordered && rng.Below(3) == 0) {
      level.outermost.push_back(static_cast<std::uint8_t>(temporal[0].dim));
    }
    for (std::size_t t = 0; t < tensors; ++t) {
      const std::uint32_t bit = 1U << t;
      if (rng.Below(4) == 0) {
        ((mapping.levels[l].keep & bit) != 0 ? level.must_keep : level.never_keep) |= bit;
      }
    }
  }
  return constraints;
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
