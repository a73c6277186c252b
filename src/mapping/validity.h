#pragma once
/// \file
/// Validity of a mapping for hot paths: the verdict of CheckMapping without its reasons, without
/// allocation and without string comparisons. Everything that depends on the chain only is looked
/// up once in a ValidityTable. Tested by tests/unit/mapping_test.cpp and
/// tests/property/mapping_roundtrip_test.cpp (agreement).

#include <array>
#include <cstdint>
#include <limits>

#include "arch/architecture.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"

namespace sluice::mapping {

/// Usable words of one instance of a memory: capacity / buffering, rounded down.
/// Unbounded memories give the largest int64.
std::int64_t UsableWords(const arch::Memory& memory);

/// Bit t set: tensor t must be kept at `level` (Keep::kMust of its class; everything at level 0).
std::uint32_t MustKeep(const Workload& workload, const arch::Chain& chain, std::size_t level);
/// Bit t set: tensor t may be kept at `level`. A superset of MustKeep.
std::uint32_t MayKeep(const Workload& workload, const arch::Chain& chain, std::size_t level);

/// Bit d set: dim d may be unrolled on the X (axis 0) or Y (axis 1) of the fan-out of `level`: its
/// name is allowed there and it need not stay whole.
std::uint32_t MayUnroll(const Workload& workload, const arch::Chain& chain, std::size_t level,
                        int axis);

/// What FitsQuickly needs to know about a chain. Trivially copyable.
struct ValidityTable {
  struct Level {
    std::int64_t usable_words = std::numeric_limits<std::int64_t>::max();
    std::int64_t x = 1;
    std::int64_t y = 1;
    std::uint32_t must_keep = 0;
    std::uint32_t may_keep = 0;
    std::uint32_t may_unroll_x = 0;
    std::uint32_t may_unroll_y = 0;
  };
  StaticVector<Level, arch::kMaxLevels> levels;
};

/// Requires: at most kMaxLevels levels (arch::Validate).
ValidityTable MakeValidityTable(const Workload& workload, const arch::Chain& chain);

/// True exactly when CheckMapping finds nothing. No allocation. O(levels x (dims + terms)).
bool FitsQuickly(const Workload& workload, const ValidityTable& table, const Mapping& mapping);

}  // namespace sluice::mapping
