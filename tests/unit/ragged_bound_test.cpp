// Step counts of imperfect tiles.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include <gtest/gtest.h>

#include "mapper/exact/ragged/tiles/steps.h"

namespace sluice::mapper::exact {
namespace {

TEST(RaggedSteps, EveryNumberOfTilesHasACellOfItsOwn) {
  for (std::int64_t bound = 1; bound <= 200; ++bound) {
    Steps::Bounds bounds;
    bounds.push_back(bound);
    const Steps steps(bounds, 1e9);
    std::set<std::int64_t> counts;
    for (std::int64_t tile = 1; tile <= bound; ++tile) {
      const std::int64_t n = Tiles(bound, tile);
      counts.insert(n);
      const Steps::Cell& cell = steps.Axis(0)[static_cast<std::size_t>(steps.Find(0, n))];
      EXPECT_EQ(cell.low, n);
      EXPECT_EQ(cell.high, n);
      EXPECT_LE(cell.least_tile, tile);
      EXPECT_EQ(Tiles(bound, cell.least_tile), n);
    }
    EXPECT_EQ(steps.Axis(0).size(), counts.size());
    EXPECT_EQ(steps.At(0, 0).low, bound);
    EXPECT_EQ(steps.At(steps.top(), 0).low, 1);
  }
}

// Every loop leads where After and Certain say, or several loops of After do.
TEST(RaggedSteps, LoopsLeadToTheirCells) {
  for (const std::int64_t bound : {2, 12, 37, 96, 128}) {
    for (const double most : {1e9, 9.0}) {
      Steps::Bounds bounds;
      bounds.push_back(bound);
      const Steps steps(bounds, most);
      const auto cells = steps.Axis(0).size();
      // [from][to]: what is certain of the first of the loops that lead there, at least
      std::vector<std::map<int, double>> reached(cells);
      for (std::size_t from = cells; from-- > 0;) {
        for (const Steps::Loop& loop : steps.After(0, static_cast<int>(from))) {
          const auto to = static_cast<std::size_t>(loop.to);
          EXPECT_GE(to, from);
          EXPECT_EQ(loop.certain, steps.Certain(0, static_cast<int>(from), loop.to));
          const auto reach = [&](int cell) {
            double& least = reached[from].try_emplace(cell, 1).first->second;
            least = std::min(least, loop.certain);
          };
          reach(loop.to);
          for (const auto& [further, certain] : reached[to]) {
            reach(further);
          }
        }
      }
      for (std::int64_t tile = 1; tile <= bound; ++tile) {
        const std::int64_t n = Tiles(bound, tile);
        for (std::int64_t factor = 2; factor < 2 * n; ++factor) {
          const int from = steps.Find(0, n);
          const int to = steps.Find(0, Tiles(n, factor));
          const bool single = factor < n && n % factor == 1;
          const double certain = single ? 1 - 1 / static_cast<double>(n) : 1;
          const auto& loops = reached[static_cast<std::size_t>(from)];
          if (const auto it = loops.find(to); it != loops.end()) {
            EXPECT_LE(it->second, certain) << bound << " " << n << " " << factor;
          } else {
            EXPECT_EQ(from, to) << bound << " " << n << " " << factor;
          }
          EXPECT_GT(steps.Certain(0, from, to), 0);
          EXPECT_LE(steps.Certain(0, from, to), certain);
        }
      }
    }
  }
}

TEST(RaggedSteps, SharedCellsCoverAllNumbersInOrder) {
  for (const std::int64_t bound : {37, 197, 1000, 2048}) {
    Steps::Bounds bounds;
    bounds.push_back(bound);
    bounds.push_back(bound);
    const Steps steps(bounds, 300);
    EXPECT_LE(steps.size(), 300);
    for (int d = 0; d < 2; ++d) {
      const std::vector<Steps::Cell>& cells = steps.Axis(d);
      for (std::int64_t tile = 1; tile <= bound; ++tile) {
        const std::int64_t n = Tiles(bound, tile);
        const Steps::Cell& cell = cells[static_cast<std::size_t>(steps.Find(d, n))];
        EXPECT_LE(cell.low, n);
        EXPECT_GE(cell.high, n);
        EXPECT_LE(cell.least_tile, tile);
      }
      for (std::size_t c = 1; c < cells.size(); ++c) {
        EXPECT_LT(cells[c].high, cells[c - 1].low);
      }
      EXPECT_EQ(cells.front().low, bound);
      EXPECT_EQ(cells.back().high, 1);
    }
  }
}

TEST(RaggedSteps, NumbersOfVectorsFollowTheirCoordinates) {
  Steps::Bounds bounds;
  for (const std::int64_t bound : {7, 12, 5}) {
    bounds.push_back(bound);
  }
  const Steps steps(bounds, 1e9);
  for (Cells x = 0; x < steps.size(); ++x) {
    Cells number = 0;
    for (int d = 0; d < steps.dims(); ++d) {
      number += steps.Coordinate(x, d) * steps.stride(d);
    }
    EXPECT_EQ(number, x);
  }
}

}  // namespace
}  // namespace sluice::mapper::exact
