// Words of sliding windows, against windows that are slid.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "mapper/exact/ragged/tiles/steps.h"
#include "mapper/exact/ragged/tiles/windows.h"
#include "mapping/workload.h"

namespace sluice::mapper::exact {
namespace {

struct Axis {
  std::int64_t bound[2];
  std::int64_t coefficient[2];
};

struct Tile {
  std::int64_t begin[2];
  std::int64_t end[2];
};

std::set<std::int64_t> PositionsOf(const Axis& axis, const Tile& tile) {
  std::set<std::int64_t> positions;
  for (std::int64_t a = tile.begin[0]; a < tile.end[0]; ++a) {
    for (std::int64_t b = tile.begin[1]; b < tile.end[1]; ++b) {
      positions.insert(a * axis.coefficient[0] + b * axis.coefficient[1]);
    }
  }
  return positions;
}

/// Passes of `factor` tiles of `size` points of `term`, for each tile of `other` points.
std::vector<std::vector<Tile>> PassesOf(const Axis& axis, int term, std::int64_t size,
                                        std::int64_t factor, std::int64_t other) {
  std::vector<std::vector<Tile>> passes;
  for (std::int64_t o = 0; o < axis.bound[1 - term]; o += other) {
    for (std::int64_t p = 0; p < axis.bound[term]; p += size * factor) {
      std::vector<Tile>& pass = passes.emplace_back();
      for (std::int64_t i = p; i < std::min(p + size * factor, axis.bound[term]); i += size) {
        Tile tile{};
        tile.begin[term] = i;
        tile.end[term] = std::min(i + size, axis.bound[term]);
        tile.begin[1 - term] = o;
        tile.end[1 - term] = std::min(o + other, axis.bound[1 - term]);
        pass.push_back(tile);
      }
    }
  }
  return passes;
}

TEST(RaggedWindows, ClaimsNoMoreThanComes) {
  for (const Axis& axis :
       {Axis{{7, 3}, {1, 1}}, Axis{{6, 3}, {2, 1}}, Axis{{5, 4}, {3, 1}}, Axis{{6, 3}, {1, 2}},
        Axis{{6, 2}, {1, 3}}, Axis{{5, 3}, {2, 3}}, Axis{{3, 7}, {1, 1}}, Axis{{4, 4}, {1, 1}}}) {
    Steps::Bounds bounds;
    bounds.push_back(axis.bound[0]);
    bounds.push_back(axis.bound[1]);
    const Steps steps(bounds, 1e9);
    const mapping::WorkloadAxis terms = {{0, axis.coefficient[0]}, {1, axis.coefficient[1]}};
    const WindowAxis window(steps, terms, false);
    for (const int term : {0, 1}) {
      for (std::int64_t size = 1; size < axis.bound[term]; ++size) {
        const std::int64_t tiles = Tiles(axis.bound[term], size);
        for (std::int64_t factor = 2; factor <= tiles; ++factor) {
          for (std::int64_t other = 1; other <= axis.bound[1 - term]; ++other) {
            const auto passes = PassesOf(axis, term, size, factor, other);
            const std::int64_t others = Tiles(axis.bound[1 - term], other);
            const int at = steps.Find(1 - term, others);
            const std::int64_t left = Tiles(tiles, factor);
            const double slide =
                window.Slide(term, steps.Find(term, tiles), steps.Find(term, left), at);
            // Something else repeats all passes, or each: what was there last is not fetched.
            for (const bool each : {false, true}) {
              std::set<std::int64_t> last =
                  PositionsOf(axis, (each ? passes[0] : passes.back()).back());
              std::size_t fetched = 0;
              std::size_t anew = 0;
              for (const std::vector<Tile>& pass : passes) {
                last = each ? PositionsOf(axis, pass.back()) : last;
                for (const Tile& tile : pass) {
                  const std::set<std::int64_t> now = PositionsOf(axis, tile);
                  const bool first = &tile == &pass.front();
                  for (const std::int64_t position : now) {
                    fetched += last.contains(position) ? 0 : 1;
                    anew += first || !last.contains(position) ? 1 : 0;
                  }
                  last = now;
                }
              }
              EXPECT_LE(slide, static_cast<double>(fetched)) << size << " " << factor;
              if (term == window.Short()) {
                // Another axis moves between the passes.
                EXPECT_LE(slide + window.First(at) * static_cast<double>(left),
                          static_cast<double>(anew))
                    << size << " " << factor << " " << other;
              }
            }
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace sluice::mapper::exact
