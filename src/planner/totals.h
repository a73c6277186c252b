#pragma once
/// \file
/// What planning and re-evaluation share, so that both give the same bits.

#include <string>
#include <vector>

#include "arch/architecture.h"
#include "cost/evaluator.h"
#include "planner/plan.h"

namespace sluice::planner {

/// Index of `chain` among `chains`: the one with the same memories and compute unit. Requires one.
std::size_t ChainIndex(const std::vector<arch::Chain>& chains, const arch::Chain& chain);

/// The names of `chains`, for the plan.
std::vector<ChainNames> NamesOf(const std::vector<arch::Chain>& chains);

/// Sums over the operators in execution order. `bounds[i]` is cost::LowerBound of solution i.
Totals ComputeTotals(const Plan& plan, const std::vector<arch::Chain>& chains,
                     const std::vector<cost::Score>& bounds);

}  // namespace sluice::planner
