#include "cost/maestro/levels.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "cost/maestro/hardware.h"
#include "cost/maestro/report.h"
#include "mapping/dataflow/dataflow.h"

namespace sluice::cost::maestro {
namespace {

using mapping::LayerDim;
using enum mapping::LayerDim;
using mapping::Map;
using mapping::MapList;

const Map* Find(const MapList& maps, LayerDim dim) {
  for (const Map& map : maps) {
    if (map.dim == dim) {
      return &map;
    }
  }
  return nullptr;
}

LayerDim WindowOf(LayerDim dim) {
  return dim == kY ? kR : kS;
}

/// Y' becomes Y: as many more positions as the level's own R tile has, less one. Without one the
/// tool reads an uninitialised number; here it is the whole of R.
void ToInputCentric(const mapping::Layer& layer, MapList& maps) {
  for (Map& map : maps) {
    if (map.output) {
      const Map* window = Find(maps, WindowOf(map.dim));
      map.size += (window != nullptr ? window->size : layer[WindowOf(map.dim)]) - 1;
      map.output = false;
    }
  }
}

/// What the level above maps and this one does not is inherited, in reverse order, at the front.
void Inherit(const MapList* above, MapList& maps) {
  if (above == nullptr) {
    return;
  }
  for (Map map : *above) {
    if (Find(maps, map.dim) == nullptr) {
      map.spatial = false;
      maps.insert(0, map);
    }
  }
}

void ApplyStride(const mapping::Layer& layer, bool outermost, MapList& maps) {
  if (layer.type == mapping::LayerType::kGemm) {
    return;
  }
  for (Map& map : maps) {
    if (map.dim != kY && map.dim != kX) {
      continue;
    }
    const std::int64_t stride = map.dim == kY ? layer.stride_y : layer.stride_x;
    const std::int64_t window = layer[WindowOf(map.dim)];
    if (stride == 1 || map.size < window) {
      continue;
    }
    const std::int64_t outputs = (map.size + stride - window) / stride;
    map.size = outputs * std::min(stride, window) + std::max<std::int64_t>(window - stride, 0);
    map.offset = outputs * (!outermost && window < stride ? window : stride);
  }
}

/// Tile sizes of one map in a cluster whose tile has `extent` positions along the dim.
LevelMap Analyze(const Map& map, std::int64_t extent) {
  LevelMap result;
  result.dim = map.dim;
  result.spatial = map.spatial;
  result.size = map.size;
  result.offset = map.offset;
  const std::int64_t steady = std::max<std::int64_t>((extent - map.size) / map.offset, 0);
  const bool has_edge = steady * map.offset + map.size < extent || map.size > extent;
  std::int64_t edge = extent - (steady + 1) * map.offset;
  if (edge < 0) {
    edge = extent;
  }
  result.mapped = map.size;
  result.unique = !map.spatial && extent <= map.size ? 0 : std::min(map.size, map.offset);
  result.mapped_edge = has_edge ? edge : map.size;
  result.unique_edge = std::max<std::int64_t>(map.offset - (map.size - edge), 0);
  result.mapped_out = result.mapped;
  result.unique_out = result.unique;
  result.mapped_edge_out = result.mapped_edge;
  result.unique_edge_out = result.unique_edge;
  return result;
}

void AnalyzeOutputs(CompletedLevel& level) {
  for (LevelMap& map : level.maps) {
    if (map.dim != kY && map.dim != kX) {
      continue;
    }
    for (const LevelMap& window : level.maps) {
      if (window.dim == WindowOf(map.dim)) {
        map.mapped_out = map.mapped - window.mapped + 1;
        map.unique_out = std::min(map.offset, map.size);
        map.mapped_edge_out = map.mapped_edge - window.mapped_edge + 1;
        map.unique_edge_out = std::min(map.offset, map.mapped_edge_out);
      }
    }
  }
}

std::int64_t EdgeUnits(const LevelMap& map, std::int64_t extent, std::int64_t units) {
  const std::int64_t covered = map.offset * (units - 1) + map.size;
  if (extent > covered) {
    const std::int64_t rounds = ((extent - map.size) / map.offset + 1) / units - 1;
    const std::int64_t rest = extent - (rounds + 1) * map.offset * units;
    return rest < map.size ? 1 : (rest - map.size) / map.offset + 1;
  }
  if (extent > map.size) {
    const std::int64_t busy = (extent - map.size) / map.offset + 1;
    return map.offset * (busy - 1) + map.size < extent ? busy + 1 : busy;
  }
  return 1;
}

Verdict CheckMaps(const mapping::Layer& layer, const MapList& maps) {
  int spatial = 0;
  for (const Map& map : maps) {
    spatial += map.spatial ? 1 : 0;
    if (!map.spatial && (map.dim == kR || map.dim == kS) &&
        (map.size != map.offset || map.size != layer[map.dim])) {
      return Verdict::kWindowTiled;
    }
  }
  return spatial == 1 || spatial == 2 ? Verdict::kOk : Verdict::kSpatialMaps;
}

/// Whether no count of this dataflow can leave 62 bits: bounds on the words of a step, on the steps
/// and on the cycles, in floating point.
bool CountsFit(const Hardware& hardware, const CompletedDataflow& dataflow) {
  constexpr double kLimit = 4.6e18;
  const double latency =
      static_cast<double>(hardware.noc_hops) * static_cast<double>(hardware.hop_latency);
  double runtime = 0;
  for (std::size_t l = dataflow.levels.size(); l-- > 0;) {
    const CompletedLevel& level = dataflow.levels[l];
    double words = 8 * static_cast<double>(level.units);
    double steps = 1;
    for (const LevelMap& map : level.maps) {
      words *= static_cast<double>(
          std::max({map.mapped, map.mapped_edge, map.unique, map.unique_edge, map.unique_out,
                    std::abs(map.mapped_out), std::abs(map.mapped_edge_out), std::int64_t{1}}));
      if (map.reach > map.size) {
        steps *= static_cast<double>(map.reach - map.size) / static_cast<double>(map.offset) + 2;
      }
    }
    runtime = steps * (runtime + 2 * words + latency);
    if (words * steps > kLimit || runtime > kLimit) {
      return false;
    }
  }
  return true;
}

}  // namespace

CompletedDataflow Complete(const mapping::Layer& layer, const mapping::LayerTensors& tensors,
                           const Hardware& hardware, const mapping::Dataflow& dataflow) {
  CompletedDataflow result;
  std::int64_t product = 1;
  for (const std::int64_t cluster : dataflow.clusters) {
    if (cluster > hardware.pes / product) {
      result.verdict = Verdict::kTooFewPes;
      return result;
    }
    product *= cluster;
  }
  const std::uint32_t operands = tensors.input | tensors.weight;
  mapping::LayerSizes extent = layer.size;
  mapping::LayerSizes reach = layer.size;  ///< the largest tile a cluster may be given
  MapList above;
  for (std::size_t l = 0; l < dataflow.levels.size(); ++l) {
    // The window rule speaks of what the file says, not of what is inherited or completed.
    const Verdict verdict = CheckMaps(layer, dataflow.levels[l]);
    if (verdict != Verdict::kOk) {
      result.verdict = verdict;
      return result;
    }
    MapList maps = dataflow.levels[l];
    ToInputCentric(layer, maps);
    Inherit(l == 0 ? nullptr : &above, maps);
    for (int d = 0; d < mapping::kLayerDims; ++d) {
      const auto dim = static_cast<LayerDim>(d);
      if ((operands & Bit(dim)) != 0 && Find(maps, dim) == nullptr) {
        maps.push_back({dim, false, false, extent[Index(dim)], extent[Index(dim)]});
      }
    }
    ApplyStride(layer, l == 0, maps);

    CompletedLevel level;
    level.units = l == 0 ? hardware.pes / product : dataflow.clusters[l - 1];
    for (const Map& map : maps) {
      LevelMap analyzed = Analyze(map, extent[Index(map.dim)]);
      analyzed.coupled = {(tensors.input & Bit(map.dim)) != 0, (tensors.weight & Bit(map.dim)) != 0,
                          (tensors.output & Bit(map.dim)) != 0};
      analyzed.reach = reach[Index(map.dim)];
      reach[Index(map.dim)] = std::max(analyzed.mapped, analyzed.mapped_edge);
      level.maps.push_back(analyzed);
    }
    AnalyzeOutputs(level);
    for (std::size_t i = 0; i < level.maps.size(); ++i) {
      if (level.maps[i].spatial) {
        level.spatial.push_back(i);
      }
    }
    const LevelMap& spatial = level.maps[level.spatial[0]];
    level.edge_units = EdgeUnits(spatial, extent[Index(spatial.dim)], level.units);
    result.levels.push_back(level);
    for (const Map& map : maps) {
      extent[Index(map.dim)] = std::min(map.size, extent[Index(map.dim)]);
    }
    above = maps;
  }
  if (!CountsFit(hardware, result)) {
    result.verdict = Verdict::kTooLarge;
  }
  return result;
}

}  // namespace sluice::cost::maestro
