#pragma once
/// \file
/// Cost-to-go from the inside out: for every tile a level may hold, the undominated ways to run
/// everything below it. A label is one such way; it knows what its closed edges cost and what its
/// open ones will ask of the levels above.
///
/// An edge (parent level, child) of tensor t is *open* while no loop relevant to t has run above
/// the child: irrelevant loops repeat nothing yet. The first relevant loop closes it: from then on
/// every loop outside repeats the same words, so its traffic over the whole run is settled whatever
/// is outside. That makes costs additive over levels and lets labels of equal tile be compared.
///
/// Every figure is a lower bound on what a mapping with these decisions pays, and equals it for
/// tensors without windows, up to block rounding and the placement of spatial factors. Label A
/// dominates B when no completion can be cheaper with B. O(tiles x labels x primes) per level.
/// Tested by tests/property/exact_test.cpp (never above an enumerated mapping's cost).

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "mapper/exact/goal.h"
#include "mapper/exact/model/model.h"
#include "mapper/exact/model/space.h"

namespace sluice::mapper::exact {

struct Label {
  // What comparisons look at first, in one cache line.
  double energy = 0;  ///< of the closed edges, without what a first visit saves (rebate)
  /// Of the edges that end at this level whatever it keeps: energy and words of their closed part.
  /// Settled edges need not be compared one by one.
  double settled_energy = 0;
  double cycles = 0;       ///< that a port of a level below needs
  double units = 1;        ///< compute units used below one instance of the level
  double rebate = 0;       ///< to multiply by the copies of the output above, then to subtract
  std::uint32_t open = 0;  ///< bit t: the edge is open
  std::uint32_t need = 0;  ///< bit t: was closed in the hope of a loop over a dim of its own
  double settled_reads = 0;
  double settled_writes = 0;
  /// Words that cross the boundary upwards, as if every open edge closed here.
  TensorDoubles pend{};
  /// Energy that open edges pay below the boundary; shrinks with pend.
  TensorDoubles fill{};
  std::array<Tile, mapping::kMaxTensors> child{};  ///< tile below the open edge
  /// Loops of this level that other labels stand for: dims that would have done better inside an
  /// earlier loop, and those below `first` among the dims that no open tensor depends on.
  std::uint32_t barred = 0;
  int first = 0;
};

using Labels = std::vector<Label>;

struct LabelCounts {
  std::int64_t made = 0;
  std::int64_t pruned = 0;  ///< hopeless against the incumbent
  std::int64_t dominated = 0;
  std::int64_t kept = 0;
  std::int64_t compared = 0;  ///< pairs of labels
  /// In units of one label made.
  [[nodiscard]] std::int64_t work() const { return made + compared / kComparedPerLabel; }
  static constexpr std::int64_t kComparedPerLabel = 16;
};

class CostToGo {
 public:
  CostToGo(const Model& model, Spaces& spaces, const Goal& goal);

  /// Fills the labels of all levels, innermost first. False when `stop` was raised or more than
  /// labels were made than `most_work` pays for: then nothing may be concluded from them.
  bool Build(const std::function<bool()>& stop, std::int64_t most_work);
  /// Labels of level `level` (1 <= level < levels) holding tile x, before it is decided which
  /// tensors the level keeps.
  [[nodiscard]] const Labels& At(int level, Tile x) const {
    return labels_[static_cast<std::size_t>(level)][static_cast<std::size_t>(x)];
  }
  /// A label for each group of At(level, x) with the same open edges and rebate, that no label of
  /// the group beats in any figure: what it can not do, none of them can. Empty where it saves
  /// nothing.
  [[nodiscard]] const Labels& Corners(int level, Tile x) const {
    return corners_[static_cast<std::size_t>(level)][static_cast<std::size_t>(x)];
  }
  /// The same for all labels of the tile: one, or none.
  [[nodiscard]] const Labels& Envelope(int level, Tile x) const {
    return envelopes_[static_cast<std::size_t>(level)][static_cast<std::size_t>(x)];
  }
  [[nodiscard]] const LabelCounts& counts() const { return counts_; }
  /// No mapping that reaches the goal has an objective below this, even if Build was stopped: the
  /// best that the labels of the last finished level allow.
  [[nodiscard]] double open_bound() const { return open_bound_; }

 private:
  using Fractions = std::array<std::array<double, mapping::kMaxDims>, mapping::kMaxTensors>;
  /// What a mapping with a label pays at least, without the energy outside its tile.
  struct Figures {
    double energy = 0;
    double cycles = 0;
  };
  [[nodiscard]] Fractions Slides(Tile x) const;
  void FillAbove();
  void FillRates();
  void Hold(int level, Tile x);
  void BoundOpen(int level);
  bool KeepAll(int level, Tile x, const Label& raw, Labels& ready);
  [[nodiscard]] Label Keep(int level, Tile x, std::uint32_t keep, const Label& raw) const;
  bool Spread(int level, Tile x, const Label& label);
  [[nodiscard]] Label Cross(int level, const Space& space, Tile x, Tile array,
                            const Label& in) const;
  void Loops(int level, Tile x);
  void Extend(int level, Tile x, const Label& label);
  [[nodiscard]] Label Repeated(const Label& label, int dim, int factor) const;
  [[nodiscard]] Label Slid(const Label& label, const Model::WindowLoop& loop, bool hopes) const;
  void Slide(int level, Tile x, const Label& label, int dim, const Figures& floor);
  bool Insert(int level, Tile x, Label label);
  void FindCorners(int level, Tile x);
  void Include(const Label& label, Label& corner) const;
  [[nodiscard]] double Pending(int level, int t, double words) const;
  /// Least energy outside tile x when level 1 holds a multiple of it.
  [[nodiscard]] double Outside(Tile x) const { return above_[0][static_cast<std::size_t>(x)]; }
  [[nodiscard]] Figures ClosedFloor(int level, const Label& label) const;
  struct OpenEdges {
    std::uint32_t open;
    const TensorDoubles& pend;
    const TensorDoubles& fill;
    const std::array<Tile, mapping::kMaxTensors>& child;
  };
  [[nodiscard]] double OpenFloor(int level, Tile x, const OpenEdges& edges) const;
  [[nodiscard]] double Closing(int level, int t, double words, double fill) const;
  template <class Visit>
  void ForEachCrossing(int level, Tile x, const Label& label, const Visit& visit);
  [[nodiscard]] double CrossingFloor(int level, const Space& space, Tile x, Tile array,
                                     const Label& label);
  [[nodiscard]] bool Hopeless(const Figures& floor, double outside) const {
    return goal_->Hopeless(floor.energy + outside, floor.cycles);
  }
  void Settle(int level, Label& label) const;
  [[nodiscard]] double PortCycles(int level, const Label& label) const;
  /// Most pairs fail on what is compared first.
  [[nodiscard]] bool Dominates(int level, std::uint32_t must, const Label& a,
                               const Label& b) const {
    return a.energy + a.settled_energy <= b.energy + b.settled_energy && a.need == b.need &&
           (b.open & ~a.open) == 0 && a.rebate >= b.rebate &&
           (!goal_->counts_cycles() || (a.cycles <= b.cycles && a.units >= b.units)) &&
           DominatesTensors(level, must, a, b);
  }
  [[nodiscard]] bool DominatesTensors(int level, std::uint32_t must, const Label& a,
                                      const Label& b) const;

  const Model* model_;
  Spaces* spaces_;
  const Goal* goal_;
  std::vector<std::vector<Labels>> labels_;
  std::vector<std::vector<Labels>> corners_;
  std::vector<std::vector<Labels>> envelopes_;
  /// Least energy outside tile x: [1] when level 1 holds it, [0] when level 1 holds a multiple.
  std::vector<std::vector<double>> above_;
  /// [level][tensor]: least picojoules of a word asked of that level or an outer one, where it ends
  /// inside level 0, or at it; infinity where it can not.
  std::vector<TensorDoubles> inner_rate_;
  std::vector<TensorDoubles> outer_rate_;
  std::uint32_t forwards_ = 0;  ///< tensors whose pending words no neighbour may spare
  LabelCounts counts_;
  double open_bound_ = 0;
  std::int64_t most_work_ = 0;
};

}  // namespace sluice::mapper::exact
