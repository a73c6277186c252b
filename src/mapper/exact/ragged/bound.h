#pragma once
/// \file
/// A lower bound over the whole imperfect map space of an operator: every mapping with ragged
/// loops, any orders, any unrolling, any keeps.
///
/// In steps (steps.h) imperfect mappings are simple. For a tensor without windows the words that
/// cross an edge (a level, the next inner one that keeps the tensor) are
///   served    >= words(tensor) x product over the dims that do not move it of n_d(X)
///   delivered >= the same with (n_d(X) - 1) s_d + 1, or the active copies if n_d(X) = 1
/// where X is the tile inside the first loop that moves the tensor and s_d what the fan-outs on the
/// way unroll: relevant dims contribute the tensor's real extent, tails included. So for fixed
/// keeps and spatial factors a mapping is a walk of one tile from single points to whole dims, past
/// the capacities, and every edge is paid where it closes, by a function of the tile there. The
/// cheapest walk is a shortest path over (level, tile, edges still open): one number a state, no
/// orders.
///
/// What a walk may do beyond a mapping: enlarge a tile by any step, not only by factors; let an
/// edge whose outer level adds no loops cost its least. What a ragged end may do, and the plain
/// count would miss:
///   - the first loop d that moves a tensor has a single iteration in the last pass, or for some
///     copies: then what runs outside repeats nothing there. At most one tile in n_d is such an
///     end.
///   - with n_d = 2 tiles of an array, the copies that have no second tile never move.
/// Both are given away (Certain). Windows: windows.h.
///
/// Pairs of keeps and unrolling are looked at best first and ever more closely (Stage). The least
/// value in the queue is a bound at every moment.
/// Tested by tests/property/ragged_test.cpp against the enumeration of all ragged mappings.

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/static_vector.h"
#include "cost/compiled.h"
#include "mapper/exact/goal.h"
#include "mapper/exact/model/model.h"
#include "mapper/exact/ragged/steps.h"
#include "mapper/exact/ragged/unroll.h"
#include "mapper/exact/ragged/windows.h"

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
  using Keeps = std::array<std::uint32_t, arch::kMaxLevels>;
  using Room = std::vector<std::vector<std::uint8_t>>;  ///< [level][tile]
  using Loops = std::array<std::int64_t, mapping::kMaxDims>;
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
  };
  /// Factors of some fan-outs together, and how many copies are certain to have work.
  struct Copies {
    std::int64_t factor = 1;
    std::int64_t active = 1;
  };
  enum class Kind : std::uint8_t { kRead, kWrite, kNetwork };
  struct Port {
    int level = 0;
    Kind kind = Kind::kRead;
  };
  /// What a walk adds up: picojoules, words through a port, or some of both.
  struct Meter {
    double energy = 1;  ///< weight of a picojoule
    double words = 0;   ///< and of a word through
    Port port;
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
  struct Range {
    double low = 1;
    double high = 1;
  };
  /// Walks that cross the array with tiles that make the same use of it.
  struct Group {
    Range stretch;  ///< cycles of the compute units over Cycles(unrolling), below `high`
    Range share;  ///< of the words in copies that have two tiles when the array has, as LeastTwice
  };
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
  };
  struct Words {
    double served = 0;
    double delivered = 0;
  };

  void ListKeeps();
  /// False when stopped, or when there are too many.
  bool ListPairs(const std::function<bool()>& stop);
  [[nodiscard]] int Parent(const Keeps& keeps, int t, int level) const;
  [[nodiscard]] int Child(const Keeps& keeps, int t, int level) const;
  [[nodiscard]] Edge MakeEdge(int t, int parent, int child, const Unrolling& unrolling) const;
  void AddEnergy(int t, const Unrolling& unrolling, Edge& edge) const;
  void AddWords(int t, Edge& edge) const;
  [[nodiscard]] View MakeView(int t, int level, const Keeps& keeps,
                              const Unrolling& unrolling) const;
  [[nodiscard]] double LeastTwice(int dim, std::int64_t copies) const;
  [[nodiscard]] double Stretch(int dim, std::int64_t copies, std::int64_t tile) const;
  [[nodiscard]] double Twice(int dim, std::int64_t copies, std::int64_t tile) const;
  /// What every walk adds up to at least.
  [[nodiscard]] double Base(const Keeps& keeps, const Unrolling& unrolling) const;
  [[nodiscard]] double PortRate(const Port& port, const Unrolling& unrolling) const;
  [[nodiscard]] std::vector<Port> Ports() const;
  /// How closely a pair, or a group of its walks, has been looked at.
  enum class Stage : std::uint8_t {
    kBase,       ///< what any walk costs
    kWhole,      ///< the cheapest walk
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
  static const Group kEveryWalk;
  static bool Later(const Entry& a, const Entry& b);
  [[nodiscard]] static Group GroupAt(std::int32_t number);
  [[nodiscard]] double CyclesOf(const Pair& pair, const Group& group) const;
  void Push(const Entry& entry);
  Entry Pop();
  void Refine(const Entry& entry);
  void Split(const Entry& entry);
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
  [[nodiscard]] static double Price(const Edge& edge, const Words& words);
  [[nodiscard]] static Copies Gather(const Unrolling& unrolling, int begin, int end, int dim,
                                     std::uint32_t levels = ~0U);
  [[nodiscard]] std::uint32_t Diagonals(int t, int parent, int child,
                                        const Unrolling& unrolling) const;
  [[nodiscard]] double Cycles(const Unrolling& unrolling) const;

  /// The cheapest walk; at least `limits.enough` if none is cheaper.
  double Solve(std::size_t keeps, const Unrolling& unrolling, double base, const Limits& limits);
  void SetStretch(const Unrolling& unrolling);
  [[nodiscard]] int UnrolledLevel(const Unrolling& unrolling) const;
  [[nodiscard]] bool Belongs(Cells x, double& stretch) const;
  [[nodiscard]] bool CanBelong(const Unrolling& unrolling, const Group& group) const;
  void Cross(int level, const Unrolling& unrolling);
  void ListArrays(Cells x, const Unrolling& unrolling, int level, std::vector<Cells>& arrays) const;
  void Enter(int level, Cells x, Cells array, double stretch);
  void Walk(int level);
  /// Where each state of a level came from, for walks that are retraced.
  struct Trace {
    std::vector<std::int32_t> crossed;  ///< empty: nothing unrolled
    std::vector<std::int32_t> walked;   ///< -1: the state began the level's loops
    std::vector<std::int32_t> kept;
  };
  [[nodiscard]] Sketch Follow(std::size_t keeps, const Unrolling& unrolling) const;
  [[nodiscard]] std::int32_t State(Cells x, std::uint32_t open) const {
    return x * static_cast<std::int32_t>(masks_) + static_cast<std::int32_t>(open);
  }
  using AllWords = std::array<Words, mapping::kMaxTensors>;
  void Visit(Cells x);
  void Close(Cells x, std::uint32_t open, int dim, double energy, const AllWords& words);
  void Reach(Cells x, std::uint32_t open, double energy, std::int32_t from);
  void Boundary(int level, std::uint32_t keep);
  double Finish();
  /// `order`: receives the dims of the cheapest order, innermost first; may be null.
  using Sequence = StaticVector<std::int8_t, mapping::kMaxDims>;
  [[nodiscard]] double FinishFrom(Cells x, std::uint32_t open, double energy,
                                  Sequence* order = nullptr) const;
  [[nodiscard]] Words WordsAt(int t, Cells x) const;
  [[nodiscard]] double Certain(int t, Cells x, int dim, bool outermost) const;
  [[nodiscard]] double AxisTotal(int t, int axis, Cells x, bool delivered) const;
  [[nodiscard]] double ClosePrice(int t, Cells x, int dim, const Words& words,
                                  bool outermost) const;
  [[nodiscard]] double SlidePrice(int t, Cells x, int dim, int to, const Words& words) const;
  [[nodiscard]] int WindowOf(int t, int dim) const;
  void SetViews(int level, const Keeps& keeps, const Unrolling& unrolling);
  [[nodiscard]] Room MakeRoom(const Keeps& keeps) const;
  [[nodiscard]] bool FitsAtAll(const Keeps& keeps) const;
  void FillBoxes();

  const Model* model_;
  const Goal* goal_;
  Propose propose_;
  Steps steps_;
  std::array<std::uint32_t, mapping::kMaxDims> moves_{};  ///< by dim: tensors that it moves
  bool fine_ = true;          ///< dims are short enough to look at every tile size
  std::uint32_t frozen_ = 0;  ///< tensors of which only what every mapping pays is claimed
  std::array<std::array<std::unique_ptr<WindowAxis>, mapping::kMaxAxes>, mapping::kMaxTensors>
      windows_;
  std::vector<Port> ports_;  ///< that have a bandwidth
  std::vector<Keeps> keeps_;
  std::vector<Room> room_;   ///< by keeps, worked out when first needed
  std::vector<double> box_;  ///< [tile][tensor]
  std::vector<Unrolling> unrollings_;
  std::vector<Pair> pairs_;
  std::vector<Entry> queue_;  ///< a heap, least value first
  double bound_ = 0;
  RaggedCounts counts_;

  // Of the walk in progress.
  Meter meter_;
  const std::vector<std::uint8_t>* fits_ = nullptr;
  std::array<View, mapping::kMaxTensors> view_{};
  std::uint32_t edges_ = 0;  ///< tensors that have an edge which loops of the level can close
  double enough_ = 0;
  Limits limits_;
  int unrolled_ = -1;  ///< the only level with a fan-out in use; -1: none or several
  /// [dim][cell]: how much longer than needed the compute units take for the dim
  std::array<std::vector<Range>, mapping::kMaxDims> stretch_;
  std::array<std::vector<Range>, mapping::kMaxDims> share_;
  std::size_t masks_ = 1;
  /// The states that walks have reached.
  struct Front {
    std::vector<double> energy;  ///< [tile][open], infinite where no walk came
    std::vector<std::uint8_t> alive;
    std::vector<Cells> reached;
    void Clear(std::size_t masks);
  };
  Front here_;
  Front next_;
  bool traces_ = false;
  std::array<Trace, arch::kMaxLevels> trace_;
  std::vector<std::int32_t>* walked_ = nullptr;  ///< of the level at hand; null: not traced
  std::int32_t last_state_ = -1;                 ///< of the cheapest walk, above level 0's array
};

}  // namespace sluice::mapper::exact
