/// What is written reads back as the same mapping, on random workloads and machines.

#include <gtest/gtest.h>
// rapidcheck wants gtest first
#include <rapidcheck/gtest.h>

#include "io/yaml/mapping.h"
#include "testing/generators.h"

namespace sluice::testing {
namespace {

RC_GTEST_PROP(MappingRoundTrip, YamlGivesTheMappingBack, (std::uint64_t seed, bool imperfect)) {
  for (std::uint64_t i = 0; i < 5; ++i) {
    Rng rng(seed * 5 + i);
    const mapping::Workload workload = RandomWorkload(rng);
    const arch::Chain chain = RandomChain(rng);
    const mapping::Mapping mapping = RandomMapping(workload, chain, rng, imperfect);
    const std::string text = io::WriteMappingYaml(mapping, workload, chain);
    const auto document = io::YamlDocument::Parse(text, "test");
    RC_ASSERT(document.has_value());
    const auto back = io::ReadMapping(document->root(), workload, chain);
    RC_ASSERT(back.has_value());
    RC_ASSERT((*back == mapping));
  }
}

RC_GTEST_PROP(MappingRoundTrip, EditedYamlIsRefusedOrCovers, (std::uint64_t seed, bool imperfect)) {
  Rng rng(seed);
  const mapping::Workload workload = RandomWorkload(rng);
  const arch::Chain chain = RandomChain(rng);
  const std::string written =
      io::WriteMappingYaml(RandomMapping(workload, chain, rng, imperfect), workload, chain);
  for (int i = 0; i < 5; ++i) {
    std::string text = written;
    for (std::uint32_t edits = 1 + rng.Below(3); edits > 0; --edits) {
      const std::size_t at = rng.Below(static_cast<std::uint32_t>(text.size()));
      constexpr std::string_view kBytes = "0123456789[]{}:,=-\"'#&*!\nKC \t\xff";
      const char byte = kBytes[rng.Below(static_cast<std::uint32_t>(kBytes.size()))];
      if (rng.Below(2) == 0) {
        text[at] = byte;
      } else {
        text.insert(at, 1, byte);
      }
    }
    const auto document = io::YamlDocument::Parse(text, "test");
    const auto back = document ? io::ReadMapping(document->root(), workload, chain)
                               : Result<mapping::Mapping>(Fail(document.error()));
    if (!back) {
      RC_ASSERT(back.error().span.line >= 1);
      RC_ASSERT(!back.error().message.empty());
      continue;
    }
    for (const mapping::Violation& violation : CheckMapping(workload, chain, *back)) {
      RC_ASSERT((violation.code == ErrorCode::kMappingCapacity));
    }
  }
}

}  // namespace
}  // namespace sluice::testing
