// How errors look, and that the table of codes is complete.

#include "base/diagnostic.h"

#include <cstdlib>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "base/file.h"

namespace sluice {
namespace {

SourceSpan Span(int line, int column, int length, std::string excerpt) {
  return {.file = "arch.yaml",
          .line = line,
          .column = column,
          .length = length,
          .excerpt = std::move(excerpt)};
}

TEST(Diagnostic, RendersPlaceSourceCaretNotesAndHint) {
  const Diagnostic d = Diagnostic(ErrorCode::kUnknownKey, "unknown key `sise`")
                           .WithHint("did you mean `size`?")
                           .WithNote("the memory is `GLB`")
                           .WithPath("memory.below[0].memory")
                           .At(Span(7, 3, 4, "  sise: 108 KiB"));
  EXPECT_EQ(d.Render(),
            "arch.yaml:7:3: error E1202: unknown key `sise`\n"
            "    sise: 108 KiB\n"
            "    ^~~~\n"
            "in memory.below[0].memory\n"
            "note: the memory is `GLB`\n"
            "hint: did you mean `size`?\n");
}

TEST(Diagnostic, RendersWithoutAPlace) {
  EXPECT_EQ(Diagnostic(ErrorCode::kUsage, "no model given").Render(),
            "error E1101: no model given\n");
  EXPECT_EQ(Diagnostic(ErrorCode::kFileUnreadable, "cannot read it")
                .At({.file = "x.onnx", .excerpt = {}})
                .Render(),
            "x.onnx: error E1001: cannot read it\n");
}

TEST(Diagnostic, CaretCountsCharactersNotBytes) {
  const Diagnostic d =
      Diagnostic(ErrorCode::kSyntax, "bad").At(Span(1, 7, 2, "\xC3\xA4\xC3\xB6: [x"));
  EXPECT_EQ(d.Render(), "arch.yaml:1:7: error E1201: bad\n  \xC3\xA4\xC3\xB6: [x\n      ^~\n");
}

TEST(Diagnostic, UnderlineEndsWithTheLine) {
  const Diagnostic d = Diagnostic(ErrorCode::kSyntax, "bad").At(Span(1, 3, 100, "a: b"));
  EXPECT_NE(d.Render().find("\n    ^~\n"), std::string::npos) << d.Render();
}

TEST(Diagnostic, LongLinesShowAWindowAroundTheCaret) {
  std::string line(5000, 'x');
  line[3000] = 'Y';
  const std::string text =
      Diagnostic(ErrorCode::kSyntax, "bad").At(Span(1, 3001, 1, line)).Render();
  EXPECT_LT(text.size(), 300U);
  const std::size_t y = text.find('Y');
  const std::size_t caret = text.find('^');
  ASSERT_NE(y, std::string::npos);
  ASSERT_NE(caret, std::string::npos);
  const auto column = [&](std::size_t at) { return at - text.rfind('\n', at); };
  EXPECT_EQ(column(y), column(caret)) << text;
}

TEST(Diagnostic, HostileTextCannotDriveTheTerminal) {
  const std::string text = Diagnostic(ErrorCode::kSyntax, "bad \x1B[31m\n")
                               .WithHint("\x07")
                               .WithNote("\x1B]0;x")
                               .WithPath("a\rb")
                               .At(Span(1, 2, 1, "\x1B[2J\t\x7F"))
                               .Render();
  for (const char c : text) {
    EXPECT_TRUE(c == '\n' || (c >= ' ' && c != '\x7F')) << static_cast<int>(c);
  }
}

TEST(Diagnostic, ColumnOutsideTheLineIsHarmless) {
  for (const int column : {0, 1, 5, 1000000}) {
    EXPECT_FALSE(
        Diagnostic(ErrorCode::kSyntax, "bad").At(Span(3, column, 7, "abc")).Render().empty());
  }
}

// A switch without default: the compiler names an enumerator that lacks a case, and the case that
// is added here without a row in the table fails the test below.
bool IsKnown(ErrorCode code) {
  switch (code) {
    case ErrorCode::kFileUnreadable:
    case ErrorCode::kFileUnwritable:
    case ErrorCode::kFileTooLarge:
    case ErrorCode::kProgram:
    case ErrorCode::kUsage:
    case ErrorCode::kUnknownName:
    case ErrorCode::kSyntax:
    case ErrorCode::kUnknownKey:
    case ErrorCode::kDuplicateKey:
    case ErrorCode::kMissingKey:
    case ErrorCode::kWrongType:
    case ErrorCode::kBadValue:
    case ErrorCode::kBadUnit:
    case ErrorCode::kTooDeep:
    case ErrorCode::kVersion:
    case ErrorCode::kOnnxMalformed:
    case ErrorCode::kOnnxUnsupportedOp:
    case ErrorCode::kOnnxUnsupportedOpset:
    case ErrorCode::kOnnxMissingTensor:
    case ErrorCode::kOnnxCycle:
    case ErrorCode::kOnnxShape:
    case ErrorCode::kOnnxDynamicDim:
    case ErrorCode::kOnnxOverflow:
    case ErrorCode::kOnnxControlFlow:
    case ErrorCode::kArchInvalid:
    case ErrorCode::kMappingInvalid:
    case ErrorCode::kMappingCoverage:
    case ErrorCode::kMappingCapacity:
    case ErrorCode::kMappingFanOut:
    case ErrorCode::kNoValidMapping:
    case ErrorCode::kPlanMismatch:
    case ErrorCode::kConstraints:
    case ErrorCode::kOperatorInvalid:
      return true;
  }
  return false;
}

TEST(ErrorCodes, TableListsEveryEnumeratorOnceInAscendingOrder) {
  std::set<int> listed;
  int previous = 0;
  for (const ErrorCodeInfo& info : AllErrorCodes()) {
    EXPECT_TRUE(IsKnown(info.code)) << info.name;
    EXPECT_GT(static_cast<int>(info.code), previous) << info.name;
    previous = static_cast<int>(info.code);
    listed.insert(previous);
    EXPECT_FALSE(info.name.empty());
    EXPECT_TRUE(info.explanation.ends_with('.')) << info.name;
  }
  for (int code = 0; code < 3000; ++code) {
    EXPECT_EQ(IsKnown(static_cast<ErrorCode>(code)), listed.contains(code)) << code;
  }
}

/// The head of docs/errors.md, from the table. SLUICE_UPDATE=1 in the environment rewrites it. What
/// follows, an example for each code, belongs to tests/docs/error_page_test.py.
std::string ErrorPage() {
  std::string page =
      "# Error codes\n\n"
      "An error message starts with one of these codes; a code never changes its meaning. Exit "
      "status: 1\n"
      "when nothing valid fits (E1503, E1505), else 2.\n\n"
      "| code | name | meaning |\n|---|---|---|\n";
  for (const ErrorCodeInfo& info : AllErrorCodes()) {
    page += "| " + Diagnostic(info.code, "").CodeName() + " | " + std::string(info.name) + " | " +
            std::string(info.explanation) + " |\n";
  }
  return page;
}

TEST(ErrorCodes, DocumentationHasTheTable) {
  const std::string path = std::string(SLUICE_SOURCE_DIR) + "/docs/errors.md";
  const std::string page = ReadFile(path, 1 << 20).value_or("");
  const std::size_t examples = page.find("\n## Examples\n");
  ASSERT_NE(examples, std::string::npos);
  if (std::getenv("SLUICE_UPDATE") != nullptr) {
    ASSERT_TRUE(WriteFileAtomic(path, ErrorPage() + page.substr(examples)));
    return;
  }
  EXPECT_EQ(page.substr(0, examples), ErrorPage()) << "rerun with SLUICE_UPDATE=1";
}

TEST(Check, ThrowsAnInternalErrorThatNamesTheExpression) {
  try {
    SLUICE_CHECK(1 + 1 == 3, "arithmetic");
    FAIL();
  } catch (const InternalError& error) {
    EXPECT_NE(std::string(error.what()).find("1 + 1 == 3"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("arithmetic"), std::string::npos);
  }
}

Result<int> Half(int n) {
  if (n % 2 != 0) {
    return Fail(ErrorCode::kBadValue, "odd");
  }
  return n / 2;
}
Result<int> Quarter(int n) {
  SLUICE_TRY(const int half, Half(n));
  return Half(half);
}

TEST(Try, ReturnsTheErrorOrTheValue) {
  EXPECT_EQ(Quarter(8).value(), 2);
  EXPECT_EQ(Quarter(7).error().message, "odd");
  EXPECT_EQ(Quarter(6).error().CodeName(), "E1206");
}

}  // namespace
}  // namespace sluice
