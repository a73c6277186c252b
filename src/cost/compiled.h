#pragma once
/// \file
/// Internal to the cost module: a workload, a chain and a policy flattened into plain arrays, and
/// the counters that both counting engines (perfect.cpp, ragged.cpp) fill. Nothing here allocates.

#include <array>
#include <cstddef>
#include <cstdint>

#include "cost/policy.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"

namespace sluice::cost {

inline constexpr int kMaxLevels = arch::kMaxLevels;
inline constexpr int kMaxDims = mapping::kMaxDims;
inline constexpr int kMaxTensors = mapping::kMaxTensors;
inline constexpr int kMaxAxes = mapping::kMaxAxes;
/// Loops of one kind (temporal, or on one axis of the fan-outs) in a mapping.
inline constexpr std::size_t kMaxLoops = std::size_t{kMaxLevels} * kMaxDims;

using DimArray = std::array<std::int64_t, kMaxDims>;

struct CompiledLevel {
  std::int64_t block_words = 1;
  double read_bandwidth = 0;  ///< words per cycle and instance; 0 = never binds
  double write_bandwidth = 0;
  double network_bandwidth = 0;
  double read_pj = 0;
  double fill_pj = 0;
  double update_pj = 0;
  double leakage_pj = 0;  ///< per cycle, all physical instances
  double hop_pj = 0;
  double router_pj = 0;
  double reduction_pj = 0;
  std::int64_t fan_x = 1;
  std::int64_t fan_y = 1;
  /// What the fan-out below does under the policy.
  bool multicast = true;
  bool reduction = true;
  bool forwarding = false;
  bool has_network_cost = false;
};

struct CompiledTensor {
  int axes = 0;
  std::array<mapping::WorkloadAxis, kMaxAxes> axis{};
  std::uint32_t dims = 0;
  std::uint32_t single_dims = 0;  ///< dims of single-term axes
  std::uint32_t windows = 0;      ///< bit a: axis a has two terms or more
  /// coefficient[a][d]: how far axis a moves when dim d steps by one point.
  std::array<std::array<std::int64_t, kMaxDims>, kMaxAxes> coefficient{};
  bool joint = false;  ///< some dim moves two axes
  bool plain =
      true;  ///< tile words = product of its dims' tile sizes; every move fetches all of it
  bool is_output = false;
  bool accumulates = false;  ///< partial sums exist
};

struct Compiled {
  int dims = 0;
  int tensors = 0;
  int levels = 0;
  DimArray bound{};
  std::int64_t points = 1;
  std::array<CompiledTensor, kMaxTensors> tensor{};
  std::array<CompiledLevel, kMaxLevels> level{};
  double cycles_per_point = 1;
  double compute_pj_per_point = 0;
  double compute_leakage_pj = 0;  ///< per cycle, all physical units
  std::int64_t compute_units = 1;
  bool any_network_cost = false;
};

/// Value-initialise (`Counters{}`): no default initialisers, so that clearing is a few stores.
struct Counters {
  std::int64_t reads;
  std::int64_t fills;
  std::int64_t updates;
  std::int64_t tile_words;
  std::int64_t read_blocks;
  std::int64_t fill_blocks;
  std::int64_t update_blocks;
  std::int64_t network_words;
  std::int64_t spatial_reductions;
  double hops;
  double network_pj;
  bool kept;
};

/// Everything counted for one mapping.
struct Work {
  std::array<std::array<Counters, kMaxTensors>, kMaxLevels> at;
  std::array<std::int64_t, kMaxLevels + 1>
      instances;  ///< used at the busiest step; [levels] = units
  std::int64_t steps;
};

/// The loops of a mapping with what a step of each moves.
/// No default initialisers on purpose: a nest is scratch memory of several KiB that BuildNest fills
/// as far as it is used; zeroing it would cost as much as evaluating.
struct FlatLoop {
  std::int32_t dim;
  std::int32_t level;
  std::int64_t bound;
  std::int64_t last;
  std::int64_t stride;  ///< points of the dim inside one step
};

struct Nest {
  /// Temporal loops, outermost first. Those above level l are [0, end[l]).
  std::array<FlatLoop, kMaxLoops> temporal;
  std::array<std::int32_t, kMaxLevels + 1> end;
  /// Spatial loops of all fan-outs (by level; X then Y, outermost first). Those of the fan-out
  /// below level l are [spatial_end[l], spatial_end[l + 1]), the ones before spatial_y[l] on X.
  std::array<FlatLoop, 2 * kMaxLoops> spatial;
  std::array<std::int32_t, kMaxLevels + 1> spatial_end;
  std::array<std::int32_t, kMaxLevels> spatial_y;
  /// Points of dim d inside one instance of level l; [levels] = 1.
  std::array<std::array<std::int64_t, kMaxDims>, kMaxLevels + 1> tile;
  bool ragged;
};

/// Reads the mapping into a nest. Loops of bound 1 are dropped.
void BuildNest(const Compiled& compiled, const mapping::Mapping& mapping, Nest& nest);

/// Whether the fan-outs in use between `parent` and the memory `child` all pass words along from
/// neighbour to neighbour. False when none is in use, and for the compute units.
inline bool Forwards(const Compiled& compiled, const Nest& nest, int parent, int child) {
  bool used = false;
  for (int l = parent; l < child; ++l) {
    const auto at = static_cast<std::size_t>(l);
    if (nest.spatial_end[at + 1] > nest.spatial_end[at]) {
      used = true;
      if (!compiled.level[at].forwarding) {
        return false;
      }
    }
  }
  return used && child < compiled.levels;
}

/// Both fill `work` for a covering mapping. CountPerfect requires !nest.ragged.
void CountPerfect(const Compiled& compiled, const Policy& policy, const mapping::Mapping& mapping,
                  const Nest& nest, Work& work);
void CountRagged(const Compiled& compiled, const Policy& policy, const mapping::Mapping& mapping,
                 const Nest& nest, Work& work);

/// One (parent level, child) pair of one tensor, summed over all instances. `child` = levels:
/// compute.
struct Edge {
  int parent;
  int child;
  std::int64_t delivered;         ///< words into (or out of) children, all children
  std::int64_t served;            ///< the same at the parent, after multicast or reduction
  std::int64_t parent_partition;  ///< outputs: distinct words, summed over parent instances
  std::int64_t child_partition;
  std::int64_t tile_words;  ///< largest tile of the child
  /// Only used with VectorRounding::kPerTile: transfers rounded up to the blocks of each side.
  std::int64_t delivered_blocks;
  std::int64_t served_blocks;
  std::int64_t child_first_blocks =
      0;  ///< outputs: the part of delivered_blocks that is a first visit
  std::int64_t parent_first_blocks;
};
using EdgeList = StaticVector<Edge, kMaxLevels>;
/// Books the edges of tensor t (innermost first) into the counters under the policy's rules. Shared
/// by both engines.
void BookTensor(const Compiled& compiled, const Policy& policy, int tensor, const EdgeList& edges,
                Work& work);
/// Block counts of VectorRounding::kTotal, once all edges are booked.
void RoundTotals(const Compiled& compiled, const Policy& policy, Work& work);

/// Distance travelled in the fan-outs. See network.cpp.
void CountNetwork(const Compiled& compiled, const mapping::Mapping& mapping, const Nest& nest,
                  Work& work);
/// Picojoules that one word of `tensor` pays in the fan-out below `level`, as CountNetwork books it
/// (outputs: with its additions). Depends on the spatial loops of that fan-out only, unless two
/// dims of one window share it.
double NetworkWordEnergy(const Compiled& compiled, const Nest& nest, int level, int tensor);

inline bool HasBit(std::uint32_t mask, int bit) {
  return ((mask >> static_cast<unsigned>(bit)) & 1U) != 0;
}
inline std::size_t Index(int i) {
  return static_cast<std::size_t>(i);
}

}  // namespace sluice::cost
