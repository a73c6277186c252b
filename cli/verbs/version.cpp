// `sluice version`.

#include <memory>
#include <string_view>

#include "base/diagnostic.h"
#include "cli/console.h"
#include "cli/options.h"
#include "cli/verbs/verb.h"
#include "driver/json/json.h"
#include "driver/text/render.h"

namespace sluice::cli {
namespace {

class VersionVerb final : public Verb {
 public:
  [[nodiscard]] std::string_view name() const override { return "version"; }
  [[nodiscard]] std::string_view summary() const override { return "Say which Sluice this is"; }
  [[nodiscard]] std::string_view examples() const override {
    return "  sluice version\n  sluice version --json\n";
  }
  void Declare(Options& options) override {
    options.Flag("--json", "print JSON instead of text", &json_);
  }
  Result<int> Run(const Context&) override {
    SLUICE_TRY_STATUS(Print(json_ ? driver::JsonOfVersion() : driver::RenderVersion()));
    return kExitOk;
  }

 private:
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Verb> MakeVersionVerb() {
  return std::make_unique<VersionVerb>();
}

}  // namespace sluice::cli
