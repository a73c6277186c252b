#include "io/yaml/units.h"

#include <charconv>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "base/diagnostic.h"

namespace sluice::io {

namespace {

/// Exactly representable integers end at 2^53; beyond it a count of bits would be rounded silently.
constexpr double kMaxCount = 9007199254740992.0;
constexpr double kMaxValue = 1e18;

constexpr double kKi = 1024.0;

struct UnitKind {
  Unit unit;
  const char* what;     ///< for messages
  const char* example;  ///< the usual spelling, for hints
  bool whole;           ///< must come out as an integer
  std::vector<std::string_view> spellings;
  std::vector<double> factors;
};

const std::vector<UnitKind>& Kinds() {
  static const std::vector<UnitKind> kKinds = {
      {Unit::kBits,
       "a size",
       "KiB",
       true,
       {"KiB", "B", "bit", "MiB", "GiB", "TiB", "kB", "MB", "GB", "TB", "kbit", "Mbit"},
       {8 * kKi, 8, 1, 8 * kKi * kKi, 8 * kKi * kKi * kKi, 8 * kKi * kKi * kKi * kKi, 8e3, 8e6, 8e9,
        8e12, 1e3, 1e6}},
      {Unit::kWords, "a number of words", "words", true, {"words", "word"}, {1, 1}},
      {Unit::kHertz, "a frequency", "MHz", false, {"MHz", "GHz", "kHz", "Hz"}, {1e6, 1e9, 1e3, 1}},
      {Unit::kEnergy,
       "an energy",
       "pJ",
       false,
       {"pJ", "fJ", "nJ", "uJ", "mJ", "J"},
       {1, 1e-3, 1e3, 1e6, 1e9, 1e12}},
      {Unit::kEnergyPerBit,
       "an energy per bit",
       "pJ/bit",
       false,
       {"pJ/bit", "fJ/bit", "nJ/bit", "pJ/B"},
       {1, 1e-3, 1e3, 0.125}},
      {Unit::kEnergyPerWord,
       "an energy per word",
       "pJ/word",
       false,
       {"pJ/word", "fJ/word", "nJ/word"},
       {1, 1e-3, 1e3}},
      {Unit::kEnergyPerCycle,
       "an energy per cycle",
       "pJ/cycle",
       false,
       {"pJ/cycle", "fJ/cycle", "nJ/cycle"},
       {1, 1e-3, 1e3}},
      {Unit::kBandwidth,
       "a bandwidth",
       "B/cycle",
       false,
       {"B/cycle", "bit/cycle", "KiB/cycle"},
       {8, 1, 8 * kKi}},
      {Unit::kWordsPerCycle,
       "a bandwidth",
       "words/cycle",
       false,
       {"words/cycle", "word/cycle"},
       {1, 1}},
      {Unit::kBandwidthTime,
       "a bandwidth",
       "GB/s",
       false,
       {"GB/s", "MB/s", "TB/s", "GiB/s", "MiB/s", "Gbit/s"},
       {8e9, 8e6, 8e12, 8 * kKi * kKi * kKi, 8 * kKi * kKi, 1e9}},
      {Unit::kPower, "a power", "mW", false, {"mW", "uW", "nW", "W"}, {1e-3, 1e-6, 1e-9, 1}},
      {Unit::kRate, "a rate", "op/cycle", false, {"op/cycle", "ops/cycle"}, {1, 1}},
  };
  return kKinds;
}

const UnitKind& KindOf(Unit unit) {
  for (const UnitKind& kind : Kinds()) {
    if (kind.unit == unit) {
      return kind;
    }
  }
  SLUICE_CHECK(false, "a unit has no row in the table");
}

std::string ListSpellings(std::span<const Unit> allowed) {
  std::string text;
  for (const Unit unit : allowed) {
    for (const std::string_view spelling : KindOf(unit).spellings) {
      text += (text.empty() ? "" : ", ") + std::string(spelling);
    }
  }
  return text;
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
    text.remove_prefix(1);
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
    text.remove_suffix(1);
  }
  return text;
}

/// User text inside a message: short, so that a hostile megabyte does not flood the terminal.
std::string Shown(std::string_view text) {
  constexpr std::size_t kLongest = 40;
  return std::string(text.substr(0, kLongest)) + (text.size() > kLongest ? "..." : "");
}

/// Why `unit` is not one of the allowed spellings.
Diagnostic UnitError(std::string_view text, std::string_view number, std::string_view unit,
                     std::span<const Unit> allowed) {
  const UnitKind& wanted = KindOf(allowed.front());
  if (unit.empty()) {
    return Diagnostic(ErrorCode::kBadUnit, fmt::format("`{}` has no unit", Shown(text)))
        .WithHint(fmt::format("write `{} {}`; units are {}", Shown(number), wanted.example,
                              ListSpellings(allowed)));
  }
  if (unit == "KB" || unit == "K" || unit == "k") {
    return Diagnostic(ErrorCode::kBadUnit, fmt::format("`{}` is ambiguous", unit))
        .WithHint("write KiB for 1024 bytes or kB for 1000 bytes");
  }
  for (const UnitKind& kind : Kinds()) {
    for (const std::string_view spelling : kind.spellings) {
      if (spelling == unit) {
        return Diagnostic(ErrorCode::kBadUnit,
                          fmt::format("`{}` is {}, not {}", Shown(text), kind.what, wanted.what))
            .WithHint("units are " + ListSpellings(allowed));
      }
    }
  }
  return Diagnostic(ErrorCode::kBadUnit, fmt::format("unknown unit `{}`", Shown(unit)))
      .WithHint("units are " + ListSpellings(allowed));
}

}  // namespace

std::span<const std::string_view> UnitSpellings(Unit unit) {
  return KindOf(unit).spellings;
}

Result<Quantity> ParseQuantity(std::string_view text, std::span<const Unit> allowed) {
  SLUICE_CHECK(!allowed.empty(), "a quantity of no kind");
  text = Trim(text);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto length = static_cast<std::size_t>(end - text.data());
  const std::string example =
      fmt::format("write for example `16 {}`", KindOf(allowed.front()).example);
  if (error == std::errc::result_out_of_range) {
    return Fail(Diagnostic(ErrorCode::kBadValue,
                           fmt::format("the number in `{}` is out of range", Shown(text))));
  }
  // from_chars reads "inf" and "nan" as numbers.
  if (error != std::errc() || !std::isfinite(number)) {
    return Fail(Diagnostic(ErrorCode::kBadValue,
                           fmt::format("`{}` does not start with a finite number", Shown(text)))
                    .WithHint(example));
  }
  const std::string_view unit = Trim(text.substr(length));
  for (const Unit candidate : allowed) {
    const UnitKind& kind = KindOf(candidate);
    for (std::size_t i = 0; i < kind.spellings.size(); ++i) {
      if (kind.spellings[i] != unit) {
        continue;
      }
      const double value = number * kind.factors[i];
      if (std::signbit(number) && number != 0) {
        return Fail(ErrorCode::kBadValue, fmt::format("`{}` is negative", Shown(text)));
      }
      if (!(value <= (kind.whole ? kMaxCount : kMaxValue))) {
        return Fail(ErrorCode::kBadValue, fmt::format("`{}` is too large", Shown(text)));
      }
      if (kind.whole && std::floor(value) != value) {
        return Fail(ErrorCode::kBadValue,
                    fmt::format("`{}` is not a whole number of {}", Shown(text),
                                candidate == Unit::kWords ? "words" : "bits"));
      }
      return Quantity{candidate, std::fabs(value)};
    }
  }
  return Fail(UnitError(text, text.substr(0, length), unit, allowed));
}

std::string QuantityPattern(std::span<const Unit> allowed) {
  std::string units;
  for (const Unit unit : allowed) {
    for (const std::string_view spelling : KindOf(unit).spellings) {
      units += (units.empty() ? "" : "|") + std::string(spelling);
    }
  }
  return "^[0-9]+(\\.[0-9]*)?([eE][+-]?[0-9]+)? *(" + units + ")$";
}

}  // namespace sluice::io
