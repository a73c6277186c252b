#include "io/maestro/tokens.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "base/diagnostic.h"

namespace sluice::io {
namespace {

bool IsWordPart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '\'' || c == '/' || c == '+';
}

bool IsSeparator(char c) {
  return std::string_view(" \t\r\n,:;()").find(c) != std::string_view::npos;
}

}  // namespace

Result<MaestroTokens> MaestroTokens::Split(std::string_view text, std::string file) {
  MaestroTokens tokens(text, std::move(file));
  int line = 1;
  std::size_t line_begin = 0;
  std::size_t i = 0;
  const auto token = [&](std::size_t length) {
    return MaestroToken{text.substr(i, length), line, static_cast<int>(i - line_begin) + 1};
  };
  while (i < text.size()) {
    const char c = text[i];
    if (c == '#' || text.substr(i, 2) == "//") {
      i = std::min(text.find('\n', i), text.size());
    } else if (c == '\n') {
      ++line;
      line_begin = ++i;
    } else if (IsSeparator(c)) {
      ++i;
    } else if (c == '{' || c == '}') {
      tokens.tokens_.push_back(token(1));
      ++i;
    } else if (IsWordPart(c)) {
      std::size_t length = 1;
      while (i + length < text.size() && IsWordPart(text[i + length]) &&
             text.substr(i + length, 2) != "//") {
        ++length;
      }
      tokens.tokens_.push_back(token(length));
      i += length;
    } else {
      return Fail(tokens.Error(ErrorCode::kSyntax, "unexpected character", token(1))
                      .WithHint(c == '-' ? "sizes are positive whole numbers or Sz(dim)"
                                         : "names are letters, digits, _ and ."));
    }
  }
  tokens.tokens_.push_back({std::string_view(), line, static_cast<int>(i - line_begin) + 1});
  return tokens;
}

MaestroToken MaestroTokens::Take() {
  const MaestroToken token = tokens_[next_];
  if (!token.end()) {
    ++next_;
  }
  return token;
}

bool MaestroTokens::TakeIf(std::string_view text) {
  if (Peek().text != text || Peek().end()) {
    return false;
  }
  ++next_;
  return true;
}

Status MaestroTokens::Expect(std::string_view text, std::string_view where) {
  if (TakeIf(text)) {
    return {};
  }
  const MaestroToken& at = Peek();
  return Fail(Error(ErrorCode::kSyntax,
                    fmt::format("expected `{}` {}, found {}", text, where,
                                at.end() ? "the end" : fmt::format("`{}`", at.text)),
                    at));
}

Result<MaestroToken> MaestroTokens::Name(std::string_view what) {
  const MaestroToken token = Peek();
  if (token.end() || token.text == "{" || token.text == "}") {
    return Fail(Error(ErrorCode::kSyntax, fmt::format("expected {}", what), token));
  }
  return Take();
}

Result<std::int64_t> MaestroTokens::Integer(const MaestroToken& token) const {
  std::int64_t value = 0;
  const std::string text(token.text);
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  const bool too_large =
      error == std::errc::result_out_of_range || value > std::numeric_limits<std::int32_t>::max();
  if (!token.end() && rest == end && too_large) {
    return Fail(Error(ErrorCode::kBadValue, "the number is too large", token)
                    .WithHint("at most 2147483647"));
  }
  if (token.end() || error != std::errc() || rest != end) {
    return Fail(Error(ErrorCode::kSyntax, "expected a whole number", token));
  }
  return value;
}

Diagnostic MaestroTokens::Error(ErrorCode code, std::string message, const MaestroToken& at) const {
  SourceSpan span;
  span.file = file_;
  span.line = at.line;
  span.column = at.column;
  span.length = static_cast<int>(std::max<std::size_t>(1, at.text.size()));
  std::size_t begin = 0;
  for (int line = 1; line < at.line; ++line) {
    begin = text_.find('\n', begin) + 1;
  }
  const std::size_t end = std::min(text_.find('\n', begin), text_.size());
  span.excerpt = std::string(text_.substr(begin, end - begin));
  return Diagnostic(code, std::move(message)).At(std::move(span));
}

}  // namespace sluice::io
