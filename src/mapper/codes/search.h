#pragma once
/// \file
/// One interface for everything that searches dataflow codes, whoever prices them: the problem is a
/// layer on a machine (both the oracle's), an objective, a seed and a budget of samples. A sample
/// is one code priced by the oracle, legal or not. Every search is billed alike, by Judge
/// (judge.h).
///
/// Deterministic: the same problem, seed and budget give the same result, as long as the oracle
/// answers the same. Searches may plan with their budget: 300 samples of a run of 1,000 are not
/// what a run of 300 would do. Tested by tests/property/code_search_test.cpp.

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "cost/oracle/oracle.h"
#include "mapping/dataflow/code.h"

namespace sluice::mapper::codes {

enum class CodeObjective : std::uint8_t { kLatency, kEnergy, kEdp };
std::string_view CodeObjectiveName(CodeObjective objective);

/// Which energy is meant: without the innermost memory and the operations, as MAESTRO's CSV has it
/// and as GAMMA and DCP optimise it; or all of it.
enum class EnergyKind : std::uint8_t { kOuter, kFull };
std::string_view EnergyKindName(EnergyKind kind);

/// Cycles, nanojoules, or cycles times nanojoules; infinite for codes that are not legal.
double ValueOf(const cost::CodeCost& cost, CodeObjective objective, EnergyKind energy);

/// Which codes a search may propose.
struct SpaceOptions {
  int levels = 2;
  /// Each tile divides its parent. MAESTRO's model is exact there, and only there.
  bool divisor_tiles = true;
  /// R and S are never cut: the `maestro` compatible model refuses it.
  bool whole_windows = true;
  friend bool operator==(const SpaceOptions&, const SpaceOptions&) = default;
};

struct CodeProblem {
  cost::CostOracle* oracle = nullptr;  ///< not owned; one thread
  CodeObjective objective = CodeObjective::kEdp;
  EnergyKind energy = EnergyKind::kOuter;
  SpaceOptions space;
  std::uint64_t seed = 1;
  std::int64_t samples = 1000;
  /// Codes that take longer are worse, by more than they can gain in energy: to find the least
  /// energy under a limit of cycles.
  double cycle_limit = std::numeric_limits<double>::infinity();
  bool keep_front = false;  ///< for CodeResult::front
  /// Priced first, and counted. Searches that can start somewhere start at the best of them.
  std::span<const mapping::DataflowCode> starts;
};

/// Samples at which the best so far is noted, beside the end of the budget.
inline constexpr std::array<std::int64_t, 5> kCheckpoints = {100, 300, 1000, 3000, 10000};

struct TracePoint {
  std::int64_t samples = 0;
  double value = std::numeric_limits<double>::infinity();  ///< best so far
  double cpu_seconds = 0;                                  ///< of this thread since the start
};

/// A code that was priced.
struct FrontPoint {
  mapping::DataflowCode code;
  cost::CodeCost cost;
};

struct CodeResult {
  std::optional<mapping::DataflowCode> best;  ///< empty: no legal code was found
  cost::CodeCost cost;                        ///< of best
  double value = std::numeric_limits<double>::infinity();
  std::int64_t samples = 0;
  std::int64_t legal = 0;  ///< of them
  double cpu_seconds = 0;  ///< of this thread, the oracle's included
  /// At the checkpoints that were reached and at the end.
  std::vector<TracePoint> trace;
  /// Of all legal codes that were priced, those that none beats in both cycles and energy (of the
  /// problem's kind); fewer cycles first. Only where the problem asks for it.
  std::vector<FrontPoint> front;
  /// Why the oracle gave up before the budget was spent. What was found until then stands.
  std::optional<Diagnostic> stopped;
};

class CodeSearch {
 public:
  CodeSearch() = default;
  CodeSearch(const CodeSearch&) = delete;
  CodeSearch& operator=(const CodeSearch&) = delete;
  virtual ~CodeSearch() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// One sentence, for lists.
  [[nodiscard]] virtual std::string_view description() const = 0;
  [[nodiscard]] virtual CodeResult Run(const CodeProblem& problem) const = 0;
};

/// The searches of this module, in the order in which they are listed.
std::vector<const CodeSearch*> AllCodeSearches();
/// Errors: kUnknownName with the names there are.
sluice::Result<const CodeSearch*> FindCodeSearch(std::string_view name);

}  // namespace sluice::mapper::codes
