// Writing plans. Containers without nested containers go on one line, so that a plan is about as
// long as it is interesting and diffs line by line.

#include <cstddef>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "arch/architecture.h"
#include "cost/cost.h"
#include "io/plan_json.h"
#include "io/yaml/mapping.h"
#include "ir/network.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"
#include "planner/plan.h"

namespace sluice::io {
namespace {

using Json = nlohmann::ordered_json;

bool IsFlat(const Json& json) {
  for (const auto& item : json) {
    if (item.is_structured() && !item.empty()) {
      return false;
    }
  }
  return true;
}

/// Names come from model files: bytes that are not UTF-8 become U+FFFD.
std::string Text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void Print(const Json& json, std::size_t indent, std::string& out) {
  if (!json.is_structured() || json.empty()) {
    out += Text(json);
    return;
  }
  const bool flat = IsFlat(json);
  const bool object = json.is_object();
  const std::string line = flat ? " " : "\n" + std::string(indent + 2, ' ');
  out += object ? '{' : '[';
  bool first = true;
  for (auto item = json.begin(); item != json.end(); ++item) {
    if (!first) {
      out += ',';
    }
    out += flat && first ? "" : line;
    first = false;
    if (object) {
      out += Text(Json(item.key())) + ": ";
    }
    Print(*item, indent + 2, out);
  }
  out += flat ? "" : "\n" + std::string(indent, ' ');
  out += object ? '}' : ']';
}

Json LoopsToJson(const mapping::LoopList& loops, const mapping::Workload& workload) {
  Json list = Json::array();
  for (const mapping::Loop& loop : loops) {
    list.push_back({{"dim", workload.dim_names[static_cast<std::size_t>(loop.dim)]},
                    {"factor", loop.bound},
                    {"last", loop.last}});
  }
  return list;
}

/// The structure of docs/formats/mapping.md, with every key spelled out.
Json MappingOf(const planner::Solution& solution, const planner::ChainNames& chain) {
  const mapping::Workload& workload = solution.workload;
  Json levels = Json::array();
  for (std::size_t l = 0; l < solution.mapping.levels.size(); ++l) {
    const mapping::LevelMapping& level = solution.mapping.levels[l];
    Json keep = Json::array();
    for (std::size_t t = 0; t < workload.tensors.size(); ++t) {
      if ((level.keep & (1U << t)) != 0) {
        keep.push_back(workload.tensor_names[t]);
      }
    }
    levels.push_back({{"memory", chain.levels[l]},
                      {"keep", std::move(keep)},
                      {"temporal", LoopsToJson(level.temporal, workload)},
                      {"spatial_x", LoopsToJson(level.spatial_x, workload)},
                      {"spatial_y", LoopsToJson(level.spatial_y, workload)}});
  }
  return {{"version", kMappingFormatVersion}, {"levels", std::move(levels)}};
}

Json WorkloadToJson(const mapping::Workload& workload) {
  Json dims = Json::array();
  for (std::size_t d = 0; d < workload.dim_names.size(); ++d) {
    dims.push_back({{"name", workload.dim_names[d]},
                    {"bound", workload.bounds[d]},
                    {"whole", (workload.whole & (1U << d)) != 0}});
  }
  Json tensors = Json::array();
  for (std::size_t t = 0; t < workload.tensors.size(); ++t) {
    const mapping::WorkloadTensor& tensor = workload.tensors[t];
    Json axes = Json::array();
    for (const mapping::WorkloadAxis& axis : tensor.axes) {
      Json terms = Json::array();
      for (const mapping::WorkloadTerm& term : axis) {
        terms.push_back({{"dim", workload.dim_names[static_cast<std::size_t>(term.dim)]},
                         {"coefficient", term.coefficient}});
      }
      axes.push_back(std::move(terms));
    }
    tensors.push_back({{"name", workload.tensor_names[t]},
                       {"class", arch::TensorClassName(tensor.tensor_class)},
                       {"accumulates", tensor.read_modify_write},
                       {"axes", std::move(axes)}});
  }
  Json body = Json::array();
  for (const ir::Work& work : workload.body) {
    body.push_back(
        {{"class", arch::WorkClassName(work.work_class)}, {"per_point", work.per_point}});
  }
  return {{"name", workload.name},
          {"dims", std::move(dims)},
          {"tensors", std::move(tensors)},
          {"body", std::move(body)}};
}

Json TrafficToJson(const cost::TensorTraffic& traffic, const std::string& tensor) {
  return {{"tensor", tensor},
          {"kept", traffic.kept},
          {"tile_words", traffic.tile_words},
          {"reads", traffic.reads},
          {"fills", traffic.fills},
          {"updates", traffic.updates},
          {"read_blocks", traffic.read_blocks},
          {"fill_blocks", traffic.fill_blocks},
          {"update_blocks", traffic.update_blocks},
          {"energy_pj", traffic.energy_pj},
          {"network_words", traffic.network_words},
          {"hops", traffic.hops},
          {"spatial_reductions", traffic.spatial_reductions},
          {"network_energy_pj", traffic.network_energy_pj}};
}

Json CostToJson(const cost::Cost& cost, const mapping::Workload& workload) {
  Json levels = Json::array();
  for (std::size_t l = 0; l < static_cast<std::size_t>(cost.levels); ++l) {
    const cost::LevelCost& level = cost.level[l];
    Json tensors = Json::array();
    for (std::size_t t = 0; t < static_cast<std::size_t>(cost.tensors); ++t) {
      tensors.push_back(TrafficToJson(level.tensors[t], workload.tensor_names[t]));
    }
    levels.push_back({{"instances_used", level.instances_used},
                      {"read_cycles", level.read_cycles},
                      {"write_cycles", level.write_cycles},
                      {"network_cycles", level.network_cycles},
                      {"leakage_pj", level.leakage_pj},
                      {"tensors", std::move(tensors)}});
  }
  return {
      {"energy_pj", cost.score.energy_pj},
      {"cycles", cost.score.cycles},
      {"edp", cost.score.edp()},
      {"operations", cost.operations},
      {"compute_cycles", cost.compute_cycles},
      {"compute_energy_pj", cost.compute_energy_pj},
      {"leakage_pj", cost.leakage_pj},
      {"instances_used", cost.instances_used},
      {"utilization", cost.utilization},
      {"binding",
       {{"resource", cost::ResourceName(cost.binding.resource)}, {"level", cost.binding.level}}},
      {"levels", std::move(levels)}};
}

Json ProvenanceToJson(const planner::Provenance& provenance) {
  Json dims = Json::array();
  for (const auto& [name, value] : provenance.dims) {
    dims.push_back({{"name", name}, {"value", value}});
  }
  Json json = {{"tool_version", provenance.tool_version},
               {"model_path", provenance.model_path},
               {"model_hash", provenance.model_hash},
               {"architecture_path", provenance.architecture_path},
               {"architecture_hash", provenance.architecture_hash}};
  if (!provenance.constraints_path.empty()) {
    json["constraints_path"] = provenance.constraints_path;
    json["constraints_hash"] = provenance.constraints_hash;
  }
  json["batch"] = provenance.batch;
  json["dims"] = std::move(dims);
  return json;
}

}  // namespace

std::string PlanToJson(const planner::Plan& plan) {
  Json chains = Json::array();
  for (const planner::ChainNames& chain : plan.chains) {
    chains.push_back({{"levels", chain.levels}, {"compute", chain.compute}});
  }
  Json operators = Json::array();
  for (const planner::OperatorPlan& op : plan.operators) {
    operators.push_back({{"name", op.name}, {"kind", op.kind}, {"solution", op.solution}});
  }
  Json solutions = Json::array();
  for (const planner::Solution& solution : plan.solutions) {
    solutions.push_back(
        {{"chain", solution.chain},
         {"uses", solution.uses},
         {"evaluations", solution.evaluations},
         {"stopped", solution.stopped},
         {"bound", solution.bound},
         {"workload", WorkloadToJson(solution.workload)},
         {"mapping", MappingOf(solution, plan.chains[static_cast<std::size_t>(solution.chain)])},
         {"cost", CostToJson(solution.cost, solution.workload)}});
  }
  const planner::Totals& totals = plan.totals;
  const planner::Provenance& provenance = plan.provenance;
  const Json json = {
      {"format", kPlanFormatName},
      {"version", plan.version},
      {"network", plan.network_name},
      {"architecture", plan.architecture_name},
      {"mapper", provenance.mapper},
      {"objective", provenance.objective},
      {"policy", provenance.policy},
      {"seed", provenance.seed},
      {"imperfect", provenance.imperfect},
      {"complete", plan.complete},
      {"energy_pj", totals.energy_pj},
      {"cycles", totals.cycles},
      {"edp", totals.edp()},
      {"macs", totals.macs},
      {"utilization", totals.utilization},
      {"evaluations", totals.evaluations},
      {"bound", {{"energy_pj", totals.bound_energy_pj}, {"cycles", totals.bound_cycles}}},
      {"provenance", ProvenanceToJson(provenance)},
      {"chains", std::move(chains)},
      {"operators", std::move(operators)},
      {"solutions", std::move(solutions)},
      {"run", {{"seconds", plan.seconds}, {"command", provenance.command}}}};
  std::string out;
  Print(json, 0, out);
  out += '\n';
  return out;
}

}  // namespace sluice::io
