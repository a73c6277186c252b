// See sluice/evaluation.h.

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <sluice/architecture.h>
#include <sluice/error.h>
#include <sluice/evaluation.h>
#include <sluice/network.h>

#include "api/internals.h"
#include "base/diagnostic.h"
#include "cost/cost.h"
#include "cost/policy.h"
#include "driver/driver.h"
#include "driver/explain/explain.h"
#include "driver/load/loaded.h"
#include "io/yaml/mapping.h"
#include "ir/network.h"

namespace sluice {

Evaluation ToPublic(const driver::Evaluation& from) {
  const driver::Explanation& explanation = from.explanation;
  Evaluation to;
  to.energy_pj = from.cost.score.energy_pj;
  to.cycles = from.cost.score.cycles;
  to.operations = from.cost.operations;
  to.utilization = from.cost.utilization;
  to.compute_energy_pj = from.cost.compute_energy_pj;
  to.leakage_pj = from.cost.leakage_pj;
  to.bound_energy_pj = from.bound_energy_pj;
  to.bound_cycles = from.bound_cycles;
  to.binding =
      driver::ResourceText(from.cost.binding, explanation.level_names, from.chain.compute.name);
  for (const driver::LatencyTerm& term : explanation.latency) {
    to.resources.push_back({term.resource, term.cycles, term.binds});
  }
  for (const driver::TrafficTerm& term : explanation.traffic) {
    TensorTraffic traffic;
    traffic.memory = explanation.level_names[static_cast<std::size_t>(term.level)];
    traffic.tensor = explanation.tensor_names[static_cast<std::size_t>(term.tensor)];
    traffic.tile_words = term.tile_words;
    traffic.reads = term.reads;
    traffic.fills = term.fills;
    traffic.updates = term.updates;
    traffic.access_energy_pj = term.access_energy_pj;
    traffic.network_energy_pj = term.network_energy_pj;
    to.traffic.push_back(std::move(traffic));
  }
  to.mapping_yaml = io::WriteMappingYaml(from.mapping, from.workload, from.chain);
  to.loop_nest = explanation.loop_nest;
  return to;
}

Expected<Evaluation> EvaluateMapping(const Network& network, std::size_t index,
                                     const Architecture& architecture, const std::string& mapping,
                                     const std::string& policy) {
  return Guarded<Evaluation>([&]() -> Result<Evaluation> {
    const ir::Network& graph = Internals::Get(network).network;
    if (index >= graph.operators.size()) {
      return Fail(ErrorCode::kUsage, fmt::format("there is no operator {}: {} has {}", index,
                                                 graph.name, graph.operators.size()));
    }
    SLUICE_TRY(const cost::Policy accounting, cost::ParsePolicy(policy));
    SLUICE_TRY(const driver::Evaluation evaluation,
               driver::EvaluateLoaded(graph, graph.operators[index], Internals::Get(architecture),
                                      mapping, "the mapping", accounting));
    return ToPublic(evaluation);
  });
}

}  // namespace sluice
