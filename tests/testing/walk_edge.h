#pragma once
/// \file
/// The inner half of the reference engine (walker.h): a loop nest as a list of loops, a tensor as
/// named words, and the walk over one edge between a parent and its children.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "cost/policy.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"

namespace sluice::testing {

using Words = std::vector<std::int64_t>;  // sorted, distinct; one number names one word of a tensor
using Corner = std::vector<std::int64_t>;    // smallest coordinate on every axis
using Instance = std::vector<std::int64_t>;  // values of the spatial loops above a level

struct NestLoop {
  int level = 0;
  bool spatial = false;
  mapping::Loop loop;
  std::int64_t stride = 1;  // points of the dim that one iteration advances
};

/// The loops of a mapping in nest order, and the question which points they run.
class Nest {
 public:
  Nest(const mapping::Workload& workload, const mapping::Mapping& mapping)
      : loops_of_dim_(static_cast<std::size_t>(workload.dims())) {
    for (std::size_t l = 0; l < mapping.levels.size(); ++l) {
      const mapping::LevelMapping& level = mapping.levels[l];
      Append(static_cast<int>(l), false, level.temporal);
      Append(static_cast<int>(l), true, level.spatial_x);
      Append(static_cast<int>(l), true, level.spatial_y);
    }
    for (const auto& of_dim : loops_of_dim_) {
      std::int64_t stride = 1;
      for (std::size_t i = of_dim.size(); i-- > 0;) {
        loops_[of_dim[i]].stride = stride;
        stride *= loops_[of_dim[i]].loop.bound;
      }
    }
  }

  [[nodiscard]] std::size_t size() const { return loops_.size(); }

  /// Positions of the loops of one kind above `level`, in nest order.
  [[nodiscard]] std::vector<std::size_t> Above(int level, bool spatial) const {
    std::vector<std::size_t> result;
    for (std::size_t i = 0; i < loops_.size(); ++i) {
      if (loops_[i].level < level && loops_[i].spatial == spatial) {
        result.push_back(i);
      }
    }
    return result;
  }

  /// Calls `body` for all values of the loops at `positions`, the last varying fastest. Values that
  /// no point has (imperfect factors) are visited too: `body` finds nothing active there.
  template <class Body>
  void ForEach(const std::vector<std::size_t>& positions, std::vector<std::int64_t>& index,
               const Body& body, std::size_t depth = 0) const {
    if (depth == positions.size()) {
      body();
      return;
    }
    const std::size_t position = positions[depth];
    for (std::int64_t i = 0; i < loops_[position].loop.bound; ++i) {
      index[position] = i;
      ForEach(positions, index, body, depth + 1);
    }
    index[position] = 0;
  }

  /// Coordinates of every dim that the loops at `level` and inside run through while the loops
  /// above stand at `index`. False when some dim has none: nothing runs there.
  bool Coordinates(int level, const std::vector<std::int64_t>& index,
                   std::vector<Words>& out) const {
    out.assign(loops_of_dim_.size(), {});
    for (std::size_t d = 0; d < loops_of_dim_.size(); ++d) {
      Collect(level, index, loops_of_dim_[d], 0, 0, true, out[d]);
      if (out[d].empty()) {
        return false;
      }
    }
    return true;
  }

  /// The dims' coordinates when nothing is fixed: the whole iteration space.
  [[nodiscard]] std::vector<Words> Everything() const {
    std::vector<Words> result;
    Coordinates(0, std::vector<std::int64_t>(loops_.size(), 0), result);
    return result;
  }

 private:
  void Append(int level, bool spatial, const mapping::LoopList& loops) {
    for (const mapping::Loop& loop : loops) {
      loops_of_dim_[static_cast<std::size_t>(loop.dim)].push_back(loops_.size());
      loops_.push_back({level, spatial, loop, 1});
    }
  }

  // `in_last`: all enclosing loops of the dim are in their last iteration.
  void Collect(int level, const std::vector<std::int64_t>& index,
               const std::vector<std::size_t>& of_dim, std::size_t depth, std::int64_t coordinate,
               bool in_last, Words& out) const {
    if (depth == of_dim.size()) {
      out.push_back(coordinate);
      return;
    }
    const NestLoop& loop = loops_[of_dim[depth]];
    const std::int64_t iterations = in_last ? loop.loop.last : loop.loop.bound;
    const bool fixed = loop.level < level;
    const std::int64_t first = fixed ? index[of_dim[depth]] : 0;
    const std::int64_t end = fixed ? std::min(first + 1, iterations) : iterations;
    for (std::int64_t i = first; i < end; ++i) {
      Collect(level, index, of_dim, depth + 1, coordinate + i * loop.stride,
              in_last && i == iterations - 1, out);
    }
  }

  std::vector<NestLoop> loops_;
  std::vector<std::vector<std::size_t>> loops_of_dim_;  // outermost first
};

struct Tile {
  Words words;
  Corner low;
};

/// Names the words of one tensor.
class TensorSpace {
 public:
  TensorSpace(const mapping::Workload& workload, std::size_t tensor, bool gap_words)
      : tensor_(workload.tensors[tensor]), gap_words_(gap_words) {
    for (const mapping::WorkloadAxis& axis : tensor_.axes) {
      std::int64_t extent = 1;
      for (const mapping::WorkloadTerm& term : axis) {
        extent += term.coefficient * (workload.bounds[static_cast<std::size_t>(term.dim)] - 1);
        dims_.insert(static_cast<std::size_t>(term.dim));
      }
      extents_.push_back(extent);
    }
  }

  [[nodiscard]] Tile TileOf(const std::vector<Words>& coordinates) const {
    Tile tile;
    Corner high;
    for (const mapping::WorkloadAxis& axis : tensor_.axes) {
      std::int64_t low = 0;
      std::int64_t top = 0;
      for (const mapping::WorkloadTerm& term : axis) {
        const Words& c = coordinates[static_cast<std::size_t>(term.dim)];
        low += term.coefficient * c.front();
        top += term.coefficient * c.back();
      }
      tile.low.push_back(low);
      high.push_back(top);
    }
    if (gap_words_) {
      Box(tile.low, high, 0, 0, tile.words);
    } else {
      std::vector<std::int64_t> point(coordinates.size(), 0);
      Touch(coordinates, dims_.begin(), point, tile.words);
      std::sort(tile.words.begin(), tile.words.end());
      tile.words.erase(std::unique(tile.words.begin(), tile.words.end()), tile.words.end());
    }
    return tile;
  }

 private:
  void Box(const Corner& low, const Corner& high, std::size_t axis, std::int64_t name,
           Words& out) const {
    if (axis == extents_.size()) {
      out.push_back(name);
      return;
    }
    for (std::int64_t i = low[axis]; i <= high[axis]; ++i) {
      Box(low, high, axis + 1, name * extents_[axis] + i, out);
    }
  }

  void Touch(const std::vector<Words>& coordinates, std::set<std::size_t>::const_iterator dim,
             std::vector<std::int64_t>& point, Words& out) const {
    if (dim == dims_.end()) {
      std::int64_t name = 0;
      for (std::size_t a = 0; a < extents_.size(); ++a) {
        std::int64_t position = 0;
        for (const mapping::WorkloadTerm& term : tensor_.axes[a]) {
          position += term.coefficient * point[static_cast<std::size_t>(term.dim)];
        }
        name = name * extents_[a] + position;
      }
      out.push_back(name);
      return;
    }
    for (const std::int64_t value : coordinates[*dim]) {
      point[*dim] = value;
      Touch(coordinates, std::next(dim), point, out);
    }
  }

  const mapping::WorkloadTensor& tensor_;
  bool gap_words_;
  std::set<std::size_t> dims_;
  std::vector<std::int64_t> extents_;
};

/// Transfers through one fan-out that serve (or join) equally many siblings.
struct HopClass {
  std::int64_t groups = 0;
  double hops = 0;  ///< of one word, summed over groups
  std::int64_t words = 0;
};

/// Where the instances of a fan-out stand. X loops vary x, the innermost fastest; Y loops vary y.
struct Grid {
  std::vector<std::int64_t> x_bounds;
  std::vector<std::int64_t> y_bounds;
  double source_y = 0;  ///< words enter at (0, source_y)
};

/// What crosses between a parent level and its children for one tensor; sums over all instances.
struct Edge {
  std::int64_t delivered = 0;         // F: new words over all child instances
  std::int64_t again = 0;             // of these, words that the child had held before
  std::int64_t merged = 0;            // new words after multicast (or reduction) at the parent
  std::int64_t merged_again = 0;      // of these, words that the parent had seen before
  std::int64_t reductions = 0;        // words that met another in the network
  std::int64_t tile_words = 0;        // largest tile of a child
  std::int64_t delivered_blocks = 0;  // each transfer rounded up, in blocks of the child ...
  std::int64_t again_blocks = 0;
  std::int64_t merged_blocks = 0;  // ... and of the parent
  std::int64_t merged_again_blocks = 0;
  // words the parent had seen since its own tile brought them
  std::int64_t merged_in_visit = 0;
  std::int64_t merged_in_visit_blocks = 0;
  std::map<int, std::map<std::size_t, HopClass>> hops;  // by fan-out, by siblings together
  std::map<int, std::int64_t> reductions_in;            // by fan-out: words that met another there
};

struct EdgeRule {
  int parent = 0;
  int child = 0;             // = number of levels for the compute unit
  bool output = false;       // transfers go up
  std::vector<bool> merges;  // by level: its fan-out makes identical transfers one
  std::vector<Grid> grids;   // by level
  bool forward = false;      // the fan-out acts as one buffer towards the parent
  bool retain = true;        // children keep tiles between steps (all but compute units)
  cost::WindowRule window = cost::WindowRule::kExact;
  std::int64_t parent_block = 1;
  std::int64_t child_block = 1;
};

/// Runs every step of the edge.
Edge WalkEdge(const Nest& nest, const TensorSpace& space, const EdgeRule& rule);

}  // namespace sluice::testing
