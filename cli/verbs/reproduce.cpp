// `sluice reproduce`: published comparisons, run again.

#include "driver/reproduce/reproduce.h"

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/diagnostic.h"
#include "cli/console.h"
#include "cli/options.h"
#include "cli/verbs/verb.h"

namespace sluice::cli {
namespace {

class ReproduceVerb final : public Verb {
 public:
  [[nodiscard]] std::string_view name() const override { return "reproduce"; }
  [[nodiscard]] std::string_view summary() const override {
    return "Run published comparisons again, figures side by side";
  }
  [[nodiscard]] std::string_view examples() const override {
    return "  sluice reproduce dcp            (some minutes)\n"
           "  sluice reproduce dcp --full     (three times the seeds, 20 minutes)\n"
           "  sluice reproduce dcp --full --part \"network totals\"\n";
  }
  void Declare(Options& options) override {
    options.Positional("what", "dcp", &what_);
    options.Flag("--full", "more seeds, layers and codes; trains again", &full_);
    options.Text("--part", "NAME", "only this: " + driver::PartsOfDcp(), &part_);
    options.Integer("--seed", "the first seed", 0, std::numeric_limits<std::int64_t>::max() / 2,
                    &seed_);
    options.Integer("--threads", "0 = all cores; never changes the result", 0, 4096, &threads_);
    options.Flag("--json", "print JSON instead of tables", &json_);
  }
  Result<int> Run(const Context& context) override {
    if (what_ != "dcp") {
      return Fail(Diagnostic(ErrorCode::kUnknownName,
                             fmt::format("there is nothing called `{}` to reproduce", what_))
                      .WithHint("sluice reproduce dcp"));
    }
    ProgressLine progress(context.progress);
    driver::ReproduceOptions options;
    options.full = full_;
    options.part = part_;
    options.seed = static_cast<std::uint64_t>(seed_);
    options.threads = static_cast<int>(threads_);
    options.stop = context.stop;
    options.progress = [&](std::int64_t done, std::int64_t total, std::string_view what) {
      progress.Update(done, total, what);
    };
    SLUICE_TRY(const driver::Reproduction reproduction, driver::ReproduceDcp(options));
    progress.Clear();
    SLUICE_TRY_STATUS(json_ ? Print(driver::JsonOfReproduction(reproduction))
                            : Print(driver::RenderReproduction(reproduction)));
    return reproduction.complete ? kExitOk : kExitInterrupted;
  }

 private:
  std::string what_;
  bool full_ = false;
  std::string part_;
  std::int64_t seed_ = 1;
  std::int64_t threads_ = 0;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Verb> MakeReproduceVerb() {
  return std::make_unique<ReproduceVerb>();
}

}  // namespace sluice::cli
