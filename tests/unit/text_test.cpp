// Text helpers and the content hash.

#include "base/text.h"

#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/hash.h"
#include "base/rng.h"

namespace sluice {
namespace {

TEST(EditDistance, CountsInsertionsDeletionsAndSubstitutions) {
  EXPECT_EQ(EditDistance("", ""), 0);
  EXPECT_EQ(EditDistance("abc", ""), 3);
  EXPECT_EQ(EditDistance("", "abc"), 3);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3);
  EXPECT_EQ(EditDistance("size", "sise"), 1);
  EXPECT_EQ(EditDistance("abc", "abc"), 0);
}

TEST(ClosestMatch, IsEmptyWhenNothingIsClose) {
  const std::vector<std::string> names = {"size", "word", "read_bandwidth", "leakage"};
  EXPECT_EQ(ClosestMatch("sise", names), "size");
  EXPECT_EQ(ClosestMatch("read-bandwith", names), "read_bandwidth");
  EXPECT_EQ(ClosestMatch("banana", names), "");
  EXPECT_EQ(ClosestMatch("w", names), "");
  EXPECT_EQ(ClosestMatch("", names), "");
  EXPECT_EQ(ClosestMatch(std::string(1U << 20U, 'x'), names), "");  // no quadratic work
}

TEST(ClosestMatch, PrefersTheFirstOfEquallyClose) {
  const std::vector<std::string> names = {"abd", "abe"};
  EXPECT_EQ(ClosestMatch("abc", names), "abd");
}

TEST(ShortestDouble, ParsesBackToTheSameBits) {
  Rng rng(1);
  for (int i = 0; i < 10000; ++i) {
    const double value = std::ldexp(rng.Uniform() - 0.5, static_cast<int>(rng.Between(-300, 300)));
    EXPECT_EQ(std::strtod(ShortestDouble(value).c_str(), nullptr), value);
  }
  EXPECT_EQ(ShortestDouble(0.1), "0.1");
  EXPECT_EQ(ShortestDouble(3), "3");
}

struct Human {
  double value;
  const char* count;
  const char* bytes;
  const char* energy;
};

TEST(Human, HasAtMostFourDigitsAndAUnit) {
  const std::array<Human, 9> cases = {{
      {0, "0", "0 B", "0 pJ"},
      {1, "1", "1 B", "1 pJ"},
      {999, "999", "999 B", "999 pJ"},
      {1000, "1 k", "1000 B", "1 nJ"},
      {999960, "1 M", "976.5 KiB", "1 uJ"},
      {12345678, "12.35 M", "11.77 MiB", "12.35 uJ"},
      {4.0896e9, "4.09 G", "3.809 GiB", "4.09 mJ"},
      {0.25, "0.25", "0.25 B", "250 fJ"},
      {1536, "1.536 k", "1.5 KiB", "1.536 nJ"},
  }};
  for (const Human& c : cases) {
    EXPECT_EQ(HumanCount(c.value), c.count) << c.value;
    EXPECT_EQ(HumanBytes(c.value), c.bytes) << c.value;
    EXPECT_EQ(HumanEnergy(c.value), c.energy) << c.value;
  }
}

TEST(Human, SurvivesExtremes) {
  for (const double value : {1e300, 1e-300, -12345.0, std::numeric_limits<double>::infinity(),
                             std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_FALSE(HumanCount(value).empty());
    EXPECT_LT(HumanCount(value).size(), 20U);
    EXPECT_LT(HumanBytes(value).size(), 20U);
    EXPECT_LT(HumanEnergy(value).size(), 20U);
  }
}

TEST(ContentHash, IsXxh3WithItsPublishedValueForTheEmptyInput) {
  // The test vector of the reference implementation for length 0, seed 0.
  EXPECT_EQ(ContentHash(""), "99aa06d3014798d86001c324468d497f");
  EXPECT_EQ(ContentHash("a").size(), 32U);
  EXPECT_NE(ContentHash("a"), ContentHash("b"));
  EXPECT_EQ(ContentHash(std::string(1000, 'x')), ContentHash(std::string(1000, 'x')));
}

}  // namespace
}  // namespace sluice
