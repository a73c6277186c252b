// `sluice report`: plans as one HTML file.

#include "driver/report.h"

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/diagnostic.h"
#include "cli/console.h"
#include "cli/options.h"
#include "cli/report_line.h"
#include "cli/verbs/verb.h"
#include "driver/catalog/catalog.h"

namespace sluice::cli {
namespace {

class ReportVerb final : public Verb {
 public:
  [[nodiscard]] std::string_view name() const override { return "report"; }
  [[nodiscard]] std::string_view summary() const override {
    return "Write a plan, or two side by side, as one HTML file";
  }
  [[nodiscard]] std::string_view examples() const override {
    return "  sluice report plan.json                       (writes plan.html)\n"
           "  sluice report plan.json -o report.html\n"
           "  sluice report eyeriss.json simba.json -o compare.html\n"
           "The file stands alone: it opens from disk and needs no network. Every plan is\n"
           "recomputed before it is shown.\n";
  }
  void Declare(Options& options) override {
    options.Positionals("plans", "one plan (.json), or two to compare", &plans_);
    options.Text("--output,-o", "FILE", "the HTML file; default: PLAN.html", &output_);
    options.Flag("--plain", "tables and bars only, without any script", &plain_);
  }
  Result<int> Run(const Context&) override {
    if (plans_.empty() || plans_.size() > 2) {
      return Fail(Diagnostic(ErrorCode::kUsage, "a report shows one plan, or two side by side")
                      .WithHint("sluice report plan.json, or sluice report a.json b.json"));
    }
    std::string output = output_;
    if (output.empty()) {
      output = std::filesystem::path(plans_.front()).replace_extension(".html").string();
    }
    if (std::filesystem::path(output).extension() == ".json") {
      return Fail(
          Diagnostic(ErrorCode::kUsage, fmt::format("`{}` would hold HTML, not JSON", output))
              .WithHint("name the report .html"));
    }
    SLUICE_TRY(const driver::WrittenReport written,
               driver::WriteReport(driver::DefaultSearchPaths(), plans_,
                                   plain_ ? driver::ReportForm::kPlain : driver::ReportForm::kBest,
                                   output));
    SLUICE_TRY_STATUS(Print(ReportLine(written)));
    return kExitOk;
  }

 private:
  std::vector<std::string> plans_;
  std::string output_;
  bool plain_ = false;
};

}  // namespace

std::string ReportLine(const driver::WrittenReport& written) {
  std::string line =
      fmt::format("  report written to {} ({} KiB)\n", written.path, (written.bytes + 1023) / 1024);
  if (!driver::HasInteractiveReport()) {
    line += "  it is the plain form, without charts: this build was made without Node.js\n";
  }
  return line;
}

std::unique_ptr<Verb> MakeReportVerb() {
  return std::make_unique<ReportVerb>();
}

}  // namespace sluice::cli
