#pragma once
/// \file
/// The checker's branch and bound: is there an even mapping with an objective below a limit?
///
/// From the outside in, a *node* has fixed everything above a tile of some level; its options are
/// the tile of the next level, what that level keeps, the spatial factors, and which dim is looped
/// over first (innermost), which decides the tensors that may stay where they are. Two bounds close
/// an option: the traffic that is decided, and `Inside`, the least that any way to go on costs,
/// found by the same enumeration with every open question answered in favour of the mapping. What
/// cannot be closed ends in whole mappings, which cost::Evaluator prices in every order of loops
/// that could matter.
///
/// Facts used (docs/cost-model.md; W: words delivered to a child over the run):
///   - the first loop above a child that moves a tensor settles W: Words x Steps / run (grid.h);
///     where that loop slides a window, each step brings at least Grid::Slide of the tile;
///   - W is never below the distinct words; words served are W / merge, fan-out by fan-out;
///   - rounding to blocks and cycles only adds; ports need words / (bandwidth x instances);
///   - a loop that moves no tensor still open may go innermost, and once every tensor has been
///   moved
///     by a loop over a dim of its own, the order of the loops outside changes no count.

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "cost/certificate.h"
#include "mapping/mapping.h"
#include "verify/grid.h"
#include "verify/verify.h"

namespace sluice::verify {

class Search {
 public:
  Search(const Grid& grid, cost::Objective objective, double limit, const Limits& limits);

  struct Cell {
    Code tile = 0;
    const Spread* spread = nullptr;
    std::uint32_t keep = 0;
    double bound = 0;
  };
  /// The cells that the simple bound of docs/certificates.md leaves below `limit`, by rising bound.
  std::vector<Cell> ListCells(double limit);
  /// Looks for a mapping below the limit in a cell (null: anywhere; for one-level machines).
  void Open(const Cell* cell);

  [[nodiscard]] const std::optional<mapping::Mapping>& better() const { return better_; }
  [[nodiscard]] cost::Score better_score() const { return better_score_; }
  [[nodiscard]] bool late() const { return late_; }
  [[nodiscard]] std::int64_t nodes() const { return nodes_; }
  [[nodiscard]] std::int64_t mappings() const { return mappings_; }

 private:
  /// What the inside needs to know of the outside.
  struct Context {
    int level = 0;
    std::uint32_t keep = 0;   ///< of this level
    PerTensor price{};        ///< picojoules of a word asked of the level that serves the tensor
    PerTensor merge{};        ///< words at the child for one at that level
    std::uint32_t outer = 0;  ///< bit t: that level is the outermost
    double units = 1;         ///< instances of the level
    double copies = 1;        ///< of the output
    double saved = 0;         ///< by first visits where the output goes next
    friend auto operator<=>(const Context&, const Context&) = default;
  };
  struct Point {
    double energy = 0;
    double cycles = 0;
    double asked = 0;  ///< words read from the outermost level
    double put = 0;    ///< words written to it
    [[nodiscard]] bool NoWorse(const Point& other) const {
      return energy <= other.energy && cycles <= other.cycles && asked <= other.asked &&
             put <= other.put;
    }
  };
  using Frontier = std::vector<Point>;
  /// The edges into one choice of tile, spatial factors and kept tensors. Energies are those of a
  /// tensor that no loop leaves where it is (closed), and the least there is (floor).
  struct Edges {
    Code tile = 0;
    std::uint32_t keep = 0;
    const Spread* spread = nullptr;
    PerTensor closed{};
    PerTensor floor{};
    PerTensor served{};                             ///< words at the parent for one picojoule
    std::array<double, mapping::kMaxDims> slide{};  ///< of the windowed tensor
    std::uint32_t steady = 0;                       ///< bit d: every step slides so
    double constant = 0;
    const Frontier* inside = nullptr;
  };
  struct Leftover {
    Code tile;
    std::uint32_t keep;
    const Spread* spread;
  };
  /// Choices with one product of tile and spatial factors.
  struct Group {
    std::vector<Edges> best;
    std::vector<Leftover> dominated;
  };
  struct Options {
    std::vector<Code> arrays;
    std::vector<Group> groups;
  };
  /// The temporal loops of one level.
  struct Loops {
    std::uint32_t mask = 0;
    std::array<double, mapping::kMaxDims> factor{};
    PerTensor still{};         ///< steps that do not move the tensor
    std::uint32_t moving = 0;  ///< bit t: some loop moves it
  };
  struct Node {
    Context context;
    Code tile = 0;
    Point sum;           ///< of everything outside
    double drained = 0;  ///< words read and written at the level for its parent
    double filled = 0;
    PerTensor run{};  ///< of the loops outside
  };
  struct Choice {
    Code tile = 0;
    const Spread* spread = nullptr;
    std::uint32_t keep = 0;
    std::uint32_t first = 0;  ///< dims that may be innermost
  };
  using Order = std::vector<int>;  ///< dims, innermost first
  /// What a partly chosen order leaves open.
  struct Remaining {
    std::uint32_t dims = 0;  ///< not placed
    std::uint32_t open = 0;  ///< bit t: a loop may still change the tensor's count
    std::uint32_t slid = 0;  ///< bit t: a loop has slid its window
  };

  [[nodiscard]] double Value(double energy, double cycles) const;
  [[nodiscard]] bool Late();
  [[nodiscard]] Node Root() const;
  [[nodiscard]] Context Below(const Context& above, const Spread& spread, Code tile,
                              std::uint32_t keep) const;
  [[nodiscard]] Edges Price(const Context& context, const Spread& spread, Code tile,
                            std::uint32_t keep);
  [[nodiscard]] Loops LoopsOf(Code outer, Code inner) const;
  [[nodiscard]] double Energy(const Edges& edges, const Loops& loops, int t, int first,
                              double run) const;
  /// Adds edges of such energies to what is outside.
  [[nodiscard]] Point Sum(const Node& node, const Edges& edges, const PerTensor& energy) const;
  /// Least objective when `inside` comes on top.
  [[nodiscard]] double Total(const Point& outside, const Point& inside) const;
  [[nodiscard]] bool Dominates(const Edges& a, const Edges& b) const;
  [[nodiscard]] Point Needed(Point point) const;
  static void Add(Frontier& frontier, Point point);
  const Frontier& Inside(const Context& context, Code tile);
  void AddOrders(const Node& node, const Edges& edges, const Loops& loops, Frontier& found) const;
  void InsideLast(const Context& context, Code tile, Frontier& out) const;
  [[nodiscard]] Point LastLevel(const Node& node, const Spread& spread) const;
  const Options& OptionsOf(const Context& context);
  void ForEachChoice(int level, const std::function<void(Code, std::uint32_t)>& visit) const;
  [[nodiscard]] double SimpleBound(Code tile, const Spread& spread, std::uint32_t keep) const;

  void Expand(const Node& node);
  bool Try(const Node& node, const Edges& edges, const Loops& loops);
  void Finish(const Node& node);
  void Orders(int level, Code outer, Code inner, std::uint32_t first,
              std::vector<Order>& out) const;
  [[nodiscard]] Remaining After(const Remaining& remaining, int d) const;
  void Extend(Remaining remaining, std::uint32_t first, bool free, Order& order,
              std::vector<Order>& out) const;
  void Evaluate(int level, mapping::Mapping& mapping);
  void Place(int level, mapping::Mapping& mapping);

  const Grid* grid_;
  cost::Objective objective_;
  double limit_;
  const Limits* limits_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  int windowed_ = -1;  ///< the tensor whose slides are counted
  double fixed_ = 0;
  std::map<Context, std::int32_t> contexts_;
  std::unordered_map<std::int64_t, Frontier> inside_;
  std::deque<std::optional<Options>> options_;
  std::array<Choice, arch::kMaxLevels> choice_{};
  std::array<std::vector<Order>, arch::kMaxLevels> orders_;
  std::optional<mapping::Mapping> better_;
  cost::Score better_score_;
  bool late_ = false;
  std::int64_t ticks_ = 0;
  std::int64_t nodes_ = 0;
  std::int64_t mappings_ = 0;
};

}  // namespace sluice::verify
