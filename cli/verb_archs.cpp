// `sluice archs`.

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

class ArchsVerb final : public Verb {
 public:
  [[nodiscard]] std::string_view name() const override { return "archs"; }
  [[nodiscard]] std::string_view summary() const override {
    return "List the architectures that come with Sluice";
  }
  [[nodiscard]] std::string_view examples() const override {
    return "  sluice archs\n  sluice show eyeriss\n";
  }
  void Declare(Options& options) override {
    options.Flag("--json", "print JSON instead of text", &json_);
  }
  Result<int> Run(const Context&) override {
    const auto entries = driver::ListArchitectures(driver::DefaultSearchPaths());
    SLUICE_TRY_STATUS(
        Print(json_ ? driver::JsonOfCatalog(entries) : driver::RenderCatalog(entries)));
    return kExitOk;
  }

 private:
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Verb> MakeArchsVerb() {
  return std::make_unique<ArchsVerb>();
}

}  // namespace sluice::cli
