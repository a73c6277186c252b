#pragma once
/// \file
/// Words of sliding windows in an imperfect map space: lower bounds by cells (steps.h), the least
/// over all tile sizes that a cell stands for.

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "cost/axis/axis_set.h"
#include "cost/compiled.h"
#include "mapper/exact/ragged/tiles/steps.h"

namespace sluice::mapper::exact {

/// One axis of a tensor that two dims move.
class WindowAxis {
 public:
  /// `gaps`: words that a tile skips count too. Requires an axis of two terms that is not too large
  /// (CanTabulate).
  WindowAxis(const Steps& steps, const mapping::WorkloadAxis& axis, bool gaps);
  static bool CanTabulate(const Steps::Bounds& bounds, const mapping::WorkloadAxis& axis);

  /// Words of all tiles of the axis together, with cells `a` and `b` of its two dims or any with
  /// more tiles.
  [[nodiscard]] double Total(int a, int b) const { return total_[At(a, b)]; }
  /// Words that the axis has, without those that are skipped.
  [[nodiscard]] double Least() const { return least_; }
  /// Which of the two terms moves with `dim`; -1: none.
  [[nodiscard]] int Term(int dim) const {
    return terms_[0].dim == dim ? 0 : terms_[1].dim == dim ? 1 : -1;
  }
  [[nodiscard]] int dim(int term) const { return terms_[static_cast<std::size_t>(term)].dim; }
  /// The term of the shorter dim: a filter's, as a rule.
  [[nodiscard]] int Short() const { return bound_[0] < bound_[1] ? 0 : 1; }
  /// Words of the first tiles of passes over the short dim, for one pass in each tile of the other
  /// dim, which is at cell `other`: those that Slide does not claim, and that come anew when
  /// another axis moves on between the passes.
  [[nodiscard]] double First(int other) const { return first_[static_cast<std::size_t>(other)]; }
  /// Words that the axis brings in all passes of a loop over `term`'s dim, from cell `from` to cell
  /// `to`, while the other dim is at cell `other`. Whatever runs outside repeats at least these.
  /// Infinite where no loop leads from one cell to the other.
  [[nodiscard]] double Slide(int term, int from, int to, int other) const {
    const auto t = static_cast<std::size_t>(term);
    return slide_[t][(static_cast<std::size_t>(from) * cells_[t] + static_cast<std::size_t>(to)) *
                         cells_[1 - t] +
                     static_cast<std::size_t>(other)];
  }

 private:
  [[nodiscard]] std::size_t At(int a, int b) const {
    return static_cast<std::size_t>(a) * cells_[1] + static_cast<std::size_t>(b);
  }
  [[nodiscard]] std::int64_t Words(std::int64_t a, std::int64_t b) const {
    return words_[static_cast<std::size_t>((a - 1) * bound_[1] + (b - 1))];
  }
  /// Words of a tile of `size` points of `term`'s dim and `other` of the other one.
  [[nodiscard]] std::int64_t Words(int term, std::int64_t size, std::int64_t other) const {
    return term == 0 ? Words(size, other) : Words(other, size);
  }
  [[nodiscard]] cost::AxisSet Positions(int term, std::int64_t size, std::int64_t other,
                                        bool gaps) const;
  [[nodiscard]] std::int64_t Extent(int term, std::int64_t size, std::int64_t other) const;
  void FillTotals(const Steps& steps);
  void FillSlides(const Steps& steps, int term);
  void FillFirsts(const Steps& steps);
  /// A loop of `factor` iterations over tiles of `size` points; the other dim has `others` tiles.
  struct Loop {
    int term = 0;
    std::int64_t size = 1;
    std::int64_t factor = 2;
    std::int64_t others = 1;
  };
  [[nodiscard]] double Certain(const Loop& loop, std::int64_t other) const;

  std::array<mapping::WorkloadTerm, 2> terms_;
  bool gaps_;
  double least_ = 0;
  std::array<std::int64_t, 2> bound_{};
  std::array<std::size_t, 2> cells_{};
  std::vector<std::int64_t> words_;  ///< [a - 1][b - 1]: of a tile of a x b points
  std::vector<double> total_;
  std::array<std::vector<double>, 2> slide_;
  std::vector<double> first_;
};

}  // namespace sluice::mapper::exact
