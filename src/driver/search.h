#pragma once
/// \file
/// From the words of a SearchRequest to the planner's options. Internal to the driver.

#include "base/diagnostic.h"
#include "driver/requests.h"
#include "planner/layerwise.h"

namespace sluice::driver {

/// Errors: kUnknownName and kBadValue for mapper, policy and objective.
Result<planner::PlanOptions> MakePlanOptions(const SearchRequest& request);

}  // namespace sluice::driver
