// `sluice archs`, `sluice models` and `sluice constraints`: what comes with Sluice.

#include "driver/catalog/catalog.h"

#include <memory>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "cli/console.h"
#include "cli/options.h"
#include "cli/verbs/verb.h"
#include "driver/json/json.h"
#include "driver/text/render.h"

namespace sluice::cli {
namespace {

class CatalogVerb final : public Verb {
 public:
  using List = std::vector<driver::CatalogEntry> (*)(const driver::SearchPaths&);

  CatalogVerb(std::string_view name, std::string_view summary, std::string_view examples, List list)
      : name_(name), summary_(summary), examples_(examples), list_(list) {}

  [[nodiscard]] std::string_view name() const override { return name_; }
  [[nodiscard]] std::string_view summary() const override { return summary_; }
  [[nodiscard]] std::string_view examples() const override { return examples_; }
  void Declare(Options& options) override {
    options.Flag("--json", "print JSON instead of text", &json_);
  }
  Result<int> Run(const Context&) override {
    const auto entries = list_(driver::DefaultSearchPaths());
    SLUICE_TRY_STATUS(
        Print(json_ ? driver::JsonOfCatalog(entries) : driver::RenderCatalog(entries)));
    return kExitOk;
  }

 private:
  std::string_view name_;
  std::string_view summary_;
  std::string_view examples_;
  List list_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Verb> MakeArchsVerb() {
  return std::make_unique<CatalogVerb>("archs", "List the architectures that come with Sluice",
                                       "  sluice archs\n  sluice show eyeriss\n",
                                       driver::ListArchitectures);
}

std::unique_ptr<Verb> MakeModelsVerb() {
  return std::make_unique<CatalogVerb>("models", "List the models that come with Sluice",
                                       "  sluice models\n  sluice show resnet50\n",
                                       driver::ListModels);
}

std::unique_ptr<Verb> MakeConstraintsVerb() {
  return std::make_unique<CatalogVerb>(
      "constraints", "List the dataflows that come with Sluice",
      "  sluice constraints\n"
      "  sluice plan resnet50 --arch eyeriss --constraints eyeriss-row-stationary\n",
      driver::ListConstraints);
}

}  // namespace sluice::cli
