#pragma once
/// \file
/// Results as JSON for programs: the fields documented in docs/cli.md, two-space indent, shortest
/// numbers that round-trip, keys in a fixed order, ends with a newline.
/// Tested by tests/cli.

#include <string>
#include <vector>

#include "driver/driver.h"
#include "driver/explain/plan_breakdown.h"

namespace sluice::driver {

std::string JsonOfPlanSummary(const planner::Plan& plan);
std::string JsonOfEvaluation(const Evaluation& evaluation);
std::string JsonOfSearch(const MapOutcome& outcome);
std::string JsonOfFront(const FrontOutcome& outcome);
std::string JsonOfNetwork(const LoadedNetwork& network);
std::string JsonOfArchitecture(const LoadedArchitecture& architecture);
std::string JsonOfExplanation(const Evaluation& evaluation);
/// The most expensive operator as JsonOfExplanation, and the plan in sums under `plan`.
std::string JsonOfPlanExplanation(const PlanOutcome& outcome, const PlanBreakdown& breakdown,
                                  const Evaluation& dearest);
std::string JsonOfCatalog(const std::vector<CatalogEntry>& entries);
std::string JsonOfMappers();
std::string JsonOfHealth(const std::vector<HealthCheck>& checks);
std::string JsonOfVersion();

}  // namespace sluice::driver
