#pragma once
/// \file
/// Where architectures, models and constraints come from: a path, or the name of a shipped one.
/// Names are looked up in `archs/`, `models/` and `constraints/` of the current directory, then of
/// the installation this code is part of (it may have been moved), else of the source tree it was
/// built from. No environment
/// variable takes part. Tested by tests/unit/driver_catalog_test.cpp.

#include <string>
#include <vector>

#include "base/diagnostic.h"

namespace sluice::driver {

/// Directories that may contain `archs/`, `models/` and `constraints/`, best first.
struct SearchPaths {
  std::vector<std::string> roots;
};
SearchPaths DefaultSearchPaths();

struct CatalogEntry {
  std::string name;  ///< what the user may type
  std::string path;
};

/// The shipped ones, by name. When two roots offer a name, the first root wins.
std::vector<CatalogEntry> ListArchitectures(const SearchPaths& paths);
std::vector<CatalogEntry> ListModels(const SearchPaths& paths);
std::vector<CatalogEntry> ListConstraints(const SearchPaths& paths);

/// The path of the file meant by `text`: `text` itself when it looks like a path (contains a slash
/// or ends like a file of the kind) or exists, else the shipped one of that name. Errors:
/// kUnknownName with the closest name.
Result<std::string> FindArchitecture(const SearchPaths& paths, const std::string& text);
Result<std::string> FindModel(const SearchPaths& paths, const std::string& text);
Result<std::string> FindConstraints(const SearchPaths& paths, const std::string& text);

}  // namespace sluice::driver
