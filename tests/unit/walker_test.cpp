// The reference engine against figures that Timeloop printed (timeloop-model of March 2025,
// temporal and spatial extrapolation and link transfers off), and against hand counts of what
// Timeloop cannot do. The walker judges the evaluator, so something else must judge the walker.

#include "testing/walker.h"

#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "testing/nests.h"

namespace sluice::testing {
namespace {

using cost::Policy;

Policy Timeloop() {
  Policy policy;
  policy.child_read_on_drain = false;
  policy.neighbour_forwarding = false;
  policy.network_read_back = false;
  policy.gap_words = true;
  policy.window = cost::WindowRule::kSameDirection;
  return policy;
}

/// One tensor at one level, per used instance.
struct Row {
  int level;
  int tensor;
  std::int64_t tile;
  std::int64_t reads;
  std::int64_t fills;
  std::int64_t updates;
};

void ExpectRows(const cost::Cost& cost, const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    SCOPED_TRACE("level " + std::to_string(row.level) + " tensor " + std::to_string(row.tensor));
    const cost::LevelCost& level = cost.level[static_cast<std::size_t>(row.level)];
    const cost::TensorTraffic& t = level.tensors[static_cast<std::size_t>(row.tensor)];
    EXPECT_TRUE(t.kept);
    EXPECT_EQ(t.tile_words, row.tile);
    EXPECT_EQ(t.reads, row.reads * level.instances_used);
    EXPECT_EQ(t.fills, row.fills * level.instances_used);
    EXPECT_EQ(t.updates, row.updates * level.instances_used);
  }
}

// Tensors of the convolution, all levels alike: 0 weights, 1 inputs, 2 outputs.
constexpr Row kWeightsOnce = {0, 0, 3, 3, 0, 0};  ///< read from DRAM once
constexpr Row kInputsOnce = {0, 1, 18, 18, 0, 0};
constexpr Row kOutputsOnce = {0, 2, 16, 0, 0, 16};

/// The buffer's rows: every word of every operation comes from it, outputs are read back but for
/// the first of three visits.
constexpr Row Weights(std::int64_t tile, std::int64_t fills) {
  return {1, 0, tile, 48, fills, 0};
}
constexpr Row Inputs(std::int64_t tile, std::int64_t fills) {
  return {1, 1, tile, 48, fills, 0};
}
constexpr Row Outputs(std::int64_t tile, std::int64_t fills = 0) {
  return {1, 2, tile, 32, fills, 48};
}

struct ConvCase {
  std::string dram;
  std::string buffer;
  std::vector<Row> rows;
  double energy;
};

class WalkerConv1d : public ::testing::TestWithParam<ConvCase> {};

TEST_P(WalkerConv1d, EqualsTimeloop) {
  const ConvCase& c = GetParam();
  const auto conv = MakeNest({{"R", 3}, {"P", 16}}, {{"W", {"R"}}, {"I", {"R+P"}}, {"O", {"P"}}});
  const auto mapping = MakeMapping(conv, {c.dram, c.buffer});
  auto chain = MakeChain(mapping);
  chain.levels[0].memory.read_pj = 200;
  chain.levels[0].memory.fill_pj = 200;
  chain.levels[0].memory.update_pj = 200;
  chain.levels[1].memory.read_pj = 1;
  chain.levels[1].memory.fill_pj = 1.2;
  chain.levels[1].memory.update_pj = 1.1;
  chain.compute.classes[0].pj_per_operation = 0.5;
  const auto cost = Walk(conv, chain, mapping, Timeloop());
  ExpectRows(cost, c.rows);
  EXPECT_EQ(cost.operations, 48);
  EXPECT_EQ(cost.score.cycles, 48);
  EXPECT_NEAR(cost.score.energy_pj, c.energy, 1e-9 * c.energy);
}

const std::vector<Row> kAllInTheBuffer = {Weights(3, 3), Inputs(18, 18), Outputs(16),
                                          kWeightsOnce,  kInputsOnce,    kOutputsOnce};

INSTANTIATE_TEST_SUITE_P(
    Recorded, WalkerConv1d,
    ::testing::Values(
        // Everything in the buffer, R innermost, then P innermost.
        ConvCase{"", "P=16 R=3", kAllInTheBuffer, 7630},
        ConvCase{"", "R=3 P=16", kAllInTheBuffer, 7630},
        // A window of 3 slides over P.
        ConvCase{
            "P=16",
            "R=3",
            {Weights(3, 3), Inputs(3, 18), Outputs(1), kWeightsOnce, kInputsOnce, kOutputsOnce},
            7630},
        ConvCase{
            "R=3",
            "P=16",
            {Weights(1, 3), Inputs(16, 18), Outputs(16), kWeightsOnce, kInputsOnce, kOutputsOnce},
            7630},
        ConvCase{"P=4 R=3",
                 "P=4",
                 {Weights(1, 12), Inputs(4, 24), Outputs(4), Row{0, 0, 3, 12, 0, 0},
                  Row{0, 1, 18, 24, 0, 0}, kOutputsOnce},
                 10648},
        // Partial sums travel: every output visits the buffer three times.
        ConvCase{"R=3 P=4",
                 "P=4",
                 {Weights(1, 3), Inputs(4, 48), Outputs(4, 32), kWeightsOnce,
                  Row{0, 1, 18, 48, 0, 0}, Row{0, 2, 16, 32, 0, 48}},
                 26504.4},
        ConvCase{
            "P=4",
            "R=3 P=4",
            {Weights(3, 3), Inputs(6, 18), Outputs(4), kWeightsOnce, kInputsOnce, kOutputsOnce},
            7630},
        // Outputs, then weights, bypass the buffer.
        ConvCase{
            "P=16",
            "R=3 -O",
            {Weights(3, 3), Inputs(3, 18), kWeightsOnce, kInputsOnce, Row{0, 2, 16, 32, 0, 48}},
            20345.2},
        ConvCase{"P=16",
                 "R=3 -W",
                 {Inputs(3, 18), Outputs(1), Row{0, 0, 3, 48, 0, 0}, kInputsOnce, kOutputsOnce},
                 16578.4}));

TEST(WalkerTest, PartialArrayEqualsTimeloop) {
  const auto gemm = MakeNest({{"M", 24}, {"N", 20}, {"K", 32}},
                             {{"A", {"M", "K"}}, {"B", {"K", "N"}}, {"Z", {"M", "N"}}});
  const auto mapping = MakeMapping(gemm, {"N=2 M=2", "K=8 x:M=12 y:N=10", "K=4"});
  auto chain = MakeChain(mapping);
  chain.levels[1].fan_out.x = 16;
  chain.levels[1].fan_out.y = 16;
  const std::array<std::array<double, 3>, 3> energies = {
      {{200, 200, 200}, {6, 7, 6.5}, {1, 1.25, 1.125}}};
  for (std::size_t l = 0; l < 3; ++l) {
    chain.levels[l].memory.read_pj = energies[l][0];
    chain.levels[l].memory.fill_pj = energies[l][1];
    chain.levels[l].memory.update_pj = energies[l][2];
  }
  const auto cost = Walk(gemm, chain, mapping, Timeloop());
  EXPECT_EQ(cost.level[2].instances_used, 120);
  EXPECT_EQ(cost.instances_used, 120);
  ExpectRows(cost, {{2, 0, 4, 128, 128, 0},
                    {2, 1, 4, 128, 128, 0},
                    {2, 2, 1, 124, 0, 128},
                    {1, 0, 384, 1536, 1536, 0},
                    {1, 1, 320, 1280, 640, 0},
                    {1, 2, 120, 0, 0, 480},
                    {0, 0, 768, 1536, 0, 0},
                    {0, 1, 640, 640, 0, 0},
                    {0, 2, 480, 0, 0, 480}});
  EXPECT_EQ(cost.score.cycles, 128);
  EXPECT_NEAR(cost.score.energy_pj, 683088, 1e-3);
  EXPECT_DOUBLE_EQ(cost.utilization, 0.46875);
}

TEST(WalkerTest, StridedGapsEqualTimeloop) {
  const auto conv = MakeNest({{"C", 16}, {"M", 32}, {"P", 8}, {"Q", 8}},
                             {{"W", {"C", "M"}}, {"I", {"C", "3P", "3Q"}}, {"O", {"M", "Q", "P"}}});
  const auto mapping = MakeMapping(conv, {"M=2", "Q=8 P=8 x:C=16 y:M=16", ""});
  const auto cost = Walk(conv, MakeChain(mapping), mapping, Timeloop());
  ExpectRows(cost, {{2, 0, 1, 128, 2, 0},
                    {2, 1, 1, 128, 128, 0},
                    {2, 2, 1, 0, 0, 128},
                    {1, 0, 256, 512, 512, 0},
                    {1, 1, 7744, 2048, 7744, 0},
                    {1, 2, 1024, 0, 0, 2048},
                    {0, 1, 7744, 7744, 0, 0},
                    {0, 2, 2048, 0, 0, 2048}});
  Policy exact = Timeloop();
  exact.gap_words = false;
  const auto touched = Walk(conv, MakeChain(mapping), mapping, exact);
  EXPECT_EQ(touched.level[0].tensors[1].tile_words, 16 * 8 * 8);
  EXPECT_EQ(touched.level[0].tensors[1].reads, 16 * 8 * 8);
}

TEST(WalkerTest, RaggedTilesAreCountedExactly) {
  // P = 7 in tiles of 4: four points, then three. The last step of the second tile does not exist.
  const auto conv = MakeNest({{"R", 2}, {"P", 7}}, {{"W", {"R"}}, {"I", {"R+P"}}, {"O", {"P"}}});
  const auto mapping = MakeMapping(conv, {"P=2", "P=4,3 R=2"});
  const auto cost = Walk(conv, MakeChain(mapping), mapping, Policy{});
  EXPECT_EQ(cost.operations, 14);
  EXPECT_EQ(cost.compute_cycles, 14);
  const auto& inputs = cost.level[1].tensors[1];
  EXPECT_EQ(inputs.tile_words, 5);
  EXPECT_EQ(inputs.fills, 5 + 3);  // words 0..4, then 4..7 of which 4 is there
  EXPECT_EQ(cost.level[0].tensors[2].updates, 7);
}

TEST(WalkerTest, IdleInstancesKeepTheirTile) {
  // M = 3 on 2 x 2: the second step uses one instance only. Weights do not move with M.
  const auto gemm = MakeNest({{"M", 3}, {"K", 2}}, {{"A", {"M", "K"}}, {"B", {"K"}}, {"Z", {"M"}}});
  const auto mapping = MakeMapping(gemm, {"M=2 x:M=2,1", "K=2"});
  const auto cost = Walk(gemm, MakeChain(mapping), mapping, Policy{});
  EXPECT_EQ(cost.level[1].instances_used, 2);
  EXPECT_EQ(cost.compute_cycles, 4);
  EXPECT_EQ(cost.level[1].tensors[1].fills, 4);  // 2 words in each instance, once
  EXPECT_EQ(cost.level[0].tensors[1].reads, 2);  // multicast
  EXPECT_EQ(cost.level[1].tensors[0].fills, 6);
  EXPECT_EQ(cost.level[0].tensors[2].updates, 3);
}

TEST(WalkerTest, MulticastMergesFanOutByFanOut) {
  // Word p + r, R on the outer fan-out and P on the inner one, nothing kept in between: the
  // branches hold {0,1}, {1,2}, {2,3}; none equals another, so all six words are read (as Timeloop
  // counts).
  const auto conv = MakeNest({{"R", 3}, {"P", 2}}, {{"W", {"R"}}, {"I", {"R+P"}}, {"O", {"P"}}});
  const auto split = MakeMapping(conv, {"x:R=3", "x:P=2 -I"});
  EXPECT_EQ(Walk(conv, MakeChain(split), split, Policy{}).level[0].tensors[1].reads, 6);
  // On one fan-out the diagonals are seen: words 0, 1, 2, 3.
  const auto joint = MakeMapping(conv, {"x:R=3 y:P=2", "-I"});
  EXPECT_EQ(Walk(conv, MakeChain(joint), joint, Policy{}).level[0].tensors[1].reads, 4);
}

}  // namespace
}  // namespace sluice::testing
