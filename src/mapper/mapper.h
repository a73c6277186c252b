#pragma once
/// \file
/// One interface for everything that searches a mapping of one operator on one chain.
/// Mappers are anytime and interruptible, count what they spend, and are deterministic: the same
/// problem, seed and evaluation budget give the same mapping for any number of threads.

#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "cost/evaluator.h"
#include "mapping/constraints.h"

namespace sluice::mapper {

struct Problem {
  const cost::Evaluator* evaluator = nullptr;  ///< workload, chain, policy; not owned
  cost::Objective objective = cost::Objective::kEdp;
  std::uint64_t seed = 1;
  bool imperfect = false;  ///< allow factors that do not divide
  /// What the mapping must satisfy; resolved for the evaluator's workload and chain, without
  /// contradictions. Not owned; null: nothing.
  const mapping::Constraints* constraints = nullptr;
};

struct Budget {
  std::int64_t evaluations = std::numeric_limits<std::int64_t>::max();
  double seconds = std::numeric_limits<double>::infinity();
  /// Polled; when true the search returns its best so far. Not owned, may be null.
  const std::atomic<bool>* stop = nullptr;
};

enum class StopReason : std::uint8_t {
  kConverged,
  kEvaluations,
  kSeconds,
  kInterrupted,
  kInfeasible,
  kProven
};
std::string_view StopReasonName(StopReason reason);

struct Result {
  std::optional<mapping::Mapping> best;  ///< empty: no valid mapping found
  cost::Score score;                     ///< of best
  double bound = 0;                      ///< no valid mapping's objective is below this
  std::int64_t evaluations = 0;          ///< full cost evaluations
  std::int64_t candidates = 0;           ///< including those rejected before evaluation
  std::int64_t ruled_out = 0;            ///< partial mappings that a bound or an equal ruled out
  double seconds = 0;
  StopReason stopped = StopReason::kConverged;
  /// When best is empty: the level and tensor that bind and the words short.
  std::vector<mapping::Violation> reasons;
};

class Mapper {
 public:
  Mapper() = default;
  Mapper(const Mapper&) = delete;
  Mapper& operator=(const Mapper&) = delete;
  virtual ~Mapper() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// One sentence for `sluice mappers`.
  [[nodiscard]] virtual std::string_view description() const = 0;
  [[nodiscard]] virtual Result Solve(const Problem& problem, const Budget& budget) const = 0;
  /// Evaluations that a planner grants `problem` when the user sets no budget: a good answer for
  /// one operator of many. 0: no limit, Solve ends by itself.
  [[nodiscard]] virtual std::int64_t PlanningEvaluations(const Problem& /*problem*/) const {
    return 0;
  }
  /// Error: why this mapper cannot solve the problem whatever the budget. Most solve them all.
  [[nodiscard]] virtual Status Supports(const Problem& /*problem*/) const { return {}; }
};

/// Every mapper of this module that needs no file, in the order `sluice mappers` prints. An
/// explicit list, no registration magic.
const std::vector<const Mapper*>& AllMappers();
/// Errors: kUnknownName with the closest name.
sluice::Result<const Mapper*> FindMapper(std::string_view name);

}  // namespace sluice::mapper
