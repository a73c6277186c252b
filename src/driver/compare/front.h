#pragma once
/// \file
/// `sluice compare --pareto`: several objectives at once. Searches side by side by the fronts of
/// latency and energy that they find, per layer and, chosen layer by layer, per network. Every
/// point of a front was priced. Tested by tests/unit/compare_test.cpp, tests/cli/compare_test.py.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "driver/compare/compare.h"
#include "driver/text/page.h"
#include "mapper/codes/front.h"

namespace sluice::driver {

/// One front: a search on a layer with a budget and a seed.
struct FrontRun {
  std::size_t search = 0;
  std::size_t layer = 0;
  std::size_t budget = 0;
  std::uint64_t seed = 0;
  mapper::codes::FrontResult result;
};

struct FrontCell {
  /// Of the area that the best known front dominates, how much; mean over layers, quartiles over
  /// seeds. The area ends at twice the cycles and the energy of the worst point of that front.
  Quartiles share;
  double points = 0;  ///< of a front, mean
  double samples = 0;
  double cpu_seconds = 0;
};

struct FrontComparison {
  CompareOptions options;
  int runs_per_front = 0;
  std::string title;
  std::string model;
  std::string hardware;
  std::vector<std::string> layers;
  std::vector<std::int64_t> counts;
  std::vector<FrontRun> runs;
  std::vector<std::vector<FrontCell>> cells;  ///< [search][budget]
  /// Per search, with the largest budget and the first seed: one code a layer, totals.
  std::vector<std::vector<mapper::codes::NetworkPoint>> networks;
  double compute_bound = 0;  ///< cycles of all layers together
  bool complete = true;
  std::optional<Diagnostic> failed;
};

/// Errors: those of Compare; kUsage for less than two runs a front.
Result<FrontComparison> CompareFronts(const std::vector<CodeSubject>& subjects,
                                      const CompareOptions& options, int runs_per_front);
Result<FrontComparison> CompareFrontsRequested(const SearchPaths& paths, const std::string& subject,
                                               const CostRequest& cost, CompareOptions options,
                                               int runs_per_front);

Page RenderFronts(const FrontComparison& comparison);
std::string JsonOfFronts(const FrontComparison& comparison);
/// A page with a drawing of the network's fronts, no script, nothing to load.
std::string HtmlOfFronts(const FrontComparison& comparison);

}  // namespace sluice::driver
