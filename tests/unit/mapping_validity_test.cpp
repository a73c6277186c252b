/// The generators promise mappings that are valid up to capacity; the quick check and the
/// explaining check promise one verdict. Both promises are tested on thousands of cases, sound and
/// broken.

#include <algorithm>
#include <array>

#include <gtest/gtest.h>

#include "mapping/validity.h"
#include "testing/generators.h"

namespace sluice::testing {
namespace {

using mapping::CheckMapping;
using mapping::FitsQuickly;
using mapping::Mapping;
using mapping::Violation;
using mapping::Workload;

/// One random change that may or may not break the mapping.
void Mutate(const Workload& workload, Mapping& mapping, Rng& rng) {
  mapping::LevelMapping& level =
      mapping.levels[rng.Below(static_cast<std::uint32_t>(mapping.levels.size()))];
  const std::array<mapping::LoopList*, 3> lists = {&level.temporal, &level.spatial_x,
                                                   &level.spatial_y};
  mapping::LoopList& list = *lists[rng.Below(3)];
  const auto dim = static_cast<int>(rng.Below(static_cast<std::uint32_t>(workload.dims()) + 2)) - 1;
  switch (rng.Below(7)) {
    case 0:
      level.keep ^= 1U << rng.Below(static_cast<std::uint32_t>(workload.tensors.size()));
      return;
    case 1:
      if (!list.full()) {
        list.push_back({dim, static_cast<std::int32_t>(rng.Below(4)), 1});
      }
      return;
    case 2:
      if (!list.full()) {
        list.push_back(mapping::PerfectLoop(dim, std::int64_t{1} << rng.Below(31)));
      }
      return;
    default:
      break;
  }
  if (list.empty()) {
    return;
  }
  mapping::Loop& loop = list[rng.Below(static_cast<std::uint32_t>(list.size()))];
  switch (rng.Below(4)) {
    case 0:
      loop.bound += static_cast<std::int32_t>(rng.Below(3)) - 1;
      break;
    case 1:
      loop.last += static_cast<std::int32_t>(rng.Below(3)) - 1;
      break;
    case 2:
      loop.dim = dim;
      break;
    default:
      list.erase(0);
      break;
  }
}

TEST(MappingValidity, GeneratedMappingsAreValidUpToCapacity) {
  int fitting = 0;
  for (std::uint64_t seed = 0; seed < 4000; ++seed) {
    Rng rng(seed);
    const Workload workload = RandomWorkload(rng);
    const arch::Chain chain = RandomChain(rng);
    const Mapping mapping = RandomMapping(workload, chain, rng, seed % 2 == 1);
    const std::vector<Violation> violations = CheckMapping(workload, chain, mapping);
    for (const Violation& v : violations) {
      ASSERT_EQ(v.code, ErrorCode::kMappingCapacity) << "seed " << seed << ": " << v.message;
      EXPECT_GT(v.words_needed, v.words_available);
    }
    fitting += violations.empty() ? 1 : 0;
  }
  EXPECT_GT(fitting, 1000);
  EXPECT_LT(fitting, 3500);
}

TEST(MappingValidity, QuickCheckHasTheVerdictOfTheExplainingCheck) {
  int valid = 0;
  std::array<int, 5> by_code{};
  for (std::uint64_t seed = 0; seed < 20000; ++seed) {
    Rng rng(seed);
    const Workload workload = RandomWorkload(rng);
    const arch::Chain chain = RandomChain(rng);
    Mapping mapping = RandomMapping(workload, chain, rng, seed % 2 == 1);
    for (std::uint32_t i = rng.Below(3); i > 0; --i) {
      Mutate(workload, mapping, rng);
    }
    const std::vector<Violation> violations = CheckMapping(workload, chain, mapping);
    const auto table = mapping::MakeValidityTable(workload, chain);
    ASSERT_EQ(FitsQuickly(workload, table, mapping), violations.empty())
        << "seed " << seed << ": " << (violations.empty() ? "" : violations[0].message);
    valid += violations.empty() ? 1 : 0;
    for (const Violation& v : violations) {
      EXPECT_FALSE(v.message.empty());
      ++by_code[static_cast<std::size_t>(v.code) - 1501];
    }
  }
  EXPECT_GT(valid, 3000);
  EXPECT_GT(by_code[0], 500);  // lists and keep rules
  EXPECT_GT(by_code[1], 500);  // coverage
  EXPECT_GT(by_code[2], 500);  // capacity
  EXPECT_GT(by_code[3], 100);  // fan-out
}

TEST(MappingValidity, LeastDemandingMappingIsValidWheneverAnyIs) {
  int none = 0;
  for (std::uint64_t seed = 0; seed < 4000; ++seed) {
    Rng rng(seed);
    const Workload workload = RandomWorkload(rng);
    arch::Chain chain = RandomChain(rng);
    for (std::size_t l = 1; l < chain.levels.size(); ++l) {
      chain.levels[l].memory.capacity_words = rng.Between(1, 6);
    }
    const Mapping mapping = RandomMapping(workload, chain, rng, seed % 2 == 1);
    const auto table = mapping::MakeValidityTable(workload, chain);
    const bool trivial = FitsQuickly(workload, table, TrivialMapping(workload, chain));
    EXPECT_TRUE(trivial || !FitsQuickly(workload, table, mapping)) << "seed " << seed;
    none += trivial ? 0 : 1;
  }
  EXPECT_GT(none, 50);
}

TEST(MappingValidity, GeneratorsAreDeterministic) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Rng a(seed);
    Rng b(seed);
    const Workload wa = RandomWorkload(a);
    const Workload wb = RandomWorkload(b);
    EXPECT_EQ(WorkloadKey(wa), WorkloadKey(wb));
    EXPECT_LE(wa.points(), kMaxPoints);
    const arch::Chain ca = RandomChain(a);
    const arch::Chain cb = RandomChain(b);
    EXPECT_EQ(RandomMapping(wa, ca, a, true), RandomMapping(wb, cb, b, true));
    EXPECT_EQ(a.Next(), b.Next());
  }
}

}  // namespace
}  // namespace sluice::testing
