#pragma once
/// \file
/// Parts that several texts share. Internal to driver/text.

#include <string>

#include "driver/driver.h"
#include "driver/explain/explain.h"
#include "driver/text/page.h"

namespace sluice::driver {

/// `on the machine M, P policy`, then energy, cycles, product and utilization with their bounds.
Page EvaluationSummary(const Evaluation& evaluation);
/// Words and energy by level and tensor; the largest energy stands out.
Page TrafficTable(const Explanation& explanation);
/// Cycles by resource; what binds stands out.
Page LatencyTable(const Explanation& explanation);

/// Name and totals of a plan, and how it was searched.
Page PlanSummary(const planner::Plan& plan);
Page KindTable(const planner::Plan& plan);
/// The `top` operators with the most energy.
Page OperatorTable(const planner::Plan& plan, int top);

}  // namespace sluice::driver
