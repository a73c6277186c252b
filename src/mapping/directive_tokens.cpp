#include "mapping/directive_tokens.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/diagnostic.h"

namespace sluice::mapping {
namespace {

bool IsNameStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsNamePart(char c) {
  return IsNameStart(c) || IsDigit(c) || c == '.';
}

}  // namespace

std::string QuoteName(const std::string& name) {
  const bool keyword = name == "tensor" || name == "stack" || name == "update";
  if (!keyword && !name.empty() && IsNameStart(name[0]) && std::ranges::all_of(name, IsNamePart)) {
    return name;
  }
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '\n') {
      quoted += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') {
      quoted += '\\';
    }
    quoted += c;
  }
  return quoted + '"';
}

Diagnostic DirectiveLexer::Error(ErrorCode code, std::string message, const Token& at) const {
  SourceSpan span;
  span.file = file_;
  span.line = 1;
  std::size_t line_begin = 0;
  for (std::size_t i = 0; i < at.begin; ++i) {
    if (text_[i] == '\n') {
      ++span.line;
      line_begin = i + 1;
    }
  }
  const std::size_t line_end = std::min(text_.find('\n', line_begin), text_.size());
  span.column = static_cast<int>(at.begin - line_begin) + 1;
  span.length = static_cast<int>(std::max<std::size_t>(1, at.length));
  span.excerpt = std::string(text_.substr(line_begin, line_end - line_begin));
  return Diagnostic(code, std::move(message)).At(std::move(span));
}

Result<Token> DirectiveLexer::Next() {
  SkipBlank();
  Token token;
  token.begin = position_;
  if (position_ == text_.size()) {
    return token;
  }
  const char c = text_[position_];
  if (c == '"') {
    return Quoted(std::move(token));
  }
  if (IsNameStart(c)) {
    token.kind = TokenKind::kName;
    while (position_ < text_.size() && IsNamePart(text_[position_])) {
      token.text += text_[position_++];
    }
  } else if (IsDigit(c)) {
    token.kind = TokenKind::kInteger;
    while (position_ < text_.size() && IsDigit(text_[position_])) {
      token.text += text_[position_++];
    }
    const char* end = token.text.data() + token.text.size();
    if (std::from_chars(token.text.data(), end, token.number).ec != std::errc()) {
      token.number = std::numeric_limits<std::int64_t>::max();
    }
  } else if (text_.substr(position_, 2) == "+=") {
    token.kind = TokenKind::kSymbol;
    token.text = "+=";
    position_ += 2;
  } else if (std::string_view(":{}(),=").find(c) != std::string_view::npos) {
    token.kind = TokenKind::kSymbol;
    token.text = c;
    ++position_;
  } else {
    return Fail(Error(ErrorCode::kSyntax, "unexpected character", token)
                    .WithHint("a name with special characters needs double quotes"));
  }
  token.length = position_ - token.begin;
  return token;
}

void DirectiveLexer::SkipBlank() {
  while (position_ < text_.size()) {
    const char c = text_[position_];
    if (c == '#') {
      position_ = std::min(text_.find('\n', position_), text_.size());
    } else if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
      ++position_;
    } else {
      return;
    }
  }
}

Result<Token> DirectiveLexer::Quoted(Token token) {
  token.kind = TokenKind::kName;
  token.quoted = true;
  for (++position_; position_ < text_.size() && text_[position_] != '\n'; ++position_) {
    char c = text_[position_];
    if (c == '"') {
      ++position_;
      token.length = position_ - token.begin;
      return token;
    }
    if (c == '\\' && position_ + 1 < text_.size()) {
      c = text_[++position_];
      c = c == 'n' ? '\n' : c;
    }
    token.text += c;
  }
  token.length = position_ - token.begin;
  return Fail(Error(ErrorCode::kSyntax, "a quoted name does not end on its line", token));
}

}  // namespace sluice::mapping
