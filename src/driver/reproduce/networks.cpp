#include "driver/reproduce/networks.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/diagnostic.h"
#include "driver/reproduce/dcp_set.h"
#include "mapping/dataflow/code.h"
#include "mapping/dataflow/dataflow.h"

namespace sluice::driver {
namespace {

constexpr std::int64_t kConvolution = 1;
constexpr std::int64_t kDepthwise = 2;

class Builder {
 public:
  explicit Builder(std::string name) { network_.name = std::move(name); }

  /// Padded as usual (half the window), `outputs` = inputs / stride.
  void Conv(std::int64_t k, std::int64_t c, std::int64_t outputs, std::int64_t window,
            std::int64_t stride = 1, std::int64_t type = kConvolution) {
    mapping::LayerCode code;
    code.k = type == kDepthwise ? 1 : k;
    code.c = c;
    code.type = type;
    code.r = code.s = window;
    code.stride_y = code.stride_x = stride;
    code.y = code.x = (outputs - 1) * stride + window;
    Add(code, 1);
  }
  void Matrix(std::int64_t m, std::int64_t n, std::int64_t k, std::int64_t count = 1) {
    mapping::LayerCode code;
    code.k = n;
    code.c = k;
    code.y = m;
    Add(code, count);
  }
  void Add(const mapping::LayerCode& code, std::int64_t count) {
    const auto layer = mapping::LayerOf(code);
    SLUICE_CHECK(layer.has_value(), "the published layers are valid");
    for (CountedLayer& known : network_.layers) {
      if (known.layer == *layer) {
        known.count += count;
        return;
      }
    }
    network_.layers.push_back({*layer, count});
  }
  PublishedNetwork Take() { return std::move(network_); }

 private:
  PublishedNetwork network_;
};

}  // namespace

std::int64_t PublishedNetwork::size() const {
  std::int64_t total = 0;
  for (const CountedLayer& layer : layers) {
    total += layer.count;
  }
  return total;
}

double PublishedNetwork::macs() const {
  double total = 0;
  for (const CountedLayer& layer : layers) {
    total += static_cast<double>(layer.count) * static_cast<double>(layer.layer.macs());
  }
  return total;
}

PublishedNetwork MobileNetV2() {
  Builder net("MobileNet-v2");
  net.Conv(32, 3, 112, 3, 2);
  struct Group {
    std::int64_t expand, channels, blocks, stride;
  };
  constexpr std::array<Group, 7> kGroups = {Group{1, 16, 1, 1}, {6, 24, 2, 2}, {6, 32, 3, 2},
                                            {6, 64, 4, 2},      {6, 96, 3, 1}, {6, 160, 3, 2},
                                            {6, 320, 1, 1}};
  std::int64_t in = 32;
  std::int64_t size = 112;
  for (const Group& group : kGroups) {
    for (std::int64_t b = 0; b < group.blocks; ++b) {
      const std::int64_t stride = b == 0 ? group.stride : 1;
      const std::int64_t wide = in * group.expand;
      if (group.expand > 1) {
        net.Conv(wide, in, size, 1);
      }
      size /= stride;
      net.Conv(1, wide, size, 3, stride, kDepthwise);
      net.Conv(group.channels, wide, size, 1);
      in = group.channels;
    }
  }
  net.Conv(1280, 320, 7, 1);
  net.Matrix(1, 1000, 1280);
  return net.Take();
}

PublishedNetwork ResNet101() {
  Builder net("ResNet-101");
  net.Conv(64, 3, 112, 7, 2);
  constexpr std::array<std::int64_t, 4> kBlocks = {3, 4, 23, 3};
  std::int64_t in = 64;
  std::int64_t size = 56;
  for (std::size_t g = 0; g < kBlocks.size(); ++g) {
    const std::int64_t middle = std::int64_t{64} << g;
    for (std::int64_t b = 0; b < kBlocks[g]; ++b) {
      const std::int64_t stride = b == 0 && g > 0 ? 2 : 1;
      net.Conv(middle, in, size, 1);
      size /= stride;
      net.Conv(middle, middle, size, 3, stride);
      net.Conv(4 * middle, middle, size, 1);
      if (b == 0) {
        net.Conv(4 * middle, in, size, 1, stride);
      }
      in = 4 * middle;
    }
  }
  net.Matrix(1, 1000, 2048);
  return net.Take();
}

PublishedNetwork VitB16() {
  constexpr std::int64_t kTokens = 197;
  constexpr std::int64_t kWidth = 768;
  constexpr std::int64_t kHeads = 12;
  constexpr std::int64_t kBlocks = 12;
  Builder net("ViT-B/16");
  net.Conv(kWidth, 3, 14, 16, 16);
  net.Matrix(kTokens, 3 * kWidth, kWidth, kBlocks);
  net.Matrix(kTokens, kTokens, kWidth / kHeads, kBlocks * kHeads);
  net.Matrix(kTokens, kWidth / kHeads, kTokens, kBlocks * kHeads);
  net.Matrix(kTokens, kWidth, kWidth, kBlocks);
  net.Matrix(kTokens, 4 * kWidth, kWidth, kBlocks);
  net.Matrix(kTokens, kWidth, 4 * kWidth, kBlocks);
  net.Matrix(1, 1000, kWidth);
  return net.Take();
}

std::vector<NamedLayer> LayersOfNetwork(std::string_view name) {
  PublishedNetwork network;
  if (name == "mobilenet-v2") {
    network = MobileNetV2();
  } else if (name == "resnet-101") {
    network = ResNet101();
  } else if (name == "vit-b16") {
    network = VitB16();
  }
  std::vector<NamedLayer> layers;
  for (const CountedLayer& one : network.layers) {
    const auto sizes = mapping::CodeExtents(one.layer);
    layers.push_back({fmt::format("{} x {}{} {}x{} of {}x{}", one.count,
                                  sizes[0] > 0 ? fmt::format("{}x", sizes[0]) : std::string("dw "),
                                  sizes[1], sizes[2], sizes[3], sizes[4], sizes[5]),
                      one.layer, one.count});
  }
  return layers;
}

mapping::Dataflow ClassicFor(ClassicDataflow which, const mapping::Layer& layer) {
  using enum mapping::LayerDim;
  using mapping::Map;
  const bool depthwise = layer.type == mapping::LayerType::kDepthwise;
  const std::int64_t r = layer[kR];
  const std::int64_t s = layer[kS];
  const Map rows = {kY, false, false, r, 1};
  const Map columns = {kX, false, false, s, 1};
  const Map window_r = {kR, false, false, r, r};
  const Map window_s = {kS, false, false, s, s};
  mapping::Dataflow dataflow;
  mapping::MapList outer;
  mapping::MapList inner;
  const auto add = [](mapping::MapList& list, std::initializer_list<Map> maps) {
    for (const Map& map : maps) {
      list.push_back(map);
    }
  };
  std::int64_t cluster = 0;
  switch (which) {
    case ClassicDataflow::kDla:
      if (depthwise) {
        add(outer, {{kC, true, false, 1, 1}, rows, columns, window_r, window_s});
        break;
      }
      cluster = 64;
      add(outer, {{kK, true, false, 1, 1},
                  {kC, false, false, cluster, cluster},
                  window_r,
                  window_s,
                  rows,
                  columns});
      add(inner, {{kC, true, false, 1, 1}, rows, columns, window_r, window_s});
      break;
    case ClassicDataflow::kShi:
      cluster = 8;
      if (!depthwise) {
        outer.push_back({kK, false, false, 1, 1});
      }
      add(outer, {{kC, false, false, 1, 1},
                  {kY, true, false, r, 1},
                  {kX, false, false, cluster + s - 1, cluster},
                  window_r,
                  window_s});
      add(inner, {{kX, true, false, s, 1}});
      break;
    case ClassicDataflow::kEye:
      cluster = r;
      add(outer, {{kY, true, true, 1, 1}, {kX, false, true, 1, 1}, {kC, false, false, 1, 1}});
      if (!depthwise) {
        outer.push_back({kK, false, false, 16, 16});
      }
      add(outer, {window_r, window_s});
      add(inner, {{kY, true, false, 1, 1}, {kR, true, false, 1, 1}, window_s});
      break;
  }
  dataflow.levels.push_back(outer);
  if (cluster > 0) {
    dataflow.levels.push_back(inner);
    dataflow.clusters.push_back(cluster);
  }
  return dataflow;
}

}  // namespace sluice::driver
