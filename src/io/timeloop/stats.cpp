#include "io/timeloop/stats.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "arch/architecture.h"
#include "base/checked.h"
#include "cost/cost.h"
#include "cost/evaluator.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"

namespace sluice::io {
namespace {

/// A loop of one dim and whether it is kept in a projection of the iteration space.
struct Step {
  mapping::Loop loop;
  bool counted = true;
};

/// Number of different index tuples of the counted loops over all executed iterations. `steps` are
/// the loops of one dim, outermost first. A loop runs `last` times only while every outer one is in
/// its last iteration ("tight"); a loop that is not counted may be anywhere, and being off its last
/// iteration never leaves fewer choices inside.
std::int64_t CountTuples(const std::vector<Step>& steps) {
  std::int64_t loose = 1;
  std::int64_t tight = 1;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    if (step->counted) {
      tight = (step->loop.last - 1) * loose + tight;
      loose *= step->loop.bound;
    } else {
      tight = step->loop.last > 1 ? loose : tight;
    }
  }
  return tight;
}

enum class Place : std::uint8_t { kTemporal, kSpatialAbove, kSpatialBelow };

/// Product over the dims of CountTuples, counting the loops for which `counted(place)`.
template <class Counted>
std::int64_t CountSteps(const cost::Evaluator& evaluator, const mapping::Mapping& mapping,
                        std::size_t level, const Counted& counted) {
  std::int64_t product = 1;
  for (std::int32_t d = 0; d < evaluator.workload().dims(); ++d) {
    std::vector<Step> steps;
    const auto append = [&](const mapping::LoopList& loops, Place place) {
      for (const mapping::Loop& loop : loops) {
        if (loop.dim == d) {
          steps.push_back({loop, counted(place)});
        }
      }
    };
    for (std::size_t l = 0; l < mapping.levels.size(); ++l) {
      append(mapping.levels[l].temporal, Place::kTemporal);
      const Place place = l < level ? Place::kSpatialAbove : Place::kSpatialBelow;
      append(mapping.levels[l].spatial_x, place);
      append(mapping.levels[l].spatial_y, place);
    }
    product *= CountTuples(steps);  // at most the points of the workload, which fit
  }
  return product;
}

/// floor(active instance-steps / executed steps) of a level; `level` = number of levels for
/// compute.
std::int64_t AverageInstances(const cost::Evaluator& evaluator, const mapping::Mapping& mapping,
                              std::size_t level) {
  const std::int64_t steps =
      CountSteps(evaluator, mapping, level, [](Place place) { return place == Place::kTemporal; });
  const std::int64_t active = CountSteps(evaluator, mapping, level,
                                         [](Place place) { return place != Place::kSpatialBelow; });
  return active / steps;
}

bool IsPerfect(const mapping::Mapping& mapping) {
  for (const mapping::LevelMapping& level : mapping.levels) {
    for (const mapping::LoopList* loops : {&level.temporal, &level.spatial_x, &level.spatial_y}) {
      for (const mapping::Loop& loop : *loops) {
        if (loop.last != loop.bound) {
          return false;
        }
      }
    }
  }
  return true;
}

/// Temporal steps when every last iteration is counted as a full one. Saturates.
std::int64_t PaddedSteps(const mapping::Mapping& mapping) {
  std::int64_t steps = 1;
  for (const mapping::LevelMapping& level : mapping.levels) {
    for (const mapping::Loop& loop : level.temporal) {
      steps = CheckedMul(steps, loop.bound).value_or(std::int64_t{1} << 62);
    }
  }
  return steps;
}

std::int64_t Rounded(std::int64_t total, std::int64_t instances) {
  return std::llround(static_cast<double>(total) / static_cast<double>(instances));
}

TimeloopTensorStats TensorView(const cost::TensorTraffic& traffic, const arch::Memory& memory,
                               const TimeloopLevelStats& level, bool output, bool outermost,
                               bool perfect) {
  TimeloopTensorStats stats;
  stats.kept = traffic.kept;
  if (!traffic.kept) {
    return stats;
  }
  const std::int64_t used = level.instances_max;
  if (perfect) {
    stats.reads = traffic.reads / used;
    stats.fills = traffic.fills / used;
    stats.updates = traffic.updates / used;
  } else {
    stats.updates = Rounded(traffic.updates, used);
    if (output) {
      // With first reads elided, updates - reads is exactly the words ever held, and fills are what
      // was delivered minus those.
      const std::int64_t held = traffic.updates - traffic.reads;
      const std::int64_t held_each = held / used;
      stats.reads = stats.updates - held_each;
      // Nothing is delivered to the outermost level.
      stats.fills = outermost ? 0 : Rounded(traffic.fills + held, used) - held_each;
    } else {
      stats.reads = Rounded(traffic.reads, used);
      stats.fills = traffic.fills / used;
    }
  }
  stats.read_blocks = CeilDiv(stats.reads, memory.block_words);
  stats.fill_blocks = CeilDiv(stats.fills, memory.block_words);
  stats.update_blocks = CeilDiv(stats.updates, memory.block_words);
  stats.energy_pj = (static_cast<double>(stats.read_blocks) * memory.read_pj +
                     static_cast<double>(stats.fill_blocks) * memory.fill_pj +
                     static_cast<double>(stats.update_blocks) * memory.update_pj) *
                    static_cast<double>(level.instances_avg);
  return stats;
}

}  // namespace

TimeloopStats TimeloopView(const cost::Cost& cost, const cost::Evaluator& evaluator,
                           const mapping::Mapping& mapping) {
  const mapping::Workload& workload = evaluator.workload();
  const arch::Chain& chain = evaluator.chain();
  const bool perfect = IsPerfect(mapping);
  TimeloopStats stats;
  double energy = cost.leakage_pj;
  for (std::size_t l = 0; l < chain.levels.size(); ++l) {
    TimeloopLevelStats level;
    level.instances_max = std::max<std::int64_t>(1, cost.level[l].instances_used);
    level.instances_avg = perfect ? level.instances_max : AverageInstances(evaluator, mapping, l);
    for (std::size_t t = 0; t < workload.tensors.size(); ++t) {
      const cost::TensorTraffic& traffic = cost.level[l].tensors[t];
      level.tensors.push_back(TensorView(traffic, chain.levels[l].memory, level,
                                         workload.tensors[t].is_output, l == 0, perfect));
      energy += level.tensors.back().energy_pj + traffic.network_energy_pj;
    }
    stats.levels.push_back(std::move(level));
  }
  stats.compute_instances_max = std::max<std::int64_t>(1, cost.instances_used);
  if (perfect) {
    stats.compute_instances_avg = stats.compute_instances_max;
    stats.computes = cost.operations;
    stats.compute_energy_pj = cost.compute_energy_pj;
    stats.cycles = std::llround(cost.score.cycles);
    stats.energy_pj = cost.score.energy_pj;
    return stats;
  }
  stats.compute_instances_avg = AverageInstances(evaluator, mapping, chain.levels.size());
  const double share = static_cast<double>(stats.compute_instances_avg) /
                       static_cast<double>(stats.compute_instances_max);
  stats.computes =
      static_cast<std::int64_t>(std::floor(static_cast<double>(cost.operations) * share));
  stats.compute_energy_pj = cost.compute_energy_pj * static_cast<double>(stats.computes) /
                            static_cast<double>(cost.operations);
  stats.cycles =
      std::max(PaddedSteps(mapping), static_cast<std::int64_t>(std::llround(cost.score.cycles)));
  stats.energy_pj = energy + stats.compute_energy_pj;
  return stats;
}

}  // namespace sluice::io
