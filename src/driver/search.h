#pragma once
/// \file
/// From the words of a SearchRequest to the planner's options. Internal to the driver.

#include <memory>
#include <string>

#include "base/diagnostic.h"
#include "driver/catalog/mappers.h"
#include "driver/requests.h"
#include "ir/network.h"
#include "mapper/cache/cache.h"
#include "mapping/constraints.h"
#include "planner/layerwise.h"

namespace sluice::driver {

/// Constraints and where they come from.
struct LoadedConstraints {
  mapping::ConstraintSpec spec;
  std::string path;
  std::string hash;  ///< of the file's bytes
};

/// The planner's options and what they point to.
struct SearchSetup {
  NamedMapper mapper;
  planner::PlanOptions options;
  std::unique_ptr<const LoadedConstraints> constraints;  ///< null: none
  std::unique_ptr<mapper::ResultCache> cache;            ///< null: none
};

/// Errors: kUnknownName and kBadValue for mapper, policy and objective; kUsage for what a search
/// over codes cannot do; those of io::LoadConstraints.
Result<SearchSetup> MakeSearch(const SearchRequest& request);

/// Plans, and passes on what the cache and the constraints have to say about it.
Result<planner::Plan> RunSearch(const SearchRequest& request, const SearchSetup& setup,
                                const ir::Network& network, const arch::Architecture& architecture);

/// What results may depend on beside the inputs: version, compiler, and the very program.
std::string BuildIdentity();

}  // namespace sluice::driver
