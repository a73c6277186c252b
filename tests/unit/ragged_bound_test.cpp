// Step counts of imperfect tiles.

#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "mapper/exact/ragged/steps.h"

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
