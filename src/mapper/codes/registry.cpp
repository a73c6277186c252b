// The searches of this module: an explicit list, no registration.

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/diagnostic.h"
#include "mapper/codes/search.h"
#include "mapper/codes/searches.h"

namespace sluice::mapper::codes {

std::vector<const CodeSearch*> AllCodeSearches() {
  static const std::array<std::unique_ptr<CodeSearch>, 11> kAll = {
      MakeGeneticSearch({}),
      MakeGeneticSearch({.all_operators = true}),
      MakeAnnealingSearch({}),
      MakeEvolutionStrategy(),
      MakeDifferentialEvolution(),
      MakeParticleSwarm(),
      MakeCovarianceAdaptation(),
      MakeRandomSearch(),
      MakeFixedSearch(FixedDataflow::kDla),
      MakeFixedSearch(FixedDataflow::kShi),
      MakeFixedSearch(FixedDataflow::kEye)};
  std::vector<const CodeSearch*> all;
  all.reserve(kAll.size());
  for (const auto& search : kAll) {
    all.push_back(search.get());
  }
  return all;
}

sluice::Result<const CodeSearch*> FindCodeSearch(std::string_view name) {
  std::vector<std::string> names;
  for (const CodeSearch* search : AllCodeSearches()) {
    if (search->name() == name) {
      return search;
    }
    names.emplace_back(search->name());
  }
  return Fail(Diagnostic(ErrorCode::kUnknownName, fmt::format("unknown search `{}`", name))
                  .WithHint(fmt::format("one of {}", fmt::join(names, ", "))));
}

}  // namespace sluice::mapper::codes
