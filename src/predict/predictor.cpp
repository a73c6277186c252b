#include "predict/predictor.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/diagnostic.h"
#include "mapper/codes/search.h"
#include "mapping/dataflow/code.h"
#include "predict/features.h"
#include "predict/mlp.h"

namespace sluice::predict {
namespace {

/// Far outside what was seen a feature counts as if at this many standard deviations.
constexpr float kFar = 8;

/// A correction that is small or that the members do not agree on is noise: the estimate is better.
double Shrunk(double mean, double variance) {
  constexpr double kNoise = 0.01;
  const double square = mean * mean;
  return mean * square / (square + 2 * variance + kNoise * kNoise);
}

std::string Text(const mapper::codes::SpaceOptions& space) {
  return fmt::format("{} levels, {} tiles, windows {}", space.levels,
                     space.divisor_tiles ? "divisor" : "any",
                     space.whole_windows ? "whole" : "cut");
}

}  // namespace

Predictor::Predictor(const mapper::codes::SpaceOptions& space, Encoding encoding,
                     std::vector<float> center, std::vector<float> scale,
                     std::vector<Mlp<float>> members, ModelOrigin origin)
    : space_(space),
      encoding_(encoding),
      center_(std::move(center)),
      scale_(std::move(scale)),
      members_(std::move(members)),
      origin_(std::move(origin)) {
  const std::size_t features = FeatureCount(space.levels, encoding);
  SLUICE_CHECK(center_.size() == features && scale_.size() == features && !members_.empty(),
               "as many numbers as features");
  for (const auto& member : members_) {
    SLUICE_CHECK(member.inputs() == features && member.outputs() == kComponents,
                 "fitting networks");
  }
}

Status Predictor::CheckSpace(const mapper::codes::SpaceOptions& space) const {
  if (space == space_) {
    return {};
  }
  return Fail(Diagnostic(ErrorCode::kPlanMismatch,
                         "the predictor was trained for another space of codes: " + Text(space_))
                  .WithHint("sluice train makes one for " + Text(space)));
}

void Predictor::Standardised(const Context& context, const mapping::DataflowCode& code,
                             std::span<float> features, Components& estimate) const {
  Features(context, code, features, estimate, encoding_);
  for (std::size_t i = 0; i < features.size(); ++i) {
    features[i] = std::clamp((features[i] - center_[i]) * scale_[i], -kFar, kFar);
  }
}

void Predictor::Predict(const Context& context, std::span<const mapping::DataflowCode> codes,
                        std::span<Prediction> predictions) const {
  SLUICE_CHECK(codes.size() == predictions.size(), "one prediction a code");
  constexpr std::size_t kBatch = 256;
  const std::size_t width = center_.size();
  std::vector<float> batch;
  std::vector<Components> estimates;
  Mlp<float>::Trace trace;
  for (std::size_t at = 0; at < codes.size(); at += kBatch) {
    const std::size_t count = std::min(kBatch, codes.size() - at);
    batch.resize(count * width);
    estimates.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      Standardised(context, codes[at + i], std::span(batch).subspan(i * width, width),
                   estimates[i]);
      predictions[at + i] = {};
    }
    for (const auto& member : members_) {
      const auto values = member.Forward(batch, count, trace);
      for (std::size_t i = 0; i < count * kComponents; ++i) {
        Prediction& p = predictions[at + i / kComponents];
        const auto value = static_cast<double>(values[i]);
        p.mean[i % kComponents] += value;
        p.spread[i % kComponents] += value * value;
      }
    }
    const auto size = static_cast<double>(members_.size());
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t c = 0; c < kComponents; ++c) {
        Prediction& p = predictions[at + i];
        const double mean = p.mean[c] / size;
        const double variance = std::max(p.spread[c] / size - mean * mean, 0.0);
        p.spread[c] = std::sqrt(variance);
        const double said = encoding_ == Encoding::kDerived ? Shrunk(mean, variance) : mean;
        p.mean[c] = said + estimates[i][c] + context.log_bounds()[c];
      }
    }
  }
}

void Predictor::Estimate(const Context& context, std::span<const mapping::DataflowCode> codes,
                         std::span<Prediction> predictions) {
  SLUICE_CHECK(codes.size() == predictions.size(), "one prediction a code");
  for (std::size_t i = 0; i < codes.size(); ++i) {
    predictions[i] = {.mean = EstimateOf(context, codes[i]), .spread = {}};
    for (std::size_t c = 0; c < kComponents; ++c) {
      predictions[i].mean[c] += context.log_bounds()[c];
    }
  }
}

void Predictor::PredictRelaxed(const Context& context, std::size_t member, std::uint32_t allowed,
                               std::span<const double> variables, Workspace& work,
                               Relaxed& result) const {
  const std::size_t width = center_.size();
  const std::size_t count = VariableCount(space_.levels);
  const std::size_t codes = variables.size() / count;
  SLUICE_CHECK(variables.size() == codes * count, "all variables of all codes");
  const std::size_t rows = (width + kComponents) * count;
  work.batch.resize(codes * width);
  work.jacobians.resize(codes * rows);
  result.values.resize(codes);
  for (std::size_t i = 0; i < codes; ++i) {
    RelaxedFeaturesOf(context, space_.levels, allowed, variables.subspan(i * count, count),
                      work.relaxed, encoding_);
    for (std::size_t f = 0; f < width; ++f) {
      work.batch[i * width + f] =
          std::clamp((work.relaxed.features[f] - center_[f]) * scale_[f], -kFar, kFar);
    }
    std::ranges::copy(work.relaxed.jacobian,
                      work.jacobians.begin() + static_cast<std::ptrdiff_t>(i * rows));
    result.values[i] = work.relaxed.estimate;
  }
  const auto values = members_[member].Forward(work.batch, codes, work.trace);
  for (std::size_t i = 0; i < codes; ++i) {
    for (std::size_t c = 0; c < kComponents; ++c) {
      result.values[i][c] +=
          static_cast<double>(values[i * kComponents + c]) + context.log_bounds()[c];
    }
  }
}

void Predictor::GradientRelaxed(std::size_t member, std::span<const double> weights,
                                std::size_t codes, Workspace& work, Relaxed& result) const {
  const std::size_t width = center_.size();
  const std::size_t count = VariableCount(space_.levels);
  const std::size_t rows = (width + kComponents) * count;
  work.by_outputs.resize(codes * kComponents);
  std::ranges::transform(weights, work.by_outputs.begin(),
                         [](double w) { return static_cast<float>(w); });
  work.by_inputs.resize(codes * width);
  members_[member].Backward(work.batch, work.by_outputs, codes, work.trace, {}, work.by_inputs);
  result.gradients.assign(codes * count, 0);
  std::vector<float> sum(count);
  for (std::size_t i = 0; i < codes; ++i) {
    const float* row = work.jacobians.data() + i * rows;
    std::ranges::fill(sum, 0.0F);
    for (std::size_t f = 0; f < width + kComponents; ++f, row += count) {
      float by = 0;
      if (f >= width) {
        by = work.by_outputs[i * kComponents + f - width];
      } else if (std::abs(work.batch[i * width + f]) < kFar) {
        by = work.by_inputs[i * width + f] * scale_[f];
      }
      for (std::size_t v = 0; v < count; ++v) {
        sum[v] += by * row[v];
      }
    }
    std::ranges::copy(sum, result.gradients.begin() + static_cast<std::ptrdiff_t>(i * count));
  }
}

}  // namespace sluice::predict
