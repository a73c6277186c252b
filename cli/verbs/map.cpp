// `sluice map`: one operator on an architecture.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

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
#include "driver/verify.h"

namespace sluice::cli {
namespace {

class MapVerb final : public Verb {
 public:
  [[nodiscard]] std::string_view name() const override { return "map"; }
  [[nodiscard]] std::string_view summary() const override {
    return "Search the best mapping of one operator";
  }
  [[nodiscard]] std::string_view examples() const override {
    return "  sluice map \"conv K=64 C=64 P=56 Q=56 R=3 S=3\" --arch eyeriss\n"
           "  sluice map \"gemm M=512 N=768 K=768\" -a tpu-like --objective latency --json\n"
           "  sluice map \"gemm M=512 N=768 K=768\" -a three-level --front\n"
           "  sluice map \"conv K=8 C=8 P=14 Q=14 R=3 S=3\" -a eyeriss --mapping-out m.yaml\n"
           "Operators: conv (N K C P Q R S, stride, dilation, groups), depthwise, gemm, bmm.\n";
  }
  void Declare(Options& options) override {
    options.Positional("operator", "kind and sizes, quoted: \"gemm M=64 N=64 K=64\"", &operator_);
    options.Text("--arch,-a", "NAME|FILE", "a YAML file, or a name of `sluice archs`", &arch_);
    options.Text("--mapping-out,-o", "FILE", "write the mapping", &output_);
    options.Text("--to", "FORMAT", "of --mapping-out: yaml or timeloop", &format_);
    options.Flag("--front", "every trade-off of energy and cycles", &front_);
    options.Text("--certificate", "FILE", "write the proof that the mapping is optimal",
                 &certificate_);
    options.Flag("--json", "print JSON instead of tables", &json_);
    search_.Declare(options);
  }
  Result<int> Run(const Context& context) override {
    if (arch_.empty()) {
      return Fail(Diagnostic(ErrorCode::kUsage, "--arch is required")
                      .WithHint("for example --arch eyeriss; sluice archs lists the shipped ones"));
    }
    SLUICE_TRY(const driver::MappingFormat format, driver::ParseMappingFormat(format_));
    SLUICE_TRY(const driver::SearchRequest search, search_.Request(context, {}));
    if (front_) {
      return Front(search);
    }
    SLUICE_TRY(const driver::MapOutcome outcome,
               driver::MapOperator(driver::DefaultSearchPaths(), operator_, arch_, search));
    SLUICE_TRY_STATUS(json_ ? Print(driver::JsonOfSearch(outcome))
                            : Print(driver::RenderSearch(outcome)));
    if (!output_.empty()) {
      SLUICE_TRY(const std::vector<std::string> notes,
                 driver::WriteMapping(output_, outcome.evaluation, format));
      for (const std::string& note : notes) {
        PrintError("sluice: warning: " + note + "\n");
      }
      if (!json_) {
        SLUICE_TRY_STATUS(Print("  mapping written to " + output_ + "\n"));
      }
    }
    if (!certificate_.empty()) {
      SLUICE_TRY(const std::int64_t bytes,
                 driver::WriteCertificate(certificate_, outcome, operator_, arch_));
      if (!json_) {
        SLUICE_TRY_STATUS(
            Print(fmt::format("  certificate written to {} ({} bytes)\n", certificate_, bytes)));
      }
    }
    if (!outcome.complete) {
      PrintError("sluice: interrupted: this is the best mapping found so far\n");
      return kExitInterrupted;
    }
    return kExitOk;
  }

 private:
  [[nodiscard]] Result<int> Front(const driver::SearchRequest& search) const {
    if (!output_.empty()) {
      return Fail(
          Diagnostic(ErrorCode::kUsage, "--front finds many mappings, --mapping-out writes one")
              .WithHint("pick one by --objective, without --front"));
    }
    SLUICE_TRY(const driver::FrontOutcome outcome,
               driver::MapFront(driver::DefaultSearchPaths(), operator_, arch_, search));
    SLUICE_TRY_STATUS(json_ ? Print(driver::JsonOfFront(outcome))
                            : Print(driver::RenderFront(outcome)));
    return outcome.stopped == "interrupted" ? kExitInterrupted : kExitOk;
  }

  std::string operator_;
  std::string arch_;
  std::string output_;
  std::string format_ = "yaml";
  std::string certificate_;
  bool front_ = false;
  bool json_ = false;
  SearchOptions search_;
};

}  // namespace

std::unique_ptr<Verb> MakeMapVerb() {
  return std::make_unique<MapVerb>();
}

}  // namespace sluice::cli
