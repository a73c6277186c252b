// Plans into reports: which plans, which form, which file. What stands in it is src/report's.

#include "driver/report.h"

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "base/diagnostic.h"
#include "base/file.h"
#include "driver/catalog/catalog.h"
#include "driver/driver.h"
#include "report/report.h"

namespace sluice::driver {
namespace {

Result<WrittenReport> Write(const std::vector<report::Subject>& subjects, ReportForm form,
                            const std::string& output) {
  WrittenReport written;
  written.path = output;
  written.interactive = form == ReportForm::kBest && HasInteractiveReport();
  SLUICE_TRY(const std::string html,
             report::Render(subjects, written.interactive ? report::Style::kInteractive
                                                          : report::Style::kPlain));
  SLUICE_TRY_STATUS(WriteFileAtomic(output, html));
  written.bytes = html.size();
  return written;
}

}  // namespace

bool HasInteractiveReport() {
  return report::InteractiveAvailable();
}

Result<WrittenReport> WriteReport(const SearchPaths& paths,
                                  const std::vector<std::string>& plan_files, ReportForm form,
                                  const std::string& output) {
  if (plan_files.empty() || plan_files.size() > 2) {
    return Fail(Diagnostic(ErrorCode::kUsage, "a report shows one plan, or two side by side")
                    .WithHint("sluice report plan.json, or sluice report a.json b.json"));
  }
  std::deque<PlanOutcome> plans;  // the subjects point into it
  std::vector<report::Subject> subjects;
  for (const std::string& file : plan_files) {
    SLUICE_TRY(PlanOutcome evaluation, EvaluatePlan(paths, file));
    const PlanOutcome& kept = plans.emplace_back(std::move(evaluation));
    subjects.push_back({&kept.plan, &kept.network.network, &kept.architecture.architecture});
  }
  return Write(subjects, form, output);
}

Result<WrittenReport> WriteReport(const PlanOutcome& outcome, ReportForm form,
                                  const std::string& output) {
  return Write({{&outcome.plan, &outcome.network.network, &outcome.architecture.architecture}},
               form, output);
}

}  // namespace sluice::driver
