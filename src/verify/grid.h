#pragma once
/// \file
/// The checker's own tables: tile vectors that divide the bounds, spatial factors that fit a
/// fan-out, words and rates. Derived from the evaluator's flattened problem; nothing is shared with
/// a search.
///
/// Traffic of tensor t into a child that holds tile T, over the whole run and all instances:
///   delivered = Words(t, T) x Steps(T) / run
/// with Steps the number of tiles (product over all dims of N / T) and run the product of the
/// innermost temporal loops above the child that do not move t. That is exact for a *simple* tensor
/// (every axis moved by one dim, no dim on two axes): a step of a loop that moves it brings a whole
/// new tile.

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "cost/compiled.h"
#include "cost/evaluator.h"
#include "mapping/constraints.h"
#include "mapping/mapping.h"

namespace sluice::verify {

using Code = std::int32_t;  ///< number of a tile vector; 0: all ones
using PerTensor = std::array<double, mapping::kMaxTensors>;

/// One choice of spatial factors and all ways to lay it on the axes.
struct Spread {
  Code factors = 0;
  double units = 1;
  struct Axes {
    mapping::LoopList x;
    mapping::LoopList y;
    PerTensor rate{};  ///< picojoules of a word on its way
  };
  /// Those that may be best: of placements that cost every tensor as much, or where distance is
  /// free, one.
  std::vector<Axes> axes;
  PerTensor way{};  ///< least rate of each tensor
};

class Grid {
 public:
  static double CountTiles(const cost::Evaluator& evaluator);
  Grid(const cost::Evaluator& evaluator, const mapping::Constraints* constraints);

  [[nodiscard]] const cost::Compiled& compiled() const { return evaluator_->compiled(); }
  [[nodiscard]] int dims() const { return compiled().dims; }
  [[nodiscard]] int levels() const { return compiled().levels; }
  [[nodiscard]] int tensors() const { return compiled().tensors; }
  [[nodiscard]] Code size() const { return size_; }
  [[nodiscard]] Code top() const { return size_ - 1; }
  [[nodiscard]] std::int64_t Value(Code x, int d) const {
    return divisors_[cost::Index(d)][At(x, d)];
  }
  /// -1 unless every value divides its bound.
  template <class Values>
  [[nodiscard]] Code Find(const Values& values) const;
  [[nodiscard]] bool Divides(Code a, Code b) const;
  /// Requires that the product divides the bounds.
  [[nodiscard]] Code Times(Code a, Code b) const;

  [[nodiscard]] bool Moves(int t, int d) const {
    return cost::HasBit(compiled().tensor[cost::Index(t)].dims, d);
  }
  [[nodiscard]] bool Simple(int t) const { return simple_[cost::Index(t)]; }
  [[nodiscard]] bool IsOutput(int t) const { return compiled().tensor[cost::Index(t)].is_output; }
  [[nodiscard]] double Words(int t, Code x) const {
    return words_[cost::Index(t)][static_cast<std::size_t>(x)];
  }
  [[nodiscard]] double Steps(Code x) const { return steps_[static_cast<std::size_t>(x)]; }
  [[nodiscard]] double Product(Code x) const { return Steps(0) / Steps(x); }
  /// Product over the dims that do not move t.
  [[nodiscard]] double Still(int t, Code x) const;
  /// Distinct words of t.
  [[nodiscard]] double Touched(int t) const { return touched_[cost::Index(t)]; }
  /// Share of the tile's words that are new when dim d, which shares an axis of t with others,
  /// moves the tile by one step of `step` points; `steady`: every later move brings as much.
  [[nodiscard]] double Slide(int t, Code tile, Code step, int d, bool& steady) const;
  /// Equal tiles of t that one parent access serves.
  [[nodiscard]] double Merge(int level, int t, Code space, Code tile) const;
  /// Least picojoules of a word on its way through the fan-out.
  [[nodiscard]] double Way(int level, int t, double merge, const Spread& spread) const;

  [[nodiscard]] bool Fits(int level, std::uint32_t keep, Code x) const;
  [[nodiscard]] bool LoopsAllowed(int level, Code outer, Code inner) const;
  [[nodiscard]] bool Ordered(int level) const;  ///< a constraint on the order of loops
  [[nodiscard]] std::uint32_t Must(int level) const { return must_[cost::Index(level)]; }
  [[nodiscard]] std::uint32_t May(int level) const { return may_[cost::Index(level)]; }
  [[nodiscard]] const std::vector<Spread>& Spreads(int level) const {
    return spreads_[cost::Index(level)];
  }

  /// Picojoules of a word at the parent and at the child of an edge. For a simple accumulated
  /// output `saved` of them are not paid for the first visit of each word and copy.
  struct Rates {
    PerTensor parent{};
    PerTensor child{};
    double parent_saved = 0;
    double child_saved = 0;
    bool adds = false;  ///< each word taken from a child costs a read here, but for first visits
  };
  [[nodiscard]] const Rates& At(int level) const { return rates_[cost::Index(level)]; }
  /// Compute units below one instance of the level, at most.
  [[nodiscard]] double UnitsBelow(int level) const { return below_[cost::Index(level)]; }
  [[nodiscard]] bool forwards() const { return forwards_; }
  [[nodiscard]] double leakage() const { return leakage_; }
  [[nodiscard]] double points() const { return static_cast<double>(compiled().points); }
  [[nodiscard]] double ComputeCycles(double units) const;
  [[nodiscard]] const mapping::Constraints* constraints() const { return constraints_; }
  [[nodiscard]] const cost::Evaluator& evaluator() const { return *evaluator_; }

 private:
  [[nodiscard]] std::size_t At(Code x, int d) const {
    return coordinate_[static_cast<std::size_t>(x) * cost::Index(dims()) + cost::Index(d)];
  }
  void FillTiles();
  void FillRates();
  void FillSpreads(int level);
  [[nodiscard]] std::vector<Code> FactorsOnAxis(int level, mapping::LoopKind kind,
                                                std::int64_t room, std::uint32_t may) const;
  void FillPlacements(int level, const std::vector<std::pair<Code, Code>>& axes,
                      Spread& spread) const;
  void AddPlacement(int level, const mapping::Mapping& mapping, bool fixed, Spread& spread) const;
  [[nodiscard]] mapping::LoopList LoopsOf(Code x) const;
  /// Two spatial dims move one axis of t: the way of its words depends on the tile.
  [[nodiscard]] bool Diagonal(int t, Code space) const;

  const cost::Evaluator* evaluator_;
  const mapping::Constraints* constraints_;
  std::array<std::vector<std::int64_t>, mapping::kMaxDims> divisors_;
  std::array<Code, mapping::kMaxDims> stride_{};
  Code size_ = 1;
  std::vector<std::uint16_t> coordinate_;
  std::array<bool, mapping::kMaxTensors> simple_{};
  std::array<std::vector<double>, mapping::kMaxTensors> words_;
  std::vector<double> steps_;
  PerTensor touched_{};
  std::array<std::uint32_t, arch::kMaxLevels> must_{};
  std::array<std::uint32_t, arch::kMaxLevels> may_{};
  std::array<Rates, arch::kMaxLevels> rates_{};
  std::array<double, arch::kMaxLevels> below_{};
  std::array<std::vector<Spread>, arch::kMaxLevels> spreads_;
  std::array<std::vector<double>, arch::kMaxLevels> reach_;  ///< mean distance of k nearest cells
  bool forwards_ = false;
  double leakage_ = 0;
};

template <class Values>
Code Grid::Find(const Values& values) const {
  Code code = 0;
  for (int d = 0; d < dims(); ++d) {
    const auto& all = divisors_[cost::Index(d)];
    std::size_t i = 0;
    while (i < all.size() && all[i] != values[cost::Index(d)]) {
      ++i;
    }
    if (i == all.size()) {
      return -1;
    }
    code += stride_[cost::Index(d)] * static_cast<Code>(i);
  }
  return code;
}

}  // namespace sluice::verify
