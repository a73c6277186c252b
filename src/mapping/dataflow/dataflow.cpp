#include "mapping/dataflow/dataflow.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/checked.h"
#include "base/diagnostic.h"

namespace sluice::mapping {
namespace {

using enum LayerDim;

constexpr std::array<std::string_view, kLayerDims> kDimNames = {"C", "G", "K", "M", "N",
                                                                "R", "S", "X", "Y"};
constexpr std::array<std::string_view, kLayerTypes> kTypeNames = {"CONV", "DSCONV", "NGCONV",
                                                                  "TRCONV", "GEMM"};
constexpr std::int64_t kMaxCount = std::int64_t{1} << 48U;
/// MAESTRO keeps sizes in 32-bit integers.
constexpr std::int64_t kMaxSize = (std::int64_t{1} << 31U) - 1;

/// The product of the sizes of `dims`, 0 when it is beyond kMaxCount.
std::int64_t Volume(const Layer& layer, std::uint32_t dims, bool outputs) {
  std::int64_t volume = 1;
  for (int d = 0; d < kLayerDims; ++d) {
    const auto dim = static_cast<LayerDim>(d);
    if ((dims & Bit(dim)) != 0 && layer.has(dim)) {
      const auto product = CheckedMul(volume, outputs ? layer.outputs(dim) : layer[dim]);
      if (!product || *product > kMaxCount) {
        return 0;
      }
      volume = *product;
    }
  }
  return volume;
}

}  // namespace

std::string_view LayerDimName(LayerDim dim) {
  return kDimNames[Index(dim)];
}

std::string_view LayerTypeName(LayerType type) {
  return kTypeNames[static_cast<std::size_t>(type)];
}

std::int64_t Layer::outputs(LayerDim dim) const {
  if (type == LayerType::kGemm) {
    return size[Index(dim)];
  }
  if (dim == kY) {
    return (size[Index(kY)] - size[Index(kR)]) / stride_y + 1;
  }
  if (dim == kX) {
    return (size[Index(kX)] - size[Index(kS)]) / stride_x + 1;
  }
  return size[Index(dim)];
}

std::int64_t Layer::macs() const {
  std::uint32_t dims = (1U << static_cast<unsigned>(kLayerDims)) - 1;
  if (type == LayerType::kDepthwise) {
    dims &= ~Bit(kK);  // K is 1, or says how many channels there are once more
  }
  return Volume(*this, dims, true);
}

LayerTensors TensorsOf(const Layer& layer) {
  LayerTensors tensors;
  switch (layer.type) {
    case LayerType::kGemm:
      return {Bit(kM) | Bit(kK), Bit(kK) | Bit(kN), Bit(kM) | Bit(kN)};
    case LayerType::kDepthwise:
      tensors = {Bit(kC) | Bit(kY) | Bit(kX), Bit(kC) | Bit(kR) | Bit(kS),
                 Bit(kC) | Bit(kY) | Bit(kX)};
      break;
    case LayerType::kConv:
    case LayerType::kGrouped:
    case LayerType::kTransposed:
      tensors = {Bit(kC) | Bit(kY) | Bit(kX), Bit(kK) | Bit(kC) | Bit(kR) | Bit(kS),
                 Bit(kK) | Bit(kY) | Bit(kX)};
      break;
  }
  if (layer.has(kN)) {
    tensors.input |= Bit(kN);
    tensors.output |= Bit(kN);
  }
  if (layer.type == LayerType::kGrouped) {
    tensors.input |= Bit(kG);
    tensors.weight |= Bit(kG);
    tensors.output |= Bit(kG);
  }
  return tensors;
}

std::uint32_t RequiredDims(LayerType type) {
  constexpr std::uint32_t kWindow = Bit(kC) | Bit(kR) | Bit(kS) | Bit(kX) | Bit(kY);
  switch (type) {
    case LayerType::kGemm:
      return Bit(kK) | Bit(kM) | Bit(kN);
    case LayerType::kDepthwise:
      return kWindow;
    case LayerType::kGrouped:
      return kWindow | Bit(kK) | Bit(kG);
    case LayerType::kConv:
    case LayerType::kTransposed:
      break;
  }
  return kWindow | Bit(kK);
}

std::uint32_t AllowedDims(LayerType type) {
  if (type == LayerType::kGemm) {
    return RequiredDims(type);
  }
  return RequiredDims(type) | Bit(kK) | Bit(kN);
}

Status ValidateLayer(const Layer& layer) {
  const auto bad = [](LayerDim dim, std::string message) {
    return Fail(Diagnostic(ErrorCode::kOperatorInvalid, std::move(message))
                    .WithPath(std::string(LayerDimName(dim))));
  };
  for (int d = 0; d < kLayerDims; ++d) {
    const auto dim = static_cast<LayerDim>(d);
    const std::int64_t size = layer[dim];
    if (size < 0 || size > kMaxSize) {
      return bad(dim, fmt::format("size {} of {} is not between 1 and {}", size,
                                  kDimNames[Index(dim)], kMaxSize));
    }
    if (size == 0 && (RequiredDims(layer.type) & Bit(dim)) != 0) {
      return bad(dim, fmt::format("a {} layer needs dim {}", LayerTypeName(layer.type),
                                  kDimNames[Index(dim)]));
    }
    if (size > 0 && (AllowedDims(layer.type) & Bit(dim)) == 0) {
      return bad(dim, fmt::format("a {} layer has no dim {}", LayerTypeName(layer.type),
                                  kDimNames[Index(dim)]));
    }
  }
  if (layer.stride_y < 1 || layer.stride_x < 1 || layer.stride_y > kMaxSize ||
      layer.stride_x > kMaxSize) {
    return Fail(ErrorCode::kOperatorInvalid,
                fmt::format("stride {} x {} is not positive", layer.stride_y, layer.stride_x));
  }
  if (layer.type != LayerType::kGemm) {
    if (layer[kR] > layer[kY]) {
      return bad(kR, fmt::format("the kernel is {} high, its input only {}", layer[kR], layer[kY]));
    }
    if (layer[kS] > layer[kX]) {
      return bad(kS, fmt::format("the kernel is {} wide, its input only {}", layer[kS], layer[kX]));
    }
  }
  const LayerTensors tensors = TensorsOf(layer);
  if (layer.macs() == 0 || Volume(layer, tensors.input, false) == 0 ||
      Volume(layer, tensors.weight, false) == 0) {
    return Fail(ErrorCode::kOperatorInvalid, "the layer has more than 2^48 words or operations");
  }
  return {};
}

Status ValidateDataflow(const Layer& layer, const Dataflow& dataflow) {
  const auto bad = [](std::string message) {
    return Fail(ErrorCode::kMappingInvalid, std::move(message));
  };
  if (dataflow.levels.empty() || dataflow.clusters.size() + 1 != dataflow.levels.size()) {
    return bad(fmt::format("{} cluster sizes for {} levels", dataflow.clusters.size(),
                           dataflow.levels.size()));
  }
  for (const std::int64_t size : dataflow.clusters) {
    if (size < 1 || size > kMaxSize) {
      return bad(fmt::format("a cluster of {} units", size));
    }
  }
  for (std::size_t level = 0; level < dataflow.levels.size(); ++level) {
    std::uint32_t seen = 0;
    for (const Map& map : dataflow.levels[level]) {
      const std::string_view name = kDimNames[Index(map.dim)];
      if (!layer.has(map.dim)) {
        return bad(fmt::format("level {} maps {}, which the layer does not have", level, name));
      }
      if ((seen & Bit(map.dim)) != 0) {
        return bad(fmt::format("level {} maps {} twice", level, name));
      }
      seen |= Bit(map.dim);
      if (map.size < 1 || map.offset < 1 || map.size > kMaxSize || map.offset > kMaxSize) {
        return bad(fmt::format("level {} maps {} by ({}, {}); both must be positive", level, name,
                               map.size, map.offset));
      }
      if (map.output && ((map.dim != kY && map.dim != kX) || layer.type == LayerType::kGemm)) {
        return bad(fmt::format("level {} maps {}', but only Y and X have outputs", level, name));
      }
    }
  }
  return {};
}

}  // namespace sluice::mapping
