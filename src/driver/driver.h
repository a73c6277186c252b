#pragma once
/// \file
/// The only place that wires modules together: load, plan, map, evaluate, re-evaluate, check the
/// installation. Every function takes plain requests and returns values or a Diagnostic; texts are
/// made by render.h and json.h. cli/ is a thin shell over this header. Tested by
/// tests/unit/driver_*_test.cpp and tests/cli.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "arch/architecture.h"
#include "base/diagnostic.h"
#include "cost/cost.h"
#include "cost/policy.h"
#include "driver/catalog/catalog.h"
#include "driver/explain/explain.h"
#include "driver/requests.h"
#include "ir/network.h"
#include "mapper/mapper.h"
#include "mapping/mapping.h"
#include "planner/plan.h"

namespace sluice::driver {

struct LoadedNetwork {
  ir::Network network;
  std::string path;
  std::string hash;  ///< of the file's bytes
};
struct LoadedArchitecture {
  arch::Architecture architecture;
  std::string path;
  std::string hash;
};

Result<LoadedNetwork> LoadNetwork(const SearchPaths& paths, const ModelRequest& request);
Result<LoadedArchitecture> LoadArchitecture(const SearchPaths& paths, const std::string& name);

/// A plan together with what it was made for.
struct PlanOutcome {
  planner::Plan plan;
  LoadedNetwork network;  ///< its warnings are worth showing
  LoadedArchitecture architecture;
};

/// Plans a network. When interrupted, the plan holds the best found so far and `complete` is false.
/// Errors: those of the readers; kNoValidMapping naming operator, level, tensor and bytes short.
Result<PlanOutcome> PlanNetwork(const SearchPaths& paths, const ModelRequest& model,
                                const std::string& architecture, const SearchRequest& search,
                                const std::string& command_line);

/// One operator with a mapping and what it costs.
struct Evaluation {
  std::string architecture_name;
  arch::Chain chain;
  mapping::Workload workload;
  mapping::Mapping mapping;
  cost::Policy policy;
  cost::Cost cost;
  double bound_energy_pj = 0;  ///< no valid mapping needs less
  double bound_cycles = 0;
  Explanation explanation;
};

/// The descriptor's mapping, searched exactly as PlanNetwork would search it. Errors as for
/// PlanNetwork.
struct MapOutcome {
  Evaluation evaluation;
  std::string mapper;
  std::string objective;
  std::uint64_t seed = 1;
  double bound = 0;  ///< no valid mapping's objective is below this
  std::int64_t evaluations = 0;
  double seconds = 0;
  std::int64_t candidates = 0;  ///< whole and partial mappings looked at
  std::int64_t ruled_out = 0;   ///< of these, by a bound
  std::string stopped;          ///< why the search ended
  std::string constraints;      ///< path of the file that the mapping satisfies; empty: none
  bool complete = true;         ///< false when interrupted
};
Result<MapOutcome> MapOperator(const SearchPaths& paths, const std::string& descriptor,
                               const std::string& architecture, const SearchRequest& search);

/// The front of energy and cycles of one operator: mappings that no other beats in both.
struct FrontOutcome {
  struct Point {
    mapping::Mapping mapping;
    cost::Score score;
  };
  std::string architecture_name;
  mapping::Workload workload;
  cost::Policy policy;
  std::vector<Point> points;  ///< by rising energy; never empty
  bool proven = false;        ///< whether every such mapping is among them, one for each pair
  std::string stopped;
  double seconds = 0;
};
/// Uses the exact mapper, whatever `search.mapper`. Errors: as MapOperator, and kUsage for
/// imperfect factors, which the front does not cover.
Result<FrontOutcome> MapFront(const SearchPaths& paths, const std::string& descriptor,
                              const std::string& architecture, const SearchRequest& search);

/// Scores a given mapping. Errors: those of the readers and of mapping::CheckMapping.
Result<Evaluation> EvaluateMapping(const SearchPaths& paths, const std::string& descriptor,
                                   const std::string& architecture, const std::string& mapping_file,
                                   const std::string& policy);

/// Scores a mapping given as Timeloop v0.3 files (architecture, problem, mapping, energy table, in
/// any order and any split).
struct TimeloopEvaluation {
  Evaluation evaluation;
  std::vector<std::string> warnings;  ///< what Timeloop models and we approximate
};
Result<TimeloopEvaluation> EvaluateTimeloop(const std::vector<std::string>& files,
                                            const std::string& policy);

/// How WriteMapping writes.
enum class MappingFormat : std::uint8_t { kYaml, kTimeloop };
Result<MappingFormat> ParseMappingFormat(const std::string& text);
/// Returns what the format cannot express, one sentence each.
Result<std::vector<std::string>> WriteMapping(const std::string& path, const Evaluation& evaluation,
                                              MappingFormat format);

Status WritePlan(const std::string& path, const planner::Plan& plan);
Result<planner::Plan> ReadPlan(const std::string& path);

/// Loads the model and the architecture that a plan names, checks their hashes and recomputes every
/// cost; the plan returned has the recomputed costs. Errors: kPlanMismatch when a hash differs or a
/// recomputed number is not the stored one.
Result<PlanOutcome> EvaluatePlan(const SearchPaths& paths, const std::string& plan_file);

/// The operator called `name`, or else with this number (they count from 0, as in tables and
/// reports), or the one that costs the most energy when `name` is empty. Errors: kUnknownName with
/// the closest name.
Result<std::size_t> FindOperator(const planner::Plan& plan, const std::string& name);

/// One operator of a plan with its own names (equal operators share a solution, which has the names
/// of the first). Requires: an index of plan.operators. Errors: kUsage for a view.
Result<Evaluation> EvaluateOperator(const PlanOutcome& outcome, std::size_t index);

/// One line of `sluice doctor`.
struct HealthCheck {
  std::string name;
  bool ok = false;
  std::string detail;
};
std::vector<HealthCheck> CheckInstallation(const SearchPaths& paths);

/// What a file holds, by its extension and its first bytes.
enum class FileKind : std::uint8_t { kModel, kArchitecture, kPlan };
struct FoundFile {
  FileKind kind = FileKind::kModel;
  std::string path;
};
/// `text` is a path or a shipped name. Errors: kFileUnreadable, kUnknownName.
Result<FoundFile> DetectFile(const SearchPaths& paths, const std::string& text);

}  // namespace sluice::driver
