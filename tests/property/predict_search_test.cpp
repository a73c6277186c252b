/// \file
/// What every search over codes promises, for `dcp`: codes of the space that fit, no sample more
/// than the budget, values that the oracle confirms, the same result for the same seed; and that it
/// is worth its name: with few samples better than annealing.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "arch/architecture.h"
#include "base/diagnostic.h"
#include "base/rng.h"
#include "cost/oracle/maestro_oracle.h"
#include "cost/oracle/oracle.h"
#include "cost/oracle/reference_oracle.h"
#include "cost/policy.h"
#include "io/yaml/arch/arch.h"
#include "ir/network.h"
#include "mapper/codes/search.h"
#include "mapper/codes/searches.h"
#include "mapper/codes/space.h"
#include "mapping/dataflow/code.h"
#include "mapping/dataflow/nest.h"
#include "mapping/workload.h"
#include "predict/predictor.h"
#include "predict/search/propagate.h"
#include "predict/training/dataset.h"

namespace sluice::predict {
namespace {

using mapper::codes::CodeObjective;
using mapper::codes::CodeProblem;
using mapper::codes::CodeResult;
using mapper::codes::CodeSpace;

std::shared_ptr<const Predictor> Load(const std::string& name) {
  auto loaded =
      Predictor::Load(std::string(SLUICE_SOURCE_DIR) + "/models/predictors/" + name + ".predictor");
  return loaded ? std::make_shared<const Predictor>(*std::move(loaded)) : nullptr;
}

std::shared_ptr<const Predictor> Shipped() {
  static const auto kPredictor = Load("default");
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

void ExpectPromisesKept(const mapper::codes::CodeSearch& search) {
  for (std::size_t i = 0; i < 8; ++i) {
    const Case one = MakeCase(i);
    CodeProblem problem;
    problem.oracle = one.oracle.get();
    problem.objective = static_cast<CodeObjective>(i % 3);
    problem.seed = i;
    problem.samples = std::array<std::int64_t, 4>{1, 7, 60, 150}[i % 4];
    const auto before = one.oracle->counters().samples;
    const CodeResult result = search.Run(problem);
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
    const CodeResult again = search.Run(problem);
    EXPECT_EQ(again.best, result.best);
    EXPECT_EQ(again.value, result.value);
  }
}

TEST(Dcp, KeepsThePromisesOfASearch) {
  ASSERT_NE(Shipped(), nullptr);
  const auto search = MakePropagationSearch({Shipped()}, {});
  EXPECT_EQ(search->name(), "dcp");
  ExpectPromisesKept(*search);
}

TEST(DcpPaper, KeepsThePromisesOfASearch) {
  const auto predictor = Load("paper");
  ASSERT_NE(predictor, nullptr);
  const auto search = MakePropagationSearch({predictor}, PublishedOptions());
  EXPECT_EQ(search->name(), "dcp-paper");
  ExpectPromisesKept(*search);
}

/// How far `ours` ends below `theirs` with as many samples, where both find a legal code: the sum
/// of logarithms.
struct Gain {
  double sum = 0;
  int compared = 0;
  int lost = 0;  ///< only theirs finds one
};
Gain GainOver(const mapper::codes::CodeSearch& theirs, const mapper::codes::CodeSearch& ours,
              std::size_t first, std::size_t count, std::int64_t samples) {
  Gain gain;
  for (std::size_t i = 0; i < count; ++i) {
    const Case one = MakeCase(first + i);
    CodeProblem problem;
    problem.oracle = one.oracle.get();
    problem.samples = samples;
    const double a = ours.Run(problem).value;
    const double b = theirs.Run(problem).value;
    gain.lost += std::isfinite(b) && !std::isfinite(a) ? 1 : 0;
    if (std::isfinite(a) && std::isfinite(b)) {
      gain.sum += std::log(b / a);
      ++gain.compared;
    }
  }
  return gain;
}

/// One start and its propagation, against the start alone.
TEST(DcpPaper, FollowsTheGradientToBetterCodes) {
  const auto predictor = Load("paper");
  ASSERT_NE(predictor, nullptr);
  PropagateOptions options = PublishedOptions();
  const auto search = MakePropagationSearch({predictor}, options);
  options.steps = 0;
  const auto random = MakePropagationSearch({predictor}, options);
  const Gain gain = GainOver(*random, *search, 50, 16, 16);
  ASSERT_GE(gain.compared, 8);
  EXPECT_GT(gain.sum / gain.compared, 0.5);
}

TEST(Dcp, BeatsAnnealingWithFewSamples) {
  ASSERT_NE(Shipped(), nullptr);
  const auto dcp = MakePropagationSearch({Shipped()}, {});
  const auto annealing = mapper::codes::MakeAnnealingSearch({});
  const Gain gain = GainOver(*annealing, *dcp, 20, 10, 100);
  EXPECT_EQ(gain.lost, 0) << "layers without a legal code";
  ASSERT_GE(gain.compared, 6);
  EXPECT_GT(gain.sum / gain.compared, 0.05);
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

/// The reference model of an operator on a shipped machine.
std::unique_ptr<cost::CostOracle> Machine(const std::string& name, const std::string& descriptor) {
  const auto machine =
      io::LoadArchitecture(std::string(SLUICE_SOURCE_DIR) + "/archs/" + name + ".yaml");
  const auto network = ir::ParseOperatorDescriptor(descriptor);
  const ir::Operator& op = network->operators.front();
  return *cost::MakeReferenceOracle(*mapping::MakeWorkload(op, *network),
                                    *arch::ChainFor(*machine, op.body), cost::PhysicalPolicy());
}

TEST(Dcp, FindsGoodMappingsOfMachinesWithFewSamples) {
  ASSERT_NE(Shipped(), nullptr);
  const auto search = MakePropagationSearch({Shipped()}, {});
  for (const char* name : {"eyeriss", "simba"}) {
    for (const int levels : {2, 4}) {
      SCOPED_TRACE(name);
      const auto oracle = Machine(name, "conv K=64 C=32 P=14 Q=14 R=3 S=3");
      CodeProblem problem;
      problem.oracle = oracle.get();
      problem.energy = mapper::codes::EnergyKind::kFull;
      problem.space.levels = levels;
      problem.space.whole_windows = false;
      problem.samples = 100;
      const CodeResult result = search->Run(problem);
      EXPECT_EQ(result.samples, 100);
      EXPECT_EQ(oracle->counters().samples, 100) << "samples not counted";
      EXPECT_EQ(search->Run(problem).best, result.best);
      problem.samples = 1000;
      const CodeResult annealed = mapper::codes::MakeAnnealingSearch({})->Run(problem);
      EXPECT_LT(result.value, 1.02 * annealed.value) << "a tenth of the samples should do";
    }
  }
}

/// Another cost model behind the same mappings: the GLB is much dearer, time is lost at DRAM.
class Distorted final : public cost::CostOracle {
 public:
  explicit Distorted(std::unique_ptr<cost::CostOracle> model)
      : CostOracle(model->layer(), model->hardware()), model_(std::move(model)) {}
  [[nodiscard]] std::string_view name() const override { return "distorted"; }
  [[nodiscard]] std::size_t levels() const override { return model_->levels(); }
  [[nodiscard]] const mapping::CodeMapper* code_mapper() const override {
    return model_->code_mapper();
  }

 private:
  Status Price(std::span<const mapping::DataflowCode> codes,
               std::span<cost::CodeCost> costs) override {
    SLUICE_TRY_STATUS(model_->Evaluate(codes, costs));
    for (cost::CodeCost& cost : costs) {
      cost.energy_full_pj += 20 * cost.level_pj[1];
    }
    return {};
  }
  std::unique_ptr<cost::CostOracle> model_;
};

TEST(Dcp, LearnsWhatTheRulesOfAMachineDoNotSay) {
  ASSERT_NE(Shipped(), nullptr);
  const auto learning = MakePropagationSearch({Shipped()}, {});
  PropagateOptions options;
  options.learn = false;
  const auto stubborn = MakePropagationSearch({Shipped()}, options);
  const auto annealing = mapper::codes::MakeAnnealingSearch({});
  constexpr int kSeeds = 6;
  double over_stubborn = 0;
  double over_annealing = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Distorted oracle(Machine("eyeriss", "conv K=64 C=32 P=14 Q=14 R=3 S=3"));
    CodeProblem problem;
    problem.oracle = &oracle;
    problem.objective = CodeObjective::kEnergy;
    problem.energy = mapper::codes::EnergyKind::kFull;
    problem.space = {3, true, false};
    problem.samples = 90;
    problem.seed = seed;
    const double ours = std::log(learning->Run(problem).value);
    over_stubborn += std::log(stubborn->Run(problem).value) - ours;
    over_annealing += std::log(annealing->Run(problem).value) - ours;
  }
  EXPECT_GT(over_stubborn / kSeeds, 0.02);
  EXPECT_GT(over_annealing / kSeeds, 0.05);
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
