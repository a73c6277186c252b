/// \file
/// Predictors: training is deterministic and learns, files come back the same and are refused when
/// damaged or foreign, gradients of relaxed predictions agree with differences, few samples adapt.

#include <algorithm>
#include <atomic>
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/hash.h"
#include "base/rng.h"
#include "mapper/codes/space.h"
#include "predict/predictor.h"
#include "predict/training/dataset.h"
#include "predict/training/train.h"

namespace sluice::predict {
namespace {

const Dataset& SmallData() {
  static const Dataset kData = [] {
    DatasetOptions options;
    options.groups = 120;
    options.codes = 40;
    return SampleDataset(options, 1, nullptr, {});
  }();
  return kData;
}

TrainOptions Quick() {
  TrainOptions options;
  options.members = 2;
  options.hidden = {24, 24};
  options.epochs = 3;
  options.batch = 128;
  return options;
}

const TrainOutcome& SmallTraining() {
  static const TrainOutcome kOutcome = *Train(SmallData(), Quick());
  return kOutcome;
}

TEST(Train, SameDataAndSeedGiveTheSameBytes) {
  const auto again = Train(SmallData(), Quick());
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->predictor.Write(), SmallTraining().predictor.Write());
  TrainOptions other = Quick();
  other.seed = 2;
  EXPECT_NE(Train(SmallData(), other)->predictor.Write(), again->predictor.Write());
}

TEST(Train, LossFallsAndRanksAreRight) {
  const auto& curves = SmallTraining().curves;
  ASSERT_EQ(curves.size(), 6U);
  EXPECT_LT(curves[2].train_loss, curves[0].train_loss);
  const Metrics metrics = Measure(SmallTraining().predictor, SmallData(), Split::kTest, true);
  EXPECT_EQ(metrics.layers, 6U);
  EXPECT_GT(metrics.components[Index(Component::kLatency)].rank_correlation, 0.95);
  EXPECT_GT(metrics.components[Index(Component::kOuterEnergy)].rank_correlation, 0.97);
  EXPECT_NEAR(metrics.components[Index(Component::kOuterEnergy)].best_ratio, 1, 0.1);
}

TEST(Train, ScalarCodesTeachANetworkThatReadsThem) {
  TrainOptions options = Quick();
  options.encoding = Encoding::kScalar;
  options.epochs = 20;
  const auto outcome = Train(SmallData(), options);
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->predictor.encoding(), Encoding::kScalar);
  EXPECT_EQ(outcome->predictor.members()[0].inputs(), FeatureCount(2, Encoding::kScalar));
  const std::size_t groups = SmallData().groups.size();
  EXPECT_LT(outcome->predictor.origin().samples, groups * 40 / 2) << "random codes alone";
  const Metrics metrics = Measure(outcome->predictor, SmallData(), Split::kTest, true);
  EXPECT_GT(metrics.components[Index(Component::kLatency)].rank_correlation, 0.2);
  EXPECT_NEAR(std::log(metrics.components[Index(Component::kOuterEnergy)].best_ratio), 0, 2);
  const auto again = Predictor::Read(outcome->predictor.Write(), "again");
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->encoding(), Encoding::kScalar);
  EXPECT_EQ(again->Write(), outcome->predictor.Write());
}

TEST(Train, StopsAtTheFlag) {
  std::atomic<bool> stop = false;
  TrainOptions options = Quick();
  options.stop = &stop;
  options.progress = [&](const CurvePoint&) { stop = true; };
  const auto outcome = Train(SmallData(), options);
  ASSERT_TRUE(outcome.has_value());
  EXPECT_FALSE(outcome->complete);
  EXPECT_EQ(outcome->curves.size(), 1U);
}

TEST(Train, RefusesTooLittleDataAndImpossibleOptions) {
  Dataset tiny = SmallData();
  tiny.groups.resize(5);
  EXPECT_EQ(Train(tiny, Quick()).error().code, ErrorCode::kBadValue);
  TrainOptions options = Quick();
  options.hidden = {};
  EXPECT_EQ(Train(SmallData(), options).error().code, ErrorCode::kBadValue);
}

TEST(Predictor, FileRoundTrip) {
  const Predictor& predictor = SmallTraining().predictor;
  const std::string bytes = predictor.Write();
  const auto again = Predictor::Read(bytes, "again");
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->Write(), bytes);
  EXPECT_EQ(again->origin(), predictor.origin());
  EXPECT_EQ(again->origin().labels, "maestro-exact");
  const Group& group = SmallData().groups[0];
  const Context context(group.layer, group.hardware);
  std::vector<Prediction> first(1);
  std::vector<Prediction> second(1);
  predictor.Predict(context, std::span(&group.samples[0].code, 1), first);
  again->Predict(context, std::span(&group.samples[0].code, 1), second);
  EXPECT_EQ(first[0].mean, second[0].mean);
}

TEST(Predictor, RefusesDamageForeignFilesAndOtherVersions) {
  const std::string good = SmallTraining().predictor.Write();
  for (std::size_t i = 8; i < good.size(); i += good.size() / 50) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x08);
    EXPECT_EQ(Predictor::Read(bad, "bad").error().code, ErrorCode::kSyntax) << "byte " << i;
    EXPECT_FALSE(Predictor::Read(good.substr(0, i), "cut").has_value());
  }
  EXPECT_EQ(Predictor::Read("", "empty").error().code, ErrorCode::kSyntax);
  // Another version of the features, with a right checksum.
  std::string other = good.substr(0, good.size() - 32);
  other[12] = static_cast<char>(other[12] + 1);
  other += ContentHash(other);
  EXPECT_EQ(Predictor::Read(other, "other").error().code, ErrorCode::kVersion);
}

TEST(Predictor, RefusesAnotherSpace) {
  const Predictor& predictor = SmallTraining().predictor;
  EXPECT_TRUE(predictor.CheckSpace({}).has_value());
  const auto refused = predictor.CheckSpace({.levels = 3});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kPlanMismatch);
  EXPECT_NE(refused.error().message.find("2 levels"), std::string::npos);
}

TEST(Predictor, RelaxedGradientAgreesWithDifferences) {
  const Predictor& predictor = SmallTraining().predictor;
  const Group& group = SmallData().groups[1];
  const Context context(group.layer, group.hardware);
  std::vector<double> variables(VariableCount(2));
  for (std::size_t d = 0; d < mapping::kCodeDims; ++d) {
    variables[TileAt(0, d)] = 0.7 * context.log_extent[d];
    variables[TileAt(1, d)] = 0.4 * context.log_extent[d];
    variables[KeyAt(0, d)] = 0.3 * static_cast<double>(d);
  }
  variables[UnitsAt(1)] = 1.3;
  // Of inner words alone, which no rounding takes part in; the networks are only part of it.
  std::vector<double> weights(kComponents);
  weights[Index(Component::kInnerWords)] = 1;
  Predictor::Workspace work;
  Predictor::Relaxed at;
  Predictor::Relaxed near;
  predictor.PredictRelaxed(context, 0, 0xF, variables, work, at);
  predictor.GradientRelaxed(0, weights, 1, work, at);
  std::size_t close = 0;
  for (std::size_t v = 0; v < variables.size(); ++v) {
    constexpr double kStep = 1e-3;
    auto moved = variables;
    moved[v] += kStep;
    predictor.PredictRelaxed(context, 0, 0xF, moved, work, near);
    const double slope = (near.values[0][Index(Component::kInnerWords)] -
                          at.values[0][Index(Component::kInnerWords)]) /
                         kStep;
    close += std::abs(slope - at.gradients[v]) < 0.02 ? 1 : 0;
  }
  // Units and tiles of the parallel dim also turn rounds, where differences jump.
  EXPECT_GE(close, variables.size() - 6);
}

TEST(Predictor, FewSamplesAdaptToAnotherMachine) {
  const Predictor& predictor = SmallTraining().predictor;
  const Group& group = SmallData().groups[2];
  const Context context(group.layer, group.hardware);
  // A machine that is three times slower and needs twice the energy: no sample of it was seen.
  std::vector<Known> known;
  std::vector<mapping::DataflowCode> codes;
  for (const Sample& sample : group.samples) {
    Known one{sample.code, {}};
    std::ranges::copy(sample.label, one.log_components.begin());
    one.log_components[Index(Component::kLatency)] += std::log(3.0);
    one.log_components[Index(Component::kOuterEnergy)] += std::log(2.0);
    known.push_back(one);
    codes.push_back(sample.code);
  }
  const std::size_t half = known.size() / 2;
  const Predictor tuned = FineTune(predictor, context, std::span(known).first(half), 300, 2e-3);
  std::vector<Prediction> before(codes.size());
  std::vector<Prediction> after(codes.size());
  predictor.Predict(context, codes, before);
  tuned.Predict(context, codes, after);
  double miss_before = 0;
  double miss_after = 0;
  for (std::size_t i = half; i < codes.size(); ++i) {
    const double truth = known[i].log_components[Index(Component::kLatency)];
    miss_before += std::abs(before[i].mean[Index(Component::kLatency)] - truth);
    miss_after += std::abs(after[i].mean[Index(Component::kLatency)] - truth);
  }
  EXPECT_LT(miss_after, miss_before / 4);
}

}  // namespace
}  // namespace sluice::predict
