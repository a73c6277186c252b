// The heuristic mappers on known problems: quality, budgets, determinism, and what they say when
// nothing fits.

#include "mapper/mapper.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <ostream>
#include <set>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "arch/architecture.h"
#include "cost/evaluator.h"
#include "io/yaml/arch/arch.h"
#include "ir/network.h"
#include "mapper/annealing.h"
#include "mapper/mapspace.h"
#include "mapper/random.h"
#include "mapper/walk/walk_guard.h"
#include "mapping/workload.h"

namespace sluice::mapper {
namespace {

/// Sunstone's example machine, as shipped.
arch::Architecture ThreeLevel() {
  return io::LoadArchitecture(SLUICE_SOURCE_DIR "/archs/three-level.yaml").value();
}

cost::Evaluator MakeEvaluator(const std::string& descriptor, const arch::Architecture& machine,
                              const cost::Policy& policy) {
  const ir::Network network = ir::ParseOperatorDescriptor(descriptor).value();
  const auto workload = mapping::MakeWorkload(network.operators.at(0), network).value();
  const auto chain = arch::ChainFor(machine, network.operators.at(0).body).value();
  return cost::Evaluator::Create(workload, chain, policy).value();
}

Problem ProblemOf(const cost::Evaluator& evaluator) {
  Problem problem;
  problem.evaluator = &evaluator;
  return problem;
}

struct KnownLayer {
  const char* name;
  const char* descriptor;
  double edp;  ///< four printed digits
};

std::ostream& operator<<(std::ostream& out, const KnownLayer& layer) {
  return out << layer.name;
}

// The best EDPs known on Sunstone's example machine, counted as Timeloop does.
const KnownLayer kKnownLayers[] = {
    {"resnet18", "conv K=64 C=64 P=56 Q=56 R=3 S=3", 1.711e14},
    {"bert", "gemm M=512 N=768 K=768", 1.838e15},
    {"mobilenet_v3", "conv K=64 C=16 P=112 Q=112 R=1 S=1", 1.092e13},
    {"alexnet_conv2", "conv K=192 C=64 P=27 Q=27 R=5 S=5", 6.400e14},
    {"vgg", "conv K=256 C=256 P=56 Q=56 R=3 S=3", 4.626e16},
    {"resnet50", "conv K=256 C=256 P=14 Q=14 R=3 S=3", 2.001e14},
};

class KnownLayers : public ::testing::TestWithParam<KnownLayer> {};

// A million evaluations take about a second on one idle core (bench/mapper_bench.cpp times it).
TEST_P(KnownLayers, AnnealingReachesTheBestKnownEdp) {
  const arch::Architecture machine = ThreeLevel();
  const auto evaluator = MakeEvaluator(GetParam().descriptor, machine, cost::TimeloopPolicy());
  Budget budget;
  budget.evaluations = 1'000'000;
  const Result result = AnnealingMapper().Solve(ProblemOf(evaluator), budget);
  ASSERT_TRUE(result.best.has_value());
  EXPECT_LE(result.score.edp(), GetParam().edp * 1.001) << result.evaluations << " evaluations";
  EXPECT_TRUE(evaluator.IsValid(*result.best));
  EXPECT_LE(result.bound, result.score.edp());
}

INSTANTIATE_TEST_SUITE_P(Published, KnownLayers, ::testing::ValuesIn(kKnownLayers),
                         [](const auto& p) { return std::string(p.param.name); });

TEST(AnnealingMapper, SameSeedAndBudgetGiveTheSameMapping) {
  const arch::Architecture machine = ThreeLevel();
  const auto evaluator =
      MakeEvaluator("conv K=64 C=64 P=56 Q=56 R=3 S=3", machine, cost::PhysicalPolicy());
  Budget budget;
  budget.evaluations = 5000;
  std::set<double> scores;
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    Problem problem = ProblemOf(evaluator);
    problem.seed = seed;
    const Result a = AnnealingMapper().Solve(problem, budget);
    const Result b = AnnealingMapper().Solve(problem, budget);
    EXPECT_EQ(*a.best, *b.best);
    EXPECT_EQ(a.candidates, b.candidates);
    EXPECT_EQ(a.evaluations, 5000);
    EXPECT_EQ(a.stopped, StopReason::kEvaluations);
    scores.insert(a.score.edp());
  }
  EXPECT_GT(scores.size(), 1U) << "the seed has no effect";
}

TEST(AnnealingMapper, MoreBudgetIsNeverWorseAndBeatsRandom) {
  const arch::Architecture machine = ThreeLevel();
  const auto evaluator =
      MakeEvaluator("conv K=256 C=256 P=56 Q=56 R=3 S=3", machine, cost::PhysicalPolicy());
  double before = std::numeric_limits<double>::infinity();
  for (const std::int64_t evaluations : {1, 10, 100, 1000, 10'000, 40'000}) {
    Budget budget;
    budget.evaluations = evaluations;
    const Result result = AnnealingMapper().Solve(ProblemOf(evaluator), budget);
    EXPECT_LE(result.score.edp(), before);
    before = result.score.edp();
  }
  Budget budget;
  budget.evaluations = 40'000;
  EXPECT_LT(before, RandomMapper().Solve(ProblemOf(evaluator), budget).score.edp() * 0.9);
}

TEST(Mappers, EndByThemselvesWithoutABudget) {
  const arch::Architecture machine = ThreeLevel();
  const auto evaluator = MakeEvaluator("gemm M=16 N=8 K=4", machine, cost::PhysicalPolicy());
  for (const Mapper* mapper : AllMappers()) {
    const Result result = mapper->Solve(ProblemOf(evaluator), Budget{});
    ASSERT_TRUE(result.best.has_value()) << mapper->name();
    EXPECT_TRUE(result.stopped == StopReason::kConverged || result.stopped == StopReason::kProven)
        << StopReasonName(result.stopped);
    EXPECT_FALSE(mapper->description().empty());
  }
}

TEST(Mappers, SpentOrStoppedBudgetStillGivesAMapping) {
  const arch::Architecture machine = ThreeLevel();
  const auto evaluator = MakeEvaluator("gemm M=64 N=64 K=64", machine, cost::PhysicalPolicy());
  const std::atomic<bool> stop = true;
  const AnnealingMapper annealing;
  const RandomMapper random;
  for (const Mapper* mapper :
       {static_cast<const Mapper*>(&annealing), static_cast<const Mapper*>(&random)}) {
    Budget stopped;
    stopped.stop = &stop;
    const Result interrupted = mapper->Solve(ProblemOf(evaluator), stopped);
    EXPECT_EQ(interrupted.stopped, StopReason::kInterrupted);
    EXPECT_TRUE(interrupted.best.has_value());
    Budget late;
    late.seconds = 0;
    const Result timed = mapper->Solve(ProblemOf(evaluator), late);
    EXPECT_EQ(timed.stopped, StopReason::kSeconds);
    EXPECT_TRUE(timed.best.has_value());
    Budget nothing;
    nothing.evaluations = 0;
    EXPECT_TRUE(mapper->Solve(ProblemOf(evaluator), nothing).best.has_value());
  }
}

TEST(Mappers, SecondsAreKept) {
  const arch::Architecture machine = ThreeLevel();
  const auto evaluator =
      MakeEvaluator("conv K=64 C=64 P=56 Q=56 R=3 S=3", machine, cost::PhysicalPolicy());
  Budget budget;
  budget.seconds = 0.05;
  const Result result = RandomMapper().Solve(ProblemOf(evaluator), budget);
  EXPECT_EQ(result.stopped, StopReason::kSeconds);
  EXPECT_GE(result.seconds, 0.05);
}

TEST(Mappers, SayWhichLevelAndTensorBind) {
  arch::Architecture machine = ThreeLevel();
  machine.root.branches[0].memory_child[0].branches[0].memory_child[0].memory.capacity_words = 2;
  const auto evaluator = MakeEvaluator("gemm M=64 N=64 K=64", machine, cost::PhysicalPolicy());
  const AnnealingMapper annealing;
  const RandomMapper random;
  for (const Mapper* mapper :
       {static_cast<const Mapper*>(&annealing), static_cast<const Mapper*>(&random)}) {
    const Result result = mapper->Solve(ProblemOf(evaluator), Budget{});
    EXPECT_FALSE(result.best.has_value());
    EXPECT_EQ(result.stopped, StopReason::kInfeasible);
    ASSERT_EQ(result.reasons.size(), 1U);
    EXPECT_EQ(result.reasons[0].level, 2);
    EXPECT_EQ(result.reasons[0].words_needed, 3);
    EXPECT_EQ(result.reasons[0].words_available, 2);
    EXPECT_EQ(result.reasons[0].code, ErrorCode::kMappingCapacity);
    EXPECT_NE(result.reasons[0].message.find("L1"), std::string::npos);
  }
}

TEST(Mappers, OuterMemoryTooSmallIsNamed) {
  arch::Architecture machine = ThreeLevel();
  machine.root.memory.capacity_words = 10'000;
  const auto evaluator = MakeEvaluator("gemm M=64 N=64 K=64", machine, cost::PhysicalPolicy());
  const Result result = AnnealingMapper().Solve(ProblemOf(evaluator), Budget{});
  ASSERT_EQ(result.reasons.size(), 1U);
  EXPECT_EQ(result.reasons[0].level, 0);
  EXPECT_EQ(result.reasons[0].words_needed, 3 * 4096);
}

// 17 = prime: with perfect factors either one PE of 16 works, or 17 steps run on it.
TEST(AnnealingMapper, ImperfectFactorsUseTheArray) {
  const arch::Architecture machine = ThreeLevel();
  const auto evaluator = MakeEvaluator("gemm M=17 N=17 K=17", machine, cost::PhysicalPolicy());
  Problem problem = ProblemOf(evaluator);
  problem.objective = cost::Objective::kLatency;
  Budget budget;
  budget.evaluations = 3000;
  const Result perfect = AnnealingMapper().Solve(problem, budget);
  problem.imperfect = true;
  const Result imperfect = AnnealingMapper().Solve(problem, budget);
  ASSERT_TRUE(imperfect.best.has_value());
  EXPECT_TRUE(evaluator.IsValid(*imperfect.best));
  EXPECT_EQ(perfect.score.cycles, 17 * 17 * 17);
  EXPECT_LE(imperfect.score.cycles, perfect.score.cycles / 40);
}

// Some ragged mappings can only be scored step by step, which takes seconds; a search must not.
TEST(AnnealingMapper, ImperfectConvolutionsDoNotStall) {
  const arch::Architecture machine = ThreeLevel();
  const auto evaluator =
      MakeEvaluator("conv K=128 C=128 P=29 Q=29 R=3 S=3", machine, cost::PhysicalPolicy());
  const AnnealingMapper annealing;
  const RandomMapper random;
  for (const Mapper* mapper :
       {static_cast<const Mapper*>(&annealing), static_cast<const Mapper*>(&random)}) {
    Problem problem = ProblemOf(evaluator);
    Budget budget;
    budget.evaluations = 1000;
    const Result perfect = mapper->Solve(problem, budget);
    problem.imperfect = true;
    budget.evaluations = 2000;
    const Result result = mapper->Solve(problem, budget);
    EXPECT_EQ(result.evaluations, 2000);
    EXPECT_LT(result.seconds, 30) << "a step-by-step count takes that long for a few mappings";
    EXPECT_TRUE(evaluator.IsValid(*result.best));
    if (mapper == &annealing) {
      // the perfect mappings are among the imperfect ones and get half of the budget
      EXPECT_LE(result.score.edp(), perfect.score.edp());
    }
  }
}

TEST(WalkGuard, RefusesOnlyLongWalksOfRaggedMappings) {
  const arch::Architecture machine = ThreeLevel();
  const auto evaluator =
      MakeEvaluator("conv K=16 C=16 P=30 Q=30 R=3 S=3", machine, cost::PhysicalPolicy());
  const WalkGuard guard(evaluator);
  const Mapspace space(evaluator.workload(), evaluator.chain(), true);
  const auto dim = [&](const std::string& name) {
    const auto& names = evaluator.workload().dim_names;
    return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
  };
  Point point = space.Outermost();
  EXPECT_FALSE(guard.TooSlow(space.ToMapping(point)));
  const std::size_t x = SlotIndex(1, SlotKind::kSpatialX);
  ASSERT_TRUE(space.SetImperfect(point, dim("P"), x, 4, 0));  // ragged: 30 = 7 * 4 + 2
  EXPECT_FALSE(guard.TooSlow(space.ToMapping(point))) << "one dim of the window";
  ASSERT_TRUE(space.SetImperfect(point, dim("R"), x, 3, 0));
  EXPECT_TRUE(guard.TooSlow(space.ToMapping(point))) << "two dims of the window";
  ASSERT_TRUE(space.SetImperfect(point, dim("P"), x, 5, 0));
  EXPECT_FALSE(guard.TooSlow(space.ToMapping(point))) << "perfect";
}

// Many mappings are equally fast; among those the search must still look for little energy.
TEST(AnnealingMapper, LatencyTiesAreBrokenByEnergy) {
  const arch::Architecture machine = ThreeLevel();
  const auto evaluator = MakeEvaluator("gemm M=64 N=64 K=64", machine, cost::PhysicalPolicy());
  Problem problem = ProblemOf(evaluator);
  problem.objective = cost::Objective::kLatency;
  Budget budget;
  budget.evaluations = 30'000;
  const Result fast = AnnealingMapper().Solve(problem, budget);
  problem.objective = cost::Objective::kEnergy;
  const Result frugal = AnnealingMapper().Solve(problem, budget);
  EXPECT_LE(fast.score.cycles, frugal.score.cycles);
  EXPECT_LE(frugal.score.energy_pj, fast.score.energy_pj);
  EXPECT_LE(fast.score.energy_pj, 1.5 * frugal.score.energy_pj);
}

TEST(Registry, FindsByNameAndSuggests) {
  EXPECT_EQ(FindMapper("annealing").value()->name(), "annealing");
  EXPECT_EQ(FindMapper("random").value()->name(), "random");
  const auto missing = FindMapper("anealing");
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, ErrorCode::kUnknownName);
  EXPECT_NE(missing.error().hint.find("annealing"), std::string::npos);
  std::set<std::string_view> names;
  for (const Mapper* mapper : AllMappers()) {
    EXPECT_TRUE(names.insert(mapper->name()).second);
    EXPECT_EQ(FindMapper(mapper->name()).value(), mapper);
  }
}

TEST(Mapspace, FactorsAreThePrimesOfTheBounds) {
  const arch::Architecture machine = ThreeLevel();
  const auto evaluator = MakeEvaluator("gemm M=360 N=97 K=1", machine, cost::PhysicalPolicy());
  const Mapspace space(evaluator.workload(), evaluator.chain(), false);
  EXPECT_EQ(space.prime_factors(), 6 + 1);  // 2 2 2 3 3 5, 97; K has bound 1 and is gone
  ASSERT_EQ(space.dims(), 2U);
  EXPECT_EQ(space.primes(0), (Mapspace::PrimeList{2, 3, 5}));
  EXPECT_EQ(space.primes(1), (Mapspace::PrimeList{97}));
}

}  // namespace
}  // namespace sluice::mapper
