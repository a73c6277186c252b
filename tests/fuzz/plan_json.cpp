/// A plan that is read is written so that it reads back and is written the same again; a refusal
/// points into the text.

#include "io/plan_json.h"

#include "fuzz/targets.h"

namespace sluice::fuzz {

void PlanJson(std::string_view bytes) {
  const auto plan = io::PlanFromJson(std::string(bytes), "fuzz.json");
  if (!plan) {
    RequireGoodDiagnostic(plan.error(), bytes);
    return;
  }
  const std::string written = io::PlanToJson(*plan);
  const auto again = io::PlanFromJson(written, "written.json");
  Require(again.has_value(),
          "not readable as written: " + (again ? std::string() : again.error().Render()));
  Require(io::PlanToJson(*again) == written, "reads back differently:\n" + written);
}

}  // namespace sluice::fuzz
