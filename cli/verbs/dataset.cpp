// `sluice dataset`: layers, machines and codes with what they cost, for training.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/diagnostic.h"
#include "base/parallel.h"
#include "cli/console.h"
#include "cli/options.h"
#include "cli/verbs/verb.h"
#include "driver/learn.h"

namespace sluice::cli {
namespace {

class DatasetVerb final : public Verb {
 public:
  [[nodiscard]] std::string_view name() const override { return "dataset"; }
  [[nodiscard]] std::string_view summary() const override {
    return "Label random dataflow codes, to train a predictor on";
  }
  [[nodiscard]] std::string_view examples() const override {
    return "  sluice dataset -o codes.dataset\n"
           "  sluice dataset -o codes.dataset --layers 20000 --seed 7 --model maestro\n"
           "Interrupt it at any time: the same command goes on, to the same file.\n";
  }
  void Declare(Options& options) override {
    options.Text("--output,-o", "FILE", "the data set; FILE.json becomes its manifest", &output_);
    options.Integer("--layers", "layers, each on a machine of its own", 1, predict::kMaxGroups,
                    &layers_);
    options.Integer("--codes", "codes of each layer", 1, predict::kMaxCodes, &codes_);
    options.Integer("--levels", "of a code", 1, predict::kMaxPredictLevels, &levels_);
    options.Flag("--cut-windows", "tiles of R and S too", &cut_windows_);
    options.Text("--hw", "FILE", "MAESTRO's hardware file: all layers on this machine", &hardware_);
    options.Text("--model", "NAME", "who labels: maestro-exact or maestro", &model_);
    options.Integer("--seed", "of layers, machines and codes", 0, INT64_MAX, &seed_);
    options.Integer("--threads", "0 = every core", 0, kMaxThreads, &threads_);
    options.Flag("--json", "print JSON instead of text", &json_);
  }
  Result<int> Run(const Context& context) override {
    if (output_.empty()) {
      return Fail(
          Diagnostic(ErrorCode::kUsage, "--output is required").WithHint("-o codes.dataset"));
    }
    predict::DatasetOptions options;
    options.seed = static_cast<std::uint64_t>(seed_);
    options.groups = static_cast<std::uint32_t>(layers_);
    options.codes = static_cast<std::uint32_t>(codes_);
    options.space.levels = static_cast<int>(levels_);
    options.space.whole_windows = !cut_windows_;
    ProgressLine line(context.progress);
    const driver::LearnControl control{
        context.stop, [&](std::int64_t done, std::int64_t of, std::string_view what) {
          line.Update(done, of, what);
        }};
    const int threads = threads_ == 0 ? HardwareThreads() : static_cast<int>(threads_);
    SLUICE_TRY(const predict::DatasetRun run,
               driver::MakeDataset(output_, {model_, hardware_}, options, threads, control));
    line.Clear();
    SLUICE_TRY_STATUS(json_ ? Print(driver::JsonOfDatasetRun(output_, run))
                            : Print(driver::RenderDatasetRun(output_, run)));
    return run.complete ? kExitOk : kExitInterrupted;
  }

 private:
  static constexpr std::int64_t kMaxThreads = 1024;
  std::string output_;
  std::string model_ = "maestro-exact";
  std::string hardware_;
  std::int64_t layers_ = 4000;
  std::int64_t codes_ = 96;
  std::int64_t levels_ = 2;
  std::int64_t seed_ = 1;
  std::int64_t threads_ = 0;
  bool cut_windows_ = false;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Verb> MakeDatasetVerb() {
  return std::make_unique<DatasetVerb>();
}

}  // namespace sluice::cli
