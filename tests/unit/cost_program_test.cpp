/// \file
/// Our models as a cost program: what it answers, and what it makes of a strange greeting.

#include "driver/compare/cost_program.h"

#include <array>
#include <string>

#include <gtest/gtest.h>

namespace sluice::driver {
namespace {

constexpr std::string_view kVersion = "sluice-cost 1";
constexpr std::string_view kLayer = "layer CONV C=64 K=64 R=3 S=3 X=58 Y=58 stride_y=1 stride_x=1";
constexpr std::string_view kHardware =
    "hardware pes=168 l1_words=512 l2_words=108000 noc_bandwidth=32 offchip_bandwidth=1073741824 "
    "noc_hops=1 hop_latency=1 simd_lanes=1";

TEST(CostProgram, AnswersTheExampleOfThePage) {
  auto program = CostProgram::Create("maestro-exact", kVersion, kLayer, kHardware);
  ASSERT_TRUE(program) << program.error().Render();
  const auto legal = program->Answer("2 0 0 16 1 16 2 1 3 28 4 3 5 3 1 12 1 1 0 4 2 1 3 4 4 3 5 3");
  ASSERT_TRUE(legal);
  EXPECT_EQ(legal->substr(0, 8), "1035582 ");
  EXPECT_EQ(*program->Answer("2 0 0 64 1 64 2 1 3 56 4 3 5 3 1 12 1 8 0 64 2 1 3 56 4 3 5 3"),
            "illegal inner memory too small");
  EXPECT_EQ(*CostProgram::ParseRequest("price 12"), 12);
}

TEST(CostProgram, StrangeLinesAreErrors) {
  auto program = CostProgram::Create("maestro", kVersion, kLayer, kHardware);
  ASSERT_TRUE(program);
  EXPECT_EQ(program->Answer("1 2").error().code, ErrorCode::kMappingInvalid);
  EXPECT_EQ(program->Answer("a b").error().code, ErrorCode::kSyntax);
  for (const std::string_view line : {"", "price", "price x", "cost 3", "price 1 2"}) {
    EXPECT_FALSE(CostProgram::ParseRequest(line)) << line;
  }
  EXPECT_EQ(CostProgram::Create("maestr", kVersion, kLayer, kHardware).error().code,
            ErrorCode::kUnknownName);
  EXPECT_EQ(CostProgram::Create("maestro", "sluice-cost 2", kLayer, kHardware).error().code,
            ErrorCode::kVersion);
  for (const std::string_view layer :
       {"", "layer", "layer CONF K=1", "layer CONV K", "layer CONV K=x", "layer CONV Q=3",
        "layer CONV K=0 C=1 Y=1 X=1 R=1 S=1", "layer CONV K=99999999999999999999"}) {
    EXPECT_FALSE(CostProgram::Create("maestro", kVersion, layer, kHardware)) << layer;
  }
  for (const std::string_view hardware :
       {"", "pes=3", "hardware pes", "hardware pes=0", "hardware cores=3"}) {
    EXPECT_FALSE(CostProgram::Create("maestro", kVersion, kLayer, hardware)) << hardware;
  }
}

}  // namespace
}  // namespace sluice::driver
