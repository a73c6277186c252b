// See explain.h. Pure bookkeeping over the mapping; every count and energy is taken from the Cost,
// so that an explanation can never disagree with the numbers it explains.

#include "driver/explain/explain.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "arch/architecture.h"
#include "base/checked.h"
#include "base/diagnostic.h"
#include "cost/cost.h"
#include "cost/evaluator.h"
#include "cost/explain.h"
#include "cost/policy.h"
#include "driver/sorting.h"
#include "mapping/directives.h"
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

void ClassifySpatial(const cost::Evaluator& evaluator, const mapping::Mapping& mapping,
                     std::size_t end, std::size_t t, TrafficTerm& term) {
  const mapping::Workload& workload = evaluator.workload();
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
                            Shares(evaluator.chain().levels[l], evaluator.policy(), term.is_output);
        (shared ? term.sharing : term.spreading).push_back(note);
        term.places = SaturatingMul(term.places, shared ? 1 : note.bound);
      }
    }
  }
}

/// Points of the iteration space that all units together execute in a cycle.
double PeakOf(const cost::Evaluator& evaluator) {
  return static_cast<double>(evaluator.compiled().compute_units) /
         evaluator.compiled().cycles_per_point;
}

std::vector<LatencyTerm> LatencyTerms(const Explanation& explanation, const std::string& compute) {
  const cost::Cost& cost = explanation.cost;
  std::vector<LatencyTerm> terms;
  const auto add = [&](double cycles, cost::Resource resource, int level) {
    if (cycles > 0) {
      const bool binds = cost.binding.resource == resource && cost.binding.level == level;
      terms.push_back(
          {ResourceText({resource, level}, explanation.level_names, compute), cycles, binds});
    }
  };
  add(static_cast<double>(cost.compute_cycles), cost::Resource::kCompute, -1);
  for (int l = 0; l < cost.levels; ++l) {
    const cost::LevelCost& level = cost.level[static_cast<std::size_t>(l)];
    add(level.read_cycles, cost::Resource::kRead, l);
    add(level.write_cycles, cost::Resource::kWrite, l);
    add(level.network_cycles, cost::Resource::kNetwork, l);
  }
  SortLargestFirst(terms, &LatencyTerm::cycles);
  return terms;
}

std::vector<MemoryTerm> MemoryTerms(const cost::Cost& cost, const arch::Chain& chain) {
  std::vector<MemoryTerm> terms;
  for (std::size_t l = 0; l < chain.levels.size(); ++l) {
    const arch::Memory& memory = chain.levels[l].memory;
    MemoryTerm term;
    term.level = static_cast<int>(l);
    term.instances_used = cost.level[l].instances_used;
    term.instances = chain.instances(l);
    for (const cost::TensorTraffic& traffic : cost.level[l].tensors) {
      term.tile_words += traffic.kept ? traffic.tile_words : 0;
    }
    if (memory.capacity_words) {
      term.full = static_cast<double>(term.tile_words) * memory.buffering /
                  static_cast<double>(*memory.capacity_words);
    }
    terms.push_back(term);
  }
  return terms;
}

}  // namespace

std::string ResourceText(const cost::Binding& binding, const std::vector<std::string>& levels,
                         const std::string& compute) {
  if (binding.resource == cost::Resource::kCompute || binding.level < 0) {
    return compute + " (compute)";
  }
  const std::string& level = levels[static_cast<std::size_t>(binding.level)];
  return binding.resource == cost::Resource::kNetwork
             ? level + " network below"
             : fmt::format("{} {} port", level, cost::ResourceName(binding.resource));
}

std::vector<RoofTerm> RoofsOf(const cost::Evaluator& evaluator, const cost::Cost& cost) {
  const arch::Chain& chain = evaluator.chain();
  const std::vector<std::string> names = chain.memory_names();
  const auto operations = static_cast<double>(cost.operations);
  std::vector<RoofTerm> terms;
  const auto add = [&](const std::optional<double>& bandwidth, std::int64_t words,
                       cost::Resource resource, std::size_t level) {
    if (!bandwidth || words == 0) {
      return;
    }
    const double peak = PeakOf(evaluator);
    RoofTerm term;
    term.port = ResourceText({resource, static_cast<int>(level)}, names, chain.compute.name);
    term.words = words;
    term.intensity = operations / static_cast<double>(words);
    term.rate = operations / cost.score.cycles;
    const double by_port =
        term.intensity * *bandwidth * static_cast<double>(chain.instances(level));
    term.bandwidth = by_port < peak;
    term.roof = std::min(by_port, peak);
    term.share = term.rate / term.roof;
    terms.push_back(std::move(term));
  };
  for (std::size_t l = 0; l < chain.levels.size(); ++l) {
    std::int64_t reads = 0;
    std::int64_t writes = 0;
    for (const cost::TensorTraffic& traffic : cost.level[l].tensors) {
      reads += traffic.reads;
      writes += traffic.fills + traffic.updates;
    }
    add(chain.levels[l].memory.read_bandwidth, reads, cost::Resource::kRead, l);
    add(chain.levels[l].memory.write_bandwidth, writes, cost::Resource::kWrite, l);
  }
  return terms;
}

Explanation Explain(const cost::Evaluator& evaluator, const mapping::Mapping& mapping) {
  const mapping::Workload& workload = evaluator.workload();
  const arch::Chain& chain = evaluator.chain();
  const cost::Cost cost = evaluator.EvaluateFull(mapping);
  const std::vector<cost::EdgeExplanation> edges = cost::ExplainEdges(evaluator, mapping, cost);
  Explanation explanation;
  explanation.title = workload.name;
  explanation.tensor_names = workload.tensor_names;
  explanation.level_names = chain.memory_names();
  explanation.tensor_labels = mapping::TensorLabels(workload);
  mapping::Workload labelled = workload;
  labelled.tensor_names = explanation.tensor_labels;
  explanation.loop_nest = mapping::PrintLoopNest(labelled, chain, mapping);
  const Result<std::string> directives = mapping::PrintDirectives(labelled, chain, mapping);
  SLUICE_CHECK(directives.has_value(), "a valid mapping has directives");
  explanation.directives = *directives;
  explanation.cost = cost;
  explanation.units = chain.compute_instances();
  explanation.peak = PeakOf(evaluator);
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
      ClassifySpatial(evaluator, mapping, end, t, term);
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
  explanation.latency = LatencyTerms(explanation, chain.compute.name);
  explanation.roofs = RoofsOf(evaluator, cost);
  explanation.memories = MemoryTerms(cost, chain);
  return explanation;
}

}  // namespace sluice::driver
