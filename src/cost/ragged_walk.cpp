// The literal fallback of ragged counting: visit every step above the child and every instance, and
// look at the boxes. See ragged.h for when it is used.

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "cost/ragged.h"

namespace sluice::cost {
namespace {

using Coordinates = std::array<std::int64_t, kMaxAxes>;

/// A tile: its low corner and its points per dim.
struct Tile {
  Coordinates low{};
  DimArray size{};
  bool valid = false;
  friend auto operator<=>(const Tile&, const Tile&) = default;
};

/// What one buffer (a child, or a fan-out acting as one) remembers for the window rule.
struct History {
  Tile tile;
  Coordinates shift{};
  bool has_shift = false;
};

class Walker {
 public:
  Walker(const Compiled& compiled, const Policy& policy, const Nest& nest,
         const CompiledTensor& tensor, const Sharing& sharing, Edge& edge)
      : compiled_(compiled),
        policy_(policy),
        nest_(nest),
        tensor_(tensor),
        sharing_(sharing),
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
    edge_.parent_partition = edge_.child_partition = 0;
    for (const DimArray& base : Bases(0, edge_.parent, DimArray{})) {
      WalkParent(base);
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
    child_words_.assign(children_.size(), {});
    parent_words_.clear();
    group_.clear();
    group_history_ = History{};
    const int count = nest_.end[Index(edge_.child)];
    std::vector<std::int64_t> digit(Index(count), 0);
    DimArray offset{};
    while (true) {
      Step(offset);
      int i = count - 1;
      for (; i >= 0; --i) {
        const FlatLoop& loop = nest_.temporal[Index(i)];
        if (++digit[Index(i)] < loop.bound) {
          offset[Index(loop.dim)] += loop.stride;
          break;
        }
        offset[Index(loop.dim)] -= (loop.bound - 1) * loop.stride;
        digit[Index(i)] = 0;
      }
      if (i < 0) {
        break;
      }
    }
    edge_.parent_partition += static_cast<std::int64_t>(parent_words_.size());
    for (const auto& words : child_words_) {
      edge_.child_partition += static_cast<std::int64_t>(words.size());
    }
  }

  [[nodiscard]] Tile TileAt(const DimArray& base, const DimArray& offset) const {
    Tile tile;
    DimArray at{};
    for (int d = 0; d < compiled_.dims; ++d) {
      at[Index(d)] = base[Index(d)] + offset[Index(d)];
      const std::int64_t room = compiled_.bound[Index(d)] - at[Index(d)];
      if (room <= 0) {
        return tile;
      }
      if (HasBit(tensor_.dims, d)) {
        tile.size[Index(d)] = std::min(nest_.tile[Index(edge_.child)][Index(d)], room);
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
    // Deliveries at this step, grouped by what is delivered.
    std::map<std::pair<Tile, Tile>, std::int64_t> deliveries;
    std::set<Coordinates> group;
    bool any = false;
    for (std::size_t i = 0; i < children_.size(); ++i) {
      const Tile tile = TileAt(children_[i], offset);
      if (!tile.valid) {
        continue;
      }
      any = true;
      if (memory_child_ && !tensor_.is_output && sharing_.forwarding) {
        Collect(tile, group);
      }
      Tile kept;
      const std::int64_t words = memory_child_ ? Advance(histories_[i], tile, kept) : Words(tile);
      edge_.delivered += words;
      edge_.delivered_blocks += (words + child_block_ - 1) / child_block_;
      deliveries[{tile, kept}] = words;
      if (words > 0 && !SharedDelivery()) {
        edge_.served += words;
        edge_.served_blocks += (words + parent_block_ - 1) / parent_block_;
      }
      if (tensor_.is_output && tensor_.accumulates) {
        Collect(tile, parent_words_);
        if (memory_child_) {
          Collect(tile, child_words_[i]);
        }
      }
    }
    if (!any) {
      return;
    }
    if (memory_child_ && !tensor_.is_output && sharing_.forwarding) {
      ServeGroup(std::move(group));
    } else if (SharedDelivery()) {
      for (const auto& [key, words] : deliveries) {
        edge_.served += words;
        edge_.served_blocks += (words + parent_block_ - 1) / parent_block_;
      }
    }
  }

  [[nodiscard]] bool SharedDelivery() const {
    if (tensor_.is_output) {
      return sharing_.reduction;
    }
    return sharing_.multicast;
  }

  [[nodiscard]] std::int64_t Words(const Tile& tile) const {
    std::int64_t words = 1;
    for (int a = 0; a < tensor_.axes; ++a) {
      words *= TileAxis(tensor_.axis[Index(a)], tile.size, policy_.gap_words).size();
    }
    return words;
  }

  /// New words of `next`; `kept` names the old tile they are new against (equal keys, equal words).
  std::int64_t Advance(History& history, const Tile& next, Tile& kept) const {
    const std::int64_t all = Words(next);
    if (!history.tile.valid) {
      history.tile = next;
      return all;
    }
    bool whole = false;
    Remember(history, next.low, whole);
    const Tile old = history.tile;
    history.tile = next;
    if (whole) {
      return all;
    }
    kept = old;
    std::int64_t common = 1;
    for (int a = 0; a < tensor_.axes; ++a) {
      const mapping::WorkloadAxis& axis = tensor_.axis[Index(a)];
      common *= TileAxis(axis, next.size, policy_.gap_words)
                    .Overlap(TileAxis(axis, old.size, policy_.gap_words),
                             old.low[Index(a)] - next.low[Index(a)]);
    }
    return all - common;
  }

  /// The window rule: sets `whole` when nothing of the old tile is kept.
  void Remember(History& history, const Coordinates& low, bool& whole) const {
    Coordinates shift{};
    int moving = 0;
    for (int a = 0; a < tensor_.axes; ++a) {
      shift[Index(a)] = low[Index(a)] - history.tile.low[Index(a)];
      moving += shift[Index(a)] != 0 ? 1 : 0;
    }
    if (policy_.window == WindowRule::kExact || moving == 0) {
      return;
    }
    if (moving == 1 && (!history.has_shift || history.shift == shift)) {
      history.shift = shift;
      history.has_shift = true;
      return;
    }
    history.has_shift = false;
    whole = true;
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

  void ServeGroup(std::set<Coordinates> group) {
    Coordinates low = *group.begin();
    for (const Coordinates& c : group) {
      for (int a = 0; a < tensor_.axes; ++a) {
        low[Index(a)] = std::min(low[Index(a)], c[Index(a)]);
      }
    }
    bool whole = !group_history_.tile.valid;
    if (!whole) {
      Remember(group_history_, low, whole);
    }
    group_history_.tile.low = low;
    group_history_.tile.valid = true;
    std::int64_t words = 0;
    for (const Coordinates& c : group) {
      words += whole || !group_.contains(c) ? 1 : 0;
    }
    edge_.served += words;
    edge_.served_blocks += (words + parent_block_ - 1) / parent_block_;
    group_ = std::move(group);
  }

  const Compiled& compiled_;
  const Policy& policy_;
  const Nest& nest_;
  const CompiledTensor& tensor_;
  const Sharing& sharing_;
  Edge& edge_;
  bool memory_child_;
  std::int64_t parent_block_ = 1;
  std::int64_t child_block_ = 1;
  std::vector<DimArray> children_;
  std::vector<History> histories_;
  std::vector<std::set<Coordinates>> child_words_;
  std::set<Coordinates> parent_words_;
  std::set<Coordinates> group_;
  History group_history_;
};

}  // namespace

void WalkEdge(const Compiled& compiled, const Policy& policy, const Nest& nest, int tensor,
              const Sharing& sharing, Edge& edge) {
  Walker(compiled, policy, nest, compiled.tensor[Index(tensor)], sharing, edge).Run();
}

}  // namespace sluice::cost
