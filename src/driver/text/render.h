#pragma once
/// \file
/// Results as text for people: at most 80 columns, no trailing blanks. Figures are pages, in which
/// what matters stands out (page.h); lists are strings that end with a newline. Tested by
/// tests/cli.

#include <string>
#include <vector>

#include "driver/driver.h"
#include "driver/explain/plan_breakdown.h"
#include "driver/text/page.h"

namespace sluice::driver {

Page RenderPlan(const planner::Plan& plan, int top);
Page RenderEvaluation(const Evaluation& evaluation);
Page RenderSearch(const MapOutcome& outcome);
Page RenderFront(const FrontOutcome& outcome);
std::string RenderNetwork(const LoadedNetwork& network);
std::string RenderArchitecture(const LoadedArchitecture& architecture);
/// With the `top` largest traffic terms taken apart.
Page RenderExplanation(const Evaluation& evaluation, int top);
/// The plan in sums, its `top` most expensive operators, machine and provenance, and the most
/// expensive operator (`dearest`) taken apart.
Page RenderPlanExplanation(const PlanOutcome& outcome, const PlanBreakdown& breakdown,
                           const Evaluation& dearest, int top);
std::string RenderCatalog(const std::vector<CatalogEntry>& entries);
std::string RenderMappers();
std::string RenderVersion();
std::string RenderHealth(const std::vector<HealthCheck>& checks);

}  // namespace sluice::driver
