// The layerwise planner: sharing, totals, independence of threads and order, errors, interruption,
// and re-evaluation to the last digit.

#include <atomic>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "arch/architecture.h"
#include "io/plan_json.h"
#include "io/yaml/arch/arch.h"
#include "mapper/annealing.h"
#include "mapper/random.h"
#include "planner/layerwise.h"
#include "testing/networks.h"

namespace sluice::planner {
namespace {

arch::Architecture Machine(const std::string& name) {
  return io::LoadArchitecture(SLUICE_SOURCE_DIR "/archs/" + name + ".yaml").value();
}

PlanOptions Quick() {
  PlanOptions options;
  options.evaluations = 500;
  return options;
}

ir::Network Sample() {
  return testing::MakeNetwork(
      "sample", {"conv K=16 C=8 P=14 Q=14 R=3 S=3", "relu", "conv K=16 C=8 P=14 Q=14 R=3 S=3",
                 "relu", "view", "gemm M=32 N=24 K=40"});
}

TEST(PlanLayerwise, EqualOperatorsShareASolutionAndViewsAreFree) {
  const Plan plan = PlanLayerwise(Sample(), Machine("three-level"), Quick()).value();
  ASSERT_EQ(plan.operators.size(), 6U);
  ASSERT_EQ(plan.solutions.size(), 3U);
  EXPECT_EQ(plan.operators[0].solution, plan.operators[2].solution);
  EXPECT_EQ(plan.operators[1].solution, plan.operators[3].solution);
  EXPECT_EQ(plan.operators[4].solution, -1);
  EXPECT_EQ(plan.solutions[0].uses, 2);
  EXPECT_EQ(plan.solutions[2].uses, 1);
  EXPECT_TRUE(plan.complete);
}

TEST(PlanLayerwise, TotalsAreTheSumsOverOperators) {
  const Plan plan = PlanLayerwise(Sample(), Machine("three-level"), Quick()).value();
  const std::int64_t conv = 16 * 8 * 14 * 14 * 9;
  EXPECT_EQ(plan.totals.macs, 2 * conv + 32 * 24 * 40);
  double energy = 0;
  double cycles = 0;
  std::int64_t evaluations = 0;
  for (const Solution& solution : plan.solutions) {
    energy += solution.uses * solution.cost.score.energy_pj;
    cycles += solution.uses * solution.cost.score.cycles;
    evaluations += solution.evaluations;
    EXPECT_GT(solution.cost.score.energy_pj, 0);
    EXPECT_LE(solution.bound, solution.cost.score.edp());
    EXPECT_LE(solution.evaluations, 500);
  }
  EXPECT_NEAR(plan.totals.energy_pj, energy, 1e-12 * energy);
  EXPECT_DOUBLE_EQ(plan.totals.cycles, cycles);
  EXPECT_EQ(plan.totals.evaluations, evaluations);
  EXPECT_DOUBLE_EQ(plan.totals.utilization,
                   static_cast<double>(plan.totals.macs) / (plan.totals.cycles * 256));
  EXPECT_LE(plan.totals.bound_energy_pj, plan.totals.energy_pj);
  EXPECT_LE(plan.totals.bound_cycles, plan.totals.cycles);
}

TEST(PlanLayerwise, VectorWorkIsCosted) {
  const Plan plan = PlanLayerwise(Sample(), Machine("three-level"), Quick()).value();
  const Solution& relu = plan.solutions[static_cast<std::size_t>(plan.operators[1].solution)];
  EXPECT_EQ(relu.cost.operations, 16 * 14 * 14);
  // at least one read and one write of every word at the outermost memory, 128 pJ each
  EXPECT_GE(relu.cost.score.energy_pj, 2 * 128.0 * 16 * 14 * 14);
  EXPECT_NE(plan.chains[static_cast<std::size_t>(relu.chain)].compute,
            plan.chains[static_cast<std::size_t>(plan.solutions[0].chain)].compute);
}

// The bytes, not only the totals.
TEST(PlanLayerwise, PlansDoNotDependOnThreads) {
  const arch::Architecture machine = Machine("three-level");
  PlanOptions options = Quick();
  options.threads = 1;
  Plan one = PlanLayerwise(Sample(), machine, options).value();
  options.threads = 8;
  Plan eight = PlanLayerwise(Sample(), machine, options).value();
  one.seconds = 0;
  eight.seconds = 0;
  EXPECT_EQ(io::PlanToJson(one), io::PlanToJson(eight));
  EXPECT_EQ(FirstDifference(one, eight), std::nullopt);
}

TEST(PlanLayerwise, MappingsDoNotDependOnPlaceOrNeighbours) {
  const arch::Architecture machine = Machine("three-level");
  const Plan alone =
      PlanLayerwise(testing::MakeNetwork("a", {"gemm M=32 N=24 K=40"}), machine, Quick()).value();
  const Plan among = PlanLayerwise(Sample(), machine, Quick()).value();
  EXPECT_EQ(alone.solutions[0].mapping, among.solutions[2].mapping);
  PlanOptions other = Quick();
  other.seed = 2;
  const Plan reseeded = PlanLayerwise(Sample(), machine, other).value();
  EXPECT_NE(FirstDifference(among, reseeded), std::nullopt);
}

TEST(PlanLayerwise, NamesOperatorLevelTensorAndBytesWhenNothingFits) {
  arch::Architecture machine = Machine("three-level");
  machine.root.branches[0].memory_child[0].branches[0].memory_child[0].memory.capacity_words = 2;
  for (const int threads : {1, 4}) {
    PlanOptions options = Quick();
    options.threads = threads;
    const auto plan = PlanLayerwise(Sample(), machine, options);
    ASSERT_FALSE(plan.has_value());
    const Diagnostic& error = plan.error();
    EXPECT_EQ(error.code, ErrorCode::kNoValidMapping);
    const std::string text = error.Render();
    EXPECT_NE(text.find("`op0`"), std::string::npos) << text;
    EXPECT_NE(text.find("L1"), std::string::npos) << text;
    EXPECT_NE(text.find("1 words (2 bytes) short"), std::string::npos) << text;
    EXPECT_NE(text.find("hint"), std::string::npos) << text;
  }
}

TEST(PlanLayerwise, WorkThatNoUnitRunsIsAnErrorNamingTheOperator) {
  arch::Architecture machine = Machine("three-level");
  auto& branches = machine.root.branches[0].memory_child[0].branches;
  ASSERT_EQ(branches.size(), 2U);
  branches.pop_back();  // the vector lanes
  const auto plan = PlanLayerwise(Sample(), machine, Quick());
  ASSERT_FALSE(plan.has_value());
  EXPECT_EQ(plan.error().code, ErrorCode::kArchInvalid);
  EXPECT_NE(plan.error().Render().find("op1"), std::string::npos);
}

TEST(PlanLayerwise, AStoppedPlanIsValidAndSaysThatItIsIncomplete) {
  const std::atomic<bool> stop = true;
  const arch::Architecture machine = Machine("three-level");
  PlanOptions options = Quick();
  options.stop = &stop;
  const ir::Network network = Sample();
  const Plan plan = PlanLayerwise(network, machine, options).value();
  EXPECT_FALSE(plan.complete);
  for (const Solution& solution : plan.solutions) {
    EXPECT_EQ(solution.stopped, "interrupted");
  }
  EXPECT_TRUE(Reevaluate(plan, &network, machine).has_value());
}

TEST(PlanLayerwise, StoppingHalfWayKeepsWhatIsDone) {
  std::atomic<bool> stop = false;
  PlanOptions options = Quick();
  options.stop = &stop;
  options.progress = [&](std::size_t done, std::size_t total, std::string_view name) {
    EXPECT_LE(done, total);
    EXPECT_FALSE(name.empty());
    stop = done >= 1;
  };
  const Plan plan = PlanLayerwise(Sample(), Machine("three-level"), options).value();
  EXPECT_FALSE(plan.complete);
  EXPECT_EQ(plan.solutions[0].stopped, "evaluations");
  EXPECT_EQ(plan.solutions[2].stopped, "interrupted");
}

TEST(PlanLayerwise, ProgressCountsEveryDistinctOperator) {
  std::vector<std::size_t> seen;
  PlanOptions options = Quick();
  options.threads = 3;
  options.progress = [&](std::size_t done, std::size_t total, std::string_view) {
    EXPECT_EQ(total, 3U);
    seen.push_back(done);
  };
  ASSERT_TRUE(PlanLayerwise(Sample(), Machine("three-level"), options).has_value());
  EXPECT_EQ(seen, (std::vector<std::size_t>{1, 2, 3}));
}

TEST(PlanLayerwise, AWallClockLimitIsShared) {
  PlanOptions options;
  const mapper::RandomMapper random;
  options.mapper = &random;
  options.seconds = 0.15;
  const Plan plan = PlanLayerwise(Sample(), Machine("three-level"), options).value();
  EXPECT_TRUE(plan.complete);
  EXPECT_EQ(plan.provenance.mapper, "random");
  for (const Solution& solution : plan.solutions) {
    EXPECT_EQ(solution.stopped, "seconds");
    EXPECT_GT(solution.evaluations, 1);
  }
}

TEST(PlanLayerwise, AnEmptyNetworkIsAnEmptyPlan) {
  ir::Network network;
  network.name = "nothing";
  const Plan plan = PlanLayerwise(network, Machine("three-level"), Quick()).value();
  EXPECT_TRUE(plan.solutions.empty());
  EXPECT_EQ(plan.totals.utilization, 0);
}

TEST(PlanLayerwise, RefusesSeedsThatPlansCannotStore) {
  PlanOptions options = Quick();
  options.seed = ~std::uint64_t{0};
  const auto plan = PlanLayerwise(Sample(), Machine("three-level"), options);
  ASSERT_FALSE(plan.has_value());
  EXPECT_EQ(plan.error().code, ErrorCode::kBadValue);
}

TEST(Reevaluate, GivesTheSameBits) {
  const ir::Network network = Sample();
  for (const char* name : {"three-level", "eyeriss", "simba", "tpu-like"}) {
    const arch::Architecture machine = Machine(name);
    for (const bool imperfect : {false, true}) {
      PlanOptions options = Quick();
      options.evaluations = imperfect ? 5 : 200;
      options.imperfect = imperfect;
      const Plan plan = PlanLayerwise(network, machine, options).value();
      const Plan again = Reevaluate(plan, &network, machine).value();
      EXPECT_EQ(FirstDifference(plan, again), std::nullopt) << name;
      EXPECT_EQ(io::PlanToJson(plan), io::PlanToJson(again)) << name;
    }
  }
}

TEST(Reevaluate, FindsATamperedFigure) {
  const ir::Network network = Sample();
  const arch::Architecture machine = Machine("three-level");
  Plan plan = PlanLayerwise(network, machine, Quick()).value();
  plan.solutions[1].cost.level[1].tensors[0].reads += 1;
  const Plan again = Reevaluate(plan, &network, machine).value();
  const auto difference = FirstDifference(plan, again);
  ASSERT_TRUE(difference.has_value());
  EXPECT_NE(difference->find("solutions[1].cost.levels[1].tensors[0].reads"), std::string::npos)
      << *difference;
}

TEST(Reevaluate, RefusesAnotherMachineNetworkOrMapping) {
  const ir::Network network = Sample();
  const arch::Architecture machine = Machine("three-level");
  const Plan plan = PlanLayerwise(network, machine, Quick()).value();

  const auto other_machine = Reevaluate(plan, &network, Machine("eyeriss"));
  ASSERT_FALSE(other_machine.has_value());
  EXPECT_EQ(other_machine.error().code, ErrorCode::kPlanMismatch);

  const ir::Network other = testing::MakeNetwork(
      "sample", {"conv K=16 C=8 P=14 Q=14 R=3 S=3", "relu", "conv K=16 C=8 P=14 Q=14 R=3 S=3",
                 "relu", "view", "gemm M=32 N=24 K=41"});
  const auto other_network = Reevaluate(plan, &other, machine);
  ASSERT_FALSE(other_network.has_value());
  EXPECT_EQ(other_network.error().code, ErrorCode::kPlanMismatch);
  EXPECT_NE(other_network.error().message.find("op5"), std::string::npos);

  arch::Architecture smaller = machine;
  smaller.root.branches[0].memory_child[0].branches[0].memory_child[0].memory.capacity_words = 3;
  const auto too_small = Reevaluate(plan, &network, smaller);
  ASSERT_FALSE(too_small.has_value());
  EXPECT_EQ(too_small.error().code, ErrorCode::kMappingCapacity);

  Plan broken = plan;
  for (mapping::LevelMapping& level : broken.solutions[0].mapping.levels) {
    level.temporal.clear();
  }
  const auto uncovered = Reevaluate(broken, nullptr, machine);
  ASSERT_FALSE(uncovered.has_value());
  EXPECT_EQ(uncovered.error().path, "solutions[0].mapping");

  broken = plan;
  broken.operators[0].solution = 99;
  EXPECT_EQ(Reevaluate(broken, nullptr, machine).error().code, ErrorCode::kPlanMismatch);
}

}  // namespace
}  // namespace sluice::planner
