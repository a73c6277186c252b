#include "io/yaml/words.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/diagnostic.h"
#include "base/text.h"
#include "io/yaml/yaml.h"

namespace sluice::io {

Diagnostic Word::Error(ErrorCode code, std::string message, std::string hint) const {
  Diagnostic diagnostic = scalar->Error(code, std::move(message), std::move(hint));
  diagnostic.span = span();
  return diagnostic;
}

SourceSpan Word::span() const {
  SourceSpan span = scalar->span();
  const std::size_t begin =
      static_cast<std::size_t>(span.column) - 1 + offset + (scalar->IsQuoted() ? 1 : 0);
  if (span.column > 0 && begin < span.excerpt.size() &&
      span.excerpt.compare(begin, text.size(), text) == 0) {
    span.column = static_cast<int>(begin) + 1;
    span.length = static_cast<int>(std::max<std::size_t>(1, text.size()));
  }
  return span;
}

std::vector<Word> SplitWords(const Cursor& scalar, const std::string& text) {
  constexpr std::string_view kBlank = " \t\r\n";
  std::vector<Word> words;
  for (std::size_t begin = text.find_first_not_of(kBlank); begin != std::string::npos;) {
    const std::size_t end = std::min(text.find_first_of(kBlank, begin), text.size());
    words.push_back({&scalar, begin, text.substr(begin, end - begin)});
    begin = text.find_first_not_of(kBlank, end);
  }
  return words;
}

std::string DidYouMean(const std::string& word, const std::vector<std::string>& names) {
  const std::string closest = word.size() > 200 ? std::string() : ClosestMatch(word, names);
  return closest.empty() ? fmt::format("one of: {}", fmt::join(names, ", "))
                         : fmt::format("did you mean `{}`?", closest);
}

}  // namespace sluice::io
