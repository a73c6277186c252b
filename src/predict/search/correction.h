#pragma once
/// \file
/// Bayesian linear regression: learns from few samples what an estimate misses, and believes
/// nothing of what it has not seen.
///
/// y = w . x + noise, w ~ N(0, prior^2), noise ~ N(0, noise^2). The posterior mean is the ridge
/// solution (X'X + (noise / prior)^2 I) w = X'y, by Cholesky's decomposition; so without samples
/// the correction is zero. Tested by tests/unit/predict_correction_test.cpp.

#include <cstddef>
#include <span>
#include <vector>

namespace sluice::predict {

class Correction {
 public:
  /// `prior`: how large a weight may be; `noise`: what no weight explains. Requires: positive.
  Correction(std::size_t inputs, double prior, double noise);

  /// Requires: as many numbers as inputs.
  void Note(std::span<const double> x, double y);
  /// Weights from all that was noted.
  void Solve();
  [[nodiscard]] double Mean(std::span<const double> x) const;

 private:
  std::size_t inputs_;
  double ridge_;
  std::vector<double> square_;   ///< X'X, rows after rows
  std::vector<double> product_;  ///< X'y
  std::vector<double> weights_;
};

}  // namespace sluice::predict
