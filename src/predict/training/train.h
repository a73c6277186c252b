#pragma once
/// \file
/// Trains a predictor, measures it, and adapts it to another machine or cost model with a few
/// samples. Huber loss on what the analytic estimate misses, Adam, a rate that falls like a cosine,
/// early stopping on unseen layers. One thread; the same data and seed give the same bytes.
/// Tested by tests/unit/predict_predictor_test.cpp.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "predict/features.h"
#include "predict/predictor.h"
#include "predict/training/dataset.h"

namespace sluice::predict {

struct CurvePoint {
  int member = 0;
  int epoch = 0;  ///< from 1
  double train_loss = 0;
  double validation_loss = 0;
  double cpu_seconds = 0;  ///< since the start of training
};

struct TrainOptions {
  /// Under scalar features only random codes are trained on, as in the paper.
  Encoding encoding = Encoding::kDerived;
  int members = 3;
  std::vector<int> hidden = {64, 64, 64};
  int epochs = 12;
  int patience = 3;  ///< epochs without a better validation loss
  std::size_t batch = 512;
  double rate = 2e-3;
  double decay = 1e-4;
  std::uint64_t seed = 1;
  const std::atomic<bool>* stop = nullptr;
  std::function<void(const CurvePoint&)> progress;
};
/// Errors: kBadValue.
Status ValidateTrainOptions(const TrainOptions& options);

struct TrainOutcome {
  Predictor predictor;
  std::vector<CurvePoint> curves;
  double cpu_seconds = 0;
  bool complete = true;  ///< false: stopped; the best weights so far are in the predictor
};
/// Errors: kBadValue for a data set without layers to train on or to validate with.
Result<TrainOutcome> Train(const Dataset& dataset, const TrainOptions& options);

/// How well a component is predicted on layers that were not trained on. Medians over layers.
struct ComponentMetrics {
  double rank_correlation = 0;       ///< Spearman, within a layer
  double mean_rank_correlation = 0;  ///< the mean instead of the median
  double best_ratio = 0;    ///< geometric mean of predicted / true over each layer's best 5 %
  double median_error = 0;  ///< |predicted / true - 1|
};
struct Metrics {
  std::size_t layers = 0;
  std::size_t samples = 0;
  std::array<ComponentMetrics, kComponents> components{};
};
/// Natural logarithms of the components of codes of a layer.
using PredictFunction = std::function<void(const Context&, std::span<const mapping::DataflowCode>,
                                           std::span<Prediction>)>;
/// Over these groups. `random_only`: without the codes that followed the cost.
Metrics MeasureGroups(const PredictFunction& predict, std::span<const Group> groups,
                      bool random_only);
/// Over the groups of one split.
Metrics Measure(const Predictor& predictor, const Dataset& dataset, Split split, bool random_only);

/// Codes whose components are known, to adapt to.
struct Known {
  mapping::DataflowCode code;
  Components log_components{};
};
/// Continues training of every member on these samples, deterministically. Requires: codes of the
/// predictor's space.
Predictor FineTune(const Predictor& predictor, const Context& context, std::span<const Known> known,
                   int steps, double rate);

}  // namespace sluice::predict
