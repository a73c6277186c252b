/// \file
/// A plan in the payload. Every number comes from the plan's Cost or from the evaluator that made
/// it; nothing is estimated here. See payload.h for the shape.

#include "report/payload.h"

#include <cstddef>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "arch/architecture.h"
#include "base/diagnostic.h"
#include "cost/cost.h"
#include "cost/evaluator.h"
#include "cost/explain.h"
#include "cost/policy.h"
#include "ir/network.h"
#include "mapping/directives.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"
#include "planner/plan.h"
#include "report/report.h"

namespace sluice::report {
namespace {

constexpr int kPayloadVersion = 1;

std::size_t Index(int i) {
  return static_cast<std::size_t>(i);
}

Diagnostic Mismatch(std::string message) {
  return Diagnostic(ErrorCode::kPlanMismatch, std::move(message))
      .WithHint("report a plan together with the model and the architecture it was made for");
}

/// `2P + R` for every axis, comma separated.
std::string AxesText(const mapping::Workload& workload, const mapping::WorkloadTensor& tensor) {
  std::string text;
  for (const mapping::WorkloadAxis& axis : tensor.axes) {
    text += text.empty() ? "" : ", ";
    bool first = true;
    for (const mapping::WorkloadTerm& term : axis) {
      text += first ? "" : " + ";
      text += term.coefficient == 1 ? "" : fmt::format("{} ", term.coefficient);
      text += workload.dim_names[Index(term.dim)];
      first = false;
    }
    text += first ? "0" : "";
  }
  return text;
}

/// Tensors by their labels: operators that share the workload have names of their own.
Json WorkloadPayload(const mapping::Workload& workload) {
  Json dims = Json::array();
  for (std::size_t d = 0; d < workload.dim_names.size(); ++d) {
    dims.push_back(
        Json::array({workload.dim_names[d], workload.bounds[d], (workload.whole >> d & 1U) != 0}));
  }
  Json tensors = Json::array();
  for (std::size_t t = 0; t < workload.tensors.size(); ++t) {
    tensors.push_back(Json::array(
        {workload.tensor_names[t], arch::TensorClassName(workload.tensors[t].tensor_class),
         workload.footprint(t), AxesText(workload, workload.tensors[t])}));
  }
  Json body = Json::array();
  for (const ir::Work& work : workload.body) {
    body.push_back(Json::array({arch::WorkClassName(work.work_class), work.per_point}));
  }
  return {{"dims", std::move(dims)}, {"tensors", std::move(tensors)}, {"body", std::move(body)}};
}

Json TrafficPayload(const cost::Cost& cost) {
  Json rows = Json::array();
  for (int l = 0; l < cost.levels; ++l) {
    for (int t = 0; t < cost.tensors; ++t) {
      const cost::TensorTraffic& c = cost.level[Index(l)].tensors[Index(t)];
      if (c.kept || c.energy_pj != 0 || c.network_energy_pj != 0 || c.network_words != 0) {
        rows.push_back(
            Json::array({l, t, c.tile_words, c.reads, c.fills, c.updates, c.energy_pj,
                         c.network_words, c.hops, c.spatial_reductions, c.network_energy_pj,
                         c.kept ? 1 : 0, c.read_blocks, c.fill_blocks, c.update_blocks}));
      }
    }
  }
  return rows;
}

Json LevelsPayload(const cost::Cost& cost) {
  Json rows = Json::array();
  for (int l = 0; l < cost.levels; ++l) {
    const cost::LevelCost& c = cost.level[Index(l)];
    rows.push_back(Json::array(
        {c.instances_used, c.read_cycles, c.write_cycles, c.network_cycles, c.leakage_pj}));
  }
  return rows;
}

Json EdgesPayload(const cost::Evaluator& evaluator, const mapping::Mapping& mapping,
                  const cost::Cost& cost) {
  Json rows = Json::array();
  for (const cost::EdgeExplanation& edge : cost::ExplainEdges(evaluator, mapping, cost)) {
    Json moves = Json::array();
    for (const cost::MoveTerm& move : edge.moves) {
      if (move.bound > 1) {
        moves.push_back(
            Json::array({move.level, move.dim, move.bound, move.moves, move.new_words}));
      }
    }
    rows.push_back(
        Json::array({edge.tensor, edge.parent, edge.child, edge.tile_words, edge.delivered_each,
                     edge.children, edge.distinct, edge.exact_terms ? 1 : 0, std::move(moves)}));
  }
  return rows;
}

Result<Json> SolutionPayload(const planner::Solution& solution,
                             const std::vector<arch::Chain>& chains, const cost::Policy& policy) {
  if (solution.chain < 0 || Index(solution.chain) >= chains.size()) {
    return Fail(Mismatch(fmt::format("`{}` is planned on chain {}, but the architecture has {}",
                                     solution.workload.name, solution.chain, chains.size())));
  }
  const arch::Chain& chain = chains[Index(solution.chain)];
  const cost::Cost& cost = solution.cost;
  if (solution.mapping.levels.size() != chain.levels.size() ||
      Index(cost.levels) != chain.levels.size() ||
      Index(cost.tensors) != solution.workload.tensors.size()) {
    return Fail(Mismatch(fmt::format("`{}` is mapped onto {} levels, but its chain has {}",
                                     solution.workload.name, solution.mapping.levels.size(),
                                     chain.levels.size())));
  }
  const auto violations = mapping::CheckMapping(solution.workload, chain, solution.mapping);
  if (!violations.empty()) {
    return Fail(Mismatch(fmt::format("the mapping of `{}` is not valid: {}", solution.workload.name,
                                     violations.front().message)));
  }
  SLUICE_TRY(const cost::Evaluator evaluator,
             cost::Evaluator::Create(solution.workload, chain, policy));
  mapping::Workload labelled = solution.workload;
  labelled.tensor_names = mapping::TensorLabels(solution.workload);
  SLUICE_TRY(std::string directives, mapping::PrintDirectives(labelled, chain, solution.mapping));
  const cost::Score bound = cost::LowerBound(evaluator);
  Json json = WorkloadPayload(labelled);
  json["chain"] = solution.chain;
  json["uses"] = solution.uses;
  json["evaluations"] = solution.evaluations;
  json["stopped"] = solution.stopped;
  json["bound"] = solution.bound;
  json["energy_pj"] = cost.score.energy_pj;
  json["cycles"] = cost.score.cycles;
  json["bound_energy_pj"] = bound.energy_pj;
  json["bound_cycles"] = bound.cycles;
  json["operations"] = cost.operations;
  json["compute_cycles"] = cost.compute_cycles;
  json["compute_energy_pj"] = cost.compute_energy_pj;
  json["leakage_pj"] = cost.leakage_pj;
  json["instances_used"] = cost.instances_used;
  json["utilization"] = cost.utilization;
  // What all units together execute in a cycle, in points of this iteration space.
  json["peak"] = static_cast<double>(evaluator.compiled().compute_units) /
                 evaluator.compiled().cycles_per_point;
  json["binding"] = Json::array({cost::ResourceName(cost.binding.resource), cost.binding.level});
  json["levels"] = LevelsPayload(cost);
  json["traffic"] = TrafficPayload(cost);
  json["edges"] = EdgesPayload(evaluator, solution.mapping, cost);
  json["nest"] = mapping::PrintLoopNest(labelled, chain, solution.mapping);
  json["directives"] = std::move(directives);
  return json;
}

/// Operators that write each tensor. Several may: a concatenation has one writer a range.
std::vector<std::vector<int>> WritersOf(const ir::Network& network) {
  std::vector<std::vector<int>> writers(network.tensors.size());
  for (std::size_t i = 0; i < network.operators.size(); ++i) {
    const ir::TensorId written = network.operators[i].output().tensor;
    writers[Index(written.value)].push_back(static_cast<int>(i));
  }
  return writers;
}

/// Earlier operators whose results operator `i` reads, ascending. A carried tensor (what a
/// recurrent layer held one step earlier) has no writer and makes no edge.
std::set<int> ProducersOf(const ir::Network& network, std::size_t i,
                          const std::vector<std::vector<int>>& writers) {
  std::set<int> producers;
  const ir::Operator& op = network.operators[i];
  const auto add = [&](ir::TensorId tensor) {
    for (const int writer : writers[Index(tensor.value)]) {
      if (Index(writer) < i) {
        producers.insert(writer);
      }
    }
  };
  for (const ir::Access& access : op.accesses) {
    if (access.mode == ir::AccessMode::kRead) {
      add(access.tensor);
    }
  }
  const ir::TensorId source = network.tensor(op.output().tensor).storage;
  if (op.is_view() && source.valid()) {
    add(source);
  }
  return producers;
}

Result<Json> OperatorsPayload(const planner::Plan& plan, const ir::Network& network) {
  if (plan.operators.size() != network.operators.size()) {
    return Fail(Mismatch(fmt::format("the plan has {} operators, the network {}",
                                     plan.operators.size(), network.operators.size())));
  }
  const auto writers = WritersOf(network);
  Json list = Json::array();
  for (std::size_t i = 0; i < plan.operators.size(); ++i) {
    const planner::OperatorPlan& part = plan.operators[i];
    const ir::Operator& op = network.operators[i];
    if (part.name != op.name || part.solution >= static_cast<int>(plan.solutions.size())) {
      return Fail(Mismatch(fmt::format("operator {} of the plan is `{}`, that of the network `{}`",
                                       i, part.name, op.name)));
    }
    std::vector<std::string> tensors;
    if (part.solution >= 0) {
      SLUICE_TRY(mapping::Workload workload, mapping::MakeWorkload(op, network));
      tensors = std::move(workload.tensor_names);
    }
    list.push_back(
        Json::array({part.name, part.kind, part.solution, ProducersOf(network, i, writers),
                     network.tensor(op.output().tensor).shape,
                     writers[Index(op.output().tensor.value)].front(), std::move(tensors)}));
  }
  return list;
}

Json PlanPayload(const planner::Plan& plan) {
  const planner::Totals& totals = plan.totals;
  const planner::Provenance& p = plan.provenance;
  Json dims = Json::array();
  for (const auto& [name, value] : p.dims) {
    dims.push_back(Json::array({name, value}));
  }
  return {{"network", plan.network_name},
          {"architecture", plan.architecture_name},
          {"format_version", plan.version},
          {"complete", plan.complete},
          {"seconds", plan.seconds},
          {"energy_pj", totals.energy_pj},
          {"cycles", totals.cycles},
          {"edp", totals.edp()},
          {"macs", totals.macs},
          {"utilization", totals.utilization},
          {"bound_energy_pj", totals.bound_energy_pj},
          {"bound_cycles", totals.bound_cycles},
          {"evaluations", totals.evaluations},
          {"provenance",
           {{"tool_version", p.tool_version},
            {"command", p.command},
            {"model_path", p.model_path},
            {"model_hash", p.model_hash},
            {"architecture_path", p.architecture_path},
            {"architecture_hash", p.architecture_hash},
            {"constraints_path", p.constraints_path},
            {"constraints_hash", p.constraints_hash},
            {"mapper", p.mapper},
            {"policy", p.policy},
            {"objective", p.objective},
            {"seed", std::to_string(p.seed)},
            {"imperfect", p.imperfect},
            {"batch", p.batch},
            {"dims", std::move(dims)}}}};
}

}  // namespace

Result<Json> SubjectPayload(const Subject& subject) {
  SLUICE_CHECK(
      subject.plan != nullptr && subject.network != nullptr && subject.architecture != nullptr,
      "a report needs a plan, its network and its architecture");
  const planner::Plan& plan = *subject.plan;
  SLUICE_TRY(const cost::Policy policy, cost::ParsePolicy(plan.provenance.policy));
  const std::vector<arch::Chain> chains = arch::Chains(*subject.architecture);
  Json json = {{"plan", PlanPayload(plan)},
               {"warnings", subject.network->warnings},
               {"architecture", ArchitecturePayload(*subject.architecture)},
               {"chains", ChainsPayload(chains)}};
  SLUICE_TRY(json["operators"], OperatorsPayload(plan, *subject.network));
  Json solutions = Json::array();
  for (const planner::Solution& solution : plan.solutions) {
    SLUICE_TRY(Json item, SolutionPayload(solution, chains, policy));
    solutions.push_back(std::move(item));
  }
  json["solutions"] = std::move(solutions);
  return json;
}

std::string JsonText(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<Json> FullPayload(std::span<const Subject> subjects) {
  SLUICE_CHECK(subjects.size() == 1 || subjects.size() == 2, "a report shows one plan or two");
  Json reports = Json::array();
  for (const Subject& subject : subjects) {
    SLUICE_TRY(Json report, SubjectPayload(subject));
    reports.push_back(std::move(report));
  }
  return Json{
      {"format", "sluice-report"}, {"version", kPayloadVersion}, {"reports", std::move(reports)}};
}

Result<std::string> Payload(std::span<const Subject> subjects) {
  SLUICE_TRY(Json payload, FullPayload(subjects));
  Compact(payload);
  return JsonText(payload);
}

}  // namespace sluice::report
