#pragma once
/// \file
/// Small text helpers shared by all printers and parsers.

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// The candidate with the smallest edit distance to `word` when that is at most max(1, |word|/3),
/// else empty. Used for every "did you mean".
std::string ClosestMatch(std::string_view word, std::span<const std::string> candidates);

/// Shortest decimal text that parses back to exactly `value` (for JSON, YAML and cost figures).
std::string ShortestDouble(double value);

/// `12.3 M`, `4.09 G`: at most four significant digits with an SI letter, for tables.
std::string HumanCount(double value);
/// `12.3 KiB`
std::string HumanBytes(double bytes);
/// `4.56 uJ` from picojoules
std::string HumanEnergy(double picojoules);

/// For HTML and SVG, in text and in double quotes.
std::string EscapedMarkup(std::string_view text);

/// Levenshtein distance.
int EditDistance(std::string_view a, std::string_view b);

}  // namespace sluice
