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
    parent_times_ = nest.Above(rule.parent, false);
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
    if (rule_.output) {
      StartVisit(Ancestor(child, rule_.parent));
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

  /// When the parent's own tile moves, its new words have not been updated in this visit.
  void StartVisit(const Instance& parent) {
    std::vector<std::int64_t> time;
    for (const std::size_t position : parent_times_) {
      time.push_back(index_[position]);
    }
    const auto [known, fresh] = visit_time_.try_emplace(parent, time);
    if (!fresh && known->second == time) {
      return;
    }
    known->second = time;
    std::vector<Words> coordinates;
    nest_.Coordinates(rule_.parent, index_, coordinates);
    for (const std::int64_t w :
         parent_windows_[parent].Move(space_.TileOf(coordinates), rule_.window)) {
      visit_seen_[parent].erase(w);
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
    std::map<Instance, std::map<Requests, std::vector<Instance>>> siblings;
    for (auto& [node, requests] : requests_) {
      std::sort(requests.begin(), requests.end());
      siblings[Ancestor(node, fan_out)][std::move(requests)].push_back(node);
    }
    requests_.clear();
    for (const auto& [node, groups] : siblings) {
      Requests& passed = requests_[node];
      for (const auto& [requests, members] : groups) {
        if (rule_.merges[static_cast<std::size_t>(fan_out)]) {
          Travel(fan_out, requests, members);
          passed.insert(passed.end(), requests.begin(), requests.end());
          continue;
        }
        for (const Instance& member : members) {
          Travel(fan_out, requests, {member});
          passed.insert(passed.end(), requests.begin(), requests.end());
        }
      }
    }
  }

  /// Books the way of one group through its fan-out: along the row to the farthest column, from
  /// there along every column to its farthest members on both sides.
  void Travel(int fan_out, const Requests& requests, const std::vector<Instance>& members) {
    std::int64_t words = 0;
    for (const Words& w : requests) {
      words += Count(w);
    }
    if (words == 0) {
      return;
    }
    const Grid& grid = rule_.grids[static_cast<std::size_t>(fan_out)];
    const std::size_t first = places_above_[static_cast<std::size_t>(fan_out)];
    std::map<std::int64_t, std::pair<std::int64_t, std::int64_t>> columns;  // x -> least, most y
    for (const Instance& member : members) {
      const std::int64_t x = Position(member, first, grid.x_bounds);
      const std::int64_t y = Position(member, first + grid.x_bounds.size(), grid.y_bounds);
      const auto [column, fresh] = columns.try_emplace(x, y, y);
      column->second.first = std::min(column->second.first, y);
      column->second.second = std::max(column->second.second, y);
    }
    double hops = static_cast<double>(columns.rbegin()->first);
    for (const auto& [x, range] : columns) {
      hops += std::max(0.0, static_cast<double>(range.second) - grid.source_y);
      hops += std::max(0.0, grid.source_y - static_cast<double>(range.first));
    }
    HopClass& together = edge_.hops[fan_out][members.size()];
    ++together.groups;
    together.hops += hops;
    together.words += words;
    edge_.reductions_in[fan_out] += words * (static_cast<std::int64_t>(members.size()) - 1);
  }

  static std::int64_t Position(const Instance& instance, std::size_t first,
                               const std::vector<std::int64_t>& bounds) {
    std::int64_t position = 0;
    for (std::size_t i = 0; i < bounds.size(); ++i) {
      position = position * bounds[i] + instance[first + i];
    }
    return position;
  }

  void Transfer(const Instance& parent, const Words& words) {
    edge_.merged += Count(words);
    edge_.merged_blocks += CeilDivide(Count(words), rule_.parent_block);
    if (rule_.output) {
      const std::int64_t known = Remember(parent_seen_[parent], words);
      edge_.merged_again_blocks += CeilDivide(known, rule_.parent_block);
      const std::int64_t in_visit = Remember(visit_seen_[parent], words);
      edge_.merged_in_visit += in_visit;
      edge_.merged_in_visit_blocks += CeilDivide(in_visit, rule_.parent_block);
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
  std::vector<std::size_t> parent_times_;                     // temporal loops above the parent
  std::map<Instance, std::vector<std::int64_t>> visit_time_;  // by parent
  std::map<Instance, Window> parent_windows_;
  std::map<Instance, std::set<std::int64_t>> visit_seen_;
  std::map<Instance, Requests> requests_;  // of this step, by node of the level reached
  std::map<Instance, Tile> tiles_;         // of this step, by parent
};

}  // namespace

Edge WalkEdge(const Nest& nest, const TensorSpace& space, const EdgeRule& rule) {
  return EdgeWalk(nest, space, rule).Run();
}

}  // namespace sluice::testing
