/// Constraints that are read are written so that they read back the same; those that contradict
/// nothing leave a map space whose points satisfy them, or an explanation; a refusal points into
/// the text. Timeloop's constraint files go the same way.

#include "base/rng.h"
#include "fuzz/targets.h"
#include "io/timeloop/constraints.h"
#include "io/yaml/constraints.h"
#include "mapper/mapspace.h"
#include "mapping/constraints.h"

namespace sluice::fuzz {
namespace {

Result<mapping::ConstraintSpec> Read(const std::string& text) {
  SLUICE_TRY(const io::YamlDocument document, io::YamlDocument::Parse(text, "fuzz.yaml"));
  return io::IsTimeloopConstraints(document.root()) ? io::ReadTimeloopConstraints(document.root())
                                                    : io::ReadConstraints(document.root());
}

bool IsTimeloop(const std::string& text) {
  const auto document = io::YamlDocument::Parse(text, "fuzz.yaml");
  return document && io::IsTimeloopConstraints(document->root());
}

void TryResolved(const mapping::ConstraintSpec& spec, bool imperfect, std::string_view bytes) {
  const auto& [workload, chain] = SmallConvolution();
  const auto resolved = mapping::ResolveConstraints(spec, workload, chain, imperfect);
  for (const Diagnostic& contradiction : resolved.contradictions) {
    RequireGoodDiagnostic(contradiction, bytes);
  }
  if (!resolved.contradictions.empty()) {
    return;
  }
  const mapper::Mapspace space(workload, chain, imperfect, &resolved.constraints);
  const auto reasons = space.Infeasible();
  if (!reasons.empty()) {
    Require(!reasons.front().message.empty(), "an empty space without a reason");
    return;
  }
  Rng rng(1);
  for (int i = 0; i < 4; ++i) {
    mapper::Point point = i == 0 ? space.Outermost() : space.Random(rng);
    space.Repair(point, rng);
    const auto mapping = space.ToMapping(point);
    Require(mapping::CheckMapping(workload, chain, mapping).empty(), "an invalid mapping");
    Require(Satisfies(resolved.constraints, workload, mapping), "a mapping that breaks the rules");
  }
}

}  // namespace

void ConstraintsYaml(std::string_view bytes) {
  const std::string text(bytes);
  const auto spec = Read(text);
  if (!spec) {
    RequireGoodDiagnostic(spec.error(), bytes);
    return;
  }
  TryResolved(*spec, false, bytes);
  TryResolved(*spec, true, bytes);
  if (IsTimeloop(text)) {
    return;
  }
  const std::string written = io::WriteConstraintsYaml(*spec);
  const auto again = Read(written);
  Require(again.has_value(), (again ? std::string() : again.error().Render()) + written);
  Require(io::WriteConstraintsYaml(*again) == written, "reads back differently:\n" + written);
}

}  // namespace sluice::fuzz
