#pragma once
/// \file
/// Results as text for people: at most 80 columns, no colour, no trailing blanks, ends with a
/// newline. Tested by tests/cli (golden output).

#include <string>
#include <vector>

#include "driver/driver.h"
#include "driver/explain.h"

namespace sluice::driver {

std::string RenderPlan(const planner::Plan& plan, int top);
std::string RenderEvaluation(const Evaluation& evaluation);
std::string RenderSearch(const MapOutcome& outcome);
std::string RenderNetwork(const LoadedNetwork& network);
std::string RenderArchitecture(const LoadedArchitecture& architecture);
/// With the `top` largest traffic terms taken apart.
std::string RenderExplanation(const Explanation& explanation, int top);
std::string RenderCatalog(const std::vector<CatalogEntry>& entries);
std::string RenderMappers();
std::string RenderVersion();
std::string RenderHealth(const std::vector<HealthCheck>& checks);

}  // namespace sluice::driver
