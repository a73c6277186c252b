#pragma once
/// \file
/// Which Sluice this is. Tested by tests/cli/catalog_test.py.

#include <string>

namespace sluice::driver {

struct BuildInfo {
  std::string version;     ///< `0.1.0`
  std::string commit;      ///< empty when built outside a git checkout
  std::string compiler;    ///< `g++ 12.2.0`
  std::string build_type;  ///< `Release`
};

const BuildInfo& GetBuildInfo();

/// `0.1.0+acfd34b`, what plans record.
std::string ToolVersion();

}  // namespace sluice::driver
