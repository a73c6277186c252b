/// Mappings as YAML and JSON: both spellings of loops, defaults, the exact text written, and every
/// mistake at its line and column.

#include <gtest/gtest.h>

#include "base/file.h"
#include "io/yaml/mapping.h"
#include "mapping/directives.h"

namespace sluice::io {
namespace {

using mapping::Mapping;
using mapping::PerfectLoop;
using mapping::Workload;

arch::Chain Machine() {
  arch::Chain chain;
  chain.levels.resize(2);
  chain.levels[0].memory.name = "DRAM";
  chain.levels[0].fan_out.x = 4;
  chain.levels[0].fan_out.y = 2;
  chain.levels[0].fan_out.name = "array";
  chain.levels[1].memory.name = "RF";
  chain.levels[1].memory.capacity_words = 16;
  chain.levels[1].memory.keep = {arch::Keep::kMay, arch::Keep::kMay, arch::Keep::kNever};
  chain.compute.name = "MAC";
  return chain;
}

Workload Gemm() {
  const auto network = ir::ParseOperatorDescriptor("gemm M=6 N=8 K=7");
  return mapping::MakeWorkload(network->operators[0], *network).value();
}

Mapping Sound() {
  Mapping mapping;
  mapping.levels.resize(2);
  mapping.levels[0].temporal = {PerfectLoop(0, 6), PerfectLoop(2, 4)};
  mapping.levels[0].spatial_x = {PerfectLoop(1, 4)};
  mapping.levels[0].spatial_y = {PerfectLoop(1, 2)};
  mapping.levels[0].keep = 0b111;
  mapping.levels[1].temporal = {{2, 2, 1}};
  mapping.levels[1].keep = 0b010;
  return mapping;
}

constexpr const char* kText =
    "version: 1\n"
    "levels:\n"
    "  - memory: DRAM\n"
    "    keep: [Input, Weight, Output]\n"
    "    temporal: M=6 K=4\n"
    "    spatial_x: \"N=4\"\n"
    "    spatial_y: \"N=2\"\n"
    "  - memory: RF\n"
    "    keep: [Weight]\n"
    "    temporal: K=2,1\n";

Result<Mapping> Read(const std::string& text) {
  SLUICE_TRY(const YamlDocument document, YamlDocument::Parse(text, "m.yaml"));
  return ReadMapping(document.root(), Gemm(), Machine());
}

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(MappingYaml, WrittenAndReadBack) {
  const std::string text = WriteMappingYaml(Sound(), Gemm(), Machine());
  EXPECT_EQ(text,
            "version: 1\n"
            "levels:\n"
            "  - memory: DRAM\n"
            "    keep: [Input, Weight, Output]\n"
            "    temporal: M=6 K=4\n"
            "    spatial_x: N=4\n"
            "    spatial_y: N=2\n"
            "  - memory: RF\n"
            "    keep: [Weight]\n"
            "    temporal: K=2,1\n");
  const auto back = Read(text);
  ASSERT_TRUE(back.has_value()) << back.error().Render();
  EXPECT_EQ(*back, Sound());
}

TEST(MappingYaml, JsonIsReadToo) {
  const auto back =
      Read(R"({"version":1,"levels":[{"memory":"DRAM","keep":["Input","Weight","Output"],)"
           R"("temporal":[{"dim":"M","factor":6},{"dim":"K","factor":4}],)"
           R"("spatial_x":[{"dim":"N","factor":4}],"spatial_y":[{"dim":"N","factor":2}]},)"
           R"({"memory":"RF","keep":["Weight"],"temporal":[{"dim":"K","factor":2,"last":1}]}]})");
  ASSERT_TRUE(back.has_value()) << back.error().Render();
  EXPECT_EQ(*back, Sound());
}

TEST(MappingYaml, ListsOfLoopsAndMissingKeysAreRead) {
  const auto mapping = Read(
      "levels:\n"
      "- memory: DRAM\n"
      "  temporal: [{dim: M, factor: 6}, {dim: K, factor: 4, last: 4}]\n"
      "  spatial_x:\n"
      "  - dim: N\n"
      "    factor: 4\n"
      "  spatial_y: N=2\n"
      "- {memory: RF, keep: [Weight], temporal: [{dim: K, last: 1, factor: 2}], spatial_x: }\n"
      "version: 1\n");
  ASSERT_TRUE(mapping.has_value()) << mapping.error().Render();
  EXPECT_EQ(*mapping, Sound());
  const auto kept = Read(Replaced(kText, "    keep: [Weight]\n", ""));
  ASSERT_TRUE(kept.has_value());
  EXPECT_EQ(kept->levels[1].keep, 0b011U);  // everything that RF may hold
}

TEST(MappingYaml, CapacityIsLeftToTheCheck) {
  const std::string text = Replaced(Replaced(kText, "K=2,1", "K=7 M=6"), "M=6 K=4", "\"\"");
  const auto mapping = Read(text);
  ASSERT_TRUE(mapping.has_value()) << mapping.error().Render();
  EXPECT_TRUE(CheckMapping(Gemm(), Machine(), *mapping).empty());  // 7 words of weights fit
  const auto wide = Read(Replaced(text, "keep: [Weight]", "keep: [Weight, Input]"));
  ASSERT_TRUE(wide.has_value()) << wide.error().Render();
  ASSERT_EQ(CheckMapping(Gemm(), Machine(), *wide).size(), 1U);  // 7 + 42 do not
}

TEST(MappingYaml, MistakesAreShownAtTheirPlace) {
  struct Row {
    std::string from;
    std::string to;
    ErrorCode code;
    int line;
    int column;
    std::string text;  ///< a part of message and hint
  };
  const std::vector<Row> rows = {
      {"version: 1\n", "", ErrorCode::kMissingKey, 1, 1, "version"},
      {"version: 1", "version: 2", ErrorCode::kVersion, 1, 10, "version 1"},
      {"version: 1", "version: 1\nlevel: []", ErrorCode::kUnknownKey, 2, 1, "levels"},
      {"memory: RF", "memory: FR", ErrorCode::kUnknownName, 8, 13, "RF"},
      {"memory: RF", "memory: DRAM", ErrorCode::kBadValue, 8, 13, "outermost first: DRAM, RF"},
      {"    temporal: K=2,1\n", "    temporal: K=2,1\n  - memory: RF\n", ErrorCode::kBadValue, 11,
       5, "only 2 levels"},
      {"  - memory: RF\n    keep: [Weight]\n    temporal: K=2,1\n", "", ErrorCode::kMissingKey, 3,
       3, "level RF is missing"},
      {"keep: [Weight]", "keep: [Wieght]", ErrorCode::kUnknownName, 9, 12, "did you mean `Weight`"},
      {"keep: [Weight]", "keep: [Weight, Weight]", ErrorCode::kDuplicateKey, 9, 20, "twice"},
      {"keep: [Weight]", "keep: [Output]", ErrorCode::kMappingInvalid, 9, 11, "may not be kept"},
      {"keep: [Weight]", "keep: 3", ErrorCode::kWrongType, 9, 11, ""},
      {", Output]", "]", ErrorCode::kMappingInvalid, 4, 11, "must be kept"},
      {"keep: [Weight]", "kept: [Weight]", ErrorCode::kUnknownKey, 9, 5, "keep"},
      {"M=6 K=4", "M=6 k=4", ErrorCode::kUnknownName, 5, 19, "did you mean"},
      {"M=6 K=4", "M=6 K:4", ErrorCode::kSyntax, 5, 19, "DIM=FACTOR"},
      {"M=6 K=4", "M=6 K=4 M=1", ErrorCode::kDuplicateKey, 5, 23, "second loop over M"},
      {"M=6 K=4", "M=0 K=4", ErrorCode::kBadValue, 5, 17, "from 1"},
      {"M=6 K=4", "M=6 K=4,5", ErrorCode::kBadValue, 5, 23, "from 1 to 4"},
      {"M=6 K=4", "M=6 K=99999999999", ErrorCode::kBadValue, 5, 21, "2147483647"},
      {"\"N=4\"", "\"N=x\"", ErrorCode::kBadValue, 6, 19, "`x`"},
      {"\"N=4\"", "[{dim: N, factor: 0}]", ErrorCode::kBadValue, 6, 34, ""},
      {"\"N=4\"", "[{dim: N}]", ErrorCode::kMissingKey, 6, 17, "factor"},
      {"\"N=4\"", "[{dim: Qx, factor: 4}]", ErrorCode::kUnknownName, 6, 23, "M, N, K"},
      {"\"N=4\"", "[{dim: N, factor: 4, lasst: 2}]", ErrorCode::kUnknownKey, 6, 37, "last"},
      {"\"N=4\"", "[{dim: N, factor: 4}, {dim: N, factor: 1}]", ErrorCode::kDuplicateKey, 6, 44,
       ""},
      {"\"N=4\"", "{dim: N, factor: 4}", ErrorCode::kWrongType, 6, 16, "text or a list"},
      {"\"N=4\"", "\"N=2\"", ErrorCode::kMappingCoverage, 6, 16, "a factor of 2 is missing"},
      {"M=6 K=4", "K=4", ErrorCode::kMappingCoverage, 3, 3, "a factor of 6 is missing"},
      {"M=6 K=4", "M=6 K=3", ErrorCode::kMappingCoverage, 5, 15, "cover 5 of 7"},
      {"    spatial_x: \"N=4\"\n    spatial_y: \"N=2\"", "    spatial_x: N=8",
       ErrorCode::kMappingFanOut, 6, 16, "needs 8 instances on X"},
      {"    spatial_x: \"N=4\"\n    spatial_y: \"N=2\"", "    spatial_y: N=8",
       ErrorCode::kMappingFanOut, 6, 16, "needs 8 instances on Y"},
  };
  for (const Row& row : rows) {
    const auto mapping = Read(Replaced(kText, row.from, row.to));
    ASSERT_FALSE(mapping.has_value()) << row.to;
    const Diagnostic& error = mapping.error();
    EXPECT_EQ(error.code, row.code) << row.to << "\n" << error.Render();
    EXPECT_EQ(error.span.line, row.line) << error.Render();
    EXPECT_EQ(error.span.column, row.column) << error.Render();
    EXPECT_NE((error.message + error.hint).find(row.text), std::string::npos) << error.Render();
  }
}

TEST(MappingYaml, NamesThatNeedQuotesSurvive) {
  Workload workload = Gemm();
  workload.tensor_names = {"/conv: 1, {a} # \"b\"\n", "no", "123"};
  workload.dim_names = {"M 1", "N", "y"};
  arch::Chain chain = Machine();
  chain.levels[0].memory.name = "null";
  chain.levels[1].memory.name = "- x";
  const std::string text = WriteMappingYaml(Sound(), workload, chain);
  const auto document = YamlDocument::Parse(text, "m.yaml");
  ASSERT_TRUE(document.has_value()) << text << document.error().Render();
  const auto back = ReadMapping(document->root(), workload, chain);
  ASSERT_TRUE(back.has_value()) << text << back.error().Render();
  EXPECT_EQ(*back, Sound());
  workload.tensor_names[0] = "not \xff UTF-8";
  EXPECT_NO_THROW(WriteMappingYaml(Sound(), workload, chain));
}

/// The text between the first ``` line of the given kind and the next one.
std::string Fenced(const std::string& file, const std::string& kind) {
  const auto text = ReadFile(std::string(SLUICE_SOURCE_DIR) + "/docs/formats/" + file, 1 << 20);
  EXPECT_TRUE(text.has_value());
  const std::string open = "\n```" + kind + "\n";
  const std::size_t begin = text->find(open) + open.size();
  return text->substr(begin, text->find("\n```", begin) + 1 - begin);
}

TEST(MappingYaml, DocumentedExamplesAreTrue) {
  const auto mapping = Read(Fenced("mapping.md", "yaml"));
  ASSERT_TRUE(mapping.has_value()) << mapping.error().Render();
  EXPECT_EQ(*mapping, Sound());
  EXPECT_EQ(PrintLoopNest(Gemm(), Machine(), *mapping), Fenced("mapping.md", "text"));
  EXPECT_EQ(PrintDirectives(Gemm(), Machine(), *mapping).value(), Fenced("directives.md", "text"));
}

TEST(MappingYaml, UnreadableFileIsAnError) {
  EXPECT_EQ(LoadMapping("/nonexistent/m.yaml", Gemm(), Machine()).error().code,
            ErrorCode::kFileUnreadable);
}

}  // namespace
}  // namespace sluice::io
