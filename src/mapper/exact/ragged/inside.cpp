// Lists the walks inside the array, and looks up what they cost (tiles/inside.h).

#include "mapper/exact/ragged/tiles/inside.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include "cost/compiled.h"
#include "mapper/exact/model/model.h"
#include "mapper/exact/ragged/bound.h"
#include "mapper/exact/ragged/tiles/steps.h"
#include "mapper/exact/ragged/tiles/unroll.h"
#include "mapper/exact/ragged/tiles/windows.h"
#include "mapping/workload.h"

namespace sluice::mapper::exact {
namespace {

using cost::HasBit;
using cost::Index;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
/// More walks than this are not listed.
constexpr std::size_t kMostWalks = 20'000;
constexpr std::size_t kMostAtTile = 200;
constexpr std::size_t kMostEvents = 30'000;
/// Walks whose prices are looked up in the time that a state takes.
constexpr std::int64_t kWalksPerState = 10;

}  // namespace

/// Lists the walks of one choice of keeps.
class RaggedBound::InsideLister {
 public:
  InsideLister(RaggedBound& bound, std::size_t keeps, const Unrolling& unrolling)
      : bound_(bound), keeps_(bound.keeps_[keeps]), room_(bound.RoomOf(keeps)) {
    for (int t = 0; t < bound.model_->tensors(); ++t) {
      for (int l = bound.unrolled_ + 1; l < bound.model_->levels(); ++l) {
        if (!HasBit(keeps_[Index(l)], t)) {
          continue;
        }
        const int parent = bound.Parent(keeps_, t, l - 1);
        if (bound.MakeEdge(t, parent, l, unrolling).counts) {
          inside_.edges.emplace_back(t, l);
        }
      }
    }
    inside_.complete = inside_.edges.size() <= Inside::kMostEdges;
    inside_.events.resize(inside_.edges.size());
    numbers_.resize(inside_.edges.size());
  }

  Inside Run() {
    Inside::Walk first;
    first.event.fill(-1);
    tiles_[0].push_back(first);
    for (int level = bound_.model_->levels() - 1; level > bound_.unrolled_ && inside_.complete;
         --level) {
      Walk(level);
    }
    for (const auto& [tile, walks] : tiles_) {
      inside_.walks.insert(inside_.walks.end(), walks.begin(), walks.end());
    }
    if (!inside_.complete || inside_.walks.size() > kMostWalks) {
      inside_ = {};
      inside_.complete = false;
    }
    return std::move(inside_);
  }

 private:
  using Walks = std::vector<Inside::Walk>;

  void Walk(int level) {
    edge_.fill(-1);
    closable_ = 0;
    for (std::size_t e = 0; e < inside_.edges.size(); ++e) {
      const auto [t, child] = inside_.edges[e];
      if (bound_.Child(keeps_, t, level) == child) {
        edge_[Index(t)] = static_cast<int>(e);
        closable_ |= Bit(t);
      }
    }
    level_ = level;
    std::size_t count = 0;
    // Loops only enlarge tiles, and tiles are numbered so that larger ones come later.
    for (auto it = tiles_.begin(); it != tiles_.end() && inside_.complete; ++it) {
      for (std::size_t i = 0; i < it->second.size(); ++i) {
        const Inside::Walk walk = it->second[i];
        for (int d = 0; d < bound_.steps().dims(); ++d) {
          Loop(walk, d);
        }
        if (!inside_.complete) {
          return;
        }
      }
      count += it->second.size();
      inside_.complete = inside_.complete && count <= kMostWalks;
    }
    for (auto& [tile, walks] : tiles_) {
      const Walks before = std::exchange(walks, {});
      for (Inside::Walk walk : before) {
        walk.open |= keeps_[Index(level)];
        Add(walk, walks);
      }
    }
  }

  void Loop(const Inside::Walk& walk, int dim) {
    const Steps& steps = bound_.steps();
    if (steps.At(walk.tile, dim).high == 1) {
      return;
    }
    const std::uint32_t closed = walk.open & closable_ & bound_.moves_[Index(dim)];
    steps.ForEachEnd(walk.tile, dim, bound_.Slides(closed, dim),
                     [&](int to, double share) { return Step(walk, closed, dim, to, share); });
  }

  /// False when there is no room, nor further on.
  bool Step(Inside::Walk walk, std::uint32_t closed, int dim, int to, double share) {
    const Steps& steps = bound_.steps();
    const Cells from = walk.tile;
    walk.tile = steps.With(from, dim, to);
    if (!room_.Fits(walk.tile, level_)) {
      return false;
    }
    walk.open &= ~closed;
    for (std::uint32_t ts = closed; ts != 0; ts &= ts - 1) {
      const int t = std::countr_zero(ts);
      const auto e = Index(edge_[Index(t)]);
      const int number =
          Number(static_cast<int>(e), t, {from, static_cast<std::int8_t>(dim), to, share, {}});
      if (number < 0) {
        return true;
      }
      walk.event[e] = static_cast<std::int16_t>(number);
    }
    Add(walk, tiles_[walk.tile]);
    return true;
  }

  /// -1: no loop leads there.
  int Number(int edge, int t, Inside::Event event) {
    const Steps& steps = bound_.steps();
    const int axis = bound_.WindowOf(t, event.dim);
    if (axis >= 0) {
      const WindowAxis& window = *bound_.grid_->windows[Index(t)][Index(axis)];
      const int term = window.Term(event.dim);
      if (window.Slide(term, steps.Coordinate(event.tile, event.dim), event.to,
                       steps.Coordinate(event.tile, window.dim(1 - term))) == kInfinity) {
        return -1;
      }
    } else {
      event.to = -1;
    }
    for (int d = 0; d < steps.dims(); ++d) {
      const std::int64_t n = steps.At(event.tile, d).low;
      if (axis >= 0 && bound_.WindowOf(t, d) == axis) {
        event.tiles.push_back(n);
        event.tiles.push_back(-n);  // only slides between equal tiles are compared
      } else if (!HasBit(bound_.model_->dims_of(t), d) || bound_.WindowOf(t, d) >= 0) {
        event.tiles.push_back(n);
      }
    }
    Numbers& numbers = numbers_[Index(edge)];
    std::vector<Inside::Event>& events = inside_.events[Index(edge)];
    const Key key = {event.tiles, {axis >= 0 ? event.dim : -1, event.to}, event.share};
    const auto [it, fresh] = numbers.try_emplace(key, static_cast<int>(events.size()));
    if (fresh) {
      events.push_back(std::move(event));
      inside_.complete = inside_.complete && events.size() <= kMostEvents;
    }
    return it->second;
  }

  /// Unless another is as good in every edge; those that are no better than it go.
  void Add(const Inside::Walk& walk, Walks& walks) {
    if (std::ranges::any_of(walks, [&](const auto& other) { return NoWorse(other, walk); })) {
      return;
    }
    std::erase_if(walks, [&](const auto& other) { return NoWorse(walk, other); });
    walks.push_back(walk);
    inside_.complete = inside_.complete && walks.size() <= kMostAtTile;
  }

  [[nodiscard]] bool NoWorse(const Inside::Walk& a, const Inside::Walk& b) const {
    if (a.open != b.open) {
      return false;
    }
    for (std::size_t e = 0; e < inside_.edges.size(); ++e) {
      if (a.event[e] == b.event[e] || a.event[e] < 0) {
        continue;
      }
      const std::vector<Inside::Event>& events = inside_.events[e];
      if (b.event[e] < 0 || !events[Index(a.event[e])].NoWorseThan(events[Index(b.event[e])])) {
        return false;
      }
    }
    return true;
  }

  struct Key {
    std::vector<std::int64_t> tiles;
    std::pair<int, int> slide;
    double share;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  using Numbers = std::map<Key, int>;
  RaggedBound& bound_;
  const Keeps& keeps_;
  const Room& room_;
  Inside inside_;
  std::vector<Numbers> numbers_;  ///< by edge
  std::map<Cells, Walks> tiles_;
  std::array<int, mapping::kMaxTensors> edge_{};  ///< that loops of the level can close; -1: none
  std::uint32_t closable_ = 0;
  int level_ = 0;
};

// The walks inside the array by their prices. False when they are too many, or must be traced.
bool RaggedBound::LookUpInside(std::size_t keeps, const Unrolling& unrolling, double base) {
  if (traces_ || std::popcount(arrays_) != 1) {
    return false;
  }
  const auto [it, fresh] = grid_->inside.try_emplace({keeps, unrolled_});
  if (fresh) {
    it->second = InsideLister(*this, keeps, unrolling).Run();
  }
  const Inside& inside = it->second;
  if (!inside.complete) {
    return false;
  }
  std::array<std::vector<double>, Inside::kMostEdges> prices;
  for (std::size_t e = 0; e < inside.edges.size(); ++e) {
    const auto [t, child] = inside.edges[e];
    view_[Index(t)] = MakeView(t, child - 1, keeps_[keeps], unrolling);
    for (const Inside::Event& event : inside.events[e]) {
      const Words words = WordsAt(t, event.tile);
      prices[e].push_back(event.to >= 0 ? SlidePrice(t, event.tile, event.dim, event.to, words)
                                        : PartPrice(view_[Index(t)].edge, words, event.share));
    }
  }
  inner_.Reset(steps().size(), masks_);
  for (const Inside::Walk& walk : inside.walks) {
    double energy = base;
    for (std::size_t e = 0; e < inside.edges.size(); ++e) {
      energy += walk.event[e] < 0 ? 0 : prices[e][Index(walk.event[e])];
    }
    if (energy < enough_) {
      double& best = inner_.At(inner_.Add(walk.tile), walk.open);
      best = std::min(best, energy);
    }
  }
  counts_.states += static_cast<std::int64_t>(inside.walks.size()) / kWalksPerState;
  return true;
}

}  // namespace sluice::mapper::exact
