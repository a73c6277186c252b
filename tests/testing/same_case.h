#pragma once
/// \file
/// Equality of workloads and chains up to what a file format may rename, for round-trip tests.

#include <gtest/gtest.h>

#include "arch/architecture.h"
#include "mapping/workload.h"

namespace sluice::testing {

/// Bounds, axes and outputs; not names, tensor classes, whole dims and body.
inline void ExpectSameShape(const mapping::Workload& a, const mapping::Workload& b) {
  ASSERT_EQ(a.dims(), b.dims());
  EXPECT_TRUE(a.bounds == b.bounds);
  ASSERT_EQ(a.tensors.size(), b.tensors.size());
  for (std::size_t t = 0; t < a.tensors.size(); ++t) {
    EXPECT_EQ(a.tensors[t].is_output, b.tensors[t].is_output) << "tensor " << t;
    EXPECT_EQ(a.tensors[t].dims, b.tensors[t].dims) << "tensor " << t;
    // An axis without terms is one word wide and may be left out.
    std::vector<mapping::WorkloadAxis> kept[2];
    for (const mapping::WorkloadAxis& axis : a.tensors[t].axes) {
      if (!axis.empty()) {
        kept[0].push_back(axis);
      }
    }
    for (const mapping::WorkloadAxis& axis : b.tensors[t].axes) {
      if (!axis.empty()) {
        kept[1].push_back(axis);
      }
    }
    EXPECT_TRUE(kept[0] == kept[1]) << "axes of tensor " << t;
  }
}

/// Sizes, bandwidths, energies, grids and networks; not names, keep rules and allowed dims.
/// Switches of a 1 x 1 fan-out mean nothing and are not compared.
inline void ExpectSameMachine(const arch::Chain& a, const arch::Chain& b) {
  ASSERT_EQ(a.levels.size(), b.levels.size());
  for (std::size_t l = 0; l < a.levels.size(); ++l) {
    SCOPED_TRACE("level " + std::to_string(l));
    const arch::Memory& x = a.levels[l].memory;
    const arch::Memory& y = b.levels[l].memory;
    EXPECT_EQ(x.capacity_words, y.capacity_words);
    EXPECT_EQ(x.word_bits, y.word_bits);
    EXPECT_EQ(x.block_words, y.block_words);
    EXPECT_EQ(x.buffering, y.buffering);
    EXPECT_EQ(x.read_bandwidth, y.read_bandwidth);
    EXPECT_EQ(x.write_bandwidth, y.write_bandwidth);
    EXPECT_EQ(x.read_pj, y.read_pj);
    EXPECT_EQ(x.fill_pj, y.fill_pj);
    EXPECT_EQ(x.update_pj, y.update_pj);
    EXPECT_EQ(x.leakage_pj_per_cycle, y.leakage_pj_per_cycle);
    const arch::FanOut& f = a.levels[l].fan_out;
    const arch::FanOut& g = b.levels[l].fan_out;
    EXPECT_EQ(f.x, g.x);
    EXPECT_EQ(f.y, g.y);
    EXPECT_EQ(f.network.hop_pj, g.network.hop_pj);
    EXPECT_EQ(f.network.router_pj, g.network.router_pj);
    if (f.instances() > 1) {
      EXPECT_EQ(f.network.multicast, g.network.multicast);
      EXPECT_EQ(f.network.reduction, g.network.reduction);
      EXPECT_EQ(f.network.neighbour_forwarding, g.network.neighbour_forwarding);
    }
  }
  EXPECT_EQ(a.compute.leakage_pj_per_cycle, b.compute.leakage_pj_per_cycle);
}

}  // namespace sluice::testing
