// The cache as JSON. See cache.h.

#include "driver/catalog/cache.h"

#include <string>

#include <nlohmann/json.hpp>

namespace sluice::driver {

std::string JsonOfCache(const CacheReport& report) {
  nlohmann::ordered_json json;
  json["folder"] = report.folder;
  json["entries"] = report.entries;
  json["bytes"] = report.bytes;
  json["limit_bytes"] = report.limit_bytes;
  // A folder is bytes; what is not UTF-8 becomes U+FFFD.
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace sluice::driver
