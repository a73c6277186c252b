/// \file
/// Rendering of diagnostics in the manner of ninja and clang:
///
///     arch.yaml:7:3: error E1202: unknown key `sise`
///       sise: 108 KiB
///       ^~~~
///     in root.below[0].memory
///     note: ...
///     hint: did you mean `size`?
///
/// Columns are byte columns; the caret line counts characters, so that text before the caret in
/// another script does not shift it. Long lines are cut to a window around the caret, control
/// characters are blanked: a hostile file cannot drive the terminal. Tested by
/// tests/unit/diagnostic_test.cpp.

#include "base/diagnostic.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace sluice {

namespace {

constexpr std::size_t kWindow = 100;  ///< bytes of a source line that are shown

bool IsContinuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

/// Characters (UTF-8 code points) of `text`; malformed bytes count as one each.
std::size_t Characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return !IsContinuation(c); }));
}

std::string Printable(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    const auto u = static_cast<unsigned char>(c);
    if (u < 0x20U || u == 0x7FU) {
      c = ' ';
    }
  }
  return out;
}

void AppendExcerpt(std::string& out, const SourceSpan& span) {
  const std::string_view line = span.excerpt;
  std::size_t column = span.column > 0 ? static_cast<std::size_t>(span.column) - 1U : 0U;
  column = std::min(column, line.size());
  std::size_t begin = 0;
  if (line.size() > kWindow && column > kWindow / 2) {
    begin = std::min(column - kWindow / 2, line.size() - kWindow);
  }
  std::size_t end = std::min(line.size(), begin + kWindow);
  // Whole characters only. A character has at most three continuation bytes; a longer run is no
  // text and may be cut anywhere.
  for (int i = 0; i < 3 && begin > 0 && IsContinuation(line[begin]); ++i) {
    --begin;
  }
  for (int i = 0; i < 3 && end < line.size() && IsContinuation(line[end]); ++i) {
    ++end;
  }
  const std::string_view shown = line.substr(begin, end - begin);
  const std::string head = begin > 0 ? "..." : "";
  out += fmt::format("  {}{}{}\n", head, Printable(shown), end < line.size() ? "..." : "");
  if (span.column <= 0) {
    return;
  }
  const std::size_t pad = head.size() + Characters(shown.substr(0, column - begin));
  const std::size_t rest = Characters(shown.substr(column - begin));
  const auto wanted = static_cast<std::size_t>(std::max(span.length, 1));
  const std::size_t length = std::max<std::size_t>(1, std::min(wanted, rest));
  out += fmt::format("  {:{}}^{:~<{}}\n", "", pad, "", length - 1U);
}

}  // namespace

Diagnostic&& Diagnostic::WithHint(std::string h) && {
  hint = std::move(h);
  return std::move(*this);
}

Diagnostic&& Diagnostic::WithNote(std::string n) && {
  notes.push_back(std::move(n));
  return std::move(*this);
}

Diagnostic&& Diagnostic::WithPath(std::string p) && {
  path = std::move(p);
  return std::move(*this);
}

Diagnostic&& Diagnostic::At(SourceSpan s) && {
  span = std::move(s);
  return std::move(*this);
}

std::string Diagnostic::CodeName() const {
  return fmt::format("E{:04}", static_cast<unsigned>(code));
}

std::string Diagnostic::Render() const {
  std::string out;
  if (!span.file.empty()) {
    out += Printable(span.file);
    if (span.line > 0) {
      out += fmt::format(":{}", span.line);
      if (span.column > 0) {
        out += fmt::format(":{}", span.column);
      }
    }
    out += ": ";
  }
  out += fmt::format("error {}: {}\n", CodeName(), Printable(message));
  if (span.line > 0 && !span.excerpt.empty()) {
    AppendExcerpt(out, span);
  }
  if (!path.empty()) {
    out += fmt::format("in {}\n", Printable(path));
  }
  for (const std::string& note : notes) {
    out += fmt::format("note: {}\n", Printable(note));
  }
  if (!hint.empty()) {
    out += fmt::format("hint: {}\n", Printable(hint));
  }
  return out;
}

void CheckFailed(const char* expression, const char* file, int line, const std::string& detail) {
  throw InternalError(
      fmt::format("internal error at {}:{}: `{}` is false: {}", file, line, expression, detail));
}

}  // namespace sluice
