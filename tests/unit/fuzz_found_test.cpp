// What fuzzing found, one named case each, with the smallest input that showed it. The corpora that
// the fuzzers keep are replayed by tests/fuzz/replay_test.cpp.

#include <string>

#include <gtest/gtest.h>

#include "base/diagnostic.h"
#include "cost/evaluator.h"
#include "cost/policy.h"
#include "io/yaml/yaml.h"
#include "ir/network.h"
#include "testing/nests.h"
#include "testing/walker.h"

namespace sluice {
namespace {

// A long line of UTF-8 continuation bytes only: looking for the start of a character ran to the
// start of the line, and the caret then stood behind the excerpt (std::out_of_range).
TEST(FuzzFound, RenderALineOfContinuationBytes) {
  Diagnostic d(ErrorCode::kSyntax, "unexpected character");
  d.span = {
      .file = "f", .line = 1, .column = 117, .length = 1, .excerpt = std::string(200, '\xBD')};
  EXPECT_NE(d.Render().find("^"), std::string::npos);
  d.span.column = 201;
  EXPECT_NE(d.Render().find("^"), std::string::npos);
}

// A text that ends within an escape: the column was two behind the last.
TEST(FuzzFound, AnEscapeAtTheEndOfAText) {
  const auto document = io::YamlDocument::Parse("a: \"\\", "f");
  ASSERT_FALSE(document);
  EXPECT_EQ(document.error().span.line, 1);
  EXPECT_LE(document.error().span.column, 6);
  EXPECT_EQ(document.error().span.excerpt, "a: \"\\");
}

// yaml-cpp turns `\N` and `\_` into bytes that are no text; what was read could not be written.
TEST(FuzzFound, EscapesOfOneLetterAreText) {
  const auto document = io::YamlDocument::Parse("a: \"x\\N\\_\\u00e9\\xe9\\L\"", "f");
  ASSERT_TRUE(document);
  EXPECT_EQ(document->root().At("a")->AsString(), "x\xC2\x85\xC2\xA0\xC3\xA9\xC3\xA9\xE2\x80\xA8");
}

// A word added in a fan-out below a level that the output passes by was charged at the energy of
// the fan-out above; found against the walk.
TEST(FuzzFound, AdditionsBelowABypassedLevelCostTheirOwnFanOut) {
  const auto nest = testing::MakeNest({{"R", 2}}, {{"Output", {}}});
  const auto map = testing::MakeMapping(nest, {"", "x:R=2 -Output", ""});
  auto chain = testing::MakeChain(map);
  chain.levels[1].fan_out.network.reduction_pj = 3;
  const auto evaluator = cost::Evaluator::Create(nest, chain, cost::PhysicalPolicy());
  ASSERT_TRUE(evaluator);
  const cost::Cost cost = evaluator->EvaluateFull(map);
  EXPECT_EQ(cost.level[0].tensors[0].spatial_reductions, 1);
  EXPECT_EQ(cost.level[0].tensors[0].network_energy_pj, 3);
  EXPECT_EQ(testing::Walk(nest, chain, map, cost::PhysicalPolicy()).score.energy_pj,
            cost.score.energy_pj);
}

// Hops were not counted where they cost nothing; found against the walk.
TEST(FuzzFound, HopsThatCostNothingAreCounted) {
  const auto nest = testing::MakeNest({{"K", 2}}, {{"Output", {}}});
  const auto map = testing::MakeMapping(nest, {"x:K=2", ""});
  const auto evaluator =
      cost::Evaluator::Create(nest, testing::MakeChain(map), cost::PhysicalPolicy());
  ASSERT_TRUE(evaluator);
  EXPECT_EQ(evaluator->EvaluateFull(map).level[0].tensors[0].hops, 1);
}

// The second instance along M idles in every other round and keeps its partial sums meanwhile, so
// its parent reads fewer words than visits alone would tell. The walk still charged blocks by
// visits: of one word each, more blocks than words.
TEST(FuzzFound, BlocksOfOneWordAreWordsWhereInstancesIdle) {
  const auto nest =
      testing::MakeNest({{"M", 3}, {"N", 4}, {"K", 4}},
                        {{"Input", {"M", "K"}}, {"Weight", {"K", "N"}}, {"Output", {"M", "N"}}});
  const auto map =
      testing::MakeMapping(nest, {"K=2 M=2", "-Input", "x:K=2 x:M=2,1 -Weight", "N=4 -Input"});
  const auto chain = testing::MakeChain(map);
  const auto policy = cost::ParsePolicy(
                          "physical,dram_accumulates=on,parent_accumulates=on,multicast=off,vector_"
                          "rounding=per_tile")
                          .value();
  const auto evaluator = cost::Evaluator::Create(nest, chain, policy);
  ASSERT_TRUE(evaluator);
  const auto evaluated = evaluator->EvaluateFull(map).level[2].tensors[2];
  const auto walked = testing::Walk(nest, chain, map, policy).level[2].tensors[2];
  EXPECT_EQ(walked.reads, 40);
  EXPECT_EQ(evaluated.reads, 40);
  EXPECT_EQ(walked.read_blocks, 40);
  EXPECT_EQ(evaluated.read_blocks, 40);
}

// Points that fit 63 bits, but not the 62 that everything behind relies on.
TEST(FuzzFound, ADescriptorOfTooManyPoints) {
  const auto huge = ir::ParseOperatorDescriptor("conv K=214748347 C=214747 P=83647 Q=2 R=1 S=1");
  ASSERT_FALSE(huge);
  EXPECT_EQ(huge.error().code, ErrorCode::kBadValue);
  EXPECT_NE(huge.error().message.find("62 bits"), std::string::npos) << huge.error().message;
}

}  // namespace
}  // namespace sluice
