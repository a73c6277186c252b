// `sluice explain`: where the numbers of a mapping or of a plan's operator come from.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <variant>

#include "base/diagnostic.h"
#include "cli/console.h"
#include "cli/options.h"
#include "cli/subject_options.h"
#include "cli/verbs/verb.h"
#include "driver/driver.h"
#include "driver/explain/plan_breakdown.h"
#include "driver/json/json.h"
#include "driver/text/render.h"

namespace sluice::cli {
namespace {

class ExplainVerb final : public Verb {
 public:
  [[nodiscard]] std::string_view name() const override { return "explain"; }
  [[nodiscard]] std::string_view summary() const override {
    return "Show the level, tensor and loops behind every number";
  }
  [[nodiscard]] std::string_view examples() const override {
    return "  sluice explain plan.json      (the report as text)\n"
           "  sluice explain plan.json --op /layer1/layer1.0/conv1/Conv --top 10\n"
           "  sluice explain --arch eyeriss --op \"gemm M=64 N=64 K=64\" -m m.yaml --json\n";
  }
  void Declare(Options& options) override {
    subject_.Declare(options, "NAME|NO|OPERATOR", "an operator of the plan, or kind and sizes");
    options.Integer("--top", "operators listed, and terms taken apart", 1, 1 << 20, &top_);
    options.Flag("--json", "print JSON instead of text", &json_);
  }
  Result<int> Run(const Context&) override {
    SLUICE_TRY(const auto subject, subject_.Load(true));
    const int top = static_cast<int>(top_);
    const auto* plan = std::get_if<driver::PlanOutcome>(&subject);
    if (plan == nullptr) {
      return Show(std::get<driver::Evaluation>(subject), top);
    }
    SLUICE_TRY(const std::size_t index, driver::FindOperator(plan->plan, subject_.plan_operator()));
    SLUICE_TRY(const driver::Evaluation evaluation, driver::EvaluateOperator(*plan, index));
    if (!subject_.plan_operator().empty()) {
      return Show(evaluation, top);
    }
    SLUICE_TRY(const driver::PlanBreakdown breakdown, driver::BreakDown(*plan));
    SLUICE_TRY_STATUS(
        json_ ? Print(driver::JsonOfPlanExplanation(*plan, breakdown, evaluation))
              : Print(driver::RenderPlanExplanation(*plan, breakdown, evaluation, top)));
    return kExitOk;
  }

 private:
  [[nodiscard]] Result<int> Show(const driver::Evaluation& evaluation, int top) const {
    SLUICE_TRY_STATUS(json_ ? Print(driver::JsonOfExplanation(evaluation))
                            : Print(driver::RenderExplanation(evaluation, top)));
    return kExitOk;
  }

  SubjectOptions subject_;
  std::int64_t top_ = 5;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Verb> MakeExplainVerb() {
  return std::make_unique<ExplainVerb>();
}

}  // namespace sluice::cli
