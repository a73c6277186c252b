// `sluice plan`: a network on an architecture.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/diagnostic.h"
#include "cli/console.h"
#include "cli/options.h"
#include "cli/report_line.h"
#include "cli/search_options.h"
#include "cli/verbs/verb.h"
#include "driver/catalog/catalog.h"
#include "driver/driver.h"
#include "driver/json/json.h"
#include "driver/report.h"
#include "driver/requests.h"
#include "driver/text/render.h"

namespace sluice::cli {
namespace {

class PlanVerb final : public Verb {
 public:
  [[nodiscard]] std::string_view name() const override { return "plan"; }
  [[nodiscard]] std::string_view summary() const override {
    return "Plan a whole network on an architecture";
  }
  [[nodiscard]] std::string_view examples() const override {
    return "  sluice plan resnet50 --arch eyeriss -o plan.json\n"
           "  sluice plan models/vit_b_16.onnx --arch my_machine.yaml --batch 8\n"
           "  sluice plan bert_base_s128 --arch tpu-like --objective latency --json\n"
           "  sluice plan vgg16 --arch simba --budget-seconds 5 --seed 7\n"
           "Ctrl-C stops the search with the best plan so far (exit code 130).\n";
  }
  void Declare(Options& options) override {
    options.Positional("model", "an ONNX file, or a name of `sluice models`", &model_);
    options.Text("--arch,-a", "NAME|FILE", "a YAML file, or a name of `sluice archs`", &arch_);
    options.Text("--output,-o", "FILE", "write the plan as JSON", &output_);
    options.Text("--report", "FILE", "write the report as one HTML file", &report_);
    options.Flag("--json", "print the summary as JSON instead of a table", &json_);
    options.Integer("--top", "operators in the second table", 1, 1 << 20, &top_);
    search_.Declare(options);
    model_options_.Declare(options);
  }
  Result<int> Run(const Context& context) override {
    if (arch_.empty()) {
      return Fail(Diagnostic(ErrorCode::kUsage, "--arch is required")
                      .WithHint("for example --arch eyeriss; sluice archs lists the shipped ones"));
    }
    SLUICE_TRY(const driver::ModelRequest model, model_options_.Request(model_));
    const driver::SearchPaths paths = driver::DefaultSearchPaths();
    ProgressLine line(context.progress);
    SLUICE_TRY(const driver::SearchRequest search,
               search_.Request(
                   context, [&line](std::int64_t done, std::int64_t total, std::string_view what) {
                     line.Update(done, total, what);
                   }));
    SLUICE_TRY(const driver::PlanOutcome outcome,
               driver::PlanNetwork(paths, model, arch_, search, context.command_line));
    line.Clear();
    for (const std::string& warning : outcome.network.network.warnings) {
      PrintError("sluice: warning: " + warning + "\n");
    }
    if (!output_.empty()) {
      SLUICE_TRY_STATUS(driver::WritePlan(output_, outcome.plan));
    }
    SLUICE_TRY_STATUS(json_ ? Print(driver::JsonOfPlanSummary(outcome.plan))
                            : Print(driver::RenderPlan(outcome.plan, static_cast<int>(top_))));
    if (!output_.empty() && !json_) {
      SLUICE_TRY_STATUS(Print("\n  plan written to " + output_ + "\n"));
    }
    if (!report_.empty()) {
      SLUICE_TRY(const driver::WrittenReport written,
                 driver::WriteReport(outcome, driver::ReportForm::kBest, report_));
      if (!json_) {
        SLUICE_TRY_STATUS(Print((output_.empty() ? "\n" : "") + ReportLine(written)));
      }
    }
    if (!outcome.plan.complete) {
      PrintError("sluice: interrupted: this is the best plan found so far\n");
      return kExitInterrupted;
    }
    return kExitOk;
  }

 private:
  std::string model_;
  std::string arch_;
  std::string output_;
  std::string report_;
  bool json_ = false;
  std::int64_t top_ = 10;
  SearchOptions search_;
  ModelOptions model_options_;
};

}  // namespace

std::unique_ptr<Verb> MakePlanVerb() {
  return std::make_unique<PlanVerb>();
}

}  // namespace sluice::cli
