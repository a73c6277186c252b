// Operators that fit nowhere: every mapper names level, tensor and words, and the change that it
// proposes is exactly enough.

#include "mapper/feasible.h"

#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "arch/architecture.h"
#include "cost/evaluator.h"
#include "io/yaml/arch/arch.h"
#include "io/yaml/constraints.h"
#include "ir/network.h"
#include "mapper/mapper.h"
#include "mapping/constraints.h"
#include "mapping/validity.h"
#include "mapping/workload.h"

namespace sluice::mapper {
namespace {

struct Subject {
  mapping::Workload workload;
  arch::Chain chain;
};

Subject Make(const std::string& descriptor, const std::string& machine) {
  const auto architecture =
      io::LoadArchitecture(SLUICE_SOURCE_DIR "/archs/" + machine + ".yaml").value();
  const ir::Network network = ir::ParseOperatorDescriptor(descriptor).value();
  const ir::Operator& op = network.operators.at(0);
  return {mapping::MakeWorkload(op, network).value(),
          arch::ChainFor(architecture, op.body).value()};
}

Result Solve(const Mapper& mapper, const Subject& s, const mapping::Constraints* constraints) {
  const auto evaluator =
      cost::Evaluator::Create(s.workload, s.chain, cost::PhysicalPolicy()).value();
  Problem problem;
  problem.evaluator = &evaluator;
  problem.constraints = constraints;
  Budget budget;
  budget.evaluations = 100;
  return mapper.Solve(problem, budget);
}

/// Every mapper gives the same reasons; with exactly the capacities they want there is a mapping,
/// with one word less in any of them there is none.
std::vector<mapping::Violation> CheckCure(const Subject& s,
                                          const mapping::Constraints* constraints) {
  std::vector<mapping::Violation> reasons;
  for (const Mapper* mapper : AllMappers()) {
    const Result result = Solve(*mapper, s, constraints);
    EXPECT_FALSE(result.best.has_value()) << mapper->name();
    EXPECT_EQ(result.stopped, StopReason::kInfeasible) << mapper->name();
    EXPECT_FALSE(result.reasons.empty());
    reasons = result.reasons;
    Subject cured = s;
    for (const mapping::Violation& reason : reasons) {
      EXPECT_GE(reason.level, 0);
      EXPECT_GE(reason.tensor, 0);
      EXPECT_GT(reason.words_needed, reason.words_available);
      auto& memory = cured.chain.levels[static_cast<std::size_t>(reason.level)].memory;
      EXPECT_GT(reason.capacity_wanted, memory.capacity_words.value());
      memory.capacity_words = reason.capacity_wanted;
    }
    EXPECT_TRUE(Solve(*mapper, cured, constraints).best.has_value()) << mapper->name();
    for (const mapping::Violation& reason : reasons) {
      Subject almost = cured;
      *almost.chain.levels[static_cast<std::size_t>(reason.level)].memory.capacity_words -= 1;
      EXPECT_FALSE(Solve(*mapper, almost, constraints).best.has_value())
          << mapper->name() << " with one word less in level " << reason.level;
    }
  }
  return reasons;
}

TEST(Feasible, OneLevelTooSmall) {
  Subject s = Make("gemm M=64 N=64 K=64", "three-level");
  s.chain.levels[2].memory.capacity_words = 2;
  const auto reasons = CheckCure(s, nullptr);
  ASSERT_EQ(reasons.size(), 1U);
  EXPECT_EQ(reasons[0].level, 2);
  EXPECT_EQ(reasons[0].capacity_wanted, 3);
  EXPECT_EQ(CureText(s.chain, reasons), "L1 needs 6 B instead of 4 B");
}

TEST(Feasible, SeveralLevelsTooSmallAtOnce) {
  Subject s = Make("conv K=64 C=64 P=56 Q=56 R=3 S=3", "three-level");
  s.chain.levels[0].memory.capacity_words = 1000;
  s.chain.levels[1].memory.capacity_words = 2;
  s.chain.levels[2].memory.capacity_words = 1;
  const auto reasons = CheckCure(s, nullptr);
  ASSERT_EQ(reasons.size(), 3U);
  EXPECT_EQ(reasons[0].words_needed, 64 * 58 * 58 + 64 * 64 * 9 + 64 * 56 * 56);
  EXPECT_EQ(CureText(s.chain, reasons),
            "DRAM needs 905,728 B instead of 2,000 B, L2 needs 6 B instead of 4 B, L1 needs 6 B "
            "instead of 2 B");
}

TEST(Feasible, BuffersThatAreHeldTwice) {
  Subject s = Make("gemm M=64 N=64 K=64", "three-level");
  for (const double buffering : {1.0, 1.5, 2.0, 3.0}) {
    s.chain.levels[1].memory.buffering = buffering;
    s.chain.levels[1].memory.capacity_words = 2;
    const auto reasons = CheckCure(s, nullptr);
    ASSERT_EQ(reasons.size(), 1U);
    EXPECT_EQ(reasons[0].words_needed, 3);
    EXPECT_EQ(reasons[0].capacity_wanted, static_cast<std::int64_t>(3 * buffering + 0.75));
  }
}

TEST(Feasible, CapacityForIsTheSmallest) {
  for (const double buffering : {1.0, 1.1, 1.7, 2.0, 2.5, 16.0}) {
    for (const std::int64_t words : {1, 2, 3, 7, 100, 12345, 1 << 30}) {
      arch::Memory memory;
      memory.buffering = buffering;
      const std::int64_t capacity = CapacityFor(memory, words);
      memory.capacity_words = capacity;
      EXPECT_GE(mapping::UsableWords(memory), words);
      memory.capacity_words = capacity - 1;
      EXPECT_TRUE(capacity == 1 || mapping::UsableWords(memory) < words);
    }
  }
}

// Constraints may ask for more than the machine has room for: the cure counts them in.
TEST(Feasible, ConstraintsThatNeedRoom) {
  const Subject s = Make("gemm M=64 N=64 K=64", "three-level");
  const auto document = io::YamlDocument::Parse(
      "version: 1\nname: big tiles\nlevels:\n  - {memory: L1, temporal: M=8 N=8}\n", "c.yaml");
  const auto spec = io::ReadConstraints(document.value().root()).value();
  const auto bound = mapping::BindConstraints(spec, s.workload, s.chain, false).value();
  const auto reasons = CheckCure(s, &bound);
  ASSERT_EQ(reasons.size(), 1U);
  EXPECT_EQ(reasons[0].words_needed, 8 + 8 + 64);
  EXPECT_EQ(CureText(s.chain, reasons), "L1 needs 160 B instead of 96 B");
}

// Where the outermost loops are limited, what is left can go to several places: the cheapest wins.
TEST(Feasible, ChoosesTheCheapestPlacement) {
  Subject s = Make("gemm M=64 N=64 K=64", "three-level");
  s.chain.levels[1].memory.capacity_words = 64;
  const auto document = io::YamlDocument::Parse(
      "version: 1\nname: inside\nlevels:\n  - {memory: DRAM, temporal: M<=16 N<=16 K<=16}\n",
      "c.yaml");
  const auto spec = io::ReadConstraints(document.value().root()).value();
  const auto bound = mapping::BindConstraints(spec, s.workload, s.chain, false).value();
  EXPECT_TRUE(Solve(*AllMappers().front(), s, &bound).best.has_value()) << "3 * 4 * 4 = 48 fit";
  s.chain.levels[1].memory.capacity_words = 40;
  const auto reasons = CheckCure(s, &bound);
  ASSERT_EQ(reasons.size(), 1U);
  EXPECT_EQ(reasons[0].capacity_wanted, 48);
}

TEST(Feasible, ReasonsWithoutACapacityHaveNoCure) {
  const Subject s = Make("gemm M=64 N=64 K=64", "three-level");
  EXPECT_EQ(CureText(s.chain, {}), "");
  mapping::Violation other;
  other.message = "something else";
  EXPECT_EQ(CureText(s.chain, {other}), "");
}

}  // namespace
}  // namespace sluice::mapper
