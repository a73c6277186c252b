/// \file
/// Derivatives of the network agree with finite differences, by weights and by inputs; Adam
/// descends; everything is the same for a seed.

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "base/rng.h"
#include "predict/mlp.h"

namespace sluice::predict {
namespace {

constexpr std::array<int, 4> kSizes = {5, 7, 6, 3};
constexpr std::size_t kSamples = 4;

std::vector<double> Numbers(std::size_t count, std::uint64_t seed) {
  Rng rng(seed);
  std::vector<double> numbers(count);
  std::ranges::generate(numbers, [&] { return 2 * rng.Uniform() - 1; });
  return numbers;
}

/// sum of outputs times fixed coefficients
double Sum(const Mlp<double>& network, const std::vector<double>& batch,
           const std::vector<double>& coefficients) {
  Mlp<double>::Trace trace;
  const auto values = network.Forward(batch, kSamples, trace);
  double sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    sum += coefficients[i] * values[i];
  }
  return sum;
}

TEST(Mlp, DerivativesAgreeWithFiniteDifferences) {
  Mlp<double> network(kSizes, Rng(3));
  for (double& weight : network.weights()) {
    weight += 0.05;  // biases start at zero
  }
  auto batch = Numbers(kSamples * network.inputs(), 4);
  const auto coefficients = Numbers(kSamples * network.outputs(), 5);
  Mlp<double>::Trace trace;
  network.Forward(batch, kSamples, trace);
  std::vector<double> by_weights(network.weights().size());
  std::vector<double> by_inputs(batch.size());
  network.Backward(batch, coefficients, kSamples, trace, by_weights, by_inputs);
  constexpr double kStep = 1e-5;
  const auto slope = [&](double& x) {
    const double before = x;
    x = before + kStep;
    const double above = Sum(network, batch, coefficients);
    x = before - kStep;
    const double below = Sum(network, batch, coefficients);
    x = before;
    return (above - below) / (2 * kStep);
  };
  for (std::size_t i = 0; i < by_weights.size(); ++i) {
    EXPECT_NEAR(by_weights[i], slope(network.weights()[i]), 1e-8) << "weight " << i;
  }
  for (std::size_t i = 0; i < batch.size(); ++i) {
    EXPECT_NEAR(by_inputs[i], slope(batch[i]), 1e-8) << "input " << i;
  }
}

TEST(Mlp, SamplesOfABatchDoNotMix) {
  const Mlp<double> network(kSizes, Rng(3));
  const auto batch = Numbers(kSamples * network.inputs(), 4);
  Mlp<double>::Trace trace;
  const auto values = network.Forward(batch, kSamples, trace);
  const std::vector<double> together(values.begin(), values.end());
  for (std::size_t i = 0; i < kSamples; ++i) {
    const auto alone =
        network.Forward(std::span(batch).subspan(i * network.inputs(), network.inputs()), 1, trace);
    for (std::size_t o = 0; o < network.outputs(); ++o) {
      EXPECT_NEAR(alone[o], together[i * network.outputs() + o], 1e-12);
    }
  }
}

/// Mean square error of y = (x0 x1, sin x2, x3) after some steps.
double Learn(std::uint64_t seed, int steps, std::vector<float>* weights = nullptr) {
  Mlp<float> network(kSizes, Rng(seed));
  Adam<float> adam(network.weights().size());
  constexpr std::size_t kBatch = 64;
  Rng rng(9);
  std::vector<float> batch(kBatch * network.inputs());
  std::vector<float> slopes(kBatch * network.outputs());
  std::vector<float> gradient(network.weights().size());
  Mlp<float>::Trace trace;
  double loss = 0;
  for (int step = 0; step < steps; ++step) {
    std::ranges::generate(batch, [&] { return static_cast<float>(2 * rng.Uniform() - 1); });
    const auto values = network.Forward(batch, kBatch, trace);
    loss = 0;
    for (std::size_t i = 0; i < kBatch; ++i) {
      const float* x = batch.data() + i * network.inputs();
      const std::array<float, 3> y = {x[0] * x[1], std::sin(x[2]), x[3]};
      for (std::size_t o = 0; o < y.size(); ++o) {
        const float error = values[i * y.size() + o] - y[o];
        loss += static_cast<double>(error * error) / kBatch;
        slopes[i * y.size() + o] = 2 * error / kBatch;
      }
    }
    network.Backward(batch, slopes, kBatch, trace, gradient, {});
    adam.Step(network.weights(), gradient, 1e-2, 0);
  }
  if (weights != nullptr) {
    weights->assign(network.weights().begin(), network.weights().end());
  }
  return loss;
}

TEST(Mlp, LearnsAFunction) {
  const double before = Learn(1, 1);
  const double after = Learn(1, 800);
  EXPECT_GT(before, 0.5);
  EXPECT_LT(after, 0.02);
}

TEST(Mlp, SameSeedSameBytes) {
  std::vector<float> first;
  std::vector<float> second;
  std::vector<float> other;
  Learn(1, 50, &first);
  Learn(1, 50, &second);
  Learn(2, 50, &other);
  EXPECT_EQ(first, second);
  EXPECT_NE(first, other);
}

}  // namespace
}  // namespace sluice::predict
