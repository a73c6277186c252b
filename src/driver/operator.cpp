// One operator: map it, score a given mapping of it, ours or Timeloop's, and write mappings.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "arch/architecture.h"
#include "base/diagnostic.h"
#include "base/file.h"
#include "cost/evaluator.h"
#include "cost/policy.h"
#include "driver/catalog/catalog.h"
#include "driver/driver.h"
#include "driver/load/loaded.h"
#include "driver/requests.h"
#include "driver/search.h"
#include "io/timeloop/reader.h"
#include "io/timeloop/writer.h"
#include "io/yaml/mapping.h"
#include "io/yaml/yaml.h"
#include "ir/network.h"
#include "mapper/exact/exact.h"
#include "mapper/mapper.h"
#include "mapping/constraints.h"
#include "mapping/workload.h"
#include "planner/layerwise.h"
#include "planner/plan.h"

namespace sluice::driver {
namespace {

/// What one operator may take when the user sets no limit: some ten seconds, and most searches end
/// by themselves before.
constexpr std::int64_t kOperatorEvaluations = 80'000'000;

/// The operator of a one-operator network as a workload on its chain.
struct Subject {
  mapping::Workload workload;
  arch::Chain chain;
};

Result<Subject> MakeSubject(const ir::Network& network, const arch::Architecture& architecture) {
  const ir::Operator& op = network.operators.front();
  Subject subject;
  SLUICE_TRY(subject.workload, mapping::MakeWorkload(op, network));
  SLUICE_TRY(subject.chain, arch::ChainFor(architecture, op.body));
  return subject;
}

}  // namespace

Result<MapOutcome> MapOperator(const SearchPaths& paths, const std::string& descriptor,
                               const std::string& architecture, const SearchRequest& search) {
  SLUICE_TRY(SearchSetup setup, MakeSearch(search));
  planner::PlanOptions& options = setup.options;
  options.substitute = false;
  if (options.evaluations == 0 && options.seconds <= 0 && !setup.mapper.coded) {
    // One operator may take the time that a mapper wants, not what a planner would grant it.
    options.evaluations = kOperatorEvaluations;
  }
  SLUICE_TRY(const LoadedArchitecture machine, LoadArchitecture(paths, architecture));
  SLUICE_TRY(const ir::Network network, ir::ParseOperatorDescriptor(descriptor));
  SLUICE_TRY(const planner::Plan plan, RunSearch(search, setup, network, machine.architecture));
  const planner::Solution& solution = plan.solutions.front();
  SLUICE_TRY(const Subject subject, MakeSubject(network, machine.architecture));
  MapOutcome outcome;
  SLUICE_TRY(outcome.evaluation, ScoreMapping(machine.architecture.name, subject.workload,
                                              subject.chain, solution.mapping, options.policy));
  outcome.mapper = plan.provenance.mapper;
  outcome.objective = plan.provenance.objective;
  outcome.seed = search.seed;
  outcome.bound = solution.bound;
  outcome.evaluations = solution.evaluations;
  outcome.seconds = plan.seconds;
  outcome.candidates = solution.candidates;
  outcome.ruled_out = solution.ruled_out;
  outcome.stopped = solution.stopped;
  outcome.constraints = plan.provenance.constraints_path;
  outcome.complete = plan.complete;
  return outcome;
}

Result<FrontOutcome> MapFront(const SearchPaths& paths, const std::string& descriptor,
                              const std::string& architecture, const SearchRequest& search) {
  if (search.imperfect) {
    return Fail(Diagnostic(ErrorCode::kUsage, "the front covers factors that divide only")
                    .WithHint("leave out --imperfect or --front"));
  }
  SLUICE_TRY(const SearchSetup setup, MakeSearch(search));
  const planner::PlanOptions& options = setup.options;
  SLUICE_TRY(const LoadedArchitecture machine, LoadArchitecture(paths, architecture));
  SLUICE_TRY(const ir::Network network, ir::ParseOperatorDescriptor(descriptor));
  SLUICE_TRY(const Subject subject, MakeSubject(network, machine.architecture));
  SLUICE_TRY(const cost::Evaluator evaluator,
             cost::Evaluator::Create(subject.workload, subject.chain, options.policy));
  mapper::Problem problem;
  problem.evaluator = &evaluator;
  problem.objective = options.objective;
  problem.seed = options.seed;
  mapping::Constraints constraints;
  if (options.constraints != nullptr) {
    SLUICE_TRY(constraints, mapping::BindConstraints(*options.constraints, subject.workload,
                                                     subject.chain, false));
    problem.constraints = &constraints;
  }
  mapper::Budget budget;
  budget.evaluations = options.evaluations > 0 ? options.evaluations : kOperatorEvaluations;
  if (options.seconds > 0) {
    budget.seconds = options.seconds;
  }
  budget.stop = options.stop;
  const mapper::ExactMapper::Front front = mapper::ExactMapper().SolveFront(problem, budget);
  FrontOutcome outcome;
  outcome.architecture_name = machine.architecture.name;
  outcome.workload = subject.workload;
  outcome.policy = options.policy;
  for (const mapper::Result& point : front.points) {
    if (point.best) {
      outcome.points.push_back({*point.best, point.score});
    }
  }
  if (outcome.points.empty()) {
    return Fail(Diagnostic(ErrorCode::kNoValidMapping,
                           fmt::format("no valid mapping of `{}` was found", descriptor))
                    .WithHint("`sluice map` without --front says what is missing"));
  }
  outcome.proven = front.complete;
  outcome.stopped = std::string(mapper::StopReasonName(front.stopped));
  outcome.seconds = front.seconds;
  return outcome;
}

Result<Evaluation> EvaluateMapping(const SearchPaths& paths, const std::string& descriptor,
                                   const std::string& architecture, const std::string& mapping_file,
                                   const std::string& policy_text) {
  SLUICE_TRY(const cost::Policy policy, cost::ParsePolicy(policy_text));
  SLUICE_TRY(const LoadedArchitecture machine, LoadArchitecture(paths, architecture));
  SLUICE_TRY(const ir::Network network, ir::ParseOperatorDescriptor(descriptor));
  SLUICE_TRY(std::string text, ReadFile(mapping_file, io::kMaxYamlBytes));
  return EvaluateLoaded(network, network.operators.front(), machine, std::move(text), mapping_file,
                        policy);
}

Result<TimeloopEvaluation> EvaluateTimeloop(const std::vector<std::string>& files,
                                            const std::string& policy_text) {
  SLUICE_TRY(const cost::Policy policy, cost::ParsePolicy(policy_text));
  SLUICE_TRY(io::TimeloopCase loaded, io::LoadTimeloop(files));
  TimeloopEvaluation outcome;
  outcome.warnings = std::move(loaded.warnings);
  SLUICE_TRY(outcome.evaluation, ScoreMapping("the Timeloop machine", loaded.workload, loaded.chain,
                                              loaded.mapping, policy));
  return outcome;
}

Result<MappingFormat> ParseMappingFormat(const std::string& text) {
  if (text == "yaml") {
    return MappingFormat::kYaml;
  }
  if (text == "timeloop") {
    return MappingFormat::kTimeloop;
  }
  return Fail(Diagnostic(ErrorCode::kUnknownName, fmt::format("cannot write format `{}`", text))
                  .WithHint("write --to yaml or --to timeloop"));
}

Result<std::vector<std::string>> WriteMapping(const std::string& path, const Evaluation& evaluation,
                                              MappingFormat format) {
  if (format == MappingFormat::kYaml) {
    SLUICE_TRY_STATUS(WriteFileAtomic(
        path, io::WriteMappingYaml(evaluation.mapping, evaluation.workload, evaluation.chain)));
    return std::vector<std::string>{};
  }
  SLUICE_TRY(const io::TimeloopText text,
             io::WriteTimeloop(evaluation.workload, evaluation.chain, evaluation.mapping));
  SLUICE_TRY_STATUS(WriteFileAtomic(path, text.Merged()));
  return text.notes;
}

}  // namespace sluice::driver
