#pragma once
/// \file
/// Data sets and predictors as a user meets them: make a data set, train on one, find the shipped
/// predictor, and the search that uses it. Tested by tests/cli/learn_test.py.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/diagnostic.h"
#include "driver/catalog/catalog.h"
#include "driver/text/page.h"
#include "mapper/codes/search.h"
// What a front end says about data sets and training, it says in these words.
#include "predict/features.h"          // IWYU pragma: export
#include "predict/training/dataset.h"  // IWYU pragma: export
#include "predict/training/train.h"    // IWYU pragma: export

namespace sluice::driver {

struct LearnControl {
  const std::atomic<bool>* stop = nullptr;
  /// Done, total, of what.
  std::function<void(std::int64_t, std::int64_t, std::string_view)> progress;
};

/// Who labels a data set, in the user's words.
struct LabelRequest {
  std::string model = "maestro-exact";
  std::string hardware;  ///< a MAESTRO hardware file; empty: each layer has a random machine
};
/// Makes or continues a data set. Errors: those of predict::MakeDataset and of reading the machine;
/// kUnknownName for a model other than maestro-exact and maestro.
Result<predict::DatasetRun> MakeDataset(const std::string& path, const LabelRequest& request,
                                        predict::DatasetOptions options, int threads,
                                        const LearnControl& control);

struct TrainRequest {
  std::string dataset;  ///< empty: the default one, made in memory
  std::string output;   ///< the model file
  std::string curves;   ///< a file: a page if its name ends in .html, else JSON; empty: none
  predict::TrainOptions options;
};
/// What the shipped predictor of an encoding was trained on, and how. That of scalar codes, which
/// see no machine, on the edge machine alone.
predict::DatasetOptions DefaultDataset(predict::Encoding encoding);
predict::TrainOptions DefaultTraining(predict::Encoding encoding);

struct Trained {
  std::string output;
  std::uint64_t bytes = 0;
  std::string hash;  ///< of the model file
  std::uint64_t trained_on = 0;
  std::uint64_t seed = 0;
  double data_cpu_seconds = 0;
  double train_cpu_seconds = 0;
  std::vector<predict::CurvePoint> curves;
  predict::Metrics random;  ///< on random codes of unseen layers
  predict::Metrics all;     ///< on all codes of unseen layers
  bool complete = true;
};
/// Trains, measures on unseen layers and writes the model file; what an interruption leaves is
/// written too, unless nothing was trained yet. Errors: of the files and of predict::Train.
Result<Trained> TrainPredictor(const TrainRequest& request, const LearnControl& control);

/// A path, or the name of a shipped one in models/predictors. Errors: kUnknownName.
Result<std::string> FindPredictor(const SearchPaths& paths, const std::string& text);

struct LearnedOptions {
  std::string predictor;      ///< a file; empty: the shipped ones
  std::int64_t few_shot = 0;  ///< samples that tune it before the search
};
/// Any search over codes by its name: those of mapper::codes, `dcp` and `dcp-paper` with a
/// predictor. Errors: kUnknownName; those of reading the predictor; kPlanMismatch for one that
/// reads codes as the other search does.
Result<std::shared_ptr<const mapper::codes::CodeSearch>> FindSearch(
    const SearchPaths& paths, const std::string& name, const LearnedOptions& options = {});

Page RenderDatasetRun(const std::string& path, const predict::DatasetRun& run);
Page RenderTrained(const Trained& trained);
std::string JsonOfDatasetRun(const std::string& path, const predict::DatasetRun& run);
std::string JsonOfTrained(const Trained& trained);
/// Losses over epochs, for the report.
std::string JsonOfCurves(const Trained& trained);
/// The same drawn, as a page of its own.
std::string HtmlOfCurves(const Trained& trained);

}  // namespace sluice::driver
