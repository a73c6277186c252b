// Chains, the choice of a chain, validation and the drawing of the tree.

#include "arch/architecture.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

namespace sluice::arch {
namespace {

using ir::WorkClass;

Memory MakeMemory(std::string name, std::optional<std::int64_t> words) {
  Memory memory;
  memory.name = std::move(name);
  memory.capacity_words = words;
  memory.read_pj = memory.fill_pj = memory.update_pj = 1;
  return memory;
}

Compute MakeCompute(std::string name, std::vector<WorkClass> classes) {
  Compute compute;
  compute.name = std::move(name);
  for (const WorkClass c : classes) {
    compute.classes.push_back({c, 1.0, 1.0});
  }
  return compute;
}

/// DRAM - L2 - [4 x 2] L1 - MAC, and L2 - [3] vector.
Architecture Small() {
  Architecture a;
  a.name = "small";
  a.root.memory = MakeMemory("DRAM", std::nullopt);
  a.root.memory.keep.fill(Keep::kMust);
  Node l1{MakeMemory("L1", 16), {}};
  l1.branches.push_back({FanOut{}, {}, {MakeCompute("MAC", {WorkClass::kMac})}});
  FanOut pes;
  pes.name = "PEs";
  pes.x = 4;
  pes.y = 2;
  FanOut lanes;
  lanes.x = 3;
  Node l2{MakeMemory("L2", 1024), {}};
  l2.branches.push_back({pes, {l1}, {}});
  l2.branches.push_back(
      {lanes, {}, {MakeCompute("vector", {WorkClass::kVector, WorkClass::kTranscendental})}});
  a.root.branches.push_back({FanOut{}, {l2}, {}});
  return a;
}

TEST(Chains, AreThePathsInTreeOrder) {
  const std::vector<Chain> chains = Chains(Small());
  ASSERT_EQ(chains.size(), 2U);
  EXPECT_EQ(chains[0].compute.name, "MAC");
  ASSERT_EQ(chains[0].levels.size(), 3U);
  EXPECT_EQ(chains[0].levels[0].memory.name, "DRAM");
  EXPECT_EQ(chains[0].levels[1].fan_out.name, "PEs");
  EXPECT_EQ(chains[0].instances(0), 1);
  EXPECT_EQ(chains[0].instances(1), 1);
  EXPECT_EQ(chains[0].instances(2), 8);
  EXPECT_EQ(chains[0].compute_instances(), 8);
  EXPECT_EQ(chains[1].compute.name, "vector");
  EXPECT_EQ(chains[1].levels.size(), 2U);
  EXPECT_EQ(chains[1].compute_instances(), 3);
}

TEST(ChainFor, TakesTheFirstUnitThatOffersEverything) {
  const Architecture a = Small();
  EXPECT_EQ(ChainFor(a, {{WorkClass::kMac, 1}})->compute.name, "MAC");
  EXPECT_EQ(ChainFor(a, {{WorkClass::kVector, 2}})->compute.name, "vector");
  EXPECT_EQ(ChainFor(a, {{WorkClass::kTranscendental, 1}, {WorkClass::kVector, 1}})->compute.name,
            "vector");
  EXPECT_EQ(ChainFor(a, {{WorkClass::kMac, 1}, {WorkClass::kMove, 1}})->compute.name, "MAC");
}

TEST(ChainFor, CopiesPreferAUnitThatMovesThenAVectorUnit) {
  Architecture a = Small();
  EXPECT_EQ(ChainFor(a, {{WorkClass::kMove, 1}})->compute.name, "vector");
  a.root.branches.push_back({FanOut{}, {}, {MakeCompute("dma", {WorkClass::kMove})}});
  EXPECT_EQ(ChainFor(a, {{WorkClass::kMove, 1}})->compute.name, "dma");
  a.root.branches.pop_back();
  a.root.branches[0].memory_child[0].branches.pop_back();
  EXPECT_EQ(ChainFor(a, {{WorkClass::kMove, 1}})->compute.name, "MAC");
}

TEST(ChainFor, NamesTheMissingClass) {
  Architecture a = Small();
  a.root.branches[0].memory_child[0].branches.pop_back();
  const auto chain = ChainFor(a, {{WorkClass::kTranscendental, 1}});
  ASSERT_FALSE(chain);
  EXPECT_EQ(chain.error().code, ErrorCode::kArchInvalid);
  EXPECT_NE(chain.error().message.find("`transcendental`"), std::string::npos);
  EXPECT_NE(chain.error().notes.at(0).find("MAC (mac)"), std::string::npos);
  const auto both = ChainFor(Small(), {{WorkClass::kMac, 1}, {WorkClass::kVector, 1}});
  ASSERT_FALSE(both);
  EXPECT_NE(both.error().message.find("together"), std::string::npos);
}

struct Broken {
  const char* name;
  std::function<void(Architecture&)> change;
  const char* path;
  const char* message;  ///< part of it
};

class BrokenArchitecture : public testing::TestWithParam<Broken> {};

TEST_P(BrokenArchitecture, IsRefusedWithItsPath) {
  Architecture a = Small();
  ASSERT_TRUE(Validate(a)) << Validate(a).error().Render();
  GetParam().change(a);
  const auto status = Validate(a);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kArchInvalid);
  EXPECT_EQ(status.error().path, GetParam().path);
  EXPECT_NE(status.error().message.find(GetParam().message), std::string::npos)
      << status.error().message;
}

Node& L2(Architecture& a) {
  return a.root.branches[0].memory_child[0];
}
Node& L1(Architecture& a) {
  return L2(a).branches[0].memory_child[0];
}
Compute& Vector(Architecture& a) {
  return L2(a).branches[1].compute_child[0];
}
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

INSTANTIATE_TEST_SUITE_P(
    Architecture, BrokenArchitecture,
    testing::Values(
        Broken{"no_name", [](auto& a) { a.name = ""; }, "name", "no name"},
        Broken{"clock_zero", [](auto& a) { a.clock_hz = 0; }, "clock", "clock"},
        Broken{"clock_nan", [](auto& a) { a.clock_hz = kNan; }, "clock", "clock"},
        Broken{"root_bypass", [](auto& a) { a.root.memory.keep[1] = Keep::kMay; }, "memory.keep",
               "outermost"},
        Broken{"memory_name", [](auto& a) { L2(a).memory.name = ""; }, "memory.below[0].memory",
               "needs a name"},
        Broken{"same_name", [](auto& a) { L1(a).memory.name = "L2"; },
               "memory.below[0].memory.below[0].memory.name", "used twice"},
        Broken{"fan_out_same_name", [](auto& a) { L2(a).branches[1].fan_out.name = "PEs"; },
               "memory.below[0].memory.below[1].fan_out.name", "used twice"},
        Broken{"zero_words", [](auto& a) { L2(a).memory.capacity_words = 0; },
               "memory.below[0].memory.size", "0 words"},
        Broken{"negative_words", [](auto& a) { L2(a).memory.capacity_words = -5; },
               "memory.below[0].memory.size", "-5 words"},
        Broken{"huge", [](auto& a) { L2(a).memory.capacity_words = kMaxWords + 1; },
               "memory.below[0].memory.size", "not between"},
        Broken{"too_small_for_two",
               [](auto& a) {
                 L1(a).memory.capacity_words = 1;
                 L1(a).memory.buffering = 2;
               },
               "memory.below[0].memory.below[0].memory.size", "2 copies"},
        Broken{"buffering", [](auto& a) { L2(a).memory.buffering = 0.5; },
               "memory.below[0].memory.buffering", "0.5 copies"},
        Broken{"word", [](auto& a) { L2(a).memory.word_bits = 0; }, "memory.below[0].memory.word",
               "0 bit"},
        Broken{"block", [](auto& a) { L2(a).memory.block_words = 0; },
               "memory.below[0].memory.block", "0 words"},
        Broken{"bandwidth_zero", [](auto& a) { L2(a).memory.read_bandwidth = 0; },
               "memory.below[0].memory.read_bandwidth", "bandwidth"},
        Broken{"bandwidth_inf", [](auto& a) { L2(a).memory.write_bandwidth = kInf; },
               "memory.below[0].memory.write_bandwidth", "bandwidth"},
        Broken{"energy_negative", [](auto& a) { L2(a).memory.fill_pj = -1; },
               "memory.below[0].memory.energy.fill", "energy"},
        Broken{"energy_nan", [](auto& a) { L2(a).memory.read_pj = kNan; },
               "memory.below[0].memory.energy.read", "energy"},
        Broken{"leakage", [](auto& a) { L2(a).memory.leakage_pj_per_cycle = kInf; },
               "memory.below[0].memory.leakage", "energy"},
        Broken{"leaf_memory", [](auto& a) { L1(a).branches.clear(); },
               "memory.below[0].memory.below[0].memory.below", "nothing hangs below"},
        Broken{"two_children", [](auto& a) { L1(a).branches[0].memory_child.push_back(L1(a)); },
               "memory.below[0].memory.below[0].memory.below[0]", "exactly one"},
        Broken{"no_child", [](auto& a) { L1(a).branches[0].compute_child.clear(); },
               "memory.below[0].memory.below[0].memory.below[0]", "exactly one"},
        Broken{"fan_out_zero", [](auto& a) { L2(a).branches[0].fan_out.y = 0; },
               "memory.below[0].memory.below[0].fan_out.y", "0 instances"},
        Broken{"fan_out_overflow",
               [](auto& a) { L2(a).branches[0].fan_out.x = std::int64_t{1} << 62U; },
               "memory.below[0].memory.below[0].fan_out", "instances"},
        Broken{"product_of_fan_outs",
               [](auto& a) {
                 L2(a).branches[0].fan_out.x = 1 << 20U;
                 L1(a).branches[0].fan_out.x = 1 << 20U;
               },
               "memory.below[0].memory.below[0].memory.below[0].fan_out", "more than"},
        Broken{"hop_energy", [](auto& a) { L2(a).branches[0].fan_out.network.hop_pj = -1; },
               "memory.below[0].memory.below[0].fan_out.network.hop_energy", "energy"},
        Broken{"empty_dim", [](auto& a) { L2(a).branches[0].fan_out.dims_x = {""}; },
               "memory.below[0].memory.below[0].fan_out.dims_x", "empty name"},
        Broken{"no_classes", [](auto& a) { Vector(a).classes.clear(); },
               "memory.below[0].memory.below[1].compute.classes", "no class"},
        Broken{"class_twice", [](auto& a) { Vector(a).classes[1] = Vector(a).classes[0]; },
               "memory.below[0].memory.below[1].compute.classes[1].class", "twice"},
        Broken{"rate_zero", [](auto& a) { Vector(a).classes[1].operations_per_cycle = 0; },
               "memory.below[0].memory.below[1].compute.classes[1].rate", "operations per cycle"},
        Broken{"operation_energy", [](auto& a) { Vector(a).classes[0].pj_per_operation = kNan; },
               "memory.below[0].memory.below[1].compute.classes[0].energy", "energy"}),
    [](const auto& param) { return std::string(param.param.name); });

TEST(Validate, BoundsTheDepth) {
  Architecture a = Small();
  const auto wrap = [&](int times) {
    a = Small();
    for (int i = 0; i < times; ++i) {
      Node outer{MakeMemory("M" + std::to_string(i), 4096), {}};
      outer.branches.push_back({FanOut{}, {L2(a)}, {}});
      a.root.branches[0].memory_child[0] = outer;
    }
    return Validate(a);
  };
  EXPECT_TRUE(wrap(kMaxLevels - 3));
  const auto status = wrap(kMaxLevels - 2);
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message.find("8 memories"), std::string::npos);
}

TEST(Validate, BoundsTheNumberOfChains) {
  Architecture a = Small();
  for (int i = 0; i < kMaxChains; ++i) {
    L2(a).branches.push_back(
        {FanOut{}, {}, {MakeCompute("C" + std::to_string(i), {WorkClass::kMac})}});
  }
  const auto status = Validate(a);
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message.find("compute units"), std::string::npos);
}

TEST(DrawTree, ShowsLevelsFanOutsAndUnits) {
  EXPECT_EQ(DrawTree(Small()),
            "small, 1000 MHz\n"
            "DRAM: unbounded (words of 16 bit), 1 pJ an access, always keeps all\n"
            "+-\n"
            "   L2: 2 KiB (1024 words of 16 bit), 1 pJ an access\n"
            "   +- PEs: 4 x 2, multicast, reduction\n"
            "   |  L1: 32 B (16 words of 16 bit), 1 pJ an access\n"
            "   |  +-\n"
            "   |     [MAC] mac 1/cycle at 1 pJ\n"
            "   +- fan-out: x3, multicast, reduction\n"
            "      [vector] vector 1/cycle at 1 pJ, transcendental 1/cycle at 1 pJ\n");
}

TEST(DrawTree, StaysWithinEightyColumns) {
  Architecture a = Small();
  a.name = std::string(300, 'n');
  a.description = std::string(300, 'd') + " and " + std::string(50, 'e');
  L1(a).memory.name = std::string(200, 'm');
  L2(a).branches[0].fan_out.dims_x.assign(50, "dim");
  L2(a).memory.read_bandwidth = 1.23456789e11;
  L2(a).memory.keep = {Keep::kMust, Keep::kNever, Keep::kMay};
  Vector(a).name = std::string(200, 'v');
  std::istringstream lines(DrawTree(a));
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(line.size(), 80U) << line;
  }
}

}  // namespace
}  // namespace sluice::arch
