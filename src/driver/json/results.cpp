// JSON of everything the command line prints. Field names are documented in docs/cli.md and are an
// interface: add, never rename.

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "arch/architecture.h"
#include "cost/cost.h"
#include "cost/policy.h"
#include "driver/catalog/catalog.h"
#include "driver/catalog/mappers.h"
#include "driver/catalog/version.h"
#include "driver/driver.h"
#include "driver/explain/explain.h"
#include "driver/explain/network_summary.h"
#include "driver/explain/plan_breakdown.h"
#include "driver/json/json.h"
#include "ir/network.h"
#include "mapping/workload.h"
#include "planner/plan.h"

namespace sluice::driver {
namespace {

using Json = nlohmann::ordered_json;

std::string Dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::int64_t Macs(const mapping::Workload& workload) {
  std::int64_t macs = 0;
  for (const ir::Work& work : workload.body) {
    macs += work.work_class == ir::WorkClass::kMac ? workload.points() * work.per_point : 0;
  }
  return macs;
}

Json BindingJson(const cost::Binding& binding, const std::vector<std::string>& levels) {
  Json json;
  json["resource"] = cost::ResourceName(binding.resource);
  json["level"] =
      binding.level < 0 ? Json(nullptr) : Json(levels[static_cast<std::size_t>(binding.level)]);
  return json;
}

Json LevelsJson(const mapping::Workload& workload, const arch::Chain& chain,
                const cost::Cost& cost) {
  Json levels = Json::array();
  for (std::size_t l = 0; l < chain.levels.size(); ++l) {
    const cost::LevelCost& level = cost.level[l];
    Json entry;
    entry["level"] = chain.levels[l].memory.name;
    entry["instances_used"] = level.instances_used;
    entry["read_cycles"] = level.read_cycles;
    entry["write_cycles"] = level.write_cycles;
    entry["network_cycles"] = level.network_cycles;
    entry["leakage_pj"] = level.leakage_pj;
    entry["tensors"] = Json::array();
    for (std::size_t t = 0; t < workload.tensors.size(); ++t) {
      const cost::TensorTraffic& traffic = level.tensors[t];
      Json tensor;
      tensor["tensor"] = workload.tensor_names[t];
      tensor["kept"] = traffic.kept;
      tensor["tile_words"] = traffic.tile_words;
      tensor["reads"] = traffic.reads;
      tensor["fills"] = traffic.fills;
      tensor["updates"] = traffic.updates;
      tensor["energy_pj"] = traffic.energy_pj;
      tensor["network_energy_pj"] = traffic.network_energy_pj;
      entry["tensors"].push_back(std::move(tensor));
    }
    levels.push_back(std::move(entry));
  }
  return levels;
}

Json EvaluationJson(const Evaluation& evaluation) {
  const cost::Cost& cost = evaluation.cost;
  Json json;
  json["operator"] = evaluation.workload.name;
  json["architecture"] = evaluation.architecture_name;
  json["policy"] = cost::PolicyText(evaluation.policy);
  json["energy_pj"] = cost.score.energy_pj;
  json["cycles"] = cost.score.cycles;
  json["edp"] = cost.score.edp();
  json["macs"] = Macs(evaluation.workload);
  json["operations"] = cost.operations;
  json["utilization"] = cost.utilization;
  json["bound_energy_pj"] = evaluation.bound_energy_pj;
  json["bound_cycles"] = evaluation.bound_cycles;
  json["compute_cycles"] = cost.compute_cycles;
  json["compute_energy_pj"] = cost.compute_energy_pj;
  json["leakage_pj"] = cost.leakage_pj;
  json["binding"] = BindingJson(cost.binding, evaluation.chain.memory_names());
  json["levels"] = LevelsJson(evaluation.workload, evaluation.chain, cost);
  return json;
}

Json LoopsJson(const std::vector<LoopNote>& loops, const std::vector<std::string>& levels) {
  Json json = Json::array();
  for (const LoopNote& loop : loops) {
    json.push_back({{"dim", loop.dim},
                    {"bound", loop.bound},
                    {"level", levels[static_cast<std::size_t>(loop.level)]},
                    {"axis", loop.axis == LoopAxis::kTime ? "time"
                             : loop.axis == LoopAxis::kX  ? "x"
                                                          : "y"}});
  }
  return json;
}

Json CatalogJson(const std::vector<CatalogEntry>& entries) {
  Json json = Json::array();
  for (const CatalogEntry& entry : entries) {
    json.push_back({{"name", entry.name}, {"path", entry.path}});
  }
  return json;
}

Json PlanJson(const planner::Plan& plan) {
  Json json;
  json["network"] = plan.network_name;
  json["architecture"] = plan.architecture_name;
  json["complete"] = plan.complete;
  json["energy_pj"] = plan.totals.energy_pj;
  json["cycles"] = plan.totals.cycles;
  json["edp"] = plan.totals.edp();
  json["macs"] = plan.totals.macs;
  json["utilization"] = plan.totals.utilization;
  json["bound_energy_pj"] = plan.totals.bound_energy_pj;
  json["bound_cycles"] = plan.totals.bound_cycles;
  json["evaluations"] = plan.totals.evaluations;
  json["seconds"] = plan.seconds;
  json["seed"] = plan.provenance.seed;
  json["mapper"] = plan.provenance.mapper;
  json["objective"] = plan.provenance.objective;
  json["policy"] = plan.provenance.policy;
  if (!plan.provenance.constraints_path.empty()) {
    json["constraints"] = plan.provenance.constraints_path;
  }
  json["operators"] = Json::array();
  for (const planner::OperatorPlan& op : plan.operators) {
    Json entry;
    entry["name"] = op.name;
    entry["kind"] = op.kind;
    if (op.solution >= 0) {
      const planner::Solution& solution = plan.solutions[static_cast<std::size_t>(op.solution)];
      entry["energy_pj"] = solution.cost.score.energy_pj;
      entry["cycles"] = solution.cost.score.cycles;
      entry["macs"] = Macs(solution.workload);
      entry["utilization"] = solution.cost.utilization;
      entry["limited_by"] = cost::ResourceName(solution.cost.binding.resource);
    } else {
      entry["view"] = true;
    }
    json["operators"].push_back(std::move(entry));
  }
  return json;
}

Json RoofJson(const RoofTerm& term) {
  return {{"port", term.port},          {"words", term.words}, {"intensity", term.intensity},
          {"rate", term.rate},          {"roof", term.roof},   {"share", term.share},
          {"bandwidth", term.bandwidth}};
}

Json ExplanationJson(const Evaluation& evaluation) {
  const Explanation& explanation = evaluation.explanation;
  Json json;
  json["operator"] = explanation.title;
  json["energy_pj"] = explanation.cost.score.energy_pj;
  json["cycles"] = explanation.cost.score.cycles;
  json["bound_energy_pj"] = evaluation.bound_energy_pj;
  json["bound_cycles"] = evaluation.bound_cycles;
  json["utilization"] = explanation.cost.utilization;
  json["units_used"] = explanation.cost.instances_used;
  json["units"] = explanation.units;
  json["peak"] = explanation.peak;
  json["compute_energy_pj"] = explanation.cost.compute_energy_pj;
  json["leakage_pj"] = explanation.cost.leakage_pj;
  json["binding"] = BindingJson(explanation.cost.binding, explanation.level_names);
  json["traffic"] = Json::array();
  const std::vector<std::string>& levels = explanation.level_names;
  for (const TrafficTerm& term : explanation.traffic) {
    Json entry;
    entry["level"] = levels[static_cast<std::size_t>(term.level)];
    entry["tensor"] = explanation.tensor_names[static_cast<std::size_t>(term.tensor)];
    entry["inner"] = term.inner < 0 ? "compute" : levels[static_cast<std::size_t>(term.inner)];
    entry["tile_words"] = term.tile_words;
    entry["reads"] = term.reads;
    entry["fills"] = term.fills;
    entry["updates"] = term.updates;
    entry["access_energy_pj"] = term.access_energy_pj;
    entry["network_energy_pj"] = term.network_energy_pj;
    entry["share"] = term.share;
    entry["inner_tile_words"] = term.inner_tile_words;
    entry["deliveries"] = term.deliveries;
    entry["places"] = term.places;
    entry["exact"] = term.exact;
    entry["moving"] = LoopsJson(term.moving, levels);
    entry["repeating"] = LoopsJson(term.repeating, levels);
    entry["reusing"] = LoopsJson(term.reusing, levels);
    entry["spreading"] = LoopsJson(term.spreading, levels);
    entry["sharing"] = LoopsJson(term.sharing, levels);
    json["traffic"].push_back(std::move(entry));
  }
  json["latency"] = Json::array();
  for (const LatencyTerm& term : explanation.latency) {
    json["latency"].push_back(
        {{"resource", term.resource}, {"cycles", term.cycles}, {"binds", term.binds}});
  }
  json["roofline"] = Json::array();
  for (const RoofTerm& term : explanation.roofs) {
    json["roofline"].push_back(RoofJson(term));
  }
  json["memories"] = Json::array();
  for (const MemoryTerm& term : explanation.memories) {
    json["memories"].push_back({{"level", levels[static_cast<std::size_t>(term.level)]},
                                {"instances_used", term.instances_used},
                                {"instances", term.instances},
                                {"tile_words", term.tile_words},
                                {"full", term.full}});
  }
  json["loop_nest"] = explanation.loop_nest;
  json["directives"] = explanation.directives;
  return json;
}

/// Sums, roofline and provenance of a plan, added to its summary.
void AddBreakdown(const PlanOutcome& outcome, const PlanBreakdown& breakdown, Json& json) {
  const planner::Plan& plan = outcome.plan;
  json["energy"] = Json::array();
  for (const EnergyRow& row : breakdown.energy) {
    Json entry;
    entry["level"] = row.name;
    for (std::size_t c = 0; c < row.by_class.size(); ++c) {
      // NOLINTNEXTLINE(clang-analyzer-optin.core.EnumCastOutOfRange): one sum a class
      entry[std::string(arch::TensorClassName(static_cast<arch::TensorClass>(c))) + "_pj"] =
          row.by_class[c];
    }
    entry["energy_pj"] = row.total;
    json["energy"].push_back(std::move(entry));
  }
  json["binding"] = Json::array();
  for (const BindingRow& row : breakdown.binding) {
    json["binding"].push_back({{"resource", row.resource}, {"cycles", row.cycles}});
  }
  json["roofline"] = Json::array();
  for (const RoofRow& row : breakdown.roof) {
    Json entry = {{"operator", plan.operators[row.op].name}, {"cycles", row.cycles}};
    entry.update(RoofJson(row.term));
    json["roofline"].push_back(std::move(entry));
  }
  const planner::Provenance& p = plan.provenance;
  json["provenance"] = {{"tool_version", p.tool_version},
                        {"command", p.command},
                        {"model_path", p.model_path},
                        {"model_hash", p.model_hash},
                        {"architecture_path", p.architecture_path},
                        {"architecture_hash", p.architecture_hash}};
  if (!p.constraints_path.empty()) {
    json["provenance"]["constraints_path"] = p.constraints_path;
    json["provenance"]["constraints_hash"] = p.constraints_hash;
  }
  json["architecture_tree"] = arch::DrawTree(outcome.architecture.architecture);
}

}  // namespace

std::string JsonOfPlanSummary(const planner::Plan& plan) {
  return Dump(PlanJson(plan));
}

std::string JsonOfEvaluation(const Evaluation& evaluation) {
  return Dump(EvaluationJson(evaluation));
}

std::string JsonOfFront(const FrontOutcome& outcome) {
  Json json;
  json["operator"] = outcome.workload.name;
  json["architecture"] = outcome.architecture_name;
  json["policy"] = cost::PolicyText(outcome.policy);
  json["points"] = Json::array();
  for (const FrontOutcome::Point& point : outcome.points) {
    json["points"].push_back({{"energy_pj", point.score.energy_pj},
                              {"cycles", point.score.cycles},
                              {"edp", point.score.edp()}});
  }
  json["proven"] = outcome.proven;
  json["stopped"] = outcome.stopped;
  json["seconds"] = outcome.seconds;
  return Dump(json);
}

std::string JsonOfSearch(const MapOutcome& outcome) {
  Json json = EvaluationJson(outcome.evaluation);
  json["mapper"] = outcome.mapper;
  json["objective"] = outcome.objective;
  json["bound"] = outcome.bound;
  json["seed"] = outcome.seed;
  json["evaluations"] = outcome.evaluations;
  json["seconds"] = outcome.seconds;
  json["candidates"] = outcome.candidates;
  json["ruled_out"] = outcome.ruled_out;
  json["stopped"] = outcome.stopped;
  json["complete"] = outcome.complete;
  if (!outcome.constraints.empty()) {
    json["constraints"] = outcome.constraints;
  }
  return Dump(json);
}

std::string JsonOfNetwork(const LoadedNetwork& loaded) {
  const ir::Network& network = loaded.network;
  const NetworkSummary summary = Summarize(network);
  Json json;
  json["network"] = network.name;
  json["path"] = loaded.path;
  json["hash"] = loaded.hash;
  json["macs"] = network.macs();
  json["vector_operations"] = summary.vector_operations;
  json["weight_bytes"] = summary.weight_bytes;
  json["input_bytes"] = summary.input_bytes;
  json["output_bytes"] = summary.output_bytes;
  json["operators"] = Json::array();
  for (std::size_t i = 0; i < network.operators.size(); ++i) {
    const ir::Operator& op = network.operators[i];
    Json entry;
    entry["name"] = op.name;
    entry["kind"] = op.kind;
    entry["view"] = op.is_view();
    entry["dims"] = Json::object();
    for (const ir::Dim& dim : op.dims) {
      entry["dims"][dim.name] = dim.bound;
    }
    entry["macs"] = op.macs();
    entry["bytes"] = summary.operator_bytes[i];
    json["operators"].push_back(std::move(entry));
  }
  json["warnings"] = network.warnings;
  return Dump(json);
}

std::string JsonOfArchitecture(const LoadedArchitecture& loaded) {
  Json json;
  json["architecture"] = loaded.architecture.name;
  json["description"] = loaded.architecture.description;
  json["path"] = loaded.path;
  json["hash"] = loaded.hash;
  json["clock_hz"] = loaded.architecture.clock_hz;
  json["chains"] = Json::array();
  for (const arch::Chain& chain : arch::Chains(loaded.architecture)) {
    Json entry;
    entry["compute"] = chain.compute.name;
    entry["compute_instances"] = chain.compute_instances();
    entry["levels"] = Json::array();
    for (std::size_t l = 0; l < chain.levels.size(); ++l) {
      const arch::Memory& memory = chain.levels[l].memory;
      Json level;
      level["name"] = memory.name;
      level["instances"] = chain.instances(l);
      level["capacity_words"] =
          memory.capacity_words ? Json(*memory.capacity_words) : Json(nullptr);
      level["word_bits"] = memory.word_bits;
      entry["levels"].push_back(std::move(level));
    }
    json["chains"].push_back(std::move(entry));
  }
  return Dump(json);
}

std::string JsonOfExplanation(const Evaluation& evaluation) {
  return Dump(ExplanationJson(evaluation));
}

std::string JsonOfPlanExplanation(const PlanOutcome& outcome, const PlanBreakdown& breakdown,
                                  const Evaluation& dearest) {
  Json json = ExplanationJson(dearest);
  json["plan"] = PlanJson(outcome.plan);
  AddBreakdown(outcome, breakdown, json["plan"]);
  return Dump(json);
}

std::string JsonOfCatalog(const std::vector<CatalogEntry>& entries) {
  return Dump(CatalogJson(entries));
}

std::string JsonOfMappers() {
  Json json = Json::array();
  for (const MapperEntry& entry : ListMappers()) {
    json.push_back({{"name", entry.name}, {"description", entry.description}});
  }
  return Dump(json);
}

std::string JsonOfHealth(const std::vector<HealthCheck>& checks) {
  Json json = Json::array();
  for (const HealthCheck& check : checks) {
    json.push_back({{"name", check.name}, {"ok", check.ok}, {"detail", check.detail}});
  }
  return Dump(json);
}

std::string JsonOfVersion() {
  const BuildInfo& info = GetBuildInfo();
  Json json;
  json["version"] = info.version;
  json["commit"] = info.commit;
  json["compiler"] = info.compiler;
  json["build_type"] = info.build_type;
  json["plan_format"] = planner::kPlanFormatVersion;
  return Dump(json);
}

}  // namespace sluice::driver
