#pragma once
/// \file
/// Internal to propagate.cpp: the ensemble of a trained predictor as a scorer, with what following
/// its gradients needs.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "cost/oracle/oracle.h"
#include "mapper/codes/search.h"
#include "mapping/dataflow/code.h"
#include "predict/predictor.h"
#include "predict/search/relax.h"
#include "predict/search/scorer.h"
#include "predict/training/train.h"

namespace sluice::predict {

struct TuneOptions {
  double above = 0.1;  ///< mean error of the logarithm of the objective
  int steps = 60;
};

class EnsembleScorer final : public Scorer {
 public:
  /// Keeps references.
  EnsembleScorer(const mapper::codes::CodeProblem& problem, const Predictor& predictor,
                 const TuneOptions& tune);

  [[nodiscard]] std::vector<double> Scores(std::span<const mapping::DataflowCode> codes) override;
  [[nodiscard]] std::vector<double> ScoresWithin(std::span<const mapping::DataflowCode> codes,
                                                 std::span<const double> limits) override;
  [[nodiscard]] std::size_t BestOf(std::span<const mapping::DataflowCode> codes) override;
  [[nodiscard]] std::vector<std::int64_t> Identity(
      const mapping::DataflowCode& code) const override;
  void Note(const mapping::DataflowCode& code, const cost::CodeCost& cost) override;
  bool Learn(bool anyway) override;
  void Calibrate(std::span<const mapping::DataflowCode> codes,
                 std::span<const double> scores) override;

  /// As far as it was tuned by now.
  [[nodiscard]] const Predictor& predictor() const { return tuned_ ? *tuned_ : predictor_; }
  [[nodiscard]] std::span<const PredictedPart> parts() const { return parts_; }
  [[nodiscard]] const Target& target() const { return target_; }

 private:
  /// Into predictions_, by the ensemble.
  void Predict(std::span<const mapping::DataflowCode> codes);
  [[nodiscard]] std::vector<double> QuickScores(std::span<const mapping::DataflowCode> codes);
  [[nodiscard]] std::vector<double> ScoresOfPredictions(const Target& target) const;
  template <class PredictPart>
  void Fill(std::span<const mapping::DataflowCode> codes, PredictPart&& predict);
  /// Whether several layers share the code. Then only sums are known, so nothing can be tuned.
  [[nodiscard]] bool shared() const { return parts_.size() > 1; }

  const cost::CostOracle& oracle_;
  const Predictor& predictor_;
  TuneOptions tune_;
  std::vector<PredictedPart> parts_;
  Target target_;
  std::optional<Predictor> tuned_;
  std::vector<Prediction> predictions_;
  double slack_ = 0;  ///< what the networks usually correct of a score
  std::vector<Known> known_;
};

}  // namespace sluice::predict
