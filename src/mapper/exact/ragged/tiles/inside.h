#pragma once
/// \file
/// All walks from a point to a tile of one copy, whatever is unrolled around it.
///
/// What a walk pays inside the array depends on the unrolling only through the prices of the edges
/// that it closes there. So the walks are listed once, each with the tile at which every edge
/// closes, without those that close all of theirs at no better tiles than another one does; for
/// each unrolling their prices are looked up. Listed by ../inside.cpp.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "mapper/exact/ragged/tiles/steps.h"

namespace sluice::mapper::exact {

struct Inside {
  static constexpr std::size_t kMostEdges = 8;
  /// An edge closes.
  struct Event {
    Cells tile = 0;
    std::int8_t dim = 0;              ///< of the loop that closes it
    std::int32_t to = -1;             ///< the cell where the loop leads, if it slides a window
    double share = 1;                 ///< of the words that outer loops repeat for certain
    std::vector<std::int64_t> tiles;  ///< of the dims that decide how many words: fewer, or as many
    /// Costs no more, at any price of words.
    [[nodiscard]] bool NoWorseThan(const Event& other) const {
      return share <= other.share && to == other.to && (to < 0 || dim == other.dim) &&
             std::ranges::equal(tiles, other.tiles, std::less_equal<>());
    }
  };
  struct Walk {
    Cells tile = 0;
    std::uint32_t open = 0;
    std::array<std::int16_t, kMostEdges> event{};  ///< by edge; -1: none
  };
  bool complete = true;                    ///< else too many: nothing is listed
  std::vector<std::pair<int, int>> edges;  ///< tensor, inner level
  std::vector<std::vector<Event>> events;  ///< by edge
  std::vector<Walk> walks;                 ///< by tile
};

}  // namespace sluice::mapper::exact
