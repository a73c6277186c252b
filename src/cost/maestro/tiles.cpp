#include "cost/maestro/tiles.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "cost/maestro/hardware.h"
#include "cost/maestro/report.h"
#include "mapping/dataflow/dataflow.h"

namespace sluice::cost::maestro {
namespace {

using mapping::LayerDim;
using enum mapping::LayerDim;
using mapping::LayerSizes;
using mapping::Map;
using mapping::MapList;

LayerDim WindowOf(LayerDim dim) {
  return dim == kY ? kR : kS;
}

bool SlidesOverWindow(const mapping::Layer& layer, LayerDim dim) {
  return layer.type != mapping::LayerType::kGemm && (dim == kY || dim == kX);
}

const Map* Find(const MapList& maps, LayerDim dim) {
  const auto* const found = std::ranges::find(maps, dim, &Map::dim);
  return found == maps.end() ? nullptr : found;
}

/// Eyeriss' diagonal: unit p has row p of the input and row p of the kernel, all for one output.
bool IsDiagonal(const MapList& maps, LayerDim dim) {
  const Map* input = Find(maps, dim);
  const Map* window = Find(maps, WindowOf(dim));
  const auto unit = [](const Map* map) {
    return map != nullptr && map->spatial && !map->output && map->size == 1 && map->offset == 1;
  };
  return unit(input) && unit(window);
}

struct Piece {
  std::int64_t size = 1;  ///< in outputs
  Verdict verdict = Verdict::kOk;
};

Verdict CompareStep(std::int64_t offset, std::int64_t step) {
  return offset > step ? Verdict::kIncomplete : offset < step ? Verdict::kRepeated : Verdict::kOk;
}

/// How many outputs one tile of `map` makes, out of `extent`, and whether successive tiles continue
/// one another.
Piece PieceOf(const mapping::Layer& layer, const MapList& maps, const Map& map,
              const LayerSizes& extent) {
  const std::int64_t all = extent[Index(map.dim)];
  Piece piece{map.size, Verdict::kOk};
  std::int64_t stride = 1;
  if (SlidesOverWindow(layer, map.dim) && !map.output) {
    const Map* window = Find(maps, WindowOf(map.dim));
    const std::int64_t rows =
        std::min(extent[Index(WindowOf(map.dim))], window != nullptr ? window->size : kUnlimited);
    if (map.size < rows) {
      return {1, Verdict::kIncomplete};
    }
    stride = map.dim == kY ? layer.stride_y : layer.stride_x;
    piece.size = (map.size - rows) / stride + 1;
  }
  if (piece.size >= all) {
    piece.size = all;
  } else if (map.offset != piece.size) {
    // Offsets of a strided layer may count outputs, as MAESTRO reads them, or input positions.
    piece.verdict = CompareStep(map.offset, piece.size * stride);
  }
  return piece;
}

/// Cuts the tile `extent` (updated to the largest piece) by one level's maps.
Verdict Cut(const mapping::Layer& layer, const MapList& maps, LayerSizes& extent,
            TileLevel& level) {
  int spatial = 0;
  for (const Map& map : maps) {
    spatial += map.spatial ? 1 : 0;
  }
  if (spatial < 1 || spatial > 2) {
    return Verdict::kSpatialMaps;
  }
  LayerSizes inner = extent;
  bool unrolled = false;
  for (const Map& map : maps) {
    if (layer.type == mapping::LayerType::kDepthwise && map.dim == kK) {
      continue;  // K only repeats the number of channels
    }
    if (SlidesOverWindow(layer, map.dim) && IsDiagonal(maps, map.dim)) {
      if (extent[Index(map.dim)] != 1) {
        return Verdict::kIncomplete;
      }
      continue;  // the kernel's map says it all
    }
    const Piece piece = PieceOf(layer, maps, map, extent);
    if (piece.verdict != Verdict::kOk) {
      return piece.verdict;
    }
    if (piece.size == extent[Index(map.dim)]) {
      continue;
    }
    if (map.spatial && unrolled) {
      return Verdict::kIncomplete;  // two maps in step cover only their diagonal
    }
    unrolled = unrolled || map.spatial;
    level.loops.push_back({map.dim, map.spatial, piece.size});
    inner[Index(map.dim)] = piece.size;
  }
  extent = inner;
  return Verdict::kOk;
}

}  // namespace

LayerSizes OutputExtents(const mapping::Layer& layer) {
  LayerSizes extents{};
  for (int d = 0; d < mapping::kLayerDims; ++d) {
    const auto dim = static_cast<LayerDim>(d);
    extents[Index(dim)] = layer.has(dim) ? layer.outputs(dim) : 1;
  }
  if (layer.type == mapping::LayerType::kDepthwise) {
    extents[Index(kK)] = 1;
  }
  return extents;
}

TileChain MakeTileChain(const mapping::Layer& layer, const Hardware& hardware,
                        const mapping::Dataflow& dataflow) {
  TileChain chain;
  std::int64_t product = 1;
  for (const std::int64_t cluster : dataflow.clusters) {
    if (cluster > hardware.pes / product) {
      chain.verdict = Verdict::kTooFewPes;
      return chain;
    }
    product *= cluster;
  }
  LayerSizes extent = OutputExtents(layer);
  for (std::size_t l = 0; l < dataflow.levels.size(); ++l) {
    TileLevel level;
    level.units = l == 0 ? hardware.pes / product : dataflow.clusters[l - 1];
    chain.verdict = Cut(layer, dataflow.levels[l], extent, level);
    if (chain.verdict != Verdict::kOk) {
      return chain;
    }
    chain.levels.push_back(level);
  }
  chain.leaf = extent;
  return chain;
}

}  // namespace sluice::cost::maestro
