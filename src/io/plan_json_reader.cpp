// Reading plans. Every object lists its keys once, in Fields; everything a later step indexes with
// is checked here, so that a hostile file ends as a diagnostic and never as a crash.

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "arch/architecture.h"
#include "base/checked.h"
#include "base/diagnostic.h"
#include "cost/cost.h"
#include "io/plan_json.h"
#include "io/yaml/mapping.h"
#include "io/yaml/yaml.h"
#include "ir/network.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"
#include "planner/plan.h"

namespace sluice::io {
namespace {

constexpr std::int64_t kMaxInt = std::numeric_limits<std::int64_t>::max();
constexpr std::int32_t kMaxInt32 = std::numeric_limits<std::int32_t>::max();
/// Largest iteration space and tensor: products stay far from overflow in every later sum.
constexpr std::int64_t kMaxPoints = std::int64_t{1} << 60U;

/// A map with exactly the given keys.
Status Fields(const Cursor& at, std::initializer_list<std::string_view> keys) {
  SLUICE_TRY_STATUS(at.AllowKeys(keys));
  for (const std::string_view key : keys) {
    SLUICE_TRY(const Cursor unused, at.At(key));
    static_cast<void>(unused);
  }
  return {};
}

Status Read(const Cursor& parent, std::string_view key, std::string& out) {
  SLUICE_TRY(const Cursor at, parent.At(key));
  if (at.IsScalar() && !at.IsQuoted()) {
    return Fail(at.Error(ErrorCode::kWrongType, "expected text in quotes"));
  }
  SLUICE_TRY(out, at.AsString());
  return {};
}

Status Read(const Cursor& parent, std::string_view key, bool& out) {
  SLUICE_TRY(const Cursor at, parent.At(key));
  SLUICE_TRY(out, at.AsBool());
  return {};
}

/// A finite number that is not negative: everything a plan measures.
Status Read(const Cursor& parent, std::string_view key, double& out) {
  SLUICE_TRY(const Cursor at, parent.At(key));
  SLUICE_TRY(out, at.AsDouble());
  if (!(out >= 0) || !std::isfinite(out)) {
    return Fail(at.Error(ErrorCode::kBadValue, "expected a finite number that is not negative"));
  }
  return {};
}

template <class Integer>
Status Read(const Cursor& parent, std::string_view key, std::int64_t minimum, std::int64_t maximum,
            Integer& out) {
  SLUICE_TRY(const Cursor at, parent.At(key));
  SLUICE_TRY(const std::int64_t value, at.AsInt(minimum, maximum));
  out = static_cast<Integer>(value);
  return {};
}

Status ReadCount(const Cursor& parent, std::string_view key, std::int64_t& out) {
  return Read(parent, key, 0, kMaxInt, out);
}

/// Elements of the list at `key`, at most `most`.
Result<std::vector<Cursor>> List(const Cursor& parent, std::string_view key,
                                 std::size_t most = std::numeric_limits<std::size_t>::max()) {
  SLUICE_TRY(const Cursor at, parent.At(key));
  SLUICE_TRY(std::vector<Cursor> elements, at.Elements());
  if (elements.size() > most) {
    return Fail(at.Error(ErrorCode::kBadValue, fmt::format("{} elements are too many; at most {}",
                                                           elements.size(), most)));
  }
  return elements;
}

/// Index of the text at `key` among `names`.
template <class Names>
Result<std::size_t> Choice(const Cursor& parent, std::string_view key, const Names& names) {
  std::string text;
  SLUICE_TRY_STATUS(Read(parent, key, text));
  std::string known;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (text == names[i]) {
      return i;
    }
    known += fmt::format("{}{}", i == 0 ? "" : ", ", names[i]);
  }
  SLUICE_TRY(const Cursor at, parent.At(key));
  return Fail(at.Error(ErrorCode::kBadValue, fmt::format("`{}` is not known here", text),
                       "one of: " + known));
}

/// `edp` is redundant and must agree.
Status CheckEdp(const Cursor& parent, const cost::Score& score) {
  double edp = 0;
  SLUICE_TRY_STATUS(Read(parent, "edp", edp));
  if (edp != score.edp()) {
    SLUICE_TRY(const Cursor at, parent.At("edp"));
    return Fail(at.Error(ErrorCode::kBadValue, "edp is not energy_pj times cycles"));
  }
  return {};
}

Status ReadDims(const Cursor& at, mapping::Workload& workload) {
  SLUICE_TRY(const std::vector<Cursor> dims,
             List(at, "dims", static_cast<std::size_t>(mapping::kMaxDims)));
  std::int64_t points = 1;
  for (std::size_t d = 0; d < dims.size(); ++d) {
    SLUICE_TRY_STATUS(Fields(dims[d], {"name", "bound", "whole"}));
    std::string name;
    std::int64_t bound = 1;
    bool whole = false;
    SLUICE_TRY_STATUS(Read(dims[d], "name", name));
    SLUICE_TRY_STATUS(Read(dims[d], "bound", 1, kMaxInt32, bound));
    SLUICE_TRY_STATUS(Read(dims[d], "whole", whole));
    for (const std::string& other : workload.dim_names) {
      if (other == name) {
        return Fail(
            dims[d].Error(ErrorCode::kBadValue, fmt::format("second dim called `{}`", name)));
      }
    }
    points = CheckedMul(points, bound).value_or(kMaxInt);
    if (points > kMaxPoints) {
      return Fail(
          dims[d].Error(ErrorCode::kBadValue, "the iteration space has more than 2^60 points"));
    }
    workload.dim_names.push_back(std::move(name));
    workload.bounds.push_back(bound);
    workload.whole |= whole ? 1U << d : 0U;
  }
  return {};
}

Result<mapping::WorkloadAxis> ReadAxis(const Cursor& at, const mapping::Workload& workload,
                                       std::int64_t& words) {
  SLUICE_TRY(const std::vector<Cursor> terms, at.Elements());
  if (terms.size() > static_cast<std::size_t>(mapping::kMaxTerms)) {
    return Fail(at.Error(ErrorCode::kBadValue,
                         fmt::format("an axis has at most {} terms", mapping::kMaxTerms)));
  }
  mapping::WorkloadAxis axis;
  std::int64_t extent = 1;
  for (const Cursor& term : terms) {
    SLUICE_TRY_STATUS(Fields(term, {"dim", "coefficient"}));
    SLUICE_TRY(const std::size_t dim, Choice(term, "dim", workload.dim_names));
    std::int64_t coefficient = 1;
    SLUICE_TRY_STATUS(Read(term, "coefficient", 1, kMaxInt32, coefficient));
    // below 2^62 by the two limits, so the sum of four fits
    extent = CheckedAdd(extent, coefficient * (workload.bounds[dim] - 1)).value_or(kMaxInt);
    axis.push_back({static_cast<std::int32_t>(dim), coefficient});
  }
  words = CheckedMul(words, extent).value_or(kMaxInt);
  if (words > kMaxPoints) {
    return Fail(at.Error(ErrorCode::kBadValue, "the tensor has more than 2^60 words"));
  }
  return axis;
}

Status ReadTensors(const Cursor& at, mapping::Workload& workload) {
  SLUICE_TRY(const std::vector<Cursor> tensors,
             List(at, "tensors", static_cast<std::size_t>(mapping::kMaxTensors)));
  std::array<std::string_view, arch::kTensorClasses> classes;
  for (std::size_t c = 0; c < classes.size(); ++c) {
    classes[c] = arch::TensorClassName(static_cast<arch::TensorClass>(c));
  }
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    const Cursor& entry = tensors[t];
    SLUICE_TRY_STATUS(Fields(entry, {"name", "class", "accumulates", "axes"}));
    mapping::WorkloadTensor tensor;
    std::string name;
    SLUICE_TRY_STATUS(Read(entry, "name", name));
    SLUICE_TRY(const std::size_t tensor_class, Choice(entry, "class", classes));
    tensor.tensor_class = static_cast<arch::TensorClass>(tensor_class);
    tensor.is_output = t + 1 == tensors.size();
    if (tensor.is_output != (tensor.tensor_class == arch::TensorClass::kOutput)) {
      return Fail(
          entry.Error(ErrorCode::kBadValue, "the last tensor, and no other, is the output"));
    }
    SLUICE_TRY_STATUS(Read(entry, "accumulates", tensor.read_modify_write));
    SLUICE_TRY(const std::vector<Cursor> axes,
               List(entry, "axes", static_cast<std::size_t>(mapping::kMaxAxes)));
    std::int64_t words = 1;
    for (const Cursor& axis_at : axes) {
      SLUICE_TRY(const mapping::WorkloadAxis axis, ReadAxis(axis_at, workload, words));
      for (const mapping::WorkloadTerm& term : axis) {
        tensor.dims |= 1U << static_cast<unsigned>(term.dim);
      }
      tensor.axes.push_back(axis);
    }
    for (const std::string& other : workload.tensor_names) {
      if (other == name) {
        return Fail(
            entry.Error(ErrorCode::kBadValue, fmt::format("second tensor called `{}`", name)));
      }
    }
    workload.tensor_names.push_back(std::move(name));
    workload.tensors.push_back(tensor);
  }
  if (workload.tensors.empty()) {
    return Fail(at.Error(ErrorCode::kBadValue, "a workload has at least its output tensor"));
  }
  return {};
}

Status ReadWorkload(const Cursor& at, mapping::Workload& workload) {
  SLUICE_TRY_STATUS(Fields(at, {"name", "dims", "tensors", "body"}));
  SLUICE_TRY_STATUS(Read(at, "name", workload.name));
  SLUICE_TRY_STATUS(ReadDims(at, workload));
  SLUICE_TRY_STATUS(ReadTensors(at, workload));
  constexpr std::size_t kClasses = static_cast<std::size_t>(ir::WorkClass::kMove) + 1;
  std::array<std::string_view, kClasses> classes;
  for (std::size_t c = 0; c < kClasses; ++c) {
    classes[c] = arch::WorkClassName(static_cast<ir::WorkClass>(c));
  }
  SLUICE_TRY(const std::vector<Cursor> body, List(at, "body", kClasses));
  for (const Cursor& entry : body) {
    SLUICE_TRY_STATUS(Fields(entry, {"class", "per_point"}));
    ir::Work work;
    SLUICE_TRY(const std::size_t work_class, Choice(entry, "class", classes));
    work.work_class = static_cast<ir::WorkClass>(work_class);
    SLUICE_TRY_STATUS(Read(entry, "per_point", 1, kMaxInt32, work.per_point));
    workload.body.push_back(work);
  }
  return {};
}

Status ReadLoops(const Cursor& level, std::string_view key, const mapping::Workload& workload,
                 mapping::LoopList& out) {
  SLUICE_TRY(const std::vector<Cursor> loops,
             List(level, key, static_cast<std::size_t>(mapping::kMaxDims)));
  for (const Cursor& entry : loops) {
    SLUICE_TRY_STATUS(Fields(entry, {"dim", "factor", "last"}));
    SLUICE_TRY(const std::size_t dim, Choice(entry, "dim", workload.dim_names));
    mapping::Loop loop;
    loop.dim = static_cast<std::int32_t>(dim);
    SLUICE_TRY_STATUS(Read(entry, "factor", 1, kMaxInt32, loop.bound));
    SLUICE_TRY_STATUS(Read(entry, "last", 1, loop.bound, loop.last));
    out.push_back(loop);
  }
  return {};
}

/// The structure of docs/formats/mapping.md with every key spelled out. ReadMapping of
/// io/yaml/mapping.h needs the machine; a plan is read without it, and planner::Reevaluate checks
/// what depends on it.
Status ReadPlanMapping(const Cursor& solution, const planner::ChainNames& chain,
                       planner::Solution& out) {
  SLUICE_TRY(const Cursor at, solution.At("mapping"));
  SLUICE_TRY_STATUS(Fields(at, {"version", "levels"}));
  int version = 0;
  SLUICE_TRY_STATUS(Read(at, "version", kMappingFormatVersion, kMappingFormatVersion, version));
  SLUICE_TRY(const std::vector<Cursor> entries, List(at, "levels", arch::kMaxLevels));
  if (entries.size() != chain.levels.size()) {
    return Fail(
        at.Error(ErrorCode::kBadValue, fmt::format("the mapping has {} levels, its chain {}",
                                                   entries.size(), chain.levels.size())));
  }
  for (std::size_t l = 0; l < entries.size(); ++l) {
    const Cursor& entry = entries[l];
    SLUICE_TRY_STATUS(Fields(entry, {"memory", "keep", "temporal", "spatial_x", "spatial_y"}));
    std::string memory;
    SLUICE_TRY_STATUS(Read(entry, "memory", memory));
    if (memory != chain.levels[l]) {
      return Fail(entry.Error(ErrorCode::kBadValue,
                              fmt::format("level {} is {}, not {}", l, chain.levels[l], memory)));
    }
    mapping::LevelMapping level;
    level.keep = 0;
    SLUICE_TRY(const std::vector<Cursor> kept, List(entry, "keep", out.workload.tensors.size()));
    for (const Cursor& name_at : kept) {
      SLUICE_TRY(const std::string name, name_at.AsString());
      std::size_t t = 0;
      while (t < out.workload.tensor_names.size() && out.workload.tensor_names[t] != name) {
        ++t;
      }
      if (t == out.workload.tensor_names.size()) {
        return Fail(name_at.Error(ErrorCode::kBadValue,
                                  fmt::format("`{}` is not a tensor of this workload", name)));
      }
      level.keep |= 1U << t;
    }
    SLUICE_TRY_STATUS(ReadLoops(entry, "temporal", out.workload, level.temporal));
    SLUICE_TRY_STATUS(ReadLoops(entry, "spatial_x", out.workload, level.spatial_x));
    SLUICE_TRY_STATUS(ReadLoops(entry, "spatial_y", out.workload, level.spatial_y));
    out.mapping.levels.push_back(level);
  }
  return {};
}

Status ReadTraffic(const Cursor& at, const std::string& expected, cost::TensorTraffic& out) {
  SLUICE_TRY_STATUS(
      Fields(at, {"tensor", "kept", "tile_words", "reads", "fills", "updates", "read_blocks",
                  "fill_blocks", "update_blocks", "energy_pj", "network_words", "hops",
                  "spatial_reductions", "network_energy_pj"}));
  std::string tensor;
  SLUICE_TRY_STATUS(Read(at, "tensor", tensor));
  if (tensor != expected) {
    return Fail(
        at.Error(ErrorCode::kBadValue,
                 fmt::format("expected the traffic of `{}`, found `{}`", expected, tensor)));
  }
  SLUICE_TRY_STATUS(Read(at, "kept", out.kept));
  SLUICE_TRY_STATUS(ReadCount(at, "tile_words", out.tile_words));
  SLUICE_TRY_STATUS(ReadCount(at, "reads", out.reads));
  SLUICE_TRY_STATUS(ReadCount(at, "fills", out.fills));
  SLUICE_TRY_STATUS(ReadCount(at, "updates", out.updates));
  SLUICE_TRY_STATUS(ReadCount(at, "read_blocks", out.read_blocks));
  SLUICE_TRY_STATUS(ReadCount(at, "fill_blocks", out.fill_blocks));
  SLUICE_TRY_STATUS(ReadCount(at, "update_blocks", out.update_blocks));
  SLUICE_TRY_STATUS(Read(at, "energy_pj", out.energy_pj));
  SLUICE_TRY_STATUS(ReadCount(at, "network_words", out.network_words));
  SLUICE_TRY_STATUS(Read(at, "hops", out.hops));
  SLUICE_TRY_STATUS(ReadCount(at, "spatial_reductions", out.spatial_reductions));
  return Read(at, "network_energy_pj", out.network_energy_pj);
}

Status ReadCost(const Cursor& at, std::size_t levels, planner::Solution& solution) {
  cost::Cost& out = solution.cost;
  SLUICE_TRY_STATUS(
      Fields(at, {"energy_pj", "cycles", "edp", "operations", "compute_cycles", "compute_energy_pj",
                  "leakage_pj", "instances_used", "utilization", "binding", "levels"}));
  SLUICE_TRY_STATUS(Read(at, "energy_pj", out.score.energy_pj));
  SLUICE_TRY_STATUS(Read(at, "cycles", out.score.cycles));
  SLUICE_TRY_STATUS(CheckEdp(at, out.score));
  SLUICE_TRY_STATUS(ReadCount(at, "operations", out.operations));
  SLUICE_TRY_STATUS(ReadCount(at, "compute_cycles", out.compute_cycles));
  SLUICE_TRY_STATUS(Read(at, "compute_energy_pj", out.compute_energy_pj));
  SLUICE_TRY_STATUS(Read(at, "leakage_pj", out.leakage_pj));
  SLUICE_TRY_STATUS(ReadCount(at, "instances_used", out.instances_used));
  SLUICE_TRY_STATUS(Read(at, "utilization", out.utilization));
  SLUICE_TRY(const Cursor binding, at.At("binding"));
  SLUICE_TRY_STATUS(Fields(binding, {"resource", "level"}));
  SLUICE_TRY(const std::size_t resource, Choice(binding, "resource", cost::kResourceNames));
  out.binding.resource = static_cast<cost::Resource>(resource);
  SLUICE_TRY_STATUS(
      Read(binding, "level", -1, static_cast<std::int64_t>(levels) - 1, out.binding.level));
  SLUICE_TRY(const std::vector<Cursor> entries, List(at, "levels", levels));
  if (entries.size() != levels) {
    return Fail(at.Error(ErrorCode::kBadValue, fmt::format("the cost has {} levels, the chain {}",
                                                           entries.size(), levels)));
  }
  const std::vector<std::string>& names = solution.workload.tensor_names;
  out.levels = static_cast<int>(levels);
  out.tensors = static_cast<int>(names.size());
  for (std::size_t l = 0; l < levels; ++l) {
    cost::LevelCost& level = out.level[l];
    SLUICE_TRY_STATUS(Fields(entries[l], {"instances_used", "read_cycles", "write_cycles",
                                          "network_cycles", "leakage_pj", "tensors"}));
    SLUICE_TRY_STATUS(ReadCount(entries[l], "instances_used", level.instances_used));
    SLUICE_TRY_STATUS(Read(entries[l], "read_cycles", level.read_cycles));
    SLUICE_TRY_STATUS(Read(entries[l], "write_cycles", level.write_cycles));
    SLUICE_TRY_STATUS(Read(entries[l], "network_cycles", level.network_cycles));
    SLUICE_TRY_STATUS(Read(entries[l], "leakage_pj", level.leakage_pj));
    SLUICE_TRY(const std::vector<Cursor> tensors, List(entries[l], "tensors", names.size()));
    if (tensors.size() != names.size()) {
      return Fail(entries[l].Error(
          ErrorCode::kBadValue, fmt::format("expected the traffic of {} tensors", names.size())));
    }
    for (std::size_t t = 0; t < tensors.size(); ++t) {
      SLUICE_TRY_STATUS(ReadTraffic(tensors[t], names[t], level.tensors[t]));
    }
  }
  return {};
}

Status ReadSolution(const Cursor& at, const std::vector<planner::ChainNames>& chains,
                    planner::Solution& out) {
  SLUICE_TRY_STATUS(Fields(
      at, {"chain", "uses", "evaluations", "stopped", "bound", "workload", "mapping", "cost"}));
  SLUICE_TRY_STATUS(Read(at, "chain", 0, static_cast<std::int64_t>(chains.size()) - 1, out.chain));
  const std::size_t levels = chains[static_cast<std::size_t>(out.chain)].levels.size();
  SLUICE_TRY_STATUS(Read(at, "uses", 0, kMaxInt32, out.uses));
  SLUICE_TRY_STATUS(ReadCount(at, "evaluations", out.evaluations));
  SLUICE_TRY_STATUS(Read(at, "stopped", out.stopped));
  SLUICE_TRY_STATUS(Read(at, "bound", out.bound));
  SLUICE_TRY(const Cursor workload, at.At("workload"));
  SLUICE_TRY_STATUS(ReadWorkload(workload, out.workload));
  SLUICE_TRY_STATUS(ReadPlanMapping(at, chains[static_cast<std::size_t>(out.chain)], out));
  SLUICE_TRY(const Cursor cost, at.At("cost"));
  return ReadCost(cost, levels, out);
}

Status ReadProvenance(const Cursor& root, planner::Provenance& out) {
  SLUICE_TRY_STATUS(Read(root, "mapper", out.mapper));
  SLUICE_TRY_STATUS(Read(root, "objective", out.objective));
  SLUICE_TRY_STATUS(Read(root, "policy", out.policy));
  SLUICE_TRY_STATUS(Read(root, "seed", 0, kMaxInt, out.seed));
  SLUICE_TRY_STATUS(Read(root, "imperfect", out.imperfect));
  SLUICE_TRY(const Cursor at, root.At("provenance"));
  if (at.Find("constraints_path") || at.Find("constraints_hash")) {
    SLUICE_TRY_STATUS(
        Fields(at, {"tool_version", "model_path", "model_hash", "architecture_path",
                    "architecture_hash", "constraints_path", "constraints_hash", "batch", "dims"}));
    SLUICE_TRY_STATUS(Read(at, "constraints_path", out.constraints_path));
    SLUICE_TRY_STATUS(Read(at, "constraints_hash", out.constraints_hash));
    if (out.constraints_path.empty()) {
      SLUICE_TRY(const Cursor path, at.At("constraints_path"));
      return Fail(path.Error(ErrorCode::kBadValue, "the path of the constraints is empty",
                             "leave both keys out when there were none"));
    }
  } else {
    SLUICE_TRY_STATUS(Fields(at, {"tool_version", "model_path", "model_hash", "architecture_path",
                                  "architecture_hash", "batch", "dims"}));
  }
  SLUICE_TRY_STATUS(Read(at, "tool_version", out.tool_version));
  SLUICE_TRY_STATUS(Read(at, "model_path", out.model_path));
  SLUICE_TRY_STATUS(Read(at, "model_hash", out.model_hash));
  SLUICE_TRY_STATUS(Read(at, "architecture_path", out.architecture_path));
  SLUICE_TRY_STATUS(Read(at, "architecture_hash", out.architecture_hash));
  SLUICE_TRY_STATUS(Read(at, "batch", 0, kMaxInt, out.batch));
  SLUICE_TRY(const std::vector<Cursor> dims, List(at, "dims"));
  for (const Cursor& dim : dims) {
    SLUICE_TRY_STATUS(Fields(dim, {"name", "value"}));
    std::pair<std::string, std::int64_t> entry;
    SLUICE_TRY_STATUS(Read(dim, "name", entry.first));
    SLUICE_TRY_STATUS(Read(dim, "value", 1, kMaxInt, entry.second));
    out.dims.push_back(std::move(entry));
  }
  SLUICE_TRY(const Cursor run, root.At("run"));
  SLUICE_TRY_STATUS(Fields(run, {"seconds", "command"}));
  return Read(run, "command", out.command);
}

Status ReadTotals(const Cursor& root, planner::Totals& out) {
  SLUICE_TRY_STATUS(Read(root, "energy_pj", out.energy_pj));
  SLUICE_TRY_STATUS(Read(root, "cycles", out.cycles));
  SLUICE_TRY_STATUS(CheckEdp(root, {out.energy_pj, out.cycles}));
  SLUICE_TRY_STATUS(ReadCount(root, "macs", out.macs));
  SLUICE_TRY_STATUS(Read(root, "utilization", out.utilization));
  SLUICE_TRY_STATUS(ReadCount(root, "evaluations", out.evaluations));
  SLUICE_TRY(const Cursor bound, root.At("bound"));
  SLUICE_TRY_STATUS(Fields(bound, {"energy_pj", "cycles"}));
  SLUICE_TRY_STATUS(Read(bound, "energy_pj", out.bound_energy_pj));
  return Read(bound, "cycles", out.bound_cycles);
}

Status ReadChains(const Cursor& root, std::vector<planner::ChainNames>& out) {
  SLUICE_TRY(const std::vector<Cursor> chains, List(root, "chains"));
  for (const Cursor& at : chains) {
    SLUICE_TRY_STATUS(Fields(at, {"levels", "compute"}));
    planner::ChainNames chain;
    SLUICE_TRY(const std::vector<Cursor> levels, List(at, "levels", arch::kMaxLevels));
    for (const Cursor& level : levels) {
      SLUICE_TRY(std::string name, level.AsString());
      chain.levels.push_back(std::move(name));
    }
    SLUICE_TRY_STATUS(Read(at, "compute", chain.compute));
    out.push_back(std::move(chain));
  }
  return {};
}

/// Before anything else: another version may have other keys.
Status CheckVersion(const Cursor& root, int& version) {
  std::string format;
  SLUICE_TRY_STATUS(Read(root, "format", format));
  SLUICE_TRY_STATUS(Read(root, "version", 0, kMaxInt32, version));
  if (format != kPlanFormatName) {
    return Fail(root.Error(ErrorCode::kVersion, "this is not a plan",
                           fmt::format("a plan starts with \"format\": \"{}\"", kPlanFormatName)));
  }
  if (version != planner::kPlanFormatVersion) {
    SLUICE_TRY(const Cursor at, root.At("version"));
    return Fail(at.Error(
        ErrorCode::kVersion,
        fmt::format("plan format version {} is not readable by this program", version),
        fmt::format("it reads version {}; plan the model again", planner::kPlanFormatVersion)));
  }
  return {};
}

}  // namespace

Result<planner::Plan> PlanFromJson(const std::string& text, const std::string& file_name) {
  SLUICE_TRY(const YamlDocument document, YamlDocument::Parse(text, file_name));
  const Cursor root = document.root();
  planner::Plan plan;
  SLUICE_TRY_STATUS(CheckVersion(root, plan.version));
  SLUICE_TRY_STATUS(
      Fields(root, {"format", "version",   "network",     "architecture", "mapper",    "objective",
                    "policy", "seed",      "imperfect",   "complete",     "energy_pj", "cycles",
                    "edp",    "macs",      "utilization", "evaluations",  "bound",     "provenance",
                    "chains", "operators", "solutions",   "run"}));
  SLUICE_TRY_STATUS(Read(root, "network", plan.network_name));
  SLUICE_TRY_STATUS(Read(root, "architecture", plan.architecture_name));
  SLUICE_TRY_STATUS(Read(root, "complete", plan.complete));
  SLUICE_TRY_STATUS(ReadProvenance(root, plan.provenance));
  SLUICE_TRY_STATUS(ReadTotals(root, plan.totals));
  SLUICE_TRY_STATUS(ReadChains(root, plan.chains));
  SLUICE_TRY(const std::vector<Cursor> solutions, List(root, "solutions"));
  for (const Cursor& at : solutions) {
    SLUICE_TRY_STATUS(ReadSolution(at, plan.chains, plan.solutions.emplace_back()));
  }
  SLUICE_TRY(const std::vector<Cursor> operators, List(root, "operators"));
  for (const Cursor& at : operators) {
    SLUICE_TRY_STATUS(Fields(at, {"name", "kind", "solution"}));
    planner::OperatorPlan& op = plan.operators.emplace_back();
    SLUICE_TRY_STATUS(Read(at, "name", op.name));
    SLUICE_TRY_STATUS(Read(at, "kind", op.kind));
    SLUICE_TRY_STATUS(Read(at, "solution", -1, static_cast<std::int64_t>(plan.solutions.size()) - 1,
                           op.solution));
  }
  SLUICE_TRY(const Cursor run, root.At("run"));
  SLUICE_TRY_STATUS(Read(run, "seconds", plan.seconds));
  return plan;
}

}  // namespace sluice::io
