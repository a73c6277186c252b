#pragma once
/// \file
/// The layer and the machine that tests of dataflow codes share: a 3x3 convolution on the edge
/// configuration of GAMMA's experiments.

#include "cost/maestro/hardware.h"
#include "mapping/dataflow/dataflow.h"

namespace sluice::testing {

inline mapping::Layer Conv() {
  using enum mapping::LayerDim;
  mapping::Layer layer;
  layer.size[Index(kK)] = 64;
  layer.size[Index(kC)] = 32;
  layer.size[Index(kR)] = layer.size[Index(kS)] = 3;
  layer.size[Index(kY)] = layer.size[Index(kX)] = 30;
  return layer;
}

inline cost::maestro::Hardware Edge() {
  cost::maestro::Hardware hardware;
  hardware.pes = 168;
  hardware.l1_words = 512;
  hardware.l2_words = 108000;
  hardware.noc_bandwidth = 32;
  hardware.hop_latency = 1;
  return hardware;
}

}  // namespace sluice::testing
