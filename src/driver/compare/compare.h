#pragma once
/// \file
/// `sluice compare`: searches over dataflow codes side by side, by quality against samples and
/// against processor time, over several seeds. Quality is the objective over the best known one:
/// the proven optimum where there is one, else the best of everything that was run.
/// Tested by tests/unit/compare_test.cpp, tests/cli/compare_test.py.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "cost/command/command_oracle.h"
#include "cost/oracle/oracle.h"
#include "driver/catalog/catalog.h"
#include "driver/requests.h"
#include "driver/text/page.h"
#include "mapper/codes/search.h"

namespace sluice::driver {

/// One layer and how to price its codes. Oracles may be made in several threads.
struct CodeSubject {
  std::string name;
  std::function<Result<std::unique_ptr<cost::CostOracle>>()> make_oracle;
  /// No code is better; in the unit of mapper::codes::ValueOf.
  std::optional<double> proven;
  std::int64_t count = 1;  ///< how often the network has this layer
};

/// A search by its name.
using FindSearchFunction = std::function<Result<std::shared_ptr<const mapper::codes::CodeSearch>>(
    const std::string& name)>;

struct CompareOptions {
  std::vector<std::string> searches;
  FindSearchFunction find;  ///< empty: FindSearch with what is shipped
  mapper::codes::CodeObjective objective = mapper::codes::CodeObjective::kEdp;
  mapper::codes::EnergyKind energy = mapper::codes::EnergyKind::kOuter;
  mapper::codes::SpaceOptions space;
  std::vector<std::int64_t> budgets = {300, 1000, 3000, 10000};
  std::uint64_t first_seed = 1;
  int seeds = 3;
  /// Samples of one more annealing that only looks for the best known value; 0: none.
  std::int64_t best_known_samples = 0;
  int threads = 0;  ///< 0 = every core
  const std::atomic<bool>* stop = nullptr;
  ProgressFunction progress;
};

/// One run: a search on a layer with a budget and a seed.
struct CompareRun {
  std::size_t search = 0;
  std::size_t layer = 0;
  std::size_t budget = 0;
  std::uint64_t seed = 0;
  mapper::codes::CodeResult result;
};

struct Quartiles {
  double low = 0;
  double median = 0;
  double high = 0;
};
/// Linear between neighbours; infinite values count. Requires: not empty.
Quartiles QuartilesOf(std::vector<double> values);

/// All runs of one search with one budget.
struct CompareCell {
  Quartiles quality;          ///< over seeds, of the geometric mean over layers; infinite: no code
  double cpu_seconds = 0;     ///< a layer, mean
  double samples = 0;         ///< a layer, mean
  std::int64_t failures = 0;  ///< runs without a legal code
};

struct Comparison {
  struct Layer {
    std::string name;
    double best_known = 0;  ///< infinite: no legal code is known
    bool proven = false;
    double best_found = 0;     ///< in this comparison
    std::string best_by;       ///< the search that found it
    double compute_bound = 0;  ///< cycles; 0: unknown
    double cycles = 0;         ///< of the best code found
    double energy_nj = 0;
  };
  CompareOptions options;
  std::string title;
  std::string model;     ///< who prices
  std::string hardware;  ///< one line
  std::vector<Layer> layers;
  std::vector<CompareRun> runs;
  std::vector<std::vector<CompareCell>> cells;  ///< [search][budget]
  bool complete = true;                         ///< false when interrupted
  std::optional<Diagnostic> failed;             ///< an oracle gave up; the runs until then stand
};

/// Errors: kUnknownName for a search; those of the oracles' makers.
Result<Comparison> Compare(const std::vector<CodeSubject>& subjects, const CompareOptions& options);

/// Who prices, in the user's words.
struct CostRequest {
  std::string model = "maestro-exact";  ///< maestro, maestro-exact or reference
  std::string hardware;                 ///< a MAESTRO hardware file; empty: the edge machine
  std::string architecture;             ///< of the reference model
  std::string command;                  ///< a program in the place of the model
  cost::CommandOptions command_options;
  std::string objective = "edp";
  std::string energy;  ///< outer, full; empty: outer under maestro, else full
  std::int64_t levels = 2;
  bool shared = false;  ///< one code for all layers (mapper/codes/shared.h)
};

/// What a request means: who prices which layers, and `options` with objective, energy and space.
struct RequestedComparison {
  std::vector<CodeSubject> subjects;
  CompareOptions options;
  std::string title;
  std::string model;
  std::string hardware;
};
/// `subject`: `dcp12` (the twelve layers of the published comparisons), `mobilenet-v2`,
/// `resnet-101` or `vit-b16` (their distinct layers), a `.m` file (its layers), or an operator
/// descriptor. Errors: those of the readers, kUsage, kUnknownName.
Result<RequestedComparison> ParseComparison(const SearchPaths& paths, const std::string& subject,
                                            const CostRequest& cost, CompareOptions options);
Result<Comparison> CompareRequested(const SearchPaths& paths, const std::string& subject,
                                    const CostRequest& cost, CompareOptions options);

Page RenderComparison(const Comparison& comparison);
/// Lines that this text and that of fronts share: which energy is meant, which seeds ran.
std::string EnergyNote(const CompareOptions& options);
std::string SeedsNote(const CompareOptions& options);
std::string JsonOfComparison(const Comparison& comparison);
/// A page with two plots, no script, nothing to load.
std::string HtmlOfComparison(const Comparison& comparison);

}  // namespace sluice::driver
