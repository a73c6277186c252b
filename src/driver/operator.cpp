// One operator: map it, score a given mapping of it, ours or Timeloop's, and write mappings.

#include <limits>

#include <fmt/format.h>

#include "base/file.h"
#include "cost/evaluator.h"
#include "driver/driver.h"
#include "driver/search.h"
#include "io/mapping_yaml.h"
#include "io/timeloop_reader.h"
#include "io/timeloop_writer.h"
#include "planner/layerwise.h"

namespace sluice::driver {
namespace {

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

/// Requires a valid mapping.
Result<Evaluation> Score(std::string architecture_name, Subject subject, mapping::Mapping mapping,
                         const cost::Policy& policy) {
  SLUICE_TRY(const cost::Evaluator evaluator,
             cost::Evaluator::Create(subject.workload, subject.chain, policy));
  Evaluation evaluation;
  evaluation.architecture_name = std::move(architecture_name);
  evaluation.chain = std::move(subject.chain);
  evaluation.workload = std::move(subject.workload);
  evaluation.mapping = mapping;
  evaluation.policy = policy;
  evaluation.explanation = Explain(evaluator, mapping);
  evaluation.cost = evaluation.explanation.cost;
  const cost::Score bound = cost::LowerBound(evaluator);
  evaluation.bound_energy_pj = bound.energy_pj;
  evaluation.bound_cycles = bound.cycles;
  return evaluation;
}

/// The violations as one diagnostic: the first is the message, the others are notes.
Diagnostic InvalidMapping(const std::vector<mapping::Violation>& violations,
                          const arch::Chain& chain, const std::string& file) {
  const mapping::Violation& first = violations.front();
  Diagnostic diagnostic(first.code, first.message);
  diagnostic.span.file = file;
  for (const mapping::Violation& violation : violations) {
    if (violation.level >= 0 && violation.words_needed > violation.words_available) {
      const arch::Memory& memory = chain.levels[static_cast<std::size_t>(violation.level)].memory;
      const auto words = static_cast<double>(violation.words_needed) -
                         static_cast<double>(violation.words_available);
      diagnostic.notes.push_back(fmt::format("{} is {:.0f} words ({:.0f} bytes) short", memory.name,
                                             words, words * memory.word_bits / 8));
    }
    if (&violation != &first) {
      diagnostic.notes.push_back(violation.message);
    }
  }
  diagnostic.hint = first.code == ErrorCode::kMappingCapacity
                        ? "make the tiles smaller, or let a tensor bypass the level"
                        : "docs/formats/mapping.md says what a mapping must fulfil";
  return diagnostic;
}

}  // namespace

Result<MapOutcome> MapOperator(const SearchPaths& paths, const std::string& descriptor,
                               const std::string& architecture, const SearchRequest& search) {
  SLUICE_TRY(planner::PlanOptions options, MakePlanOptions(search));
  if (options.evaluations == 0 && options.seconds <= 0) {
    // One operator may take the time that a mapper wants, not what a planner would grant it.
    options.evaluations = std::numeric_limits<std::int64_t>::max();
  }
  SLUICE_TRY(const LoadedArchitecture machine, LoadArchitecture(paths, architecture));
  SLUICE_TRY(const ir::Network network, ir::ParseOperatorDescriptor(descriptor));
  SLUICE_TRY(const planner::Plan plan,
             planner::PlanLayerwise(network, machine.architecture, options));
  const planner::Solution& solution = plan.solutions.front();
  SLUICE_TRY(Subject subject, MakeSubject(network, machine.architecture));
  MapOutcome outcome;
  SLUICE_TRY(outcome.evaluation, Score(machine.architecture.name, std::move(subject),
                                       solution.mapping, options.policy));
  outcome.mapper = plan.provenance.mapper;
  outcome.objective = plan.provenance.objective;
  outcome.seed = search.seed;
  outcome.bound = solution.bound;
  outcome.evaluations = solution.evaluations;
  outcome.seconds = plan.seconds;
  outcome.stopped = solution.stopped;
  outcome.complete = plan.complete;
  return outcome;
}

Result<Evaluation> EvaluateMapping(const SearchPaths& paths, const std::string& descriptor,
                                   const std::string& architecture, const std::string& mapping_file,
                                   const std::string& policy_text) {
  SLUICE_TRY(const cost::Policy policy, cost::ParsePolicy(policy_text));
  SLUICE_TRY(const LoadedArchitecture machine, LoadArchitecture(paths, architecture));
  SLUICE_TRY(const ir::Network network, ir::ParseOperatorDescriptor(descriptor));
  SLUICE_TRY(Subject subject, MakeSubject(network, machine.architecture));
  SLUICE_TRY(const mapping::Mapping mapping,
             io::LoadMapping(mapping_file, subject.workload, subject.chain));
  const auto violations = mapping::CheckMapping(subject.workload, subject.chain, mapping);
  if (!violations.empty()) {
    return Fail(InvalidMapping(violations, subject.chain, mapping_file));
  }
  return Score(machine.architecture.name, std::move(subject), mapping, policy);
}

Result<TimeloopEvaluation> EvaluateTimeloop(const std::vector<std::string>& files,
                                            const std::string& policy_text) {
  SLUICE_TRY(const cost::Policy policy, cost::ParsePolicy(policy_text));
  SLUICE_TRY(io::TimeloopCase loaded, io::LoadTimeloop(files));
  TimeloopEvaluation outcome;
  outcome.warnings = std::move(loaded.warnings);
  SLUICE_TRY(outcome.evaluation,
             Score("the Timeloop machine", {std::move(loaded.workload), std::move(loaded.chain)},
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
  return Fail(Diagnostic(ErrorCode::kUnknownName, fmt::format("cannot write format '{}'", text))
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
