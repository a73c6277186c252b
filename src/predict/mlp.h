#pragma once
/// \file
/// A small fully connected network with SiLU activations, Adam, and gradients by its weights and by
/// its inputs, on Eigen. Batches are matrices in column order: one column a sample, `inputs()`
/// numbers each. One thread; the same inputs give the same bytes.
///
/// Explicitly instantiated for float, and for double where derivatives are checked.
/// Tested by tests/unit/predict_mlp_test.cpp.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/rng.h"

namespace sluice::predict {

template <class Scalar>
class Mlp {
 public:
  /// Sizes of the layers, inputs first. Weights are random (He), the last layer small.
  Mlp(std::span<const int> sizes, Rng rng);

  [[nodiscard]] std::size_t inputs() const { return static_cast<std::size_t>(sizes_.front()); }
  [[nodiscard]] std::size_t outputs() const { return static_cast<std::size_t>(sizes_.back()); }
  [[nodiscard]] const std::vector<int>& sizes() const { return sizes_; }
  [[nodiscard]] std::span<Scalar> weights() { return weights_; }
  [[nodiscard]] std::span<const Scalar> weights() const { return weights_; }

  /// What Backward needs of the last Forward; reused from batch to batch.
  struct Trace {
    std::vector<std::vector<Scalar>> values;  ///< after the activation, per layer
    std::vector<std::vector<Scalar>> shares;  ///< logistic function before it
    std::vector<Scalar> work;
    std::vector<Scalar> by_values;
  };
  /// values of the outputs, outputs() numbers a sample.
  std::span<const Scalar> Forward(std::span<const Scalar> batch, std::size_t samples,
                                  Trace& trace) const;
  /// Gradients of a sum over the batch whose derivatives by the outputs are given. Empty spans are
  /// left out. Requires: the batch and the trace of the last Forward.
  void Backward(std::span<const Scalar> batch, std::span<const Scalar> by_outputs,
                std::size_t samples, Trace& trace, std::span<Scalar> by_weights,
                std::span<Scalar> by_inputs) const;

 private:
  std::vector<int> sizes_;
  std::vector<Scalar> weights_;  ///< per layer: matrix (out x in, column order), then bias
};

/// Adam with decoupled weight decay ("Adam: A Method for Stochastic Optimization", ICLR 2015).
template <class Scalar>
class Adam {
 public:
  explicit Adam(std::size_t weights) : first_(weights), second_(weights) {}
  void Step(std::span<Scalar> weights, std::span<const Scalar> gradient, double rate, double decay);

 private:
  std::vector<Scalar> first_;
  std::vector<Scalar> second_;
  std::int64_t steps_ = 0;
};

extern template class Mlp<float>;
extern template class Mlp<double>;
extern template class Adam<float>;
extern template class Adam<double>;

}  // namespace sluice::predict
