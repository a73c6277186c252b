/// Tiles, the messages of the validity check, and the printed loop nest, on one small machine.

#include "mapping/mapping.h"

#include <gtest/gtest.h>

#include "mapping/validity.h"

namespace sluice::mapping {
namespace {

/// DRAM - GLB (64 words, double buffered: 32) - 4 x 2 array - RF (8 words, no outputs).
arch::Chain Machine() {
  arch::Chain chain;
  chain.levels.resize(3);
  chain.levels[0].memory.name = "DRAM";
  chain.levels[1].memory.name = "GLB";
  chain.levels[1].memory.capacity_words = 64;
  chain.levels[1].memory.buffering = 2;
  chain.levels[1].fan_out.name = "array";
  chain.levels[1].fan_out.x = 4;
  chain.levels[1].fan_out.y = 2;
  chain.levels[1].fan_out.dims_y = {"N", "K"};
  chain.levels[2].memory.name = "RF";
  chain.levels[2].memory.capacity_words = 8;
  chain.levels[2].memory.word_bits = 8;
  chain.levels[2].memory.keep = {arch::Keep::kMay, arch::Keep::kMust, arch::Keep::kNever};
  chain.compute.name = "MAC";
  return chain;
}

/// gemm: dims M = 0, N = 1, K = 2; tensors Input, Weight, Output.
Workload Gemm(int m, int n, int k) {
  const auto network = ir::ParseOperatorDescriptor(
      "gemm M=" + std::to_string(m) + " N=" + std::to_string(n) + " K=" + std::to_string(k));
  return MakeWorkload(network->operators[0], *network).value();
}

constexpr int kM = 0;
constexpr int kN = 1;
constexpr int kK = 2;

/// M=6 N=8 K=7: valid on Machine().
Mapping Sound() {
  Mapping mapping;
  mapping.levels.resize(3);
  mapping.levels[0].temporal = {PerfectLoop(kM, 6), {kK, 4, 4}};
  mapping.levels[0].keep = 0b111;
  mapping.levels[1].spatial_x = {PerfectLoop(kN, 4)};
  mapping.levels[1].spatial_y = {PerfectLoop(kN, 2)};
  mapping.levels[1].keep = 0b111;
  mapping.levels[2].temporal = {{kK, 2, 1}};
  mapping.levels[2].keep = 0b010;
  return mapping;
}

std::vector<Violation> Check(const Mapping& mapping) {
  const Workload workload = Gemm(6, 8, 7);
  const arch::Chain chain = Machine();
  std::vector<Violation> violations = CheckMapping(workload, chain, mapping);
  EXPECT_EQ(violations.empty(), FitsQuickly(workload, MakeValidityTable(workload, chain), mapping));
  return violations;
}

Violation Only(const Mapping& mapping) {
  const std::vector<Violation> violations = Check(mapping);
  EXPECT_EQ(violations.size(), 1U);
  return violations.empty() ? Violation() : violations[0];
}

TEST(Mapping, SoundMappingHasNoViolation) {
  EXPECT_TRUE(Check(Sound()).empty());
}

TEST(Mapping, TilesSpanTheLoopsInside) {
  const Workload workload = Gemm(6, 8, 7);
  const Mapping mapping = Sound();
  EXPECT_EQ(TileWords(workload, mapping, 0, 0), 42);
  EXPECT_EQ(TileWords(workload, mapping, 0, 1), 56);
  EXPECT_EQ(TileWords(workload, mapping, 1, 0), 2);   // M 1, K 2
  EXPECT_EQ(TileWords(workload, mapping, 1, 1), 16);  // N 8, K 2
  EXPECT_EQ(TileWords(workload, mapping, 2, 1), 2);   // N 1, K 2
  // A tile is never larger than the tensor, whatever the bounds of idle loops.
  Mapping wide = mapping;
  wide.levels[2].temporal = {{kK, 100, 7}};
  wide.levels[0].temporal = {PerfectLoop(kM, 6), {kK, 1000, 1}};
  EXPECT_EQ(TileWords(workload, wide, 2, 1), 7);
}

TEST(Mapping, TilesOfAWindowOverlap) {
  const auto network = ir::ParseOperatorDescriptor("conv1d K=1 C=1 P=8 R=3 stride=2");
  const Workload workload = MakeWorkload(network->operators[0], *network).value();  // P = 0, R = 1
  Mapping mapping;
  mapping.levels.resize(2);
  mapping.levels[0].temporal = {PerfectLoop(0, 2)};
  mapping.levels[1].temporal = {PerfectLoop(0, 4), PerfectLoop(1, 3)};
  EXPECT_EQ(TileWords(workload, mapping, 0, 0), 17);
  EXPECT_EQ(TileWords(workload, mapping, 1, 0), 9);
}

TEST(Mapping, CoverageNamesTheMissingFactor) {
  Mapping mapping = Sound();
  mapping.levels[1].spatial_y = {};
  Violation v = Only(mapping);
  EXPECT_EQ(v.code, ErrorCode::kMappingCoverage);
  EXPECT_EQ(v.dim, kN);
  EXPECT_EQ(v.message, "dim N: the loops cover 4 of 8 points; a factor of 2 is missing");

  mapping = Sound();
  mapping.levels[0].temporal[1] = PerfectLoop(kK, 3);
  EXPECT_EQ(Only(mapping).message, "dim K: the loops cover 5 of 7 points; 2 are missing");

  mapping.levels[0].temporal[1] = PerfectLoop(kK, 4);
  mapping.levels[2].temporal[0] = PerfectLoop(kK, 2);
  EXPECT_EQ(Only(mapping).message, "dim K: the loops cover 8 of 7 points, 1 too many");
}

TEST(Mapping, CoverageOfHugeFactorsDoesNotWrap) {
  Mapping mapping = Sound();
  constexpr std::int64_t kBig = 2147483647;
  mapping.levels[0].temporal = {PerfectLoop(kM, kBig), PerfectLoop(kK, kBig)};
  mapping.levels[1].temporal = {PerfectLoop(kM, kBig), PerfectLoop(kK, kBig)};
  mapping.levels[2].temporal = {PerfectLoop(kM, kBig), PerfectLoop(kK, kBig)};
  mapping.levels[1].spatial_x = {PerfectLoop(kM, kBig), PerfectLoop(kN, kBig),
                                 PerfectLoop(kK, kBig)};
  EXPECT_GE(Check(mapping).size(), 4U);
}

TEST(Mapping, FanOutNamesFactorsAndSize) {
  Mapping mapping = Sound();
  mapping.levels[1].keep = 0b011;  // else the outputs would not fit
  mapping.levels[1].spatial_x = {PerfectLoop(kN, 2), PerfectLoop(kM, 3)};
  mapping.levels[1].spatial_y = {PerfectLoop(kN, 2)};
  mapping.levels[1].temporal = {PerfectLoop(kN, 2)};
  mapping.levels[0].temporal = {PerfectLoop(kM, 2), {kK, 4, 4}};
  Violation v = Only(mapping);
  EXPECT_EQ(v.code, ErrorCode::kMappingFanOut);
  EXPECT_EQ(v.level, 1);
  EXPECT_EQ(v.axis, 0);
  EXPECT_EQ(v.message,
            "level GLB: N=2 x M=3 needs 6 instances on X of the fan-out array, there are 4");

  mapping = Sound();
  mapping.levels[1].keep = 0b011;
  mapping.levels[1].spatial_y = {PerfectLoop(kM, 2)};
  mapping.levels[1].temporal = {PerfectLoop(kN, 2)};
  mapping.levels[0].temporal = {PerfectLoop(kM, 3), {kK, 4, 4}};
  v = Only(mapping);
  EXPECT_EQ(v.axis, 1);
  EXPECT_EQ(v.message,
            "level GLB: dim M may not be unrolled on Y of the fan-out array; only N, K may");
}

TEST(Mapping, WholeDimsStayOnOneInstance) {
  Workload workload = Gemm(6, 8, 7);
  workload.whole = 1U << kN;
  const auto violations = CheckMapping(workload, Machine(), Sound());
  ASSERT_EQ(violations.size(), 2U);
  EXPECT_EQ(violations[0].message,
            "level GLB: dim N may not be unrolled on X of the fan-out array; it must stay whole");
}

TEST(Mapping, KeepRulesNameTheTensor) {
  Mapping mapping = Sound();
  mapping.levels[2].keep = 0b000;
  Violation v = Only(mapping);
  EXPECT_EQ(v.code, ErrorCode::kMappingInvalid);
  EXPECT_EQ(v.tensor, 1);
  EXPECT_EQ(v.message, "level RF: tensor Weight must be kept here");
  mapping.levels[2].keep = 0b110;
  EXPECT_EQ(Only(mapping).message, "level RF: tensor Output may not be kept here");
  mapping = Sound();
  mapping.levels[0].keep = 0b101;
  EXPECT_EQ(Only(mapping).message,
            "level DRAM: tensor Weight must be kept here, the outermost level keeps everything");
}

TEST(Mapping, CapacityNamesWordsAndBytesShort) {
  Mapping mapping = Sound();
  mapping.levels[0].temporal = {{kK, 4, 4}};
  mapping.levels[1].temporal = {PerfectLoop(kM, 6)};
  const Violation v = Only(mapping);
  EXPECT_EQ(v.code, ErrorCode::kMappingCapacity);
  EXPECT_EQ(v.level, 1);
  EXPECT_EQ(v.tensor, 2);
  EXPECT_EQ(v.words_needed, 76);
  EXPECT_EQ(v.words_available, 32);
  EXPECT_EQ(v.message,
            "level GLB: the tiles need 76 words (Input 12 + Weight 16 + Output 48), 32 are usable "
            "(64 buffered 2 times): 88 bytes short");
  Mapping bypass = mapping;
  bypass.levels[1].keep = 0b011;
  EXPECT_TRUE(Check(bypass).empty());
}

TEST(Mapping, BrokenLoopsAreReportedBeforeAnythingElse) {
  Mapping mapping = Sound();
  mapping.levels[0].temporal = {PerfectLoop(7, 2), {kM, 0, 0}, {kK, 4, 5}, {kK, 4, 4}};
  const auto violations = Check(mapping);
  ASSERT_EQ(violations.size(), 4U);
  for (const Violation& v : violations) {
    EXPECT_EQ(v.code, ErrorCode::kMappingInvalid);
    EXPECT_EQ(v.level, 0);
  }
  mapping.levels.resize(2);
  EXPECT_EQ(Only(mapping).message, "the mapping has 2 levels, the machine has 3");
}

TEST(Mapping, UsableWordsRoundDown) {
  arch::Memory memory;
  EXPECT_EQ(UsableWords(memory), std::numeric_limits<std::int64_t>::max());
  memory.capacity_words = 11;
  EXPECT_EQ(UsableWords(memory), 11);
  memory.buffering = 2;
  EXPECT_EQ(UsableWords(memory), 5);
  memory.buffering = 1.5;
  EXPECT_EQ(UsableWords(memory), 7);
}

TEST(Mapping, TrivialMappingCovers) {
  const Workload workload = Gemm(6, 8, 7);
  const arch::Chain chain = Machine();
  EXPECT_TRUE(CheckMapping(workload, chain, TrivialMapping(workload, chain)).empty());
  const auto violations = CheckMapping(workload, chain, TrivialMapping(workload, 3));
  ASSERT_EQ(violations.size(), 1U);  // it keeps the output in RF
  EXPECT_EQ(violations[0].tensor, 2);
}

TEST(Mapping, LoopNestIsPrinted) {
  EXPECT_EQ(PrintLoopNest(Gemm(6, 8, 7), Machine(), Sound()),
            "DRAM  [Input 42] [Weight 56] [Output 48]\n"
            "  for M in 0:6\n"
            "    for K in 0:4\n"
            "      GLB  [Input 2] [Weight 16] [Output 8]\n"
            "        par N in 0:4  (X)\n"
            "          par N in 0:2  (Y)\n"
            "            RF  [Weight 2]\n"
            "              for K in 0:2 (last 0:1)\n"
            "                MAC\n");
}

TEST(Mapping, LoopNestOfLongNamesStaysWithinEightyColumns) {
  Workload workload = Gemm(6, 8, 7);
  for (std::string& name : workload.tensor_names) {
    name = "/model/encoder/layer.11/attention/self/" + name + "/MatMul_output_0\n";
  }
  workload.dim_names[1] = std::string(200, 'N');
  arch::Chain chain = Machine();
  chain.levels[1].memory.name = std::string(300, 'G');
  const std::string nest = PrintLoopNest(workload, chain, Sound());
  std::size_t begin = 0;
  while (begin < nest.size()) {
    const std::size_t end = nest.find('\n', begin);
    EXPECT_LE(end - begin, 80U) << nest.substr(begin, end - begin);
    begin = end + 1;
  }
  EXPECT_NE(nest.find("/model/encoder"), std::string::npos);
}

}  // namespace
}  // namespace sluice::mapping
