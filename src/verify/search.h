#pragma once
/// \file
/// Is there an even mapping with an objective below a limit?
///
/// A mapping is (1) what each level keeps and the spatial factors of each fan-out, and (2) loops:
/// read from the inside out, a walk of one tile from a point to the whole operator. (1) is decided
/// level by level from the outside in, one *layer* each. With (1) fixed, what a word costs on its
/// way is fixed, and an edge (the tensor t that level c keeps, fed by the next level that keeps it)
/// is paid by the tile alone around which the first loop runs that moves t (grid.h). So the least
/// that is still to pay on a walk depends only on the level, the tile, and the edges that no loop
/// has moved: `Rest`, a shortest path, or rather the undominated ways where words of ports count
/// beside energy. Its figures depend on the layers outside the innermost open edge only, and stay
/// valid while these do.
///
/// Choices of (1) whose shortest path reaches the limit are closed; in the others the walks that
/// do not reach it are followed to whole mappings (Follow), which cost::Evaluator prices.
///
/// Facts used (docs/cost-model.md):
///   - windows: a first loop that slides a tile brings Grid::Fresh of it with each step;
///   - words are never fewer than the distinct ones; words served are words / merges, fan-out by
///     fan-out; a merge that depends on a tile still unknown is at most Grid::Merge(-1);
///   - rounding to blocks and cycles only adds; ports need words / (bandwidth x instances);
///   - a loop that moves no open tensor may go innermost, and once every tensor has been moved by
///     a loop over a dim of its own, the order of the loops outside changes no count.

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "cost/certificate.h"
#include "mapping/mapping.h"
#include "verify/grid.h"
#include "verify/states.h"
#include "verify/verify.h"

namespace sluice::verify {

class Search {
 public:
  Search(const Grid& grid, cost::Objective objective, double limit, const Limits& limits);

  /// Searches everything, until something better is found.
  void Run();
  [[nodiscard]] const std::optional<cost::Score>& better() const { return better_; }
  [[nodiscard]] bool late() const { return late_; }
  void CountInto(Report& report) const;

 private:
  /// What is decided up to one level.
  struct Layer {
    std::uint32_t keep = 0;
    const Spread* spread = nullptr;  ///< of the fan-out above the level
    double units = 1;                ///< instances of the level
    double copies = 1;               ///< of the output
    /// For each tensor: the level that serves it here, picojoules of a word asked of it, and words
    /// it reads for one.
    std::array<int, mapping::kMaxTensors> source{};
    PerTensor price{};
    PerTensor served{};
    double saved = 0;  ///< by first visits, where the output goes next
    // Of the edges into the level:
    std::array<int, mapping::kMaxTensors> parent{};
    std::array<Cost, mapping::kMaxTensors> unit{};  ///< of one word
    PerTensor least{};                              ///< words
    std::uint32_t diagonal = 0;                     ///< bit t: merges depend on the tile
    std::array<Code, arch::kMaxLevels> space{};  ///< [l]: fan-outs between level l's loops and here
    Cost constant;                               ///< all that no walk changes
    Cost base;                                   ///< the same with the least of what is inside
    double cycles = 0;                           ///< of the compute units, at least
    States states;
    /// For diagonal tensors, by what the tile has of them, tensor, and level of the first loop.
    std::map<std::array<Code, 3>, Cost> unit_at;
  };
  /// Innermost open edge of each tensor, four bits each; 0: none.
  using Open = std::uint32_t;
  /// A walk on its way out.
  struct Walk {
    int level = 0;
    Code start = 0;  ///< tile inside the loops of the level
    Code tile = 0;
    Open open = 0;
    std::uint32_t slid = 0;    ///< bit t: only slid so far
    std::uint32_t used = 0;    ///< dims with a loop in this level
    std::uint32_t barred = 0;  ///< dims that would have done better inside an earlier loop
    int next = 0;              ///< loops that move nothing open come by rising dim
    Cost sum;
  };

  [[nodiscard]] static int OpenOf(Open open, int t) {
    return static_cast<int>(open >> (4U * static_cast<unsigned>(t)) & 0xFU);
  }
  [[nodiscard]] static Open OpenAt(int t, int level) {
    return static_cast<Open>(level) << (4U * static_cast<unsigned>(t));
  }
  [[nodiscard]] Layer& At(int level) { return layers_[cost::Index(level)]; }
  [[nodiscard]] const Layer& At(int level) const { return layers_[cost::Index(level)]; }
  [[nodiscard]] bool Late();
  [[nodiscard]] double Value(const Cost& cost, double cycles) const;
  /// Whether `outside` with the least of `rest` reaches the limit.
  [[nodiscard]] bool Closed(const Cost& outside, const Frontier& rest, double cycles) const;

  void Decide(int level);
  void Enter(int level, const Spread& spread, std::uint32_t keep);
  void EnterEdge(int level, int t);
  void EnterBase(int level);
  /// Neighbours may hand words of t on.
  [[nodiscard]] bool Hops(int t) const {
    return grid_->forwards() && !grid_->Simple(t) && !grid_->IsOutput(t);
  }
  [[nodiscard]] Cost UnitOf(int t, int parent, int child, double price, double served) const;
  const Cost& UnitAt(int t, int child, int level, Code tile);
  [[nodiscard]] double Fresh(int t, Code tile, Code step, int d, std::int64_t factor);
  [[nodiscard]] Cost Moved(int t, Open open, int level, Code x, int d, std::int64_t factor);
  [[nodiscard]] Cost Crossed(int level, Code tile) const;
  void Compute(const Spread& spread);

  const Frontier& Rest(int level, Code x, Open open);
  void RestOf(int level, Code x, Open open, const Layer& layer, Frontier& found);
  void AddAll(const Frontier& from, const Cost& cost, const Layer& layer, Frontier& to) const;

  [[nodiscard]] bool Holds(int level, Code x) const;
  [[nodiscard]] Open Kept(int level, Open open) const;
  void Follow(const Walk& walk);
  void FollowLoops(const Walk& walk);
  [[nodiscard]] const Spread& SpreadBelow(int level) const {
    return level + 1 < grid_->levels() ? *At(level + 1).spread : *compute_;
  }
  void Place(int level);
  void LayOut(int level, const Spread::Axes& axes);
  [[nodiscard]] std::vector<cost::Score> Scores(int level);
  [[nodiscard]] mapping::Mapping Whole() const;
  void Evaluate();

  const Grid* grid_;
  cost::Objective objective_;
  double limit_;
  const Limits* limits_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  struct Port {
    int level = 0;
    enum Kind : std::uint8_t { kRead, kWrite, kNetwork } kind = kRead;
    double bandwidth = 0;
  };
  std::vector<Port> ports_;
  std::array<Layer, arch::kMaxLevels> layers_;
  const Spread* compute_ = nullptr;  ///< of the fan-out above the compute units
  Cost decided_;                     ///< all that no walk changes
  double cycles_ = 0;
  mapping::Mapping mapping_;  ///< loops innermost first
  std::array<Code, arch::kMaxLevels> tiles_{};
  int only_fan_out_ = -1;  ///< if there is but one
  std::map<std::pair<const Spread*, Code>, std::vector<PerTensor>> ways_;
  std::array<std::map<std::tuple<Code, Code, int, std::int64_t>, double>, mapping::kMaxTensors>
      fresh_;
  std::optional<cost::Score> better_;
  bool late_ = false;
  std::int64_t ticks_ = 0;
  std::int64_t choices_ = 0;
  std::int64_t opened_ = 0;
  std::int64_t nodes_ = 0;
  std::int64_t mappings_ = 0;
};

}  // namespace sluice::verify
