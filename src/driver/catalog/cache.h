#pragma once
/// \file
/// The cache of mappings as a thing that a user looks at and empties. Where it is, is the front
/// end's business: the driver reads no environment. Tested by tests/cli/cache_test.py.

#include <cstdint>
#include <string>

#include "base/diagnostic.h"

namespace sluice::driver {

struct CacheReport {
  std::string folder;
  std::int64_t entries = 0;
  std::int64_t bytes = 0;
  std::int64_t limit_bytes = 0;
};

CacheReport InspectCache(const std::string& folder);
/// What was removed. Errors: kFileUnwritable.
Result<CacheReport> ClearCache(const std::string& folder);

std::string RenderCache(const CacheReport& report);
std::string JsonOfCache(const CacheReport& report);

}  // namespace sluice::driver
