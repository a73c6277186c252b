// How a window that slides is counted. A pass of a loop over one dim of the axis visits m tiles.
// Each step within the pass brings min(step, extent) positions anew. The first tile of a pass
// follows whatever the loops outside did since the last tile of the pass before, which is (m - 1)
// steps ahead:
//   - a loop that does not move the axis brings it back by those steps: all but the overlap is new;
//   - the same dim further out moves on by a step;
//   - the other dim of the axis moves by whole tiles, while the loop's own dim is back at its start
//   if
//     the pass was all of it: the least of what is new then. Else nothing is certain.
// If another axis of the tensor moves on in between, the first tile is new: it is left open for
// that (First). A pass of a single tile (a ragged end) is certain of nothing: its tile may have
// stayed.

#include "mapper/exact/ragged/tiles/windows.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "cost/axis/axis_set.h"
#include "cost/compiled.h"
#include "mapper/exact/ragged/tiles/steps.h"
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
    : terms_{axis[0], axis[1]}, gaps_(gaps) {
  for (std::size_t i = 0; i < 2; ++i) {
    bound_[i] = steps.Axis(terms_[i].dim).front().high;
    cells_[i] = steps.Axis(terms_[i].dim).size();
  }
  words_.reserve(static_cast<std::size_t>(bound_[0] * bound_[1]));
  for (std::int64_t a = 1; a <= bound_[0]; ++a) {
    for (std::int64_t b = 1; b <= bound_[1]; ++b) {
      words_.push_back(Positions(0, a, b, gaps_).size());
    }
  }
  least_ = static_cast<double>(Positions(0, bound_[0], bound_[1], false).size());
  FillTotals(steps);
  FillSlides(steps, 0);
  FillSlides(steps, 1);
  FillFirsts(steps);
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

cost::AxisSet WindowAxis::Positions(int term, std::int64_t size, std::int64_t other,
                                    bool gaps) const {
  cost::GeneratorList generators;
  generators.push_back({terms_[Index(term)].coefficient, size});
  generators.push_back({terms_[Index(1 - term)].coefficient, other});
  return cost::AxisSet::Build(generators, gaps);
}

// Summed over the passes, for one tile of `other` points of the other dim.
double WindowAxis::Certain(const Loop& loop, std::int64_t other) const {
  const std::int64_t bound = bound_[Index(loop.term)];
  const std::int64_t tiles = Tiles(bound, loop.size);
  const std::int64_t passes = Tiles(tiles, loop.factor);
  const std::int64_t words = Words(loop.term, loop.size, other);
  const std::int64_t end = Words(loop.term, Tail(bound, loop.size), other);
  const std::int64_t step = terms_[Index(loop.term)].coefficient * loop.size;
  const std::int64_t span = Extent(loop.term, loop.size, other);
  // Positions with holes may meet again further on.
  const bool apart = words == span || step >= span;
  const cost::AxisSet set = words == span ? cost::AxisSet::Progression(1, words)
                                          : Positions(loop.term, loop.size, other, gaps_);
  const auto moved = [&](std::int64_t distance) { return words - set.SelfOverlap(distance); };
  const std::int64_t fresh = moved(step);
  const auto first = [&](std::int64_t visited) -> std::int64_t {
    if (passes > 1) {
      return loop.others > 1 || !apart ? 0 : fresh;
    }
    const std::int64_t back = (visited - 1) * step;
    std::int64_t least = moved(back);
    if (loop.others > 1) {
      if (loop.term == Short() || other * loop.others < bound_[Index(1 - loop.term)]) {
        return 0;  // see First; the short last tile of the other dim
      }
      const std::int64_t move = terms_[Index(1 - loop.term)].coefficient * other;
      for (std::int64_t moves = 1; moves < loop.others && least > 0; ++moves) {
        least = std::min({least, moved(back - moves * move), moved(back + moves * move)});
      }
    }
    return least;
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
        const Loop loop = {term, size, factor, others};
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

// With tiles of a single point of the short dim, at least.
void WindowAxis::FillFirsts(const Steps& steps) {
  const int shorter = Short();
  const std::size_t longer = Index(1 - shorter);
  const int dim = terms_[longer].dim;
  // What Slide claims of a first tile, at most: where the other dim does not move.
  const std::int64_t claimed = terms_[Index(shorter)].coefficient * (bound_[Index(shorter)] - 1);
  first_.assign(cells_[longer], kInfinity);
  for (std::int64_t size = 1; size <= bound_[longer]; ++size) {
    const std::int64_t tiles = Tiles(bound_[longer], size);
    std::int64_t words = (tiles - 1) * Words(1 - shorter, size, 1) +
                         Words(1 - shorter, Tail(bound_[longer], size), 1);
    if (tiles == 1) {
      words =
          words == Extent(1 - shorter, size, 1) ? std::max<std::int64_t>(0, words - claimed) : 0;
    }
    double& least = first_[Index(steps.Find(dim, tiles))];
    least = std::min(least, static_cast<double>(words));
  }
}

}  // namespace sluice::mapper::exact
