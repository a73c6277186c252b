/// \file
/// The allocation-free check and the facts about a chain that both checks share.
///
/// All loops are visited from the innermost to the outermost. `reach[d]` is the product of the
/// bounds seen so far of dim d, saturated at kHuge: a tile never has more than bounds[d] points, so
/// nothing is lost by saturation. `last[d]` is the largest index that the dim takes, sum (last_i -
/// 1) * stride_i.

#include "mapping/validity.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "arch/architecture.h"
#include "base/checked.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"

namespace sluice::mapping {
namespace {

/// Above every bound (int32) and small enough that kHuge * int32 fits int64.
constexpr std::int64_t kHuge = std::int64_t{1} << 31U;
constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

struct Progress {
  std::array<std::int64_t, kMaxDims> reach{};
  std::array<std::int64_t, kMaxDims> last{};
};

bool IsSet(std::uint32_t mask, std::int32_t bit) {
  return (mask >> static_cast<unsigned>(bit) & 1U) != 0U;
}

/// Walks one list inwards to outwards. `product` receives the product of the bounds, saturated.
bool Walk(const LoopList& loops, int dims, Progress* progress, std::int64_t* product,
          std::uint32_t allowed) {
  std::uint32_t seen = 0;
  for (std::size_t i = loops.size(); i-- > 0;) {
    const Loop& loop = loops[i];
    if (loop.dim < 0 || loop.dim >= dims || loop.last < 1 || loop.last > loop.bound ||
        IsSet(seen, loop.dim) || (loop.bound > 1 && !IsSet(allowed, loop.dim))) {
      return false;
    }
    seen |= 1U << static_cast<unsigned>(loop.dim);
    const auto d = static_cast<std::size_t>(loop.dim);
    progress->last[d] = std::min(kHuge, progress->last[d] + progress->reach[d] * (loop.last - 1));
    progress->reach[d] = std::min(kHuge, progress->reach[d] * loop.bound);
    *product = CheckedMul(*product, loop.bound).value_or(kMax);
  }
  return true;
}

std::int64_t BoxWords(const Workload& workload, const WorkloadTensor& tensor,
                      const Progress& progress) {
  std::int64_t words = 1;
  for (const WorkloadAxis& axis : tensor.axes) {
    std::int64_t extent = 1;
    for (const WorkloadTerm& term : axis) {
      const auto d = static_cast<std::size_t>(term.dim);
      extent += term.coefficient * (std::min(progress.reach[d], workload.bounds[d]) - 1);
    }
    words *= extent;
  }
  return words;
}

bool Allowed(const std::vector<std::string>& names, const std::string& name) {
  return names.empty() || std::ranges::find(names, name) != names.end();
}

}  // namespace

std::int64_t UsableWords(const arch::Memory& memory) {
  if (!memory.capacity_words) {
    return kMax;
  }
  if (memory.buffering == 1.0) {
    return *memory.capacity_words;
  }
  // A capacity above 2^53 words loses low bits here; no such memory exists.
  const double usable = std::floor(static_cast<double>(*memory.capacity_words) / memory.buffering);
  return usable >= 0x1p62 ? std::int64_t{1} << 62U : static_cast<std::int64_t>(usable);
}

std::uint32_t MustKeep(const Workload& workload, const arch::Chain& chain, std::size_t level) {
  std::uint32_t mask = 0;
  for (std::size_t t = 0; t < workload.tensors.size(); ++t) {
    const auto c = static_cast<std::size_t>(workload.tensors[t].tensor_class);
    if (level == 0 || chain.levels[level].memory.keep[c] == arch::Keep::kMust) {
      mask |= 1U << t;
    }
  }
  return mask;
}

std::uint32_t MayKeep(const Workload& workload, const arch::Chain& chain, std::size_t level) {
  std::uint32_t mask = 0;
  for (std::size_t t = 0; t < workload.tensors.size(); ++t) {
    const auto c = static_cast<std::size_t>(workload.tensors[t].tensor_class);
    if (level == 0 || chain.levels[level].memory.keep[c] != arch::Keep::kNever) {
      mask |= 1U << t;
    }
  }
  return mask;
}

std::uint32_t MayUnroll(const Workload& workload, const arch::Chain& chain, std::size_t level,
                        int axis) {
  const arch::FanOut& fan_out = chain.levels[level].fan_out;
  std::uint32_t mask = 0;
  for (std::size_t d = 0; d < workload.dim_names.size(); ++d) {
    if (Allowed(axis == 0 ? fan_out.dims_x : fan_out.dims_y, workload.dim_names[d])) {
      mask |= 1U << d;
    }
  }
  return mask & ~workload.whole;
}

ValidityTable MakeValidityTable(const Workload& workload, const arch::Chain& chain) {
  ValidityTable table;
  for (std::size_t l = 0; l < chain.levels.size(); ++l) {
    ValidityTable::Level level;
    level.usable_words = UsableWords(chain.levels[l].memory);
    level.x = chain.levels[l].fan_out.x;
    level.y = chain.levels[l].fan_out.y;
    level.must_keep = MustKeep(workload, chain, l);
    level.may_keep = MayKeep(workload, chain, l);
    level.may_unroll_x = MayUnroll(workload, chain, l, 0);
    level.may_unroll_y = MayUnroll(workload, chain, l, 1);
    table.levels.push_back(level);
  }
  return table;
}

bool FitsQuickly(const Workload& workload, const ValidityTable& table, const Mapping& mapping) {
  if (mapping.levels.size() != table.levels.size()) {
    return false;
  }
  const int dims = workload.dims();
  const std::uint32_t all = (1U << workload.tensors.size()) - 1U;
  Progress progress;
  progress.reach.fill(1);
  for (std::size_t l = mapping.levels.size(); l-- > 0;) {
    const LevelMapping& level = mapping.levels[l];
    const ValidityTable::Level& limits = table.levels[l];
    std::int64_t x = 1;
    std::int64_t y = 1;
    std::int64_t steps = 1;
    if (!Walk(level.spatial_y, dims, &progress, &y, limits.may_unroll_y) || y > limits.y ||
        !Walk(level.spatial_x, dims, &progress, &x, limits.may_unroll_x) || x > limits.x ||
        !Walk(level.temporal, dims, &progress, &steps, ~0U)) {
      return false;
    }
    const std::uint32_t keep = level.keep & all;
    if ((limits.must_keep & ~keep) != 0U || (keep & ~limits.may_keep) != 0U) {
      return false;
    }
    std::int64_t room = limits.usable_words;
    for (std::size_t t = 0; t < workload.tensors.size(); ++t) {
      if ((keep >> t & 1U) != 0U) {
        room -= BoxWords(workload, workload.tensors[t], progress);
      }
    }
    if (room < 0) {
      return false;
    }
  }
  for (std::size_t d = 0; d < workload.bounds.size(); ++d) {
    if (progress.last[d] + 1 != workload.bounds[d]) {
      return false;
    }
  }
  return true;
}

}  // namespace sluice::mapping
