#pragma once
/// \file
/// A plan: how a network runs on an architecture, what each operator costs, and where it all came
/// from. Plain data; JSON in and out (io/plan_json.h), re-evaluable to the last digit.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "cost/cost.h"
#include "mapping/mapping.h"

namespace sluice::planner {

inline constexpr int kPlanFormatVersion = 1;

/// One operator's part. Operators with equal workloads and chains share one solution (`solution`).
struct OperatorPlan {
  std::string name;
  std::string kind;
  int solution = -1;  ///< index into Plan::solutions; -1 for a view (no work, no bytes)
};

/// The solution of one distinct (workload, chain). The names in the workload are those of the first
/// operator that uses it.
struct Solution {
  mapping::Workload workload;
  int chain = 0;  ///< index into arch::Chains(architecture)
  mapping::Mapping mapping;
  cost::Cost cost;
  double bound = 0;  ///< lower bound of the objective for this operator
  std::int64_t evaluations = 0;
  int uses = 0;  ///< how many operators share it
  /// What the mapper looked at, and how much of it bounds ruled out. Of this run; not stored.
  std::int64_t candidates = 0;
  std::int64_t ruled_out = 0;
  std::string stopped;  ///< why the mapper stopped
};

struct Provenance {
  std::string tool_version;
  std::string command;  ///< the command line, for people; not part of the reproducible bytes
  std::string model_path;
  std::string model_hash;
  std::string architecture_path;
  std::string architecture_hash;
  std::string constraints_path;  ///< empty: none
  std::string constraints_hash;
  std::string mapper;
  std::string policy;
  std::string objective;
  std::uint64_t seed = 1;
  bool imperfect = false;  ///< factors that do not divide were allowed
  std::int64_t batch = 0;  ///< 0 = as in the model
  std::vector<std::pair<std::string, std::int64_t>> dims;  ///< --dim name=value
};

struct Totals {
  double energy_pj = 0;
  double cycles = 0;
  [[nodiscard]] double edp() const { return energy_pj * cycles; }
  std::int64_t macs = 0;
  double utilization = 0;  ///< MACs / (cycles * peak MACs per cycle)
  double bound_energy_pj = 0;
  double bound_cycles = 0;
  std::int64_t evaluations = 0;
};

/// One chain of the architecture by names, so that a plan can be read and shown without it.
struct ChainNames {
  std::vector<std::string> levels;  ///< memories, outermost first
  std::string compute;
  friend bool operator==(const ChainNames&, const ChainNames&) = default;
};

struct Plan {
  int version = kPlanFormatVersion;
  Provenance provenance;
  std::string network_name;
  std::string architecture_name;
  std::vector<ChainNames> chains;       ///< of the architecture, in the order of arch::Chains
  std::vector<OperatorPlan> operators;  ///< in execution order
  std::vector<Solution> solutions;
  Totals totals;
  bool complete = true;  ///< false when interrupted: best found so far
  double seconds = 0;    ///< wall time of planning; not part of the reproducible bytes
};

}  // namespace sluice::planner
