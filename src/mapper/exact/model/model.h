#pragma once
/// \file
/// The cost of a mapping as sums that an exact search can split: what crosses the boundary of a
/// level, tensor by tensor, priced per word. Exact for tensors without windows; for windows the
/// words of a slide are a lower bound when several window loops interact.
///
/// Conventions. All traffic is in words over the whole run and all instances. For tensor t with
/// tile T in a child level:
///   delivered = Total(t, T) x Rest(t, X) over the tile X at the first relevant loop above
///   served    = delivered / (product of Spaces::Merge(t, fan-out) on the way to the parent)
/// because every loop that is irrelevant to t and inside its first relevant loop repeats nothing,
/// and every loop outside repeats everything. Derivation: docs/exact.md.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "cost/axis/axis_set.h"
#include "cost/compiled.h"
#include "cost/evaluator.h"
#include "mapper/exact/goal.h"
#include "mapper/exact/model/lattice.h"
#include "mapping/constraints.h"

namespace sluice::mapper::exact {

using TensorDoubles = std::array<double, mapping::kMaxTensors>;

constexpr std::uint32_t Bit(int i) {
  return 1U << static_cast<unsigned>(i);
}

/// Calls `visit` with every mask between `must` and `may`.
template <class Visit>
void ForEachKeep(std::uint32_t must, std::uint32_t may, const Visit& visit) {
  const std::uint32_t free = may & ~must;
  std::uint32_t chosen = free;
  while (true) {
    visit(must | chosen);
    if (chosen == 0) {
      return;
    }
    chosen = (chosen - 1) & free;
  }
}

class Model {
 public:
  /// `constraints` may be null; both must outlive the model.
  Model(const cost::Evaluator& evaluator, const mapping::Constraints* constraints);

  [[nodiscard]] const Lattice& lattice() const { return lattice_; }
  [[nodiscard]] const cost::Evaluator& evaluator() const { return *evaluator_; }
  [[nodiscard]] const cost::Compiled& compiled() const { return evaluator_->compiled(); }
  [[nodiscard]] int levels() const { return compiled().levels; }
  [[nodiscard]] int tensors() const { return compiled().tensors; }
  /// Tensors that a level must, and those it may keep, by the chain and the constraints.
  [[nodiscard]] std::uint32_t MustKeep(int level) const { return must_keep_[cost::Index(level)]; }
  [[nodiscard]] std::uint32_t MayKeep(int level) const { return may_keep_[cost::Index(level)]; }
  /// Null: anything goes.
  [[nodiscard]] const mapping::Constraints::Level* Rules(int level) const {
    return constraints_ == nullptr ? nullptr : &constraints_->levels[cost::Index(level)];
  }
  /// Whether a loop of `kind` over `dim` may have so many iterations.
  [[nodiscard]] bool Allows(int level, mapping::LoopKind kind, int dim, std::int64_t factor) const {
    return constraints_ == nullptr || Rules(level)->of(kind).Allows(cost::Index(dim), factor);
  }
  [[nodiscard]] std::uint32_t all_tensors() const { return (1U << tensors()) - 1U; }
  [[nodiscard]] bool IsOutput(int t) const { return compiled().tensor[cost::Index(t)].is_output; }
  [[nodiscard]] std::uint32_t dims_of(int t) const {
    return compiled().tensor[cost::Index(t)].dims;
  }
  /// Dims of t that share an axis with another dim of the workload.
  [[nodiscard]] std::uint32_t window_dims(int t) const { return window_dims_[cost::Index(t)]; }
  /// Bit t: tensor t has windows (and its axes are independent).
  [[nodiscard]] std::uint32_t windowed() const { return windowed_; }
  /// Bit t: a dim of t moves several axes at once; nothing but compulsory traffic is claimed.
  [[nodiscard]] std::uint32_t joint() const { return joint_; }

  /// Words that a level must reserve for the tile (bounding box).
  [[nodiscard]] double Box(int t, Tile x) const { return at(t, x).box; }
  /// Words of the tile as the policy counts them, times the number of such tiles.
  [[nodiscard]] double Total(int t, Tile x) const { return at(t, x).total; }
  /// Steps over the dims irrelevant to t outside tile x.
  [[nodiscard]] double Rest(int t, Tile x) const { return at(t, x).rest; }
  /// Whether words of the tile count that nothing touches (gap_words).
  [[nodiscard]] bool CountsGaps(int t, Tile x) const { return at(t, x).gaps; }
  /// Distinct words of t.
  [[nodiscard]] double Touched(int t) const { return touched_[cost::Index(t)]; }
  /// Least words of t that cross a boundary of levels, as the labels count them.
  [[nodiscard]] double Least(int t) const {
    return cost::HasBit(joint_, t) ? 0 : touched_[cost::Index(t)];
  }

  /// Whether the tensors of `keep` fit into one instance of `level` with tile x.
  [[nodiscard]] bool Fits(int level, std::uint32_t keep, Tile x) const;

  /// Picojoules of a word served to (inputs) or taken from (outputs) a child, at the parent.
  [[nodiscard]] double ParentRate(int level, int t) const {
    return parent_rate_[cost::Index(level)][cost::Index(t)];
  }
  /// ParentRate without reads of partial sums, which first visits save.
  [[nodiscard]] double CertainRate(int level, int t) const {
    return certain_rate_[cost::Index(level)][cost::Index(t)];
  }
  /// Picojoules of a word delivered to (or drained from) a child, at the child. 0 for compute.
  [[nodiscard]] double ChildRate(int level, int t) const {
    return child_rate_[cost::Index(level)][cost::Index(t)];
  }
  /// First visits need no read of partial sums: picojoules to give back per copy of the output
  /// (copies: spatial factors of dims irrelevant to it, in the fan-outs above the level).
  [[nodiscard]] double ParentRebate(int level) const { return parent_rebate_[cost::Index(level)]; }
  [[nodiscard]] double ChildRebate(int level) const { return child_rebate_[cost::Index(level)]; }
  /// Accumulation reads for each word taken from a child (ports).
  [[nodiscard]] double AccumulateReads(int level) const { return accumulate_[cost::Index(level)]; }

  /// Child tiles that one parent access serves in the fan-out below `level`, where `space` of them
  /// are used along each dim: the spatial factors of dims irrelevant to t. Windows of the children
  /// may overlap beside that (Spaces::Merge).
  [[nodiscard]] double PlainMerge(int level, int t, Tile space) const;
  /// Children that hold a word, on average, because windows along one axis overlap.
  [[nodiscard]] double Overlap(int t, int axis, Tile space, Tile x) const;
  /// Whether one access of `level` serves several children with a word of t (or takes one from
  /// them).
  [[nodiscard]] bool Merges(int level, int t) const {
    const cost::CompiledLevel& at = compiled().level[cost::Index(level)];
    return IsOutput(t) ? at.reduction : at.multicast;
  }
  /// The dims of one axis as a number of their own, below AxisParts().
  [[nodiscard]] std::size_t AxisPart(int t, int axis, Tile x) const {
    std::size_t part = 0;
    for (const mapping::WorkloadTerm& term :
         compiled().tensor[cost::Index(t)].axis[cost::Index(axis)]) {
      part = part * lattice_.Values(term.dim) +
             static_cast<std::size_t>(lattice_.Coordinate(x, term.dim));
    }
    return part;
  }
  [[nodiscard]] std::size_t AxisParts(int t, int axis) const {
    return AxisPart(t, axis, lattice_.top()) + 1;
  }
  /// Least picojoules that a word entering the fan-out pays for its way, whatever the placement.
  [[nodiscard]] double NetworkRate(int level, int t, double merge, double units) const;
  /// Product of the dims of `space`.
  [[nodiscard]] double Product(Tile space) const {
    return product_[static_cast<std::size_t>(space)];
  }
  /// Copies of the output: spatial factors of dims irrelevant to it.
  [[nodiscard]] double Copies(Tile space) const;

  /// A loop over window dim `dim` that runs `factor` times at `level`, starting from tile `from`.
  struct WindowLoop {
    int level = 0;
    int dim = 0;
    Tile from = 0;
    std::int64_t factor = 1;
    bool closed = false;  ///< a loop over a dim of t's own follows on this level
  };
  /// New words of the tile of windowed tensor t (child tile `child`) relative to fetching it whole
  /// at every step, when its first relevant loop is `loop`. Never above the truth, whatever loops
  /// follow outside.
  [[nodiscard]] double SlideFraction(int t, Tile child, const WindowLoop& loop) const;

  /// At most SlideFraction for any factor, and when the loop starts from a larger tile.
  [[nodiscard]] double LeastSlide(int t, Tile child, Tile x, int dim) const;

  /// Words that arrive in one instance holding `child` while `loops` run above it, outermost first.
  [[nodiscard]] double MovedWords(int t, Tile child, std::span<const cost::FlatLoop> loops) const;
  /// Whether every window of tile `inner` is without holes and no longer than that of `outer`.
  [[nodiscard]] bool WindowsInside(int t, Tile inner, Tile outer) const;

  [[nodiscard]] bool any_forwarding() const { return any_forwarding_; }
  /// Inner memories that add by themselves read less the more their parent fetches anew: then a
  /// loop that repeats words of the output may pay, and no order stands for another.
  [[nodiscard]] bool every_order_counts() const {
    const cost::Policy& policy = evaluator_->policy();
    return policy.parent_accumulates && policy.first_read_elision && levels() > 2 &&
           compiled().tensor[cost::Index(tensors() - 1)].accumulates;
  }
  /// Largest number of instances of `level`.
  [[nodiscard]] double MaxInstances(int level) const { return max_instances_[cost::Index(level)]; }
  [[nodiscard]] double Points() const { return static_cast<double>(compiled().points); }
  /// Picojoules that every mapping pays.
  [[nodiscard]] double FixedEnergy() const { return fixed_; }
  [[nodiscard]] double LeakagePerCycle() const { return leakage_; }
  [[nodiscard]] double ComputeCycles(double units) const {
    return WholeCycles(Points() / units * compiled().cycles_per_point - 1e-9);
  }
  /// Cycles that the ports of `instances` of a level need for words read and written.
  [[nodiscard]] double PortCycles(int level, double reads, double writes, double instances) const;

 private:
  struct PerTile {
    double box;
    double total;
    double rest;
    bool gaps;
  };
  [[nodiscard]] const PerTile& at(int t, Tile x) const {
    return tiles_[static_cast<std::size_t>(x) * tensor_count_ + cost::Index(t)];
  }
  void FillTiles();
  void FillRates();
  void FillOutputRates(int level, int t);
  /// Positions that a tile with holes shares with itself, moved by one step of a loop over `dim`
  /// that starts at tile `from`.
  [[nodiscard]] std::int64_t Kept(int t, int axis, Tile child, int dim, Tile from) const {
    std::size_t slot = AxisPart(t, axis, child) * kept_[cost::Index(t)][cost::Index(axis)].row;
    for (const mapping::WorkloadTerm& term :
         compiled().tensor[cost::Index(t)].axis[cost::Index(axis)]) {
      if (term.dim == dim) {
        break;
      }
      slot += lattice_.Values(term.dim);
    }
    slot += static_cast<std::size_t>(lattice_.Coordinate(from, dim));
    return kept_[cost::Index(t)][cost::Index(axis)].positions[slot];
  }
  void FillKept(int t, int axis);
  /// Least distance between two positions of the window in a row, when `partner`, the other dim of
  /// the axis, goes on outside the loop in steps of at least `stride`; the loop's are `step`.
  [[nodiscard]] std::int64_t LeastMove(const WindowLoop& loop, std::int64_t step, int partner,
                                       std::int64_t stride) const;
  [[nodiscard]] cost::AxisSet AxisPositions(int t, int axis, Tile x, bool with_gaps) const;
  /// Words and extent of a tile along one axis.
  struct AxisTile {
    std::int64_t words = 0;
    std::int64_t extent = 0;
    bool gaps = false;  ///< positions between those that are touched count as words
  };
  [[nodiscard]] const AxisTile& AxisAt(int t, int axis, Tile x) const {
    return axis_tiles_[cost::Index(t)][cost::Index(axis)][AxisPart(t, axis, x)];
  }

  const cost::Evaluator* evaluator_;
  const mapping::Constraints* constraints_;
  std::array<std::uint32_t, arch::kMaxLevels> must_keep_{};
  std::array<std::uint32_t, arch::kMaxLevels> may_keep_{};
  Lattice lattice_;
  std::size_t tensor_count_ = 0;
  std::vector<PerTile> tiles_;
  std::vector<double> product_;
  /// [tensor][axis][AxisPart]
  std::array<std::array<std::vector<AxisTile>, mapping::kMaxAxes>, mapping::kMaxTensors>
      axis_tiles_;
  /// [tensor][axis]: a row for each AxisPart, in it the values of each dim of the axis.
  struct KeptTable {
    std::size_t row = 0;
    std::vector<std::int64_t> positions;
  };
  std::array<std::array<KeptTable, mapping::kMaxAxes>, mapping::kMaxTensors> kept_;
  std::array<std::uint32_t, mapping::kMaxTensors> window_dims_{};
  std::uint32_t windowed_ = 0;
  std::uint32_t joint_ = 0;
  TensorDoubles touched_{};
  std::array<TensorDoubles, arch::kMaxLevels> parent_rate_{};
  std::array<TensorDoubles, arch::kMaxLevels> certain_rate_{};
  std::array<TensorDoubles, arch::kMaxLevels + 1> child_rate_{};
  std::array<double, arch::kMaxLevels> parent_rebate_{};
  std::array<double, arch::kMaxLevels + 1> child_rebate_{};
  std::array<double, arch::kMaxLevels> accumulate_{};
  std::array<double, arch::kMaxLevels> max_instances_{};
  std::vector<std::vector<double>> nearest_;  ///< [level][k]: mean distance of k + 1 nearest cells
  bool any_forwarding_ = false;
  double fixed_ = 0;
  double leakage_ = 0;
};

}  // namespace sluice::mapper::exact
