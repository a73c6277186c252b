/// What is written as YAML or JSON reads back as the same mapping, on random workloads and
/// machines.

#include <gtest/gtest.h>
// rapidcheck wants gtest first
#include <rapidcheck/gtest.h>

#include "io/mapping_yaml.h"
#include "testing/generators.h"

namespace sluice::testing {
namespace {

RC_GTEST_PROP(MappingRoundTrip, YamlAndJsonGiveTheMappingBack,
              (std::uint64_t seed, bool imperfect)) {
  for (std::uint64_t i = 0; i < 5; ++i) {
    Rng rng(seed * 5 + i);
    const mapping::Workload workload = RandomWorkload(rng);
    const arch::Chain chain = RandomChain(rng);
    const mapping::Mapping mapping = RandomMapping(workload, chain, rng, imperfect);
    for (const std::string& text : {io::WriteMappingYaml(mapping, workload, chain),
                                    io::WriteMappingJson(mapping, workload, chain)}) {
      const auto document = io::YamlDocument::Parse(text, "test");
      RC_ASSERT(document.has_value());
      const auto back = io::ReadMapping(document->root(), workload, chain);
      RC_ASSERT(back.has_value());
      RC_ASSERT((*back == mapping));
    }
  }
}

}  // namespace
}  // namespace sluice::testing
