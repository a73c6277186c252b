#include "driver/learn.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/cpu_time.h"
#include "base/diagnostic.h"
#include "base/file.h"
#include "base/hash.h"
#include "driver/catalog/catalog.h"
#include "driver/reproduce/dcp_set.h"
#include "driver/text/page.h"
#include "io/maestro/hardware.h"
#include "mapper/codes/search.h"
#include "predict/features.h"
#include "predict/predictor.h"
#include "predict/search/propagate.h"
#include "predict/training/dataset.h"
#include "predict/training/train.h"

namespace sluice::driver {
namespace {

Result<predict::Dataset> DatasetOf(const TrainRequest& request, const LearnControl& control) {
  if (!request.dataset.empty()) {
    return predict::ReadDataset(request.dataset);
  }
  predict::Dataset dataset = predict::SampleDataset(
      DefaultDataset(request.options.encoding), 1, control.stop, [&](const auto& progress) {
        if (control.progress) {
          control.progress(static_cast<std::int64_t>(progress.groups),
                           static_cast<std::int64_t>(progress.of), "layers labelled");
        }
      });
  return dataset;
}

void AddMetrics(Page& page, const predict::Metrics& metrics) {
  page.Add(fmt::format("  {:<14} {:>16} {:>8} {:>22} {:>14}", "component", "rank correlation",
                       "(mean)", "predicted/true, best 5%", "median error"));
  for (std::size_t c = 0; c < predict::kComponents; ++c) {
    const auto& one = metrics.components[c];
    page.Add(fmt::format("  {:<14} {:>16.4f} {:>8.4f} {:>23.3f} {:>13.2f}%",
                         predict::ComponentName(static_cast<predict::Component>(c)),
                         one.rank_correlation, one.mean_rank_correlation, one.best_ratio,
                         100 * one.median_error));
  }
}

}  // namespace

Result<predict::DatasetRun> MakeDataset(const std::string& path, const LabelRequest& request,
                                        predict::DatasetOptions options, int threads,
                                        const LearnControl& control) {
  if (request.model != "maestro" && request.model != "maestro-exact") {
    return Fail(Diagnostic(ErrorCode::kUnknownName, "unknown cost model `" + request.model + "`")
                    .WithHint("maestro-exact or maestro"));
  }
  options.compatible = request.model == "maestro";
  if (!request.hardware.empty()) {
    SLUICE_TRY(options.machine, io::LoadMaestroHardware(request.hardware));
  }
  return predict::MakeDataset(path, options, threads, control.stop, [&](const auto& progress) {
    if (control.progress) {
      control.progress(static_cast<std::int64_t>(progress.groups),
                       static_cast<std::int64_t>(progress.of), "layers labelled");
    }
  });
}

predict::DatasetOptions DefaultDataset(predict::Encoding encoding) {
  predict::DatasetOptions options;
  options.groups = 6000;
  if (encoding == predict::Encoding::kScalar) {
    options.machine = EdgeMachine(kFairBandwidth);
  }
  return options;
}

predict::TrainOptions DefaultTraining(predict::Encoding encoding) {
  predict::TrainOptions options;
  options.encoding = encoding;
  options.epochs = 16;
  if (encoding == predict::Encoding::kScalar) {
    options.members = 1;
    options.hidden = {256, 256, 256};
  }
  return options;
}

Result<Trained> TrainPredictor(const TrainRequest& request, const LearnControl& control) {
  for (const std::string& path : {request.output, request.curves}) {
    if (!path.empty()) {
      SLUICE_TRY_STATUS(CheckWritable(path));  // before minutes of work are lost
    }
  }
  const double start = ProcessSeconds();
  SLUICE_TRY(const predict::Dataset dataset, DatasetOf(request, control));
  Trained trained;
  trained.data_cpu_seconds = ProcessSeconds() - start;
  predict::TrainOptions options = request.options;
  options.stop = control.stop;
  options.progress = [&](const predict::CurvePoint& point) {
    if (control.progress) {
      control.progress(point.member * options.epochs + point.epoch,
                       std::int64_t{options.members} * options.epochs,
                       fmt::format("epochs, validation loss {:.3g}", point.validation_loss));
    }
  };
  SLUICE_TRY(predict::TrainOutcome outcome, predict::Train(dataset, options));
  trained.complete = outcome.complete;
  trained.train_cpu_seconds = outcome.cpu_seconds;
  trained.curves = std::move(outcome.curves);
  if (trained.curves.empty()) {
    return Fail(Diagnostic(ErrorCode::kUsage, "interrupted before the first epoch was over")
                    .WithHint("run again; nothing was written"));
  }
  trained.trained_on = outcome.predictor.origin().samples;
  trained.seed = outcome.predictor.origin().seed;
  trained.random = predict::Measure(outcome.predictor, dataset, predict::Split::kTest, true);
  trained.all = predict::Measure(outcome.predictor, dataset, predict::Split::kTest, false);
  const std::string bytes = outcome.predictor.Write();
  trained.output = request.output;
  trained.bytes = bytes.size();
  trained.hash = ContentHash(bytes);
  SLUICE_TRY_STATUS(WriteFileAtomic(request.output, bytes));
  if (!request.curves.empty()) {
    SLUICE_TRY_STATUS(WriteFileAtomic(request.curves, request.curves.ends_with(".html")
                                                          ? HtmlOfCurves(trained)
                                                          : JsonOfCurves(trained)));
  }
  return trained;
}

Result<std::string> FindPredictor(const SearchPaths& paths, const std::string& text) {
  std::error_code error;
  if (text.find('/') != std::string::npos || std::filesystem::exists(text, error)) {
    return text;
  }
  for (const std::string& root : paths.roots) {
    std::string path = fmt::format("{}/models/predictors/{}.predictor", root, text);
    if (std::filesystem::exists(path, error)) {
      return path;
    }
  }
  return Fail(Diagnostic(ErrorCode::kUnknownName, "there is no predictor `" + text + "`")
                  .WithHint("a file that sluice train wrote, or `default`"));
}

namespace {

constexpr std::string_view kDcp = "dcp";
constexpr std::string_view kDcpPaper = "dcp-paper";

Result<std::shared_ptr<const mapper::codes::CodeSearch>> FindLearnedSearch(
    const SearchPaths& paths, const std::string& name, const LearnedOptions& options) {
  const bool as_published = name == kDcpPaper;
  std::vector<std::string> names = {"default", "windows"};
  if (!options.predictor.empty()) {
    names = {options.predictor};
  } else if (as_published) {
    names = {"paper", "paper-windows", "paper-levels"};
  }
  std::vector<std::shared_ptr<const predict::Predictor>> predictors;
  for (const std::string& one : names) {
    SLUICE_TRY(const std::string path, FindPredictor(paths, one));
    SLUICE_TRY(predict::Predictor predictor, predict::Predictor::Load(path));
    const bool scalar = predictor.encoding() == predict::Encoding::kScalar;
    if (scalar != as_published) {
      return Fail(Diagnostic(ErrorCode::kPlanMismatch,
                             fmt::format("`{}` was trained with features that {} does not read",
                                         path, name))
                      .WithHint(fmt::format(
                          "it serves --mapper {}; sluice train{} makes one for {}",
                          scalar ? kDcpPaper : kDcp, scalar ? "" : " --features paper", name)));
    }
    predictors.push_back(std::make_shared<const predict::Predictor>(std::move(predictor)));
  }
  predict::PropagateOptions propagate =
      as_published ? predict::PublishedOptions() : predict::PropagateOptions();
  propagate.few_shot = options.few_shot;
  propagate.rules = options.predictor.empty();
  return std::shared_ptr<const mapper::codes::CodeSearch>(
      predict::MakePropagationSearch(std::move(predictors), propagate));
}

}  // namespace

Result<std::shared_ptr<const mapper::codes::CodeSearch>> FindSearch(const SearchPaths& paths,
                                                                    const std::string& name,
                                                                    const LearnedOptions& options) {
  if (name == kDcp || name == kDcpPaper) {
    return FindLearnedSearch(paths, name, options);
  }
  auto found = mapper::codes::FindCodeSearch(name);
  if (!found) {
    found.error().hint += fmt::format(", {}, {}", kDcp, kDcpPaper);
    return Fail(std::move(found).error());
  }
  // Those of the module live as long as the program.
  return std::shared_ptr<const mapper::codes::CodeSearch>(
      std::shared_ptr<const mapper::codes::CodeSearch>(), *found);
}

Page RenderDatasetRun(const std::string& path, const predict::DatasetRun& run) {
  Page page;
  page.Heading("data set " + path);
  page.Add(fmt::format("  layers     {}{}{}", run.groups,
                       run.resumed > 0 ? fmt::format(" ({} were there)", run.resumed) : "",
                       run.complete ? "" : ", incomplete: run again to continue"));
  page.Add(fmt::format("  labelled   {} samples in {:.1f} s, {:.1f} s CPU", run.samples,
                       run.seconds, run.cpu_seconds));
  if (run.cpu_seconds > 0 && run.samples > 0) {
    page.Add(fmt::format("  speed      {:.0f} samples/s and core",
                         static_cast<double>(run.samples) / run.cpu_seconds));
  }
  page.Add("  manifest   " + path + ".json");
  return page;
}

Page RenderTrained(const Trained& trained) {
  Page page;
  page.Heading("predictor " + trained.output);
  page.Add(fmt::format("  trained on {} samples, seed {}, {} epochs; {} bytes, hash {}",
                       trained.trained_on, trained.seed, trained.curves.size(), trained.bytes,
                       trained.hash));
  page.Add(fmt::format("  CPU seconds: {:.1f} for the data, {:.1f} for training",
                       trained.data_cpu_seconds, trained.train_cpu_seconds));
  page.Heading(fmt::format("random codes of {} unseen layers, {} samples (medians over layers)",
                           trained.random.layers, trained.random.samples));
  AddMetrics(page, trained.random);
  page.Heading(fmt::format("with codes that follow the cost, {} samples", trained.all.samples));
  AddMetrics(page, trained.all);
  return page;
}

}  // namespace sluice::driver
