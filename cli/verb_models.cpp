// `sluice models`.

#include <memory>
#include <string_view>

#include "base/diagnostic.h"
#include "cli/console.h"
#include "cli/options.h"
#include "cli/verb.h"
#include "driver/catalog.h"
#include "driver/driver.h"
#include "driver/json.h"
#include "driver/render.h"

namespace sluice::cli {
namespace {

class ModelsVerb final : public Verb {
 public:
  [[nodiscard]] std::string_view name() const override { return "models"; }
  [[nodiscard]] std::string_view summary() const override {
    return "List the models that come with Sluice";
  }
  [[nodiscard]] std::string_view examples() const override {
    return "  sluice models\n  sluice show resnet50\n";
  }
  void Declare(Options& options) override {
    options.Flag("--json", "print JSON instead of text", &json_);
  }
  Result<int> Run(const Context&) override {
    const auto entries = driver::ListModels(driver::DefaultSearchPaths());
    SLUICE_TRY_STATUS(
        Print(json_ ? driver::JsonOfCatalog(entries) : driver::RenderCatalog(entries)));
    return kExitOk;
  }

 private:
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Verb> MakeModelsVerb() {
  return std::make_unique<ModelsVerb>();
}

}  // namespace sluice::cli
