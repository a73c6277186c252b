#include "mapping/dataflow/code.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/diagnostic.h"
#include "base/static_vector.h"
#include "mapping/dataflow/dataflow.h"

namespace sluice::mapping {
namespace {

constexpr std::array<std::string_view, kCodeDims> kNames = {"K", "C", "Y", "X", "R", "S"};
constexpr std::size_t kNumbersPerLevel = std::size_t{2} * (kCodeDims + 1);

tl::unexpected<Diagnostic> Bad(std::string message) {
  return Fail(ErrorCode::kMappingInvalid, std::move(message));
}

bool IsPermutation(const std::array<CodeDim, kCodeDims>& order) {
  std::array<bool, kCodeDims> seen{};
  for (const CodeDim dim : order) {
    if (Index(dim) >= seen.size() || std::exchange(seen[Index(dim)], true)) {
      return false;
    }
  }
  return true;
}

/// Dims that the layer has, in the code's order; then the others, ascending.
std::array<CodeDim, kCodeDims> CanonicalOrder(const std::array<CodeDim, kCodeDims>& order,
                                              const CodeSizes& extents) {
  std::array<CodeDim, kCodeDims> result{};
  std::size_t next = 0;
  for (const CodeDim dim : order) {
    if (extents[Index(dim)] > 0) {
      result[next++] = dim;
    }
  }
  for (std::size_t d = 0; d < kCodeDims; ++d) {
    if (extents[d] == 0) {
      result[next++] = static_cast<CodeDim>(d);
    }
  }
  return result;
}

/// The dims that a code does not speak of, stepped through outermost.
StaticVector<LayerDim, 2> OuterDims(const Layer& layer) {
  StaticVector<LayerDim, 2> dims;
  if (layer.type != LayerType::kGemm) {
    for (const LayerDim dim : {LayerDim::kN, LayerDim::kG}) {
      if (layer.has(dim)) {
        dims.push_back(dim);
      }
    }
  }
  return dims;
}

Result<CodeDim> CodeDimOf(const Layer& layer, const CodeSizes& extents, LayerDim dim) {
  for (std::size_t d = 0; d < kCodeDims; ++d) {
    const auto code_dim = static_cast<CodeDim>(d);
    if (extents[d] > 0 && LayerDimOf(layer, code_dim) == dim) {
      return code_dim;
    }
  }
  return Bad(fmt::format("a code has no place for {} here", LayerDimName(dim)));
}

}  // namespace

CodeSizes CodeExtents(const Layer& layer) {
  using enum LayerDim;
  if (layer.type == LayerType::kGemm) {
    return {layer[kN], layer[kK], layer[kM], 0, 0, 0};
  }
  const std::int64_t k = layer.type == LayerType::kDepthwise ? 0 : layer[kK];
  return {k, layer[kC], layer.outputs(kY), layer.outputs(kX), layer[kR], layer[kS]};
}

LayerDim LayerDimOf(const Layer& layer, CodeDim dim) {
  using enum LayerDim;
  constexpr std::array<LayerDim, kCodeDims> kConv = {kK, kC, kY, kX, kR, kS};
  constexpr std::array<LayerDim, kCodeDims> kGemm = {kN, kK, kM, kX, kR, kS};
  return layer.type == LayerType::kGemm ? kGemm[Index(dim)] : kConv[Index(dim)];
}

Status ValidateCode(const Layer& layer, const DataflowCode& code) {
  if (code.levels.empty()) {
    return Bad("a code has at least one level");
  }
  for (std::size_t l = 0; l < code.levels.size(); ++l) {
    const LevelCode& level = code.levels[l];
    if (!IsPermutation(level.order)) {
      return Bad(fmt::format("level {}: the order is no permutation of K C Y X R S", l));
    }
    if (Index(level.parallel) >= kCodeDims) {
      return Bad(fmt::format("level {}: there is no parallel dim {}", l, Index(level.parallel)));
    }
    if (l == 0 ? level.units != 0 : level.units < 1) {
      return Bad(fmt::format("level {}: {} units", l, level.units));
    }
  }
  const DataflowCode canonical = Canonical(layer, code);
  for (std::size_t l = 0; l < code.levels.size(); ++l) {
    for (std::size_t d = 0; d < kCodeDims; ++d) {
      if (code.levels[l].tile[d] != canonical.levels[l].tile[d]) {
        return Bad(fmt::format("level {}: tile {} of {} should be {}", l, code.levels[l].tile[d],
                               kNames[d], canonical.levels[l].tile[d]));
      }
    }
    if (!(code.levels[l] == canonical.levels[l])) {
      return Bad(fmt::format("level {}: the layer has no dim for its order or parallel dim", l));
    }
  }
  return {};
}

DataflowCode Canonical(const Layer& layer, DataflowCode code) {
  const CodeSizes extents = CodeExtents(layer);
  CodeSizes parent;
  for (std::size_t d = 0; d < kCodeDims; ++d) {
    parent[d] = std::max<std::int64_t>(extents[d], 1);
  }
  for (std::size_t l = 0; l < code.levels.size(); ++l) {
    LevelCode& level = code.levels[l];
    level.units = l == 0 ? 0 : std::max<std::int64_t>(level.units, 1);
    for (std::size_t d = 0; d < kCodeDims; ++d) {
      level.tile[d] = std::clamp<std::int64_t>(level.tile[d], 1, parent[d]);
    }
    if (extents[Index(level.parallel)] == 0) {
      level.parallel = level.parallel == CodeDim::kK ? CodeDim::kC : CodeDim::kY;
    }
    level.order = CanonicalOrder(level.order, extents);
    parent = level.tile;
  }
  return code;
}

Dataflow Decode(const Layer& layer, const DataflowCode& code) {
  const CodeSizes extents = CodeExtents(layer);
  Dataflow dataflow;
  for (std::size_t l = 0; l < code.levels.size(); ++l) {
    const LevelCode& level = code.levels[l];
    MapList maps;
    if (l == 0) {
      for (const LayerDim dim : OuterDims(layer)) {
        maps.push_back({dim, false, false, 1, 1});
      }
    } else {
      dataflow.clusters.push_back(level.units);
    }
    for (const CodeDim dim : level.order) {
      if (extents[Index(dim)] > 0) {
        const bool output =
            layer.type != LayerType::kGemm && (dim == CodeDim::kY || dim == CodeDim::kX);
        const std::int64_t tile = level.tile[Index(dim)];
        maps.push_back({LayerDimOf(layer, dim), dim == level.parallel, output, tile, tile});
      }
    }
    dataflow.levels.push_back(maps);
  }
  return dataflow;
}

Result<DataflowCode> Encode(const Layer& layer, const Dataflow& dataflow) {
  const CodeSizes extents = CodeExtents(layer);
  const auto outer = OuterDims(layer);
  DataflowCode code;
  if (dataflow.levels.empty() || dataflow.levels.size() > kMaxCodeLevels) {
    return Bad(
        fmt::format("a code has 1 to {} levels, not {}", kMaxCodeLevels, dataflow.levels.size()));
  }
  for (std::size_t l = 0; l < dataflow.levels.size(); ++l) {
    LevelCode level;
    level.units = l == 0 ? 0 : dataflow.clusters[l - 1];
    std::size_t next = 0;
    int spatial = 0;
    for (const Map& map : dataflow.levels[l]) {
      const bool stepped = l == 0 && std::ranges::find(outer, map.dim) != outer.end();
      if (stepped) {
        continue;  // compared with what Decode writes, below
      }
      SLUICE_TRY(const CodeDim dim, CodeDimOf(layer, extents, map.dim));
      level.order[next++] = dim;
      level.tile[Index(dim)] = map.size;
      if (map.spatial) {
        level.parallel = dim;
        ++spatial;
      }
    }
    if (spatial != 1) {
      return Bad(fmt::format("level {} has {} spatial maps; a code has one", l, spatial));
    }
    for (std::size_t d = 0; d < kCodeDims; ++d) {
      if (extents[d] == 0 && next < kCodeDims) {
        level.order[next++] = static_cast<CodeDim>(d);
      }
    }
    if (next != kCodeDims || !IsPermutation(level.order)) {
      return Bad(fmt::format("level {} does not map every dim of the layer once", l));
    }
    code.levels.push_back(level);
  }
  SLUICE_TRY_STATUS(ValidateCode(layer, code));
  if (!(Decode(layer, code) == dataflow)) {
    return Bad("a code can only say tiles next to one another, with Y' and X' in outputs");
  }
  return code;
}

std::vector<std::int64_t> ToNumbers(const DataflowCode& code) {
  std::vector<std::int64_t> numbers;
  numbers.reserve(code.levels.size() * kNumbersPerLevel);
  for (const LevelCode& level : code.levels) {
    numbers.push_back(static_cast<std::int64_t>(Index(level.parallel)));
    numbers.push_back(level.units);
    for (const CodeDim dim : level.order) {
      numbers.push_back(static_cast<std::int64_t>(Index(dim)));
      numbers.push_back(level.tile[Index(dim)]);
    }
  }
  return numbers;
}

Result<DataflowCode> FromNumbers(std::span<const std::int64_t> numbers) {
  const std::size_t levels = numbers.size() / kNumbersPerLevel;
  if (levels * kNumbersPerLevel != numbers.size() || levels < 1 || levels > kMaxCodeLevels) {
    return Bad(
        fmt::format("{} numbers are no code; a level has {}", numbers.size(), kNumbersPerLevel));
  }
  DataflowCode code;
  for (std::size_t l = 0; l < levels; ++l) {
    const auto level_numbers = numbers.subspan(l * kNumbersPerLevel, kNumbersPerLevel);
    LevelCode level;
    for (std::size_t i = 0; i < level_numbers.size(); i += 2) {
      if (level_numbers[i] < 0 || level_numbers[i] >= kCodeDims) {
        return Bad(fmt::format("level {}: there is no dim {}", l, level_numbers[i]));
      }
    }
    level.parallel = static_cast<CodeDim>(level_numbers[0]);
    level.units = level_numbers[1];
    for (std::size_t i = 0; i < kCodeDims; ++i) {
      level.order[i] = static_cast<CodeDim>(level_numbers[2 * i + 2]);
      level.tile[Index(level.order[i])] = level_numbers[2 * i + 3];
    }
    if (!IsPermutation(level.order)) {
      return Bad(fmt::format("level {}: the order is no permutation of K C Y X R S", l));
    }
    code.levels.push_back(level);
  }
  return code;
}

Result<Layer> LayerOf(const LayerCode& code) {
  using enum LayerDim;
  constexpr std::array<LayerType, 6> kTypes = {LayerType::kGemm,      LayerType::kConv,
                                               LayerType::kDepthwise, LayerType::kGemm,
                                               LayerType::kGrouped,   LayerType::kTransposed};
  if (code.type < 0 || code.type >= static_cast<std::int64_t>(kTypes.size())) {
    return Fail(Diagnostic(ErrorCode::kOperatorInvalid, fmt::format("layer type {}", code.type))
                    .WithHint("0 to 5: FC, convolution, depth-wise, GEMM, grouped, transposed"));
  }
  constexpr std::int64_t kMax = std::numeric_limits<std::int32_t>::max();
  for (const std::int64_t value : {code.y, code.x, code.pad_y, code.pad_x}) {
    if (value < 0 || value > kMax) {
      return Fail(ErrorCode::kOperatorInvalid,
                  fmt::format("{} is no size of an input or of its padding", value));
    }
  }
  Layer layer;
  layer.type = kTypes[static_cast<std::size_t>(code.type)];
  const auto set = [&layer](LayerDim dim, std::int64_t size) { layer.size[Index(dim)] = size; };
  if (layer.type == LayerType::kGemm) {
    if (code.x != 1 || code.r != 1 || code.s != 1 || (code.type == 0 && code.y != 1)) {
      return Fail(ErrorCode::kOperatorInvalid, "a GEMM has only K, C and Y; the others are 1");
    }
    set(kN, code.k);
    set(kK, code.c);
    set(kM, code.y);
  } else {
    set(kK, layer.type == LayerType::kDepthwise ? 0 : code.k);
    set(kC, code.c);
    set(kR, code.r);
    set(kS, code.s);
    set(kY, code.y + code.pad_y);
    set(kX, code.x + code.pad_x);
    set(kN, code.batch);
    set(kG, code.groups);
    layer.stride_y = code.stride_y;
    layer.stride_x = code.stride_x;
  }
  SLUICE_TRY_STATUS(ValidateLayer(layer));
  return layer;
}

LayerCode CodeOf(const Layer& layer) {
  using enum LayerDim;
  LayerCode code;
  if (layer.type == LayerType::kGemm) {
    code.k = layer[kN];
    code.c = layer[kK];
    code.y = layer[kM];
    code.type = 3;
    return code;
  }
  constexpr std::array<std::int64_t, kLayerTypes> kCodes = {1, 2, 4, 5, 3};
  code.type = kCodes[static_cast<std::size_t>(layer.type)];
  code.k = layer.type == LayerType::kDepthwise ? 1 : layer[kK];
  code.c = layer[kC];
  code.y = layer[kY];
  code.x = layer[kX];
  code.r = layer[kR];
  code.s = layer[kS];
  code.stride_y = layer.stride_y;
  code.stride_x = layer.stride_x;
  code.batch = layer[kN];
  code.groups = layer[kG];
  return code;
}

}  // namespace sluice::mapping
