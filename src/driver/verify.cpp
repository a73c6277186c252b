#include "driver/verify.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "arch/architecture.h"
#include "base/diagnostic.h"
#include "base/file.h"
#include "cost/certificate.h"
#include "cost/cost.h"
#include "cost/evaluator.h"
#include "cost/policy.h"
#include "driver/catalog/catalog.h"
#include "driver/driver.h"
#include "driver/requests.h"
#include "driver/search.h"
#include "io/certificate_json.h"
#include "ir/network.h"
#include "mapper/exact/certify.h"
#include "mapper/mapper.h"
#include "mapping/constraints.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"
#include "planner/layerwise.h"
#include "planner/plan.h"
#include "verify/verify.h"

namespace sluice::driver {
namespace {

constexpr std::int64_t kMaxBytes = std::int64_t{256} << 20U;

/// What both kinds of files are checked against.
struct Ground {
  const arch::Architecture& architecture;
  const cost::Policy& policy;
  const mapping::ConstraintSpec* spec;
  verify::Limits limits;
};

/// Constraints of a whole architecture, for one operator.
Result<mapping::Constraints> Bind(const Ground& ground, const mapping::Workload& workload,
                                  const arch::Chain& chain) {
  const auto names = arch::MemoryNames(arch::Chains(ground.architecture));
  return mapping::BindConstraints(*ground.spec, workload, chain, false, names);
}

template <class Check>
Result<verify::Report> OnGround(const Ground& ground, const mapping::Workload& workload,
                                const arch::Chain& chain, const Check& check) {
  SLUICE_TRY(const cost::Evaluator evaluator,
             cost::Evaluator::Create(workload, chain, ground.policy));
  if (ground.spec == nullptr) {
    return check(evaluator, nullptr);
  }
  SLUICE_TRY(const mapping::Constraints constraints, Bind(ground, workload, chain));
  return check(evaluator, &constraints);
}

Result<SearchSetup> Setup(const std::string& policy, const std::string& objective,
                          const std::string& constraints) {
  SearchRequest search;
  search.policy = policy;
  search.objective = objective;
  search.constraints = constraints;
  return MakeSearch(search);
}

Result<Verification> VerifyCertificate(const SearchPaths& paths, const VerifyRequest& request,
                                       const std::string& text) {
  SLUICE_TRY(const io::CertificateFile file, io::CertificateFromJson(text, request.file));
  const cost::Certificate& certificate = file.certificate;
  const std::string objective(cost::ObjectiveName(certificate.objective));
  SLUICE_TRY(const SearchSetup setup, Setup(file.policy, objective, file.constraints));
  SLUICE_TRY(const LoadedArchitecture machine,
             LoadArchitecture(
                 paths, request.architecture.empty() ? file.architecture : request.architecture));
  SLUICE_TRY(const ir::Network network, ir::ParseOperatorDescriptor(file.descriptor));
  const ir::Operator& op = network.operators.front();
  SLUICE_TRY(const mapping::Workload workload, mapping::MakeWorkload(op, network));
  SLUICE_TRY(const arch::Chain chain, arch::ChainFor(machine.architecture, op.body));
  Verification verification;
  verification.architecture_name = machine.architecture.name;
  VerifiedOperator& verified = verification.operators.emplace_back();
  verified.name = file.descriptor;
  verified.objective = objective;
  verified.value = certificate.score.value(certificate.objective);
  verified.bound = certificate.bound;
  const Ground ground = {machine.architecture,
                         setup.options.policy,
                         setup.options.constraints,
                         {request.seconds, request.stop}};
  SLUICE_TRY(verified.report,
             OnGround(ground, workload, chain,
                      [&](const cost::Evaluator& evaluator, const mapping::Constraints* rules) {
                        return verify::Check(evaluator, rules, certificate, ground.limits);
                      }));
  return verification;
}

/// The plan, after everything about it but its bounds was checked.
Result<PlanOutcome> SoundPlan(const SearchPaths& paths, const VerifyRequest& request) {
  if (request.architecture.empty()) {
    return EvaluatePlan(paths, request.file);
  }
  PlanOutcome outcome;
  SLUICE_TRY(const planner::Plan stored, ReadPlan(request.file));
  SLUICE_TRY(outcome.architecture, LoadArchitecture(paths, request.architecture));
  SLUICE_TRY(outcome.plan, planner::Reevaluate(stored, nullptr, outcome.architecture.architecture));
  if (const auto difference = planner::FirstDifference(stored, outcome.plan)) {
    return Fail(Diagnostic(ErrorCode::kPlanMismatch,
                           "the plan claims a figure that its mappings do not have here")
                    .WithNote("in the plan, then recomputed: " + *difference)
                    .WithHint("verify the plan on the architecture it was made for"));
  }
  return outcome;
}

Result<verify::Report> VerifySolution(const Ground& ground, const planner::Solution& solution,
                                      cost::Objective objective, bool imperfect) {
  if (imperfect) {
    verify::Report report;
    report.reason = "factors that do not divide are not covered";
    return report;
  }
  const std::vector<arch::Chain> chains = arch::Chains(ground.architecture);
  return OnGround(ground, solution.workload, chains[static_cast<std::size_t>(solution.chain)],
                  [&](const cost::Evaluator& evaluator, const mapping::Constraints* rules) {
                    return verify::CheckClaim(
                        evaluator, rules,
                        {objective, solution.mapping, solution.cost.score, solution.bound},
                        ground.limits);
                  });
}

Result<Verification> VerifyPlan(const SearchPaths& paths, const VerifyRequest& request) {
  SLUICE_TRY(const PlanOutcome outcome, SoundPlan(paths, request));
  const planner::Plan& plan = outcome.plan;
  const planner::Provenance& provenance = plan.provenance;
  SLUICE_TRY(const SearchSetup setup,
             Setup(provenance.policy, provenance.objective, provenance.constraints_path));
  if (setup.constraints != nullptr && setup.constraints->hash != provenance.constraints_hash) {
    return Fail(Diagnostic(ErrorCode::kPlanMismatch,
                           fmt::format("the constraints {} are not those that the plan was made "
                                       "for",
                                       provenance.constraints_path))
                    .WithHint("restore that version of the file, or plan again"));
  }
  const Ground ground = {outcome.architecture.architecture,
                         setup.options.policy,
                         setup.options.constraints,
                         {request.seconds, request.stop}};
  Verification verification;
  verification.architecture_name = outcome.architecture.architecture.name;
  for (std::size_t i = 0; i < plan.solutions.size(); ++i) {
    const planner::Solution& solution = plan.solutions[i];
    VerifiedOperator& verified = verification.operators.emplace_back();
    const auto user =
        std::ranges::find(plan.operators, static_cast<int>(i), &planner::OperatorPlan::solution);
    verified.name = user == plan.operators.end() ? solution.workload.name : user->name;
    verified.uses = solution.uses;
    verified.objective = provenance.objective;
    verified.value = solution.cost.score.value(setup.options.objective);
    verified.bound = solution.bound;
    SLUICE_TRY(verified.report,
               VerifySolution(ground, solution, setup.options.objective, provenance.imperfect));
  }
  return verification;
}

bool IsRagged(const mapping::Mapping& mapping) {
  for (const mapping::LevelMapping& level : mapping.levels) {
    for (const mapping::LoopList* loops : {&level.temporal, &level.spatial_x, &level.spatial_y}) {
      for (const mapping::Loop& loop : *loops) {
        if (loop.last != loop.bound) {
          return true;
        }
      }
    }
  }
  return false;
}

}  // namespace

int Verification::Count(verify::Verdict verdict) const {
  return static_cast<int>(std::ranges::count_if(
      operators, [verdict](const VerifiedOperator& op) { return op.report.verdict == verdict; }));
}

Result<Verification> VerifyFile(const SearchPaths& paths, const VerifyRequest& request) {
  SLUICE_TRY(const std::string text, ReadFile(request.file, kMaxBytes));
  const std::string_view head = std::string_view(text).substr(0, 256);
  if (head.find(io::kCertificateFormatName) != std::string_view::npos) {
    return VerifyCertificate(paths, request, text);
  }
  return VerifyPlan(paths, request);
}

Result<std::int64_t> WriteCertificate(const std::string& path, const MapOutcome& outcome,
                                      const std::string& descriptor,
                                      const std::string& architecture) {
  const Evaluation& evaluation = outcome.evaluation;
  io::CertificateFile file;
  file.descriptor = descriptor;
  file.architecture = architecture;
  file.policy = cost::PolicyText(evaluation.policy);
  file.constraints = outcome.constraints;
  SLUICE_TRY(const SearchSetup setup, Setup(file.policy, outcome.objective, outcome.constraints));
  SLUICE_TRY(const cost::Evaluator evaluator,
             cost::Evaluator::Create(evaluation.workload, evaluation.chain, evaluation.policy));
  mapper::Problem problem;
  problem.evaluator = &evaluator;
  problem.objective = setup.options.objective;
  mapping::Constraints constraints;
  if (setup.options.constraints != nullptr) {
    SLUICE_TRY(const LoadedArchitecture machine,
               LoadArchitecture(DefaultSearchPaths(), architecture));
    const Ground ground = {machine.architecture, evaluation.policy, setup.options.constraints, {}};
    SLUICE_TRY(constraints, Bind(ground, evaluation.workload, evaluation.chain));
    problem.constraints = &constraints;
  }
  mapper::Result result;
  result.best = evaluation.mapping;
  result.score = evaluation.cost.score;
  result.bound = outcome.bound;
  result.evaluations = outcome.evaluations;
  result.candidates = outcome.candidates;
  result.ruled_out = outcome.ruled_out;
  if (outcome.stopped == mapper::StopReasonName(mapper::StopReason::kProven) &&
      !IsRagged(evaluation.mapping)) {
    result.stopped = mapper::StopReason::kProven;
  }
  auto certificate = mapper::Certify(problem, result);
  if (!certificate) {
    return Fail(Diagnostic(ErrorCode::kUsage,
                           fmt::format("nothing was proven that {} could certify: the search "
                                       "stopped with `{}`",
                                       path, outcome.stopped))
                    .WithHint("use --mapper exact, without --imperfect and with a larger budget"));
  }
  file.certificate = std::move(*certificate);
  const std::string text = io::CertificateToJson(file);
  SLUICE_TRY_STATUS(WriteFileAtomic(path, text));
  return static_cast<std::int64_t>(text.size());
}

}  // namespace sluice::driver
