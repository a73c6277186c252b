#include "mapper/exact/ragged/tiles/steps.h"

#include <algorithm>  // NOLINT(misc-include-cleaner): std::ranges::partition_point
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/divisors.h"

namespace sluice::mapper::exact {
namespace {

/// Numbers of tiles that a dim of `bound` points can have, descending.
std::vector<std::int64_t> Counts(std::int64_t bound) {
  std::vector<std::int64_t> counts;
  for (std::int64_t tile = 1; tile <= bound;) {
    const std::int64_t n = Tiles(bound, tile);
    counts.push_back(n);
    if (n == 1) {
      break;
    }
    tile = (bound - 1) / (n - 1) + 1;  // the smallest with fewer than n tiles
  }
  return counts;
}

/// Cells whose largest n is at most `ratio` times the least.
std::vector<Steps::Cell> Share(const std::vector<std::int64_t>& counts, std::int64_t bound,
                               double ratio) {
  std::vector<Steps::Cell> cells;
  for (const std::int64_t n : counts) {
    // n = 1 and n = bound stay alone: everything starts at one and ends at the other.
    const bool joins = !cells.empty() && n > 1 && cells.back().high < bound &&
                       static_cast<double>(cells.back().high) <= ratio * static_cast<double>(n);
    if (joins) {
      cells.back().low = n;
    } else {
      cells.push_back({n, n, Tiles(bound, n)});
    }
  }
  return cells;
}

}  // namespace

Steps::Steps(const Bounds& bounds, double most) {
  constexpr double kFiner = 1.02;
  std::vector<std::vector<std::int64_t>> counts;
  for (const std::int64_t bound : bounds) {
    counts.push_back(Counts(bound));
  }
  for (double ratio = 1;; ratio *= kFiner) {
    axes_.clear();
    double vectors = 1;
    for (std::size_t d = 0; d < counts.size(); ++d) {
      axes_.push_back({Share(counts[d], bounds[d], ratio), 1, {}, {}});
      vectors *= static_cast<double>(axes_.back().cells.size());
    }
    if (vectors <= most || ratio > 1e9) {
      break;
    }
  }
  for (Dim& dim : axes_) {
    dim.stride = size_;
    size_ *= static_cast<Cells>(dim.cells.size());
  }
  for (std::size_t d = 0; d < counts.size(); ++d) {
    FillLoops(static_cast<int>(d), counts[d]);
  }
  coordinates_.reserve(static_cast<std::size_t>(size_) * axes_.size());
  for (Cells x = 0; x < size_; ++x) {
    Cells rest = x;
    for (const Dim& dim : axes_) {
      const auto cells = static_cast<Cells>(dim.cells.size());
      coordinates_.push_back(static_cast<std::uint16_t>(rest % cells));
      rest /= cells;
    }
  }
}

void Steps::FillLoops(int dim, const std::vector<std::int64_t>& counts) {
  Dim& axis = axes_[static_cast<std::size_t>(dim)];
  const std::size_t cells = axis.cells.size();
  axis.after.resize(cells);
  axis.certain.assign(cells * cells, 0);
  for (const std::int64_t n : counts) {
    const auto from = static_cast<std::size_t>(Find(dim, n));
    for (std::int64_t least = 2; n > 1;) {  // loops of `least` to `most` iterations leave `left`
      const std::int64_t left = Tiles(n, least);
      const std::int64_t most = left == 1 ? n : (n - 1) / (left - 1);
      const auto to = static_cast<std::size_t>(Find(dim, left));
      const bool single = left > 1 && (n - 1) % (left - 1) == 0;
      const double share = single ? 1 - 1 / static_cast<double>(n) : 1;
      double& certain = axis.certain[from * cells + to];
      certain = certain == 0 ? share : std::min(certain, share);
      // Of more than two numbers in a row, or of two beyond 3, one is even: then several loops lead
      // there, too. Only `most` can have the single iteration, as its divisors have.
      if ((most == least ? IsPrime(least) : most == 3) || (single && IsPrime(most))) {
        axis.after[from].push_back({static_cast<int>(to), 1});
      }
      if (left == 1) {
        break;
      }
      least = most + 1;
    }
  }
  for (std::size_t from = 0; from < cells; ++from) {
    std::vector<Loop>& after = axis.after[from];
    std::ranges::sort(after, {}, &Loop::to);
    const auto repeated = std::ranges::unique(after, {}, &Loop::to);
    after.erase(repeated.begin(), repeated.end());
    for (Loop& loop : after) {
      loop.certain = Certain(dim, static_cast<int>(from), loop.to);
    }
  }
}

int Steps::Find(int dim, std::int64_t n) const {
  const std::vector<Cell>& cells = Axis(dim);
  const auto it = std::ranges::partition_point(cells, [n](const Cell& c) { return c.low > n; });
  return static_cast<int>(it - cells.begin());
}

}  // namespace sluice::mapper::exact
