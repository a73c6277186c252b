#pragma once
/// \file
/// Tokens of MAESTRO's text files, with positions for errors. Internal to io/maestro.
/// Blanks and the signs `, : ; ( )` separate words and mean nothing; `//` (and `#`) begin a
/// comment.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"

namespace sluice::io {

struct MaestroToken {
  std::string_view text;  ///< a word, `{`, `}`, or empty at the end
  int line = 1;
  int column = 1;
  [[nodiscard]] bool end() const { return text.empty(); }
};

/// A text as tokens; the last is the end. The text must outlive them.
class MaestroTokens {
 public:
  /// Errors: kSyntax for a character that is in no word.
  static Result<MaestroTokens> Split(std::string_view text, std::string file);

  [[nodiscard]] const MaestroToken& Peek() const { return tokens_[next_]; }
  /// The next token; the end again and again.
  MaestroToken Take();
  /// Whether the next token is `text`; takes it if so.
  bool TakeIf(std::string_view text);
  /// Errors: kSyntax saying what was expected.
  Status Expect(std::string_view text, std::string_view where);
  /// A word for a name. Errors: kSyntax.
  Result<MaestroToken> Name(std::string_view what);
  /// A non-negative integer up to 2^31 - 1. Errors: kSyntax, kBadValue.
  [[nodiscard]] Result<std::int64_t> Integer(const MaestroToken& token) const;

  /// A diagnostic that points at a token.
  [[nodiscard]] Diagnostic Error(ErrorCode code, std::string message, const MaestroToken& at) const;

 private:
  MaestroTokens(std::string_view text, std::string file) : text_(text), file_(std::move(file)) {}

  std::string_view text_;
  std::string file_;
  std::vector<MaestroToken> tokens_;
  std::size_t next_ = 0;
};

}  // namespace sluice::io
