#pragma once
/// \file
/// Plans: how a network runs on an architecture, and what it costs.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/architecture.h>
#include <sluice/error.h>
#include <sluice/evaluation.h>
#include <sluice/export.h>
#include <sluice/network.h>

namespace sluice {

/// What to minimise.
enum class Objective : std::uint8_t {
  kEnergy,   ///< picojoules
  kLatency,  ///< cycles
  kEdp,      ///< picojoules x cycles, of each operator
};

/// What a progress callback is told.
struct Progress {
  std::int64_t done = 0;           ///< distinct operators finished
  std::int64_t total = 0;          ///< distinct operators in all
  std::string_view operator_name;  ///< the last one finished; valid during the call
};

/// How to plan. The defaults plan ResNet-50 on a small machine in seconds.
struct PlanOptions {
  std::string mapper = "exact";           ///< the search method; see Mappers()
  std::string policy = "physical";        ///< the accounting; see EvaluateMapping
  Objective objective = Objective::kEdp;  ///< what to minimise
  std::uint64_t seed = 1;                 ///< same seed, same plan
  int threads = 0;                        ///< 0 = every core; never changes the plan
  std::int64_t evaluations = 0;           ///< per distinct operator; 0 = the mapper decides
  /// Wall time of the whole search, 0 = unlimited. With a limit the plan depends on the speed of
  /// the machine. When it is reached, the plan holds the best found so far.
  double seconds = 0;
  bool imperfect = false;   ///< also try factors that do not divide a dim
  std::string constraints;  ///< path of a file that every mapping must satisfy; empty: none
  /// A folder of mappings kept from earlier runs, made when it does not exist; empty: none. Any
  /// number of programs may share it, and no plan depends on it.
  std::string cache_folder;
  /// Cancels the search when it becomes true: the plan then holds the best found so far and
  /// complete() is false. May be set from any thread or signal handler. Not owned; may be null.
  const std::atomic<bool>* stop = nullptr;
  /// Called after each distinct operator, by one thread at a time, but not always the same and not
  /// the caller's. Should not throw: an exception ends the calls, and Plan::Make returns it as an
  /// error of kind kInput.
  std::function<void(const Progress&)> progress;
  std::string command;  ///< recorded in the plan for people, like a command line; may be empty
};

/// A search method.
struct MapperInfo {
  std::string name;         ///< for PlanOptions::mapper
  std::string description;  ///< one sentence
};

/// All search methods. Thread-safe.
SLUICE_API std::vector<MapperInfo> Mappers();

/// The cost of a whole plan.
struct PlanTotals {
  double energy_pj = 0;          ///< picojoules of all operators
  double cycles = 0;             ///< of all operators, one after the other
  std::int64_t macs = 0;         ///< multiply-accumulates
  double utilization = 0;        ///< macs / (cycles x peak), 0 to 1
  double bound_energy_pj = 0;    ///< no layer-by-layer plan needs less
  double bound_cycles = 0;       ///< no layer-by-layer plan needs fewer
  std::int64_t evaluations = 0;  ///< mappings costed to find it
};

/// One operator of a plan in short. Plan::Evaluate has the details.
struct PlannedOperator {
  std::string name;              ///< unique within the plan
  std::string kind;              ///< for example `Conv`
  bool view = false;             ///< no work, no traffic; everything below is zero or empty
  double energy_pj = 0;          ///< picojoules
  double cycles = 0;             ///< of the architecture's clock; integral
  double utilization = 0;        ///< share of the peak operations per cycle, 0 to 1
  std::string binding;           ///< what determines the cycles, as in Evaluation::binding
  std::string loop_nest;         ///< the mapping, one loop a line
  double bound = 0;              ///< no mapping's objective (PlanOptions::objective) is below this
  std::int64_t evaluations = 0;  ///< mappings costed to find it; shared by equal operators
  std::string stopped;           ///< why the search ended
};

/// A plan. Immutable, so that threads may share one; movable, not copyable. It keeps what it needs
/// of the network and the architecture. A moved-from plan may only be destroyed or assigned to.
class SLUICE_API Plan {
 public:
  /// Plans every operator of `network` on `architecture`. Deterministic: the same inputs, options
  /// and library give the same plan for any number of threads, unless a time limit or `stop` cuts
  /// in. Blocks; thread-safe; time is evaluations x distinct operators. Errors: kNoMapping naming
  /// the operator, memory, tensor and missing bytes; kInput for an option.
  static Expected<Plan> Make(const Network& network, const Architecture& architecture,
                             const PlanOptions& options = {});
  /// Reads a plan file and the model and architecture that it names (where it names them, else the
  /// shipped ones), checks their hashes and recomputes every number. Errors: kEnvironment for files
  /// that cannot be read; kInput for a malformed plan, for other files than the plan was made from,
  /// and for a number that the mappings do not have.
  static Expected<Plan> Read(const std::string& path);

  Plan(Plan&& other) noexcept;             ///< Moves.
  Plan& operator=(Plan&& other) noexcept;  ///< Moves.
  ~Plan();                                 ///< Invalidates nothing else.

  /// The cost of all operators together.
  [[nodiscard]] PlanTotals totals() const;
  /// All operators in execution order, views included. O(size).
  [[nodiscard]] std::vector<PlannedOperator> operators() const;
  /// False when the search was cancelled: the best found so far.
  [[nodiscard]] bool complete() const;
  /// What a user should know about the network, one sentence each.
  [[nodiscard]] const std::vector<std::string>& warnings() const;

  /// The mapping of operator number `index` of operators() with every number behind its cost.
  /// Errors: kInput for an index out of range or a view. Thread-safe.
  [[nodiscard]] Expected<Evaluation> Evaluate(std::size_t index) const;

  /// The plan as a table for people, at most 80 columns, with the `top` dearest operators.
  [[nodiscard]] std::string Summary(int top = 10) const;
  /// As JSON (docs/formats/plan.md). Reproducible but for the object `run`, which holds wall time
  /// and command line.
  [[nodiscard]] std::string ToJson() const;
  /// Writes ToJson() to a file, atomically: never half a file. Errors: kEnvironment.
  [[nodiscard]] Expected<void> WriteJson(const std::string& path) const;
  /// Writes a report for people as one HTML file that needs no network, atomically: interactive
  /// when the library was built with the front end, else plain tables. Errors: kEnvironment.
  [[nodiscard]] Expected<void> WriteReport(const std::string& path) const;

 private:
  friend struct Internals;
  struct Impl;
  explicit Plan(std::unique_ptr<const Impl> impl);
  std::unique_ptr<const Impl> impl_;
};

}  // namespace sluice
