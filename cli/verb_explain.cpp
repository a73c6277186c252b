// `sluice explain`: where the numbers of a mapping or of a plan's operator come from.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "base/diagnostic.h"
#include "cli/console.h"
#include "cli/options.h"
#include "cli/subject_options.h"
#include "cli/verb.h"
#include "driver/driver.h"
#include "driver/explain.h"
#include "driver/json.h"
#include "driver/render.h"

namespace sluice::cli {
namespace {

class ExplainVerb final : public Verb {
 public:
  [[nodiscard]] std::string_view name() const override { return "explain"; }
  [[nodiscard]] std::string_view summary() const override {
    return "Show the level, tensor and loops behind every number";
  }
  [[nodiscard]] std::string_view examples() const override {
    return "  sluice explain plan.json                  (the operator that costs most)\n"
           "  sluice explain plan.json --operator /layer1/layer1.0/conv1/Conv\n"
           "  sluice explain --arch eyeriss --op \"gemm M=64 N=64 K=64\" -m m.yaml --json\n";
  }
  void Declare(Options& options) override {
    subject_.Declare(options);
    options.Text("--operator", "NAME", "which operator of the plan", &operator_);
    options.Integer("--top", "how many terms are taken apart", 1, 1000, &top_);
    options.Flag("--json", "print JSON instead of text", &json_);
  }
  Result<int> Run(const Context&) override {
    SLUICE_TRY(const auto subject, subject_.Load());
    if (const auto* plan = std::get_if<driver::PlanEvaluation>(&subject)) {
      SLUICE_TRY(const driver::Explanation explanation, driver::ExplainOperator(*plan, operator_));
      return Show(explanation);
    }
    if (!operator_.empty()) {
      return Fail(Diagnostic(ErrorCode::kUsage, "--operator picks an operator of a plan")
                      .WithHint("leave it out: --op already says which operator this is"));
    }
    return Show(std::get<driver::Evaluation>(subject).explanation);
  }

 private:
  [[nodiscard]] Result<int> Show(const driver::Explanation& explanation) const {
    SLUICE_TRY_STATUS(Print(json_
                                ? driver::JsonOfExplanation(explanation)
                                : driver::RenderExplanation(explanation, static_cast<int>(top_))));
    return kExitOk;
  }

  SubjectOptions subject_;
  std::string operator_;
  std::int64_t top_ = 3;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Verb> MakeExplainVerb() {
  return std::make_unique<ExplainVerb>();
}

}  // namespace sluice::cli
