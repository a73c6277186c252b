// `sluice train`: a predictor of the costs of dataflow codes.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/diagnostic.h"
#include "cli/console.h"
#include "cli/options.h"
#include "cli/verbs/verb.h"
#include "driver/learn.h"

namespace sluice::cli {
namespace {

class TrainVerb final : public Verb {
 public:
  [[nodiscard]] std::string_view name() const override { return "train"; }
  [[nodiscard]] std::string_view summary() const override {
    return "Train a predictor of what dataflow codes cost";
  }
  [[nodiscard]] std::string_view examples() const override {
    return "  sluice train --default -o default.predictor\n"
           "  sluice train --default --features paper -o paper.predictor\n"
           "  sluice train codes.dataset -o mine.predictor --epochs 8 --curves curves.html\n"
           "The same data and seed give the same file. One core.\n";
  }
  void Declare(Options& options) override {
    options.Positional("dataset", "of `sluice dataset`", &dataset_, false);
    options.Flag("--default", "data and options of the shipped predictor", &default_);
    options.Text("--output,-o", "FILE", "the predictor", &output_);
    options.Text("--curves", "FILE", "losses over epochs: a page (.html) or JSON", &curves_);
    options.Text("--features", "NAME", "derived, or paper: codes as numbers, for dcp-paper",
                 &features_);
    options.Integer("--members", "networks of the ensemble", 1, kMaxMembers, &members_);
    options.Integer("--width", "units of each of three hidden layers", 1, kMaxWidth, &width_);
    options.Integer("--epochs", "at most; stops early without progress", 1, kMaxEpochs, &epochs_);
    options.Integer("--seed", "of weights and order", 0, INT64_MAX, &seed_);
    options.Flag("--json", "print JSON instead of tables", &json_);
  }
  Result<int> Run(const Context& context) override {
    if (output_.empty()) {
      return Fail(
          Diagnostic(ErrorCode::kUsage, "--output is required").WithHint("-o mine.predictor"));
    }
    if (default_ != dataset_.empty()) {
      return Fail(Diagnostic(ErrorCode::kUsage,
                             default_ ? "--default brings its own data" : "nothing to train on")
                      .WithHint("a data set of `sluice dataset`, or --default"));
    }
    if (features_ != "derived" && features_ != "paper") {
      return Fail(Diagnostic(ErrorCode::kUnknownName, "there are no features `" + features_ + "`")
                      .WithHint("derived or paper"));
    }
    driver::TrainRequest request;
    request.dataset = dataset_;
    request.output = output_;
    request.curves = curves_;
    request.options = driver::DefaultTraining(features_ == "paper" ? predict::Encoding::kScalar
                                                                   : predict::Encoding::kDerived);
    if (!default_) {
      request.options.members = static_cast<int>(members_);
      request.options.epochs = static_cast<int>(epochs_);
      request.options.seed = static_cast<std::uint64_t>(seed_);
      std::ranges::fill(request.options.hidden, static_cast<int>(width_));
    }
    ProgressLine line(context.progress);
    const driver::LearnControl control{
        context.stop, [&](std::int64_t done, std::int64_t of, std::string_view what) {
          line.Update(done, of, what);
        }};
    SLUICE_TRY(const driver::Trained trained, driver::TrainPredictor(request, control));
    line.Clear();
    SLUICE_TRY_STATUS(json_ ? Print(driver::JsonOfTrained(trained))
                            : Print(driver::RenderTrained(trained)));
    return trained.complete ? kExitOk : kExitInterrupted;
  }

 private:
  static constexpr std::int64_t kMaxMembers = 16;
  static constexpr std::int64_t kMaxWidth = 1024;
  static constexpr std::int64_t kMaxEpochs = 1000;
  std::string dataset_;
  std::string output_;
  std::string curves_;
  std::string features_ = "derived";
  std::int64_t members_ = 3;
  std::int64_t width_ = 64;
  std::int64_t epochs_ = 16;
  std::int64_t seed_ = 1;
  bool default_ = false;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Verb> MakeTrainVerb() {
  return std::make_unique<TrainVerb>();
}

}  // namespace sluice::cli
