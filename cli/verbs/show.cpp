// `sluice show`: what a file holds.

#include <memory>
#include <string>
#include <string_view>

#include "base/diagnostic.h"
#include "cli/console.h"
#include "cli/options.h"
#include "cli/search_options.h"
#include "cli/verbs/verb.h"
#include "driver/catalog/catalog.h"
#include "driver/driver.h"
#include "driver/json/json.h"
#include "driver/requests.h"
#include "driver/text/render.h"

namespace sluice::cli {
namespace {

class ShowVerb final : public Verb {
 public:
  [[nodiscard]] std::string_view name() const override { return "show"; }
  [[nodiscard]] std::string_view summary() const override {
    return "Show a model, an architecture or a plan";
  }
  [[nodiscard]] std::string_view examples() const override {
    return "  sluice show models/resnet50.onnx     operators, dims, MACs, bytes, totals\n"
           "  sluice show eyeriss                  the tree of memories and compute units\n"
           "  sluice show plan.json                the summary of a plan\n";
  }
  void Declare(Options& options) override {
    options.Positional("file", "a file, or the name of a shipped one", &file_);
    options.Flag("--json", "print JSON instead of text", &json_);
    model_options_.Declare(options);
  }
  Result<int> Run(const Context&) override {
    const driver::SearchPaths paths = driver::DefaultSearchPaths();
    SLUICE_TRY(const driver::FoundFile found, driver::DetectFile(paths, file_));
    switch (found.kind) {
      case driver::FileKind::kModel: {
        SLUICE_TRY(const driver::ModelRequest request, model_options_.Request(found.path));
        SLUICE_TRY(const driver::LoadedNetwork network, driver::LoadNetwork(paths, request));
        SLUICE_TRY_STATUS(
            Print(json_ ? driver::JsonOfNetwork(network) : driver::RenderNetwork(network)));
        return kExitOk;
      }
      case driver::FileKind::kArchitecture: {
        SLUICE_TRY(const driver::LoadedArchitecture architecture,
                   driver::LoadArchitecture(paths, found.path));
        SLUICE_TRY_STATUS(Print(json_ ? driver::JsonOfArchitecture(architecture)
                                      : driver::RenderArchitecture(architecture)));
        return kExitOk;
      }
      case driver::FileKind::kPlan: {
        constexpr int kTop = 10;
        SLUICE_TRY(const auto plan, driver::ReadPlan(found.path));
        SLUICE_TRY_STATUS(json_ ? Print(driver::JsonOfPlanSummary(plan))
                                : Print(driver::RenderPlan(plan, kTop)));
        return kExitOk;
      }
    }
    return kExitOk;
  }

 private:
  std::string file_;
  bool json_ = false;
  ModelOptions model_options_;
};

}  // namespace

std::unique_ptr<Verb> MakeShowVerb() {
  return std::make_unique<ShowVerb>();
}

}  // namespace sluice::cli
