/// \file
/// The linear model that corrects estimates: nothing without samples, the truth with enough of
/// them, and in between no more than the prior allows.

#include <array>
#include <cmath>

#include <gtest/gtest.h>

#include "base/rng.h"
#include "predict/search/correction.h"

namespace sluice::predict {
namespace {

TEST(Correction, SaysNothingWithoutSamples) {
  Correction correction(3, 0.5, 0.1);
  EXPECT_EQ(correction.Mean(std::array{1.0, -2.0, 3.0}), 0);
  correction.Solve();
  EXPECT_EQ(correction.Mean(std::array{1.0, -2.0, 3.0}), 0);
}

TEST(Correction, FindsALinearTruth) {
  Correction correction(3, 1, 0.01);
  Rng rng(3);
  const auto truth = [](const std::array<double, 3>& x) {
    return 0.3 * x[0] - 0.7 * x[1] + 0.05 * x[2];
  };
  for (int i = 0; i < 200; ++i) {
    const std::array x = {1.0, rng.Uniform(), rng.Uniform() - 0.5};
    correction.Note(x, truth(x));
  }
  correction.Solve();
  for (int i = 0; i < 20; ++i) {
    const std::array x = {1.0, rng.Uniform(), rng.Uniform() - 0.5};
    EXPECT_NEAR(correction.Mean(x), truth(x), 1e-4);
  }
}

/// One sample of y = 2 at x = 1: w = x y / (x x + (noise / prior)^2).
TEST(Correction, ShrinksAsBayesDoes) {
  Correction correction(1, 0.5, 0.25);
  correction.Note(std::array{1.0}, 2.0);
  correction.Solve();
  EXPECT_DOUBLE_EQ(correction.Mean(std::array{1.0}), 2.0 / 1.25);
}

TEST(Correction, InputsThatSayTheSameShareTheWeight) {
  Correction correction(2, 1, 0.1);
  for (int i = 0; i < 50; ++i) {
    const double x = 0.1 * i;
    correction.Note(std::array{x, x}, x);
  }
  correction.Solve();
  EXPECT_NEAR(correction.Mean(std::array{1.0, 1.0}), 1.0, 1e-4);
  EXPECT_NEAR(correction.Mean(std::array{1.0, 0.0}), 0.5, 1e-3);
}

}  // namespace
}  // namespace sluice::predict
