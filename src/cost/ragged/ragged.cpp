// Counting for imperfect factors, exactly.
//
// `last` is the mixed-radix representation of (bound - 1), so a position of a dim is executed
// exactly when it is below the bound: a tile at offset o has min(tile, bound - o) points. For one
// instance the spatial digits are fixed; what remains of a dim is a *prefix* of its temporal
// iterations, in lexicographic order, of which only the final tile can be short. Instances with the
// same prefix length and the same final tile behave alike: they form a class. A count is a sum over
// classes (one per dim) of multiplicity x the count of one representative.
//
// Within a representative, a move of loop k is described by which dims are on their final outer
// iteration
// ("on") and which are not: that fixes the old tile, the new tile and the shift. There are
// 2^(ragged dims) cases per loop, each with a known multiplicity.
//
// Multicast: children that differ only in dims the tensor does not have hold the same tile; the one
// with spatial digits 0 in those dims is active whenever any of them is, so it represents the
// group.

#include "cost/ragged/ragged.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/static_vector.h"
#include "cost/axis/axis_set.h"
#include "cost/axis/moves.h"
#include "cost/compiled.h"
#include "cost/policy.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"

namespace sluice::cost {
namespace {

/// Instances that see dim d alike.
struct DimClass {
  std::int64_t multiplicity = 0;
  std::int64_t visits = 0;                      ///< executed temporal iterations above the child
  std::int64_t last_tile = 0;                   ///< points in the final one
  StaticVector<std::int64_t, kMaxLevels> last;  ///< per temporal loop of the dim, outermost first
};
using ClassList = std::vector<DimClass>;
using ClassLists = std::array<ClassList, kMaxDims>;

class RaggedCounter {
 public:
  RaggedCounter(const Compiled& compiled, const Policy& policy, const mapping::Mapping& mapping,
                const Nest& nest, Work& work)
      : compiled_(compiled), policy_(policy), mapping_(mapping), nest_(nest), work_(work) {}

  void Run() {
    work_.steps = 1;
    for (int d = 0; d < compiled_.dims; ++d) {
      work_.steps *= TotalVisits(Classes(d, compiled_.levels, ~0U));
    }
    for (int l = 0; l <= compiled_.levels; ++l) {
      std::int64_t used = 1;
      for (int d = 0; d < compiled_.dims; ++d) {
        std::int64_t active = 0;
        for (const DimClass& c : Classes(d, l, 0)) {
          active += c.multiplicity;
        }
        used *= active;
      }
      work_.instances[Index(l)] = used;
    }
    for (int t = 0; t < compiled_.tensors; ++t) {
      EdgeList edges;
      int child = compiled_.levels;
      for (int l = compiled_.levels - 1; l >= 0; --l) {
        if (HasBit(mapping_.levels[Index(l)].keep, t)) {
          edges.push_back(MakeEdge(t, l, child));
          child = l;
        }
      }
      BookTensor(compiled_, policy_, t, edges, work_);
    }
  }

 private:
  /// Classes of dim d for instances of level `child`; spatial digits of the fan-outs below the
  /// levels in `pinned` are held at 0. Instances that are never active are left out.
  [[nodiscard]] ClassList Classes(int d, int child, std::uint32_t pinned) const {
    std::vector<std::int64_t> bases = {0};
    for (int l = 0; l < child; ++l) {
      if (HasBit(pinned, l)) {
        continue;
      }
      for (int i = nest_.spatial_end[Index(l)]; i < nest_.spatial_end[Index(l) + 1]; ++i) {
        const FlatLoop& loop = nest_.spatial[Index(i)];
        if (loop.dim != d) {
          continue;
        }
        const std::size_t count = bases.size();
        for (std::int64_t x = 1; x < loop.bound; ++x) {
          for (std::size_t b = 0; b < count; ++b) {
            bases.push_back(bases[b] + x * loop.stride);
          }
        }
      }
    }
    ClassList classes;
    for (const std::int64_t base : bases) {
      if (base < compiled_.bound[Index(d)]) {
        Add(Describe(d, child, base), classes);
      }
    }
    return classes;
  }

  static void Add(const DimClass& one, ClassList& classes) {
    for (DimClass& c : classes) {
      if (c.visits == one.visits && c.last_tile == one.last_tile) {
        ++c.multiplicity;
        return;
      }
    }
    classes.push_back(one);
  }

  [[nodiscard]] DimClass Describe(int d, int child, std::int64_t base) const {
    DimClass c;
    c.multiplicity = 1;
    std::int64_t room = compiled_.bound[Index(d)] - 1 - base;
    std::int64_t offset = 0;
    c.visits = 1;
    bool saturated = false;
    for (int i = 0; i < nest_.end[Index(child)]; ++i) {
      const FlatLoop& loop = nest_.temporal[Index(i)];
      if (loop.dim != d) {
        continue;
      }
      std::int64_t digit = loop.bound - 1;
      if (!saturated) {
        digit = std::min(digit, room / loop.stride);
        // More room than the rest of the loops can use: they all run to their end.
        saturated = room / loop.stride >= loop.bound;
        room -= digit * loop.stride;
      }
      c.last.push_back(digit + 1);
      c.visits = (c.visits - 1) * loop.bound + digit + 1;
      offset += digit * loop.stride;
    }
    c.last_tile =
        std::min(nest_.tile[Index(child)][Index(d)], compiled_.bound[Index(d)] - base - offset);
    return c;
  }

  static std::int64_t TotalVisits(const ClassList& classes) {
    std::int64_t total = 0;
    for (const DimClass& c : classes) {
      total += c.multiplicity * c.visits;
    }
    return total;
  }

  Edge MakeEdge(int t, int parent, int child) {
    const CompiledTensor& tensor = compiled_.tensor[Index(t)];
    Edge e{};
    e.parent = parent;
    e.child = child;
    const std::uint32_t merging = MergingLevels(tensor, parent, child);
    const bool forwards = !tensor.is_output && Forwards(compiled_, nest_, parent, child);
    if (child < compiled_.levels) {
      DimArray size{};
      for (int d = 0; d < compiled_.dims; ++d) {
        size[Index(d)] = std::min(nest_.tile[Index(child)][Index(d)], compiled_.bound[Index(d)]);
      }
      e.tile_words = BoxWords(tensor, size);
    } else {
      e.tile_words = 1;
    }
    if (forwards || NeedsWalk(tensor, parent, child, merging)) {
      WalkEdge(compiled_, policy_, nest_, t, {merging, forwards}, e);
      return e;
    }
    if (child == compiled_.levels) {
      e.delivered = compiled_.points;
      e.served = ServedSteps(tensor, merging);
      e.delivered_blocks = e.delivered;
      e.served_blocks = e.served;
    } else {
      CountDeliveries(tensor, merging, e);
    }
    if (tensor.is_output && tensor.accumulates) {
      CountPartitions(tensor, e);
    }
    return e;
  }

  /// Bit l: the fan-out below level l has copies and merges equal tiles of this tensor.
  [[nodiscard]] std::uint32_t MergingLevels(const CompiledTensor& tensor, int parent,
                                            int child) const {
    std::uint32_t mask = 0;
    for (int l = parent; l < child; ++l) {
      const CompiledLevel& level = compiled_.level[Index(l)];
      if (tensor.is_output ? level.reduction : level.multicast) {
        // NOLINTNEXTLINE(clang-analyzer-core.BitwiseShift): levels are few
        mask |= 1U << static_cast<unsigned>(l);
      }
    }
    return mask;
  }

  [[nodiscard]] bool NeedsWalk(const CompiledTensor& tensor, int parent, int child,
                               std::uint32_t merging) const {
    if (tensor.joint || (tensor.is_output && !tensor.plain)) {
      return true;
    }
    if (tensor.windows != 0 && child < compiled_.levels &&
        policy_.window == WindowRule::kSameDirection) {
      return true;
    }
    // A fan-out that copies inside one that merges: subtrees differ in how many of their copies are
    // active.
    for (int l = 0; l < child; ++l) {
      const bool copies = nest_.spatial_end[Index(l + 1)] > nest_.spatial_end[Index(l)];
      if (l >= parent && copies && !HasBit(merging, l) &&
          (merging & ((1U << static_cast<unsigned>(l)) - 1U)) != 0) {
        return true;
      }
    }
    // Two dims of one window in one merging fan-out: tiles of different shape at equal offsets.
    for (int a = 0; a < tensor.axes; ++a) {
      for (int l = 0; l < compiled_.levels; ++l) {
        std::uint32_t dims = 0;
        for (int i = nest_.spatial_end[Index(l)]; i < nest_.spatial_end[Index(l) + 1]; ++i) {
          const int dim = nest_.spatial[Index(i)].dim;
          if (tensor.coefficient[Index(a)][Index(dim)] != 0) {
            dims |= 1U << static_cast<unsigned>(dim);
          }
        }
        if (HasBit(merging, l) && (dims & (dims - 1)) != 0) {
          return true;
        }
      }
    }
    return false;
  }

  /// Steps at which the innermost level serves the compute units, after sharing.
  [[nodiscard]] std::int64_t ServedSteps(const CompiledTensor& tensor,
                                         std::uint32_t merging) const {
    // An irrelevant dim whose copies all merge counts iterations, otherwise points.
    std::int64_t served = 1;
    for (int d = 0; d < compiled_.dims; ++d) {
      served *= HasBit(tensor.dims, d) ? compiled_.bound[Index(d)]
                                       : TotalVisits(Classes(d, compiled_.levels, merging));
    }
    return served;
  }

  [[nodiscard]] std::int64_t BoxWords(const CompiledTensor& tensor, const DimArray& size) const {
    std::int64_t words = 1;
    for (int a = 0; a < tensor.axes; ++a) {
      words *= TileAxis(tensor.axis[Index(a)], size, policy_.gap_words).size();
    }
    return words;
  }

  /// `merging`: levels whose copies of an irrelevant dim are represented by their first.
  [[nodiscard]] ClassLists ListClasses(const CompiledTensor& tensor, int child,
                                       std::uint32_t merging) const {
    ClassLists lists;
    for (int d = 0; d < compiled_.dims; ++d) {
      lists[Index(d)] = Classes(d, child, HasBit(tensor.dims, d) ? 0U : merging);
    }
    return lists;
  }

  /// Calls `visit(multiplicity, representative)` for every combination of one class per dim.
  template <class Visit>
  void ForEachCombination(const ClassLists& lists, Visit visit) const {
    std::array<const DimClass*, kMaxDims> chosen{};
    const auto recurse = [&](const auto& self, int d, std::int64_t multiplicity) -> void {
      if (d == compiled_.dims) {
        visit(multiplicity, chosen);
        return;
      }
      for (const DimClass& c : lists[Index(d)]) {
        chosen[Index(d)] = &c;
        self(self, d + 1, multiplicity * c.multiplicity);
      }
    };
    recurse(recurse, 0, 1);
  }

  void CountDeliveries(const CompiledTensor& tensor, std::uint32_t merging, Edge& e) const {
    const bool per_tile = policy_.vector_rounding == VectorRounding::kPerTile;
    const std::int64_t parent_block = per_tile ? compiled_.level[Index(e.parent)].block_words : 1;
    const std::int64_t child_block = per_tile ? compiled_.level[Index(e.child)].block_words : 1;
    const auto sum = [&](std::uint32_t merged) {
      Delivered total;
      ForEachCombination(
          ListClasses(tensor, e.child, merged), [&](std::int64_t multiplicity, const auto& chosen) {
            const Delivered one = Moves(tensor, e.child, chosen, {parent_block, child_block});
            total.words += multiplicity * one.words;
            total.blocks_a += multiplicity * one.blocks_a;
            total.blocks_b += multiplicity * one.blocks_b;
          });
      return total;
    };
    const Delivered all = sum(0);
    e.delivered = all.words;
    e.delivered_blocks = all.blocks_b;
    const Delivered served = merging != 0 ? sum(merging) : all;
    e.served = served.words;
    e.served_blocks = served.blocks_a;
  }

  using Chosen = std::array<const DimClass*, kMaxDims>;

  /// What the loops inside loop k have done to a dim.
  struct Inside {
    std::int64_t advanced_full = 0;
    std::int64_t advanced_last = 0;
    bool all_ones = true;  ///< the final pass through them has one iteration
  };

  /// One representative on its way through the loops above `child`, outermost first.
  struct Course {
    Course(int c, const Chosen& representative) : child(c), chosen(representative) {}
    int child;
    const Chosen& chosen;
    std::array<std::int64_t, kMaxLoops> last;  ///< of every loop; filled as far as there are loops
    DimArray outer{};  ///< executed combinations of the dim's loops outside the current one
    StaticVector<std::int32_t, kMaxDims> ragged;
  };

  /// Words delivered to one instance over the run.
  [[nodiscard]] Delivered Moves(const CompiledTensor& tensor, int child, const Chosen& chosen,
                                BlockSizes blocks) const {
    const int count = nest_.end[Index(child)];
    Course course(child, chosen);
    DimArray position{};
    DimArray size{};
    for (int d = 0; d < compiled_.dims; ++d) {
      course.outer[Index(d)] = 1;
      const DimClass& c = *chosen[Index(d)];
      size[Index(d)] = c.visits == 1 ? c.last_tile : nest_.tile[Index(child)][Index(d)];
    }
    DimArray is_ragged{};
    for (int i = 0; i < count; ++i) {
      const FlatLoop& loop = nest_.temporal[Index(i)];
      const DimClass& c = *chosen[Index(loop.dim)];
      course.last[Index(i)] = c.last[Index(static_cast<int>(position[Index(loop.dim)]++))];
      if (course.last[Index(i)] != loop.bound) {
        is_ragged[Index(loop.dim)] = 1;
      }
    }
    for (int d = 0; d < compiled_.dims; ++d) {
      const DimClass& c = *chosen[Index(d)];
      if (is_ragged[Index(d)] != 0 ||
          (c.last_tile != nest_.tile[Index(child)][Index(d)] && c.visits > 1)) {
        course.ragged.push_back(d);
      }
    }
    Delivered total;
    Deliver(BoxWords(tensor, size), 1, blocks, total);
    for (int k = 0; k < count; ++k) {
      MovesOfLoop(tensor, course, k, blocks, total);
      const FlatLoop& loop = nest_.temporal[Index(k)];
      std::int64_t& combinations = course.outer[Index(loop.dim)];
      combinations = (combinations - 1) * loop.bound + course.last[Index(k)];
    }
    return total;
  }

  static void Deliver(std::int64_t words, std::int64_t times, BlockSizes blocks, Delivered& total) {
    total.words += words * times;
    total.blocks_a += (words + blocks.a - 1) / blocks.a * times;
    total.blocks_b += (words + blocks.b - 1) / blocks.b * times;
  }

  void MovesOfLoop(const CompiledTensor& tensor, const Course& course, int k, BlockSizes blocks,
                   Delivered& total) const {
    const auto& [child, chosen, last, outer, ragged] = course;
    const int count = nest_.end[Index(child)];
    const FlatLoop& loop = nest_.temporal[Index(k)];
    std::array<Inside, kMaxDims> inside{};
    for (int i = k + 1; i < count; ++i) {
      const FlatLoop& inner = nest_.temporal[Index(i)];
      Inside& in = inside[Index(inner.dim)];
      in.advanced_full += (inner.bound - 1) * inner.stride;
      in.advanced_last += (last[Index(i)] - 1) * inner.stride;
      in.all_ones = in.all_ones && last[Index(i)] == 1;
    }
    const auto cases = 1U << ragged.size();
    for (unsigned on = 0; on < cases; ++on) {
      std::int64_t times = 1;
      bool own_ragged = false;
      bool own_on = false;
      DimArray old_size{};
      DimArray new_size{};
      DimArray shift{};
      std::uint32_t ragged_mask = 0;
      for (std::size_t r = 0; r < ragged.size(); ++r) {
        const int d = ragged[r];
        const bool is_on = ((on >> r) & 1U) != 0;
        ragged_mask |= 1U << static_cast<unsigned>(d);
        if (d == loop.dim) {
          own_ragged = true;
          own_on = is_on;
          continue;
        }
        times *= is_on ? 1 : outer[Index(d)] - 1;
        const std::int64_t full = nest_.tile[Index(child)][Index(d)];
        const std::int64_t short_tile = chosen[Index(d)]->last_tile;
        old_size[Index(d)] = is_on ? short_tile : full;
        new_size[Index(d)] = is_on && inside[Index(d)].all_ones ? short_tile : full;
        shift[Index(d)] =
            -(is_on ? inside[Index(d)].advanced_last : inside[Index(d)].advanced_full);
      }
      for (int d = 0; d < compiled_.dims; ++d) {
        if (HasBit(ragged_mask, d)) {
          continue;
        }
        const DimClass& c = *chosen[Index(d)];
        old_size[Index(d)] = c.visits == 1 ? c.last_tile : nest_.tile[Index(child)][Index(d)];
        new_size[Index(d)] = old_size[Index(d)];
        shift[Index(d)] = -inside[Index(d)].advanced_full;
        times *= d == loop.dim ? 1 : outer[Index(d)];
      }
      if (times == 0) {
        continue;
      }
      const std::int64_t full = nest_.tile[Index(child)][Index(loop.dim)];
      const std::int64_t outer_count = outer[Index(loop.dim)];
      shift[Index(loop.dim)] = loop.stride - inside[Index(loop.dim)].advanced_full;
      if (!own_ragged) {
        Deliver(NewWords(tensor, old_size, new_size, shift), times * outer_count * (loop.bound - 1),
                blocks, total);
        continue;
      }
      old_size[Index(loop.dim)] = full;
      new_size[Index(loop.dim)] = full;
      const std::int64_t plain_moves = own_on ? std::max<std::int64_t>(0, last[Index(k)] - 2)
                                              : (outer_count - 1) * (loop.bound - 1);
      if (plain_moves > 0) {
        Deliver(NewWords(tensor, old_size, new_size, shift), times * plain_moves, blocks, total);
      }
      if (own_on && last[Index(k)] >= 2) {
        if (inside[Index(loop.dim)].all_ones) {
          new_size[Index(loop.dim)] = chosen[Index(loop.dim)]->last_tile;
        }
        Deliver(NewWords(tensor, old_size, new_size, shift), times, blocks, total);
      }
    }
  }

  [[nodiscard]] std::int64_t NewWords(const CompiledTensor& tensor, const DimArray& old_size,
                                      const DimArray& new_size, const DimArray& shift) const {
    std::int64_t words = 1;
    std::int64_t common = 1;
    for (int a = 0; a < tensor.axes; ++a) {
      const mapping::WorkloadAxis& axis = tensor.axis[Index(a)];
      std::int64_t moved = 0;
      for (const mapping::WorkloadTerm& term : axis) {
        moved += term.coefficient * shift[Index(term.dim)];
      }
      const AxisSet fresh = TileAxis(axis, new_size, policy_.gap_words);
      words *= fresh.size();
      // The new set lies `moved` further; seen from it, the old one lies at -moved.
      common *= fresh.Overlap(TileAxis(axis, old_size, policy_.gap_words), -moved);
    }
    return words - common;
  }

  /// Distinct output words per instance, and how many blocks their first visits take.
  void CountPartitions(const CompiledTensor& tensor, Edge& e) const {
    const bool per_tile = policy_.vector_rounding == VectorRounding::kPerTile;
    const auto points = [&](int level) {
      std::int64_t words = 1;
      for (int d = 0; d < compiled_.dims; ++d) {
        std::int64_t sum = 0;
        for (const DimClass& c : Classes(d, level, 0)) {
          const std::int64_t held =
              (c.visits - 1) * nest_.tile[Index(level)][Index(d)] + c.last_tile;
          sum += c.multiplicity * (HasBit(tensor.dims, d) ? held : 1);
        }
        words *= sum;
      }
      return words;
    };
    e.parent_partition = points(e.parent);
    const std::int64_t parent_block = per_tile ? compiled_.level[Index(e.parent)].block_words : 1;
    // A word is new to the parent once, however its copies are added up.
    e.parent_first_blocks = FirstBlocks(tensor, e, LevelsIn(e.parent, e.child), parent_block);
    if (e.child < compiled_.levels) {
      e.child_partition = points(e.child);
      const std::int64_t child_block = per_tile ? compiled_.level[Index(e.child)].block_words : 1;
      e.child_first_blocks = FirstBlocks(tensor, e, 0, child_block);
    }
  }

  static std::uint32_t LevelsIn(int begin, int end) {
    // NOLINTNEXTLINE(clang-analyzer-core.BitwiseShift): levels are few
    return ((1U << static_cast<unsigned>(end)) - 1U) & ~((1U << static_cast<unsigned>(begin)) - 1U);
  }

  [[nodiscard]] std::int64_t FirstBlocks(const CompiledTensor& tensor, const Edge& e,
                                         std::uint32_t merging, std::int64_t block) const {
    std::int64_t total = 0;
    ForEachCombination(ListClasses(tensor, e.child, merging), [&](std::int64_t multiplicity,
                                                                  const Chosen& chosen) {
      // Distinct tiles of this representative: per dim, full ones and the final
      // one.
      const auto recurse = [&](const auto& self, int d, std::int64_t times,
                               std::int64_t words) -> void {
        if (times == 0) {
          return;
        }
        if (d == compiled_.dims) {
          total += multiplicity * times * ((words + block - 1) / block);
          return;
        }
        if (!HasBit(tensor.dims, d)) {
          self(self, d + 1, times, words);
          return;
        }
        const DimClass& c = *chosen[Index(d)];
        self(self, d + 1, times * (c.visits - 1), words * nest_.tile[Index(e.child)][Index(d)]);
        self(self, d + 1, times, words * c.last_tile);
      };
      recurse(recurse, 0, 1, 1);
    });
    return total;
  }

  const Compiled& compiled_;
  const Policy& policy_;
  const mapping::Mapping& mapping_;
  const Nest& nest_;
  Work& work_;
};

}  // namespace

void CountRagged(const Compiled& compiled, const Policy& policy, const mapping::Mapping& mapping,
                 const Nest& nest, Work& work) {
  RaggedCounter(compiled, policy, mapping, nest, work).Run();
}

}  // namespace sluice::cost
