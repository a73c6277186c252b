// `sluice evaluate`: score a given mapping, or re-score a plan.

#include <memory>
#include <string_view>
#include <variant>

#include "base/diagnostic.h"
#include "cli/console.h"
#include "cli/maestro_options.h"
#include "cli/options.h"
#include "cli/subject_options.h"
#include "cli/verbs/verb.h"
#include "driver/driver.h"
#include "driver/json/json.h"
#include "driver/text/page.h"
#include "driver/text/render.h"

namespace sluice::cli {
namespace {

class EvaluateVerb final : public Verb {
 public:
  [[nodiscard]] std::string_view name() const override { return "evaluate"; }
  [[nodiscard]] std::string_view summary() const override {
    return "Score a given mapping, or check a plan to the last digit";
  }
  [[nodiscard]] std::string_view examples() const override {
    return "  sluice evaluate plan.json\n"
           "  sluice evaluate --arch eyeriss --op \"gemm M=64 N=64 K=64\" --mapping m.yaml\n"
           "  sluice evaluate --from timeloop arch.yaml problem.yaml map.yaml ert.yaml\n"
           "  sluice evaluate --model maestro-exact net.m --hw hw.m\n";
  }
  void Declare(Options& options) override {
    subject_.Declare(options, "OPERATOR", "kind and sizes, quoted: \"gemm M=64 N=64 K=64\"");
    maestro_.Declare(options);
    options.Flag("--json", "print JSON instead of tables", &json_);
  }
  Result<int> Run(const Context&) override {
    if (maestro_.asked()) {
      if (subject_.names_more_than_files()) {
        return Fail(Diagnostic(ErrorCode::kUsage, "--model takes MAESTRO's files only")
                        .WithHint("--model maestro-exact FILE.m --hw HW.m"));
      }
      return maestro_.Run(subject_.files(), json_);
    }
    SLUICE_TRY(const auto subject, subject_.Load());
    if (const auto* plan = std::get_if<driver::PlanOutcome>(&subject)) {
      constexpr int kTop = 10;
      if (json_) {
        SLUICE_TRY_STATUS(Print(driver::JsonOfPlanSummary(plan->plan)));
      } else {
        driver::Page page = driver::RenderPlan(plan->plan, kTop);
        page.Add("\n  every figure of the plan was reproduced");
        SLUICE_TRY_STATUS(Print(page));
      }
      return kExitOk;
    }
    const auto& evaluation = std::get<driver::Evaluation>(subject);
    SLUICE_TRY_STATUS(json_ ? Print(driver::JsonOfEvaluation(evaluation))
                            : Print(driver::RenderEvaluation(evaluation)));
    return kExitOk;
  }

 private:
  SubjectOptions subject_;
  MaestroOptions maestro_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Verb> MakeEvaluateVerb() {
  return std::make_unique<EvaluateVerb>();
}

}  // namespace sluice::cli
