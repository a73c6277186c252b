// How well a predictor ranks and scales the codes of one layer.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
#include <vector>

#include "mapping/dataflow/code.h"
#include "predict/features.h"
#include "predict/predictor.h"
#include "predict/training/dataset.h"
#include "predict/training/train.h"

namespace sluice::predict {
namespace {

/// Ranks from 0; equal values share the mean of theirs.
std::vector<double> RanksOf(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (std::size_t i = 0; i < order.size();) {
    std::size_t end = i + 1;
    while (end < order.size() && values[order[end]] == values[order[i]]) {
      ++end;
    }
    for (std::size_t j = i; j < end; ++j) {
      ranks[order[j]] = (static_cast<double>(i) + static_cast<double>(end - 1)) / 2;
    }
    i = end;
  }
  return ranks;
}

/// Of ranks: Spearman's coefficient. Not a number where one side is constant.
double Correlation(const std::vector<double>& a, const std::vector<double>& b) {
  const auto n = static_cast<double>(a.size());
  const double mean = (n - 1) / 2;
  double ab = 0;
  double aa = 0;
  double bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += (a[i] - mean) * (b[i] - mean);
    aa += (a[i] - mean) * (a[i] - mean);
    bb += (b[i] - mean) * (b[i] - mean);
  }
  return ab / std::sqrt(aa * bb);
}

double MedianOf(std::vector<double> values) {
  if (values.empty()) {
    return 0;
  }
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

struct Gathered {
  std::vector<double> correlations;
  std::vector<double> errors;
  double best_sum = 0;
  std::size_t best_count = 0;
};

void Gather(std::span<const double> truth, std::span<const double> predicted, Gathered& to) {
  const auto ranks = RanksOf(truth);
  const double correlation = Correlation(ranks, RanksOf(predicted));
  if (std::isfinite(correlation)) {
    to.correlations.push_back(correlation);
  }
  constexpr double kBest = 0.05;
  const double limit = std::max(kBest * static_cast<double>(truth.size()), 1.0);
  for (std::size_t i = 0; i < truth.size(); ++i) {
    to.errors.push_back(std::abs(std::exp(predicted[i] - truth[i]) - 1));
    if (ranks[i] < limit) {
      to.best_sum += predicted[i] - truth[i];
      ++to.best_count;
    }
  }
}

}  // namespace

Metrics Measure(const Predictor& predictor, const Dataset& dataset, Split split, bool random_only) {
  std::vector<Group> groups;
  for (std::size_t g = 0; g < dataset.groups.size(); ++g) {
    if (SplitOf(g) == split) {
      groups.push_back(dataset.groups[g]);
    }
  }
  return MeasureGroups([&](const Context& context, auto codes,
                           auto predictions) { predictor.Predict(context, codes, predictions); },
                       groups, random_only);
}

Metrics MeasureGroups(const PredictFunction& predict, std::span<const Group> groups,
                      bool random_only) {
  Metrics metrics;
  std::array<Gathered, kComponents> gathered;
  for (const Group& group : groups) {
    const Context context(group.layer, group.hardware);
    std::vector<mapping::DataflowCode> codes;
    std::array<std::vector<double>, kComponents> truth;
    for (const Sample& sample : group.samples) {
      if (sample.random || !random_only) {
        codes.push_back(sample.code);
        for (std::size_t c = 0; c < kComponents; ++c) {
          truth[c].push_back(static_cast<double>(sample.label[c]));
        }
      }
    }
    constexpr std::size_t kFewest = 10;
    if (codes.size() < kFewest) {
      continue;
    }
    std::vector<Prediction> predictions(codes.size());
    predict(context, codes, predictions);
    ++metrics.layers;
    metrics.samples += codes.size();
    for (std::size_t c = 0; c < kComponents; ++c) {
      std::vector<double> predicted(codes.size());
      std::ranges::transform(predictions, predicted.begin(),
                             [&](const Prediction& p) { return p.mean[c]; });
      Gather(truth[c], predicted, gathered[c]);
    }
  }
  for (std::size_t c = 0; c < kComponents; ++c) {
    const Gathered& from = gathered[c];
    ComponentMetrics& to = metrics.components[c];
    const auto count = static_cast<double>(std::max<std::size_t>(from.correlations.size(), 1));
    to.mean_rank_correlation =
        std::accumulate(from.correlations.begin(), from.correlations.end(), 0.0) / count;
    to.rank_correlation = MedianOf(from.correlations);
    to.median_error = MedianOf(from.errors);
    to.best_ratio =
        std::exp(from.best_sum / static_cast<double>(std::max<std::size_t>(from.best_count, 1)));
  }
  return metrics;
}

}  // namespace sluice::predict
