// How a window that slides is counted. A pass of a loop over one dim of the axis visits m tiles.
// Each step within the pass brings min(step, extent) positions anew. The first tile of a pass
// follows whatever the loops outside did since the last tile of the pass before, which is (m - 1)
// steps ahead:
//   - a loop that does not move the axis brings it back by those steps: all but the overlap is new;
//   - the same dim further out moves on by a step;
//   - the other dim of the axis may land anywhere: nothing is certain.
// A pass of a single tile (a ragged end) is certain of nothing: its tile may have stayed.

#include "mapper/exact/ragged/windows.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "cost/axis/axis_set.h"
#include "cost/compiled.h"
#include "mapper/exact/ragged/steps.h"
#include "mapping/workload.h"

namespace sluice::mapper::exact {
namespace {

using cost::Index;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Points of the last tile.
std::int64_t Tail(std::int64_t bound, std::int64_t tile) {
  return bound - (Tiles(bound, tile) - 1) * tile;
}

}  // namespace

bool WindowAxis::CanTabulate(const Steps::Bounds& bounds, const mapping::WorkloadAxis& axis) {
  constexpr std::int64_t kMostSizes = 10'000;
  return axis.size() == 2 && axis[0].dim != axis[1].dim &&
         bounds[Index(axis[0].dim)] <= kMostSizes / bounds[Index(axis[1].dim)];
}

WindowAxis::WindowAxis(const Steps& steps, const mapping::WorkloadAxis& axis, bool gaps)
    : terms_{axis[0], axis[1]} {
  for (std::size_t i = 0; i < 2; ++i) {
    bound_[i] = steps.Axis(terms_[i].dim).front().high;
    cells_[i] = steps.Axis(terms_[i].dim).size();
  }
  words_.reserve(static_cast<std::size_t>(bound_[0] * bound_[1]));
  for (std::int64_t a = 1; a <= bound_[0]; ++a) {
    for (std::int64_t b = 1; b <= bound_[1]; ++b) {
      cost::GeneratorList generators;
      generators.push_back({terms_[0].coefficient, a});
      generators.push_back({terms_[1].coefficient, b});
      words_.push_back(cost::AxisSet::Build(generators, gaps).size());
    }
  }
  FillTotals(steps);
  FillSlides(steps, 0);
  FillSlides(steps, 1);
}

std::int64_t WindowAxis::Extent(int term, std::int64_t size, std::int64_t other) const {
  return terms_[Index(term)].coefficient * (size - 1) +
         terms_[Index(1 - term)].coefficient * (other - 1) + 1;
}

void WindowAxis::FillTotals(const Steps& steps) {
  total_.assign(cells_[0] * cells_[1], kInfinity);
  for (std::int64_t a = 1; a <= bound_[0]; ++a) {
    for (std::int64_t b = 1; b <= bound_[1]; ++b) {
      const std::int64_t tiles_a = Tiles(bound_[0], a);
      const std::int64_t tiles_b = Tiles(bound_[1], b);
      const std::int64_t tail_a = Tail(bound_[0], a);
      const std::int64_t tail_b = Tail(bound_[1], b);
      const std::int64_t words = (tiles_a - 1) * (tiles_b - 1) * Words(a, b) +
                                 (tiles_a - 1) * Words(a, tail_b) +
                                 (tiles_b - 1) * Words(tail_a, b) + Words(tail_a, tail_b);
      double& total =
          total_[At(steps.Find(terms_[0].dim, tiles_a), steps.Find(terms_[1].dim, tiles_b))];
      total = std::min(total, static_cast<double>(words));
    }
  }
  for (int a = 0; a < static_cast<int>(cells_[0]); ++a) {
    for (int b = 0; b < static_cast<int>(cells_[1]); ++b) {
      double& total = total_[At(a, b)];
      total = std::min(
          {total, a > 0 ? Total(a - 1, b) : kInfinity, b > 0 ? Total(a, b - 1) : kInfinity});
    }
  }
}

// Summed over the passes, for one tile of `other` points of the other dim.
double WindowAxis::Certain(const Loop& loop, std::int64_t other) const {
  const std::int64_t bound = bound_[Index(loop.term)];
  const std::int64_t tiles = Tiles(bound, loop.size);
  const std::int64_t passes = Tiles(tiles, loop.factor);
  const std::int64_t tail = Tail(bound, loop.size);
  const std::int64_t words = Words(loop.term, loop.size, other);
  const std::int64_t end = Words(loop.term, tail, other);
  if (words != Extent(loop.term, loop.size, other) || end != Extent(loop.term, tail, other)) {
    return 0;  // holes overlap irregularly
  }
  const std::int64_t step = terms_[Index(loop.term)].coefficient * loop.size;
  const std::int64_t fresh = std::min(step, words);
  const auto first = [&](std::int64_t visited) {
    if (loop.other_moves) {
      return std::int64_t{0};
    }
    return std::min(words, passes == 1 ? (visited - 1) * step : step);
  };
  const std::int64_t full = (loop.factor - 1) * fresh + first(loop.factor);
  const std::int64_t rest = tiles - (passes - 1) * loop.factor;
  std::int64_t sum = (passes - 1) * full;
  if (rest > 1) {
    sum += (rest - 2) * fresh + end - std::min(end, words - fresh) + first(rest);
  }
  return static_cast<double>(sum);
}

void WindowAxis::FillSlides(const Steps& steps, int term) {
  const std::size_t t = Index(term);
  const int dim = terms_[t].dim;
  const int other_dim = terms_[1 - t].dim;
  slide_[t].assign(cells_[t] * cells_[t] * cells_[1 - t], kInfinity);
  for (std::int64_t size = 1; size < bound_[t]; ++size) {
    const std::int64_t tiles = Tiles(bound_[t], size);
    const int from = steps.Find(dim, tiles);
    for (std::int64_t factor = 2; factor <= tiles; ++factor) {
      const int to = steps.Find(dim, Tiles(tiles, factor));
      for (std::int64_t other = 1; other <= bound_[1 - t]; ++other) {
        const std::int64_t others = Tiles(bound_[1 - t], other);
        const Loop loop = {term, size, factor, others > 1};
        const double words = static_cast<double>(others - 1) * Certain(loop, other) +
                             Certain(loop, Tail(bound_[1 - t], other));
        double& least =
            slide_[t][(static_cast<std::size_t>(from) * cells_[t] + static_cast<std::size_t>(to)) *
                          cells_[1 - t] +
                      static_cast<std::size_t>(steps.Find(other_dim, others))];
        least = std::min(least, words);
      }
    }
  }
}

}  // namespace sluice::mapper::exact
