#include "verify/search.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "cost/compiled.h"
#include "cost/cost.h"
#include "mapping/constraints.h"
#include "mapping/mapping.h"
#include "verify/grid.h"
#include "verify/verify.h"

namespace sluice::verify {

using cost::HasBit;
using cost::Index;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

constexpr std::uint32_t Bit(int i) {
  return 1U << static_cast<unsigned>(i);
}

}  // namespace

Search::Search(const Grid& grid, cost::Objective objective, double limit, const Limits& limits)
    : grid_(&grid), objective_(objective), limit_(limit), limits_(&limits) {
  fixed_ = grid.points() * grid.compiled().compute_pj_per_point;
  for (int t = 0; t < grid.tensors() && windowed_ < 0; ++t) {
    if (!grid.Simple(t) && !grid.compiled().tensor[Index(t)].joint) {
      windowed_ = t;
    }
  }
}

bool Search::Late() {
  if (!late_ && (++ticks_ & 0x3F) == 0) {
    late_ = (limits_->stop != nullptr && limits_->stop->load(std::memory_order_relaxed)) ||
            (limits_->seconds < kInfinity &&
             std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count() >
                 limits_->seconds);
  }
  return late_;
}

void Search::ForEachChoice(int level, const std::function<void(Code, std::uint32_t)>& visit) const {
  const std::uint32_t must = grid_->Must(level);
  const std::uint32_t free = grid_->May(level) & ~must;
  for (Code tile = 0; tile < grid_->size(); ++tile) {
    for (std::uint32_t chosen = free;; chosen = (chosen - 1) & free) {
      if (grid_->Fits(level, must | chosen, tile)) {
        visit(tile, must | chosen);
      }
      if (chosen == 0) {
        break;
      }
    }
  }
}

std::vector<Search::Cell> Search::ListCells(double limit) {
  std::vector<Cell> cells;
  ForEachChoice(1, [&](Code tile, std::uint32_t keep) {
    for (const Spread& spread : grid_->Spreads(0)) {
      if (Late()) {
        return;
      }
      const Code array = grid_->Times(tile, spread.factors);
      if (array < 0 || !grid_->LoopsAllowed(0, grid_->top(), array)) {
        continue;
      }
      ++nodes_;
      const double bound = SimpleBound(tile, spread, keep);
      if (bound < limit) {
        cells.push_back({tile, &spread, keep, bound});
      }
    }
  });
  std::ranges::stable_sort(cells, [](const Cell& a, const Cell& b) { return a.bound < b.bound; });
  return cells;
}

Search::Node Search::Root() const {
  Node root;
  root.context.keep = (1U << static_cast<unsigned>(grid_->tensors())) - 1U;
  root.context.price = grid_->At(0).parent;
  root.context.merge.fill(1);
  root.context.outer = root.context.keep;
  root.context.saved = grid_->At(0).parent_saved;
  root.tile = grid_->top();
  root.run.fill(1);
  return root;
}

void Search::Open(const Cell* cell) {
  const Node root = Root();
  choice_[0].tile = root.tile;
  choice_[0].keep = root.context.keep;
  if (cell == nullptr) {
    Expand(root);
    return;
  }
  Edges edges = Price(root.context, *cell->spread, cell->tile, cell->keep);
  edges.inside = &Inside(Below(root.context, *cell->spread, cell->tile, cell->keep), cell->tile);
  Try(root, edges, LoopsOf(root.tile, grid_->Times(cell->tile, cell->spread->factors)));
}

// Whether a can stand for b when both have the same loops around them.
bool Search::Dominates(const Edges& a, const Edges& b) const {
  for (int t = 0; t < grid_->tensors(); ++t) {
    const std::size_t i = Index(t);
    if (a.closed[i] > b.closed[i] || a.floor[i] > b.floor[i] || a.served[i] > b.served[i]) {
      return false;
    }
    for (int d = 0; t == windowed_ && d < grid_->dims(); ++d) {
      if (a.closed[i] * a.slide[Index(d)] > b.closed[i] * b.slide[Index(d)]) {
        return false;
      }
    }
  }
  if ((a.steady & ~b.steady) != 0) {
    return false;
  }
  return std::ranges::all_of(*b.inside, [&](const Point& there) {
    return std::ranges::any_of(*a.inside, [&](Point here) {
      here.energy += a.constant - b.constant;
      return here.NoWorse(there);
    });
  });
}

const Search::Options& Search::OptionsOf(const Context& context) {
  const auto number = static_cast<std::size_t>(
      contexts_.try_emplace(context, static_cast<std::int32_t>(contexts_.size())).first->second);
  while (options_.size() <= number) {
    options_.emplace_back();
  }
  std::optional<Options>& known = options_[number];
  if (known) {
    return *known;
  }
  Options options;
  std::unordered_map<Code, std::size_t> group_of;
  ForEachChoice(context.level + 1, [&](Code tile, std::uint32_t keep) {
    for (const Spread& spread : grid_->Spreads(context.level)) {
      if (Late()) {
        return;
      }
      const Code array = grid_->Times(tile, spread.factors);
      if (array < 0) {
        continue;
      }
      ++nodes_;
      Edges edges = Price(context, spread, tile, keep);
      Point least;
      least.energy = edges.constant;
      for (int t = 0; t < grid_->tensors(); ++t) {
        least.energy += edges.floor[Index(t)];
      }
      edges.inside = &Inside(Below(context, spread, tile, keep), tile);
      if (std::ranges::none_of(*edges.inside,
                               [&](const Point& point) { return Total(least, point) < limit_; })) {
        continue;
      }
      const auto [place, fresh] = group_of.try_emplace(array, options.groups.size());
      if (fresh) {
        options.arrays.push_back(array);
        options.groups.emplace_back();
      }
      Group& group = options.groups[place->second];
      if (std::ranges::any_of(group.best,
                              [&](const Edges& other) { return Dominates(other, edges); })) {
        group.dominated.push_back({tile, keep, &spread});
        continue;
      }
      std::erase_if(group.best, [&](const Edges& other) {
        if (!Dominates(edges, other)) {
          return false;
        }
        group.dominated.push_back({other.tile, other.keep, other.spread});
        return true;
      });
      group.best.push_back(edges);
    }
  });
  return options_[number].emplace(std::move(options));
}

void Search::Expand(const Node& node) {
  const int level = node.context.level;
  if (level == grid_->levels() - 1) {
    for (const Spread& spread : grid_->Spreads(level)) {
      if (better_ || Late() || !grid_->Divides(spread.factors, node.tile) ||
          !grid_->LoopsAllowed(level, node.tile, spread.factors)) {
        continue;
      }
      ++nodes_;
      if (Total(LastLevel(node, spread), {}) < limit_) {
        choice_[Index(level)].spread = &spread;
        choice_[Index(level)].first = ~0U;
        Finish(node);
      }
    }
    return;
  }
  const Options& options = OptionsOf(node.context);
  for (std::size_t g = 0; g < options.groups.size() && !better_ && !Late(); ++g) {
    const Code array = options.arrays[g];
    if (array > node.tile || !grid_->Divides(array, node.tile) ||
        !grid_->LoopsAllowed(level, node.tile, array)) {
      continue;
    }
    const Loops loops = LoopsOf(node.tile, array);
    const Group& group = options.groups[g];
    bool open = false;
    for (const Edges& edges : group.best) {
      open = Try(node, edges, loops) || open;
    }
    for (std::size_t i = 0; open && i < group.dominated.size() && !better_ && !Late(); ++i) {
      const Leftover& other = group.dominated[i];
      Edges edges = Price(node.context, *other.spread, other.tile, other.keep);
      edges.inside =
          &Inside(Below(node.context, *other.spread, other.tile, other.keep), other.tile);
      Try(node, edges, loops);
    }
  }
}

// False when no order of the loops leaves anything below the limit; otherwise what is left is
// searched.
bool Search::Try(const Node& node, const Edges& edges, const Loops& loops) {
  struct Way {
    PerTensor energy{};
    PerTensor run{};
    Point sum;
    std::uint32_t first = 0;
  };
  std::vector<Way> ways;
  std::uint32_t ds = loops.mask;
  do {
    const int first = ds == 0 ? -1 : std::countr_zero(ds);
    ds &= ds - 1U;
    ++nodes_;
    Way way;
    way.first = first < 0 ? 0 : Bit(first);
    for (int t = 0; t < grid_->tensors(); ++t) {
      const std::size_t i = Index(t);
      const bool moved = first >= 0 && grid_->Moves(t, first);
      way.run[i] = moved ? 1 : loops.still[i] * (HasBit(loops.moving, t) ? 1 : node.run[i]);
      way.energy[i] = HasBit(edges.keep, t) ? Energy(edges, loops, t, first, node.run[i]) : 0;
    }
    way.sum = Sum(node, edges, way.energy);
    if (std::ranges::none_of(*edges.inside,
                             [&](const Point& point) { return Total(way.sum, point) < limit_; })) {
      continue;
    }
    const auto same = std::ranges::find_if(
        ways, [&](const Way& other) { return other.energy == way.energy && other.run == way.run; });
    if (same == ways.end()) {
      ways.push_back(way);
    } else {
      same->first |= way.first;
    }
  } while (ds != 0);
  const int level = node.context.level;
  for (const Way& way : ways) {
    if (better_ || Late()) {
      break;
    }
    Node child;
    child.context = Below(node.context, *edges.spread, edges.tile, edges.keep);
    child.tile = edges.tile;
    child.sum = way.sum;
    child.run = way.run;
    for (int t = 0; t < grid_->tensors(); ++t) {
      const std::size_t i = Index(t);
      const double words = edges.served[i] > 0
                               ? way.energy[i] / edges.closed[i] * grid_->Words(t, edges.tile) *
                                     grid_->Steps(edges.tile)
                               : 0;
      if (!grid_->IsOutput(t)) {
        child.filled += words;
      } else if (grid_->evaluator().policy().child_read_on_drain) {
        child.drained += words;
      }
    }
    choice_[Index(level)].spread = edges.spread;
    choice_[Index(level)].first = way.first;
    choice_[Index(level + 1)].tile = edges.tile;
    choice_[Index(level + 1)].keep = edges.keep;
    Expand(child);
  }
  return !ways.empty();
}

// All mappings with the choices made: the orders of each level's loops, and the places of units.
void Search::Finish(const Node& node) {
  mapping::Mapping mapping;
  mapping.levels.resize(Index(grid_->levels()));
  for (int l = 0; l < grid_->levels(); ++l) {
    const Choice& choice = choice_[Index(l)];
    mapping.levels[Index(l)].keep = choice.keep;
    const Code inner = l == node.context.level
                           ? choice.spread->factors
                           : grid_->Times(choice_[Index(l + 1)].tile, choice.spread->factors);
    orders_[Index(l)].clear();
    Orders(l, choice.tile, inner, choice.first, orders_[Index(l)]);
  }
  Evaluate(0, mapping);
}

void Search::Orders(int level, Code outer, Code inner, std::uint32_t first,
                    std::vector<Order>& out) const {
  const Loops loops = LoopsOf(outer, inner);
  // No tile lies below the innermost level: its loops are in any order.
  const bool last = level == grid_->levels() - 1;
  bool free = !grid_->Ordered(level);
  for (int t = 0; t < grid_->tensors(); ++t) {
    free = free && (last || !grid_->compiled().tensor[Index(t)].joint);
  }
  Order order;
  Extend({.dims = loops.mask, .open = last ? 0 : loops.moving}, first, free, order, out);
}

// What is left once the next loop is over d.
Search::Remaining Search::After(const Remaining& remaining, int d) const {
  Remaining next = remaining;
  next.dims &= ~Bit(d);
  for (std::uint32_t ts = remaining.open; ts != 0; ts &= ts - 1U) {
    const int t = std::countr_zero(ts);
    if (!grid_->Moves(t, d)) {
      continue;
    }
    if (grid_->Simple(t) || HasBit(grid_->compiled().tensor[Index(t)].single_dims, d)) {
      next.open &= ~Bit(t);
    } else {
      next.slid |= Bit(t);
    }
  }
  return next;
}

void Search::Extend(Remaining remaining, std::uint32_t first, bool free, Order& order,
                    std::vector<Order>& out) const {
  auto& [rest, open, slid] = remaining;
  std::uint32_t moving = 0;  // dims that move a tensor whose count is not settled
  for (std::uint32_t ts = open; ts != 0; ts &= ts - 1U) {
    const std::uint32_t dims = grid_->compiled().tensor[Index(std::countr_zero(ts))].dims & rest;
    moving |= dims;
    open &= dims == 0 ? ~(ts & (~ts + 1U)) : ~0U;
  }
  std::uint32_t choices = order.empty() ? rest & first : rest;
  if (rest == 0 || (free && open == 0 && choices != 0)) {
    const std::size_t placed = order.size();
    if (rest != 0) {
      order.push_back(std::countr_zero(choices));
      rest &= ~Bit(order.back());
    }
    for (; rest != 0; rest &= rest - 1U) {
      order.push_back(std::countr_zero(rest));
    }
    out.push_back(order);
    order.resize(placed);
    return;
  }
  if (free && !order.empty() && (open & slid) == 0 && (choices & ~moving) != 0) {
    choices = Bit(std::countr_zero(choices & ~moving));
  }
  for (; choices != 0; choices &= choices - 1U) {
    const int d = std::countr_zero(choices);
    order.push_back(d);
    Extend(After(remaining, d), first, free, order, out);
    order.pop_back();
  }
}

void Search::Evaluate(int level, mapping::Mapping& mapping) {
  if (level == grid_->levels()) {
    Place(0, mapping);
    return;
  }
  const Choice& choice = choice_[Index(level)];
  const bool last = level == grid_->levels() - 1;
  const Code inner = last ? choice.spread->factors
                          : grid_->Times(choice_[Index(level + 1)].tile, choice.spread->factors);
  for (const Order& order : orders_[Index(level)]) {
    if (better_ || Late()) {
      return;
    }
    mapping::LoopList& loops = mapping.levels[Index(level)].temporal;
    loops.clear();
    for (std::size_t i = order.size(); i-- > 0;) {
      loops.push_back(mapping::PerfectLoop(
          order[i], grid_->Value(choice.tile, order[i]) / grid_->Value(inner, order[i])));
    }
    Evaluate(level + 1, mapping);
  }
}

void Search::Place(int level, mapping::Mapping& mapping) {
  if (level == grid_->levels()) {
    ++mappings_;
    const cost::Evaluator& evaluator = grid_->evaluator();
    if (!evaluator.IsValid(mapping) ||
        (grid_->constraints() != nullptr &&
         !Satisfies(*grid_->constraints(), evaluator.workload(), mapping))) {
      return;
    }
    const cost::Score score = evaluator.Evaluate(mapping);
    if (score.value(objective_) < limit_) {
      better_ = mapping;
      better_score_ = score;
    }
    return;
  }
  mapping::LevelMapping& at = mapping.levels[Index(level)];
  for (const Spread::Axes& axes : choice_[Index(level)].spread->axes) {
    if (better_ || Late()) {
      return;
    }
    at.spatial_x = axes.x;
    at.spatial_y = axes.y;
    Place(level + 1, mapping);
  }
}

}  // namespace sluice::verify
