// Distance in the fan-outs. The source sits at x = 0 in the middle of the edge, y = (Y - 1) / 2.
// Words for (or partial sums from) a group of cells travel along X to the group's columns, then up
// and down in each:
//   hops(group) = max_x + sum over its columns of max(0, max_y - c) + max(0, c - min_y)
// Groups of equal size are averaged; a word pays hop_pj per hop and router_pj per router passed
// (1 + floor of the average). This is Timeloop's legacy network, checked against its output.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include <boost/container/small_vector.hpp>

#include "cost/compiled.h"
#include "mapping/mapping.h"

namespace sluice::cost {
namespace {

/// Average hops per word and picojoules per word of one tensor in one fan-out.
struct Distance {
  double hops = 0;
  double picojoules = 0;
  double copies = 1;  ///< cells that share one word, on average
};

double PicojoulesFor(double hops, const CompiledLevel& level) {
  return hops * level.hop_pj + level.router_pj * (1 + std::floor(hops));
}

/// Hops inside the columns of a group that spans [low, high] on Y.
double ColumnHops(std::int64_t low, std::int64_t high, double centre) {
  return std::max(0.0, static_cast<double>(high) - centre) +
         std::max(0.0, centre - static_cast<double>(low));
}

/// The loops of one axis of a fan-out, split into those that tell groups apart and those inside a
/// group.
struct AxisLoops {
  std::array<FlatLoop, kMaxDims> apart;
  std::array<std::int64_t, kMaxDims> position;  ///< cells per step of apart[i]
  int count = 0;
  std::int64_t groups = 1;  ///< combinations of the loops apart
  std::int64_t copies = 1;  ///< cells of one group on this axis
  std::int64_t reach = 0;   ///< from the first to the last cell of a group
};

AxisLoops SplitAxis(const CompiledTensor& tensor, const Nest& nest, int begin, int end,
                    bool shared) {
  AxisLoops axis;
  std::int64_t cells = 1;
  for (int i = end - 1; i >= begin; --i) {  // the innermost loop varies fastest
    const FlatLoop& loop = nest.spatial[Index(i)];
    if (!shared || HasBit(tensor.dims, loop.dim)) {
      axis.apart[Index(axis.count)] = loop;
      axis.position[Index(axis.count++)] = cells;
      axis.groups *= loop.bound;
    } else {
      axis.copies *= loop.bound;
      axis.reach += (loop.bound - 1) * cells;
    }
    cells *= loop.bound;
  }
  return axis;
}

/// Groups are products of an X part and a Y part: no enumeration of cells.
Distance ProductDistance(const CompiledTensor& tensor, const CompiledLevel& level, const Nest& nest,
                         int l, bool shared) {
  const AxisLoops x =
      SplitAxis(tensor, nest, nest.spatial_end[Index(l)], nest.spatial_y[Index(l)], shared);
  const AxisLoops y =
      SplitAxis(tensor, nest, nest.spatial_y[Index(l)], nest.spatial_end[Index(l + 1)], shared);
  auto hops = static_cast<double>(x.reach);
  for (int i = 0; i < x.count; ++i) {
    hops += static_cast<double>((x.apart[Index(i)].bound - 1) * x.position[Index(i)]) / 2.0;
  }
  const double centre = static_cast<double>(level.fan_y - 1) / 2.0;
  double columns = 0;
  for (std::int64_t g = 0; g < y.groups; ++g) {
    std::int64_t low = 0;
    std::int64_t rest = g;
    for (int i = 0; i < y.count; ++i) {
      low += rest % y.apart[Index(i)].bound * y.position[Index(i)];
      rest /= y.apart[Index(i)].bound;
    }
    columns += ColumnHops(low, low + y.reach, centre);
  }
  hops += static_cast<double>(x.copies) * columns / static_cast<double>(y.groups);
  return {hops, PicojoulesFor(hops, level), static_cast<double>(x.copies * y.copies)};
}

/// One cell of a fan-out; `offset` tells tiles apart (equal tiles, equal number).
struct Cell {
  std::int64_t offset;
  std::int64_t x;
  std::int64_t y;
  friend auto operator<=>(const Cell&, const Cell&) = default;
};
using CellList = boost::container::small_vector<Cell, 1024>;

/// Drops the cells that lie beyond a dim's bound. `cells` are in loop order, the last loop fastest.
void KeepActive(const Compiled& compiled, const Nest& nest, int l, CellList& cells) {
  std::size_t kept = 0;
  for (std::size_t c = 0; c < cells.size(); ++c) {
    DimArray point{};
    auto rest = static_cast<std::int64_t>(c);
    bool active = true;
    for (int i = nest.spatial_end[Index(l + 1)] - 1; i >= nest.spatial_end[Index(l)]; --i) {
      const FlatLoop& loop = nest.spatial[Index(i)];
      point[Index(loop.dim)] += rest % loop.bound * loop.stride;
      rest /= loop.bound;
      active = active && point[Index(loop.dim)] < compiled.bound[Index(loop.dim)];
    }
    if (active) {
      cells[kept++] = cells[c];
    }
  }
  cells.resize(kept);
}

/// Used cells of the fan-out below level l. Offsets of several axes are packed into one number.
CellList ListCells(const Compiled& compiled, const CompiledTensor& tensor, const Nest& nest, int l,
                   bool shared) {
  std::array<std::int64_t, kMaxAxes> radix{};
  std::int64_t span = 1;
  for (int a = 0; a < tensor.axes; ++a) {
    radix[Index(a)] = span;
    std::int64_t extent = 1;
    for (int i = nest.spatial_end[Index(l)]; i < nest.spatial_end[Index(l + 1)]; ++i) {
      const FlatLoop& loop = nest.spatial[Index(i)];
      extent += tensor.coefficient[Index(a)][Index(loop.dim)] * loop.stride * (loop.bound - 1);
    }
    span *= extent;
  }
  const int begin = nest.spatial_end[Index(l)];
  const int end = nest.spatial_end[Index(l + 1)];
  std::size_t count = 1;
  for (int i = begin; i < end; ++i) {
    count *= static_cast<std::size_t>(nest.spatial[Index(i)].bound);
  }
  CellList cells(count, boost::container::default_init);
  cells[0] = Cell{};
  std::size_t size = 1;
  for (int i = begin; i < end; ++i) {  // every cell becomes `bound` cells, in place from the back
    const FlatLoop& loop = nest.spatial[Index(i)];
    std::int64_t step = 0;
    for (int a = 0; a < tensor.axes; ++a) {
      step += tensor.coefficient[Index(a)][Index(loop.dim)] * loop.stride * radix[Index(a)];
    }
    const std::int64_t on_x = i < nest.spatial_y[Index(l)] ? 1 : 0;
    const auto bound = static_cast<std::size_t>(loop.bound);
    for (std::size_t c = size; c-- > 0;) {
      const Cell from = cells[c];
      const std::int64_t x = on_x != 0 ? from.x * loop.bound : from.x;
      const std::int64_t y = on_x != 0 ? from.y : from.y * loop.bound;
      for (std::int64_t v = loop.bound - 1; v >= 0; --v) {
        cells[c * bound + static_cast<std::size_t>(v)] = {from.offset + v * step, x + v * on_x,
                                                          y + v * (1 - on_x)};
      }
    }
    size *= bound;
  }
  if (nest.ragged) {
    KeepActive(compiled, nest, l, cells);
  }
  if (!shared) {
    for (std::size_t c = 0; c < cells.size(); ++c) {
      cells[c].offset = static_cast<std::int64_t>(c);
    }
  }
  return cells;
}

/// Groups of any shape (diagonals of a window, ragged edges): sort the cells by what they receive.
Distance EnumeratedDistance(const Compiled& compiled, const CompiledTensor& tensor,
                            const CompiledLevel& level, const Nest& nest, int l, bool shared) {
  CellList cells = ListCells(compiled, tensor, nest, l, shared);
  std::ranges::sort(cells);
  const double centre = static_cast<double>(level.fan_y - 1) / 2.0;
  // Groups of one size form a class: a router is passed a whole number of times on its average.
  struct SizeClass {
    std::size_t size = 0;
    double hops = 0;
    double groups = 0;
  };
  boost::container::small_vector<SizeClass, 64> classes;
  double groups = 0;
  for (std::size_t begin = 0; begin < cells.size();) {
    std::size_t end = begin;
    double hops = 0;
    while (end < cells.size() && cells[end].offset == cells[begin].offset) {
      const std::size_t column = end;
      while (end < cells.size() && cells[end].offset == cells[begin].offset &&
             cells[end].x == cells[column].x) {
        ++end;
      }
      hops += ColumnHops(cells[column].y, cells[end - 1].y, centre);
    }
    hops += static_cast<double>(cells[end - 1].x);
    const std::size_t size = end - begin;
    auto it = std::ranges::find_if(classes, [size](const SizeClass& c) { return c.size == size; });
    if (it == classes.end()) {
      classes.push_back({size, 0, 0});
      it = classes.end() - 1;
    }
    it->hops += hops;
    it->groups += 1;
    groups += 1;
    begin = end;
  }
  Distance distance;
  distance.copies = static_cast<double>(cells.size()) / groups;
  for (const SizeClass& c : classes) {
    const double average = c.hops / c.groups;
    distance.hops += c.groups / groups * average;
    distance.picojoules += c.groups / groups * PicojoulesFor(average, level);
  }
  return distance;
}

/// Whether two spatial dims of one fan-out can give equal tiles in a diagonal.
bool HasDiagonals(const CompiledTensor& tensor, const Nest& nest, int l) {
  for (int a = 0; a < tensor.axes; ++a) {
    std::uint32_t dims = 0;
    for (int i = nest.spatial_end[Index(l)]; i < nest.spatial_end[Index(l + 1)]; ++i) {
      const int dim = nest.spatial[Index(i)].dim;
      if (tensor.coefficient[Index(a)][Index(dim)] != 0) {
        dims |= 1U << static_cast<unsigned>(dim);
      }
    }
    if ((dims & (dims - 1)) != 0) {
      return true;
    }
  }
  return false;
}

Distance DistanceOf(const Compiled& compiled, const CompiledTensor& tensor,
                    const CompiledLevel& level, const Nest& nest, int l, bool shared) {
  if (nest.ragged || (shared && HasDiagonals(tensor, nest, l))) {
    return EnumeratedDistance(compiled, tensor, level, nest, l, shared);
  }
  return ProductDistance(tensor, level, nest, l, shared);
}

/// Picojoules of a word on its way, with the additions of partial sums that meet.
double WordPicojoules(const CompiledTensor& tensor, const CompiledLevel& level,
                      const Distance& distance) {
  return distance.picojoules +
         (tensor.is_output ? level.reduction_pj * (distance.copies - 1) : 0.0);
}

}  // namespace

double NetworkWordEnergy(const Compiled& compiled, const Nest& nest, int level, int tensor) {
  const CompiledTensor& of = compiled.tensor[Index(tensor)];
  const CompiledLevel& at = compiled.level[Index(level)];
  const bool shared = of.is_output ? at.reduction : at.multicast;
  return WordPicojoules(of, at, DistanceOf(compiled, of, at, nest, level, shared));
}

void CountNetwork(const Compiled& compiled, const mapping::Mapping& mapping, const Nest& nest,
                  Work& work) {
  for (int t = 0; t < compiled.tensors; ++t) {
    const CompiledTensor& tensor = compiled.tensor[Index(t)];
    int source = 0;
    // Copies of a word that exist below the fan-outs passed so far.
    double spread = 1;
    for (int l = 0; l < compiled.levels; ++l) {
      const CompiledLevel& level = compiled.level[Index(l)];
      if (HasBit(mapping.levels[Index(l)].keep, t)) {
        source = l;
        spread = 1;
      }
      if (level.fan_x * level.fan_y == 1 && level.router_pj == 0) {
        continue;  // no network: nothing travels
      }
      const bool shared = tensor.is_output ? level.reduction : level.multicast;
      const Distance distance = DistanceOf(compiled, tensor, level, nest, l, shared);
      Counters& counters = work.at[Index(source)][Index(t)];
      const double words = static_cast<double>(counters.network_words) * spread;
      counters.hops += words * distance.hops;
      counters.network_pj += words * distance.picojoules;
      if (tensor.is_output && level.reduction_pj > 0) {
        counters.network_pj += level.reduction_pj * static_cast<double>(counters.updates) * spread *
                               (distance.copies - 1);
      }
      spread *= distance.copies;
    }
  }
}

}  // namespace sluice::cost
