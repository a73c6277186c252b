#include "fuzz/targets.h"

#include <algorithm>
#include <optional>
#include <stdexcept>

#include "testing/nests.h"

namespace sluice::fuzz {
namespace {

/// Line `number` (from 1) of `text`, nullopt beyond the last. A text that ends with a newline has
/// one more, empty line: errors about its end stand there.
std::optional<std::string_view> LineOf(std::string_view text, int number) {
  for (int line = 1; line < number; ++line) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) {
      return std::nullopt;
    }
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find('\n'));
}

Context MakeSmallConvolution() {
  Context context;
  context.workload =
      testing::MakeNest({{"N", 2}, {"K", 6}, {"C", 4}, {"P", 7}, {"Q", 5}, {"R", 3}, {"S", 3}},
                        {{"Input", {"N", "C", "2P+R", "Q+S"}},
                         {"w \"1\"", {"K", "C", "R", "S"}},
                         {"Output", {"N", "K", "P", "Q"}}});
  context.chain =
      testing::MakeChain(testing::MakeMapping(context.workload, {"x:K=4 y:C=4", "x:P=2", ""}));
  context.chain.levels[1].memory.capacity_words = 512;
  context.chain.levels[2].memory.capacity_words = 32;
  context.chain.levels[2].memory.keep[0] = arch::Keep::kNever;
  context.chain.levels[0].fan_out.dims_y = {"C", "R", "N"};
  return context;
}

}  // namespace

void Require(bool condition, const std::string& what) {
  if (!condition) {
    throw std::logic_error(what);
  }
}

void RequireGoodDiagnostic(const Diagnostic& diagnostic, std::string_view text, bool anywhere) {
  const auto& codes = AllErrorCodes();
  Require(std::any_of(codes.begin(), codes.end(),
                      [&](const ErrorCodeInfo& info) { return info.code == diagnostic.code; }),
          "unknown error code " + diagnostic.CodeName());
  const std::string rendered = diagnostic.Render();
  Require(!diagnostic.message.empty(), "an error without a message");
  Require(!rendered.empty() && rendered.back() == '\n', "an error that does not end its line");
  const SourceSpan& span = diagnostic.span;
  if (anywhere && span.line == 0) {
    return;
  }
  Require(span.line >= 1 && span.column >= 1, "an error without a place: " + rendered);
  const auto line = LineOf(text, span.line);
  Require(line.has_value(), "an error below the last line: " + rendered);
  // One past the end is where something is missing.
  Require(static_cast<std::size_t>(span.column) <= line->size() + 1,
          "an error beyond the end of its line: " + rendered);
}

const Context& SmallConvolution() {
  static const Context context = MakeSmallConvolution();
  return context;
}

}  // namespace sluice::fuzz
