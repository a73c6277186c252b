#pragma once
/// \file
/// Reports of plans as HTML files. Tested by tests/cli/report_test.py and tests/web.

#include <string>
#include <vector>

#include "driver/driver.h"

namespace sluice::driver {

/// Which form a report takes.
enum class ReportForm : std::uint8_t {
  kBest,   ///< interactive when this build can, else plain
  kPlain,  ///< tables and bars, no script
};

struct WrittenReport {
  std::string path;
  bool interactive = false;
  std::size_t bytes = 0;
};

/// Whether this build carries the interactive report.
[[nodiscard]] bool HasInteractiveReport();

/// A report of one plan file, or of two side by side. Every plan is recomputed first, as by
/// EvaluatePlan, so that a report never shows what the mappings do not have. Errors: those of
/// EvaluatePlan; kFileUnwritable.
Result<WrittenReport> WriteReport(const SearchPaths& paths,
                                  const std::vector<std::string>& plan_files, ReportForm form,
                                  const std::string& output);

/// The report of a plan that was just made.
Result<WrittenReport> WriteReport(const PlanOutcome& outcome, ReportForm form,
                                  const std::string& output);

}  // namespace sluice::driver
