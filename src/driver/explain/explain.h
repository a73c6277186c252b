#pragma once
/// \file
/// Where a number comes from. A cost is a sum over levels and tensors; this takes it apart again.
/// The words that leave a level for the next level inside that keeps the tensor (or for the compute
/// unit) are
///   tile of the inner level x deliveries in time x places in space,
/// and every loop outside the inner level has one of five parts in that product: it brings another
/// tile, brings the same tile back, leaves the tile where it is (reuse), spreads over space, or
/// shares one delivery over space. Overlap of neighbouring tiles and ragged edges make the exact
/// count differ from the product; both are shown. For latency: every resource, with the cycles that
/// it alone would need, and how near the operator is to the roof of each port. Tested by
/// tests/unit/driver_explain_test.cpp.

#include <cstdint>
#include <string>
#include <vector>

#include "arch/architecture.h"
#include "cost/cost.h"
#include "cost/evaluator.h"
#include "mapping/mapping.h"

namespace sluice::driver {

/// Over time, or over one axis of the fan-out below the level.
enum class LoopAxis : std::uint8_t { kTime, kX, kY };

/// A loop outside a tile.
struct LoopNote {
  std::string dim;
  std::int64_t bound = 1;
  int level = 0;
  LoopAxis axis = LoopAxis::kTime;
};

/// One tensor at one level that keeps it, and the traffic to the next such level inside.
struct TrafficTerm {
  int level = 0;
  int tensor = 0;
  int inner = -1;  ///< the level inside that keeps the tensor next, or -1: the compute unit
  std::int64_t inner_tile_words = 1;
  std::string exact;             ///< the sum behind the count, loop by loop; empty for ragged tiles
  std::int64_t deliveries = 1;   ///< tiles moved per place, product of `moving` and `repeating`
  std::int64_t places = 1;       ///< product of `spreading`
  std::vector<LoopNote> moving;  ///< temporal, touch the tensor: another tile
  std::vector<LoopNote>
      repeating;  ///< temporal, do not touch it, outside a moving loop: the tile returns
  std::vector<LoopNote>
      reusing;  ///< temporal, do not touch it, inside all moving loops: the tile stays
  std::vector<LoopNote> spreading;  ///< spatial, one delivery each
  std::vector<LoopNote>
      sharing;  ///< spatial, one delivery for all (multicast, or sums on the way up)
  bool is_output = false;
  std::int64_t tile_words = 0;  ///< held at `level`
  std::int64_t reads = 0;
  std::int64_t fills = 0;
  std::int64_t updates = 0;
  double access_energy_pj = 0;
  double network_energy_pj = 0;
  double share = 0;  ///< of the operator's energy
};

/// One resource and the cycles that it alone would need.
struct LatencyTerm {
  std::string resource;  ///< `compute`, `GlobalBuffer read port` ...
  double cycles = 0;
  bool binds = false;
};

/// Where the operator stands under the roof of one port with a limited rate.
struct RoofTerm {
  std::string port;        ///< `DRAM read port`
  std::int64_t words = 0;  ///< through the port, all instances
  double intensity = 0;    ///< points of the iteration space per word
  double rate = 0;         ///< points per cycle
  double roof = 0;         ///< points per cycle: the units' peak, or intensity x the port's rate
  double share = 0;        ///< of the roof; never above 1
  bool bandwidth = false;  ///< the port makes the roof, not the units
};

/// How much of one memory the largest tiles take.
struct MemoryTerm {
  int level = 0;
  std::int64_t instances_used = 0;
  std::int64_t instances = 0;
  std::int64_t tile_words = 0;  ///< held at once by one instance, each tensor once
  double full = 0;              ///< of the capacity, buffering included; 0 = unlimited
};

struct Explanation {
  std::string title;  ///< of the operator
  std::vector<std::string> level_names;
  std::vector<std::string> tensor_names;
  /// Short names for tables and the loop nest: the names themselves when all are short, else what
  /// the tensor is to the operator (`input`, `weight`, `input2` ...).
  std::vector<std::string> tensor_labels;
  std::string loop_nest;   ///< with the labels
  std::string directives;  ///< the same mapping, tile by tile, with the labels
  cost::Cost cost;
  std::int64_t units = 1;            ///< compute units there are
  double peak = 0;                   ///< points that all units together execute in a cycle
  std::vector<TrafficTerm> traffic;  ///< by level, then tensor; only kept tensors
  std::vector<LatencyTerm> latency;  ///< most cycles first
  std::vector<RoofTerm> roofs;       ///< outermost first; only ports with traffic and a limit
  std::vector<MemoryTerm> memories;  ///< by level
};

/// `MAC (compute)`, `DRAM read port`, `Buffer network below`.
std::string ResourceText(const cost::Binding& binding, const std::vector<std::string>& levels,
                         const std::string& compute);

/// The roof of every port with traffic and a limited rate, outermost first. `cost` is a cost of
/// `evaluator`.
std::vector<RoofTerm> RoofsOf(const cost::Evaluator& evaluator, const cost::Cost& cost);

/// Requires a valid mapping.
Explanation Explain(const cost::Evaluator& evaluator, const mapping::Mapping& mapping);

}  // namespace sluice::driver
