// Whole networks: plan, re-evaluate, pick an operator to explain.

#include "planner/plan.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "arch/architecture.h"
#include "base/diagnostic.h"
#include "base/parallel.h"
#include "base/text.h"
#include "cost/cost.h"
#include "cost/evaluator.h"
#include "cost/policy.h"
#include "driver/catalog.h"
#include "driver/driver.h"
#include "driver/explain.h"
#include "driver/loaded.h"
#include "driver/requests.h"
#include "driver/search.h"
#include "driver/version.h"
#include "mapper/mapper.h"
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

Result<planner::PlanOptions> MakePlanOptions(const SearchRequest& request) {
  planner::PlanOptions options;
  SLUICE_TRY(options.mapper, mapper::FindMapper(request.mapper));
  SLUICE_TRY(options.policy, cost::ParsePolicy(request.policy));
  SLUICE_TRY(options.objective, cost::ParseObjective(request.objective));
  options.seed = request.seed;
  options.imperfect = request.imperfect;
  options.evaluations = request.budget_evaluations;
  options.seconds = request.budget_seconds;
  options.stop = request.stop;
  options.threads = request.threads > 0 ? request.threads : HardwareThreads();
  if (request.progress) {
    options.progress = [report = request.progress](std::size_t done, std::size_t total,
                                                   std::string_view name) {
      report(static_cast<std::int64_t>(done), static_cast<std::int64_t>(total), name);
    };
  }
  return options;
}

Result<PlanOutcome> PlanNetwork(const SearchPaths& paths, const ModelRequest& model,
                                const std::string& architecture, const SearchRequest& search,
                                const std::string& command_line) {
  // Misspelt options are reported before any file is read.
  if (auto options = MakePlanOptions(search); !options) {
    return Fail(std::move(options).error());
  }
  PlanOutcome outcome;
  SLUICE_TRY(outcome.architecture, LoadArchitecture(paths, architecture));
  SLUICE_TRY(outcome.network, LoadNetwork(paths, model));
  SLUICE_TRY(outcome.plan,
             PlanLoaded(outcome.network, outcome.architecture, model, search, command_line));
  return outcome;
}

Result<PlanEvaluation> EvaluatePlan(const SearchPaths& paths, const std::string& plan_file) {
  SLUICE_TRY(const planner::Plan stored, ReadPlan(plan_file));
  const planner::Provenance& provenance = stored.provenance;
  PlanEvaluation evaluation;
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

Result<Explanation> ExplainOperator(const PlanEvaluation& evaluation, const std::string& name) {
  const planner::Plan& plan = evaluation.plan;
  const planner::OperatorPlan* chosen = nullptr;
  std::vector<std::string> names;
  const auto solution_of = [&plan](const planner::OperatorPlan& op) -> const planner::Solution& {
    return plan.solutions[static_cast<std::size_t>(op.solution)];
  };
  for (const planner::OperatorPlan& op : plan.operators) {
    names.push_back(op.name);
    if (!name.empty() ? op.name == name
                      : op.solution >= 0 &&
                            (chosen == nullptr || solution_of(op).cost.score.energy_pj >
                                                      solution_of(*chosen).cost.score.energy_pj)) {
      chosen = &op;
    }
  }
  if (chosen == nullptr) {
    const std::string closest = ClosestMatch(name, names);
    return Fail(Diagnostic(ErrorCode::kUnknownName,
                           fmt::format("the plan has no operator called '{}'", name))
                    .WithHint(closest.empty() ? "sluice show lists the operators of a model"
                                              : fmt::format("did you mean {}?", closest)));
  }
  if (chosen->solution < 0) {
    return Fail(
        Diagnostic(ErrorCode::kUsage,
                   fmt::format("{} is a view: it moves no bytes and costs nothing", chosen->name)));
  }
  const planner::Solution& solution = solution_of(*chosen);
  SLUICE_TRY(const cost::Policy policy, cost::ParsePolicy(plan.provenance.policy));
  const auto chains = arch::Chains(evaluation.architecture.architecture);
  SLUICE_TRY(const cost::Evaluator evaluator,
             cost::Evaluator::Create(solution.workload,
                                     chains[static_cast<std::size_t>(solution.chain)], policy));
  Explanation explanation = Explain(evaluator, solution.mapping);
  explanation.title = fmt::format("{} ({})", chosen->name, chosen->kind);
  return explanation;
}

}  // namespace sluice::driver
