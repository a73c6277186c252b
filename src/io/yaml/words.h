#pragma once
/// \file
/// Words of a scalar, such as `K=4` in `temporal: K=4 P=7,3`, with their places. Internal to the
/// readers of mappings and constraints.

#include <cstddef>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "io/yaml/yaml.h"

namespace sluice::io {

/// A part of a scalar: a diagnostic there points at the part when the scalar is on one line.
struct Word {
  const Cursor* scalar;    ///< must outlive the word
  std::size_t offset = 0;  ///< in the scalar's text
  std::string text;

  [[nodiscard]] Diagnostic Error(ErrorCode code, std::string message, std::string hint = {}) const;
  [[nodiscard]] SourceSpan span() const;
};

/// `text`, the value of `scalar`, at its blanks.
std::vector<Word> SplitWords(const Cursor& scalar, const std::string& text);

/// ``did you mean `x`?``, or the list of names.
std::string DidYouMean(const std::string& word, const std::vector<std::string>& names);

}  // namespace sluice::io
