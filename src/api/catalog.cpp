// See sluice/catalog.h.

#include "driver/catalog/catalog.h"

#include <string>
#include <utility>
#include <vector>

#include <sluice/catalog.h>

#include "driver/catalog/version.h"

namespace sluice {
namespace {

std::vector<CatalogEntry> Public(std::vector<driver::CatalogEntry> entries) {
  std::vector<CatalogEntry> result;
  result.reserve(entries.size());
  for (driver::CatalogEntry& entry : entries) {
    result.push_back({std::move(entry.name), std::move(entry.path)});
  }
  return result;
}

}  // namespace

std::vector<CatalogEntry> ShippedArchitectures() {
  return Public(driver::ListArchitectures(driver::DefaultSearchPaths()));
}

std::vector<CatalogEntry> ShippedModels() {
  return Public(driver::ListModels(driver::DefaultSearchPaths()));
}

std::string LibraryVersion() {
  return driver::ToolVersion();
}

}  // namespace sluice
