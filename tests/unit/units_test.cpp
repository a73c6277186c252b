// Quantities: every unit, every way to get one wrong.

#include "io/yaml/units.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <regex.h>

namespace sluice::io {
namespace {

// POSIX extended expressions: std::regex raises warnings of its own under the sanitizers.
bool Matches(const std::string& pattern, const char* text) {
  regex_t compiled = {};
  EXPECT_EQ(::regcomp(&compiled, pattern.c_str(), REG_EXTENDED | REG_NOSUB), 0) << pattern;
  const bool matches = ::regexec(&compiled, text, 0, nullptr, 0) == 0;
  ::regfree(&compiled);
  return matches;
}

struct Good {
  const char* text;
  Unit unit;
  double value;
};

class GoodQuantity : public testing::TestWithParam<Good> {};

TEST_P(GoodQuantity, IsConverted) {
  const Good& c = GetParam();
  const Unit allowed[] = {c.unit};
  const auto quantity = ParseQuantity(c.text, allowed);
  ASSERT_TRUE(quantity) << quantity.error().Render();
  EXPECT_EQ(quantity->unit, c.unit);
  EXPECT_DOUBLE_EQ(quantity->value, c.value);
  // The schema accepts what the reader accepts.
  EXPECT_TRUE(Matches(QuantityPattern(allowed), c.text)) << c.text;
}

INSTANTIATE_TEST_SUITE_P(
    Units, GoodQuantity,
    testing::Values(Good{"16 bit", Unit::kBits, 16}, Good{"16bit", Unit::kBits, 16},
                    Good{"512 B", Unit::kBits, 4096}, Good{"108 KiB", Unit::kBits, 884736},
                    Good{"1.5 KiB", Unit::kBits, 12288}, Good{"108 kB", Unit::kBits, 864000},
                    Good{"8 MiB", Unit::kBits, 67108864}, Good{"1 GiB", Unit::kBits, 8589934592.0},
                    Good{"0 B", Unit::kBits, 0}, Good{"27 words", Unit::kWords, 27},
                    Good{"1 word", Unit::kWords, 1}, Good{"200 MHz", Unit::kHertz, 2e8},
                    Good{"1.8 GHz", Unit::kHertz, 1.8e9}, Good{"1e3 kHz", Unit::kHertz, 1e6},
                    Good{"1.2 pJ", Unit::kEnergy, 1.2}, Good{"200 fJ", Unit::kEnergy, 0.2},
                    Good{"3 nJ", Unit::kEnergy, 3000}, Good{"1.2 pJ/bit", Unit::kEnergyPerBit, 1.2},
                    Good{"8 pJ/B", Unit::kEnergyPerBit, 1},
                    Good{"2 pJ/word", Unit::kEnergyPerWord, 2},
                    Good{"0.3 pJ/cycle", Unit::kEnergyPerCycle, 0.3},
                    Good{"64 B/cycle", Unit::kBandwidth, 512},
                    Good{"16 bit/cycle", Unit::kBandwidth, 16},
                    Good{"16 words/cycle", Unit::kWordsPerCycle, 16},
                    Good{"25.6 GB/s", Unit::kBandwidthTime, 204.8e9},
                    Good{"1 mW", Unit::kPower, 1e-3}, Good{"0.25 op/cycle", Unit::kRate, 0.25}));

struct Bad {
  const char* text;
  std::vector<Unit> allowed;
  ErrorCode code;
  const char* message;  ///< part of it
  const char* hint;     ///< part of it
};

class BadQuantity : public testing::TestWithParam<Bad> {};

TEST_P(BadQuantity, IsRefusedWithAHint) {
  const Bad& c = GetParam();
  const auto quantity = ParseQuantity(c.text, c.allowed);
  ASSERT_FALSE(quantity) << quantity->value;
  EXPECT_EQ(quantity.error().code, c.code) << quantity.error().Render();
  EXPECT_NE(quantity.error().message.find(c.message), std::string::npos)
      << quantity.error().message;
  EXPECT_NE(quantity.error().hint.find(c.hint), std::string::npos) << quantity.error().hint;
}

INSTANTIATE_TEST_SUITE_P(
    Units, BadQuantity,
    testing::Values(
        Bad{"108", {Unit::kBits}, ErrorCode::kBadUnit, "`108` has no unit", "write `108 KiB`"},
        Bad{"108 KB", {Unit::kBits}, ErrorCode::kBadUnit, "`KB` is ambiguous", "KiB for 1024"},
        Bad{"108 kib", {Unit::kBits}, ErrorCode::kBadUnit, "unknown unit `kib`", "KiB"},
        Bad{"108 MHz", {Unit::kBits}, ErrorCode::kBadUnit, "is a frequency, not a size", "KiB"},
        Bad{"3 pJ", {Unit::kEnergyPerBit}, ErrorCode::kBadUnit, "is an energy", "pJ/bit"},
        Bad{"KiB", {Unit::kBits}, ErrorCode::kBadValue, "finite number", "16 KiB"},
        Bad{"", {Unit::kBits}, ErrorCode::kBadValue, "finite number", ""},
        Bad{"nan KiB", {Unit::kBits}, ErrorCode::kBadValue, "finite number", ""},
        Bad{"inf KiB", {Unit::kBits}, ErrorCode::kBadValue, "finite number", ""},
        Bad{"-inf pJ", {Unit::kEnergy}, ErrorCode::kBadValue, "finite number", ""},
        Bad{"-1 KiB", {Unit::kBits}, ErrorCode::kBadValue, "negative", ""},
        Bad{"-0.5 pJ", {Unit::kEnergy}, ErrorCode::kBadValue, "negative", ""},
        Bad{"1e400 pJ", {Unit::kEnergy}, ErrorCode::kBadValue, "out of range", ""},
        Bad{"1e300 pJ", {Unit::kEnergy}, ErrorCode::kBadValue, "too large", ""},
        Bad{"9000000 TiB", {Unit::kBits}, ErrorCode::kBadValue, "too large", ""},
        Bad{"1.5 bit", {Unit::kBits}, ErrorCode::kBadValue, "whole number of bits", ""},
        Bad{"0.5 words", {Unit::kWords}, ErrorCode::kBadValue, "whole number of words", ""},
        Bad{"0x10 KiB", {Unit::kBits}, ErrorCode::kBadUnit, "unknown unit", ""},
        Bad{"1,5 KiB", {Unit::kBits}, ErrorCode::kBadUnit, "unknown unit", ""},
        Bad{"16 KiB extra", {Unit::kBits}, ErrorCode::kBadUnit, "unknown unit", ""}));

TEST(Units, LongTextIsCutInMessages) {
  const Unit allowed[] = {Unit::kBits};
  const auto quantity = ParseQuantity("1 " + std::string(100000, 'x'), allowed);
  ASSERT_FALSE(quantity);
  EXPECT_LT(quantity.error().Render().size(), 400U);
}

TEST(Units, SchemaPatternRefusesWhatTheReaderRefuses) {
  const Unit allowed[] = {Unit::kBits};
  const std::string pattern = QuantityPattern(allowed);
  for (const char* text : {"108", "108 KB", "nan KiB", "-1 KiB", "KiB", "16 KiB extra"}) {
    EXPECT_FALSE(Matches(pattern, text)) << text;
  }
}

}  // namespace
}  // namespace sluice::io
