/// \file
/// `problem:` of Timeloop v0.3 as a workload.
///
/// A data space is a tensor; its projection lists one expression per axis, each a sum of terms
/// `[dim]` or `[dim, coefficient]`. Coefficients are declared with a default in the shape and may
/// be overridden in the instance. Exactly one data space is `read_write` and becomes the output.
/// Because one word is one element, the names decide nothing except which input counts as weights
/// (arch::TensorClass), and that only matters for keep rules, which Timeloop machines do not have.

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "arch/architecture.h"
#include "base/checked.h"
#include "base/diagnostic.h"
#include "io/timeloop/keys.h"
#include "io/timeloop/parts.h"
#include "io/yaml/yaml.h"
#include "ir/network.h"
#include "mapping/workload.h"

namespace sluice::io::timeloop {
namespace {

constexpr std::int64_t kMaxBound = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kMaxCoefficient = 1 << 20;
constexpr std::int64_t kMaxPoints = std::int64_t{1} << 62;
/// Of one tensor, so that sums over all tensors stay exact.
constexpr std::int64_t kMaxWords = std::int64_t{1} << 58;
/// In a file, those of bound 1 included.
constexpr std::size_t kMaxNamedDims = 64;

/// The shape Timeloop ships under the name `cnn-layer` and assumes when none is given.
constexpr const char* kCnnLayer = R"(
name: CNN_Layer
dimensions: [C, M, R, S, N, P, Q]
coefficients:
- {name: Wstride, default: 1}
- {name: Hstride, default: 1}
- {name: Wdilation, default: 1}
- {name: Hdilation, default: 1}
data_spaces:
- {name: Weights, projection: [[[C]], [[M]], [[R]], [[S]]]}
- {name: Inputs, projection: [[[N]], [[C]], [[R, Wdilation], [P, Wstride]], [[S, Hdilation], [Q, Hstride]]]}
- {name: Outputs, projection: [[[N]], [[M]], [[Q]], [[P]]], read_write: true}
)";

struct Coefficients {
  std::vector<std::string> names;
  std::map<std::string, std::int64_t, std::less<>> values;
};

bool IsIdentifier(const std::string& name) {
  return !name.empty() && std::ranges::all_of(name, [](unsigned char c) {
    return std::isalpha(c) != 0 || c == '_';
  });
}

Result<std::vector<std::string>> ReadDimNames(const Cursor& at) {
  std::vector<std::string> names;
  SLUICE_TRY(const std::vector<Cursor> items, at.Elements());
  if (items.size() > kMaxNamedDims) {
    return Fail(
        at.Error(ErrorCode::kBadValue, fmt::format("more than {} dimensions", kMaxNamedDims)));
  }
  for (const Cursor& item : items) {
    SLUICE_TRY(std::string name, item.AsString());
    if (!IsIdentifier(name)) {
      return Fail(item.Error(ErrorCode::kBadValue, fmt::format("`{}` is no dimension name", name),
                             "use letters and underscores"));
    }
    if (std::ranges::find(names, name) != names.end()) {
      return Fail(item.Error(ErrorCode::kDuplicateKey,
                             fmt::format("dimension `{}` is listed twice", name)));
    }
    names.push_back(std::move(name));
  }
  if (names.empty()) {
    return Fail(at.Error(ErrorCode::kBadValue, "a problem needs at least one dimension"));
  }
  return names;
}

Result<Coefficients> ReadCoefficients(const std::optional<Cursor>& at) {
  Coefficients result;
  if (!at) {
    return result;
  }
  SLUICE_TRY(const std::vector<Cursor> items, at->Elements());
  for (const Cursor& item : items) {
    SLUICE_TRY(const KeyMap keys, KeyMap::Read(item, {{"name"}, {"default"}}));
    SLUICE_TRY(const Cursor name_at, keys.At("name"));
    SLUICE_TRY(const Cursor value_at, keys.At("default"));
    SLUICE_TRY(std::string name, name_at.AsString());
    SLUICE_TRY(const std::int64_t value, value_at.AsInt(1, kMaxCoefficient));
    if (!result.values.emplace(name, value).second) {
      return Fail(name_at.Error(ErrorCode::kDuplicateKey,
                                fmt::format("coefficient `{}` is declared twice", name)));
    }
    result.names.push_back(std::move(name));
  }
  return result;
}

/// Reads `instance`: a bound for every dim and any of the coefficients.
Status ReadInstance(const Cursor& at, const std::vector<std::pair<std::string, Cursor>>& items,
                    Problem& problem, Coefficients& coefficients) {
  problem.bounds.assign(problem.dim_names.size(), 0);
  for (const auto& [key, value] : items) {
    const int dim = problem.FindDim(key);
    if (dim >= 0) {
      SLUICE_TRY(problem.bounds[static_cast<std::size_t>(dim)], value.AsInt(1, kMaxBound));
      continue;
    }
    const auto found = coefficients.values.find(key);
    if (found == coefficients.values.end()) {
      std::vector<std::string> candidates = problem.dim_names;
      candidates.insert(candidates.end(), coefficients.names.begin(), coefficients.names.end());
      return Fail(
          UnknownWord(value, ErrorCode::kUnknownKey, "dimension or coefficient", key, candidates));
    }
    SLUICE_TRY(found->second, value.AsInt(1, kMaxCoefficient));
  }
  for (std::size_t d = 0; d < problem.dim_names.size(); ++d) {
    if (problem.bounds[d] == 0) {
      return Fail(at.Error(
          ErrorCode::kMissingKey,
          fmt::format("the instance has no bound for dimension `{}`", problem.dim_names[d])));
    }
  }
  return {};
}

/// Moves the dims of bound > 1 into the workload.
Status PlaceDims(const Cursor& at, Problem& problem) {
  mapping::Workload& workload = problem.workload;
  std::int64_t points = 1;
  for (std::size_t d = 0; d < problem.dim_names.size(); ++d) {
    if (problem.bounds[d] == 1) {
      problem.workload_dim.push_back(-1);
      continue;
    }
    if (workload.bounds.full()) {
      return Fail(
          at.Error(ErrorCode::kBadValue,
                   fmt::format("more than {} dimensions with a bound above 1", mapping::kMaxDims)));
    }
    const auto product = CheckedMul(points, problem.bounds[d]);
    if (!product || *product > kMaxPoints) {
      return Fail(at.Error(ErrorCode::kBadValue, "the problem has more than 2^62 points"));
    }
    points = *product;
    problem.workload_dim.push_back(workload.dims());
    workload.dim_names.push_back(problem.dim_names[d]);
    workload.bounds.push_back(problem.bounds[d]);
  }
  return {};
}

struct DataSpace {
  std::string name;
  bool read_write = false;
  mapping::WorkloadTensor tensor;
};

/// One term: `dim`, `[dim]` or `[dim, coefficient]`, added to `axis`.
Status AddTerm(const Cursor& at, const Problem& problem, const Coefficients& coefficients,
               mapping::WorkloadAxis& axis) {
  std::vector<Cursor> parts = {at};
  if (at.IsSequence()) {
    SLUICE_TRY(parts, at.Elements());
  }
  if (parts.empty() || parts.size() > 2) {
    return Fail(
        at.Error(ErrorCode::kBadValue, "a term is [dimension] or [dimension, coefficient]"));
  }
  SLUICE_TRY(const std::string name, parts[0].AsString());
  const int dim = problem.FindDim(name);
  if (dim < 0) {
    return Fail(
        UnknownWord(parts[0], ErrorCode::kUnknownName, "dimension", name, problem.dim_names));
  }
  std::int64_t coefficient = 1;
  if (parts.size() == 2) {
    SLUICE_TRY(const std::string coefficient_name, parts[1].AsString());
    const auto found = coefficients.values.find(coefficient_name);
    if (found == coefficients.values.end()) {
      return Fail(UnknownWord(parts[1], ErrorCode::kUnknownName, "coefficient", coefficient_name,
                              coefficients.names));
    }
    coefficient = found->second;
  }
  const int placed = problem.workload_dim[static_cast<std::size_t>(dim)];
  if (placed < 0) {
    return {};
  }
  for (mapping::WorkloadTerm& term : axis) {
    if (term.dim == placed) {
      term.coefficient += coefficient;
      return {};
    }
  }
  if (axis.full()) {
    return Fail(at.Error(ErrorCode::kBadValue,
                         fmt::format("more than {} terms on one axis", mapping::kMaxTerms)));
  }
  axis.push_back({placed, coefficient});
  return {};
}

Result<mapping::WorkloadTensor> ReadProjection(const Cursor& at, const Problem& problem,
                                               const Coefficients& coefficients) {
  mapping::WorkloadTensor tensor;
  SLUICE_TRY(const std::vector<Cursor> axes, at.Elements());
  for (const Cursor& axis_at : axes) {
    mapping::WorkloadAxis axis;
    std::vector<Cursor> terms = {axis_at};
    if (axis_at.IsSequence()) {
      SLUICE_TRY(terms, axis_at.Elements());
    }
    for (const Cursor& term : terms) {
      if (axis_at.IsSequence() && !term.IsSequence()) {
        return Fail(term.Error(ErrorCode::kWrongType, "a term is a list",
                               "write an axis as [[dim], [dim, coefficient], ...]"));
      }
      SLUICE_TRY_STATUS(AddTerm(term, problem, coefficients, axis));
    }
    if (axis.empty()) {
      continue;  // moves with dims of bound 1 only: always one word wide
    }
    if (tensor.axes.full()) {
      return Fail(
          axis_at.Error(ErrorCode::kBadValue, fmt::format("more than {} axes", mapping::kMaxAxes)));
    }
    tensor.axes.push_back(axis);
    for (const mapping::WorkloadTerm& term : axis) {
      tensor.dims |= 1U << static_cast<unsigned>(term.dim);
    }
  }
  return tensor;
}

Result<DataSpace> ReadDataSpace(const Cursor& at, const Problem& problem,
                                const Coefficients& coefficients) {
  SLUICE_TRY(const KeyMap keys, KeyMap::Read(at, {{"name"}, {"projection"}, {"read_write"}}));
  DataSpace space;
  SLUICE_TRY(const Cursor name, keys.At("name"));
  SLUICE_TRY(space.name, name.AsString());
  if (const auto flag = keys.Find("read_write")) {
    SLUICE_TRY(space.read_write, flag->AsBool());
  }
  SLUICE_TRY(const Cursor projection, keys.At("projection"));
  SLUICE_TRY(space.tensor, ReadProjection(projection, problem, coefficients));
  return space;
}

bool LooksLikeWeights(const std::string& name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const char* hint : {"weight", "filter", "kernel"}) {
    if (lower.find(hint) != std::string::npos) {
      return true;
    }
  }
  return false;
}

/// Words of the whole tensor (its bounding box), nullopt beyond kMaxWords.
std::optional<std::int64_t> Words(const mapping::WorkloadTensor& tensor,
                                  const mapping::Workload& workload) {
  std::int64_t words = 1;
  for (const mapping::WorkloadAxis& axis : tensor.axes) {
    std::int64_t extent = 1;
    for (const mapping::WorkloadTerm& term : axis) {
      // At most kMaxTerms products below 2^53.
      extent += term.coefficient * (workload.bounds[static_cast<std::size_t>(term.dim)] - 1);
    }
    const auto product = CheckedMul(words, extent);
    if (!product || *product > kMaxWords) {
      return std::nullopt;
    }
    words = *product;
  }
  return words;
}

/// Whether some word of the output is produced by more than one point.
bool Accumulates(const mapping::WorkloadTensor& output, const mapping::Workload& workload) {
  const std::uint32_t all = (1U << static_cast<unsigned>(workload.dims())) - 1U;
  return output.dims != all || workload.points() > Words(output, workload).value_or(0);
}

void Classify(const std::vector<DataSpace>& spaces, Problem& problem) {
  mapping::Workload& workload = problem.workload;
  const bool named = std::ranges::any_of(
      spaces, [](const DataSpace& s) { return !s.read_write && LooksLikeWeights(s.name); });
  std::size_t reads = 0;
  for (const bool output : {false, true}) {
    for (const DataSpace& space : spaces) {
      if (space.read_write != output) {
        continue;
      }
      mapping::WorkloadTensor tensor = space.tensor;
      tensor.is_output = output;
      if (output) {
        tensor.tensor_class = arch::TensorClass::kOutput;
        tensor.read_modify_write = Accumulates(tensor, workload);
      } else {
        // Unnamed operands, as in C = A * B: the second one plays the part of the weights.
        const bool weights = named ? LooksLikeWeights(space.name) : reads == 1;
        tensor.tensor_class = weights ? arch::TensorClass::kWeight : arch::TensorClass::kInput;
        ++reads;
      }
      workload.tensors.push_back(tensor);
      workload.tensor_names.push_back(space.name);
    }
  }
}

Status ReadDataSpaces(const Cursor& at, const Coefficients& coefficients, Problem& problem) {
  SLUICE_TRY(const std::vector<Cursor> items, at.Elements());
  if (items.size() > static_cast<std::size_t>(mapping::kMaxTensors)) {
    return Fail(at.Error(ErrorCode::kBadValue,
                         fmt::format("more than {} data spaces", mapping::kMaxTensors)));
  }
  std::vector<DataSpace> spaces;
  int outputs = 0;
  for (const Cursor& item : items) {
    SLUICE_TRY(DataSpace space, ReadDataSpace(item, problem, coefficients));
    for (const DataSpace& other : spaces) {
      if (other.name == space.name) {
        return Fail(item.Error(ErrorCode::kDuplicateKey,
                               fmt::format("data space `{}` is defined twice", space.name)));
      }
    }
    if (!Words(space.tensor, problem.workload)) {
      return Fail(item.Error(ErrorCode::kBadValue,
                             fmt::format("data space `{}` has more than 2^58 words", space.name)));
    }
    outputs += space.read_write ? 1 : 0;
    spaces.push_back(std::move(space));
  }
  if (outputs != 1) {
    return Fail(at.Error(ErrorCode::kBadValue,
                         fmt::format("{} data spaces are read_write, exactly one must be", outputs),
                         "mark the output with `read_write: true`"));
  }
  Classify(spaces, problem);
  return {};
}

}  // namespace

int Problem::FindDim(std::string_view name) const {
  const auto found = std::ranges::find(dim_names, name);
  return found == dim_names.end() ? -1 : static_cast<int>(found - dim_names.begin());
}

Result<Problem> ReadProblem(const Cursor& problem_at) {
  if (!problem_at.IsMap()) {
    return Fail(problem_at.Error(ErrorCode::kWrongType, "expected a map with `shape`"));
  }
  SLUICE_TRY_STATUS(CheckVersion(problem_at.Find("version")));
  std::optional<Cursor> instance = problem_at.Find("instance");
  // Without `instance`, old files list the bounds next to `shape`.
  std::vector<std::pair<std::string, Cursor>> bounds;
  for (auto& [key, value] : problem_at.Items()) {
    if (key == "version" || key == "shape" || key == "instance") {
      continue;
    }
    if (instance) {
      return Fail(
          UnknownWord(value, ErrorCode::kUnknownKey, "key", key, {"version", "shape", "instance"}));
    }
    bounds.emplace_back(key, value);
  }
  if (instance) {
    if (!instance->IsMap()) {
      return Fail(instance->Error(ErrorCode::kWrongType, "expected a map of dimensions to bounds"));
    }
    bounds = instance->Items();
  }

  SLUICE_TRY(const YamlDocument built_in,
             YamlDocument::Parse(kCnnLayer, "built-in shape cnn-layer"));
  Cursor shape = built_in.root();
  if (const auto given = problem_at.Find("shape")) {
    if (given->IsScalar()) {
      SLUICE_TRY(const std::string name, given->AsString());
      if (Underscored(name) != "cnn_layer") {
        return Fail(
            UnknownWord(*given, ErrorCode::kUnknownName, "predefined shape", name, {"cnn-layer"}));
      }
    } else {
      shape = *given;
    }
  }
  SLUICE_TRY(const KeyMap keys,
             KeyMap::Read(shape, {{"name"}, {"dimensions"}, {"coefficients"}, {"data_spaces"}}));
  Problem problem;
  SLUICE_TRY(const Cursor dims_at, keys.At("dimensions"));
  SLUICE_TRY(problem.dim_names, ReadDimNames(dims_at));
  SLUICE_TRY(Coefficients coefficients, ReadCoefficients(keys.Find("coefficients")));
  const Cursor bounds_at = instance.value_or(problem_at);
  SLUICE_TRY_STATUS(ReadInstance(bounds_at, bounds, problem, coefficients));
  SLUICE_TRY_STATUS(PlaceDims(bounds_at, problem));
  SLUICE_TRY(const Cursor spaces_at, keys.At("data_spaces"));
  SLUICE_TRY_STATUS(ReadDataSpaces(spaces_at, coefficients, problem));
  problem.workload.name = "problem";
  if (const auto name = keys.Find("name")) {
    SLUICE_TRY(problem.workload.name, name->AsString());
  }
  problem.workload.body = {{ir::WorkClass::kMac, 1}};
  return problem;
}

}  // namespace sluice::io::timeloop
