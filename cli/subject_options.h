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
  void Declare(Options& options);
  /// Errors: kUsage when the options name no subject, or two; those of the driver.
  [[nodiscard]] Result<std::variant<driver::PlanEvaluation, driver::Evaluation>> Load() const;

 private:
  std::vector<std::string> files_;
  std::string arch_;
  std::string operator_;
  std::string mapping_;
  std::string from_;
  std::string policy_;
};

}  // namespace sluice::cli
