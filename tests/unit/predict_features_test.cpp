/// \file
/// Features of relaxed codes: equal to those of hard codes at the corners, with derivatives that
/// agree with finite differences; the analytic estimate is close to the exact model.

#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "base/rng.h"
#include "cost/oracle/maestro_oracle.h"
#include "mapper/codes/space.h"
#include "predict/features.h"
#include "predict/scalar_features.h"
#include "predict/training/dataset.h"
#include "testing/edge_conv.h"

namespace sluice::predict {
namespace {

using testing::Conv;
using testing::Edge;

/// Variables that stand for this code alone: choices as good as certain.
std::vector<double> VariablesOf(const mapping::DataflowCode& code) {
  constexpr double kCertain = 200;
  std::vector<double> variables(VariableCount(static_cast<int>(code.levels.size())));
  for (std::size_t l = 0; l < code.levels.size(); ++l) {
    const auto& level = code.levels[l];
    variables[ParallelAt(l, mapping::Index(level.parallel))] = kCertain;
    variables[UnitsAt(l)] = std::log(static_cast<double>(std::max<std::int64_t>(level.units, 1)));
    for (std::size_t p = 0; p < level.order.size(); ++p) {
      variables[KeyAt(l, mapping::Index(level.order[p]))] = kCertain * static_cast<double>(p);
      variables[TileAt(l, p)] = std::log(static_cast<double>(level.tile[p]));
    }
  }
  return variables;
}

TEST(Features, RelaxedCodesMeetHardCodesAtTheCorners) {
  const Context context(Conv(), Edge());
  for (int levels = 1; levels <= kMaxPredictLevels; ++levels) {
    const mapper::codes::CodeSpace space(Conv(), Edge(), {.levels = levels});
    Rng rng(5);
    for (int i = 0; i < 20; ++i) {
      const auto code = space.Random(rng);
      std::vector<float> hard(FeatureCount(levels));
      Components estimate{};
      Features(context, code, hard, estimate);
      RelaxedFeatures relaxed;
      RelaxedFeaturesOf(context, levels, 0xF, VariablesOf(code), relaxed);
      ASSERT_EQ(relaxed.features.size(), hard.size());
      for (std::size_t f = 0; f < hard.size(); ++f) {
        EXPECT_NEAR(relaxed.features[f], hard[f], 1e-4) << "feature " << f;
      }
      for (std::size_t c = 0; c < kComponents; ++c) {
        EXPECT_NEAR(relaxed.estimate[c], estimate[c], 1e-6);
      }
    }
  }
}

TEST(Features, ScalarOnesAreTheNumbersOfTheCode) {
  const Context context(Conv(), Edge());
  for (int levels = 1; levels <= kMaxPredictLevels; ++levels) {
    const mapper::codes::CodeSpace space(Conv(), Edge(), {.levels = levels});
    const std::size_t count = FeatureCount(levels, Encoding::kScalar);
    const auto numbers = static_cast<std::size_t>(levels) * 7 * 2;
    ASSERT_EQ(count, 10 + numbers) << "seven of the layer, strides, steps; (levels, 7, 2)";
    Rng rng(5);
    const auto code = space.Random(rng);
    std::vector<float> hard(count);
    Components estimate{};
    Features(context, code, hard, estimate, Encoding::kScalar);
    EXPECT_EQ(estimate[0], -context.log_bounds()[0]) << "nothing but the networks says a number";
    const std::size_t at = count - 14;
    const auto& leaf = code.levels[static_cast<std::size_t>(levels) - 1];
    EXPECT_FLOAT_EQ(hard[at], static_cast<float>(mapping::Index(leaf.parallel)));
    for (std::size_t p = 0; p < leaf.order.size(); ++p) {
      const std::size_t d = mapping::Index(leaf.order[p]);
      EXPECT_FLOAT_EQ(hard[at + 2 + 2 * d], static_cast<float>(p));
      EXPECT_FLOAT_EQ(hard[at + 3 + 2 * d],
                      static_cast<float>(std::log(static_cast<double>(leaf.tile[d]))));
    }
    std::vector<double> variables(VariableCount(levels));
    ScalarVariables(code, variables);
    RelaxedFeatures relaxed;
    RelaxedFeaturesOf(context, levels, 0xF, variables, relaxed, Encoding::kScalar);
    EXPECT_EQ(relaxed.features, hard);
    EXPECT_EQ(std::ranges::count(relaxed.jacobian, 1.0F), static_cast<std::ptrdiff_t>(numbers));
  }
}

TEST(Features, DerivativesAgreeWithFiniteDifferences) {
  const Context context(Conv(), Edge());
  Rng rng(11);
  RelaxedFeatures at;
  RelaxedFeatures near;
  std::size_t checked = 0;
  std::size_t wrong = 0;
  for (int i = 0; i < 20; ++i) {
    std::vector<double> variables(VariableCount(2));
    for (double& x : variables) {
      x = 2 * rng.Uniform();  // tiles of 1 to 7, choices open
    }
    for (std::size_t d = 0; d < mapping::kCodeDims; ++d) {
      variables[TileAt(1, d)] *= 0.4;
      variables[TileAt(0, d)] = std::min(variables[TileAt(0, d)] + 0.8, context.log_extent[d]);
    }
    RelaxedFeaturesOf(context, 2, 0xF, variables, at);
    for (std::size_t v = 0; v < variables.size(); ++v) {
      constexpr double kStep = 1e-6;
      auto moved = variables;
      moved[v] += kStep;
      RelaxedFeaturesOf(context, 2, 0xF, moved, near);
      for (std::size_t c = 0; c < kComponents; ++c) {
        const double slope = (near.estimate[c] - at.estimate[c]) / kStep;
        const double said = at.jacobian[(at.features.size() + c) * variables.size() + v];
        ++checked;
        // Rounding (of rounds over units, of words per cycle) lets the slope through on purpose.
        wrong += std::abs(slope - said) > 1e-3 * std::max(1.0, std::abs(slope)) ? 1 : 0;
        if (c == Index(Component::kInnerWords)) {
          EXPECT_NEAR(slope, said, 1e-3) << "no rounding here, variable " << v;
        }
      }
    }
  }
  EXPECT_LT(wrong, checked / 4);
}

TEST(Features, EstimateIsCloseToTheExactModel) {
  DatasetOptions options;
  options.groups = 60;
  std::size_t count = 0;
  std::array<std::size_t, kComponents> far{};
  for (std::size_t g = 0; g < options.groups; ++g) {
    const Group group = SampleGroup(options, g);
    const Context context(group.layer, group.hardware);
    std::vector<float> features(FeatureCount(2));
    for (const Sample& sample : group.samples) {
      Components estimate{};
      Features(context, sample.code, features, estimate);
      ++count;
      for (std::size_t c = 0; c < kComponents; ++c) {
        EXPECT_TRUE(std::isfinite(estimate[c]));
        const double miss =
            static_cast<double>(sample.label[c]) - estimate[c] - context.log_bounds()[c];
        far[c] += std::abs(miss) > 0.1 ? 1 : 0;
      }
    }
  }
  ASSERT_GT(count, 3000U);
  const auto share = [&](Component c) {
    return static_cast<double>(far[Index(c)]) / static_cast<double>(count);
  };
  EXPECT_LT(share(Component::kLatency), 0.05);
  EXPECT_LT(share(Component::kOuterEnergy), 0.005);
  EXPECT_EQ(far[Index(Component::kInnerWords)], 0U);
  EXPECT_LT(share(Component::kOuterWords), 0.001);
}

TEST(Features, NothingIsBelowItsBound) {
  DatasetOptions options;
  options.groups = 40;
  for (std::size_t g = 0; g < options.groups; ++g) {
    const Group group = SampleGroup(options, g);
    const Context context(group.layer, group.hardware);
    for (const Sample& sample : group.samples) {
      for (std::size_t c = 0; c < kComponents; ++c) {
        EXPECT_GE(static_cast<double>(sample.label[c]), context.log_bounds()[c] - 1e-4)
            << ComponentName(static_cast<Component>(c)) << " of layer " << g;
      }
    }
  }
}

}  // namespace
}  // namespace sluice::predict
