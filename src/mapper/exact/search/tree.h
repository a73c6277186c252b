#pragma once
/// \file
/// Depth-first search from the outermost level inwards. A node has decided everything above a tile
/// of some level: its traffic is counted exactly, and the labels of that tile bound what is inside.
/// Leaves are whole mappings, priced by the evaluator itself, so nothing the bounds leave out
/// (block rounding, placement on a mesh, overlapping windows) can make the answer wrong, only the
/// search longer.
///
/// Complete up to three arguments, each tested against enumeration in
/// tests/property/exact_test.cpp:
///   - a loop irrelevant to every tensor that is still open goes innermost: it then repeats
///   nothing,
///     and outside it could only repeat something;
///   - once no tensor is open, the order of the loops outside changes no count;
///   - where distance costs nothing, one placement of the spatial factors stands for all.

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <vector>

#include "base/static_vector.h"
#include "cost/compiled.h"
#include "cost/cost.h"
#include "mapper/exact/goal.h"
#include "mapper/exact/model/model.h"
#include "mapper/exact/model/space.h"
#include "mapper/exact/search/labels.h"
#include "mapping/mapping.h"

namespace sluice::mapper::exact {

struct TreeCounts {
  std::int64_t nodes = 0;   ///< partial mappings bounded
  std::int64_t pruned = 0;  ///< of these, not better than the incumbent
  std::int64_t leaves = 0;  ///< whole mappings evaluated
};

/// The tiles, spatial factors and kept tensors of one mapping, by level.
struct Trail {
  std::array<Tile, arch::kMaxLevels> tile{};
  std::array<Tile, arch::kMaxLevels> factors{};  ///< of the fan-out below the level
  std::array<std::uint32_t, arch::kMaxLevels> keep{};
};

class Tree {
 public:
  /// Called with every whole mapping that may improve on the goal.
  using Evaluate = std::function<void(const mapping::Mapping&)>;

  Tree(const Model& model, Spaces& spaces, const CostToGo& inside, const Goal& goal,
       Evaluate evaluate, std::function<bool()> stop, std::int64_t most_work);

  /// Searches everything. False when stopped, or after `most_work` nodes (a leaf counts as two).
  bool Run();
  /// No mapping that was not looked at has an objective below this.
  [[nodiscard]] double open_bound() const { return open_bound_; }
  [[nodiscard]] const TreeCounts& counts() const { return counts_; }

  /// Confines the search to one trail, in all orders (search/guard.h).
  void Follow(const Trail& trail) { trail_ = trail; }
  /// The least bounds met while following, infinity where nothing came so far.
  struct Followed {
    double candidate = std::numeric_limits<double>::infinity();
    double order = std::numeric_limits<double>::infinity();  ///< of the loops around the tile
  };
  /// Of the candidates for the tile of `level`, from 1.
  [[nodiscard]] const Followed& followed(int level) const {
    return followed_[static_cast<std::size_t>(level)];
  }

 private:
  struct OuterLoop {
    cost::FlatLoop loop;
    Tile before = 0;  ///< tile inside the loop
  };
  struct Node {
    int level = 0;
    Tile tile = 0;
    std::uint32_t keep = 0;
    double energy = 0;
    double cycles = 0;
    /// Instances and copies of the output at each level decided so far.
    std::array<double, arch::kMaxLevels + 1> units{};
    std::array<double, arch::kMaxLevels + 1> copies{};
    /// Picojoules of one word that tensor t asks of what is above the tile.
    TensorDoubles price{};
    std::array<int, mapping::kMaxTensors> source{};
    TensorDoubles merge{};
    std::array<double, arch::kMaxLevels> reads{};
    std::array<double, arch::kMaxLevels> writes{};
    /// By fan-out: children that one word serves, and words that enter for edges decided.
    std::array<TensorDoubles, arch::kMaxLevels> merged{};
    std::array<TensorDoubles, arch::kMaxLevels> enter{};
    double least_energy = 0;  ///< of any mapping below this node
    /// Outermost first.
    StaticVector<OuterLoop, std::size_t{arch::kMaxLevels} * mapping::kMaxDims> loops;
    std::array<std::int32_t, arch::kMaxLevels> space{};  ///< option of each fan-out
    std::array<Tile, arch::kMaxLevels + 1> held{};       ///< by level
    mapping::Mapping mapping;
  };
  struct Candidate {
    double bound = 0;
    Tile tile = 0;
    std::int32_t space = 0;
    std::uint32_t keep = 0;
  };
  /// What the edges into a candidate can cost, depending on the order of the loops around it.
  struct Edges {
    Tile array = 0;
    double units = 1;        ///< instances of the candidate's level
    double copies = 1;       ///< of the output there
    double fixed = 0;        ///< everything decided, and what first visits save
    TensorDoubles closed{};  ///< when the first loop of the level is relevant to t
    TensorDoubles open{};    ///< at best, when it is not
    /// Share of `closed` that remains when the window slides along a dim first.
    std::array<std::array<double, mapping::kMaxDims>, mapping::kMaxTensors> slide{};
    /// Words at the source and into the children, for one picojoule of the edge.
    TensorDoubles served{};
    TensorDoubles delivered{};
    std::array<double, mapping::kMaxDims> factor{};  ///< steps of each dim's loop
    std::uint32_t loops = 0;                         ///< dims that have one
    /// Energy and cycles of the labels inside, in the context of the node.
    struct Inside {
      double energy;
      double cycles;
      TensorDoubles enter;  ///< words that enter the fan-out for edges further inside
      TensorDoubles asked;  ///< energy of each edge that is still open, if it closed at once
      TensorDoubles least;  ///< of these, whatever happens
    };
    std::vector<Inside> inside;
    TensorDoubles least_edge{};  ///< of each edge, whatever happens
    /// Words that enter the fan-out for one picojoule of the edge.
    TensorDoubles enter{};
    /// Least share of its words that an open edge of t asks for, whatever the order.
    TensorDoubles share{};
    const std::vector<Placement>* placements = nullptr;  ///< null: distance is free
    TensorDoubles least{};                               ///< rates already in the edges
  };
  using Sequence = StaticVector<std::int8_t, mapping::kMaxDims>;  ///< dims, innermost first
  /// A partly chosen order.
  struct Order {
    Sequence sequence;
    std::uint32_t rest = 0;  ///< dims not placed
    std::uint32_t open = 0;  ///< tensors whose count the next loop may still change
    std::uint32_t slid =
        0;  ///< windowed ones that have moved: open until a loop over their own dim
    TensorDoubles energy{};  ///< least energy of each tensor's edge
    TensorDoubles run{};
    TensorDoubles share{};  ///< of what edges further inside ask that are still open
  };

  [[nodiscard]] Node Root() const;
  /// `among`: candidates that hold every one of this node that may be better; null to list them.
  bool Expand(const Node& node, const std::vector<Candidate>* among = nullptr);
  bool ExpandSiblings(std::vector<std::pair<double, Node>>& siblings);
  /// Whether a trail is followed that goes elsewhere.
  [[nodiscard]] bool Strays(int level, Tile tile, Tile factors, std::uint32_t keep) const {
    const auto outer = static_cast<std::size_t>(level);
    return trail_ && (trail_->tile[outer + 1] != tile || trail_->factors[outer] != factors ||
                      trail_->keep[outer + 1] != keep);
  }
  [[nodiscard]] bool AllowsLoops(int level, Tile tile, Tile inside, Tile factors) const;
  [[nodiscard]] std::uint32_t NextLoops(int level, std::uint32_t rest) const;
  void ListCandidates(const Node& node, std::vector<Candidate>& out);
  [[nodiscard]] double CandidateBound(const Node& node, const Candidate& candidate);
  void Price(const Node& node, const Candidate& candidate, const Labels& labels, Edges& edges);
  void PriceEdge(const Node& node, const Candidate& candidate, int t, double price, double merge,
                 Edges& edges) const;
  void ListInside(const Node& node, const Candidate& candidate, const Labels& labels,
                  const TensorDoubles& price, const TensorDoubles& merges, Edges& edges) const;
  [[nodiscard]] bool NeighboursMayServe(std::uint32_t keep, int t) const;
  [[nodiscard]] double Asked(const Node& node, std::uint32_t keep, int t, double words,
                             double price) const;
  /// Energy at a source of t whatever follows: each word leaves it once.
  [[nodiscard]] double Compulsory(int source, int t) const {
    return model_->ParentRate(source, t) * model_->Touched(t);
  }
  [[nodiscard]] double LeastShare(const Node& node, const Edges& edges, int t) const;
  /// Best objective when the edges cost `energy` each.
  [[nodiscard]] double Bound(const Node& node, const Edges& edges, const TensorDoubles& energy,
                             const TensorDoubles& share) const;
  [[nodiscard]] double PortCycles(const Node& node, const Edges& edges,
                                  const TensorDoubles& energy) const;
  [[nodiscard]] double BestOrder(const Node& node, const Edges& edges) const;
  void ListOrders(const Node& node, const Edges& edges, const Order& order,
                  const std::function<void(const Order&)>& visit) const;
  [[nodiscard]] Order Place(const Edges& edges, const Order& order, int dim) const;
  void Descend(const Node& node, const Candidate& candidate, const Edges& edges, const Order& order,
               Node& child) const;
  void BookEdges(const Node& node, const Candidate& candidate, Node& child) const;
  [[nodiscard]] double DeliveredWords(const Node& child, int t) const;
  /// Best objective that any label of the child's tile allows.
  [[nodiscard]] double InnerBound(Node& child);
  [[nodiscard]] double PortCycles(const Node& child, const Label& label,
                                  const TensorDoubles& share) const;
  void Leaves(const Node& node);
  void PlaceUnits(const Node& node, int level, double energy, double cycles,
                  mapping::Mapping& mapping);
  /// What the best placement costs beyond the least rates of each tensor alone.
  [[nodiscard]] static double Detour(const std::vector<Placement>& placements,
                                     const TensorDoubles& least, const TensorDoubles& words,
                                     int tensors);
  void BookWords(Node& node, int t, double delivered, int child) const;
  [[nodiscard]] bool Stopped();
  /// Counts a node; false when the work granted is used up.
  [[nodiscard]] bool Count();

  const Model* model_;
  Spaces* spaces_;
  const CostToGo* inside_;
  const Goal* goal_;
  Evaluate evaluate_;
  std::function<bool()> stop_;
  std::int64_t most_work_;
  double open_bound_ = 0;
  bool stopped_ = false;
  TreeCounts counts_;
  Edges scratch_;
  /// Spatial options tried one by one with every tile, by level.
  std::array<std::size_t, arch::kMaxLevels> looked_through_{};
  std::optional<Trail> trail_;
  std::array<Followed, arch::kMaxLevels> followed_;
};

}  // namespace sluice::mapper::exact
