#pragma once
/// \file
/// Names and tokens of the directive notation, with positions for errors. Internal to mapping/.
/// Tested by tests/unit/directives_test.cpp.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/diagnostic.h"

namespace sluice::mapping {

/// Bare when it can be, else in quotes with \" \\ and \n.
std::string QuoteName(const std::string& name);

enum class TokenKind : std::uint8_t { kName, kInteger, kSymbol, kEnd };

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string text;         ///< a name without its quotes
  std::int64_t number = 0;  ///< of an integer; the largest int64 when it does not fit
  bool quoted = false;      ///< a quoted name is never a keyword
  std::size_t begin = 0;    ///< offset in the text
  std::size_t length = 1;
};

/// Splits a text into tokens; blanks and `#` comments separate. The text must outlive the lexer.
class DirectiveLexer {
 public:
  DirectiveLexer(std::string_view text, std::string file) : text_(text), file_(std::move(file)) {}

  /// The next token; kEnd at the end, again and again. Errors: kSyntax.
  Result<Token> Next();
  /// A diagnostic that points at a token.
  [[nodiscard]] Diagnostic Error(ErrorCode code, std::string message, const Token& at) const;

 private:
  void SkipBlank();
  Result<Token> Quoted(Token token);

  std::string_view text_;
  std::string file_;
  std::size_t position_ = 0;
};

}  // namespace sluice::mapping
