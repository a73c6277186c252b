// `sluice compare`: searches over dataflow codes side by side.

#include "driver/compare/compare.h"

#include <charconv>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "base/diagnostic.h"
#include "base/file.h"
#include "cli/console.h"
#include "cli/options.h"
#include "cli/verbs/verb.h"
#include "driver/catalog/catalog.h"
#include "driver/compare/front.h"
#include "driver/learn.h"

namespace sluice::cli {
namespace {

std::vector<std::string> SplitAtCommas(const std::string& text) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == ',') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

Result<std::vector<std::int64_t>> ParseBudgets(const std::string& text) {
  constexpr std::int64_t kMost = 100'000'000;
  std::vector<std::int64_t> budgets;
  for (const std::string& part : SplitAtCommas(text)) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (error != std::errc() || end != part.data() + part.size() || value < 1 || value > kMost) {
      return Fail(Diagnostic(ErrorCode::kUsage, fmt::format("`{}` is no budget of samples", part))
                      .WithHint("numbers from 1 to 100,000,000, separated by commas: 300,1000"));
    }
    budgets.push_back(value);
  }
  return budgets;
}

class CompareVerb final : public Verb {
 public:
  [[nodiscard]] std::string_view name() const override { return "compare"; }
  [[nodiscard]] std::string_view summary() const override {
    return "Compare searches over dataflow codes by samples and time";
  }
  [[nodiscard]] std::string_view examples() const override {
    return "  sluice compare dcp12 --model maestro --mapper genetic,annealing,random\n"
           "  sluice compare net.m --hw hw.m --objective latency --html compare.html\n"
           "  sluice compare \"conv K=64 C=64 P=56 Q=56 R=3 S=3\" --model reference -a eyeriss\n"
           "  sluice compare \"gemm M=64 N=64 K=64\" --cost-command ./my-model --json\n"
           "  sluice compare resnet-101 --mapper dcp,genetic --shared --budget-evaluations 1000\n"
           "  sluice compare dcp12 --mapper dcp,annealing --pareto 8 --budget-evaluations 2400\n"
           "Searches: dcp, dcp-paper, genetic, genetic-all, annealing, es, de, pso,\n"
           "cma-es, random, dla, shi, eye.\n"
           "dcp12: twelve layers of VGG-16, ResNet-50 and MobileNet-v2.\n";
  }
  void Declare(Options& options) override {
    constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
    options.Positional(
        "layers", "dcp12, mobilenet-v2, resnet-101, vit-b16, a .m file, or an operator", &subject_);
    options.Text("--mapper", "NAMES", "searches, separated by commas", &mappers_);
    options.Text("--model", "NAME", "maestro, maestro-exact or reference", &cost_.model);
    options.Text("--hw", "FILE", "MAESTRO's hardware file; else 168 PEs, NoC 32", &cost_.hardware);
    options.Text("--arch,-a", "NAME|FILE", "of --model reference", &cost_.architecture);
    options.Text("--cost-command", "CMD", "a program that prices codes, not a model",
                 &cost_.command);
    options.Integer("--cost-batch", "codes a request to the program", 1, 1'000'000,
                    &cost_.command_options.batch);
    options.Seconds("--cost-timeout", "longest silence of the program",
                    &cost_.command_options.timeout_seconds);
    options.Text("--cost-labels", "FOLDER", "keep and reuse the answers of the program",
                 &cost_.command_options.labels);
    options.Text("--objective", "NAME", "latency, energy or edp", &cost_.objective);
    options.Text("--energy", "NAME", "outer or full; maestro: outer, others: full", &cost_.energy);
    options.Integer("--levels", "of the codes", 1, 4, &cost_.levels);
    options.Flag("--shared", "one code for all layers, cycles and energies added up",
                 &cost_.shared);
    options.Integer("--pareto", "latency and energy at once: runs a front; 0: --objective", 0, 1000,
                    &pareto_);
    options.Text("--predictor", "FILE", "of dcp; else the shipped ones", &learned_.predictor);
    options.Integer("--samples", "that tune dcp's predictor first (few-shot)", 0, 100'000,
                    &learned_.few_shot);
    options.Text("--budget-evaluations", "NUMBERS", "samples a run, separated by commas",
                 &budgets_);
    options.Integer("--seeds", "runs of each", 1, 1000, &seeds_);
    options.Integer("--seed", "the first seed", 0, kMax / 2, &seed_);
    options.Integer("--best-known", "samples of a run that looks for the best known", 0,
                    100'000'000, &best_known_);
    options.Integer("--threads", "0 = all cores; never changes the result", 0, 4096, &threads_);
    options.Text("--html", "FILE", "write a page with plots", &html_);
    options.Flag("--json", "print JSON instead of tables", &json_);
  }
  Result<int> Run(const Context& context) override {
    driver::CompareOptions options;
    options.searches = SplitAtCommas(mappers_);
    SLUICE_TRY(options.budgets, ParseBudgets(budgets_));
    options.seeds = static_cast<int>(seeds_);
    options.first_seed = static_cast<std::uint64_t>(seed_);
    options.best_known_samples = best_known_;
    options.threads = static_cast<int>(threads_);
    options.stop = context.stop;
    ProgressLine progress(context.progress);
    options.progress = [&](std::int64_t done, std::int64_t total, std::string_view what) {
      progress.Update(done, total, what);
    };
    options.find = [this](const std::string& name) {
      return driver::FindSearch(driver::DefaultSearchPaths(), name, learned_);
    };
    if (cost_.shared && learned_.few_shot > 0) {
      return Fail(
          Diagnostic(ErrorCode::kUsage, "--samples tunes on one layer, --shared has several")
              .WithHint("leave one of them out"));
    }
    if (pareto_ > 0) {
      return RunFronts(options, progress);
    }
    SLUICE_TRY(const driver::Comparison comparison,
               driver::CompareRequested(driver::DefaultSearchPaths(), subject_, cost_, options));
    progress.Clear();
    SLUICE_TRY_STATUS(json_ ? Print(driver::JsonOfComparison(comparison))
                            : Print(driver::RenderComparison(comparison)));
    if (!html_.empty()) {
      SLUICE_TRY_STATUS(WriteFileAtomic(html_, driver::HtmlOfComparison(comparison)));
    }
    if (comparison.failed) {
      return Fail(*comparison.failed);
    }
    return comparison.complete ? kExitOk : kExitInterrupted;
  }

 private:
  Result<int> RunFronts(const driver::CompareOptions& options, ProgressLine& progress) const {
    SLUICE_TRY(const driver::FrontComparison comparison,
               driver::CompareFrontsRequested(driver::DefaultSearchPaths(), subject_, cost_,
                                              options, static_cast<int>(pareto_)));
    progress.Clear();
    SLUICE_TRY_STATUS(json_ ? Print(driver::JsonOfFronts(comparison))
                            : Print(driver::RenderFronts(comparison)));
    if (!html_.empty()) {
      SLUICE_TRY_STATUS(WriteFileAtomic(html_, driver::HtmlOfFronts(comparison)));
    }
    if (comparison.failed) {
      return Fail(*comparison.failed);
    }
    return comparison.complete ? kExitOk : kExitInterrupted;
  }

  std::string subject_;
  std::string mappers_ = "genetic,annealing,random";
  driver::CostRequest cost_;
  std::string budgets_ = "300,1000,3000,10000";
  std::int64_t seeds_ = 5;
  std::int64_t seed_ = 1;
  std::int64_t best_known_ = 100'000;
  std::int64_t threads_ = 0;
  std::int64_t pareto_ = 0;
  driver::LearnedOptions learned_;
  std::string html_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Verb> MakeCompareVerb() {
  return std::make_unique<CompareVerb>();
}

}  // namespace sluice::cli
