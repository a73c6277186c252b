/// A mapping that is read violates nothing but capacities, is written so that
/// it reads back the same, and can be evaluated; a refusal points into the text.

#include <cmath>

#include "cost/evaluator.h"
#include "fuzz/targets.h"
#include "io/yaml/mapping.h"

namespace sluice::fuzz {
namespace {

Result<mapping::Mapping> Read(const std::string& text) {
  const auto& [workload, chain] = SmallConvolution();
  SLUICE_TRY(const io::YamlDocument document, io::YamlDocument::Parse(text, "fuzz.yaml"));
  return io::ReadMapping(document.root(), workload, chain);
}

}  // namespace

void MappingYaml(std::string_view bytes) {
  const auto& [workload, chain] = SmallConvolution();
  const auto read = Read(std::string(bytes));
  if (!read) {
    RequireGoodDiagnostic(read.error(), bytes);
    return;
  }
  bool fits = true;
  for (const mapping::Violation& violation : CheckMapping(workload, chain, *read)) {
    Require(violation.code == ErrorCode::kMappingCapacity, violation.message);
    fits = false;
  }
  const std::string written = io::WriteMappingYaml(*read, workload, chain);
  const auto again = Read(written);
  Require(again.has_value(), "not readable as written:\n" + written);
  Require(*again == *read, "reads back differently:\n" + written);
  static const auto evaluator =
      cost::Evaluator::Create(workload, chain, cost::PhysicalPolicy()).value();
  Require(evaluator.IsValid(*read) == fits, "IsValid and CheckMapping disagree");
  const cost::Score score = evaluator.Evaluate(*read);
  Require(std::isfinite(score.energy_pj) && score.cycles >= 1, "a mapping without a cost");
}

}  // namespace sluice::fuzz
