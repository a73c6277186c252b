// See cache.h.

#include "driver/catalog/cache.h"

#include <string>

#include <fmt/format.h>

#include "base/diagnostic.h"
#include "base/text.h"
#include "driver/requests.h"
#include "mapper/cache/cache.h"

namespace sluice::driver {
namespace {

CacheReport Report(const std::string& folder, const mapper::CacheUse& use) {
  return {folder, use.entries, use.bytes, SearchRequest{}.cache_bytes};
}

}  // namespace

CacheReport InspectCache(const std::string& folder) {
  return Report(folder, mapper::InspectCache(folder));
}

Result<CacheReport> ClearCache(const std::string& folder) {
  SLUICE_TRY(const mapper::CacheUse removed, mapper::ClearCache(folder));
  return Report(folder, removed);
}

std::string RenderCache(const CacheReport& report) {
  return fmt::format("{}\n  {} mappings, {} of {}\n", report.folder, report.entries,
                     HumanBytes(static_cast<double>(report.bytes)),
                     HumanBytes(static_cast<double>(report.limit_bytes)));
}

}  // namespace sluice::driver
