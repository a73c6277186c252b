#pragma once
/// \file
/// A lower bound over the whole imperfect map space of an operator: every mapping with ragged
/// loops, any orders, any unrolling, any keeps.
///
/// In steps (tiles/steps.h) imperfect mappings are simple. For a tensor without windows the words
/// that cross an edge (a level, the next inner one that keeps the tensor) are
///   served    >= words(tensor) x product over the dims that do not move it of n_d(X)
///   delivered >= the same with (n_d(X) - 1) s_d + 1, or the active copies if n_d(X) = 1
/// where X is the tile inside the first loop that moves the tensor and s_d what the fan-outs on the
/// way unroll: relevant dims contribute the tensor's real extent, tails included. So for fixed
/// keeps and spatial factors a mapping is a walk of one tile from single points to whole dims, past
/// the capacities, and every edge is paid where it closes, by a function of the tile there. The
/// cheapest walk is a shortest path over (level, tile, edges still open): one number a state, no
/// orders.
///
/// A loop of f iterations leads from n to ceil(n / f), so tiles grow as those of mappings do, but
/// for their sizes: a cell stands for its smallest tile. An edge whose outer level adds no loops
/// costs its least. What a ragged end may do, and the plain count would miss:
///   - the first loop that moves a tensor has a single iteration in its last pass, n = 1 modulo f:
///     then what runs outside repeats nothing there. One tile in n is such an end: it is given
///     away (Steps::Certain).
///   - with two tiles of an array, the copies that have no second tile do not move. Where the group
///     of walks (below) says how large the children are, the words in such copies are known: they
///     stay open, as a *rest* of the edge, until another loop moves them. Else they are given away.
/// A share s that closes at price A and a rest at B cost s A + (1 - s) B, and A is at least B:
/// so claiming less than the share, or less than the rest, is safe. Windows: tiles/windows.h. The
/// first tiles of slides over a filter's dims are such rests, too: they come anew when another axis
/// moves.
///
/// Pairs of keeps and unrolling are looked at best first and ever more closely (Stage). The least
/// value in the queue is a bound at every moment. The cheapest walk of a pair, over a coarse grid
/// of tiles, then over one that tells (nearly) all apart, then with the ports; then walks in
/// groups: which children the array has two of, and how well they fill it, as that takes cycles;
/// last these with the ports. An entry is looked at for a little more than is known of it, and
/// waits when it costs more. Where fan-outs of several levels are in use, "the array" is that of
/// the outermost one; the others are counted by their own tiles. Walks inside the array, if it is
/// the only one, are listed once for all pairs (tiles/inside.h). What is wanted of a pair or a
/// group, cycles below a limit, leaves few tiles for the children: how many copies have work, and
/// how often, at least, follows from these (Tighten). Rounds with rising caps keep walks short
/// while no good mapping is known. Tested by tests/property/ragged_test.cpp against the enumeration
/// of all ragged mappings.

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "base/static_vector.h"
#include "cost/compiled.h"
#include "mapper/exact/goal.h"
#include "mapper/exact/model/model.h"
#include "mapper/exact/ragged/tiles/front.h"
#include "mapper/exact/ragged/tiles/inside.h"
#include "mapper/exact/ragged/tiles/rooms.h"
#include "mapper/exact/ragged/tiles/steps.h"
#include "mapper/exact/ragged/tiles/unroll.h"
#include "mapper/exact/ragged/tiles/windows.h"

namespace sluice::mapper::exact {

struct RaggedCounts {
  std::int64_t cells = 0;  ///< vectors of cells
  std::int64_t unrollings = 0;
  std::int64_t pairs = 0;   ///< of keeps and unrolling that are worth a look
  std::int64_t solved = 0;  ///< shortest paths
  std::int64_t states = 0;  ///< of all shortest paths
};

/// A walk as a mapping would take it: for every level the tile it should hold and the order of its
/// loops. The tiles of a real mapping are products, so they come near at best (sketch.h).
struct Sketch {
  const Unrolling* unrolling = nullptr;
  std::array<std::uint32_t, arch::kMaxLevels> keep{};
  /// Cells of the tiles outside the loops of each level.
  std::array<Cells, arch::kMaxLevels> tile{};
  /// Dims that have loops, innermost first.
  std::array<StaticVector<std::int8_t, mapping::kMaxDims>, arch::kMaxLevels> order{};
};

class RaggedBound {
 public:
  /// Called with every walk that may lead to a mapping under the goal's limit; may lower that.
  using Propose = std::function<void(const Steps&, const Sketch&)>;

  RaggedBound(const Model& model, const Goal& goal, Propose propose);

  /// Improves the bound until it is as good as it gets, or reaches the goal's limit. False when
  /// `stop` was raised or more than `most_states` were visited: the bound holds anyway.
  bool Run(const std::function<bool()>& stop, std::int64_t most_states);
  /// No mapping has an objective below this; at most the goal's limit.
  [[nodiscard]] double bound() const { return bound_; }
  [[nodiscard]] const RaggedCounts& counts() const { return counts_; }

 private:
  using Loops = std::array<std::int64_t, mapping::kMaxDims>;
  struct Range {
    double low = 1;
    double high = 1;
  };
  /// What tiles of a dim make of an array of so many copies, with arrays of others in each.
  struct Filling {
    /// By cell of the copies' tiles: how much longer than needed the compute units take for the
    /// dim; the share of its words in copies that have two tiles, where the array has.
    std::vector<Range> stretch;
    std::vector<Range> share;
    std::vector<double> by_tile;  ///< [tile]: the stretch
    double least = 1;             ///< of all
  };
  /// How closely tiles are told apart.
  struct Grid {
    Grid(const Model& model, Steps all) : steps(std::move(all)), rooms(model, steps) {}
    Steps steps;
    /// [dim][tile]: its cell, where dims are short.
    std::array<std::vector<std::int32_t>, mapping::kMaxDims> cell_of;
    std::map<std::tuple<int, std::int64_t, std::int64_t>, Filling> filling;  ///< MakeFilling
    std::map<std::pair<std::size_t, int>, Inside> inside;  ///< by keeps and level unrolled
    std::array<std::array<std::unique_ptr<WindowAxis>, mapping::kMaxAxes>, mapping::kMaxTensors>
        windows;
    Rooms rooms;
  };
  struct Words {
    double served = 0;
    double delivered = 0;
  };
  /// What an edge of a tensor pays, and the unrolling around it.
  struct Edge {
    bool counts = false;  ///< else only what is paid anyway
    int parent = 0;
    int child = 0;
    double served_rate = 0;  ///< picojoules a word, with its way through the fan-outs
    double delivered_rate = 0;
    double accumulate_rate = 0;  ///< at the parent, of every word but the first of each copy
    double fetch_rate = 0;       ///< the same at the child
    double first_served = 0;     ///< words that accumulate nothing
    double first_delivered = 0;
    double least = 0;  ///< what it costs at least
    Words least_words;
  };
  /// By cell of a tile outside an array: visits of its copies in all such tiles, at least.
  struct VisitTable {
    std::vector<std::int64_t> visits;
    std::vector<int> cell;  ///< of so many tiles
  };
  /// Factors of some fan-outs together, and how many copies are certain to have work.
  struct Copies {
    std::int64_t factor = 1;
    std::int64_t active = 1;
    int level = -1;          ///< of the outermost of them that is in use
    std::int64_t inner = 1;  ///< factor of the others
  };
  enum class Kind : std::uint8_t { kRead, kWrite, kNetwork };
  struct Port {
    int level = 0;
    Kind kind = Kind::kRead;
    friend bool operator==(const Port&, const Port&) = default;
  };
  /// What a walk adds up: picojoules, words through a port, or some of both.
  struct Meter {
    double energy = 1;  ///< weight of a picojoule
    double words = 0;   ///< and of a word through
    Port port;
    friend bool operator==(const Meter&, const Meter&) = default;
  };
  /// An edge seen from the loops of one level.
  struct View {
    Edge edge;
    std::array<Copies, mapping::kMaxDims> inside{};  ///< unrolled below, on the way to the child
    std::array<Copies, mapping::kMaxDims> apart{};   ///< of these, what no fan-out merges
    Loops merged{};                                  ///< what fan-outs further out will merge
    /// Least share of the words that copies with two tiles have, when all have at most two.
    std::array<double, mapping::kMaxDims> twice{};
    std::uint32_t diagonal = 0;  ///< bit a: equal tiles of several dims of axis a may meet
  };
  /// Walks that cross the array with tiles that make the same use of it.
  struct Group {
    Range stretch;  ///< cycles of the compute units over Cycles(unrolling), below `high`
    /// By dim: the cell of the children's tiles where the array has two; else kNotTwo, or kAny.
    std::array<std::int16_t, mapping::kMaxDims> child{};
  };
  static constexpr std::int16_t kAny = -1;
  static constexpr std::int16_t kNotTwo = -2;
  /// Which walks are of interest.
  struct Limits {
    double enough = 0;  ///< of what is metered
    Group group;
    /// Above 0: energy counts as if multiplied by this and the stretch, if that is more than one.
    double slack = 0;
    bool propose = false;
  };
  struct Pair {
    double energy = 0;  ///< at least, without leakage
    double cycles = 0;
    std::int32_t keeps = 0;
    std::int32_t unrolling = 0;
    std::uint32_t ports = ~0U;  ///< that may bind
  };

  void ListChains();
  bool Search(const std::function<bool()>& stop, std::int64_t most_states);
  /// Nothing from here on is of interest.
  [[nodiscard]] double Limit() const { return std::min({goal_->limit(), cap_, focus_}); }
  /// False when stopped, or when there are too many pairs or unrollings.
  bool ListPairs(const std::function<bool()>& stop);
  [[nodiscard]] int Parent(const Keeps& keeps, int t, int level) const;
  [[nodiscard]] int Child(const Keeps& keeps, int t, int level) const;
  [[nodiscard]] Edge MakeEdge(int t, int parent, int child, const Unrolling& unrolling) const;
  void AddEnergy(int t, const Unrolling& unrolling, Edge& edge) const;
  void AddWords(int t, Edge& edge) const;
  [[nodiscard]] View MakeView(int t, int level, const Keeps& keeps,
                              const Unrolling& unrolling) const;
  [[nodiscard]] double LeastTwice(int dim, std::int64_t copies) const;
  [[nodiscard]] double Stretch(int dim, std::int64_t copies, std::int64_t inside,
                               std::int64_t tile) const;
  [[nodiscard]] Range Twice(int dim, std::int64_t copies, std::int64_t inside,
                            std::int64_t tile) const;
  /// What every walk adds up to at least.
  [[nodiscard]] double Base(const Keeps& keeps, const Unrolling& unrolling) const;
  /// What one edge of a tensor adds; the compute units are the child of the innermost.
  [[nodiscard]] double LeastOf(int t, int parent, int child, const Unrolling& unrolling) const;
  class PairLister;
  [[nodiscard]] double PortRate(const Port& port, const Unrolling& unrolling) const;
  [[nodiscard]] std::vector<Port> Ports() const;
  /// How closely a pair, or a group of its walks, has been looked at.
  enum class Stage : std::uint8_t {
    kBase,       ///< what any walk costs
    kCoarse,     ///< the cheapest walk over a coarse grid of tiles
    kWhole,      ///< over the fine grid
    kPorts,      ///< and what the ports add over the coarse one
    kGroup,      ///< one group of walks, by its cycles
    kStretched,  ///< the cheapest walk of the group
    kDone,       ///< and what its ports add
  };
  struct Entry {
    double value = 0;  ///< of the objective, at least
    Stage stage = Stage::kBase;
    std::int32_t pair = 0;
    std::int32_t group = 0;
  };
  static bool Later(const Entry& a, const Entry& b);
  [[nodiscard]] double CyclesOf(const Pair& pair, const Group& group) const;
  void Push(const Entry& entry);
  Entry Pop();
  void Refine(const Entry& entry);
  double Look(const Entry& entry);
  void Split(const Entry& entry);
  void SplitFrom(int dim, const Entry& entry, Group& group);
  void PushGroups(const Entry& entry, const Group& group);
  void FindPorts(Pair& pair);
  [[nodiscard]] double WithPorts(const Pair& pair, const Group& group);
  double Measure(const Pair& pair, const Meter& meter, const Limits& limits);
  /// Corners of the region of energy and cycles that bounds leave, by rising energy.
  struct Corner {
    double energy = 0;
    double cycles = 0;
  };
  using Corners = std::vector<Corner>;
  [[nodiscard]] const Corner& Lowest(const Corners& corners) const;
  void Trade(const Pair& pair, const Group& group, const Port& port, Corners& corners);
  static void Cut(double slope, double least, Corners& corners);
  [[nodiscard]] double ComputeEdge(int t, int parent, const Unrolling& unrolling) const;
  [[nodiscard]] double Way(int t, int parent, int child, const Unrolling& unrolling) const;
  [[nodiscard]] double LeastWay(int level, int t, const Unrolling::Factors& factors) const;
  [[nodiscard]] static double Price(const Edge& edge, const Words& words);
  [[nodiscard]] static double PartPrice(const Edge& edge, const Words& words, double share);
  [[nodiscard]] static Copies Gather(const Unrolling& unrolling, int begin, int end, int dim,
                                     std::uint32_t levels = ~0U);
  [[nodiscard]] std::uint32_t Diagonals(int t, int parent, int child,
                                        const Unrolling& unrolling) const;
  [[nodiscard]] double Cycles(const Unrolling& unrolling) const;

  /// The cheapest walk; at least `limits.enough` if none is cheaper.
  double Solve(std::size_t keeps, const Unrolling& unrolling, double base, const Limits& limits);
  void SetFilling(const Unrolling& unrolling);
  /// `inside`: factor of the fan-outs inside the children.
  [[nodiscard]] Filling MakeFilling(int dim, std::int64_t copies, std::int64_t inside) const;
  [[nodiscard]] Unrolling Tighten(const Pair& pair, const Group& group);
  void SetVisits(int level, int dim, const Pair& pair, const Group& group, double most);
  [[nodiscard]] std::int64_t Visits(Cells x, int dim, const Copies& copies) const;
  void FindArrays(const Unrolling& unrolling);
  [[nodiscard]] bool Belongs(Cells x, double& stretch) const;
  [[nodiscard]] bool AlwaysTwo(int dim, int child) const;
  [[nodiscard]] bool MayHaveTwo(int dim, int child) const;
  [[nodiscard]] bool IsChild(std::size_t keeps, int level, int dim, int child);
  void WalkInside(std::size_t keeps, const Unrolling& unrolling, double base);
  class InsideLister;
  bool LookUpInside(std::size_t keeps, const Unrolling& unrolling, double base);
  void Cross(int level, const Unrolling& unrolling, const Front& from);
  [[nodiscard]] bool Dominated(std::int32_t slot, std::uint32_t open) const;
  void ListArrays(Cells x, const Unrolling& unrolling, int level, std::vector<Cells>& arrays) const;
  bool Note(const Front& from, std::int32_t slot, double stretch);
  void Enter(int level, const Front& from, std::int32_t slot, Cells array, double stretch);
  void Walk(int level);
  /// Where each state of a level came from, for walks that are retraced.
  struct Trace {
    std::vector<Cells> tile;  ///< by slot
    std::size_t masks = 1;
    std::vector<std::int32_t> crossed;  ///< empty: nothing unrolled
    std::vector<std::int32_t> walked;   ///< -1: the state began the level's loops
    std::vector<std::int32_t> kept;
  };
  [[nodiscard]] Sketch Follow(std::size_t keeps, const Unrolling& unrolling) const;
  /// What closing edges at a tile costs.
  struct Bill {
    std::array<Words, mapping::kMaxTensors> words;
    std::array<double, mapping::kMaxTensors> price{};  ///< of all words
  };
  void Visit(Cells x);
  void Enlarge(Cells x, std::uint32_t open, int dim, double energy);
  void SetRests();
  void NoRests();
  void FindShortDims();
  struct Closing {
    std::uint32_t whole = 0;  ///< tensors whose edge is open and closes
    std::uint32_t rest = 0;   ///< of which only the rest was open, and closes
    std::uint32_t first = 0;  ///< of which only the first tiles of slides were, and close
    std::uint32_t left = 0;   ///< bits that stay
  };
  [[nodiscard]] Closing CloseAt(Cells x, std::uint32_t open, int dim) const;
  [[nodiscard]] double Charge(Cells x, int dim, int to, const Closing& closing, double share,
                              const Bill& bill) const;
  [[nodiscard]] bool IsTwo(Cells x, int t, int dim) const {
    return HasTwo(t, dim) && steps().At(x, dim).low == 2;
  }
  [[nodiscard]] bool HasTwo(int t, int dim) const {
    return (two_[static_cast<std::size_t>(t)] >> static_cast<unsigned>(dim) & 1U) != 0;
  }
  void Close(Cells x, int dim, double energy, const Closing& closing, const Bill& bill);
  [[nodiscard]] Bill MakeBill(Cells x, std::uint32_t tensors) const;
  [[nodiscard]] std::uint32_t AnyOpen(std::uint32_t open) const;
  void Reach(Cells x, std::uint32_t open, double energy);
  bool ReachIfFits(Cells x, std::uint32_t open, double energy);
  void Boundary(int level, std::uint32_t keep);
  double Finish();
  using Sequence = StaticVector<std::int8_t, mapping::kMaxDims>;
  /// A state of the outermost level.
  struct End {
    Cells tile = 0;
    std::uint32_t open = 0;
    double energy = 0;
  };
  /// `order`: receives the dims of the cheapest order, innermost first; may be null. At least
  /// `enough` if none is cheaper.
  [[nodiscard]] double FinishFrom(End from, double enough, Sequence* order = nullptr) const;
  [[nodiscard]] Words WordsAt(int t, Cells x) const;
  [[nodiscard]] bool HasHoles(int t, int axis, bool delivered) const;
  [[nodiscard]] double AxisTotal(int t, int axis, Cells x, bool delivered) const;
  [[nodiscard]] double ClosePrice(int t, Cells x, int dim, const Bill& bill, double share) const;
  [[nodiscard]] double FirstPrice(int t, Cells x, int dim, const Words& words, double share) const;
  [[nodiscard]] Copies Spread(int t, int axis, int dim, bool delivered) const;
  [[nodiscard]] int SpreadCell(Cells x, int dim, const Copies& copies) const;
  [[nodiscard]] double SlidePrice(int t, Cells x, int dim, int to, const Words& words) const;
  [[nodiscard]] int WindowOf(int t, int dim) const;
  /// Whether `dim` slides a window of any of the tensors.
  [[nodiscard]] bool Slides(std::uint32_t tensors, int dim) const;
  [[nodiscard]] double ShareAt(int t, Cells x, int dim, double share) const;
  void SetViews(int level, const Keeps& keeps, const Unrolling& unrolling);
  const Room& RoomOf(std::size_t keeps) { return grid_->rooms.Of(keeps_[keeps]); }
  [[nodiscard]] const Steps& steps() const { return grid_->steps; }
  void UseGrid(std::size_t which);
  [[nodiscard]] bool IsFine() const { return grid_ == grids_[1].get(); }
  [[nodiscard]] std::unique_ptr<Grid> MakeGrid(double most) const;

  const Model* model_;
  const Goal* goal_;
  Propose propose_;
  std::array<std::unique_ptr<Grid>, 2> grids_;            ///< coarse, fine
  Grid* grid_ = nullptr;                                  ///< in use
  std::array<std::uint32_t, mapping::kMaxDims> moves_{};  ///< by dim: tensors that it moves
  bool fine_ = true;          ///< dims are short enough to look at every tile size
  std::uint32_t frozen_ = 0;  ///< tensors of which only what every mapping pays is claimed
  std::vector<Port> ports_;   ///< that have a bandwidth
  /// By tensor: choices of the levels that keep it, a bit each.
  std::array<std::vector<std::uint32_t>, mapping::kMaxTensors> chains_;
  std::vector<Keeps> keeps_;                   ///< of the pairs
  std::map<Keeps, std::int32_t> keeps_index_;  ///< -1: no tile fits
  std::vector<Unrolling> unrollings_;
  /// LeastWays by level and factors, worked out when first asked for.
  mutable std::map<std::pair<int, Unrolling::Factors>, TensorDoubles> ways_;
  std::vector<Pair> pairs_;
  std::vector<Group> groups_;  ///< of the entries; the first: every walk
  std::vector<Entry> queue_;   ///< a heap, least value first
  double bound_ = 0;
  double cap_ = 0;                                          ///< of the round
  double focus_ = std::numeric_limits<double>::infinity();  ///< of the entry at hand
  double least_energy_ = 0;                                 ///< of any mapping, without leakage
  RaggedCounts counts_;

  // Of the walk in progress.
  Meter meter_;
  const Room* room_ = nullptr;
  int level_ = 0;  ///< where the walk is
  std::array<View, mapping::kMaxTensors> view_{};
  std::uint32_t edges_ = 0;  ///< tensors that have an edge which loops of the level can close
  double enough_ = 0;
  Limits limits_;
  int unrolled_ = -1;         ///< the outermost level with a fan-out in use; -1: none
  std::uint32_t arrays_ = 0;  ///< levels with one in use
  std::array<std::int64_t, mapping::kMaxDims> copies_{};  ///< at the outermost
  std::array<const Filling*, mapping::kMaxDims> filling_{};
  std::array<double, mapping::kMaxDims> crossed_{};  ///< by dim: the least share of those that did
  std::array<std::array<VisitTable, mapping::kMaxDims>, arch::kMaxLevels> visits_;
  /// By tensor: plain dims of which the array has two tiles, of children known to the group; share
  /// of the words in copies that have one of each; the bit of a state that says these are open.
  std::array<std::uint32_t, mapping::kMaxTensors> two_{};
  std::array<double, mapping::kMaxTensors> rest_{};
  std::array<std::uint32_t, mapping::kMaxTensors> rest_bit_{};
  /// By tensor with windows: its long and its short dims; the bit of a state that says that the
  /// first tiles of slides over short ones are open.
  std::array<std::uint32_t, mapping::kMaxTensors> long_{};
  std::array<std::uint32_t, mapping::kMaxTensors> short_{};
  std::array<std::uint32_t, mapping::kMaxTensors> first_bit_{};
  bool has_rests_ = false;  ///< of either kind
  std::size_t masks_ = 1;
  Front here_;
  Front next_;
  Front inner_;  ///< before the array is crossed, of the last pair and meter
  struct Inner {
    std::size_t keeps = 0;
    std::array<Unrolling::Factors, arch::kMaxLevels> factor{};
    std::array<Unrolling::Factors, arch::kMaxLevels> active{};
    Meter meter;
    double enough = 0;
    bool traced = false;
  };
  Inner inner_of_;
  bool traces_ = false;
  std::array<Trace, arch::kMaxLevels> trace_;
  std::vector<std::int32_t>* walked_ = nullptr;  ///< of the level at hand; null: not traced
  std::int32_t from_ = -1;                       ///< the state that is visited
  std::int32_t last_state_ = -1;                 ///< of the cheapest walk, above level 0's array
};

}  // namespace sluice::mapper::exact
