/// \file
/// MAESTRO's mapping and hardware files: what is read, and every mistake at its place.

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "io/maestro/csv.h"
#include "io/maestro/hardware.h"
#include "io/maestro/network.h"

namespace sluice::io {
namespace {

using enum mapping::LayerDim;

constexpr std::string_view kGood = R"(// a comment
Constant Tile 8;
Network net {
  Layer one {
    Type: CONV
    Stride { X: 2, Y: 1 }
    Dimensions { K: 64, C: 16, R: 3, S: 5, Y: 30, X: 33 }
    Dataflow {
      SpatialMap(Tile,8) K;
      TemporalMap(Sz(R),1) Y;
      TemporalMap(2,2) X';
      Cluster(4, P);
      SpatialMap(1,1) C;
    }
  }
  Layer two { Type: CONV Dimensions { K: 8, C: 16, R: 3, S: 5, Y: 30, X: 33 } }
}
)";

TEST(MaestroNetwork, ReadsLayersAndDataflows) {
  const auto network = ReadMaestroNetwork(kGood, "good.m");
  ASSERT_TRUE(network) << network.error().Render();
  EXPECT_EQ(network->name, "net");
  ASSERT_EQ(network->layers.size(), 2U);
  const MaestroLayer& one = network->layers[0];
  EXPECT_EQ(one.layer[kS], 5);
  EXPECT_EQ(one.layer.stride_x, 2);
  EXPECT_EQ(one.layer.stride_y, 1);
  ASSERT_EQ(one.dataflow.levels.size(), 2U);
  EXPECT_EQ(one.dataflow.clusters[0], 4);
  EXPECT_EQ(one.dataflow.levels[0][0], (mapping::Map{kK, true, false, 8, 8}));
  EXPECT_EQ(one.dataflow.levels[0][1], (mapping::Map{kY, false, false, 3, 1}));
  EXPECT_EQ(one.dataflow.levels[0][2], (mapping::Map{kX, false, true, 2, 2}));
  // The second layer inherits the dataflow.
  EXPECT_EQ(network->layers[1].dataflow, one.dataflow);
}

struct Mistake {
  std::string_view from;  ///< of kGood
  std::string_view to;
  ErrorCode code;
  int line;
  int column;
};

TEST(MaestroNetwork, SaysWhatIsWrongAndWhere) {
  const std::vector<Mistake> mistakes = {
      {"Network net", "Netz net", ErrorCode::kSyntax, 3, 1},
      {"Constant Tile 8;", "Constant Tile 8; Constant Tile 9;", ErrorCode::kDuplicateKey, 2, 27},
      {"Constant Tile 8;", "Constant Tile x;", ErrorCode::kSyntax, 2, 15},
      {"Type: CONV\n", "Type: CNOV\n", ErrorCode::kUnknownName, 5, 11},
      {"Type: CONV\n", "Type: LSTM\n", ErrorCode::kBadValue, 5, 11},
      {"Type: CONV\n", "\n", ErrorCode::kSyntax, 7, 5},
      {"Type: CONV\n", "Type: CONV Type: GEMM\n", ErrorCode::kDuplicateKey, 5, 16},
      {"Stride { X: 2", "Stride { Z: 2", ErrorCode::kSyntax, 6, 14},
      {"Stride { X: 2", "Stride { X: 0", ErrorCode::kBadValue, 6, 17},
      {"Stride { X: 2, Y: 1", "Stride { X: 2, X: 1", ErrorCode::kDuplicateKey, 6, 20},
      {"K: 64,", "K: 64, K: 3,", ErrorCode::kDuplicateKey, 7, 25},
      {"K: 64,", "K: 64, W: 3,", ErrorCode::kUnknownKey, 7, 25},
      {"K: 64,", "K: 0,", ErrorCode::kBadValue, 7, 21},
      {"K: 64,", "K: 3000000000,", ErrorCode::kBadValue, 7, 21},
      {"K: 64,", "", ErrorCode::kOperatorInvalid, 4, 9},
      {"R: 3, S: 5, Y: 30, X: 33 }\n", "R: 31, S: 5, Y: 30, X: 33 }\n", ErrorCode::kOperatorInvalid,
       7, 32},
      {"    Dataflow {", "    Dataflaw {", ErrorCode::kUnknownKey, 8, 5},
      {"SpatialMap(Tile,8)", "SpatialMap(Tyle,8)", ErrorCode::kSyntax, 9, 18},
      {"SpatialMap(Tile,8)", "SpatialMap(0,8)", ErrorCode::kBadValue, 9, 18},
      {"SpatialMap(Tile,8)", "SpatialMap(-8,8)", ErrorCode::kSyntax, 9, 18},
      {"SpatialMap(Tile,8)", "SpaceMap(Tile,8)", ErrorCode::kUnknownKey, 9, 7},
      {"Sz(R)", "Sz(G)", ErrorCode::kUnknownName, 10, 22},
      {"2) X'", "2) W'", ErrorCode::kUnknownName, 11, 24},
      {"2) X'", "2) K'", ErrorCode::kUnknownName, 11, 24},
      {"2) X'", "2) Y'", ErrorCode::kDuplicateKey, 11, 24},
      {"Cluster(4, P)", "Cluster(4, Q)", ErrorCode::kSyntax, 12, 18},
      {"Cluster(4, P)", "Cluster(0, P)", ErrorCode::kBadValue, 12, 15},
      {"  Layer two", "  Player two", ErrorCode::kSyntax, 16, 3},
      {"X: 33 } }\n}", "X: 33 } }\n} more", ErrorCode::kSyntax, 17, 3},
      {"X: 33 } }\n}", "X: 33 } }\n", ErrorCode::kSyntax, 18, 1},
      {"// a comment", "// a comment\n$", ErrorCode::kSyntax, 2, 1},
  };
  for (const Mistake& mistake : mistakes) {
    SCOPED_TRACE(mistake.to);
    std::string text(kGood);
    const std::size_t at = text.find(mistake.from);
    ASSERT_NE(at, std::string::npos);
    text.replace(at, mistake.from.size(), mistake.to);
    const auto network = ReadMaestroNetwork(text, "bad.m");
    ASSERT_FALSE(network);
    EXPECT_EQ(network.error().code, mistake.code) << network.error().Render();
    EXPECT_EQ(network.error().span.line, mistake.line) << network.error().Render();
    EXPECT_EQ(network.error().span.column, mistake.column) << network.error().Render();
    EXPECT_EQ(network.error().span.file, "bad.m");
  }
}

TEST(MaestroNetwork, NeedsADataflowToInherit) {
  const auto network = ReadMaestroNetwork(
      "Network n { Layer l { Type: GEMM Dimensions { M: 1, N: 1, K: 1 } } }", "none.m");
  ASSERT_FALSE(network);
  EXPECT_EQ(network.error().code, ErrorCode::kMissingKey);
}

TEST(MaestroNetwork, InheritsOnlyWhatFits) {
  const auto network = ReadMaestroNetwork(
      "Network n { Layer a { Type: NGCONV Dimensions { G: 2 K: 1 C: 1 R: 1 S: 1 Y: 1 X: 1 } "
      "Dataflow { SpatialMap(1,1) G; } } Layer b { Type: CONV "
      "Dimensions { K: 1 C: 1 R: 1 S: 1 Y: 1 X: 1 } } }",
      "none.m");
  ASSERT_FALSE(network);
  EXPECT_EQ(network.error().code, ErrorCode::kMappingInvalid);
}

TEST(MaestroNetwork, StrideAfterDimensionsIsNoStride) {
  const auto network = ReadMaestroNetwork(
      "Network n { Layer a { Type: CONV Dimensions { K: 1 C: 1 R: 1 S: 1 Y: 1 X: 1 } "
      "Stride { X: 2, Y: 2 } Dataflow { SpatialMap(1,1) K; } } }",
      "late.m");
  ASSERT_FALSE(network);
  EXPECT_EQ(network.error().code, ErrorCode::kSyntax);
  EXPECT_NE(network.error().hint.find("before Dimensions"), std::string::npos);
}

TEST(MaestroHardware, ReadsTheToolsKeysAndDefaults) {
  const auto hardware = ReadMaestroHardware(
      "num_pes: 168\nl1_size_cstr: 512 // words\nl2_size_cstr: 108000\nnoc_bw_cstr: 64\n"
      "offchip_bw_cstr: 50\nNoC_NumHops: 2\n",
      "hw.m");
  ASSERT_TRUE(hardware) << hardware.error().Render();
  EXPECT_EQ(*hardware, (cost::maestro::Hardware{168, 512, 108000, 64, 50, 2, 1, 1}));
  const auto empty = ReadMaestroHardware("", "hw.m");
  ASSERT_TRUE(empty);
  EXPECT_EQ(empty->pes, 7);
  const auto again = ReadMaestroHardware(WriteMaestroHardware(*hardware), "written.m");
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, *hardware);
}

TEST(MaestroHardware, SaysWhatIsWrongAndWhere) {
  const auto error = [](std::string_view text) {
    const auto hardware = ReadMaestroHardware(text, "hw.m");
    EXPECT_FALSE(hardware) << text;
    return hardware ? Diagnostic() : hardware.error();
  };
  EXPECT_EQ(error("num_pe: 168").hint, "did you mean num_pes?");
  EXPECT_EQ(error("\nnum_pes: 0").code, ErrorCode::kBadValue);
  EXPECT_EQ(error("\nnum_pes: 0").span.line, 2);
  EXPECT_EQ(error("\nnum_pes: 0").span.column, 10);
  EXPECT_EQ(error("num_pes: many").code, ErrorCode::kSyntax);
  EXPECT_EQ(error("num_pes: 1 num_pes: 2").code, ErrorCode::kDuplicateKey);
  EXPECT_EQ(error("num_pes:").code, ErrorCode::kSyntax);
  EXPECT_EQ(error("num_pes: 99999999999999999999").code, ErrorCode::kBadValue);
}

TEST(MaestroCsv, LeavesOutWhatHasNoCost) {
  cost::maestro::Report report;
  report.verdict = cost::maestro::Verdict::kTooFewPes;
  const std::vector<MaestroRow> rows = {{"layer", report}};
  const std::string csv = WriteMaestroCsv("net", rows, {}, {});
  EXPECT_EQ(csv.find("layer,"), std::string::npos);
  EXPECT_EQ(csv.find("Neural Network Name, Layer Number"), 0U);
}

}  // namespace
}  // namespace sluice::io
