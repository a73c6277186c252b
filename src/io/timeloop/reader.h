#pragma once
/// \file
/// Reads Timeloop v0.3 inputs (architecture, problem, mapping, energy reference table) as they are.
///
/// Strict where Timeloop is not: a key, dimension, data space, coefficient, level or energy table
/// that is not understood is an error at file:line:column with the nearest right spelling; nothing
/// is ignored silently. What is understood but has no effect here, and what is only approximated,
/// is listed in docs/formats/timeloop.md; the approximated part is also reported as `warnings`.
/// Levels come out outermost first. Inter-child links (on by default in Timeloop) stay off.
/// Tested by tests/unit/timeloop_reader_test.cpp, tests/golden/timeloop_test.cpp.

#include <string>
#include <vector>

#include "arch/architecture.h"
#include "base/diagnostic.h"
#include "io/yaml/yaml.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"

namespace sluice::io {

/// One fixed mapping of one workload on one machine, ready for cost::Evaluator.
struct TimeloopCase {
  mapping::Workload workload;
  arch::Chain chain;
  mapping::Mapping mapping;
  std::vector<std::string> warnings;  ///< approximations made, one sentence each
};

/// Reads one to four (or more) files that together hold `architecture`, `problem`, `mapping` and
/// `ERT`, in any split. Errors: kFileUnreadable, kSyntax, kUnknownKey, kMissingKey, kDuplicateKey,
/// kWrongType, kBadValue, kArchInvalid, kMappingInvalid, kMappingCoverage, kMappingFanOut,
/// kMappingCapacity, all with a position or a path.
Result<TimeloopCase> LoadTimeloop(const std::vector<std::string>& paths);

/// The same for documents already parsed. The documents must outlive the call only.
Result<TimeloopCase> ReadTimeloop(const std::vector<YamlDocument>& documents);

}  // namespace sluice::io
