#pragma once
/// \file
/// Data-centric dataflows: a layer of seven (or nine) fixed dims and, per level of PE clusters, a
/// list of maps. This is the language of MAESTRO ("Understanding Reuse, Performance, and Hardware
/// Cost of DNN Dataflow", MICRO 2019) as plain data: what `.m` files say and what the `maestro`
/// cost models price.
///
/// A map gives dim d in tiles of `size`, successive tiles displaced by `offset`: one after the
/// other (temporal) or one per sub-cluster (spatial). Maps stand outermost first. Y and X are
/// positions of the *input* (padding folded in: Y = (outputs - 1) * stride + R) unless the map says
/// `output` (written Y' and X'). `clusters[i]` is how many units of level i+1 make one cluster of
/// level i. Tested by tests/unit/dataflow_test.cpp, tests/property/dataflow_code_test.cpp.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/diagnostic.h"
#include "base/static_vector.h"

namespace sluice::mapping {

/// In alphabetical order, which is the order in which MAESTRO completes a level.
enum class LayerDim : std::uint8_t { kC, kG, kK, kM, kN, kR, kS, kX, kY };
inline constexpr int kLayerDims = 9;
using LayerSizes = std::array<std::int64_t, kLayerDims>;

constexpr std::size_t Index(LayerDim dim) {
  return static_cast<std::size_t>(dim);
}
constexpr std::uint32_t Bit(LayerDim dim) {
  return 1U << static_cast<unsigned>(dim);
}
/// `K`
std::string_view LayerDimName(LayerDim dim);

enum class LayerType : std::uint8_t { kConv, kDepthwise, kGrouped, kTransposed, kGemm };
inline constexpr int kLayerTypes = 5;
/// The word of `.m` files: CONV, DSCONV, NGCONV, TRCONV, GEMM.
std::string_view LayerTypeName(LayerType type);

/// One layer. A size of 0 means that the layer has no such dim (G and N may be left out).
struct Layer {
  LayerType type = LayerType::kConv;
  LayerSizes size{};
  std::int64_t stride_y = 1;
  std::int64_t stride_x = 1;

  [[nodiscard]] std::int64_t operator[](LayerDim dim) const { return size[Index(dim)]; }
  [[nodiscard]] bool has(LayerDim dim) const { return size[Index(dim)] > 0; }
  /// Positions of the output along Y or X; the size itself for any other dim.
  [[nodiscard]] std::int64_t outputs(LayerDim dim) const;
  /// Multiply-accumulates of the layer, each once.
  [[nodiscard]] std::int64_t macs() const;
  friend bool operator==(const Layer&, const Layer&) = default;
};

/// Which dims move each tensor; bit sets over LayerDim.
struct LayerTensors {
  std::uint32_t input = 0;
  std::uint32_t weight = 0;
  std::uint32_t output = 0;
};
/// What the computation says. Depth-wise layers have no K, grouped ones have G everywhere.
LayerTensors TensorsOf(const Layer& layer);

/// Dims that a layer of this type must have, and those that it may have beside them.
std::uint32_t RequiredDims(LayerType type);
std::uint32_t AllowedDims(LayerType type);

/// Sizes present and positive, nothing beyond the type's dims, kernels not larger than the input,
/// every tensor and the MACs below 2^48. Errors: kOperatorInvalid, path naming the dim.
Status ValidateLayer(const Layer& layer);

struct Map {
  LayerDim dim = LayerDim::kK;
  bool spatial = false;
  bool output = false;  ///< Y' or X': size and offset count outputs
  std::int64_t size = 1;
  std::int64_t offset = 1;
  friend bool operator==(const Map&, const Map&) = default;
};

inline constexpr int kMaxClusterLevels = 6;
using MapList = StaticVector<Map, kLayerDims>;

struct Dataflow {
  StaticVector<MapList, kMaxClusterLevels> levels;         ///< at least one, outermost first
  StaticVector<std::int64_t, kMaxClusterLevels> clusters;  ///< one less than the levels
  friend bool operator==(const Dataflow&, const Dataflow&) = default;
};

/// Structure only: as many clusters as levels less one, positive sizes and offsets, each dim at
/// most once a level, dims of the layer, Y' only for Y and X. Errors: kMappingInvalid.
Status ValidateDataflow(const Layer& layer, const Dataflow& dataflow);

}  // namespace sluice::mapping
