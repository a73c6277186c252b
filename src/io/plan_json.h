#pragma once
/// \file
/// Plans as JSON, format version 1: docs/formats/plan.md documents every field. The bytes of a plan
/// depend on its content only, except for the object `run` at the end (wall time, command line).
/// The reader is strict: unknown, missing and duplicate keys, wrong types, other versions, numbers
/// and sizes out of range, and references to nothing are errors with a JSON path and a position.
/// Tested by tests/unit/plan_json_test.cpp.

#include <string>
#include <string_view>

#include "base/diagnostic.h"
#include "planner/plan.h"

namespace sluice::io {

/// The value of a plan's first key, `format`.
inline constexpr std::string_view kPlanFormatName = "sluice-plan";

/// Ends with a newline. Doubles are written so that they read back to the same bits.
std::string PlanToJson(const planner::Plan& plan);

/// Inverts PlanToJson. `file_name` is for messages. The costs are what the file claims; compare
/// with planner::Reevaluate to know. Errors: kSyntax, kVersion, kUnknownKey, kMissingKey,
/// kDuplicateKey, kWrongType, kBadValue.
Result<planner::Plan> PlanFromJson(const std::string& text, const std::string& file_name);

}  // namespace sluice::io
