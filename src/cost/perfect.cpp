// Counting for perfect factors: every iteration of a loop looks like every other, so one instance
// speaks for all and one formula for all time.
//
//   delivered to one child = CountMoves(tile)          (plain tensors: tile x all loops from the
//                                                       innermost relevant one outwards)
//   children               = product of the spatial bounds above it
//   served by the parent   = delivered to one child x number of distinct tile offsets   (multicast)
//                            CountMoves(union of the children's tiles) (forwarding)

#include <array>
#include <cstdint>
#include <set>
#include <span>
#include <utility>

#include "cost/axis/axis_set.h"
#include "cost/axis/moves.h"
#include "cost/compiled.h"
#include "cost/policy.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"

namespace sluice::cost {
namespace {

std::int64_t RoundUp(std::int64_t words, std::int64_t block) {
  return block == 1 ? words : (words + block - 1) / block;
}

class PerfectCounter {
 public:
  PerfectCounter(const Compiled& compiled, const Policy& policy, const mapping::Mapping& mapping,
                 const Nest& nest, Work& work)
      : compiled_(compiled), policy_(policy), mapping_(mapping), nest_(nest), work_(work) {}

  void Run() {
    CountInstances();
    CountRevisits();
    for (int t = 0; t < compiled_.tensors; ++t) {
      CountTensor(t);
    }
  }

 private:
  void CountInstances() {
    std::int64_t instances = 1;
    for (int l = 0; l < compiled_.levels; ++l) {
      work_.instances[Index(l)] = instances;
      for (int t = 0; t < compiled_.tensors; ++t) {
        relevant_[Index(l)][Index(t)] = 1;
      }
      for (int i = nest_.spatial_end[Index(l)]; i < nest_.spatial_end[Index(l) + 1]; ++i) {
        const FlatLoop& loop = nest_.spatial[Index(i)];
        instances *= loop.bound;
        for (int t = 0; t < compiled_.tensors; ++t) {
          if (HasBit(compiled_.tensor[Index(t)].dims, loop.dim)) {
            relevant_[Index(l)][Index(t)] *= loop.bound;
          }
        }
      }
    }
    work_.instances[Index(compiled_.levels)] = instances;
  }

  /// revisits_[l][t]: product of all temporal loops above level l, down to the innermost one that
  /// moves tensor t: how often a plain tile is delivered.
  void CountRevisits() {
    std::array<std::int64_t, kMaxTensors> seen;
    seen.fill(1);
    std::int64_t all = 1;
    int i = 0;
    for (int l = 0; l <= compiled_.levels; ++l) {
      for (; i < nest_.end[Index(l)]; ++i) {
        const FlatLoop& loop = nest_.temporal[Index(i)];
        all *= loop.bound;
        for (int t = 0; t < compiled_.tensors; ++t) {
          if (HasBit(compiled_.tensor[Index(t)].dims, loop.dim)) {
            seen[Index(t)] = all;
          }
        }
      }
      for (int t = 0; t < compiled_.tensors; ++t) {
        revisits_[Index(l)][Index(t)] = seen[Index(t)];
      }
    }
    work_.steps = all;
  }

  void CountTensor(int t) {
    const CompiledTensor& tensor = compiled_.tensor[Index(t)];
    EdgeList edges;
    int child = compiled_.levels;
    for (int l = compiled_.levels - 1; l >= 0; --l) {
      if (HasBit(mapping_.levels[Index(l)].keep, t)) {
        edges.push_back({});
        MakeEdge(tensor, t, l, child, edges.back());
        child = l;
      }
    }
    BookTensor(compiled_, policy_, t, edges, work_);
  }

  void MakeEdge(const CompiledTensor& tensor, int t, int parent, int child, Edge& e) const {
    e.parent = parent;
    e.child = child;
    const std::int64_t parents = work_.instances[Index(parent)];
    const std::int64_t children = work_.instances[Index(child)];
    const std::int64_t groups = Distinct(tensor, t, parent, child) * parents;

    const bool per_tile = policy_.vector_rounding == VectorRounding::kPerTile;
    const std::int64_t parent_block = per_tile ? compiled_.level[Index(parent)].block_words : 1;
    const std::int64_t child_block =
        per_tile && child < compiled_.levels ? compiled_.level[Index(child)].block_words : 1;
    Delivered one;
    if (child == compiled_.levels) {
      e.tile_words = 1;
      one = {work_.steps, work_.steps, work_.steps};
    } else if (tensor.plain) {
      e.tile_words = PlainTile(tensor, child);
      const std::int64_t visits = revisits_[Index(child)][Index(t)];
      one = {e.tile_words * visits, RoundUp(e.tile_words, parent_block) * visits,
             RoundUp(e.tile_words, child_block) * visits};
    } else {
      one = CountTile(tensor, child, {parent_block, child_block}, e.tile_words);
    }
    e.delivered = one.words * children;
    e.delivered_blocks = one.blocks_b * children;
    e.served = one.words * groups;
    e.served_blocks = one.blocks_a * groups;
    if (!tensor.is_output && Forwards(compiled_, nest_, parent, child)) {
      const Delivered group = CountGroup(tensor, parent, child, parent_block);
      e.served = group.words * parents;
      e.served_blocks = group.blocks_a * parents;
    }
    if (tensor.is_output && tensor.accumulates) {
      FillPartitions(tensor, t, parent_block, child_block, e);
    }
  }

  void FillPartitions(const CompiledTensor& tensor, int t, std::int64_t parent_block,
                      std::int64_t child_block, Edge& e) const {
    e.parent_partition = Partition(tensor, t, e.parent) * work_.instances[Index(e.parent)];
    e.parent_first_blocks = e.parent_partition / e.tile_words * RoundUp(e.tile_words, parent_block);
    if (e.child < compiled_.levels) {
      e.child_partition = Partition(tensor, t, e.child) * work_.instances[Index(e.child)];
      e.child_first_blocks = e.child_partition / e.tile_words * RoundUp(e.tile_words, child_block);
    }
  }

  [[nodiscard]] std::int64_t PlainTile(const CompiledTensor& tensor, int level) const {
    std::int64_t words = 1;
    for (std::uint32_t rest = tensor.dims; rest != 0; rest &= rest - 1) {
      words *= nest_.tile[Index(level)][Index(__builtin_ctz(rest))];
    }
    return words;
  }

  [[nodiscard]] Delivered CountTile(const CompiledTensor& tensor, int child, BlockSizes blocks,
                                    std::int64_t& tile_words) const {
    const std::span<const FlatLoop> loops = LoopsAbove(nest_, child);
    tile_words = 1;
    if (!tensor.joint) {
      std::array<Progression, kMaxAxes> axes;
      bool regular = true;
      for (int a = 0; a < tensor.axes && regular; ++a) {
        regular = TileProgression(tensor.axis[Index(a)], child, axes[Index(a)]);
        tile_words *= axes[Index(a)].count;
      }
      if (regular) {
        return CountWindowMoves(tensor, axes.data(), loops, policy_.window, blocks);
      }
    }
    AxisSets sets;
    tile_words = 1;
    for (int a = 0; a < tensor.axes; ++a) {
      sets[Index(a)] = TileSet(tensor.axis[Index(a)], child);
      tile_words *= sets[Index(a)].size();
    }
    return CountMoves(tensor, sets, loops, policy_.window, blocks);
  }

  /// The positions of the tile on an axis if they are evenly spaced; false if there are gaps.
  [[nodiscard]] bool TileProgression(const mapping::WorkloadAxis& axis, int level,
                                     Progression& out) const {
    const auto& tile = nest_.tile[Index(level)];
    std::int64_t extent = 1;
    for (const mapping::WorkloadTerm& term : axis) {
      extent += term.coefficient * (tile[Index(term.dim)] - 1);
    }
    out = {1, extent};
    if (policy_.gap_words || axis.empty()) {
      return true;
    }
    if (axis.size() == 1) {
      out = {axis[0].coefficient, tile[Index(axis[0].dim)]};
      return true;
    }
    if (axis.size() > 2) {
      return false;
    }
    const bool swap = axis[0].coefficient > axis[1].coefficient;
    const mapping::WorkloadTerm& fine = axis[swap ? 1U : 0U];
    const mapping::WorkloadTerm& coarse = axis[swap ? 0U : 1U];
    const std::int64_t fine_count = tile[Index(fine.dim)];
    const std::int64_t coarse_count = tile[Index(coarse.dim)];
    if (fine_count == 1) {
      out = {coarse.coefficient, coarse_count};
      return true;
    }
    if (coarse_count == 1) {
      out = {fine.coefficient, fine_count};
      return true;
    }
    return fine.coefficient == 1 && coarse.coefficient <= fine_count;
  }

  [[nodiscard]] AxisSet TileSet(const mapping::WorkloadAxis& axis, int level) const {
    Progression regular;
    if (TileProgression(axis, level, regular)) {
      return AxisSet::Progression(regular.step, regular.count);
    }
    GeneratorList generators;
    for (const mapping::WorkloadTerm& term : axis) {
      generators.push_back({term.coefficient, nest_.tile[Index(level)][Index(term.dim)]});
    }
    return AxisSet::Build(generators, false);
  }

  /// Tiles that the parent tells apart: each fan-out on the way merges what it can. Two subtrees
  /// merge when everything in them is the same, so the factors of the fan-outs multiply.
  [[nodiscard]] std::int64_t Distinct(const CompiledTensor& tensor, int t, int parent,
                                      int child) const {
    std::int64_t product = 1;
    for (int l = parent; l < child; ++l) {
      const std::int64_t copies = work_.instances[Index(l + 1)] / work_.instances[Index(l)];
      if (copies > 1) {
        product *= Shares(l, tensor.is_output) ? DistinctAt(tensor, t, l) : copies;
      }
    }
    return product;
  }

  [[nodiscard]] bool Shares(int level, bool output) const {
    const CompiledLevel& at = compiled_.level[Index(level)];
    return output ? at.reduction : at.multicast;
  }

  [[nodiscard]] std::int64_t DistinctAt(const CompiledTensor& tensor, int t, int level) const {
    const std::int64_t relevant = relevant_[Index(level)][Index(t)];
    if (relevant == 1 || (tensor.windows == 0 && !tensor.joint)) {
      return relevant;
    }
    if (tensor.joint) {
      return DistinctJoint(tensor, level, level + 1);
    }
    // Offsets collide only between two dims of one window axis.
    std::int64_t product = 1;
    for (int a = 0; a < tensor.axes; ++a) {
      GeneratorList generators;
      std::int64_t plain = 1;
      std::uint32_t dims = 0;
      for (const mapping::WorkloadTerm& term : tensor.axis[Index(a)]) {
        for (int i = nest_.spatial_end[Index(level)]; i < nest_.spatial_end[Index(level) + 1];
             ++i) {
          const FlatLoop& loop = nest_.spatial[Index(i)];
          if (loop.dim == term.dim) {
            generators.push_back({term.coefficient * loop.stride, loop.bound});
            plain *= loop.bound;
            dims |= 1U << static_cast<unsigned>(loop.dim);
          }
        }
      }
      const bool several = (dims & (dims - 1)) != 0;
      product *= several ? AxisSet::Build(generators, false).size() : plain;
    }
    return product;
  }

  /// A dim moves two axes at once: enumerate. Rare (diagonal accesses), so allocation is accepted.
  [[nodiscard]] std::int64_t DistinctJoint(const CompiledTensor& tensor, int begin, int end) const {
    using Offset = std::array<std::int64_t, kMaxAxes>;
    std::set<Offset> offsets = {Offset{}};
    for (int i = nest_.spatial_end[Index(begin)]; i < nest_.spatial_end[Index(end)]; ++i) {
      const FlatLoop& loop = nest_.spatial[Index(i)];
      if (!HasBit(tensor.dims, loop.dim)) {
        continue;
      }
      std::set<Offset> next;
      for (Offset moved : offsets) {
        for (std::int64_t x = 0; x < loop.bound; ++x) {
          next.insert(moved);
          for (int a = 0; a < tensor.axes; ++a) {
            moved[Index(a)] += tensor.coefficient[Index(a)][Index(loop.dim)] * loop.stride;
          }
        }
      }
      offsets = std::move(next);
    }
    return static_cast<std::int64_t>(offsets.size());
  }

  /// The children of one parent instance as one buffer: a word enters when none of them holds it.
  [[nodiscard]] Delivered CountGroup(const CompiledTensor& tensor, int parent, int child,
                                     std::int64_t parent_block) const {
    AxisSets sets;
    for (int a = 0; a < tensor.axes; ++a) {
      GeneratorList generators;
      for (const mapping::WorkloadTerm& term : tensor.axis[Index(a)]) {
        generators.push_back({term.coefficient, nest_.tile[Index(child)][Index(term.dim)]});
        for (int i = nest_.spatial_end[Index(parent)]; i < nest_.spatial_end[Index(child)]; ++i) {
          const FlatLoop& loop = nest_.spatial[Index(i)];
          if (loop.dim == term.dim) {
            generators.push_back({term.coefficient * loop.stride, loop.bound});
          }
        }
      }
      sets[Index(a)] = AxisSet::Build(generators, false);
      if (policy_.gap_words) {
        // Bounding boxes of the children, not of their union.
        sets[Index(a)] = BoxedUnion(tensor.axis[Index(a)], parent, child);
      }
    }
    return CountMoves(tensor, sets, LoopsAbove(nest_, child), policy_.window, {parent_block, 1});
  }

  [[nodiscard]] AxisSet BoxedUnion(const mapping::WorkloadAxis& axis, int parent, int child) const {
    GeneratorList generators;
    generators.push_back({1, TileSet(axis, child).size()});
    for (const mapping::WorkloadTerm& term : axis) {
      for (int i = nest_.spatial_end[Index(parent)]; i < nest_.spatial_end[Index(child)]; ++i) {
        const FlatLoop& loop = nest_.spatial[Index(i)];
        if (loop.dim == term.dim) {
          generators.push_back({term.coefficient * loop.stride, loop.bound});
        }
      }
    }
    return AxisSet::Build(generators, false);
  }

  /// Distinct words of an output that one instance of `level` ever holds.
  [[nodiscard]] std::int64_t Partition(const CompiledTensor& tensor, int t, int level) const {
    if (tensor.plain) {
      std::int64_t words = 1;
      for (std::uint32_t rest = tensor.dims; rest != 0; rest &= rest - 1) {
        words *= compiled_.bound[Index(__builtin_ctz(rest))];
      }
      for (int l = 0; l < level; ++l) {
        words /= relevant_[Index(l)][Index(t)];
      }
      return words;
    }
    std::int64_t words = 1;
    for (int a = 0; a < tensor.axes; ++a) {
      words *= Ever(tensor.axis[Index(a)], level).size();
    }
    return words;
  }

  [[nodiscard]] AxisSet Ever(const mapping::WorkloadAxis& axis, int level) const {
    GeneratorList generators;
    if (policy_.gap_words) {
      generators.push_back({1, TileSet(axis, level).size()});
    }
    for (const mapping::WorkloadTerm& term : axis) {
      if (!policy_.gap_words) {
        generators.push_back({term.coefficient, nest_.tile[Index(level)][Index(term.dim)]});
      }
      for (int i = 0; i < nest_.end[Index(level)]; ++i) {
        const FlatLoop& loop = nest_.temporal[Index(i)];
        if (loop.dim == term.dim) {
          generators.push_back({term.coefficient * loop.stride, loop.bound});
        }
      }
    }
    return AxisSet::Build(generators, false);
  }

  const Compiled& compiled_;
  const Policy& policy_;
  const mapping::Mapping& mapping_;
  const Nest& nest_;
  Work& work_;
  std::array<std::array<std::int64_t, kMaxTensors>, kMaxLevels> relevant_;
  std::array<std::array<std::int64_t, kMaxTensors>, kMaxLevels + 1> revisits_;
};

}  // namespace

void CountPerfect(const Compiled& compiled, const Policy& policy, const mapping::Mapping& mapping,
                  const Nest& nest, Work& work) {
  PerfectCounter(compiled, policy, mapping, nest, work).Run();
}

}  // namespace sluice::cost
