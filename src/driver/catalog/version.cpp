// See version.h.

#include "driver/catalog/version.h"

#include <string>

#include <fmt/format.h>

#include "driver/build_info.h"

namespace sluice::driver {

const BuildInfo& GetBuildInfo() {
#if defined(__clang__)
  static const BuildInfo kInfo{SLUICE_VERSION, SLUICE_COMMIT, "clang " __clang_version__,
                               SLUICE_BUILD_TYPE};
#else
  static const BuildInfo kInfo{SLUICE_VERSION, SLUICE_COMMIT, "g++ " __VERSION__,
                               SLUICE_BUILD_TYPE};
#endif
  return kInfo;
}

std::string ToolVersion() {
  const BuildInfo& info = GetBuildInfo();
  return info.commit.empty() ? info.version : info.version + "+" + info.commit;
}

}  // namespace sluice::driver
