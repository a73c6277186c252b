// `sluice cache`: look at the stored mappings, or remove them.

#include "driver/catalog/cache.h"

#include <memory>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/diagnostic.h"
#include "cli/cache_folder.h"
#include "cli/console.h"
#include "cli/options.h"
#include "cli/verbs/verb.h"

namespace sluice::cli {
namespace {

class CacheVerb final : public Verb {
 public:
  [[nodiscard]] std::string_view name() const override { return "cache"; }
  [[nodiscard]] std::string_view summary() const override {
    return "Show or clear the mappings kept from earlier runs";
  }
  [[nodiscard]] std::string_view examples() const override {
    return "  sluice cache info\n  sluice cache clear\n"
           "It is in $SLUICE_CACHE_DIR, else in sluice/ of $XDG_CACHE_HOME or ~/.cache.\n"
           "plan and map use it unless --no-cache is given; results never depend on it.\n";
  }
  void Declare(Options& options) override {
    options.Positional("action", "info or clear", &action_);
    options.Flag("--json", "print JSON instead of text", &json_);
  }
  Result<int> Run(const Context&) override {
    if (action_ != "info" && action_ != "clear") {
      return Fail(Diagnostic(ErrorCode::kUsage, fmt::format("there is no action `{}`", action_))
                      .WithHint("sluice cache info, or sluice cache clear"));
    }
    const std::string folder = CacheFolder();
    if (folder.empty()) {
      return Fail(Diagnostic(ErrorCode::kUsage, "there is no cache")
                      .WithHint("set SLUICE_CACHE_DIR to a folder"));
    }
    driver::CacheReport report = driver::InspectCache(folder);
    if (action_ == "clear") {
      SLUICE_TRY(report, driver::ClearCache(folder));
    }
    const std::string text =
        (action_ == "clear" ? "removed from " : "") + driver::RenderCache(report);
    SLUICE_TRY_STATUS(Print(json_ ? driver::JsonOfCache(report) : text));
    return kExitOk;
  }

 private:
  std::string action_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Verb> MakeCacheVerb() {
  return std::make_unique<CacheVerb>();
}

}  // namespace sluice::cli
