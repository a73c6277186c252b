#include "mapper/walk/walk_guard.h"

#include <cstddef>
#include <cstdint>

#include "arch/architecture.h"
#include "cost/evaluator.h"
#include "cost/policy.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"

namespace sluice::mapper {
namespace {

bool IsRagged(const mapping::LoopList& loops) {
  for (const mapping::Loop& loop : loops) {
    if (loop.last != loop.bound) {
      return true;
    }
  }
  return false;
}

double Iterations(const mapping::LoopList& loops) {
  double product = 1;
  for (const mapping::Loop& loop : loops) {
    product *= loop.bound;
  }
  return product;
}

std::uint32_t DimsOf(const mapping::LoopList& loops) {
  std::uint32_t mask = 0;
  for (const mapping::Loop& loop : loops) {
    mask |= 1U << static_cast<unsigned>(loop.dim);
  }
  return mask;
}

std::uint32_t DimsOf(const mapping::WorkloadAxis& axis) {
  std::uint32_t mask = 0;
  for (const mapping::WorkloadTerm& term : axis) {
    mask |= 1U << static_cast<unsigned>(term.dim);
  }
  return mask;
}

bool HasTwo(std::uint32_t mask) {
  return (mask & (mask - 1U)) != 0;
}

}  // namespace

WalkGuard::WalkGuard(const cost::Evaluator& evaluator) : workload_(&evaluator.workload()) {
  const cost::Policy& policy = evaluator.policy();
  for (const mapping::WorkloadTensor& tensor : workload_->tensors) {
    std::uint32_t seen = 0;
    for (const mapping::WorkloadAxis& axis : tensor.axes) {
      const std::uint32_t dims = DimsOf(axis);
      const bool window = HasTwo(dims);
      const bool joint = (seen & dims) != 0;  // one dim moves two axes
      seen |= dims;
      always_ = always_ || joint ||
                (window && (tensor.is_output || policy.window == cost::WindowRule::kSameDirection));
    }
  }
  for (std::size_t l = 0; l < evaluator.chain().levels.size(); ++l) {
    const arch::Network& network = evaluator.chain().levels[l].fan_out.network;
    if (policy.neighbour_forwarding && network.neighbour_forwarding) {
      forwarding_ |= 1U << l;
    }
    if (!policy.multicast || !network.multicast || !network.reduction) {
      copying_ |= 1U << l;
    }
  }
}

bool WalkGuard::MayWalk(const mapping::Mapping& mapping) const {
  if (always_) {
    return true;
  }
  std::uint32_t used = 0;
  for (std::size_t l = 0; l < mapping.levels.size(); ++l) {
    const std::uint32_t dims =
        DimsOf(mapping.levels[l].spatial_x) | DimsOf(mapping.levels[l].spatial_y);
    if (dims == 0) {
      continue;
    }
    used |= 1U << l;
    for (const mapping::WorkloadTensor& tensor : workload_->tensors) {
      for (const mapping::WorkloadAxis& axis : tensor.axes) {
        if (HasTwo(DimsOf(axis) & dims)) {
          return true;  // two dims of one window in one fan-out
        }
      }
    }
  }
  return (used & forwarding_) != 0 || ((used & copying_) != 0 && HasTwo(used));
}

bool WalkGuard::TooSlow(const mapping::Mapping& mapping) const {
  bool ragged = false;
  double steps = 1;
  for (const mapping::LevelMapping& level : mapping.levels) {
    ragged = ragged || IsRagged(level.temporal) || IsRagged(level.spatial_x) ||
             IsRagged(level.spatial_y);
    steps *= Iterations(level.temporal) * Iterations(level.spatial_x) * Iterations(level.spatial_y);
  }
  return ragged && steps > kLongestWalk && MayWalk(mapping);
}

}  // namespace sluice::mapper
