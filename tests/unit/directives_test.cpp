/// Directives of one mapping, letter by letter, and every mistake at its line and column.

#include "mapping/directives.h"

#include <gtest/gtest.h>

#include "mapping/directive_tokens.h"

namespace sluice::mapping {
namespace {

arch::Chain Machine() {
  arch::Chain chain;
  chain.levels.resize(3);
  chain.levels[0].memory.name = "DRAM";
  chain.levels[1].memory.name = "GLB";
  chain.levels[1].fan_out.x = 4;
  chain.levels[1].fan_out.y = 2;
  chain.levels[2].memory.name = "RF";
  chain.compute.name = "MAC";
  return chain;
}

Workload Gemm(int m, int n, int k) {
  const auto network = ir::ParseOperatorDescriptor(
      "gemm M=" + std::to_string(m) + " N=" + std::to_string(n) + " K=" + std::to_string(k));
  return MakeWorkload(network->operators[0], *network).value();
}

/// M=6 N=8 K=7, K ragged: 3 blocks of 2 and a last one of 1.
Mapping Sound() {
  Mapping mapping;
  mapping.levels.resize(3);
  mapping.levels[0].temporal = {PerfectLoop(0, 6), PerfectLoop(2, 4)};
  mapping.levels[0].keep = 0b111;
  mapping.levels[1].spatial_x = {PerfectLoop(1, 4)};
  mapping.levels[1].spatial_y = {PerfectLoop(1, 2)};
  mapping.levels[1].keep = 0b110;
  mapping.levels[2].temporal = {{2, 2, 1}};
  mapping.levels[2].keep = 0b010;
  return mapping;
}

constexpr const char* kText =
    "compute:\n"
    "  update(K+=1)\n"
    "RF:\n"
    "  tensor{Weight}(K=2)\n"
    "  stack(N+=1, 2, Y)\n"
    "  stack(N+=2, 4, X)\n"
    "GLB:\n"
    "  tensor{Weight}(N=8, K=2)\n"
    "  tensor{Output}(N=8)\n"
    "  update(K+=2)\n"
    "  update(M+=1)\n";

Result<Mapping> Parse(const std::string& text) {
  return ParseDirectives(Gemm(6, 8, 7), Machine(), text, "m.txt");
}

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(Directives, PrintedAndReadBack) {
  const auto text = PrintDirectives(Gemm(6, 8, 7), Machine(), Sound());
  ASSERT_TRUE(text.has_value());
  EXPECT_EQ(*text, kText);
  const auto mapping = Parse(*text);
  ASSERT_TRUE(mapping.has_value()) << mapping.error().Render();
  EXPECT_EQ(*mapping, Sound());
}

TEST(Directives, CommentsBlanksDefaultsAndQuotesAreOptional) {
  const auto mapping = Parse(
      "compute: update ( K += 1 ) # innermost\n"
      "\"RF\": tensor{\"Weight\"}(N=1,K=2) stack(N+=1,2,Y) stack(N+=2,4)  # X is the default\n"
      "GLB: tensor{Output}(M=1,N=8) tensor{Weight}(K=2,\"N\"=8) update(K+=2, 4) update(M+=1)");
  ASSERT_TRUE(mapping.has_value()) << mapping.error().Render();
  EXPECT_EQ(*mapping, Sound());
}

TEST(Directives, OutermostLoopWithSpareIterationsHasItsCount) {
  Mapping mapping = Sound();
  mapping.levels[0].temporal[0] = {0, 9, 6};
  const auto text = PrintDirectives(Gemm(6, 8, 7), Machine(), mapping);
  ASSERT_TRUE(text.has_value());
  EXPECT_EQ(*text, Replaced(kText, "update(M+=1)", "update(M+=1, 9)"));
  EXPECT_EQ(Parse(*text).value(), mapping);
}

TEST(Directives, MappingsWithoutDirectivesAreRefused) {
  Mapping mapping = Sound();
  mapping.levels[0].temporal.pop_back();
  EXPECT_EQ(PrintDirectives(Gemm(6, 8, 7), Machine(), mapping).error().code,
            ErrorCode::kMappingCoverage);
  mapping.levels.pop_back();
  EXPECT_EQ(PrintDirectives(Gemm(6, 8, 7), Machine(), mapping).error().code,
            ErrorCode::kMappingInvalid);
  mapping = Sound();
  constexpr std::int32_t kBig = 2147483647;
  mapping.levels[0].temporal = {PerfectLoop(0, 6), {2, kBig, 1}};
  mapping.levels[1].temporal = {{2, kBig, 1}};
  mapping.levels[2].temporal = {{2, kBig, 7}};
  EXPECT_EQ(PrintDirectives(Gemm(6, 8, 7), Machine(), mapping).error().code,
            ErrorCode::kMappingInvalid);
}

TEST(Directives, NamesOfAnyKindSurvive) {
  Workload workload = Gemm(6, 8, 7);
  workload.tensor_names = {"/layer.0/\"x\"\\\n:0", "stack", ""};
  workload.dim_names = {"update", "N 1", "7K"};
  arch::Chain chain = Machine();
  chain.levels[1].memory.name = "tensor";
  chain.levels[2].memory.name = "r{f}";
  Mapping mapping = Sound();
  mapping.levels[2].keep = 0b111;
  const auto text = PrintDirectives(workload, chain, mapping);
  ASSERT_TRUE(text.has_value());
  const auto back = ParseDirectives(workload, chain, *text, "m.txt");
  ASSERT_TRUE(back.has_value()) << *text << back.error().Render();
  EXPECT_EQ(*back, mapping);
  EXPECT_EQ(QuoteName("stack"), "\"stack\"");
  EXPECT_EQ(QuoteName("P_hi.0"), "P_hi.0");
}

TEST(Directives, MistakesAreShownAtTheirPlace) {
  struct Row {
    std::string from;
    std::string to;
    ErrorCode code;
    int line;
    int column;
    std::string hint;
  };
  const std::vector<Row> rows = {
      {"compute:", "", ErrorCode::kSyntax, 2, 3, "compute, RF, GLB"},
      {"RF:", "FR:", ErrorCode::kSyntax, 3, 1, "compute, RF, GLB"},
      {"RF:", "RF", ErrorCode::kSyntax, 4, 3, ""},
      {"tensor{Weight}(K=2)", "tensor{Wieght}(K=2)", ErrorCode::kUnknownName, 4, 10,
       "did you mean `Weight`"},
      {"tensor{Weight}(K=2)", "tensor{Weight}(K=3)", ErrorCode::kBadValue, 4, 20, "K=2"},
      {"tensor{Weight}(K=2)", "tensor{Weight}()", ErrorCode::kMissingKey, 4, 3, "K=2"},
      {"tensor{Weight}(K=2)", "tensor{Weight}(K=2, M=1)", ErrorCode::kUnknownKey, 4, 23, ""},
      {"tensor{Weight}(K=2)", "tensor{Weight}(K=2, K=2)", ErrorCode::kDuplicateKey, 4, 23, ""},
      {"tensor{Weight}(K=2)", "tensor{Weight}(K=2, shr=4)", ErrorCode::kSyntax, 4, 23, ""},
      {"tensor{Weight}(K=2)", "tensor{Weight}(K=2) tensor{Weight}(K=2)", ErrorCode::kDuplicateKey,
       4, 30, ""},
      {"tensor{Weight}(K=2)", "tensor Weight(K=2)", ErrorCode::kSyntax, 4, 10, ""},
      {"tensor{Weight}(K=2)", "tensor{Weight}(K=99)", ErrorCode::kBadValue, 4, 20, ""},
      {"stack(N+=1, 2, Y)", "stack(N+=1, 0, Y)", ErrorCode::kBadValue, 5, 15, ""},
      {"stack(N+=1, 2, Y)", "stack(N+=1, 2, Z)", ErrorCode::kSyntax, 5, 18, ""},
      {"stack(N+=1, 2, Y)", "stack(2)", ErrorCode::kSyntax, 5, 9, ""},
      {"stack(N+=1, 2, Y)", "stack(N+=1, K+=1, 2)", ErrorCode::kSyntax, 5, 15, ""},
      {"stack(N+=1, 2, Y)", "stack(N+=1)", ErrorCode::kSyntax, 5, 13, ""},
      {"stack(N+=1, 2, Y)", "stack(N=1, 2, Y)", ErrorCode::kSyntax, 5, 10, ""},
      {"stack(N+=1, 2, Y)", "stack(N+=3, 2, Y)", ErrorCode::kBadValue, 5, 9, "N+=1"},
      {"stack(N+=1, 2, Y)", "update(N+=1)", ErrorCode::kSyntax, 6, 3, "then"},
      {"stack(N+=2, 4, X)", "stack(N+=2, 4, Y)", ErrorCode::kDuplicateKey, 6, 9, ""},
      {"stack(N+=2, 4, X)", "stack(N+=2, 3, X)", ErrorCode::kMappingCoverage, 6, 9, "update(N+=6)"},
      {"stack(N+=2, 4, X)", "stack(N+=2, 4, X", ErrorCode::kSyntax, 7, 1, ""},
      {"stack(N+=2, 4, X)", "stack(N+=2, 99999999999, X)", ErrorCode::kBadValue, 6, 15, ""},
      {"update(K+=2)", "update(K+=3)", ErrorCode::kBadValue, 4, 20, "K=3"},
      {"update(K+=2)", "update(K+=2, 3)", ErrorCode::kMappingCoverage, 10, 10, "update(K+=6)"},
      {"update(K+=2)", "update(Q+=2)", ErrorCode::kUnknownName, 10, 10, ""},
      {"update(M+=1)", "", ErrorCode::kMappingCoverage, 12, 1, "update(M+=1)"},
      {"update(M+=1)", "update(M+=1) RF:", ErrorCode::kSyntax, 11, 16, "compute, RF, GLB"},
      {"update(M+=1)", "update(M+=1) tensor{Input}(K=2)", ErrorCode::kSyntax, 11, 16, ""},
      {"update(M+=1)", "update(M+=1) %", ErrorCode::kSyntax, 11, 16, "quotes"},
      {"update(M+=1)", "update(\"M+=1)", ErrorCode::kSyntax, 11, 10, ""},
      {"  update(K+=1)", "  tensor{Input}()", ErrorCode::kSyntax, 2, 3, ""},
  };
  for (const Row& row : rows) {
    const auto mapping = Parse(Replaced(kText, row.from, row.to));
    ASSERT_FALSE(mapping.has_value()) << row.to;
    const Diagnostic& error = mapping.error();
    EXPECT_EQ(error.code, row.code) << row.to << "\n" << error.Render();
    EXPECT_EQ(error.span.line, row.line) << error.Render();
    EXPECT_EQ(error.span.column, row.column) << error.Render();
    EXPECT_EQ(error.span.file, "m.txt");
    EXPECT_NE(error.hint.find(row.hint), std::string::npos) << error.Render();
  }
}

TEST(Directives, StepsThatOverflowAreRefused) {
  std::string text = "compute:\n";
  text += "  stack(K+=1, 2147483647, X) update(K+=2147483647, 2147483647)\n";
  text += "RF: stack(K+=4611686014132420609, 2147483647, X)\n";
  text += "GLB: update(M+=1) update(N+=1)\n";
  const auto mapping = Parse(text);
  ASSERT_FALSE(mapping.has_value());
  EXPECT_EQ(mapping.error().code, ErrorCode::kBadValue) << mapping.error().Render();
  EXPECT_EQ(mapping.error().span.line, 3);
}

}  // namespace
}  // namespace sluice::mapping
