// `sluice mappers`.

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

class MappersVerb final : public Verb {
 public:
  [[nodiscard]] std::string_view name() const override { return "mappers"; }
  [[nodiscard]] std::string_view summary() const override { return "List the search methods"; }
  [[nodiscard]] std::string_view examples() const override {
    return "  sluice mappers\n  sluice map \"gemm M=64 N=64 K=64\" --arch eyeriss --mapper "
           "random\n";
  }
  void Declare(Options& options) override {
    options.Flag("--json", "print JSON instead of text", &json_);
  }
  Result<int> Run(const Context&) override {
    SLUICE_TRY_STATUS(Print(json_ ? driver::JsonOfMappers() : driver::RenderMappers()));
    return kExitOk;
  }

 private:
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Verb> MakeMappersVerb() {
  return std::make_unique<MappersVerb>();
}

}  // namespace sluice::cli
