#pragma once
/// \file
/// The checker's own tables: tile vectors that divide the bounds, spatial factors that fit a
/// fan-out, words and rates. Derived from the evaluator's flattened problem; nothing is shared with
/// a search.
///
/// A tile vector is a number whose digits are exponents of primes, so that a product of two is
/// their sum. Traffic of tensor t into a child, when the first loop above it that moves t runs
/// around the tile x (docs/cost-model.md; s: spatial factors between child and loop):
///   delivered = Words(t, x / s) x Tiles(x / s)
/// over the whole run and all instances: Tiles counts the steps of all loops around x / s, the
/// loops that leave t where it is lie inside x. That is exact for a *simple* tensor (every axis
/// moved by one dim, no dim on two axes): a step of a loop that moves it brings a whole new tile.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
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
    PerTensor rate{};  ///< picojoules of a word on its way, around a tile of one point
  };
  /// Those that may be best: of placements that cost every tensor as much, or where distance is
  /// free, one.
  std::vector<Axes> axes;
  PerTensor way{};             ///< least rate of each tensor
  std::uint32_t diagonal = 0;  ///< bit t: two dims move one axis of t, merges depend on the tile
};

/// A loop over one dim, as what it multiplies a tile by.
struct Step {
  Code offset = 0;
  std::int64_t factor = 1;
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
    return values_[cost::Index(d)][Digit(x, d)];
  }
  [[nodiscard]] bool Divides(Code a, Code b) const {
    return (((packed_[At(b)] | guard_) - packed_[At(a)]) & guard_) == guard_;
  }
  /// The product, or -1 if it does not divide the bounds.
  [[nodiscard]] Code Times(Code a, Code b) const { return Divides(a, top() - b) ? a + b : -1; }
  /// The loops over d that `level` may have around x. Those of level 0 end at the bound. `primes`:
  /// elsewhere, only those from which the others are made.
  [[nodiscard]] std::span<const Step> Loops(int level, Code x, int d, bool primes) const {
    const auto& all = (primes && level > 0 ? primes_ : loops_)[cost::Index(d)][Digit(x, d)];
    return level > 0 || all.empty() ? std::span(all) : std::span(all).last(1);
  }

  [[nodiscard]] bool Moves(int t, int d) const {
    return cost::HasBit(compiled().tensor[cost::Index(t)].dims, d);
  }
  [[nodiscard]] bool Simple(int t) const { return simple_[cost::Index(t)]; }
  [[nodiscard]] bool IsOutput(int t) const { return compiled().tensor[cost::Index(t)].is_output; }
  [[nodiscard]] bool IsJoint(int t) const { return compiled().tensor[cost::Index(t)].joint; }
  [[nodiscard]] double Words(int t, Code x) const { return words_[cost::Index(t)][At(x)]; }
  /// Steps of all loops around x.
  [[nodiscard]] double Tiles(Code x) const { return tiles_[At(x)]; }
  /// Product over the dims that do not move t.
  [[nodiscard]] double Still(int t, Code x) const { return still_[cost::Index(t)][At(x)]; }
  /// Distinct words of t.
  [[nodiscard]] double Touched(int t) const { return touched_[cost::Index(t)]; }
  /// Least share of the words of `tile` that are new in a mean step of the loops around it, the
  /// first of which takes `factor` steps of `step` points over d.
  [[nodiscard]] double Fresh(int t, Code tile, Code step, int d, std::int64_t factor) const;
  /// The vector x with ones in all other dims.
  [[nodiscard]] Code Part(Code x, std::uint32_t dims) const;
  /// The dims of the axis of t that d moves.
  [[nodiscard]] std::uint32_t Along(int t, int d) const;
  /// Equal tiles of t that one parent access serves; `tile` -1: at most, whatever the tile.
  [[nodiscard]] double Merge(int level, int t, const Spread& spread, Code tile) const;
  /// Least picojoules of a word on its way through the fan-out.
  [[nodiscard]] double Way(int level, int t, double merge, const Spread& spread) const;

  /// Picojoules of a word of each tensor for each placement of the factors around `tile`.
  [[nodiscard]] std::vector<PerTensor> Ways(int level, const Spread& spread, Code tile) const;

  [[nodiscard]] bool Fits(int level, std::uint32_t keep, Code x) const;
  [[nodiscard]] bool LoopsAllowed(int level, Code outer, Code inner) const;
  /// False when a constraint forbids every loop over d.
  [[nodiscard]] bool MayLoop(int level, int d) const;
  [[nodiscard]] bool Ordered(int level) const;  ///< a constraint on the order of loops
  [[nodiscard]] std::uint32_t Must(int level) const { return must_[cost::Index(level)]; }
  [[nodiscard]] std::uint32_t May(int level) const { return may_[cost::Index(level)]; }
  /// By falling units.
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
  };
  [[nodiscard]] const Rates& RatesAt(int level) const { return rates_[cost::Index(level)]; }
  /// Compute units below one instance of the level, at most.
  [[nodiscard]] double UnitsBelow(int level) const { return below_[cost::Index(level)]; }
  [[nodiscard]] bool forwards() const { return forwards_; }
  [[nodiscard]] double leakage() const { return leakage_; }
  [[nodiscard]] double points() const { return static_cast<double>(compiled().points); }
  [[nodiscard]] double ComputeCycles(double units) const;
  [[nodiscard]] const mapping::Constraints* constraints() const { return constraints_; }
  [[nodiscard]] const cost::Evaluator& evaluator() const { return *evaluator_; }

 private:
  static std::size_t At(Code x) { return static_cast<std::size_t>(x); }
  [[nodiscard]] std::size_t Digit(Code x, int d) const {
    return digit_[At(x) * cost::Index(dims()) + cost::Index(d)];
  }
  void FillDims();
  void FillTiles();
  void FillRates();
  void FillSpreads(int level);
  [[nodiscard]] std::vector<Code> FactorsOnAxis(int level, mapping::LoopKind kind,
                                                std::int64_t room, std::uint32_t may) const;
  void FillPlacements(int level, const std::vector<std::pair<Code, Code>>& axes,
                      Spread& spread) const;
  void AddPlacement(int level, const mapping::Mapping& mapping, bool fixed, Spread& spread) const;
  [[nodiscard]] mapping::LoopList LoopsOf(Code x) const;
  [[nodiscard]] bool Diagonal(int t, Code space) const;

  const cost::Evaluator* evaluator_;
  const mapping::Constraints* constraints_;
  // By dim and digit.
  std::array<std::vector<std::int64_t>, mapping::kMaxDims> values_;
  std::array<std::vector<std::uint64_t>, mapping::kMaxDims> packed_digit_;
  std::array<std::vector<std::vector<Step>>, mapping::kMaxDims> loops_;
  std::array<std::vector<std::vector<Step>>, mapping::kMaxDims> primes_;
  std::array<Code, mapping::kMaxDims> stride_{};
  Code size_ = 1;
  // By tile vector.
  std::vector<std::uint16_t> digit_;
  std::vector<std::uint64_t> packed_;  ///< exponents, a guard bit above each
  std::uint64_t guard_ = 0;
  std::array<std::vector<double>, mapping::kMaxTensors> words_;
  std::array<std::vector<double>, mapping::kMaxTensors> box_;  ///< words that a memory reserves
  std::array<std::vector<double>, mapping::kMaxTensors> still_;
  std::vector<double> tiles_;
  std::array<bool, mapping::kMaxTensors> simple_{};
  PerTensor touched_{};
  std::array<std::uint32_t, arch::kMaxLevels> must_{};
  std::array<std::uint32_t, arch::kMaxLevels> may_{};
  std::array<Rates, arch::kMaxLevels> rates_{};
  std::array<double, arch::kMaxLevels> below_{};
  std::array<std::vector<Spread>, arch::kMaxLevels> spreads_;
  bool forwards_ = false;
  double leakage_ = 0;
};

}  // namespace sluice::verify
