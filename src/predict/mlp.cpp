// Matrices are maps onto plain vectors, so that no Eigen type leaves this file.

#include "predict/mlp.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#define EIGEN_DONT_PARALLELIZE
#include <Eigen/Core>

#include "base/diagnostic.h"
#include "base/rng.h"

namespace sluice::predict {
namespace {

template <class Scalar>
using Matrix = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic>;
template <class Scalar>
using View = Eigen::Map<Matrix<Scalar>>;
template <class Scalar>
using ConstView = Eigen::Map<const Matrix<Scalar>>;
template <class Scalar>
using Column = Eigen::Map<Eigen::Matrix<Scalar, Eigen::Dynamic, 1>>;
template <class Scalar>
using ConstColumn = Eigen::Map<const Eigen::Matrix<Scalar, Eigen::Dynamic, 1>>;

std::size_t WeightsOf(int in, int out) {
  return static_cast<std::size_t>(in + 1) * static_cast<std::size_t>(out);
}

}  // namespace

template <class Scalar>
Mlp<Scalar>::Mlp(std::span<const int> sizes, Rng rng) : sizes_(sizes.begin(), sizes.end()) {
  SLUICE_CHECK(sizes.size() >= 2 && std::ranges::min(sizes) > 0, "layers have sizes");
  for (std::size_t l = 0; l + 1 < sizes_.size(); ++l) {
    const bool last = l + 2 == sizes_.size();
    const double reach = std::sqrt((last ? 0.03 : 6.0) / sizes_[l]);
    for (std::size_t i = 0; i < WeightsOf(sizes_[l], sizes_[l + 1]); ++i) {
      const bool bias =
          i >= WeightsOf(sizes_[l], sizes_[l + 1]) - static_cast<std::size_t>(sizes_[l + 1]);
      weights_.push_back(static_cast<Scalar>(bias ? 0 : reach * (2 * rng.Uniform() - 1)));
    }
  }
}

template <class Scalar>
std::span<const Scalar> Mlp<Scalar>::Forward(std::span<const Scalar> batch, std::size_t samples,
                                             Trace& trace) const {
  SLUICE_CHECK(batch.size() == samples * inputs(), "a batch of whole samples");
  const std::size_t layers = sizes_.size() - 1;
  const auto columns = static_cast<Eigen::Index>(samples);
  trace.shares.resize(layers);
  trace.values.resize(layers);
  const Scalar* in = batch.data();
  const Scalar* weight = weights_.data();
  for (std::size_t l = 0; l < layers; ++l) {
    const int rows = sizes_[l + 1];
    const std::size_t numbers = static_cast<std::size_t>(rows) * samples;
    trace.work.resize(numbers);
    trace.shares[l].resize(numbers);
    trace.values[l].resize(numbers);
    View<Scalar> before(trace.work.data(), rows, columns);
    before.noalias() =
        ConstView<Scalar>(weight, rows, sizes_[l]) * ConstView<Scalar>(in, sizes_[l], columns);
    before.colwise() +=
        ConstColumn<Scalar>(weight + static_cast<std::ptrdiff_t>(rows) * sizes_[l], rows);
    View<Scalar> value(trace.values[l].data(), rows, columns);
    if (l + 1 == layers) {
      value = before;
    } else {
      View<Scalar> share(trace.shares[l].data(), rows, columns);
      share.array() = (Scalar(1) + (-before.array()).exp()).inverse();
      value.array() = before.array() * share.array();
    }
    in = trace.values[l].data();
    weight += WeightsOf(sizes_[l], rows);
  }
  return trace.values.back();
}

template <class Scalar>
void Mlp<Scalar>::Backward(std::span<const Scalar> batch, std::span<const Scalar> by_outputs,
                           std::size_t samples, Trace& trace, std::span<Scalar> by_weights,
                           std::span<Scalar> by_inputs) const {
  const auto columns = static_cast<Eigen::Index>(samples);
  trace.by_values.assign(by_outputs.begin(), by_outputs.end());
  std::size_t offset = weights_.size();
  for (std::size_t l = sizes_.size() - 1; l-- > 0;) {
    const int rows = sizes_[l + 1];
    const int width = sizes_[l];
    const std::size_t matrix = static_cast<std::size_t>(rows) * static_cast<std::size_t>(width);
    offset -= WeightsOf(width, rows);
    const ConstView<Scalar> out(trace.by_values.data(), rows, columns);
    if (!by_weights.empty()) {
      const Scalar* in = l > 0 ? trace.values[l - 1].data() : batch.data();
      View<Scalar>(by_weights.data() + offset, rows, width).noalias() =
          out * ConstView<Scalar>(in, width, columns).transpose();
      Column<Scalar>(by_weights.data() + offset + matrix, rows) = out.rowwise().sum();
    }
    const ConstView<Scalar> weight(weights_.data() + offset, rows, width);
    if (l == 0) {
      if (!by_inputs.empty()) {
        View<Scalar>(by_inputs.data(), width, columns).noalias() = weight.transpose() * out;
      }
      return;
    }
    trace.work.resize(static_cast<std::size_t>(width) * samples);
    View<Scalar> next(trace.work.data(), width, columns);
    next.noalias() = weight.transpose() * out;
    // silu'(x) = s + silu(x) (1 - s), s = 1 / (1 + exp(-x))
    const ConstView<Scalar> value(trace.values[l - 1].data(), width, columns);
    const ConstView<Scalar> share(trace.shares[l - 1].data(), width, columns);
    next.array() *= share.array() + value.array() * (Scalar(1) - share.array());
    trace.by_values.swap(trace.work);
  }
}

template <class Scalar>
void Adam<Scalar>::Step(std::span<Scalar> weights, std::span<const Scalar> gradient, double rate,
                        double decay) {
  constexpr double kFirst = 0.9;
  constexpr double kSecond = 0.999;
  constexpr double kTiny = 1e-8;
  ++steps_;
  const double correction1 = 1 - std::pow(kFirst, static_cast<double>(steps_));
  const double correction2 = 1 - std::pow(kSecond, static_cast<double>(steps_));
  const auto size = static_cast<Eigen::Index>(weights.size());
  Column<Scalar> w(weights.data(), size);
  Column<Scalar> m(first_.data(), size);
  Column<Scalar> v(second_.data(), size);
  const ConstColumn<Scalar> g(gradient.data(), size);
  m = Scalar(kFirst) * m + Scalar(1 - kFirst) * g;
  v = Scalar(kSecond) * v + Scalar(1 - kSecond) * g.cwiseProduct(g);
  w.array() = Scalar(1 - rate * decay) * w.array() -
              Scalar(rate / correction1) * m.array() /
                  ((v.array() * Scalar(1 / correction2)).sqrt() + Scalar(kTiny));
}

template class Mlp<float>;
template class Mlp<double>;
template class Adam<float>;
template class Adam<double>;

}  // namespace sluice::predict
