// `sluice price`: our cost models as a program for --cost-command.

#include <cstdint>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>

#include "base/diagnostic.h"
#include "cli/console.h"
#include "cli/options.h"
#include "cli/verbs/verb.h"
#include "driver/compare/cost_program.h"

namespace sluice::cli {
namespace {

std::string NextLine() {
  std::string line;
  std::getline(std::cin, line);
  return line;
}

class PriceVerb final : public Verb {
 public:
  [[nodiscard]] std::string_view name() const override { return "price"; }
  [[nodiscard]] std::string_view summary() const override {
    return "Price dataflow codes read from standard input";
  }
  [[nodiscard]] std::string_view examples() const override {
    return "  sluice compare \"gemm M=64 N=64 K=64\" --cost-command \"sluice price\"\n"
           "The protocol is docs/formats/cost-command.md.\n";
  }
  void Declare(Options& options) override {
    options.Text("--model", "NAME", "maestro or maestro-exact", &model_);
  }
  Result<int> Run(const Context&) override {
    const std::string version = NextLine();
    const std::string layer = NextLine();
    const std::string hardware = NextLine();
    SLUICE_TRY(auto program, driver::CostProgram::Create(model_, version, layer, hardware));
    SLUICE_TRY_STATUS(Print("ready\n"));
    std::string line;
    while (std::getline(std::cin, line)) {
      SLUICE_TRY(const std::int64_t count, driver::CostProgram::ParseRequest(line));
      for (std::int64_t i = 0; i < count && std::getline(std::cin, line); ++i) {
        SLUICE_TRY(const std::string answer, program.Answer(line));
        SLUICE_TRY_STATUS(Print(answer + "\n"));
      }
      SLUICE_TRY_STATUS(Print("done\n"));
    }
    return kExitOk;
  }

 private:
  std::string model_ = "maestro-exact";
};

}  // namespace

std::unique_ptr<Verb> MakePriceVerb() {
  return std::make_unique<PriceVerb>();
}

}  // namespace sluice::cli
