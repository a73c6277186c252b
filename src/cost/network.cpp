// Distance in the fan-outs. The source sits at x = 0 in the middle of the edge, y = (Y - 1) / 2.
// Words for (or partial sums from) a group of cells travel along X to the group's columns, then up
// and down in each:
//   hops(group) = max_x + sum over its columns of max(0, max_y - c) + max(0, c - min_y)
// Groups of equal size are averaged; a word pays hop_pj per hop and router_pj per router passed
// (1 + floor of the average). This is Timeloop's legacy network, checked against its output.

#include <array>
#include <cmath>
#include <map>
#include <vector>

#include "cost/compiled.h"

namespace sluice::cost {
namespace {

struct Cell {
  std::int64_t x = 0;
  std::int64_t y = 0;
  DimArray offset{};
};

/// Cells of the fan-out below level l. The innermost loop of an axis varies fastest.
std::vector<Cell> Cells(const Compiled& compiled, const Nest& nest, int level) {
  std::vector<Cell> cells = {Cell{}};
  for (int i = nest.spatial_end[Index(level)]; i < nest.spatial_end[Index(level) + 1]; ++i) {
    const FlatLoop& loop = nest.spatial[Index(i)];
    const bool on_x = i < nest.spatial_y[Index(level)];
    std::vector<Cell> next;
    next.reserve(cells.size() * Index(static_cast<int>(loop.bound)));
    for (const Cell& cell : cells) {
      for (std::int64_t v = 0; v < loop.bound; ++v) {
        Cell moved = cell;
        (on_x ? moved.x : moved.y) = (on_x ? cell.x : cell.y) * loop.bound + v;
        moved.offset[Index(loop.dim)] += v * loop.stride;
        if (moved.offset[Index(loop.dim)] < compiled.bound[Index(loop.dim)]) {
          next.push_back(moved);
        }
      }
    }
    cells = std::move(next);
  }
  return cells;
}

double GroupHops(const std::vector<const Cell*>& group, std::int64_t fan_y) {
  struct Column {
    std::int64_t low = 0;
    std::int64_t high = 0;
  };
  std::map<std::int64_t, Column> columns;
  std::int64_t max_x = 0;
  for (const Cell* cell : group) {
    max_x = std::max(max_x, cell->x);
    const auto [it, fresh] = columns.try_emplace(cell->x, Column{cell->y, cell->y});
    if (!fresh) {
      it->second.low = std::min(it->second.low, cell->y);
      it->second.high = std::max(it->second.high, cell->y);
    }
  }
  const double centre = static_cast<double>(fan_y - 1) / 2.0;
  auto hops = static_cast<double>(max_x);
  for (const auto& [x, column] : columns) {
    hops += std::max(0.0, static_cast<double>(column.high) - centre) +
            std::max(0.0, centre - static_cast<double>(column.low));
  }
  return hops;
}

/// Average hops per word and picojoules per word of tensor t in the fan-out below `level`.
struct Distance {
  double hops = 0;
  double picojoules = 0;
};

Distance DistanceOf(const CompiledTensor& tensor, const CompiledLevel& level,
                    const std::vector<Cell>& cells, bool shared) {
  using Key = std::array<std::int64_t, kMaxAxes + 1>;
  std::map<Key, std::vector<const Cell*>> groups;
  std::int64_t serial = 0;
  for (const Cell& cell : cells) {
    Key key{};
    for (int a = 0; a < tensor.axes; ++a) {
      for (const mapping::WorkloadTerm& term : tensor.axis[Index(a)]) {
        key[Index(a)] += term.coefficient * cell.offset[Index(term.dim)];
      }
    }
    key[kMaxAxes] = shared ? 0 : serial++;
    groups[key].push_back(&cell);
  }
  struct SizeClass {
    double hops = 0;
    double groups = 0;
  };
  std::map<std::size_t, SizeClass> classes;
  for (const auto& [key, group] : groups) {
    SizeClass& size_class = classes[group.size()];
    size_class.hops += GroupHops(group, level.fan_y);
    size_class.groups += 1;
  }
  Distance distance;
  const auto total = static_cast<double>(groups.size());
  for (const auto& [size, c] : classes) {
    const double average = c.hops / c.groups;
    const double share = c.groups / total;
    distance.hops += share * average;
    distance.picojoules +=
        share * (average * level.hop_pj + level.router_pj * (1 + std::floor(average)));
  }
  return distance;
}

}  // namespace

void CountNetwork(const Compiled& compiled, const mapping::Mapping& mapping, const Nest& nest,
                  Work& work) {
  for (int l = 0; l < compiled.levels; ++l) {
    const CompiledLevel& level = compiled.level[Index(l)];
    if (!level.has_network_cost) {
      continue;
    }
    const std::vector<Cell> cells = Cells(compiled, nest, l);
    for (int t = 0; t < compiled.tensors; ++t) {
      const CompiledTensor& tensor = compiled.tensor[Index(t)];
      // The words that cross this fan-out leave the nearest keeping level at or above it. Bypassed
      // levels in between only spread them further; each of their fan-outs is crossed by every copy
      // it makes.
      int source = l;
      while (!HasBit(mapping.levels[Index(source)].keep, t)) {
        --source;
      }
      Counters& counters = work.at[Index(source)][Index(t)];
      const bool shared = tensor.is_output ? level.reduction : level.multicast;
      const Distance distance = DistanceOf(tensor, level, cells, shared);
      auto words = static_cast<double>(counters.network_words);
      if (source < l) {
        // Words that enter the copies of this fan-out: those of the source, spread by irrelevant
        // copies.
        double copies = 1;
        for (int i = nest.spatial_end[Index(source)]; i < nest.spatial_end[Index(l)]; ++i) {
          const FlatLoop& loop = nest.spatial[Index(i)];
          const CompiledLevel& via = compiled.level[Index(loop.level)];
          const bool merged = tensor.is_output ? via.reduction : via.multicast;
          copies *= merged && !HasBit(tensor.dims, loop.dim) ? static_cast<double>(loop.bound) : 1;
        }
        words *= copies;
      }
      counters.hops += words * distance.hops;
      counters.network_pj += words * distance.picojoules;
      if (source == l) {
        counters.network_pj +=
            static_cast<double>(counters.spatial_reductions) * level.reduction_pj;
      }
    }
  }
}

}  // namespace sluice::cost
