/// Text forms of a mapping and their parsers are inverse to each other, for perfect and imperfect
/// factors, on random workloads and machines; hostile edits of a text never crash a parser.
/// Rapidcheck draws 100 seeds a property; each stands for kCases cases.

#include <gtest/gtest.h>
// rapidcheck wants gtest first
#include <string>

#include <rapidcheck/gtest.h>

#include "mapping/directives.h"
#include "mapping/validity.h"
#include "testing/generators.h"

namespace sluice::testing {
namespace {

struct Case {
  mapping::Workload workload;
  arch::Chain chain;
  mapping::Mapping mapping;
};

constexpr std::uint64_t kCases = 20;

Case Draw(std::uint64_t seed, bool imperfect) {
  Rng rng(seed);
  Case result;
  result.workload = RandomWorkload(rng);
  result.chain = RandomChain(rng);
  result.mapping = RandomMapping(result.workload, result.chain, rng, imperfect);
  return result;
}

void CheckDirectives(std::uint64_t seed, bool imperfect) {
  const Case c = Draw(seed, imperfect);
  const auto text = PrintDirectives(c.workload, c.chain, c.mapping);
  RC_ASSERT(text.has_value());
  const auto back = mapping::ParseDirectives(c.workload, c.chain, *text, "test");
  RC_ASSERT(back.has_value());
  RC_ASSERT((*back == c.mapping));
  // And the text is canonical: printing again gives the same bytes.
  RC_ASSERT((*PrintDirectives(c.workload, c.chain, *back) == *text));
}

RC_GTEST_PROP(MappingRoundTrip, DirectivesGiveTheMappingBack,
              (std::uint64_t seed, bool imperfect)) {
  for (std::uint64_t i = 0; i < kCases; ++i) {
    CheckDirectives(seed * kCases + i, imperfect);
  }
}

void CheckIdleLoops(std::uint64_t seed, bool imperfect) {
  Case c = Draw(seed, imperfect);
  Rng rng(seed + 1);
  // Unit loops anywhere, and an outermost loop with more iterations than it needs.
  for (mapping::LevelMapping& level : c.mapping.levels) {
    for (int d = 0; d < c.workload.dims(); ++d) {
      bool present = false;
      for (const mapping::Loop& loop : level.temporal) {
        present = present || loop.dim == d;
      }
      if (!present && rng.Below(2) == 0) {
        level.temporal.insert(rng.Below(static_cast<std::uint32_t>(level.temporal.size()) + 1),
                              mapping::PerfectLoop(d, 1));
      }
    }
  }
  if (!c.mapping.levels[0].temporal.empty()) {
    c.mapping.levels[0].temporal[0].bound += static_cast<std::int32_t>(rng.Below(3));
  }
  const auto text = PrintDirectives(c.workload, c.chain, c.mapping);
  RC_ASSERT(text.has_value());
  const auto back = mapping::ParseDirectives(c.workload, c.chain, *text, "test");
  RC_ASSERT(back.has_value());
  RC_ASSERT((*back == c.mapping));
}

RC_GTEST_PROP(MappingRoundTrip, DirectivesKeepLoopsThatDoNothing,
              (std::uint64_t seed, bool imperfect)) {
  for (std::uint64_t i = 0; i < kCases; ++i) {
    CheckIdleLoops(seed * kCases + i, imperfect);
  }
}

void CheckEditedDirectives(std::uint64_t seed, bool imperfect) {
  const Case c = Draw(seed, imperfect);
  const auto printed = PrintDirectives(c.workload, c.chain, c.mapping);
  RC_ASSERT(printed.has_value());
  std::string text = *printed;
  Rng rng(seed ^ 0x5A5A);
  for (std::uint32_t edits = 1 + rng.Below(3); edits > 0; --edits) {
    const std::size_t at = rng.Below(static_cast<std::uint32_t>(text.size()));
    constexpr std::string_view kBytes = "0123456789(){}:,+=\"\\#\nKCXY \t\xff";
    const char byte = kBytes[rng.Below(static_cast<std::uint32_t>(kBytes.size()))];
    switch (rng.Below(3)) {
      case 0:
        text[at] = byte;
        break;
      case 1:
        text.insert(at, 1, byte);
        break;
      default:
        text.erase(at, 1 + rng.Below(8));
        break;
    }
    if (text.empty()) {
      break;
    }
  }
  const auto back = mapping::ParseDirectives(c.workload, c.chain, text, "test");
  if (!back) {
    RC_ASSERT(back.error().span.line >= 1);
    RC_ASSERT(back.error().span.column >= 1);
    RC_ASSERT(!back.error().message.empty());
    return;
  }
  for (const mapping::Violation& violation : CheckMapping(c.workload, c.chain, *back)) {
    RC_ASSERT((violation.code != ErrorCode::kMappingCoverage));
    RC_ASSERT((violation.code != ErrorCode::kMappingInvalid || violation.tensor >= 0));
  }
}

RC_GTEST_PROP(MappingRoundTrip, EditedDirectivesAreRefusedOrCover,
              (std::uint64_t seed, bool imperfect)) {
  for (std::uint64_t i = 0; i < kCases; ++i) {
    CheckEditedDirectives(seed * kCases + i, imperfect);
  }
}

void CheckLoopNest(std::uint64_t seed, bool imperfect) {
  const Case c = Draw(seed, imperfect);
  const std::string nest = PrintLoopNest(c.workload, c.chain, c.mapping);
  std::size_t loops = 1 + c.mapping.levels.size();
  for (const mapping::LevelMapping& level : c.mapping.levels) {
    loops += level.temporal.size() + level.spatial_x.size() + level.spatial_y.size();
  }
  std::size_t lines = 0;
  for (std::size_t begin = 0; begin < nest.size(); ++lines) {
    const std::size_t end = nest.find('\n', begin);
    RC_ASSERT(end != std::string::npos);
    RC_ASSERT(end - begin <= 80U);
    begin = end + 1;
  }
  RC_ASSERT(lines >= loops);
}

RC_GTEST_PROP(MappingRoundTrip, LoopNestsFitEightyColumns, (std::uint64_t seed, bool imperfect)) {
  for (std::uint64_t i = 0; i < kCases; ++i) {
    CheckLoopNest(seed * kCases + i, imperfect);
  }
}

}  // namespace
}  // namespace sluice::testing
