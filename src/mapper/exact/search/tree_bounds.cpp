// Bounds of the tree: what the edges into a candidate cost whatever the order of the loops around
// it, and what the labels below a node ask of the levels above.

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

#include "arch/architecture.h"
#include "cost/compiled.h"
#include "mapper/exact/goal.h"
#include "mapper/exact/model/lattice.h"
#include "mapper/exact/model/model.h"
#include "mapper/exact/model/space.h"
#include "mapper/exact/search/labels.h"
#include "mapper/exact/search/tree.h"
#include "mapping/workload.h"

namespace sluice::mapper::exact {
namespace {

using cost::HasBit;
using cost::Index;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

// Bounds that hold whatever the order of the loops around the candidate.
void Tree::Price(const Node& node, const Candidate& candidate, const Labels& labels, Edges& edges) {
  const Lattice& lattice = model_->lattice();
  const Space& space = spaces_->At(node.level)[static_cast<std::size_t>(candidate.space)];
  const int inner = node.level + 1;
  const double copies = node.copies[Index(node.level)] * space.copies;
  const Tile array = lattice.Multiply(candidate.tile, space.factors);
  edges.array = array;
  edges.units = node.units[Index(node.level)] * space.units;
  edges.copies = copies;
  edges.fixed = node.energy;
  edges.loops = 0;
  for (int d = 0; d < lattice.dims(); ++d) {
    edges.factor[Index(d)] = static_cast<double>(lattice.Value(node.tile, d)) /
                             static_cast<double>(lattice.Value(array, d));
    edges.loops |= edges.factor[Index(d)] > 1 ? Bit(d) : 0;
  }
  const auto option = static_cast<std::size_t>(candidate.space);
  const TensorDoubles* least_rates = spaces_->LeastRates(node.level, option);
  edges.placements = least_rates != nullptr ? &spaces_->Placements(node.level, option) : nullptr;
  edges.least = least_rates != nullptr ? *least_rates : TensorDoubles{};
  TensorDoubles price{};
  TensorDoubles merges{};
  for (int t = 0; t < model_->tensors(); ++t) {
    const std::size_t i = Index(t);
    edges.closed[i] = 0;
    edges.open[i] = 0;
    edges.served[i] = 0;
    edges.delivered[i] = 0;
    edges.enter[i] = 0;
    edges.slide[i].fill(1);
    edges.least_edge[i] = 0;
    const double merge = spaces_->Merge(node.level, space, t, candidate.tile);
    const double way =
        spaces_->Rate(node.level, static_cast<std::size_t>(candidate.space), t, merge);
    price[i] = (node.price[i] + way) / merge;
    merges[i] = merge;
    edges.share[i] = LeastShare(node, edges, t);
    if (!HasBit(candidate.keep, t)) {
      continue;
    }
    if (HasBit(model_->joint(), t)) {
      edges.closed[i] = edges.open[i] = node.price[i];
    } else {
      PriceEdge(node, candidate, t, price[i], merge, edges);
      edges.least_edge[i] =
          Compulsory(node.source[i], t) + model_->ChildRate(inner, t) * model_->Touched(t);
    }
    price[i] = model_->ParentRate(inner, t);
  }
  const int output = model_->tensors() - 1;
  const int source = HasBit(candidate.keep, output) ? inner : node.source[Index(output)];
  edges.fixed -=
      model_->ParentRebate(source) * (source == inner ? copies : node.copies[Index(source)]);
  ListInside(node, candidate, labels, price, merges, edges);
}

// The edge of tensor t into a candidate that keeps it. `price`: of a delivered word on its way;
// `merge`: children that one word served reaches.
void Tree::PriceEdge(const Node& node, const Candidate& candidate, int t, double price,
                     double merge, Edges& edges) const {
  const std::size_t i = Index(t);
  const int inner = node.level + 1;
  const double each = price + model_->ChildRate(inner, t);
  const double total = model_->Total(t, candidate.tile);
  const std::uint32_t moving = edges.loops & model_->dims_of(t);
  const bool own = (moving & ~model_->window_dims(t)) != 0;
  edges.served[i] = each > 0 ? 1 / (node.merge[i] * merge * each) : 0;
  edges.delivered[i] = each > 0 ? 1 / each : 0;
  edges.enter[i] = edges.delivered[i] / merge;
  // Delivered words; what the loops outside the array repeat of them is Rest(array).
  edges.closed[i] = each * total * model_->Rest(t, candidate.tile);
  edges.open[i] = edges.closed[i] / model_->Rest(t, edges.array) *
                  (moving != 0 ? model_->Rest(t, node.tile) : 1);
  double least = own ? 1 : kInfinity;
  for (std::uint32_t rest = moving & model_->window_dims(t); rest != 0; rest &= rest - 1) {
    const int d = std::countr_zero(rest);
    edges.slide[i][Index(d)] = model_->SlideFraction(
        t, candidate.tile,
        {node.level, d, edges.array, static_cast<std::int64_t>(edges.factor[Index(d)]), own});
    least = std::min(least, edges.slide[i][Index(d)]);
  }
  if (moving != 0) {
    edges.open[i] *= least;
  } else if (HasBit(model_->windowed(), t)) {
    edges.open[i] =
        std::min(edges.open[i], model_->ParentRate(node.source[i], t) * model_->Touched(t));
  }
  if (model_->any_forwarding() && !model_->IsOutput(t)) {
    edges.open[i] =
        std::min(edges.open[i], model_->ParentRate(node.source[i], t) * model_->Touched(t));
    if (HasBit(model_->windowed(), t)) {
      edges.closed[i] = edges.open[i];
      edges.slide[i].fill(1);
    }
  }
  if (model_->IsOutput(t)) {
    const std::size_t source = Index(node.source[i]);
    edges.fixed -= model_->ParentRebate(node.source[i]) * node.copies[source] +
                   model_->ChildRebate(inner) * edges.copies;
  }
}

// The labels of the candidate's tile in the context of the node. `price`: of a word that tensor t
// asks of what is above the tile.
void Tree::ListInside(const Node& node, const Candidate& candidate, const Labels& labels,
                      const TensorDoubles& price, const TensorDoubles& merges, Edges& edges) const {
  edges.inside.clear();
  for (const Label& label : labels) {
    double energy = label.energy - label.rebate * edges.copies;
    TensorDoubles enter{};
    TensorDoubles asked{};
    TensorDoubles least{};
    for (int t = 0; t < model_->tensors(); ++t) {
      const std::size_t i = Index(t);
      if (HasBit(model_->joint(), t)) {
        continue;
      }
      const int source = HasBit(candidate.keep, t) ? node.level + 1 : node.source[i];
      if (!HasBit(label.open, t)) {
        energy += std::max(Asked(node, candidate.keep, t, label.pend[i], price[i]),
                           Compulsory(source, t));
        enter[i] =
            HasBit(candidate.keep, t) || model_->any_forwarding() ? 0 : label.pend[i] / merges[i];
      } else {
        asked[i] = Asked(node, candidate.keep, t, label.pend[i], price[i]) + label.fill[i];
        least[i] = Compulsory(source, t);
      }
    }
    const double cycles =
        std::max({node.cycles, label.cycles, model_->ComputeCycles(edges.units * label.units)});
    edges.inside.push_back({energy, cycles, enter, asked, least});
  }
}

// Where neighbours pass words on, all children of a fan-out may fetch like one buffer: then only
// compulsory words are certain.
bool Tree::NeighboursMayServe(std::uint32_t keep, int t) const {
  return model_->any_forwarding() && HasBit(model_->windowed(), t) && !model_->IsOutput(t) &&
         !HasBit(keep, t);
}

// What `words` of tensor t cost the levels above a tile that they pass.
double Tree::Asked(const Node& node, std::uint32_t keep, int t, double words, double price) const {
  const double asked = words * price;
  if (!NeighboursMayServe(keep, t)) {
    return asked;
  }
  return std::min(asked, model_->Touched(t) * model_->ParentRate(node.source[Index(t)], t));
}

// An edge that is open when the loops of this level begin can stay open for all its irrelevant
// loops here, and beyond if nothing here moves it. A window may slide: then nothing is certain.
double Tree::LeastShare(const Node& node, const Edges& edges, int t) const {
  const std::uint32_t moving = edges.loops & model_->dims_of(t);
  if (HasBit(model_->joint(), t) || (moving & model_->window_dims(t)) != 0 ||
      (moving == 0 && HasBit(model_->windowed(), t))) {
    return 0;
  }
  const double outside = moving != 0 ? model_->Rest(t, node.tile) : 1;
  return outside / model_->Rest(t, edges.array);
}

double Tree::Bound(const Node& node, const Edges& edges, const TensorDoubles& energy,
                   const TensorDoubles& share) const {
  double sum = edges.fixed;
  double ports = 0;
  for (int t = 0; t < model_->tensors(); ++t) {
    sum += std::max(energy[Index(t)], edges.least_edge[Index(t)]);
  }
  if (goal_->counts_cycles()) {
    ports = PortCycles(node, edges, energy);
  }
  double best = kInfinity;
  for (const Edges::Inside& inside : edges.inside) {
    double further = inside.energy;
    for (int t = 0; t < model_->tensors(); ++t) {
      further += std::max(inside.asked[Index(t)] * share[Index(t)], inside.least[Index(t)]);
    }
    const double cycles = std::max(inside.cycles, ports);
    const double direct = goal_->Value(sum + further, cycles);
    if (edges.placements == nullptr || direct >= std::min(best, goal_->limit())) {
      best = std::min(best, direct);
      continue;
    }
    TensorDoubles words = inside.enter;
    for (int t = 0; t < model_->tensors(); ++t) {
      words[Index(t)] += energy[Index(t)] * edges.enter[Index(t)];
    }
    const double detour = Detour(*edges.placements, edges.least, words, model_->tensors());
    best = std::min(best, goal_->Value(sum + further + detour, cycles));
  }
  return best;
}

double Tree::Detour(const std::vector<Placement>& placements, const TensorDoubles& least,
                    const TensorDoubles& words, int tensors) {
  double best = kInfinity;
  for (const Placement& placement : placements) {
    double sum = 0;
    for (int t = 0; t < tensors; ++t) {
      sum += words[Index(t)] * (placement.rate[Index(t)] - least[Index(t)]);
    }
    best = std::min(best, sum);
  }
  return best;
}

// Cycles of the ports that the edges into a candidate need, on both sides.
double Tree::PortCycles(const Node& node, const Edges& edges, const TensorDoubles& energy) const {
  std::array<double, arch::kMaxLevels> reads = node.reads;
  std::array<double, arch::kMaxLevels> writes = node.writes;
  double filled = 0;
  for (int t = 0; t < model_->tensors(); ++t) {
    const std::size_t i = Index(t);
    const std::size_t source = Index(node.source[i]);
    const double served = energy[i] * edges.served[i];
    if (!model_->IsOutput(t)) {
      reads[source] += served;
      filled += energy[i] * edges.delivered[i];
    } else if (served > 0) {
      writes[source] += served;
      reads[source] += model_->AccumulateReads(node.source[i]) *
                       std::max(0.0, served - model_->Touched(t) * node.copies[source]);
    }
  }
  double cycles = 0;
  for (int l = 0; l <= node.level; ++l) {
    cycles = std::max(
        cycles, model_->PortCycles(l, reads[Index(l)], writes[Index(l)], node.units[Index(l)]));
  }
  const double fills = model_->compiled().level[Index(node.level + 1)].write_bandwidth;
  return fills > 0 ? std::max(cycles, filled / (edges.units * fills)) : cycles;
}

// Any order has a first loop d. It closes the tensors that d is relevant to; the others may at best
// run all their irrelevant loops first, and on into the level above if nothing here moves them.
double Tree::BestOrder(const Node& node, const Edges& edges) const {
  if (edges.loops == 0) {
    return Bound(node, edges, edges.open, edges.share);
  }
  // Most candidates fail even when every edge gets the order it likes best.
  TensorDoubles wishes = edges.open;
  for (int t = 0; t < model_->tensors(); ++t) {
    for (std::uint32_t ds = edges.loops & model_->dims_of(t); ds != 0; ds &= ds - 1) {
      wishes[Index(t)] =
          std::min(wishes[Index(t)],
                   edges.closed[Index(t)] * edges.slide[Index(t)][Index(std::countr_zero(ds))]);
    }
  }
  if (const double bound = Bound(node, edges, wishes, edges.share); bound >= goal_->limit()) {
    return bound;
  }
  double least = kInfinity;
  for (std::uint32_t ds = edges.loops; ds != 0; ds &= ds - 1) {
    const int d = std::countr_zero(ds);
    TensorDoubles energy{};
    TensorDoubles share = edges.share;
    for (int t = 0; t < model_->tensors(); ++t) {
      const std::size_t i = Index(t);
      if (HasBit(model_->dims_of(t) & ~model_->window_dims(t), d)) {
        share[i] = 1;
      }
      energy[i] = HasBit(model_->dims_of(t), d) ? edges.closed[i] * edges.slide[i][Index(d)]
                                                : edges.open[i];
    }
    least = std::min(least, Bound(node, edges, energy, share));
  }
  return least;
}

Tree::Order Tree::Place(const Edges& edges, const Order& order, int dim) const {
  Order next = order;
  next.sequence.push_back(static_cast<std::int8_t>(dim));
  next.rest &= ~Bit(dim);
  for (std::uint32_t ts = order.open; ts != 0; ts &= ts - 1) {
    const int t = std::countr_zero(ts);
    const std::size_t i = Index(t);
    if (!HasBit(model_->dims_of(t), dim)) {
      next.run[i] *= HasBit(order.slid, t) ? 1 : edges.factor[Index(dim)];
      continue;
    }
    if (!HasBit(order.slid, t)) {
      next.energy[i] =
          std::max(edges.open[i], edges.closed[i] * edges.slide[i][Index(dim)] / order.run[i]);
    }
    if (!HasBit(order.slid, t) && !HasBit(model_->window_dims(t), dim)) {
      next.share[i] = 1 / order.run[i];
    }
    if (HasBit(model_->window_dims(t), dim)) {
      next.slid |= Bit(t);
    } else if (!HasBit(model_->joint(), t)) {
      next.open &= ~Bit(t);
    }
  }
  return next;
}

void Tree::ListOrders(const Node& node, const Edges& edges, const Order& order,
                      const std::function<void(const Order&)>& visit) const {
  if (Bound(node, edges, order.energy, order.share) >= goal_->limit()) {
    return;
  }
  const bool all = model_->every_order_counts();
  if (order.rest == 0 || (order.open == 0 && !all)) {
    visit(order);
    return;
  }
  std::uint32_t relevant = 0;
  for (std::uint32_t ts = order.open; ts != 0; ts &= ts - 1) {
    relevant |= model_->dims_of(std::countr_zero(ts));
  }
  std::uint32_t choices = NextLoops(node.level, order.rest);
  if (!all && (order.open & order.slid) == 0 && (choices & ~relevant) != 0) {
    choices = Bit(std::countr_zero(choices & ~relevant));
  }
  for (; choices != 0; choices &= choices - 1) {
    ListOrders(node, edges, Place(edges, order, std::countr_zero(choices)), visit);
  }
}

double Tree::InnerBound(Node& child) {
  const int output = model_->tensors() - 1;
  // How far an edge that is still open runs on in the loops decided, and what closes it.
  struct Closing {
    double run = 1;
    const OuterLoop* loop = nullptr;
    bool own = false;  ///< a loop over a dim of its own follows on the same level
  };
  std::array<Closing, mapping::kMaxTensors> closing;
  for (int t = 0; t < model_->tensors(); ++t) {
    Closing& c = closing[Index(t)];
    for (std::size_t i = child.loops.size(); i-- > 0;) {
      const OuterLoop& loop = child.loops[i];
      if (c.loop != nullptr) {
        c.own = c.own || (loop.loop.level == c.loop->loop.level &&
                          HasBit(model_->dims_of(t) & ~model_->window_dims(t), loop.loop.dim));
        continue;
      }
      if (HasBit(model_->dims_of(t), loop.loop.dim)) {
        c.loop = &loop;
        continue;
      }
      c.run *= static_cast<double>(loop.loop.bound);
    }
  }
  const int source = child.source[Index(output)];
  const double rebate = model_->ParentRebate(source) * child.copies[Index(source)];
  const double copies = child.copies[Index(child.level)];
  const double units = child.units[Index(child.level)];
  double best = kInfinity;
  child.least_energy = kInfinity;
  const auto option = static_cast<std::size_t>(child.space[Index(child.level - 1)]);
  const TensorDoubles* least = spaces_->LeastRates(child.level - 1, option);
  for (const Label& label : inside_->At(child.level, child.tile)) {
    double energy = child.energy + label.energy - label.rebate * copies - rebate;
    TensorDoubles asked{};  // share of pend that is really asked
    for (int t = 0; t < model_->tensors(); ++t) {
      const std::size_t i = Index(t);
      if (HasBit(model_->joint(), t)) {
        continue;
      }
      if (!HasBit(label.open, t)) {
        asked[i] = 1;
        energy += std::max(Asked(child, child.keep, t, label.pend[i], child.price[i]),
                           Compulsory(child.source[i], t));
        continue;
      }
      double share = 1 / closing[i].run;
      const OuterLoop* loop = closing[i].loop;
      if (loop != nullptr && HasBit(model_->window_dims(t), loop->loop.dim)) {
        share *= model_->SlideFraction(
            t, label.child[i],
            {loop->loop.level, loop->loop.dim, loop->before, loop->loop.bound, closing[i].own});
      }
      asked[i] = share;
      energy += std::max(Asked(child, child.keep, t, label.pend[i] * share, child.price[i]) +
                             label.fill[i] * share,
                         Compulsory(child.source[i], t));
    }
    const double cycles =
        std::max({child.cycles, label.cycles, model_->ComputeCycles(units * label.units),
                  PortCycles(child, label, asked)});
    if (least != nullptr) {
      TensorDoubles words = child.enter[Index(child.level - 1)];
      for (int t = 0; t < model_->tensors(); ++t) {
        if (!HasBit(child.keep, t) && !model_->any_forwarding()) {
          words[Index(t)] = label.pend[Index(t)] * asked[Index(t)] /
                            child.merged[Index(child.level - 1)][Index(t)];
        }
      }
      energy +=
          Detour(spaces_->Placements(child.level - 1, option), *least, words, model_->tensors());
    }
    child.least_energy = std::min(child.least_energy, energy);
    best = std::min(best, goal_->Value(energy, cycles));
  }
  return best;
}

// Cycles of the ports of the child's level, and of the levels that feed past it.
double Tree::PortCycles(const Node& child, const Label& label, const TensorDoubles& share) const {
  std::array<double, arch::kMaxLevels> reads = child.reads;
  std::array<double, arch::kMaxLevels> writes = child.writes;
  for (int t = 0; t < model_->tensors(); ++t) {
    const std::size_t source = Index(child.source[Index(t)]);
    double words = label.pend[Index(t)] * share[Index(t)] / child.merge[Index(t)];
    if (NeighboursMayServe(child.keep, t)) {
      words = std::min(words, model_->Touched(t));
    }
    if (!model_->IsOutput(t)) {
      reads[source] += words;
      continue;
    }
    writes[source] += words;
    reads[source] += model_->AccumulateReads(child.source[Index(t)]) *
                     std::max(0.0, words - model_->Touched(t) * child.copies[source]);
  }
  double cycles = 0;
  for (int l = 0; l <= child.level; ++l) {
    cycles = std::max(
        cycles, model_->PortCycles(l, reads[Index(l)], writes[Index(l)], child.units[Index(l)]));
  }
  return cycles;
}

}  // namespace sluice::mapper::exact
