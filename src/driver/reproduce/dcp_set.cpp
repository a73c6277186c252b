#include "driver/reproduce/dcp_set.h"

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/diagnostic.h"
#include "cost/maestro/hardware.h"
#include "mapping/dataflow/code.h"

namespace sluice::driver {
namespace {

constexpr std::int64_t kConvolution = 1;
constexpr std::int64_t kDepthwise = 2;

NamedLayer Make(std::string name, const mapping::LayerCode& code) {
  auto layer = mapping::LayerOf(code);
  SLUICE_CHECK(layer.has_value(), "the published layers are valid");
  return {std::move(name), *layer, 1};
}

/// A layer with `outputs` along Y and X at stride 1.
NamedLayer Square(std::string name, std::int64_t k, std::int64_t c, std::int64_t outputs,
                  std::int64_t window, std::int64_t type = kConvolution) {
  mapping::LayerCode code;
  code.k = k;
  code.c = c;
  code.y = code.x = outputs;
  code.pad_y = code.pad_x = window - 1;
  code.r = code.s = window;
  code.type = type;
  return Make(std::move(name), code);
}

}  // namespace

std::vector<NamedLayer> TwelveLayers() {
  return {Square("VGG16-conv2", 64, 64, 224, 3),
          Square("VGG16-conv6", 256, 256, 56, 3),
          Square("VGG16-conv11", 512, 512, 14, 3),
          Square("R50-c2-3x3", 64, 64, 56, 3),
          Square("R50-c2-expand", 256, 64, 56, 1),
          Square("R50-c4-3x3", 256, 256, 14, 3),
          Square("R50-c4-expand", 1024, 256, 14, 1),
          Square("R50-c5-3x3", 512, 512, 7, 3),
          Square("MBv2-b1-dw", 1, 32, 112, 3, kDepthwise),
          Square("MBv2-b1-project", 16, 32, 112, 1),
          Square("MBv2-b7-expand", 384, 64, 14, 1),
          Square("MBv2-b17-dw", 1, 960, 7, 3, kDepthwise)};
}

NamedLayer ResNet101FirstLayer() {
  mapping::LayerCode code;
  code.k = 64;
  code.c = 3;
  code.y = code.x = 224;
  code.r = code.s = 7;
  code.stride_y = code.stride_x = 2;
  return Make("ResNet101-conv1", code);
}

cost::maestro::Hardware EdgeMachine(std::int64_t noc_bandwidth) {
  cost::maestro::Hardware hardware;
  hardware.pes = 168;
  hardware.l1_words = 512;
  hardware.l2_words = 108'000;
  hardware.noc_bandwidth = noc_bandwidth;
  hardware.offchip_bandwidth = std::int64_t{1} << 30U;
  hardware.noc_hops = 1;
  hardware.hop_latency = 1;
  return hardware;
}

std::vector<cost::maestro::Hardware> UnseenHardware() {
  struct Sizes {
    std::int64_t pes, l1, l2, noc, offchip;
  };
  constexpr std::array<Sizes, 6> kMachines = {{{40, 256, 16'384, 8, 16},
                                               {100, 128, 65'536, 12, 4},
                                               {300, 1'024, 262'144, 48, 64},
                                               {777, 384, 500'000, 100, 32},
                                               {1'500, 2'048, 1'048'576, 20, 8},
                                               {4'096, 48, 6'000, 768, 1}}};
  std::vector<cost::maestro::Hardware> machines;
  for (const Sizes& sizes : kMachines) {
    cost::maestro::Hardware machine = EdgeMachine(sizes.noc);
    machine.pes = sizes.pes;
    machine.l1_words = sizes.l1;
    machine.l2_words = sizes.l2;
    machine.offchip_bandwidth = sizes.offchip;
    machines.push_back(machine);
  }
  return machines;
}

}  // namespace sluice::driver
