// Bounds of the checker: the edges into a choice, the least cost inside, the simple bound of a
// cell.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "cost/compiled.h"
#include "cost/cost.h"
#include "cost/policy.h"
#include "verify/grid.h"
#include "verify/search.h"

namespace sluice::verify {

using cost::HasBit;
using cost::Index;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
/// Points that a frontier keeps; more are merged into lower bounds of them.
constexpr std::size_t kMaxPoints = 24;

}  // namespace

double Search::Value(double energy, double cycles) const {
  const double total = fixed_ + energy + grid_->leakage() * cycles;
  return objective_ == cost::Objective::kEnergy    ? total
         : objective_ == cost::Objective::kLatency ? cycles
                                                   : total * cycles;
}

Search::Context Search::Below(const Context& above, const Spread& spread, Code tile,
                              std::uint32_t keep) const {
  Context below;
  below.level = above.level + 1;
  below.keep = keep;
  below.units = above.units * spread.units;
  const int output = grid_->tensors() - 1;
  below.copies = above.copies * grid_->Still(output, spread.factors);
  below.saved = above.saved;
  below.outer = above.outer & ~keep;
  const Grid::Rates& rates = grid_->At(below.level);
  for (int t = 0; t < grid_->tensors(); ++t) {
    const double merge = grid_->Merge(above.level, t, spread.factors, tile);
    const bool kept = HasBit(keep, t);
    below.merge[Index(t)] = kept ? 1 : above.merge[Index(t)] * merge;
    below.price[Index(t)] =
        kept ? rates.parent[Index(t)]
             : (above.price[Index(t)] + grid_->Way(above.level, t, merge, spread)) / merge;
  }
  if (HasBit(keep, output)) {
    below.saved = rates.parent_saved * below.copies;
  }
  return below;
}

Search::Edges Search::Price(const Context& context, const Spread& spread, Code tile,
                            std::uint32_t keep) {
  Edges edges;
  edges.tile = tile;
  edges.keep = keep;
  edges.spread = &spread;
  const Code array = grid_->Times(tile, spread.factors);
  const Grid::Rates& rates = grid_->At(context.level + 1);
  for (int t = 0; t < grid_->tensors(); ++t) {
    if (!HasBit(keep, t)) {
      continue;
    }
    const double merge = grid_->Merge(context.level, t, spread.factors, tile);
    const double price =
        (context.price[Index(t)] + grid_->Way(context.level, t, merge, spread)) / merge;
    const double rate = price + rates.child[Index(t)];
    const double total = grid_->Words(t, tile) * grid_->Steps(tile);
    double least = grid_->Touched(t);
    if (grid_->Simple(t)) {
      least = total * grid_->Still(t, array) / grid_->Still(t, grid_->top());
    } else if (!grid_->compiled().tensor[Index(t)].joint) {
      least *= grid_->Still(t, spread.factors);
    }
    least *= grid_->IsOutput(t) ? context.copies : 1;
    edges.closed[Index(t)] = total * rate;
    edges.floor[Index(t)] = least * rate;
    edges.served[Index(t)] = rate > 0 ? 1 / (rate * merge * context.merge[Index(t)]) : 0;
    if (!grid_->Simple(t) && !grid_->IsOutput(t) && grid_->forwards()) {
      // Neighbours may hand words on: only the distinct ones are sure to be read at the parent.
      double read = kInfinity;
      for (int l = 0; l <= context.level; ++l) {
        read = std::min(read, grid_->At(l).parent[Index(t)]);
      }
      edges.closed[Index(t)] = total * rates.child[Index(t)];
      edges.floor[Index(t)] = grid_->Touched(t) * (read + rates.child[Index(t)]);
      edges.served[Index(t)] = 0;
    }
    if (grid_->compiled().tensor[Index(t)].joint) {
      edges.served[Index(t)] = 0;
    }
    if (grid_->IsOutput(t)) {
      edges.constant -=
          context.saved + rates.child_saved * context.copies * grid_->Still(t, spread.factors);
    }
    for (int d = 0; t == windowed_ && d < grid_->dims(); ++d) {
      if (grid_->Moves(t, d)) {
        bool steady = false;
        edges.slide[Index(d)] = grid_->Slide(t, tile, array, d, steady);
        edges.steady |= steady ? 1U << static_cast<unsigned>(d) : 0U;
      }
    }
  }
  return edges;
}

Search::Loops Search::LoopsOf(Code outer, Code inner) const {
  Loops loops;
  loops.still.fill(1);
  for (int d = 0; d < grid_->dims(); ++d) {
    const std::int64_t factor = grid_->Value(outer, d) / grid_->Value(inner, d);
    loops.factor[Index(d)] = static_cast<double>(factor);
    if (factor == 1) {
      continue;
    }
    loops.mask |= 1U << static_cast<unsigned>(d);
    for (int t = 0; t < grid_->tensors(); ++t) {
      if (grid_->Moves(t, d)) {
        loops.moving |= 1U << static_cast<unsigned>(t);
      } else {
        loops.still[Index(t)] *= static_cast<double>(factor);
      }
    }
  }
  return loops;
}

// Least energy of the edge of tensor t when the innermost loop is over `first` (-1: no loops), and
// the loops outside leave it where it is for `run` steps at most.
double Search::Energy(const Edges& edges, const Loops& loops, int t, int first, double run) const {
  const double closed = edges.closed[Index(t)];
  const double floor = edges.floor[Index(t)];
  const bool moved = first >= 0 && grid_->Moves(t, first);
  const bool moving = HasBit(loops.moving, t);
  if (grid_->Simple(t)) {
    const double still = moved ? 1 : loops.still[Index(t)];
    return moving ? closed / still : std::max(floor, closed / (still * run));
  }
  if (t != windowed_ || !moving) {
    return floor;
  }
  double share = 1;
  for (int d = 0; d < grid_->dims(); ++d) {
    if (HasBit(loops.mask, d) && grid_->Moves(t, d) && (!moved || d == first)) {
      const double factor = loops.factor[Index(d)];
      const double slide = edges.slide[Index(d)];
      share = std::min(share, HasBit(edges.steady, d) ? slide : slide * (factor - 1) / factor);
    }
  }
  return std::max(floor, closed / (moved ? 1 : loops.still[Index(t)]) * share);
}

// Only what the objective asks for, so that frontiers stay short.
Search::Point Search::Needed(Point point) const {
  const cost::CompiledLevel& outer = grid_->compiled().level[0];
  if (objective_ == cost::Objective::kEnergy && grid_->leakage() <= 0) {
    return {point.energy, 0, 0, 0};
  }
  return {objective_ == cost::Objective::kLatency ? 0 : point.energy, point.cycles,
          outer.read_bandwidth > 0 ? point.asked : 0, outer.write_bandwidth > 0 ? point.put : 0};
}

// What is outside with these edges: their energy, what the port of the node's level needs, and what
// the outermost level is asked for, past all levels that do not keep a tensor.
Search::Point Search::Sum(const Node& node, const Edges& edges, const PerTensor& energy) const {
  const Context& context = node.context;
  const bool elides = grid_->evaluator().policy().first_read_elision;
  Point sum = node.sum;
  sum.energy += edges.constant;
  double reads = node.drained;
  double writes = node.filled;
  double passed = 0;  // through the fan-out below
  for (int t = 0; t < grid_->tensors(); ++t) {
    if (!HasBit(edges.keep, t)) {
      continue;
    }
    sum.energy += energy[Index(t)];
    const double words = energy[Index(t)] * edges.served[Index(t)];
    const bool here = HasBit(context.keep, t);
    const bool outer = HasBit(context.outer, t);
    double again = 0;  // read in order to add
    if (grid_->IsOutput(t) && (here || outer) && grid_->At(here ? context.level : 0).adds) {
      again =
          std::max(0.0, words - (elides ? grid_->Touched(t) * (outer ? 1 : context.copies) : 0));
    }
    passed += here ? words : 0;
    const double in = grid_->IsOutput(t) ? words : 0;
    const double out = grid_->IsOutput(t) ? again : words;
    if (outer) {
      sum.asked += out;
      sum.put += in;
    } else if (here) {
      reads += out;
      writes += in;
    }
  }
  const cost::CompiledLevel& at = grid_->compiled().level[Index(context.level)];
  if (at.read_bandwidth > 0) {
    sum.cycles = std::max(sum.cycles, reads / (context.units * at.read_bandwidth));
  }
  if (at.write_bandwidth > 0) {
    sum.cycles = std::max(sum.cycles, writes / (context.units * at.write_bandwidth));
  }
  if (at.network_bandwidth > 0) {
    sum.cycles = std::max(sum.cycles, passed / (context.units * at.network_bandwidth));
  }
  return sum;
}

double Search::Total(const Point& outside, const Point& inside) const {
  const cost::CompiledLevel& outer = grid_->compiled().level[0];
  double cycles = std::max(outside.cycles, inside.cycles);
  if (outer.read_bandwidth > 0) {
    cycles = std::max(cycles, (outside.asked + inside.asked) / outer.read_bandwidth);
  }
  if (outer.write_bandwidth > 0) {
    cycles = std::max(cycles, (outside.put + inside.put) / outer.write_bandwidth);
  }
  return Value(outside.energy + inside.energy, cycles);
}

void Search::Add(Frontier& frontier, Point point) {
  for (const Point& other : frontier) {
    if (other.NoWorse(point)) {
      return;
    }
  }
  std::erase_if(frontier, [&point](const Point& other) { return point.NoWorse(other); });
  frontier.push_back(point);
  if (frontier.size() > kMaxPoints) {
    // Neighbours become one point that is no worse than either.
    std::ranges::sort(frontier, [](const Point& a, const Point& b) { return a.energy < b.energy; });
    for (std::size_t i = 0; i + 1 < frontier.size(); ++i) {
      frontier[i].cycles = std::min(frontier[i].cycles, frontier[i + 1].cycles);
      frontier[i].asked = std::min(frontier[i].asked, frontier[i + 1].asked);
      frontier[i].put = std::min(frontier[i].put, frontier[i + 1].put);
      frontier.erase(frontier.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    }
  }
}

// The innermost edge: every operation fetches its operands anew.
Search::Point Search::LastLevel(const Node& node, const Spread& spread) const {
  const Context& context = node.context;
  Edges edges;
  edges.keep = ~0U;
  edges.constant = -context.saved;
  PerTensor energy{};
  for (int t = 0; t < grid_->tensors(); ++t) {
    const double merge = grid_->Merge(context.level, t, spread.factors, 0);
    const double price =
        (context.price[Index(t)] + grid_->Way(context.level, t, merge, spread)) / merge;
    if (grid_->compiled().tensor[Index(t)].joint) {
      energy[Index(t)] = context.price[Index(t)];
      continue;
    }
    energy[Index(t)] = grid_->points() * price;
    edges.served[Index(t)] = price > 0 ? 1 / (price * merge * context.merge[Index(t)]) : 0;
  }
  Point sum = Sum(node, edges, energy);
  sum.cycles = std::max(sum.cycles, grid_->ComputeCycles(context.units * spread.units));
  return sum;
}

void Search::InsideLast(const Context& context, Code tile, Frontier& out) const {
  Node node;
  node.context = context;
  for (const Spread& spread : grid_->Spreads(context.level)) {
    if (grid_->Divides(spread.factors, tile) &&
        grid_->LoopsAllowed(context.level, tile, spread.factors)) {
      const Point point = LastLevel(node, spread);
      if (Total(point, {}) < limit_) {
        Add(out, Needed(point));
      }
    }
  }
}

// Least energy and cycles of everything below a level that holds `tile`, whatever is outside.
const Search::Frontier& Search::Inside(const Context& context, Code tile) {
  const auto number =
      contexts_.try_emplace(context, static_cast<std::int32_t>(contexts_.size())).first->second;
  const auto [place, fresh] = inside_.try_emplace((static_cast<std::int64_t>(number) << 32) + tile);
  Frontier& frontier = place->second;  // stays where it is when others are added
  if (!fresh || late_) {
    return frontier;
  }
  if (context.level == grid_->levels() - 1) {
    InsideLast(context, tile, frontier);
    return frontier;
  }
  Frontier found;
  Node node;
  node.context = context;
  const Options& options = OptionsOf(context);
  for (std::size_t g = 0; g < options.groups.size() && !Late(); ++g) {
    const Code array = options.arrays[g];
    if (array > tile || !grid_->Divides(array, tile) ||
        !grid_->LoopsAllowed(context.level, tile, array)) {
      continue;
    }
    const Loops loops = LoopsOf(tile, array);
    for (const Edges& edges : options.groups[g].best) {
      AddOrders(node, edges, loops, found);
    }
  }
  return inside_.at((static_cast<std::int64_t>(number) << 32) + tile) = std::move(found);
}

// These edges with what is inside of them, for every loop that may be innermost.
void Search::AddOrders(const Node& node, const Edges& edges, const Loops& loops,
                       Frontier& found) const {
  std::uint32_t ds = loops.mask;
  do {
    const int first = ds == 0 ? -1 : std::countr_zero(ds);
    ds &= ds - 1U;
    PerTensor energy{};
    for (int t = 0; t < grid_->tensors(); ++t) {
      if (HasBit(edges.keep, t)) {
        energy[Index(t)] = Energy(edges, loops, t, first, kInfinity);
      }
    }
    const Point sum = Sum(node, edges, energy);
    for (const Point& point : *edges.inside) {
      if (Total(sum, point) < limit_) {
        Add(found, Needed({sum.energy + point.energy, std::max(sum.cycles, point.cycles),
                           sum.asked + point.asked, sum.put + point.put}));
      }
    }
  } while (ds != 0);
}

// What docs/certificates.md calls the simple bound: compulsory traffic between levels 0 and 1, and
// for each operand of each operation one word from the cheapest memory inside.
double Search::SimpleBound(Code tile, const Spread& spread, std::uint32_t keep) const {
  const Code array = grid_->Times(tile, spread.factors);
  const Loops loops = LoopsOf(grid_->top(), array);
  const int output = grid_->tensors() - 1;
  double inner = 0;
  for (int t = 0; t < grid_->tensors(); ++t) {
    double least = kInfinity;
    for (int l = HasBit(keep, t) ? 1 : 0; l < grid_->levels(); ++l) {
      if (l > 0 && !HasBit(grid_->May(l), t)) {
        continue;
      }
      const Grid::Rates& at = grid_->At(l);
      const double feeds = grid_->points() / grid_->UnitsBelow(l) * at.parent[Index(t)];
      const double copies = grid_->UnitsBelow(0) / grid_->UnitsBelow(l);
      least = std::min(least, feeds - (t == output ? at.parent_saved * copies : 0));
    }
    inner += grid_->compiled().tensor[Index(t)].joint ? 0 : std::max(0.0, least);
  }
  if (HasBit(keep, output)) {
    inner -=
        grid_->At(0).parent_saved + grid_->At(1).child_saved * grid_->Still(output, spread.factors);
  }
  double best = kInfinity;
  std::uint32_t ds = loops.mask;
  do {
    const int first = ds == 0 ? -1 : std::countr_zero(ds);
    ds &= ds - 1U;
    double energy = inner;
    double reads = 0;
    double writes = 0;
    for (int t = 0; t < grid_->tensors(); ++t) {
      if (!HasBit(keep, t)) {
        continue;
      }
      double words = grid_->Touched(t);
      double merge = 1;
      if (grid_->Simple(t)) {
        const bool moved = first >= 0 && grid_->Moves(t, first);
        words = grid_->Words(t, tile) * grid_->Steps(tile) / (moved ? 1 : loops.still[Index(t)]);
        merge = grid_->Merge(0, t, spread.factors, tile);
      }
      energy += words * (grid_->At(0).parent[Index(t)] / merge + grid_->At(1).child[Index(t)]);
      (t == output ? writes : reads) += words / merge;
    }
    const cost::CompiledLevel& at = grid_->compiled().level[0];
    const double cycles = std::max({grid_->ComputeCycles(spread.units * grid_->UnitsBelow(1)),
                                    at.read_bandwidth > 0 ? reads / at.read_bandwidth : 0.0,
                                    at.write_bandwidth > 0 ? writes / at.write_bandwidth : 0.0});
    best = std::min(best, Value(energy, cycles));
  } while (ds != 0);
  return best;
}

}  // namespace sluice::verify
