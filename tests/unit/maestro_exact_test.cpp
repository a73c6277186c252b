/// \file
/// Every repair of docs/design/0009-maestro-exact.md on the smallest dataflow that shows it: what
/// MAESTRO says, and what is true.

#include <string>

#include <gtest/gtest.h>

#include "cost/maestro/compatible.h"
#include "cost/maestro/exact.h"
#include "io/maestro/network.h"

namespace sluice {
namespace {

using cost::maestro::CompatibleModel;
using cost::maestro::ExactModel;
using cost::maestro::Hardware;
using cost::maestro::Report;
using cost::maestro::Verdict;

Hardware Pes(std::int64_t pes) {
  Hardware hardware;
  hardware.pes = pes;
  hardware.hop_latency = 1;
  return hardware;
}

struct Both {
  Report tool;
  Report exact;
};

Both Price(const std::string& type_and_dims, const std::string& maps, std::int64_t pes) {
  const auto network = io::ReadMaestroNetwork(
      "Network n { Layer l { " + type_and_dims + " Dataflow { " + maps + " } } }", "inline.m");
  EXPECT_TRUE(network) << network.error().Render();
  const io::MaestroLayer& layer = network->layers[0];
  return {CompatibleModel(layer.layer, Pes(pes)).Evaluate(layer.dataflow),
          ExactModel(layer.layer, Pes(pes)).Evaluate(layer.dataflow)};
}

const std::string kGemm = "Type: GEMM Dimensions { M: 4 N: 64 K: 8 }";
const std::string kConv = "Type: CONV Dimensions { K: 8 C: 4 R: 3 S: 3 Y: 9 X: 9 }";

TEST(MaestroExact, TheLastSpatialTileIsNotDropped) {
  const auto [tool, exact] = Price(kGemm, "SpatialMap(12,12) N; TemporalMap(8,8) K;", 4);
  EXPECT_EQ(tool.macs, 4 * 52 * 8);
  EXPECT_EQ(exact.macs, 4 * 64 * 8);
}

TEST(MaestroExact, ATileLargerThanItsDimIsTheWholeDim) {
  const auto [tool, exact] = Price(
      kConv, "TemporalMap(1,1) K; SpatialMap(3,1) Y; TemporalMap(10,8) X; TemporalMap(4,4) C;", 8);
  EXPECT_FALSE(tool.physical());
  EXPECT_TRUE(exact.physical());
}

TEST(MaestroExact, ClustersAreCalledWithTheirTrueTiles) {
  // 12 columns of outputs in tiles of 7 + 5; inside in tiles of 3: 3 + 3 + 1, and 3 + 2, of which
  // the tool, knowing only the tile of 7, does 3 + 1.
  const auto [tool, exact] =
      Price("Type: CONV Dimensions { K: 8 C: 4 R: 3 S: 3 Y: 9 X: 14 }",
            "SpatialMap(1,1) K; TemporalMap(7,7) X'; TemporalMap(1,1) Y'; Cluster(2,P); "
            "SpatialMap(1,1) C; TemporalMap(3,3) X';",
            16);
  EXPECT_EQ(tool.macs, tool.true_macs);
  EXPECT_EQ(exact.macs, exact.true_macs);
  EXPECT_LT(tool.runtime, exact.runtime);
  EXPECT_GE(exact.runtime, exact.compute_bound);
}

TEST(MaestroExact, OutputTilesOfStridedLayersAreOutputs) {
  const auto [tool, exact] =
      Price("Type: CONV Stride { X: 2, Y: 2 } Dimensions { K: 8 C: 4 R: 3 S: 3 Y: 17 X: 17 }",
            "SpatialMap(1,1) K; TemporalMap(4,4) Y'; TemporalMap(4,4) X';", 8);
  EXPECT_GT(tool.macs, tool.true_macs);
  EXPECT_EQ(exact.macs, exact.true_macs);
}

TEST(MaestroExact, OutputsOfGroupsDoNotMoveWithInputChannels) {
  const auto [tool, exact] = Price("Type: NGCONV Dimensions { G: 2 K: 4 C: 4 R: 1 S: 1 Y: 5 X: 5 }",
                                   "TemporalMap(1,1) G; SpatialMap(1,1) K; TemporalMap(4,4) C;", 4);
  EXPECT_EQ(tool.tensors[2].l2_reads, 2 * 4 * 4 * 25);
  EXPECT_EQ(exact.tensors[2].l2_reads, 2 * 4 * 25);
}

TEST(MaestroExact, AnOutputTileIsAsLargeAsItsOutputs) {
  const auto [tool, exact] =
      Price(kConv, "SpatialMap(1,1) K; TemporalMap(3,1) Y; TemporalMap(3,1) X;", 8);
  EXPECT_EQ(tool.tensors[2].l1_words, 2 * 3 * 3);
  EXPECT_EQ(exact.tensors[2].l1_words, 2);
}

TEST(MaestroExact, TwoMapsInStepDoOnlyTheirDiagonal) {
  const auto [tool, exact] =
      Price(kConv, "SpatialMap(1,1) K; SpatialMap(1,1) C; TemporalMap(3,1) Y;", 8);
  EXPECT_EQ(tool.verdict, Verdict::kOk);
  EXPECT_EQ(exact.verdict, Verdict::kIncomplete);
}

TEST(MaestroExact, TheDiagonalOfRowsIsComplete) {
  // Eyeriss: unit p has row p of the input and row p of the kernel.
  const auto [tool, exact] =
      Price(kConv,
            "SpatialMap(1,1) Y'; TemporalMap(1,1) X'; TemporalMap(1,1) C; TemporalMap(8,8) K; "
            "TemporalMap(3,3) R; TemporalMap(3,3) S; Cluster(3,P); "
            "SpatialMap(1,1) Y; SpatialMap(1,1) R; TemporalMap(3,3) S;",
            21);
  EXPECT_EQ(tool.macs, tool.true_macs);
  EXPECT_TRUE(exact.physical());
}

TEST(MaestroExact, KernelsCanBeTiledInTime) {
  const auto [tool, exact] =
      Price(kConv, "SpatialMap(1,1) K; TemporalMap(1,1) R; TemporalMap(1,1) S;", 8);
  EXPECT_EQ(tool.verdict, Verdict::kWindowTiled);
  EXPECT_TRUE(exact.physical());
}

TEST(MaestroExact, ATensorThatStartsOverIsSentAgain) {
  // Weights K x N: for each of 4 rows of M the 2 tiles of K pass again.
  const auto [tool, exact] =
      Price(kGemm, "TemporalMap(1,1) M; TemporalMap(4,4) K; SpatialMap(8,8) N;", 8);
  EXPECT_EQ(tool.tensors[1].l2_reads, 4 * 4 * 64 + 4 * 64);
  EXPECT_EQ(exact.tensors[1].l2_reads, 4 * 8 * 64);
}

TEST(MaestroExact, GapsAndOverlapsAreRefused) {
  EXPECT_EQ(Price(kConv, "SpatialMap(1,2) K;", 8).exact.verdict, Verdict::kIncomplete);
  EXPECT_EQ(Price(kConv, "SpatialMap(2,1) K;", 8).exact.verdict, Verdict::kRepeated);
  EXPECT_EQ(Price(kConv, "SpatialMap(1,1) K; TemporalMap(5,2) Y;", 8).exact.verdict,
            Verdict::kRepeated);
  EXPECT_EQ(Price(kConv, "SpatialMap(1,1) K; TemporalMap(2,1) Y;", 8).exact.verdict,
            Verdict::kIncomplete);
  // In one tile nothing is displaced.
  EXPECT_EQ(Price(kConv, "SpatialMap(1,1) K; TemporalMap(4,1) C;", 8).exact.verdict, Verdict::kOk);
}

TEST(MaestroExact, WhatEndsTheToolHasAVerdict) {
  EXPECT_EQ(Price(kConv, "SpatialMap(1,1) K; Cluster(9,P); SpatialMap(1,1) C;", 8).tool.verdict,
            Verdict::kTooFewPes);
  EXPECT_EQ(Price(kConv, "TemporalMap(1,1) K;", 8).tool.verdict, Verdict::kSpatialMaps);
}

TEST(MaestroExact, EnergyIsOfTheLayerItself) {
  const auto [tool, exact] = Price(kGemm, "SpatialMap(8,8) N; TemporalMap(8,8) K;", 8);
  const auto energy = EnergyOf(exact);
  EXPECT_DOUBLE_EQ(energy.full(), energy.l2 + energy.l1 + energy.mac);
  EXPECT_NEAR(energy.mac, 4 * 64 * 8 * 0.00023, 1e-9);
  EXPECT_GT(energy.l1, 4 * energy.mac);  // three reads and a write of 1.68 MACs each, at least
}

}  // namespace
}  // namespace sluice
