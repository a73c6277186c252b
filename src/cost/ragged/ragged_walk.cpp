// The literal fallback of ragged counting: visit every step above the child and every instance, and
// look at the boxes. See ragged.h for when it is used.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "cost/axis/axis_set.h"
#include "cost/axis/moves.h"
#include "cost/compiled.h"
#include "cost/policy.h"
#include "cost/ragged/ragged.h"
#include "mapping/workload.h"

namespace sluice::cost {
namespace {

using Coordinates = std::array<std::int64_t, kMaxAxes>;

/// A tile: its low corner and its points per dim.
struct Tile {
  Coordinates low{};
  DimArray size{};
  bool valid = false;
};

using WordList = std::vector<Coordinates>;

/// What one buffer (a child, or a fan-out acting as one) holds, and how it got there.
struct History {
  std::set<Coordinates> words;
  Coordinates low{};
  Coordinates shift{};
  bool has_shift = false;
  bool valid = false;
};

class Walker {
 public:
  Walker(const Compiled& compiled, const Policy& policy, const Nest& nest, int tensor,
         Siblings siblings, Edge& edge)
      : compiled_(compiled),
        policy_(policy),
        nest_(nest),
        tensor_(compiled.tensor[Index(tensor)]),
        merging_(siblings.merging),
        forwards_(siblings.forward),
        edge_(edge),
        memory_child_(edge.child < compiled.levels) {
    const bool per_tile = policy.vector_rounding == VectorRounding::kPerTile;
    if (per_tile) {
      parent_block_ = compiled.level[Index(edge.parent)].block_words;
      child_block_ = memory_child_ ? compiled.level[Index(edge.child)].block_words : 1;
    }
  }

  void Run() {
    edge_.delivered = edge_.served = edge_.delivered_blocks = edge_.served_blocks = 0;
    for (const DimArray& base : Bases(0, edge_.parent, DimArray{})) {
      WalkParent(base);
    }
    if (tensor_.is_output && tensor_.accumulates) {
      edge_.parent_partition = Partition(edge_.parent);
      edge_.child_partition = memory_child_ ? Partition(edge_.child) : 0;
    }
    // First visits in blocks, in proportion: windows of an output overlap, so there is no "tile" to
    // round.
    const auto proportion = [](std::int64_t part, std::int64_t words, std::int64_t blocks) {
      return words == 0 ? 0 : blocks - (((words - part) * blocks + words - 1) / words);
    };
    edge_.parent_first_blocks =
        proportion(edge_.parent_partition, edge_.served, edge_.served_blocks);
    edge_.child_first_blocks =
        proportion(edge_.child_partition, edge_.delivered, edge_.delivered_blocks);
  }

 private:
  /// Offsets of all instances reached by the spatial loops of levels [begin, end), from `start`.
  [[nodiscard]] std::vector<DimArray> Bases(int begin, int end, const DimArray& start) const {
    std::vector<DimArray> bases = {start};
    for (int i = nest_.spatial_end[Index(begin)]; i < nest_.spatial_end[Index(end)]; ++i) {
      const FlatLoop& loop = nest_.spatial[Index(i)];
      std::vector<DimArray> next;
      for (const DimArray& base : bases) {
        for (std::int64_t x = 0; x < loop.bound; ++x) {
          next.push_back(base);
          next.back()[Index(loop.dim)] += x * loop.stride;
        }
      }
      bases = std::move(next);
    }
    return bases;
  }

  void WalkParent(const DimArray& parent_base) {
    children_ = Bases(edge_.parent, edge_.child, parent_base);
    histories_.assign(children_.size(), History{});
    news_.assign(children_.size(), {});
    group_history_ = History{};
    ForEachStep(edge_.child, [this](const DimArray& offset) { Step(offset); });
  }

  /// Visits every iteration of the temporal loops above `level`, in order.
  template <class Visit>
  void ForEachStep(int level, Visit visit) const {
    const int count = nest_.end[Index(level)];
    std::vector<std::int64_t> digit(Index(count), 0);
    DimArray offset{};
    int i = 0;
    while (i >= 0) {
      visit(offset);
      for (i = count - 1; i >= 0; --i) {
        const FlatLoop& loop = nest_.temporal[Index(i)];
        if (++digit[Index(i)] < loop.bound) {
          offset[Index(loop.dim)] += loop.stride;
          break;
        }
        offset[Index(loop.dim)] -= (loop.bound - 1) * loop.stride;
        digit[Index(i)] = 0;
      }
    }
  }

  /// Distinct words that instances of `level` ever hold, summed over them.
  [[nodiscard]] std::int64_t Partition(int level) const {
    std::int64_t total = 0;
    for (const DimArray& base : Bases(0, level, DimArray{})) {
      std::set<Coordinates> words;
      ForEachStep(level, [&](const DimArray& offset) {
        const Tile tile = TileAt(level, base, offset);
        if (tile.valid) {
          Collect(tile, words);
        }
      });
      total += static_cast<std::int64_t>(words.size());
    }
    return total;
  }

  [[nodiscard]] Tile TileAt(int level, const DimArray& base, const DimArray& offset) const {
    Tile tile;
    DimArray at{};
    for (int d = 0; d < compiled_.dims; ++d) {
      at[Index(d)] = base[Index(d)] + offset[Index(d)];
      const std::int64_t room = compiled_.bound[Index(d)] - at[Index(d)];
      if (room <= 0) {
        return tile;
      }
      if (HasBit(tensor_.dims, d)) {
        tile.size[Index(d)] = std::min(nest_.tile[Index(level)][Index(d)], room);
      }
    }
    tile.valid = true;
    for (int a = 0; a < tensor_.axes; ++a) {
      for (const mapping::WorkloadTerm& term : tensor_.axis[Index(a)]) {
        tile.low[Index(a)] += term.coefficient * at[Index(term.dim)];
      }
    }
    return tile;
  }

  void Step(const DimArray& offset) {
    std::set<Coordinates> group;
    for (std::size_t i = 0; i < children_.size(); ++i) {
      news_[i].clear();
      const Tile tile = TileAt(edge_.child, children_[i], offset);
      if (!tile.valid) {
        continue;
      }
      std::set<Coordinates> now;
      Collect(tile, now);
      if (forwards_) {
        group.insert(now.begin(), now.end());
      }
      news_[i] = memory_child_ ? Advance(histories_[i], tile.low, std::move(now))
                               : WordList(now.begin(), now.end());
      const auto words = static_cast<std::int64_t>(news_[i].size());
      edge_.delivered += words;
      edge_.delivered_blocks += (words + child_block_ - 1) / child_block_;
    }
    if (!forwards_) {
      Serve(edge_.parent, 0, children_.size());
    } else if (!group.empty()) {
      const Coordinates low = LowCorner(group);
      Book(static_cast<std::int64_t>(Advance(group_history_, low, std::move(group)).size()));
    }
  }

  void Book(std::int64_t words) {
    edge_.served += words;
    edge_.served_blocks += (words + parent_block_ - 1) / parent_block_;
  }

  /// What the subtree of children [begin, end) under one instance of `level` asks of the parent:
  /// the distinct deliveries where the fan-out merges, all of them where it does not.
  using Asked = std::vector<const WordList*>;
  [[nodiscard]] Asked Ask(int level, std::size_t begin, std::size_t end) const {
    if (level == edge_.child) {
      return news_[begin].empty() ? Asked{} : Asked{&news_[begin]};
    }
    std::size_t copies = 1;
    for (int i = nest_.spatial_end[Index(level)]; i < nest_.spatial_end[Index(level) + 1]; ++i) {
      copies *= static_cast<std::size_t>(nest_.spatial[Index(i)].bound);
    }
    const std::size_t stride = (end - begin) / copies;
    const auto less = [](const WordList* a, const WordList* b) { return *a < *b; };
    const auto before = [&less](const Asked& a, const Asked& b) {
      return std::ranges::lexicographical_compare(a, b, less);
    };
    std::vector<Asked> parts;
    for (std::size_t c = 0; c < copies; ++c) {
      Asked part = Ask(level + 1, begin + c * stride, begin + (c + 1) * stride);
      std::ranges::sort(part, less);
      if (!part.empty()) {
        parts.push_back(std::move(part));
      }
    }
    if (HasBit(merging_, level)) {
      std::ranges::sort(parts, before);
      const auto repeated = std::ranges::unique(parts, [&before](const Asked& a, const Asked& b) {
        return !before(a, b) && !before(b, a);
      });
      parts.erase(repeated.begin(), repeated.end());
    }
    Asked all;
    for (const Asked& part : parts) {
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }

  void Serve(int level, std::size_t begin, std::size_t end) {
    for (const WordList* words : Ask(level, begin, end)) {
      Book(static_cast<std::int64_t>(words->size()));
    }
  }

  [[nodiscard]] Coordinates LowCorner(const std::set<Coordinates>& words) const {
    Coordinates low = *words.begin();
    for (const Coordinates& c : words) {
      for (int a = 0; a < tensor_.axes; ++a) {
        low[Index(a)] = std::min(low[Index(a)], c[Index(a)]);
      }
    }
    return low;
  }

  /// Replaces what a buffer holds by `next`; returns the words it did not keep from before.
  WordList Advance(History& history, const Coordinates& low, std::set<Coordinates> next) const {
    const bool whole = !history.valid || !Keeps(history, low);
    WordList fresh;
    for (const Coordinates& c : next) {
      if (whole || !history.words.contains(c)) {
        fresh.push_back(c);
      }
    }
    history.words = std::move(next);
    history.low = low;
    history.valid = true;
    return fresh;
  }

  /// The window rule: whether a move to `low` keeps anything of the old tile.
  bool Keeps(History& history, const Coordinates& low) const {
    Coordinates shift{};
    int moving = 0;
    for (int a = 0; a < tensor_.axes; ++a) {
      shift[Index(a)] = low[Index(a)] - history.low[Index(a)];
      moving += shift[Index(a)] != 0 ? 1 : 0;
    }
    if (policy_.window == WindowRule::kExact || moving == 0) {
      return true;
    }
    if (moving == 1 && (!history.has_shift || history.shift == shift)) {
      history.shift = shift;
      history.has_shift = true;
      return true;
    }
    history.has_shift = false;
    return false;
  }

  void Collect(const Tile& tile, std::set<Coordinates>& words) const {
    std::vector<Coordinates> all = {Coordinates{}};
    for (int a = 0; a < tensor_.axes; ++a) {
      const AxisSet set = TileAxis(tensor_.axis[Index(a)], tile.size, policy_.gap_words);
      std::vector<Coordinates> next;
      for (const Coordinates& c : all) {
        for (std::int64_t i = 0; i < set.size(); ++i) {
          next.push_back(c);
          next.back()[Index(a)] = tile.low[Index(a)] + set.At(i);
        }
      }
      all = std::move(next);
    }
    words.insert(all.begin(), all.end());
  }

  const Compiled& compiled_;
  const Policy& policy_;
  const Nest& nest_;
  const CompiledTensor& tensor_;
  std::uint32_t merging_;
  bool forwards_;
  Edge& edge_;
  bool memory_child_;
  std::int64_t parent_block_ = 1;
  std::int64_t child_block_ = 1;
  std::vector<DimArray> children_;
  std::vector<History> histories_;
  std::vector<WordList> news_;  ///< per child: what is delivered at this step
  History group_history_;
};

}  // namespace

void WalkEdge(const Compiled& compiled, const Policy& policy, const Nest& nest, int tensor,
              Siblings siblings, Edge& edge) {
  Walker(compiled, policy, nest, tensor, siblings, edge).Run();
}

}  // namespace sluice::cost
