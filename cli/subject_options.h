#pragma once
/// \file
/// What `evaluate` and `explain` look at: a plan file, or one operator with a mapping (ours or
/// Timeloop's).

#include <string>
#include <variant>
#include <vector>

#include "base/diagnostic.h"
#include "cli/options.h"
#include "driver/driver.h"

namespace sluice::cli {

class SubjectOptions {
 public:
  /// What `--op` takes differs: see Load.
  void Declare(Options& options, const std::string& op_placeholder, const std::string& op_help);
  /// `one_of_plan`: `PLAN --op NAME` picks an operator of the plan. Then the name is in
  /// plan_operator(). Errors: kUsage when the options name no subject, or two; those of the driver.
  [[nodiscard]] Result<std::variant<driver::PlanOutcome, driver::Evaluation>> Load(
      bool one_of_plan = false) const;
  [[nodiscard]] const std::string& plan_operator() const { return operator_; }
  [[nodiscard]] const std::vector<std::string>& files() const { return files_; }
  /// Whether any option beside the files was given.
  [[nodiscard]] bool names_more_than_files() const {
    return !(arch_.empty() && operator_.empty() && mapping_.empty() && from_.empty() &&
             policy_.empty());
  }

 private:
  std::vector<std::string> files_;
  std::string arch_;
  std::string operator_;
  std::string mapping_;
  std::string from_;
  std::string policy_;
};

}  // namespace sluice::cli
