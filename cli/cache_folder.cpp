// See cache_folder.h.

#include "cli/cache_folder.h"

#include <cstdlib>
#include <string>

namespace sluice::cli {
namespace {

/// The variable, empty when it is not set. The program has one thread when it asks.
std::string Variable(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace

std::string CacheFolder() {
  if (std::getenv("SLUICE_CACHE_DIR") != nullptr) {  // NOLINT(concurrency-mt-unsafe)
    return Variable("SLUICE_CACHE_DIR");
  }
  // The XDG specification has relative paths ignored.
  const std::string cache = Variable("XDG_CACHE_HOME");
  if (cache.starts_with('/')) {
    return cache + "/sluice";
  }
  const std::string home = Variable("HOME");
  return home.starts_with('/') ? home + "/.cache/sluice" : std::string();
}

}  // namespace sluice::cli
