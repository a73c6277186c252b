#pragma once
/// \file
/// Tiles of an imperfect map space, by how many of them a dim has.
///
/// Every tile of a dim of N points is a product T of loop bounds, and only the last tile is short:
/// a dim has n = ceil(N / T) tiles. A loop of f iterations around them leaves ceil(n / f), because
/// ceil(ceil(N / T) / f) = ceil(N / (T f)): what a loop does to n depends on n only, and a dim has
/// at most 2 sqrt(N) different n. Traffic depends on T through n alone, and the smallest tile with
/// n steps has ceil(N / n) points: so vectors of n describe every imperfect mapping for a bound.
///
/// Where that are too many vectors, neighbouring n share a *cell*: it costs like its least n and
/// needs the room of its largest. Cells of a dim are numbered from n = N (tiles of one point) to
/// n = 1.
///
/// A loop leads from n to ceil(n / f) only, f at least 2: After lists where to. A loop whose last
/// pass has a single iteration (n = 1 modulo f) leaves one tile in n without a step: Certain.
/// Tested by tests/unit/ragged_bound_test.cpp.

#include <cstdint>
#include <vector>

#include "base/static_vector.h"
#include "mapping/workload.h"

namespace sluice::mapper::exact {

/// Rounded up: how many tiles of `tile` points a dim of `bound` has, what a loop leaves of a number
/// of tiles.
[[nodiscard]] constexpr std::int64_t Tiles(std::int64_t bound, std::int64_t tile) {
  return (bound + tile - 1) / tile;
}

/// Number of a vector of cells: 0 is tiles of one point, size() - 1 the whole dims.
using Cells = std::int32_t;

class Steps {
 public:
  struct Cell {
    std::int64_t low = 1;   ///< least number of tiles
    std::int64_t high = 1;  ///< largest number
    std::int64_t least_tile = 1;
  };
  using Bounds = StaticVector<std::int64_t, mapping::kMaxDims>;

  /// Every n its own cell, if that makes at most `most` vectors; else as few shared as will do.
  Steps(const Bounds& bounds, double most);

  [[nodiscard]] int dims() const { return static_cast<int>(axes_.size()); }
  [[nodiscard]] Cells size() const { return size_; }
  [[nodiscard]] Cells top() const { return size_ - 1; }
  [[nodiscard]] Cells stride(int dim) const { return axes_[static_cast<std::size_t>(dim)].stride; }
  [[nodiscard]] const std::vector<Cell>& Axis(int dim) const {
    return axes_[static_cast<std::size_t>(dim)].cells;
  }
  [[nodiscard]] int Coordinate(Cells x, int dim) const {
    return coordinates_[static_cast<std::size_t>(x) * axes_.size() + static_cast<std::size_t>(dim)];
  }
  [[nodiscard]] const Cell& At(Cells x, int dim) const {
    return Axis(dim)[static_cast<std::size_t>(Coordinate(x, dim))];
  }
  /// x with another cell of a dim.
  [[nodiscard]] Cells With(Cells x, int dim, int cell) const {
    return x + (cell - Coordinate(x, dim)) * stride(dim);
  }
  struct Loop {
    int to = 0;
    double certain = 1;  ///< as Certain
  };
  /// Cells that loops lead to, by rising number. Loops of a composite number of iterations may be
  /// missing: they are several of these.
  [[nodiscard]] const std::vector<Loop>& After(int dim, int cell) const {
    return axes_[static_cast<std::size_t>(dim)].after[static_cast<std::size_t>(cell)];
  }
  /// Share of the tiles that are certain to be in a pass of several iterations, when one loop leads
  /// from a cell to another; 0 when none does.
  [[nodiscard]] double Certain(int dim, int from, int to) const {
    const Dim& axis = axes_[static_cast<std::size_t>(dim)];
    return axis
        .certain[static_cast<std::size_t>(from) * axis.cells.size() + static_cast<std::size_t>(to)];
  }
  /// Calls `visit(to, certain)` for cells that a loop over a dim leads to from x, by rising number,
  /// until it returns false. Those of After; with `all` also those that several loops reach, for
  /// costs that depend on the end.
  template <class Visit>
  void ForEachEnd(Cells x, int dim, bool all, const Visit& visit) const {
    const int here = Coordinate(x, dim);
    if (!all) {
      for (const Loop& loop : After(dim, here)) {
        if (!visit(loop.to, loop.certain)) {
          return;
        }
      }
      return;
    }
    for (int to = here; to < static_cast<int>(Axis(dim).size()); ++to) {
      if (const double certain = Certain(dim, here, to); certain > 0 && !visit(to, certain)) {
        return;
      }
    }
  }
  /// The cell of a number of tiles. Requires 1 <= n <= bound.
  [[nodiscard]] int Find(int dim, std::int64_t n) const;

 private:
  struct Dim {
    std::vector<Cell> cells;
    Cells stride = 1;
    std::vector<std::vector<Loop>> after;
    std::vector<double> certain;  ///< [from][to]
  };
  void FillLoops(int dim, const std::vector<std::int64_t>& counts);
  std::vector<Dim> axes_;
  Cells size_ = 1;
  std::vector<std::uint16_t> coordinates_;
};

}  // namespace sluice::mapper::exact
