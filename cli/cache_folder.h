#pragma once
/// \file
/// Where the cache of mappings is: the only part of Sluice's behaviour that the environment sets.
/// Tested by tests/cli/cache_test.py.

#include <string>

namespace sluice::cli {

/// $SLUICE_CACHE_DIR, else $XDG_CACHE_HOME/sluice, else ~/.cache/sluice. Empty, no cache, when
/// SLUICE_CACHE_DIR is set to nothing, or when there is no home.
std::string CacheFolder();

}  // namespace sluice::cli
