#pragma once
/// \file
/// The best codes of a small space, by trying every code that can cost different: a yardstick for
/// searches, and the proof that a figure can not be reached.
///
/// Two codes can not cost different when they differ only in where loops of one trip stand, or in
/// units beyond the trips of their loop that leave as many clusters; of such codes one is tried.
/// Tested by tests/property/code_search_test.cpp.

#include <array>
#include <cstdint>
#include <limits>
#include <optional>

#include "base/diagnostic.h"
#include "cost/oracle/oracle.h"
#include "mapper/codes/search.h"
#include "mapping/dataflow/code.h"

namespace sluice::mapper::codes {

struct Enumeration {
  struct Best {
    double value = std::numeric_limits<double>::infinity();  ///< infinite: no code is legal
    std::optional<mapping::DataflowCode> code;
  };
  std::array<Best, 3> best;  ///< by CodeObjective
  std::int64_t tried = 0;
};

/// Errors: those of the oracle; kBadValue where more than `most` codes differ, or for a space whose
/// tiles need not divide. Requires: an oracle for which the above holds (`maestro-exact`).
sluice::Result<Enumeration> EnumerateCodes(cost::CostOracle& oracle, const SpaceOptions& options,
                                           EnergyKind energy, std::int64_t most);

}  // namespace sluice::mapper::codes
