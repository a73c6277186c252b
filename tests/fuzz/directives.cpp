/// Directives that are read cover the operator and are printed so that they read back the same; a
/// refusal points into the text.

#include "mapping/directives.h"

#include "fuzz/targets.h"

namespace sluice::fuzz {

void Directives(std::string_view bytes) {
  const auto& [workload, chain] = SmallConvolution();
  const auto parsed = mapping::ParseDirectives(workload, chain, bytes, "fuzz.txt");
  if (!parsed) {
    RequireGoodDiagnostic(parsed.error(), bytes);
    return;
  }
  for (const mapping::Violation& violation : CheckMapping(workload, chain, *parsed)) {
    Require(violation.code != ErrorCode::kMappingCoverage, "not covered: " + violation.message);
    Require(!violation.message.empty(), "a violation without a message");
  }
  const auto printed = mapping::PrintDirectives(workload, chain, *parsed);
  Require(printed.has_value(), "a mapping that was read cannot be printed");
  const auto again = mapping::ParseDirectives(workload, chain, *printed, "printed.txt");
  Require(again.has_value(), "not readable as printed:\n" + *printed);
  Require(*again == *parsed, "reads back differently:\n" + *printed);
}

}  // namespace sluice::fuzz
