#include "testing/maestro_walk.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "base/checked.h"

namespace sluice::testing {
namespace {

using cost::maestro::TileLevel;
using cost::maestro::TileLoop;
using mapping::kLayerDims;
using mapping::LayerDim;
using mapping::LayerSizes;
using enum mapping::LayerDim;

struct Box {
  LayerSizes low{};
  LayerSizes size{};
};
using Point = std::vector<std::int64_t>;
using Words = std::set<Point>;

class Walker {
 public:
  Walker(const mapping::Layer& layer, const cost::maestro::Hardware& hardware,
         const cost::maestro::TileChain& chain, Idle idle)
      : layer_(layer), hardware_(hardware), chain_(chain), idle_(idle) {}

  MaestroWalk Run() {
    const LayerSizes extents = cost::maestro::OutputExtents(layer_);
    result_.runtime = Level(0, {LayerSizes{}, extents});
    std::int64_t all = 1;
    for (const std::int64_t extent : extents) {
      all *= extent;
    }
    result_.each_once = static_cast<std::int64_t>(done_.size()) == all &&
                        std::all_of(done_.begin(), done_.end(),
                                    [](const auto& entry) { return entry.second == 1; });
    return result_;
  }

 private:
  /// Calls `visit` with every point of a box.
  template <class Visit>
  static void ForEach(const Box& box, const Visit& visit) {
    LayerSizes at = box.low;
    for (bool more = true; more;) {
      visit(at);
      more = false;
      for (std::size_t d = kLayerDims; d-- > 0;) {
        if (++at[d] < box.low[d] + box.size[d]) {
          more = true;
          break;
        }
        at[d] = box.low[d];
      }
    }
  }

  Point Word(std::size_t tensor, const LayerSizes& at) const {
    const auto v = [&at](LayerDim dim) { return at[Index(dim)]; };
    const std::int64_t row = v(kY) * layer_.stride_y + v(kR);
    const std::int64_t column = v(kX) * layer_.stride_x + v(kS);
    switch (layer_.type) {
      case mapping::LayerType::kGemm:
        return tensor == 0   ? Point{v(kM), v(kK)}
               : tensor == 1 ? Point{v(kK), v(kN)}
                             : Point{v(kM), v(kN)};
      case mapping::LayerType::kDepthwise:
        return tensor == 0   ? Point{v(kN), v(kC), row, column}
               : tensor == 1 ? Point{v(kC), v(kR), v(kS)}
                             : Point{v(kN), v(kC), v(kY), v(kX)};
      default:
        return tensor == 0   ? Point{v(kN), v(kG), v(kC), row, column}
               : tensor == 1 ? Point{v(kG), v(kK), v(kC), v(kR), v(kS)}
                             : Point{v(kN), v(kG), v(kK), v(kY), v(kX)};
    }
  }

  Words Touched(std::size_t tensor, const Box& box) const {
    Words words;
    ForEach(box, [&](const LayerSizes& at) { words.insert(Word(tensor, at)); });
    return words;
  }

  /// The pieces of all units in one step; nullopt for a unit without work.
  static std::vector<std::optional<Box>> Pieces(const TileLevel& level, const Box& tile,
                                                const std::vector<std::int64_t>& index) {
    std::vector<std::optional<Box>> pieces;
    bool spatial = false;
    for (std::int64_t unit = 0; unit < level.units && (unit == 0 || spatial); ++unit) {
      std::optional<Box> piece = tile;
      for (std::size_t i = 0; i < level.loops.size() && piece; ++i) {
        const TileLoop& loop = level.loops[i];
        spatial = spatial || loop.spatial;
        const std::int64_t number = loop.spatial ? index[i] * level.units + unit : index[i];
        const std::size_t d = Index(loop.dim);
        const std::int64_t left = tile.size[d] - number * loop.size;
        if (left <= 0) {
          piece.reset();
        } else {
          piece->low[d] = tile.low[d] + number * loop.size;
          piece->size[d] = std::min(left, loop.size);
        }
      }
      pieces.push_back(piece);
    }
    return pieces;
  }

  std::int64_t Delay(std::size_t words) const {
    return hardware_.noc_hops * hardware_.hop_latency +
           std::max<std::int64_t>(
               CeilDiv(static_cast<std::int64_t>(words), hardware_.noc_bandwidth) - 1, 0);
  }

  std::int64_t Compute(std::size_t l, const Box& piece) {
    if (l + 1 < chain_.levels.size()) {
      return Level(l + 1, piece);
    }
    std::int64_t operations = 0;
    ForEach(piece, [&](const LayerSizes& at) {
      ++done_[at];
      ++operations;
    });
    result_.operations += operations;
    return CeilDiv(operations, hardware_.simd_lanes);
  }

  std::int64_t Step(std::size_t l, const std::vector<std::optional<Box>>& pieces,
                    const std::vector<std::optional<Box>>& held, bool first) {
    std::array<std::size_t, 2> in{};
    for (std::size_t t = 0; t < 2; ++t) {
      Words fresh;
      for (std::size_t u = 0; u < pieces.size(); ++u) {
        if (!pieces[u]) {
          continue;
        }
        const Words had = u < held.size() && held[u] ? Touched(t, *held[u]) : Words{};
        for (const Point& word : Touched(t, *pieces[u])) {
          if (!had.contains(word)) {
            fresh.insert(word);
          }
        }
      }
      in[t] = fresh.size();
    }
    Words out;
    std::int64_t compute = 0;
    for (const auto& piece : pieces) {
      if (piece) {
        out.merge(Touched(2, *piece));
        compute = std::max(compute, Compute(l, *piece));
      }
    }
    if (l == 0) {
      result_.reads[0] += static_cast<std::int64_t>(in[0]);
      result_.reads[1] += static_cast<std::int64_t>(in[1]);
      result_.writes += static_cast<std::int64_t>(out.size());
    }
    const std::int64_t ingress = Delay(in[0] + in[1]);
    return first ? compute + ingress : std::max({compute, ingress, Delay(out.size())});
  }

  std::int64_t Level(std::size_t l, const Box& tile) {
    const TileLevel& level = chain_.levels[l];
    std::vector<std::int64_t> count;
    for (const TileLoop& loop : level.loops) {
      const std::int64_t round = loop.spatial ? loop.size * level.units : loop.size;
      count.push_back(CeilDiv(tile.size[Index(loop.dim)], round));
    }
    std::vector<std::int64_t> index(count.size());
    std::vector<std::optional<Box>> held;
    std::int64_t runtime = 0;
    for (bool more = true; more;) {
      auto pieces = Pieces(level, tile, index);
      runtime += Step(l, pieces, held, held.empty());
      for (std::size_t u = 0; u < held.size(); ++u) {
        if (!pieces[u] && idle_ == Idle::kKeeps) {
          pieces[u] = held[u];
        }
      }
      held = std::move(pieces);
      more = false;
      for (std::size_t i = index.size(); i-- > 0;) {
        if (++index[i] < count[i]) {
          more = true;
          break;
        }
        index[i] = 0;
      }
    }
    return runtime;
  }

  const mapping::Layer& layer_;
  const cost::maestro::Hardware& hardware_;
  const cost::maestro::TileChain& chain_;
  Idle idle_;
  MaestroWalk result_;
  std::map<LayerSizes, int> done_;
};

}  // namespace

MaestroWalk WalkMaestro(const mapping::Layer& layer, const cost::maestro::Hardware& hardware,
                        const cost::maestro::TileChain& chain, Idle idle) {
  return Walker(layer, hardware, chain, idle).Run();
}

}  // namespace sluice::testing
