/// \file
/// Text helpers. Numbers never depend on the locale: fmt and std::to_chars only.
/// Tested by tests/unit/text_test.cpp.

#include "base/text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace sluice {

namespace {

/// Words longer than this are never close to anything; it also bounds the quadratic distance.
constexpr std::size_t kLongestWord = 64;

/// At most four significant digits, no exponent for the range that the callers leave (1 to 1000).
std::string FourDigits(double value) {
  const double magnitude = std::fabs(value);
  const int decimals = magnitude >= 1000 ? 0 : magnitude >= 100 ? 1 : magnitude >= 10 ? 2 : 3;
  std::string text = fmt::format("{:.{}f}", value, decimals);
  if (text.find('.') != std::string::npos) {
    text.erase(text.find_last_not_of('0') + 1U);
    if (text.back() == '.') {
      text.pop_back();
    }
  }
  return text;
}

/// `value` scaled by powers of `base` into the best of `units`; units[first] is the unscaled one.
std::string Scaled(double value, double base, std::span<const std::string_view> units,
                   std::size_t first) {
  if (!std::isfinite(value)) {
    return fmt::format("{}", value);
  }
  std::size_t i = first;
  double scaled = value;
  // 999.95 would print as 1000: it belongs to the next unit.
  while (std::fabs(scaled) >= base * 0.99995 && i + 1 < units.size()) {
    scaled /= base;
    ++i;
  }
  while (scaled != 0 && std::fabs(scaled) < 0.99995 && i > 0) {
    scaled *= base;
    --i;
  }
  if (scaled != 0 && (std::fabs(scaled) < 0.001 || std::fabs(scaled) >= 1e6)) {
    return fmt::format("{:.3e}{}{}", scaled, units[i].empty() ? "" : " ", units[i]);
  }
  return fmt::format("{}{}{}", FourDigits(scaled), units[i].empty() ? "" : " ", units[i]);
}

}  // namespace

std::string EscapedMarkup(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '&':
        result += "&amp;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

int EditDistance(std::string_view a, std::string_view b) {
  std::vector<int> row(b.size() + 1U);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 0; i < a.size(); ++i) {
    int diagonal = row[0];
    row[0] = static_cast<int>(i) + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const int substitute = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({substitute, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

std::string ClosestMatch(std::string_view word, std::span<const std::string> candidates) {
  if (word.size() > kLongestWord) {
    return {};
  }
  std::string best;
  int best_distance = std::max(1, static_cast<int>(word.size()) / 3) + 1;
  for (const std::string& candidate : candidates) {
    // The distance is at least the difference of the lengths.
    const std::size_t longer = std::max(candidate.size(), word.size());
    const std::size_t shorter = std::min(candidate.size(), word.size());
    if (candidate.size() > kLongestWord ||
        longer - shorter >= static_cast<std::size_t>(best_distance)) {
      continue;
    }
    const int distance = EditDistance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::string ShortestDouble(double value) {
  return fmt::format("{}", value);
}

std::string HumanCount(double value) {
  static constexpr std::array<std::string_view, 7> kUnits = {"", "k", "M", "G", "T", "P", "E"};
  return Scaled(value, 1000, kUnits, 0);
}

std::string HumanBytes(double bytes) {
  static constexpr std::array<std::string_view, 6> kUnits = {"B",   "KiB", "MiB",
                                                             "GiB", "TiB", "PiB"};
  return Scaled(bytes, 1024, kUnits, 0);
}

std::string HumanEnergy(double picojoules) {
  static constexpr std::array<std::string_view, 7> kUnits = {"fJ", "pJ", "nJ", "uJ",
                                                             "mJ", "J",  "kJ"};
  return Scaled(picojoules, 1000, kUnits, 1);
}

}  // namespace sluice
