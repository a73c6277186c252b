#pragma once
/// \file
/// What comes with Sluice, and which Sluice this is.

#include <string>
#include <vector>

#include <sluice/export.h>

namespace sluice {

/// A shipped file.
struct CatalogEntry {
  std::string name;  ///< what Network::Load and Architecture::Load accept
  std::string path;  ///< where it is
};

/// The architectures that come with Sluice, by name. They are looked for in `archs/` of the current
/// directory and in the installation (found from the place of the library itself, so that an
/// installation may be moved); no environment variable takes part. Empty when nothing is installed.
/// Thread-safe. Reads directories.
SLUICE_API std::vector<CatalogEntry> ShippedArchitectures();

/// The models that come with Sluice, found like the architectures, in `models/`.
SLUICE_API std::vector<CatalogEntry> ShippedModels();

/// For example `0.1.0+1a2b3c4d5e6f`: the version and the commit that the library was built from. It
/// is what plans record. Thread-safe.
SLUICE_API std::string LibraryVersion();

}  // namespace sluice
