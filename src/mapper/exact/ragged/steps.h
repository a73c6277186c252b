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
/// n = 1. Tested by tests/unit/ragged_bound_test.cpp.

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
  /// The cell of a number of tiles. Requires 1 <= n <= bound.
  [[nodiscard]] int Find(int dim, std::int64_t n) const;

 private:
  struct Dim {
    std::vector<Cell> cells;
    Cells stride = 1;
  };
  std::vector<Dim> axes_;
  Cells size_ = 1;
  std::vector<std::uint16_t> coordinates_;
};

}  // namespace sluice::mapper::exact
