// See explain.h. Pure bookkeeping over the mapping; every count and energy is taken from the Cost,
// so that an explanation can never disagree with the numbers it explains.

#include "driver/explain.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "arch/architecture.h"
#include "base/checked.h"
#include "cost/cost.h"
#include "cost/evaluator.h"
#include "cost/explain.h"
#include "cost/policy.h"
#include "driver/sorting.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"

namespace sluice::driver {
namespace {

using mapping::Loop;

std::int64_t SaturatingMul(std::int64_t a, std::int64_t b) {
  return CheckedMul(a, b).value_or(std::numeric_limits<std::int64_t>::max());
}

/// The next level inside `level` that keeps tensor t, or -1 for the compute unit.
int InnerKeeper(const mapping::Mapping& mapping, int level, std::size_t t) {
  for (std::size_t l = static_cast<std::size_t>(level) + 1; l < mapping.levels.size(); ++l) {
    if (((mapping.levels[l].keep >> t) & 1U) != 0) {
      return static_cast<int>(l);
    }
  }
  return -1;
}

bool Touches(const mapping::WorkloadTensor& tensor, const Loop& loop) {
  return ((tensor.dims >> static_cast<unsigned>(loop.dim)) & 1U) != 0;
}

/// Whether one delivery through the fan-out of `level` serves all instances that want the same
/// words.
bool Shares(const arch::Level& level, const cost::Policy& policy, bool is_output) {
  return policy.multicast &&
         (is_output ? level.fan_out.network.reduction : level.fan_out.network.multicast);
}

struct NestLoop {
  LoopNote note;
  bool touches = false;
};

/// Temporal loops outside `end`, outermost first; bound 1 left out.
std::vector<NestLoop> TemporalLoops(const mapping::Workload& workload,
                                    const mapping::Mapping& mapping, std::size_t end,
                                    std::size_t t) {
  std::vector<NestLoop> loops;
  for (std::size_t l = 0; l < end; ++l) {
    for (const Loop& loop : mapping.levels[l].temporal) {
      if (loop.bound > 1) {
        loops.push_back({{workload.dim_names[static_cast<std::size_t>(loop.dim)], loop.bound,
                          static_cast<int>(l), LoopAxis::kTime},
                         Touches(workload.tensors[t], loop)});
      }
    }
  }
  return loops;
}

void ClassifyTemporal(const std::vector<NestLoop>& loops, TrafficTerm& term) {
  // The compute unit has no memory: every operation fetches its operands, whatever the loops.
  bool moved_inside = term.inner < 0;
  for (auto it = loops.rbegin(); it != loops.rend(); ++it) {
    moved_inside = moved_inside || it->touches;
    auto& bucket = it->touches ? term.moving : moved_inside ? term.repeating : term.reusing;
    bucket.insert(bucket.begin(), it->note);
    if (moved_inside) {
      term.deliveries = SaturatingMul(term.deliveries, it->note.bound);
    }
  }
}

void ClassifySpatial(const mapping::Workload& workload, const arch::Chain& chain,
                     const mapping::Mapping& mapping, const cost::Policy& policy, std::size_t end,
                     std::size_t t, TrafficTerm& term) {
  for (std::size_t l = 0; l < end; ++l) {
    for (const LoopAxis axis : {LoopAxis::kX, LoopAxis::kY}) {
      const mapping::LoopList* loops =
          axis == LoopAxis::kX ? &mapping.levels[l].spatial_x : &mapping.levels[l].spatial_y;
      for (const Loop& loop : *loops) {
        if (loop.bound <= 1) {
          continue;
        }
        const LoopNote note{workload.dim_names[static_cast<std::size_t>(loop.dim)], loop.bound,
                            static_cast<int>(l), axis};
        const bool shared = static_cast<int>(l) >= term.level &&
                            !Touches(workload.tensors[t], loop) &&
                            Shares(chain.levels[l], policy, term.is_output);
        (shared ? term.sharing : term.spreading).push_back(note);
        term.places = SaturatingMul(term.places, shared ? 1 : note.bound);
      }
    }
  }
}

std::vector<std::string> Labels(const mapping::Workload& workload) {
  constexpr std::size_t kShort = 10;
  if (std::ranges::all_of(workload.tensor_names,
                          [](const std::string& name) { return name.size() <= kShort; })) {
    return workload.tensor_names;
  }
  std::vector<std::string> labels;
  std::array<int, arch::kTensorClasses> seen{};
  for (const mapping::WorkloadTensor& tensor : workload.tensors) {
    constexpr std::array<const char*, arch::kTensorClasses> kNames = {"input", "weight", "output"};
    const auto kind = static_cast<std::size_t>(tensor.tensor_class);
    const int count = ++seen[kind];
    labels.push_back(count == 1 ? kNames[kind] : kNames[kind] + std::to_string(count));
  }
  return labels;
}

std::vector<LatencyTerm> LatencyTerms(const arch::Chain& chain, const cost::Cost& cost) {
  std::vector<LatencyTerm> terms;
  const auto add = [&](std::string name, double cycles, cost::Resource resource, int level) {
    if (cycles > 0) {
      const bool binds = cost.binding.resource == resource &&
                         (resource == cost::Resource::kCompute || cost.binding.level == level);
      terms.push_back({std::move(name), cycles, binds});
    }
  };
  add(chain.compute.name + " (compute)", static_cast<double>(cost.compute_cycles),
      cost::Resource::kCompute, -1);
  for (int l = 0; l < cost.levels; ++l) {
    const auto index = static_cast<std::size_t>(l);
    const std::string& name = chain.levels[index].memory.name;
    const cost::LevelCost& level = cost.level[index];
    add(name + " read port", level.read_cycles, cost::Resource::kRead, l);
    add(name + " write port", level.write_cycles, cost::Resource::kWrite, l);
    add(name + " network below", level.network_cycles, cost::Resource::kNetwork, l);
  }
  SortLargestFirst(terms, &LatencyTerm::cycles);
  return terms;
}

}  // namespace

Explanation Explain(const cost::Evaluator& evaluator, const mapping::Mapping& mapping) {
  const mapping::Workload& workload = evaluator.workload();
  const arch::Chain& chain = evaluator.chain();
  const cost::Cost cost = evaluator.EvaluateFull(mapping);
  const std::vector<cost::EdgeExplanation> edges = cost::ExplainEdges(evaluator, mapping);
  Explanation explanation;
  explanation.title = workload.name;
  explanation.tensor_names = workload.tensor_names;
  for (const arch::Level& level : chain.levels) {
    explanation.level_names.push_back(level.memory.name);
  }
  explanation.tensor_labels = Labels(workload);
  mapping::Workload labelled = workload;
  labelled.tensor_names = explanation.tensor_labels;
  explanation.loop_nest = mapping::PrintLoopNest(labelled, chain, mapping);
  explanation.cost = cost;
  for (std::size_t l = 0; l < chain.levels.size(); ++l) {
    for (std::size_t t = 0; t < workload.tensors.size(); ++t) {
      const cost::TensorTraffic& traffic = cost.level[l].tensors[t];
      if (!traffic.kept) {
        continue;
      }
      TrafficTerm term;
      term.level = static_cast<int>(l);
      term.tensor = static_cast<int>(t);
      term.is_output = workload.tensors[t].is_output;
      term.inner = InnerKeeper(mapping, term.level, t);
      const std::size_t end =
          term.inner < 0 ? chain.levels.size() : static_cast<std::size_t>(term.inner);
      term.inner_tile_words = term.inner < 0 ? 1 : mapping::TileWords(workload, mapping, end, t);
      ClassifyTemporal(TemporalLoops(workload, mapping, end, t), term);
      ClassifySpatial(workload, chain, mapping, evaluator.policy(), end, t, term);
      for (const cost::EdgeExplanation& edge : edges) {
        if (edge.tensor == term.tensor && edge.parent == term.level && edge.exact_terms &&
            term.inner >= 0) {
          term.exact = cost::EdgeText(evaluator, edge);
        }
      }
      term.tile_words = mapping::TileWords(workload, mapping, l, t);
      term.reads = traffic.reads;
      term.fills = traffic.fills;
      term.updates = traffic.updates;
      term.access_energy_pj = traffic.energy_pj;
      term.network_energy_pj = traffic.network_energy_pj;
      term.share = cost.score.energy_pj > 0
                       ? (traffic.energy_pj + traffic.network_energy_pj) / cost.score.energy_pj
                       : 0;
      explanation.traffic.push_back(std::move(term));
    }
  }
  explanation.latency = LatencyTerms(chain, cost);
  return explanation;
}

}  // namespace sluice::driver
