#pragma once
/// \file
/// Keeps searches of imperfect spaces fast. The reference model counts most ragged mappings in
/// closed form, but some only by visiting every step and instance (docs/limits.md), which may take
/// seconds for one mapping. A search skips those whose walk would be long; it loses candidates,
/// never exactness. The rules follow cost/ragged/ragged.cpp, on the safe side: a mapping that is
/// let through although it is walked only costs time. Tested by tests/unit/mapper_test.cpp.

#include <array>
#include <cstdint>

#include "cost/evaluator.h"

namespace sluice::mapper {

class WalkGuard {
 public:
  explicit WalkGuard(const cost::Evaluator& evaluator);

  /// Whether scoring `mapping` may visit more than kLongestWalk steps. False for perfect mappings.
  [[nodiscard]] bool TooSlow(const mapping::Mapping& mapping) const;

  /// About a millisecond.
  static constexpr double kLongestWalk = 4096;

 private:
  [[nodiscard]] bool MayWalk(const mapping::Mapping& mapping) const;

  const mapping::Workload* workload_;
  bool always_ = false;           ///< some tensor is walked whatever the mapping
  std::uint32_t forwarding_ = 0;  ///< bit l: the fan-out below level l passes words along
  std::uint32_t copying_ = 0;     ///< bit l: it does not merge equal tiles
};

}  // namespace sluice::mapper
