#pragma once
/// \file
/// Writes a workload, a machine and a mapping as Timeloop v0.3 YAML, so that anybody can re-score a
/// result with an unmodified timeloop-model (extrapolation off gives the figures of the `timeloop`
/// policy). Reading the text back gives the same workload, chain, mapping and figures; the
/// exceptions are names that Timeloop cannot spell (dims are single letters) and what it cannot
/// express at all, which is listed in `notes`. Tested by tests/unit/timeloop_writer_test.cpp,
/// tests/golden/timeloop_test.cpp.

#include <string>
#include <vector>

#include "arch/architecture.h"
#include "base/diagnostic.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"

namespace sluice::io {

/// Four YAML documents, each with one top-level key.
struct TimeloopText {
  std::string architecture;
  std::string problem;
  std::string mapping;
  std::string ert;
  /// What Timeloop will not see, one sentence each; empty = the figures are the same.
  std::vector<std::string> notes;

  /// All four as one file.
  [[nodiscard]] std::string Merged() const { return architecture + problem + mapping + ert; }
};

/// Errors: kMappingInvalid when a dim is split over both axes of one fan-out or occurs twice at a
/// level (Timeloop allows a dim once), or when the mapping has another number of levels than the
/// chain; kArchInvalid when the compute unit does not run the workload's body.
Result<TimeloopText> WriteTimeloop(const mapping::Workload& workload, const arch::Chain& chain,
                                   const mapping::Mapping& mapping);

}  // namespace sluice::io
