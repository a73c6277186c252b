#pragma once
/// \file
/// The layers and the machine on which searches over dataflow codes are compared: twelve layers of
/// VGG-16, ResNet-50 and MobileNet-v2, and the first layer of ResNet-101 as DCP's public figures
/// have it. Data of `sluice compare dcp12` and `sluice reproduce dcp`.

#include <string>
#include <vector>

#include "cost/maestro/hardware.h"
#include "mapping/dataflow/dataflow.h"

namespace sluice::driver {

struct NamedLayer {
  std::string name;
  mapping::Layer layer;
  std::int64_t count = 1;  ///< in its network
};

/// Padding folded in, so that tiles can divide the outputs.
std::vector<NamedLayer> TwelveLayers();
/// 64 x 3, 7 x 7, stride 2 on 224 x 224 without padding.
NamedLayer ResNet101FirstLayer();

/// 168 PEs, L1 of 512 words, L2 of 108,000: GAMMA's edge machine, with a network of this many words
/// per cycle. One cycle a hop, off-chip bandwidth no limit.
cost::maestro::Hardware EdgeMachine(std::int64_t noc_bandwidth);
/// Six machines that differ from it in everything; the last one lies outside of what data sets
/// draw.
std::vector<cost::maestro::Hardware> UnseenHardware();
inline constexpr std::int64_t kFairBandwidth = 32;
inline constexpr std::int64_t kUnlimitedBandwidth = 81'920'000;  ///< GAMMA's default

}  // namespace sluice::driver
