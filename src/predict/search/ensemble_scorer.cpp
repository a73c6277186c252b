#include "predict/search/ensemble_scorer.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "cost/oracle/oracle.h"
#include "mapper/codes/search.h"
#include "mapper/codes/space.h"
#include "mapping/dataflow/code.h"
#include "predict/features.h"
#include "predict/predictor.h"
#include "predict/search/relax.h"
#include "predict/training/train.h"

namespace sluice::predict {
namespace {

using mapper::codes::CodeObjective;
using mapper::codes::CodeProblem;
using mapper::codes::CodeSpace;
using mapper::codes::EnergyKind;
using mapping::DataflowCode;

constexpr double kTuneRate = 1e-3;

std::vector<PredictedPart> MakeParts(const cost::CostOracle& oracle,
                                     const mapper::codes::SpaceOptions& options) {
  std::vector<PredictedPart> parts;
  for (const cost::PricedLayer& one : oracle.parts()) {
    PredictedPart part{Context(one.layer, oracle.hardware()), 0, one.count};
    const CodeSpace space(one.layer, oracle.hardware(), options);
    for (const mapping::CodeDim dim : space.parallel()) {
      part.allowed |= 1U << mapping::Index(dim);
    }
    parts.push_back(std::move(part));
  }
  return parts;
}

Target MakeTarget(const CodeProblem& problem) {
  const auto& hardware = problem.oracle->hardware();
  Target target;
  const Component energy =
      problem.energy == EnergyKind::kOuter ? Component::kOuterEnergy : Component::kFullEnergy;
  if (problem.objective != CodeObjective::kEnergy) {
    target.weight[Index(Component::kLatency)] = 1;
  }
  if (problem.objective != CodeObjective::kLatency) {
    target.weight[Index(energy)] = 1;
  }
  target.limit[0] = std::log(static_cast<double>(std::max<std::int64_t>(hardware.l1_words, 1)));
  target.limit[1] = std::log(static_cast<double>(std::max<std::int64_t>(hardware.l2_words, 1)));
  target.cycle_limit = std::log(problem.cycle_limit);
  return target;
}

}  // namespace

EnsembleScorer::EnsembleScorer(const CodeProblem& problem, const Predictor& predictor,
                               const TuneOptions& tune)
    : oracle_(*problem.oracle),
      predictor_(predictor),
      tune_(tune),
      parts_(MakeParts(oracle_, problem.space)),
      target_(MakeTarget(problem)) {}

void EnsembleScorer::Predict(std::span<const DataflowCode> codes) {
  Fill(codes, [&](const Context& context, auto adapted, auto predictions) {
    predictor().Predict(context, adapted, predictions);
  });
}

std::vector<double> EnsembleScorer::Scores(std::span<const DataflowCode> codes) {
  Predict(codes);
  return ScoresOfPredictions(target_);
}

/// Scores of codes by the analytic estimate, ten times as fast.
std::vector<double> EnsembleScorer::QuickScores(std::span<const DataflowCode> codes) {
  Fill(codes, [](const Context& context, auto adapted, auto predictions) {
    Predictor::Estimate(context, adapted, predictions);
  });
  // Lenient where a buffer is nearly full: the best codes are there.
  constexpr double kLenient = 0.1;
  Target lenient = target_;
  for (double& limit : lenient.limit) {
    limit += kLenient;
  }
  return ScoresOfPredictions(lenient);
}

std::vector<double> EnsembleScorer::ScoresOfPredictions(const Target& target) const {
  std::vector<double> scores(predictions_.size());
  for (std::size_t i = 0; i < scores.size(); ++i) {
    scores[i] = target.Score(predictions_[i].mean, predictions_[i].spread);
  }
  return scores;
}

std::vector<double> EnsembleScorer::ScoresWithin(std::span<const DataflowCode> codes,
                                                 std::span<const double> limits) {
  std::vector<double> scores = QuickScores(codes);
  std::vector<DataflowCode> open;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    if (scores[i] - slack_ <= limits[i]) {
      open.push_back(codes[i]);
    }
  }
  const std::vector<double> exact = Scores(open);
  for (std::size_t i = 0, next = 0; i < codes.size(); ++i) {
    scores[i] = scores[i] - slack_ <= limits[i] ? exact[next++] : kHopeless;
  }
  return scores;
}

void EnsembleScorer::Calibrate(std::span<const DataflowCode> codes,
                               std::span<const double> scores) {
  const std::vector<double> quick = QuickScores(codes);
  std::vector<double> apart(codes.size());
  for (std::size_t i = 0; i < codes.size(); ++i) {
    apart[i] = std::abs(scores[i] - quick[i]);
  }
  constexpr double kUsual = 0.95;
  constexpr double kSafety = 1.5;
  const auto at =
      apart.begin() + static_cast<std::ptrdiff_t>(kUsual * static_cast<double>(apart.size() - 1));
  std::ranges::nth_element(apart, at);
  slack_ = kSafety * *at;
}

/// Predictions of what the codes become on every part, summed up.
template <class PredictPart>
void EnsembleScorer::Fill(std::span<const DataflowCode> codes, PredictPart&& predict) {
  predictions_.resize(codes.size());
  if (!shared()) {
    predict(parts_[0].context, codes, std::span(predictions_));
    return;
  }
  std::vector<std::vector<Prediction>> of_parts(parts_.size());
  std::vector<DataflowCode> adapted(codes.size());
  for (std::size_t p = 0; p < parts_.size(); ++p) {
    std::ranges::transform(codes, adapted.begin(),
                           [&](const DataflowCode& code) { return oracle_.PartCode(p, code); });
    of_parts[p].resize(codes.size());
    predict(parts_[p].context, std::span<const DataflowCode>(adapted), std::span(of_parts[p]));
  }
  std::vector<Prediction> ones(parts_.size());
  for (std::size_t i = 0; i < codes.size(); ++i) {
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      ones[p] = of_parts[p][i];
    }
    predictions_[i] = Summed(parts_, ones);
  }
}

/// The networks are asked where the estimate leaves it open.
std::size_t EnsembleScorer::BestOf(std::span<const DataflowCode> codes) {
  const std::vector<double> quick = QuickScores(codes);
  const std::vector<double> limits(codes.size(), std::ranges::min(quick) + slack_);
  const std::vector<double> scores = ScoresWithin(codes, limits);
  return static_cast<std::size_t>(std::ranges::min_element(scores) - scores.begin());
}

std::vector<std::int64_t> EnsembleScorer::Identity(const DataflowCode& code) const {
  return mapping::ToNumbers(code);
}

void EnsembleScorer::Note(const DataflowCode& code, const cost::CodeCost& cost) {
  const Components components = ComponentsOf(cost);
  if (cost.verdict == cost::CodeVerdict::kRefused || std::ranges::min(components) <= 0) {
    return;
  }
  Known known{code, components};
  for (double& component : known.log_components) {
    component = std::log(component);
  }
  known_.push_back(known);
}

bool EnsembleScorer::Learn(bool anyway) {
  if (known_.empty() || shared()) {
    return false;
  }
  std::vector<DataflowCode> codes;
  codes.reserve(known_.size());
  for (const Known& known : known_) {
    codes.push_back(known.code);
  }
  Predict(codes);
  bool sharper = false;
  double error = 0;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const Components& predicted = predictions_[i].mean;
    sharper = target_.Sharpen(predicted, known_[i].log_components) || sharper;
    for (std::size_t c = 0; c < kComponents; ++c) {
      error += target_.weight[c] * std::abs(predicted[c] - known_[i].log_components[c]);
    }
  }
  if (!anyway && error / static_cast<double>(codes.size()) <= tune_.above) {
    return sharper;
  }
  tuned_ = FineTune(predictor_, parts_[0].context, known_, tune_.steps, kTuneRate);
  return true;
}

}  // namespace sluice::predict
