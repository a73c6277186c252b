#include "driver/catalog/mappers.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/diagnostic.h"
#include "base/text.h"
#include "driver/catalog/catalog.h"
#include "driver/learn.h"
#include "mapper/coded/coded_mapper.h"
#include "mapper/codes/search.h"
#include "mapper/mapper.h"

namespace sluice::driver {
namespace {

/// Levels of the codes. Three are enough for machines of five memories; `dcp`, which looks before
/// it spends a sample, makes use of a fourth.
constexpr int kLevels = 3;
constexpr int kDcpLevels = 4;

}  // namespace

std::vector<MapperEntry> ListMappers() {
  std::vector<MapperEntry> entries;
  for (const mapper::Mapper* mapper : mapper::AllMappers()) {
    entries.push_back({std::string(mapper->name()), std::string(mapper->description())});
  }
  entries.push_back(
      {"dcp", "Dataflow codes: along the gradients of a trained predictor, verified and refined."});
  entries.push_back(
      {"dcp-paper", "Dataflow codes: dcp as its paper has it, codes read as numbers."});
  for (const mapper::codes::CodeSearch* search : mapper::codes::AllCodeSearches()) {
    const std::string name(search->name());
    if (std::ranges::find(entries, name, &MapperEntry::name) == entries.end()) {
      entries.push_back({name, "Dataflow codes: " + std::string(search->description()) + "."});
    }
  }
  return entries;
}

Result<NamedMapper> FindNamedMapper(const std::string& name) {
  NamedMapper found;
  for (const mapper::Mapper* mapper : mapper::AllMappers()) {
    if (mapper->name() == name) {
      found.mapper = mapper;
      return found;
    }
  }
  std::vector<std::string> names;
  for (const MapperEntry& entry : ListMappers()) {
    names.push_back(entry.name);
  }
  if (std::ranges::find(names, name) != names.end()) {
    SLUICE_TRY(auto search, FindSearch(DefaultSearchPaths(), name));
    found.owned = std::make_unique<const mapper::CodedMapper>(std::move(search),
                                                              name == "dcp" ? kDcpLevels : kLevels);
    found.mapper = found.owned.get();
    found.coded = true;
    return found;
  }
  const std::string closest = ClosestMatch(name, names);
  return Fail(Diagnostic(ErrorCode::kUnknownName, fmt::format("no mapper is called '{}'", name))
                  .WithHint(fmt::format(
                      "{} {}",
                      closest.empty() ? std::string("the mappers are")
                                      : fmt::format("did you mean `{}`? The mappers are", closest),
                      fmt::join(names, ", "))));
}

}  // namespace sluice::driver
