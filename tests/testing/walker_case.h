#pragma once
/// \file
/// One comparison of the closed form (cost::Evaluator) with the walk (walker.h): a random case, and
/// the counters on which the two differ. Shared by the property tests and the fuzzer.

#include <string>
#include <vector>

#include "arch/architecture.h"
#include "base/rng.h"
#include "cost/policy.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"

namespace sluice::testing {

struct WalkerCase {
  mapping::Workload workload;
  arch::Chain chain;
  mapping::Mapping mapping;
  cost::Policy policy;
};

/// One of the two named policies, or any mix of the bits.
cost::Policy RandomPolicy(Rng& rng);

/// Any workload, machine, mapping and policy; small enough to walk.
WalkerCase RandomWalkerCase(Rng& rng);

struct Mismatch {
  std::string counter;  ///< without level and tensor
  std::string text;
};

/// The counters on which walk and closed form differ; empty = agreement. Counters that the closed
/// form gives as averages only are not compared (docs/cost-model.md).
std::vector<Mismatch> Differences(const WalkerCase& c);

}  // namespace sluice::testing
