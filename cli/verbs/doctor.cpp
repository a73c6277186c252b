// `sluice doctor`.

#include <algorithm>
#include <memory>
#include <string_view>

#include "base/diagnostic.h"
#include "cli/console.h"
#include "cli/options.h"
#include "cli/verbs/verb.h"
#include "driver/catalog/catalog.h"
#include "driver/driver.h"
#include "driver/json/json.h"
#include "driver/text/render.h"

namespace sluice::cli {
namespace {

class DoctorVerb final : public Verb {
 public:
  [[nodiscard]] std::string_view name() const override { return "doctor"; }
  [[nodiscard]] std::string_view summary() const override {
    return "Check the installation: files, directories, a known answer";
  }
  [[nodiscard]] std::string_view examples() const override { return "  sluice doctor\n"; }
  void Declare(Options& options) override {
    options.Flag("--json", "print JSON instead of text", &json_);
  }
  Result<int> Run(const Context&) override {
    const auto checks = driver::CheckInstallation(driver::DefaultSearchPaths());
    SLUICE_TRY_STATUS(Print(json_ ? driver::JsonOfHealth(checks) : driver::RenderHealth(checks)));
    const bool healthy = std::ranges::all_of(checks, &driver::HealthCheck::ok);
    return healthy ? kExitOk : kExitBadInput;
  }

 private:
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Verb> MakeDoctorVerb() {
  return std::make_unique<DoctorVerb>();
}

}  // namespace sluice::cli
