/// \file
/// What every search over codes promises, for `dcp`: codes of the space that fit, no sample more
/// than the budget, values that the oracle confirms, the same result for the same seed; and that it
/// is worth its name: with few samples better than annealing.

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/rng.h"
#include "cost/oracle/maestro_oracle.h"
#include "mapper/codes/search.h"
#include "mapper/codes/searches.h"
#include "mapper/codes/space.h"
#include "predict/predictor.h"
#include "predict/propagate.h"
#include "predict/training/dataset.h"

namespace sluice::predict {
namespace {

using mapper::codes::CodeObjective;
using mapper::codes::CodeProblem;
using mapper::codes::CodeResult;
using mapper::codes::CodeSpace;

std::shared_ptr<const Predictor> Shipped() {
  static const auto kPredictor = [] {
    auto loaded =
        Predictor::Load(std::string(SLUICE_SOURCE_DIR) + "/models/predictors/default.predictor");
    return loaded ? std::make_shared<const Predictor>(*std::move(loaded)) : nullptr;
  }();
  return kPredictor;
}

struct Case {
  Group group;
  std::unique_ptr<cost::CostOracle> oracle;
};

/// Layers and machines that the shipped predictor was not trained on.
Case MakeCase(std::size_t index) {
  DatasetOptions options;
  options.seed = 4242;
  options.codes = 1;
  Case one{SampleGroup(options, index), nullptr};
  one.oracle = *cost::MakeMaestroOracle(one.group.layer, one.group.hardware, {});
  return one;
}

TEST(Dcp, KeepsThePromisesOfASearch) {
  ASSERT_NE(Shipped(), nullptr);
  const auto search = MakePropagationSearch({Shipped()}, {});
  EXPECT_EQ(search->name(), "dcp");
  for (std::size_t i = 0; i < 8; ++i) {
    const Case one = MakeCase(i);
    CodeProblem problem;
    problem.oracle = one.oracle.get();
    problem.objective = static_cast<CodeObjective>(i % 3);
    problem.seed = i;
    problem.samples = std::array<std::int64_t, 4>{1, 7, 60, 150}[i % 4];
    const auto before = one.oracle->counters().samples;
    const CodeResult result = search->Run(problem);
    EXPECT_EQ(result.samples, problem.samples);
    EXPECT_EQ(one.oracle->counters().samples - before, result.samples) << "samples not counted";
    ASSERT_FALSE(result.trace.empty());
    EXPECT_EQ(result.trace.back().samples, result.samples);
    EXPECT_FALSE(result.stopped.has_value());
    if (result.best) {
      const CodeSpace space(one.group.layer, one.group.hardware, problem.space);
      EXPECT_TRUE(space.Contains(*result.best));
      cost::CodeCost cost;
      ASSERT_TRUE(
          one.oracle->Evaluate(std::span(&*result.best, 1), std::span(&cost, 1)).has_value());
      EXPECT_TRUE(cost.legal());
      EXPECT_TRUE(cost.physical);
      EXPECT_DOUBLE_EQ(ValueOf(cost, problem.objective, problem.energy), result.value);
    }
    const CodeResult again = search->Run(problem);
    EXPECT_EQ(again.best, result.best);
    EXPECT_EQ(again.value, result.value);
  }
}

TEST(Dcp, BeatsAnnealingWithFewSamples) {
  ASSERT_NE(Shipped(), nullptr);
  const auto dcp = MakePropagationSearch({Shipped()}, {});
  const auto annealing = mapper::codes::MakeAnnealingSearch({});
  double gain = 0;
  int compared = 0;
  for (std::size_t i = 0; i < 10; ++i) {
    const Case one = MakeCase(20 + i);
    CodeProblem problem;
    problem.oracle = one.oracle.get();
    problem.samples = 100;
    const double ours = dcp->Run(problem).value;
    const double theirs = annealing->Run(problem).value;
    if (std::isfinite(theirs)) {
      EXPECT_TRUE(std::isfinite(ours)) << "no legal code for layer " << i;
      gain += std::log(theirs / ours);
      ++compared;
    }
  }
  ASSERT_GE(compared, 6);
  EXPECT_GT(gain / compared, 0.05);
}

TEST(Dcp, FewShotSamplesAreBilled) {
  ASSERT_NE(Shipped(), nullptr);
  PropagateOptions options;
  options.few_shot = 40;
  const auto few = MakePropagationSearch({Shipped()}, options);
  for (const std::int64_t samples : {1, 50, 120}) {
    const Case one = MakeCase(3);
    CodeProblem problem;
    problem.oracle = one.oracle.get();
    problem.samples = samples;
    const auto before = one.oracle->counters().samples;
    const CodeResult result = few->Run(problem);
    EXPECT_EQ(result.samples, samples);
    EXPECT_EQ(one.oracle->counters().samples - before, samples);
    EXPECT_EQ(few->Run(problem).value, result.value);
  }
}

TEST(Dcp, RefusesAnotherSpace) {
  ASSERT_NE(Shipped(), nullptr);
  const Case one = MakeCase(0);
  CodeProblem problem;
  problem.oracle = one.oracle.get();
  problem.space.levels = 1;
  const CodeResult result = MakePropagationSearch({Shipped()}, {})->Run(problem);
  ASSERT_TRUE(result.stopped.has_value());
  EXPECT_EQ(result.stopped->code, ErrorCode::kPlanMismatch);
  EXPECT_EQ(result.samples, 0);
}

}  // namespace
}  // namespace sluice::predict
