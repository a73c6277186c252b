/// \file
/// A program as an oracle: what it answers is what the search gets, and whatever it does wrong
/// (die, hang, talk nonsense, count wrongly) is repeated or a clear error, with nothing lost.

#include "cost/command/command_oracle.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/file.h"
#include "base/rng.h"
#include "mapper/codes/search.h"
#include "mapper/codes/space.h"

namespace sluice::cost {
namespace {

using mapping::DataflowCode;

class CommandOracleTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              ("sluice-command-" + std::to_string(::getpid()) + "-" +
               ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    mapping::LayerCode code;
    code.k = 16;
    code.c = 8;
    code.y = code.x = 6;
    layer_ = *mapping::LayerOf(code);
    hardware_.pes = 16;
    options_.timeout_seconds = 20;
    Rng rng(4);
    const mapper::codes::CodeSpace space(layer_, hardware_, {});
    for (int i = 0; i < 25; ++i) {
      codes_.push_back(space.Random(rng));
    }
    costs_.resize(codes_.size());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  /// A shell program. `answer` is run for each code: $n is the code's place in the request, $all
  /// how many codes this program has seen in all its lives. The first cost is 100 + the sum of the
  /// numbers of the code.
  std::string Program(const std::string& answer, const std::string& greeting = "echo ready") {
    const auto path = folder_ / "program.sh";
    std::ofstream(path)
        << "read a; read b; read c; " + greeting +
               "\n"
               "while read word count; do n=0\n"
               " while [ $n -lt $count ]; do read line\n"
               // Renamed, since a program that is replaced may be killed at any place.
               "  all=$(cat all 2>/dev/null || echo 0)\n"
               "  echo $((all + 1)) > all.new; mv all.new all\n"
               "  sum=100; for x in $line; do sum=$((sum + x)); done\n"
               "  "
        << answer << "\n  n=$((n + 1))\n done\n echo done\ndone\n";
    return "cd '" + folder_.string() + "' && exec sh program.sh";
  }
  Result<std::unique_ptr<CostOracle>> Make(const std::string& command) {
    return MakeCommandOracle(layer_, hardware_, command, options_);
  }
  [[nodiscard]] int Seen() const {
    int seen = 0;
    std::ifstream(folder_ / "all") >> seen;
    return seen;
  }
  static double Expected(const DataflowCode& code) {
    double sum = 100;
    for (const auto number : ToNumbers(code)) {
      sum += static_cast<double>(number);
    }
    return sum;
  }
  void ExpectAll() const {
    for (std::size_t i = 0; i < codes_.size(); ++i) {
      EXPECT_EQ(costs_[i].cycles, Expected(codes_[i]));
      EXPECT_TRUE(costs_[i].legal());
    }
  }

  std::filesystem::path folder_;
  mapping::Layer layer_;
  maestro::Hardware hardware_;
  CommandOptions options_;
  std::vector<DataflowCode> codes_;
  std::vector<CodeCost> costs_;
};

TEST_F(CommandOracleTest, PassesCodesAndAnswers) {
  options_.batch = 10;
  const auto oracle = Make(Program("echo $sum 2.5 4"));
  ASSERT_TRUE(oracle) << oracle.error().Render();
  ASSERT_TRUE((*oracle)->Evaluate(codes_, costs_));
  ExpectAll();
  EXPECT_DOUBLE_EQ(costs_[0].energy_outer_pj, 2500);
  EXPECT_DOUBLE_EQ(costs_[0].energy_full_pj, 4000);
  EXPECT_EQ(costs_[0].compute_bound, std::ceil(16.0 * 8 * 36 / 16));
  EXPECT_EQ(Seen(), 25);
}

TEST_F(CommandOracleTest, SaysLayerAndMachineFirst) {
  const auto oracle = Make(Program(
      "echo 1 1", "echo \"$a\" > head; echo \"$b\" >> head; echo \"$c\" >> head; echo ready"));
  ASSERT_TRUE(oracle);
  ASSERT_TRUE((*oracle)->Evaluate(codes_, costs_));
  const auto head = ReadFile((folder_ / "head").string(), 10000);
  ASSERT_TRUE(head);
  EXPECT_EQ(*head,
            "sluice-cost 1\n"
            "layer CONV C=8 K=16 R=1 S=1 X=6 Y=6 stride_y=1 stride_x=1\n"
            "hardware pes=16 l1_words=2147483647 l2_words=2147483647 noc_bandwidth=2147483647 "
            "offchip_bandwidth=70000 noc_hops=1 hop_latency=0 simd_lanes=1\n");
}

TEST_F(CommandOracleTest, IllegalIsAnAnswer) {
  const auto oracle =
      Make(Program("if [ $n = 3 ]; then echo illegal too large; else echo $sum 1; fi"));
  ASSERT_TRUE(oracle);
  ASSERT_TRUE((*oracle)->Evaluate(codes_, costs_));
  EXPECT_FALSE(costs_[3].legal());
  EXPECT_TRUE(costs_[4].legal());
}

TEST_F(CommandOracleTest, StartsAgainAfterACrashAndAsksOnlyForTheRest) {
  const auto oracle = Make(Program("[ $all = 7 ] && kill -9 $$; echo $sum 1"));
  ASSERT_TRUE(oracle);
  ASSERT_TRUE((*oracle)->Evaluate(codes_, costs_));
  ExpectAll();
  EXPECT_EQ(Seen(), 26);  // the one that killed it, twice
}

TEST_F(CommandOracleTest, AHangIsEndedAndRepeated) {
  options_.timeout_seconds = 0.5;
  const auto oracle = Make(Program("[ $all = 5 ] && sleep 100; echo $sum 1"));
  ASSERT_TRUE(oracle);
  ASSERT_TRUE((*oracle)->Evaluate(codes_, costs_));
  ExpectAll();
}

TEST_F(CommandOracleTest, WhatKeepsFailingIsAClearErrorAndLosesNothing) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"[ $all -ge 7 ] && exit 3; echo $sum 1", "ended with exit code 3"},
      {"[ $all -ge 7 ] && kill -9 $$; echo $sum 1", "was ended by signal 9"},
      {"[ $all -ge 7 ] && sleep 100; echo $sum 1", "said nothing for 2 s"},
      {"[ $all -ge 7 ] && sum=nan; echo $sum 1", "`nan` is no positive number"},
      {"[ $all -ge 7 ] && sum=inf; echo $sum 1", "`inf` is no positive number"},
      {"[ $all -ge 7 ] && sum=-5; echo $sum 1", "`-5` is no positive number"},
      {"[ $all -ge 7 ] && sum=; echo $sum 1", "is not `CYCLES ENERGY_NJ [FULL_NJ]`"},
      {"[ $all -ge 7 ] || echo $sum 1", "without an answer"},
  };
  for (const auto& [answer, message] : cases) {
    SCOPED_TRACE(answer);
    std::filesystem::remove(folder_ / "all");
    // Only the program that hangs is not given the time that a loaded machine may need.
    options_.timeout_seconds = answer.find("sleep") != std::string::npos ? 2 : 60;
    const auto oracle = Make(Program(answer));
    ASSERT_TRUE(oracle);
    costs_.assign(codes_.size(), {});
    const auto status = (*oracle)->Evaluate(codes_, costs_);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::kProgram);
    EXPECT_NE(status.error().message.find(message), std::string::npos) << status.error().Render();
    for (std::size_t i = 0; i < 7; ++i) {
      EXPECT_EQ(costs_[i].cycles, Expected(codes_[i]));
    }
    EXPECT_FALSE(costs_[7].legal());
  }
}

TEST_F(CommandOracleTest, TooManyLinesAreAnError) {
  const auto oracle = Make(Program("echo $sum 1; [ $n = 24 ] && echo 7 7"));
  ASSERT_TRUE(oracle);
  const auto status = (*oracle)->Evaluate(codes_, costs_);
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message.find("more answers than there were codes"), std::string::npos);
  ExpectAll();
}

TEST_F(CommandOracleTest, ALineWithoutAnEndIsAnError) {
  const auto oracle = Make(Program("head -c 100000 /dev/zero | tr '\\0' 1"));
  ASSERT_TRUE(oracle);
  const auto status = (*oracle)->Evaluate(codes_, costs_);
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message.find("without a newline"), std::string::npos);
}

TEST_F(CommandOracleTest, ProgramsThatAreNoneAreErrors) {
  options_.timeout_seconds = 0.5;
  EXPECT_EQ(Make("  ").error().code, ErrorCode::kUsage);
  for (const std::string command :
       {"false", "no-such-program-at-all 2>/dev/null", "echo hello", "sleep 100", "yes"}) {
    const auto oracle = Make(command);
    ASSERT_FALSE(oracle) << command;
    EXPECT_EQ(oracle.error().code, ErrorCode::kProgram);
  }
  EXPECT_NE(Make("echo hello").error().message.find("answered `hello`"), std::string::npos);
}

TEST_F(CommandOracleTest, LabelsAreKeptAndNotAskedAgain) {
  options_.labels = (folder_ / "labels").string();
  {
    const auto oracle = Make(Program("[ $all -ge 7 ] && exit 3; echo $sum 1 2"));
    ASSERT_TRUE(oracle);
    ASSERT_FALSE((*oracle)->Evaluate(codes_, costs_));
  }
  // A line that a crash cut short is dropped.
  std::ofstream(options_.labels, std::ios::app) << "0 0 0 1";
  costs_.assign(codes_.size(), {});
  std::filesystem::remove(folder_ / "all");
  for (const int asked : {18, 18}) {  // the second time none
    const auto oracle = Make(Program("echo $sum 1 2"));
    ASSERT_TRUE(oracle) << oracle.error().Render();
    ASSERT_TRUE((*oracle)->Evaluate(codes_, costs_));
    ExpectAll();
    EXPECT_DOUBLE_EQ(costs_[0].energy_full_pj, 2000);
    EXPECT_EQ(Seen(), asked);
  }
}

TEST_F(CommandOracleTest, ForeignLabelsAreErrors) {
  options_.labels = (folder_ / "labels").string();
  ASSERT_TRUE(Make(Program("echo 1 1")));
  hardware_.pes = 17;
  EXPECT_EQ(Make(Program("echo 1 1")).error().code, ErrorCode::kPlanMismatch);
  hardware_.pes = 16;
  std::ofstream(options_.labels, std::ios::app) << "1 2 3 = many\n";
  const auto oracle = Make(Program("echo 1 1"));
  ASSERT_FALSE(oracle);
  EXPECT_EQ(oracle.error().code, ErrorCode::kSyntax);
  EXPECT_EQ(oracle.error().span.line, 4);
}

TEST_F(CommandOracleTest, ASearchKeepsWhatItFoundWhenTheProgramDies) {
  const auto oracle = Make(Program("[ $all -ge 40 ] && exit 1; echo $sum 1"));
  ASSERT_TRUE(oracle);
  mapper::codes::CodeProblem problem;
  problem.oracle = oracle->get();
  problem.samples = 200;
  const auto result = (*mapper::codes::FindCodeSearch("random"))->Run(problem);
  ASSERT_TRUE(result.stopped);
  EXPECT_EQ(result.samples, 40);
  ASSERT_TRUE(result.best);
  EXPECT_EQ(result.cost.cycles, Expected(*result.best));
}

}  // namespace
}  // namespace sluice::cost
