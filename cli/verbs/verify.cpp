// `sluice verify`: is what was called optimal optimal?

#include "driver/verify.h"

#include <memory>
#include <string>
#include <string_view>

#include "base/diagnostic.h"
#include "cli/console.h"
#include "cli/options.h"
#include "cli/verbs/verb.h"
#include "driver/catalog/catalog.h"

namespace sluice::cli {
namespace {

class VerifyVerb final : public Verb {
 public:
  [[nodiscard]] std::string_view name() const override { return "verify"; }
  [[nodiscard]] std::string_view summary() const override {
    return "Check proofs of optimality, independently of the search";
  }
  [[nodiscard]] std::string_view examples() const override {
    return "  sluice map \"gemm M=64 N=64 K=64\" -a three-level --certificate proof.json\n"
           "  sluice verify proof.json\n"
           "  sluice verify plan.json --budget-seconds 10 --json\n"
           "Exit code: 0 all verified, 1 some not verified in time, 2 some rejected.\n";
  }
  void Declare(Options& options) override {
    options.Positional("file", "a certificate (sluice map) or a plan", &request_.file);
    options.Text("--arch,-a", "NAME|FILE", "instead of the recorded architecture",
                 &request_.architecture);
    options.Seconds("--budget-seconds", "give up on an operator after this time",
                    &request_.seconds);
    options.Flag("--json", "print JSON instead of a table", &json_);
  }
  Result<int> Run(const Context& context) override {
    request_.stop = context.stop;
    SLUICE_TRY(const driver::Verification verification,
               driver::VerifyFile(driver::DefaultSearchPaths(), request_));
    SLUICE_TRY_STATUS(json_ ? Print(driver::JsonOfVerification(verification))
                            : Print(driver::RenderVerification(verification)));
    if (verification.Count(verify::Verdict::kRejected) > 0) {
      return kExitBadInput;
    }
    if (verification.Count(verify::Verdict::kUnfinished) > 0) {
      return kExitUnverified;
    }
    return kExitOk;
  }

 private:
  driver::VerifyRequest request_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Verb> MakeVerifyVerb() {
  return std::make_unique<VerifyVerb>();
}

}  // namespace sluice::cli
