#pragma once
/// \file
/// Internal to the report: the parts of the payload. Tables of numbers are arrays of arrays in a
/// fixed order of columns, because a plan of some hundred operators repeats every key a thousand
/// times; web/src/model.ts names the columns again.

#include <nlohmann/json.hpp>

#include "report/report.h"

namespace sluice::report {

using Json = nlohmann::ordered_json;

/// The tree, the chains and the drawing.
Json ArchitecturePayload(const arch::Architecture& architecture);
/// Levels of every chain with sizes, rates and numbers of instances.
Json ChainsPayload(const std::vector<arch::Chain>& chains);
/// Errors: kPlanMismatch.
Result<Json> SubjectPayload(const Subject& subject);
/// All subjects, every report complete in itself. Errors: kPlanMismatch.
Result<Json> FullPayload(std::span<const Subject> subjects);
/// The form that is written: texts become lists of numbers of lines, kept once in `lines`; the
/// operators of a second plan of the same network become the list of their solutions.
void Compact(Json& payload);
/// One line; bytes that are not UTF-8 become U+FFFD.
std::string JsonText(const Json& json);

}  // namespace sluice::report
