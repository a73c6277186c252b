#pragma once
/// \file
/// Internal to propagate.cpp: what is minimised, and codes as points that follow its gradient.

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "mapper/codes/space.h"
#include "mapping/dataflow/code.h"
#include "predict/features.h"
#include "predict/predictor.h"

namespace sluice::predict {

/// A layer that the codes are for; several where they share a code.
struct PredictedPart {
  Context context;
  std::uint32_t allowed = 0;  ///< dims that may be parallel
  double count = 1;
};

/// Predictions of one code for every part as that of their sum: cycles and energies added up, of
/// the buffers the largest.
Prediction Summed(std::span<const PredictedPart> parts, std::span<const Prediction> predictions);

/// The logarithm of an objective, with hinges where buffers are too small or it takes too long.
struct Target {
  Components weight{};
  std::array<double, 2> limit{};  ///< logarithms: inner and outer words
  /// What predictions may be off, where the best codes are: at full buffers.
  std::array<double, 2> tolerance = {0.005, 0.005};
  double cycle_limit = std::numeric_limits<double>::infinity();  ///< a logarithm, of all parts

  /// Where the members disagree, the pessimist is believed.
  [[nodiscard]] double Score(const Components& logs, const Components& spread) const;
  /// A code predicted as `refused` needs `logs`: where it was thought to fit and does not, less
  /// tolerance from now on. False: nothing changed.
  bool Sharpen(const Components& refused, const Components& logs);
  /// Derivatives of the objective with its hinges by the components of a part, given those of the
  /// sum.
  [[nodiscard]] Components Slopes(const Components& part, double count,
                                  const Components& sum) const;
};

class Relaxation {
 public:
  /// Keeps references.
  Relaxation(const mapper::codes::CodeSpace& space, std::span<const PredictedPart> parts,
             const Target& target, Encoding encoding);

  /// Goes on from these codes.
  void Reset(std::span<const mapping::DataflowCode> codes);
  /// One step of Adam on all codes, by one member of the ensemble.
  void Step(const Predictor& predictor, std::size_t member);
  /// The nearest codes of the space.
  [[nodiscard]] std::vector<mapping::DataflowCode> Codes() const;

 private:
  void Clamp(std::span<double> variables) const;
  [[nodiscard]] mapping::CodeDim ParallelOf(std::span<const double> variables,
                                            std::size_t level) const;
  /// The variables as this part sees them: tiles within its layer.
  [[nodiscard]] std::vector<double> VariablesOf(const PredictedPart& part) const;
  /// Gradient of the target, for all variables.
  [[nodiscard]] std::vector<double> Gradient(const Predictor& predictor, std::size_t member);

  const mapper::codes::CodeSpace& space_;
  std::span<const PredictedPart> parts_;
  const Target& target_;
  Encoding encoding_;
  std::size_t count_ = 0;  ///< variables of a code
  std::vector<double> variables_;
  std::vector<double> first_;
  std::vector<double> second_;
  int steps_ = 0;
  std::vector<Predictor::Workspace> work_;  ///< a part
  std::vector<Predictor::Relaxed> relaxed_;
};

}  // namespace sluice::predict
