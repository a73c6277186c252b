#include "predict/search/correction.h"

#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
#include <vector>

#include "base/diagnostic.h"

namespace sluice::predict {

Correction::Correction(std::size_t inputs, double prior, double noise)
    : inputs_(inputs),
      ridge_(noise * noise / (prior * prior)),
      square_(inputs * inputs),
      product_(inputs),
      weights_(inputs) {
  SLUICE_CHECK(prior > 0 && noise > 0, "deviations are positive");
}

void Correction::Note(std::span<const double> x, double y) {
  SLUICE_CHECK(x.size() == inputs_, "one number an input");
  for (std::size_t i = 0; i < inputs_; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      square_[i * inputs_ + j] += x[i] * x[j];
    }
    product_[i] += x[i] * y;
  }
}

void Correction::Solve() {
  // X'X + ridge = L L'; the ridge keeps the roots real.
  std::vector<double> low(square_);
  for (std::size_t i = 0; i < inputs_; ++i) {
    low[i * inputs_ + i] += ridge_;
    for (std::size_t j = 0; j <= i; ++j) {
      double rest = low[i * inputs_ + j];
      for (std::size_t k = 0; k < j; ++k) {
        rest -= low[i * inputs_ + k] * low[j * inputs_ + k];
      }
      low[i * inputs_ + j] =
          i == j ? std::sqrt(std::fmax(rest, ridge_)) : rest / low[j * inputs_ + j];
    }
  }
  for (std::size_t i = 0; i < inputs_; ++i) {
    double rest = product_[i];
    for (std::size_t k = 0; k < i; ++k) {
      rest -= low[i * inputs_ + k] * weights_[k];
    }
    weights_[i] = rest / low[i * inputs_ + i];
  }
  for (std::size_t i = inputs_; i-- > 0;) {
    double rest = weights_[i];
    for (std::size_t k = i + 1; k < inputs_; ++k) {
      rest -= low[k * inputs_ + i] * weights_[k];
    }
    weights_[i] = rest / low[i * inputs_ + i];
  }
}

double Correction::Mean(std::span<const double> x) const {
  return std::inner_product(x.begin(), x.end(), weights_.begin(), 0.0);
}

}  // namespace sluice::predict
