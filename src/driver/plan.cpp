// Whole networks: plan, re-evaluate, pick an operator.

#include "planner/plan.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "arch/architecture.h"
#include "base/diagnostic.h"
#include "base/text.h"
#include "cost/cost.h"
#include "cost/policy.h"
#include "driver/catalog/catalog.h"
#include "driver/catalog/version.h"
#include "driver/driver.h"
#include "driver/load/loaded.h"
#include "driver/requests.h"
#include "driver/search.h"
#include "ir/network.h"
#include "mapping/workload.h"
#include "planner/layerwise.h"

namespace sluice::driver {
namespace {

/// The recorded path if it still exists, else the shipped file of the same name. The hash decides
/// whether it is the right one.
std::string Relocate(const std::string& recorded, const std::vector<CatalogEntry>& shipped) {
  std::error_code error;
  if (std::filesystem::exists(recorded, error)) {
    return recorded;
  }
  const std::string stem = std::filesystem::path(recorded).stem().string();
  const auto found = std::ranges::find(shipped, stem, &CatalogEntry::name);
  return found == shipped.end() ? recorded : found->path;
}

Status CheckHash(std::string_view what, const std::string& path, const std::string& recorded,
                 const std::string& found) {
  if (recorded == found) {
    return {};
  }
  return Fail(
      Diagnostic(ErrorCode::kPlanMismatch,
                 fmt::format("the {} {} is not the one that the plan was made for", what, path))
          .WithNote(fmt::format("content hash in the plan: {}", recorded))
          .WithNote(fmt::format("content hash of the file: {}", found))
          .WithHint(fmt::format("restore that version of the file, or plan again")));
}

}  // namespace

Result<PlanOutcome> PlanNetwork(const SearchPaths& paths, const ModelRequest& model,
                                const std::string& architecture, const SearchRequest& search,
                                const std::string& command_line) {
  // Misspelt options are reported before any file is read.
  if (auto setup = MakeSearch(search); !setup) {
    return Fail(std::move(setup).error());
  }
  PlanOutcome outcome;
  SLUICE_TRY(outcome.architecture, LoadArchitecture(paths, architecture));
  SLUICE_TRY(outcome.network, LoadNetwork(paths, model));
  SLUICE_TRY(outcome.plan,
             PlanLoaded(outcome.network, outcome.architecture, model, search, command_line));
  return outcome;
}

Result<PlanOutcome> EvaluatePlan(const SearchPaths& paths, const std::string& plan_file) {
  SLUICE_TRY(const planner::Plan stored, ReadPlan(plan_file));
  const planner::Provenance& provenance = stored.provenance;
  PlanOutcome evaluation;
  SLUICE_TRY(evaluation.architecture, LoadArchitecture(paths, Relocate(provenance.architecture_path,
                                                                       ListArchitectures(paths))));
  SLUICE_TRY_STATUS(CheckHash("architecture", evaluation.architecture.path,
                              provenance.architecture_hash, evaluation.architecture.hash));
  ModelRequest model;
  model.model = Relocate(provenance.model_path, ListModels(paths));
  model.batch = provenance.batch;
  model.dims = provenance.dims;
  // Whether unknown operators were skipped is not recorded; the operators are compared below.
  model.skip_unknown = true;
  SLUICE_TRY(evaluation.network, LoadNetwork(paths, model));
  const LoadedNetwork& network = evaluation.network;
  SLUICE_TRY_STATUS(CheckHash("model", network.path, provenance.model_hash, network.hash));
  SLUICE_TRY(evaluation.plan,
             planner::Reevaluate(stored, &network.network, evaluation.architecture.architecture));
  if (const auto difference = planner::FirstDifference(stored, evaluation.plan)) {
    return Fail(Diagnostic(ErrorCode::kPlanMismatch,
                           "the plan claims a figure that its mappings do not have")
                    .WithNote("in the plan, then recomputed: " + *difference)
                    .WithHint(provenance.tool_version == ToolVersion()
                                  ? "the file was edited or damaged; plan again"
                                  : fmt::format("the plan was made by Sluice {}, this is {}; plan "
                                                "again to compare",
                                                provenance.tool_version, ToolVersion())));
  }
  return evaluation;
}

Result<std::size_t> FindOperator(const planner::Plan& plan, const std::string& name) {
  const auto energy = [&plan](const planner::OperatorPlan& op) {
    return op.solution < 0
               ? -1.0
               : plan.solutions[static_cast<std::size_t>(op.solution)].cost.score.energy_pj;
  };
  const auto found = name.empty()
                         ? std::ranges::max_element(plan.operators, {}, energy)
                         : std::ranges::find(plan.operators, name, &planner::OperatorPlan::name);
  if (found != plan.operators.end()) {
    return static_cast<std::size_t>(found - plan.operators.begin());
  }
  std::size_t number = 0;
  const char* const end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data(), end, number);
  if (error == std::errc() && stop == end && number < plan.operators.size()) {
    return number;
  }
  std::vector<std::string> names;
  names.reserve(plan.operators.size());
  for (const planner::OperatorPlan& op : plan.operators) {
    names.push_back(op.name);
  }
  const std::string closest = ClosestMatch(name, names);
  return Fail(
      Diagnostic(ErrorCode::kUnknownName, fmt::format("the plan has no operator called `{}`", name))
          .WithHint(closest.empty() ? "`sluice show` lists the operators of a model"
                                    : fmt::format("did you mean `{}`?", closest)));
}

Result<Evaluation> EvaluateOperator(const PlanOutcome& outcome, std::size_t index) {
  const planner::Plan& plan = outcome.plan;
  const planner::OperatorPlan& op = plan.operators[index];
  if (op.solution < 0) {
    return Fail(ErrorCode::kUsage,
                fmt::format("`{}` is a view: it moves no bytes and has no mapping", op.name));
  }
  const planner::Solution& solution = plan.solutions[static_cast<std::size_t>(op.solution)];
  const arch::Architecture& architecture = outcome.architecture.architecture;
  const ir::Network& network = outcome.network.network;
  SLUICE_TRY(const cost::Policy policy, cost::ParsePolicy(plan.provenance.policy));
  SLUICE_TRY(const mapping::Workload workload,
             mapping::MakeWorkload(network.operators[index], network));
  SLUICE_TRY(Evaluation evaluation,
             ScoreMapping(architecture.name, workload,
                          arch::Chains(architecture)[static_cast<std::size_t>(solution.chain)],
                          solution.mapping, policy));
  evaluation.explanation.title = fmt::format("{} ({})", op.name, op.kind);
  return evaluation;
}

}  // namespace sluice::driver
