#include "testing/maestro_cases.h"

#include <algorithm>
#include <vector>

#include "base/divisors.h"

namespace sluice::testing {
namespace {

using mapping::kLayerDims;
using mapping::Layer;
using mapping::LayerDim;
using mapping::LayerType;
using mapping::Map;
using mapping::MapList;
using enum mapping::LayerDim;

std::int64_t Divisor(Rng& rng, std::int64_t n) {
  const std::vector<std::int64_t> divisors = DivisorsOf(n);
  return divisors[rng.Below(static_cast<std::uint32_t>(divisors.size()))];
}

std::vector<LayerDim> Dims(const Layer& layer, Rng& rng) {
  std::vector<LayerDim> dims;
  for (int d = 0; d < kLayerDims; ++d) {
    const auto dim = static_cast<LayerDim>(d);
    if (layer.has(dim) && !(layer.type == LayerType::kDepthwise && dim == kK)) {
      dims.push_back(dim);
    }
  }
  for (std::size_t i = dims.size(); i > 1; --i) {
    std::swap(dims[i - 1], dims[rng.Below(static_cast<std::uint32_t>(i))]);
  }
  return dims;
}

bool IsWindow(LayerDim dim) {
  return dim == kR || dim == kS;
}

}  // namespace

Layer RandomMaestroLayer(Rng& rng, const MaestroShape& shape) {
  Layer layer;
  layer.type = static_cast<LayerType>(rng.Below(mapping::kLayerTypes));
  const auto size = [&] { return rng.Between(1, shape.largest); };
  if (layer.type == LayerType::kGemm) {
    for (const LayerDim dim : {kM, kN, kK}) {
      layer.size[Index(dim)] = size();
    }
    return layer;
  }
  const bool grouped = layer.type == LayerType::kGrouped;
  // Of a grouped layer the tool couples outputs with C, which is only right for one channel.
  layer.size[Index(kC)] = grouped && shape.dividing ? 1 : size();
  if (layer.type != LayerType::kDepthwise) {
    layer.size[Index(kK)] = size();
  }
  if (grouped) {
    layer.size[Index(kG)] = rng.Between(1, 3);
  }
  if (rng.Below(4) == 0) {
    layer.size[Index(kN)] = rng.Between(1, 3);
  }
  const std::int64_t stride = shape.dividing ? 1 : rng.Between(1, 2);
  layer.stride_y = stride;
  layer.stride_x = shape.dividing ? 1 : rng.Between(1, 2);
  layer.size[Index(kR)] = rng.Between(1, 3);
  layer.size[Index(kS)] = rng.Between(1, 3);
  layer.size[Index(kY)] = (size() - 1) * layer.stride_y + layer[kR];
  layer.size[Index(kX)] = (size() - 1) * layer.stride_x + layer[kS];
  return layer;
}

MaestroCase RandomMaestroCase(Rng& rng, const MaestroShape& shape) {
  MaestroCase test;
  test.layer = RandomMaestroLayer(rng, shape);
  test.hardware.noc_bandwidth = rng.Between(1, 64);
  test.hardware.offchip_bandwidth = cost::maestro::kUnlimited;
  test.hardware.noc_hops = rng.Between(1, 2);
  test.hardware.hop_latency = rng.Between(1, 2);
  test.hardware.simd_lanes = rng.Between(1, 3);
  const auto levels = static_cast<std::size_t>(rng.Between(1, 3));
  mapping::LayerSizes extent = cost::maestro::OutputExtents(test.layer);
  std::int64_t product = 1;
  for (std::size_t l = 0; l < levels; ++l) {
    MapList maps;
    const std::vector<LayerDim> dims = Dims(test.layer, rng);
    std::vector<LayerDim> candidates;
    std::copy_if(dims.begin(), dims.end(), std::back_inserter(candidates),
                 [&](LayerDim dim) { return !shape.dividing || !IsWindow(dim); });
    const LayerDim parallel = candidates[rng.Below(static_cast<std::uint32_t>(candidates.size()))];
    std::int64_t units = rng.Between(1, 4);
    for (const LayerDim dim : dims) {
      std::int64_t& size = extent[Index(dim)];
      const std::int64_t parent = size;
      if (shape.dividing) {
        size = IsWindow(dim) ? size : Divisor(rng, size);
      } else {
        size = rng.Between(1, size);
      }
      if (dim == parallel && shape.dividing) {
        units = Divisor(rng, parent / size);
      }
      const bool output = test.layer.type != LayerType::kGemm && (dim == kY || dim == kX);
      maps.push_back({dim, dim == parallel, output, size, size});
    }
    // Y and X as input positions half of the time, where the kernel's tile allows it.
    for (Map& map : maps) {
      if (map.output && rng.Below(2) == 0) {
        const std::int64_t rows = extent[Index(map.dim == kY ? kR : kS)];
        const std::int64_t stride = map.dim == kY ? test.layer.stride_y : test.layer.stride_x;
        map.output = false;
        map.offset = map.size * stride;
        map.size = (map.size - 1) * stride + rows;
      }
    }
    test.dataflow.levels.push_back(maps);
    if (l > 0) {
      test.dataflow.clusters.push_back(units);
    }
    product *= units;
  }
  test.hardware.pes = product;
  return test;
}

MaestroCase WildMaestroCase(Rng& rng) {
  const std::int64_t largest = std::int64_t{1} << rng.Below(31);
  MaestroCase test = RandomMaestroCase(rng, {.largest = 1 + rng.Below(9), .dividing = false});
  for (std::int64_t& size : test.layer.size) {
    if (size > 0 && rng.Below(3) == 0) {
      size = rng.Between(1, largest);
    }
  }
  for (MapList& maps : test.dataflow.levels) {
    for (Map& map : maps) {
      map.size = rng.Below(3) == 0 ? rng.Between(1, largest) : map.size;
      map.offset = rng.Below(4) == 0 ? rng.Between(1, largest) : map.offset;
      map.spatial = rng.Below(6) == 0 ? !map.spatial : map.spatial;
    }
    while (!maps.empty() && rng.Below(3) == 0) {
      maps.erase(rng.Below(static_cast<std::uint32_t>(maps.size())));
    }
  }
  for (std::int64_t& cluster : test.dataflow.clusters) {
    cluster = rng.Below(4) == 0 ? rng.Between(1, largest) : cluster;
  }
  test.hardware.pes = rng.Between(1, rng.Below(2) == 0 ? largest : 64);
  test.hardware.hop_latency = rng.Below(8) == 0 ? largest : 1;
  return test;
}

bool StartsOver(const Layer& layer, const cost::maestro::TileChain& chain) {
  const mapping::LayerTensors tensors = mapping::TensorsOf(layer);
  mapping::LayerSizes extent = cost::maestro::OutputExtents(layer);
  for (const cost::maestro::TileLevel& level : chain.levels) {
    for (std::size_t j = 1; j < level.loops.size(); ++j) {
      const auto& inner = level.loops[j];
      if (inner.spatial && inner.size * level.units >= extent[Index(inner.dim)]) {
        continue;  // one round: every unit keeps its tile
      }
      for (std::size_t i = 0; i < j; ++i) {
        const auto& outer = level.loops[i];
        if (outer.spatial && outer.size * level.units >= extent[Index(outer.dim)]) {
          continue;  // one round: it never steps
        }
        for (const std::uint32_t coupled : {tensors.input, tensors.weight}) {
          if ((coupled & Bit(inner.dim)) != 0 && (coupled & Bit(outer.dim)) == 0) {
            return true;
          }
        }
      }
    }
    for (const auto& loop : level.loops) {
      extent[Index(loop.dim)] = std::min(extent[Index(loop.dim)], loop.size);
    }
  }
  return false;
}

}  // namespace sluice::testing
