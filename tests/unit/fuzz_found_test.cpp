// What fuzzing found, one named case each, with the smallest input that showed it. The corpora that
// the fuzzers keep are replayed by tests/fuzz/replay_test.cpp.

#include <string>

#include <gtest/gtest.h>

#include "base/diagnostic.h"

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

}  // namespace
}  // namespace sluice
