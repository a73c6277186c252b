#pragma once
/// \file
/// MobileNet-v2, ResNet-101 and ViT-B/16 as layers of MAESTRO: strides and padding kept, batch 1,
/// 224 x 224; matrix products as convolutions of one column (K = N, C = K, Y = M), attention one
/// head at a time. And the classic fixed dataflows of MAESTRO's own files for any such layer.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "driver/reproduce/dcp_set.h"
#include "mapping/dataflow/dataflow.h"

namespace sluice::driver {

struct CountedLayer {
  mapping::Layer layer;
  std::int64_t count = 1;
};

struct PublishedNetwork {
  std::string name;
  std::vector<CountedLayer> layers;  ///< distinct
  [[nodiscard]] std::int64_t size() const;
  [[nodiscard]] double macs() const;
};

PublishedNetwork MobileNetV2();
PublishedNetwork ResNet101();
PublishedNetwork VitB16();
/// The distinct layers of `mobilenet-v2`, `resnet-101` or `vit-b16`; empty for any other name.
std::vector<NamedLayer> LayersOfNetwork(std::string_view name);

/// NVDLA's (channels parallel; depth-wise layers: channels only), Shidiannao's (outputs parallel)
/// and Eyeriss' (rows) dataflow.
enum class ClassicDataflow : std::uint8_t { kDla, kShi, kEye };
mapping::Dataflow ClassicFor(ClassicDataflow which, const mapping::Layer& layer);

}  // namespace sluice::driver
