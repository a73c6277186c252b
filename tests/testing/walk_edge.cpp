#include "testing/walk_edge.h"

#include <iterator>

namespace sluice::testing {
namespace {

Words Minus(const Words& a, const Words& b) {
  Words result;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(result));
  return result;
}

Words Union(const Words& a, const Words& b) {
  Words result;
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(result));
  return result;
}

std::int64_t Count(const Words& words) {
  return static_cast<std::int64_t>(words.size());
}

std::int64_t CeilDivide(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

/// One buffer's memory of its tile: what a move brings in.
class Window {
 public:
  Words Move(Tile tile, cost::WindowRule rule) {
    Words fresh;
    if (!held_) {
      fresh = tile.words;
    } else if (rule == cost::WindowRule::kExact) {
      fresh = Minus(tile.words, held_->words);
    } else {
      fresh = MoveInSameDirection(tile);
    }
    held_ = std::move(tile);
    return fresh;
  }

 private:
  Words MoveInSameDirection(const Tile& tile) {
    Corner shift;
    int moved_axes = 0;
    for (std::size_t a = 0; a < tile.low.size(); ++a) {
      shift.push_back(tile.low[a] - held_->low[a]);
      moved_axes += shift.back() != 0 ? 1 : 0;
    }
    if (moved_axes == 0) {
      return Minus(tile.words, held_->words);
    }
    if (moved_axes == 1 && (!direction_ || *direction_ == shift)) {
      direction_ = shift;
      return Minus(tile.words, held_->words);
    }
    direction_.reset();
    return tile.words;
  }

  std::optional<Tile> held_;
  std::optional<Corner> direction_;  // the last non-zero shift; none after a whole fetch
};

class EdgeWalk {
 public:
  EdgeWalk(const Nest& nest, const TensorSpace& space, const EdgeRule& rule)
      : nest_(nest), space_(space), rule_(rule), index_(nest.size(), 0) {
    for (int l = 0; l <= rule.child; ++l) {
      places_above_.push_back(nest.Above(l, true).size());
    }
  }

  Edge Run() {
    const auto places = nest_.Above(rule_.child, true);
    nest_.ForEach(nest_.Above(rule_.child, false), index_, [&] {
      requests_.clear();
      tiles_.clear();
      nest_.ForEach(places, index_, [&] { Visit(places); });
      Settle();
    });
    edge_.reductions = edge_.delivered - edge_.merged;
    return edge_;
  }

 private:
  using Requests = std::vector<Words>;  // one entry a transfer

  [[nodiscard]] Instance Ancestor(const Instance& instance, int level) const {
    return {instance.begin(),
            instance.begin() +
                static_cast<std::ptrdiff_t>(places_above_[static_cast<std::size_t>(level)])};
  }

  /// One child instance at one step.
  void Visit(const std::vector<std::size_t>& places) {
    if (!nest_.Coordinates(rule_.child, index_, coordinates_)) {
      return;
    }
    Instance child;
    for (const std::size_t p : places) {
      child.push_back(index_[p]);
    }
    const Tile tile = space_.TileOf(coordinates_);
    edge_.tile_words = std::max(edge_.tile_words, Count(tile.words));
    if (rule_.forward) {
      Extend(tiles_[Ancestor(child, rule_.parent)], tile);
    }
    const Words fresh = rule_.retain ? windows_[child].Move(tile, rule_.window) : tile.words;
    Requests& requests = requests_[child];
    if (fresh.empty()) {
      return;
    }
    requests.push_back(fresh);
    edge_.delivered += Count(fresh);
    edge_.delivered_blocks += CeilDivide(Count(fresh), rule_.child_block);
    if (rule_.output) {
      const std::int64_t known = Remember(child_seen_[child], fresh);
      edge_.again += known;
      edge_.again_blocks += CeilDivide(known, rule_.child_block);
    }
  }

  /// End of a step: what the parent instances see of their children's requests.
  void Settle() {
    if (rule_.forward) {
      for (auto& [parent, tile] : tiles_) {
        Transfer(parent, groups_[parent].Move(std::move(tile), rule_.window));
      }
      return;
    }
    for (int fan_out = rule_.child - 1; fan_out >= rule_.parent; --fan_out) {
      PassUp(fan_out);
    }
    for (const auto& [parent, requests] : requests_) {
      for (const Words& words : requests) {
        Transfer(parent, words);
      }
    }
  }

  /// From the nodes below a fan-out to the nodes above it: siblings with identical requests count
  /// once where the fan-out merges.
  void PassUp(int fan_out) {
    std::map<Instance, std::vector<Requests>> siblings;
    for (auto& [node, requests] : requests_) {
      std::sort(requests.begin(), requests.end());
      siblings[Ancestor(node, fan_out)].push_back(std::move(requests));
    }
    requests_.clear();
    for (auto& [node, lists] : siblings) {
      std::sort(lists.begin(), lists.end());
      if (rule_.merges[static_cast<std::size_t>(fan_out)]) {
        lists.erase(std::unique(lists.begin(), lists.end()), lists.end());
      }
      for (const Requests& list : lists) {
        requests_[node].insert(requests_[node].end(), list.begin(), list.end());
      }
    }
  }

  void Transfer(const Instance& parent, const Words& words) {
    edge_.merged += Count(words);
    edge_.merged_blocks += CeilDivide(Count(words), rule_.parent_block);
    if (rule_.output) {
      const std::int64_t known = Remember(parent_seen_[parent], words);
      edge_.merged_again_blocks += CeilDivide(known, rule_.parent_block);
    }
  }

  static void Extend(Tile& group, const Tile& tile) {
    if (group.words.empty()) {
      group = tile;
      return;
    }
    for (std::size_t a = 0; a < tile.low.size(); ++a) {
      group.low[a] = std::min(group.low[a], tile.low[a]);
    }
    group.words = Union(group.words, tile.words);
  }

  /// Adds `words` to `seen`; how many were there already.
  static std::int64_t Remember(std::set<std::int64_t>& seen, const Words& words) {
    std::int64_t known = 0;
    for (const std::int64_t w : words) {
      known += seen.insert(w).second ? 0 : 1;
    }
    return known;
  }

  const Nest& nest_;
  const TensorSpace& space_;
  EdgeRule rule_;
  std::vector<std::int64_t> index_;
  std::vector<Words> coordinates_;
  std::vector<std::size_t> places_above_;  // by level: how many spatial loops lie above
  Edge edge_;
  std::map<Instance, Window> windows_;  // by child
  std::map<Instance, Window> groups_;   // by parent
  std::map<Instance, std::set<std::int64_t>> child_seen_;
  std::map<Instance, std::set<std::int64_t>> parent_seen_;
  std::map<Instance, Requests> requests_;  // of this step, by node of the level reached
  std::map<Instance, Tile> tiles_;         // of this step, by parent
};

}  // namespace

Edge WalkEdge(const Nest& nest, const TensorSpace& space, const EdgeRule& rule) {
  return EdgeWalk(nest, space, rule).Run();
}

}  // namespace sluice::testing
