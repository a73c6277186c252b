#pragma once
/// \file
/// From what a dataflow code says to a whole mapping of a machine: units, tiles and keeps.
///
/// A code says little about a machine with many memories and 2-D fan-outs: a parallel dim, an order
/// and tiles per level. The rest follows by rules that know the machine's sizes and energies, and
/// never ask a cost model:
///   1. Units. Each axis of a fan-out takes the parallel dims that the code names for it, then
///      other dims in the order of their loops: first factors that divide what is left of the axis,
///      then any that fit.
///   2. Keeps. Every tensor takes the cheapest path through the memories, given the loops: words
///      that reuse leaves to be moved, times the energies of both ends.
///   3. Tiles. From the innermost memory outwards each takes as much of its tile in the code as
///      fits; what is left of a memory is filled with factors of the loops outside of it, outermost
///      loop first. Then keeps that no longer pay are dropped.
/// All factors divide; whatever the code says, the mapping fits if any mapping does.
/// Tested by tests/property/dataflow_code_test.cpp.

#include <array>
#include <cstddef>
#include <cstdint>

#include "arch/architecture.h"
#include "base/static_vector.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"

namespace sluice::mapping {

/// A chain as the rules see it.
struct FillMachine {
  struct Axis {
    std::size_t memory = 0;
    bool y = false;
    std::int64_t size = 1;
    std::uint32_t may_unroll = 0;
    bool multicast = true;
    bool reduction = true;
    double hop_pj = 0;     ///< a word and hop
    double router_pj = 0;  ///< a word and router
    double reduction_pj = 0;
  };
  struct Memory {
    std::int64_t usable_words = 0;
    std::uint32_t must_keep = 0;
    std::uint32_t may_keep = 0;
    double read_pj = 0;  ///< a word
    double fill_pj = 0;
    double update_pj = 0;
    double read_bandwidth = 0;  ///< words a cycle and instance; 0: no limit
    double write_bandwidth = 0;
  };
  StaticVector<Axis, std::size_t{2} * arch::kMaxLevels> axes;
  StaticVector<Memory, arch::kMaxLevels> memories;
  double cycles_per_point = 1;  ///< of a compute unit
  double compute_pj = 0;        ///< a point
};
FillMachine MakeFillMachine(const Workload& workload, const arch::Chain& chain);

/// What a code says, in dims of the workload.
struct FillWish {
  using Factors = std::array<std::int64_t, kMaxDims>;
  struct Share {
    int dim = 0;
    std::int64_t units = 1;  ///< at most
  };
  std::array<StaticVector<Share, 4>, std::size_t{2} * arch::kMaxLevels> axis;
  std::array<Factors, arch::kMaxLevels> tile{};  ///< of each memory; unused for the outermost
  /// Loops of each memory, outermost first: all dims of the workload.
  std::array<StaticVector<std::int32_t, kMaxDims>, arch::kMaxLevels> order;
  /// Of them so many, from the outermost, may be shortened to fill the memory inside.
  std::array<std::size_t, arch::kMaxLevels> yielding{};
};

/// What the rules make of a mapping: an estimate of its traffic, for whoever has to guess what it
/// costs. Tiles of units that overlap in part and roundings to blocks are left out.
struct FillFigures {
  struct Memory {
    double access_pj = 0;      ///< reads, fills and updates of all instances
    double network_pj = 0;     ///< of the fan-out below
    double read_words = 0;     ///< of one instance
    double written_words = 0;  ///< of one instance
    double used = 0;           ///< share of its size; 0 for those without limit
  };
  StaticVector<Memory, arch::kMaxLevels> memories;
  double steps = 1;       ///< of the busiest compute unit
  double compute_pj = 0;  ///< of all points
  double cycles = 1;      ///< the slowest of the compute units and the ports of memories
  double energy_pj = 0;   ///< all of it
};

Mapping Fill(const Workload& workload, const FillMachine& machine, const FillWish& wish);
/// Figures of the mapping that Fill makes.
FillFigures EstimateFill(const Workload& workload, const FillMachine& machine,
                         const FillWish& wish);

}  // namespace sluice::mapping
