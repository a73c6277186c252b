// See subject_options.h.

#include "cli/subject_options.h"

#include <string>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "base/diagnostic.h"
#include "cli/console.h"
#include "cli/options.h"
#include "driver/catalog/catalog.h"
#include "driver/driver.h"

namespace sluice::cli {

void SubjectOptions::Declare(Options& options, const std::string& op_placeholder,
                             const std::string& op_help) {
  options.Positionals("file", "a plan, or with --from the files to read", &files_);
  options.Text("--arch,-a", "NAME|FILE", "a YAML file, or a name of `sluice archs`", &arch_);
  options.Text("--op", op_placeholder, op_help, &operator_);
  options.Text("--mapping,-m", "FILE", "the mapping of --op", &mapping_);
  options.Text("--from", "FORMAT", "read another tool's files: timeloop", &from_);
  options.Text("--policy", "NAME", "accounting rules: physical or timeloop", &policy_);
}

Result<std::variant<driver::PlanOutcome, driver::Evaluation>> SubjectOptions::Load(
    bool one_of_plan) const {
  using Subject = std::variant<driver::PlanOutcome, driver::Evaluation>;
  const driver::SearchPaths paths = driver::DefaultSearchPaths();
  const bool picks = one_of_plan && files_.size() == 1 && arch_.empty() && mapping_.empty();
  const bool one_operator = (!operator_.empty() && !picks) || !mapping_.empty() || !arch_.empty();
  if (!from_.empty()) {
    if (from_ != "timeloop") {
      return Fail(Diagnostic(ErrorCode::kUnknownName, fmt::format("cannot read format `{}`", from_))
                      .WithHint("--from timeloop is the only one"));
    }
    if (files_.empty() || one_operator) {
      return Fail(Diagnostic(ErrorCode::kUsage, "--from timeloop takes files and no --op")
                      .WithHint("name the architecture, problem, mapping and ERT files"));
    }
    SLUICE_TRY(driver::TimeloopEvaluation loaded,
               driver::EvaluateTimeloop(files_, policy_.empty() ? "timeloop" : policy_));
    for (const std::string& warning : loaded.warnings) {
      PrintError("sluice: warning: " + warning + "\n");
    }
    return Subject(std::move(loaded.evaluation));
  }
  if (one_operator) {
    if (operator_.empty() || mapping_.empty() || arch_.empty() || !files_.empty()) {
      return Fail(Diagnostic(ErrorCode::kUsage, "--op, --arch and --mapping belong together")
                      .WithHint("for example --arch eyeriss --op \"gemm M=64 N=64 K=64\" "
                                "--mapping m.yaml"));
    }
    SLUICE_TRY(driver::Evaluation evaluation,
               driver::EvaluateMapping(paths, operator_, arch_, mapping_,
                                       policy_.empty() ? "physical" : policy_));
    return Subject(std::move(evaluation));
  }
  if (files_.size() != 1) {
    return Fail(
        Diagnostic(ErrorCode::kUsage, files_.empty() ? "nothing to look at" : "more than one plan")
            .WithHint("name a plan, or --arch, --op and --mapping, or --from timeloop and "
                      "its files"));
  }
  if (!policy_.empty()) {
    return Fail(Diagnostic(ErrorCode::kUsage, "a plan is evaluated under the policy it records")
                    .WithHint("leave --policy out, or plan again with --policy " + policy_));
  }
  SLUICE_TRY(driver::PlanOutcome plan, driver::EvaluatePlan(paths, files_[0]));
  return Subject(std::move(plan));
}

}  // namespace sluice::cli
