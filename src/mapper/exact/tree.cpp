#include "mapper/exact/tree.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <tuple>
#include <utility>
#include <vector>

#include "cost/axis_set.h"
#include "cost/compiled.h"
#include "cost/moves.h"
#include "mapper/exact/goal.h"
#include "mapper/exact/labels.h"
#include "mapper/exact/lattice.h"
#include "mapper/exact/model.h"
#include "mapper/exact/space.h"
#include "mapping/mapping.h"

namespace sluice::mapper::exact {
namespace {

using cost::HasBit;
using cost::Index;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

constexpr std::uint32_t Bit(int i) {
  return 1U << static_cast<unsigned>(i);
}

}  // namespace

Tree::Tree(const Model& model, Spaces& spaces, const CostToGo& inside, const Goal& goal,
           Evaluate evaluate, std::function<bool()> stop, std::int64_t most_work)
    : model_(&model),
      spaces_(&spaces),
      inside_(&inside),
      goal_(&goal),
      evaluate_(std::move(evaluate)),
      stop_(std::move(stop)),
      most_work_(most_work) {}

bool Tree::Count() {
  ++counts_.nodes;
  stopped_ = stopped_ || counts_.nodes + 2 * counts_.leaves >= most_work_;
  return !stopped_;
}

bool Tree::Stopped() {
  stopped_ = stopped_ || stop_();
  return stopped_;
}

Tree::Node Tree::Root() const {
  Node node;
  node.tile = model_->lattice().top();
  node.keep = model_->all_tensors();
  node.energy = model_->FixedEnergy();
  node.least_energy = node.energy;
  node.units[0] = 1;
  node.copies[0] = 1;
  node.merge.fill(1);
  for (int t = 0; t < model_->tensors(); ++t) {
    node.price[Index(t)] = model_->ParentRate(0, t);
  }
  node.mapping.levels.resize(Index(model_->levels()));
  for (auto& level : node.mapping.levels) {
    level.keep = 0;
  }
  node.mapping.levels[0].keep = node.keep;
  return node;
}

bool Tree::Run() {
  open_bound_ = 0;
  return Expand(Root());
}

bool Tree::Expand(const Node& node) {
  if (Stopped()) {
    return false;
  }
  if (node.level == model_->levels() - 1) {
    Leaves(node);
    return !stopped_;
  }
  std::vector<Candidate> candidates;
  ListCandidates(node, candidates);
  std::ranges::sort(candidates, [](const Candidate& a, const Candidate& b) {
    return std::tuple(a.bound, a.tile, a.space, a.keep) <
           std::tuple(b.bound, b.tile, b.space, b.keep);
  });
  Edges edges;
  for (const Candidate& candidate : candidates) {
    if (node.level == 0) {
      open_bound_ = std::max(open_bound_, candidate.bound);
    }
    if (candidate.bound >= goal_->limit()) {
      break;
    }
    if (Stopped()) {
      return false;
    }
    Price(node, candidate, edges);
    std::vector<std::pair<double, Node>> children;
    Node child = node;
    Order none;
    none.rest = edges.loops;
    none.open = model_->all_tensors();
    none.energy = edges.open;
    none.run.fill(1);
    none.share = edges.share;
    ListOrders(node, edges, none, [&](const Order& order) {
      if (!Count()) {
        return;
      }
      Descend(node, candidate, edges, order, child);
      const double bound = InnerBound(child);
      if (bound >= goal_->limit()) {
        ++counts_.pruned;
        return;
      }
      children.emplace_back(bound, child);
    });
    std::ranges::stable_sort(children,
                             [](const auto& x, const auto& y) { return x.first < y.first; });
    for (const auto& [bound, next] : children) {
      if (bound >= goal_->limit()) {
        break;
      }
      if (!Expand(next)) {
        return false;
      }
    }
  }
  if (stopped_) {
    return false;
  }
  if (node.level == 0) {
    open_bound_ = kInfinity;
  }
  return true;
}

bool Tree::AllowsLoops(int level, Tile tile, Tile inside, Tile factors) const {
  if (model_->Rules(level) == nullptr) {
    return true;
  }
  const Lattice& lattice = model_->lattice();
  const Tile array = lattice.Multiply(inside, factors);
  for (int d = 0; d < lattice.dims(); ++d) {
    if (!model_->Allows(level, mapping::LoopKind::kTemporal, d,
                        lattice.Value(tile, d) / lattice.Value(array, d))) {
      return false;
    }
  }
  return true;
}

// Which loops may come next, from the inside, when those of `rest` are left.
std::uint32_t Tree::NextLoops(int level, std::uint32_t rest) const {
  const mapping::Constraints::Level* rules = model_->Rules(level);
  if (rules == nullptr) {
    return rest;
  }
  for (const std::uint8_t d : rules->innermost) {
    if (HasBit(rest, d)) {
      return Bit(d);
    }
  }
  std::uint32_t free = rest;
  std::uint32_t last = 0;
  for (const std::uint8_t d : rules->outermost) {
    if (HasBit(rest, d)) {
      free &= ~Bit(d);
      last = Bit(d);  // the innermost of those that must be outside
    }
  }
  return free != 0 ? free : last;
}

void Tree::ListCandidates(const Node& node, std::vector<Candidate>& out) {
  const Lattice& lattice = model_->lattice();
  const int inner = node.level + 1;
  const std::uint32_t must = model_->MustKeep(inner);
  const std::vector<Space>& spaces = spaces_->At(node.level);
  std::vector<std::int32_t> fitting;
  double below = 1;
  for (int l = inner; l < model_->levels(); ++l) {
    const auto& limits = model_->evaluator().validity().levels[Index(l)];
    below *= static_cast<double>(limits.x * limits.y);
  }
  for (std::size_t s = 0; s < spaces.size(); ++s) {
    const double units = node.units[Index(node.level)] * spaces[s].units * below;
    if (goal_->Hopeless(node.least_energy, model_->ComputeCycles(units))) {
      break;  // options come by falling units
    }
    if (lattice.Divides(spaces[s].factors, node.tile)) {
      fitting.push_back(static_cast<std::int32_t>(s));
    }
  }
  for (Tile x = 0; x <= node.tile; ++x) {
    if (inside_->At(inner, x).empty() || !lattice.Divides(x, node.tile)) {
      continue;
    }
    const Tile room = lattice.Quotient(node.tile, x);
    for (const std::int32_t s : fitting) {
      const Tile factors = spaces[static_cast<std::size_t>(s)].factors;
      if (factors > room || !lattice.Divides(factors, room)) {
        continue;
      }
      if (!AllowsLoops(node.level, node.tile, x, factors)) {
        continue;
      }
      const std::uint32_t free = model_->MayKeep(inner) & ~must;
      for (std::uint32_t chosen = free;; chosen = (chosen - 1) & free) {
        const std::uint32_t keep = must | chosen;
        if (model_->Fits(inner, keep, x)) {
          Candidate candidate = {0, x, s, keep};
          Price(node, candidate, scratch_);
          candidate.bound = BestOrder(node, scratch_);
          if (candidate.bound < goal_->limit()) {
            out.push_back(candidate);
          }
        }
        if (chosen == 0) {
          break;
        }
      }
    }
  }
}

// Bounds that hold whatever the order of the loops around the candidate.
void Tree::Price(const Node& node, const Candidate& candidate, Edges& edges) {
  const Lattice& lattice = model_->lattice();
  const Space& space = spaces_->At(node.level)[static_cast<std::size_t>(candidate.space)];
  const int inner = node.level + 1;
  const double units = node.units[Index(node.level)] * space.units;
  const double copies = node.copies[Index(node.level)] * space.copies;
  const Tile array = lattice.Multiply(candidate.tile, space.factors);
  edges.array = array;
  edges.units = units;
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
    merges[i] = 1;
    edges.slide[i].fill(1);
    const double merge = HasBit(space.collides, t)
                             ? model_->Merge(node.level, t, space.factors, candidate.tile)
                             : space.merge[i];
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
      price[i] = model_->ParentRate(inner, t);
      continue;
    }
    const double each = price[i] + model_->ChildRate(inner, t);
    const double total = model_->Total(t, candidate.tile);
    const std::uint32_t moving = edges.loops & model_->dims_of(t);
    const bool own = (moving & ~model_->window_dims(t)) != 0;
    edges.served[i] = each > 0 ? 1 / (node.merge[i] * merge * each) : 0;
    edges.delivered[i] = each > 0 ? 1 / each : 0;
    edges.enter[i] = edges.delivered[i] / merge;
    // Delivered words; what the loops outside the array repeat of them is Rest(array).
    edges.closed[i] = each * total * model_->Rest(t, candidate.tile);
    edges.open[i] =
        edges.closed[i] / model_->Rest(t, array) * (moving != 0 ? model_->Rest(t, node.tile) : 1);
    double least = own ? 1 : kInfinity;
    for (std::uint32_t rest = moving & model_->window_dims(t); rest != 0; rest &= rest - 1) {
      const int d = std::countr_zero(rest);
      edges.slide[i][Index(d)] = model_->SlideFraction(
          t, candidate.tile, array, d, static_cast<std::int64_t>(edges.factor[Index(d)]), own);
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
                     model_->ChildRebate(inner) * copies;
    }
    price[i] = model_->ParentRate(inner, t);
  }
  const int output = model_->tensors() - 1;
  const int source = HasBit(candidate.keep, output) ? inner : node.source[Index(output)];
  edges.fixed -=
      model_->ParentRebate(source) * (source == inner ? copies : node.copies[Index(source)]);
  edges.inside.clear();
  for (const Label& label : inside_->At(inner, candidate.tile)) {
    double energy = label.energy - label.rebate * copies;
    TensorDoubles enter{};
    TensorDoubles asked{};
    for (int t = 0; t < model_->tensors(); ++t) {
      const std::size_t i = Index(t);
      if (HasBit(model_->joint(), t)) {
        continue;
      }
      if (!HasBit(label.open, t)) {
        energy += Asked(node, candidate.keep, t, label.pend[i], price[i]);
        enter[i] =
            HasBit(candidate.keep, t) || model_->any_forwarding() ? 0 : label.pend[i] / merges[i];
      } else {
        asked[i] = Asked(node, candidate.keep, t, label.pend[i], price[i]) + label.fill[i];
      }
    }
    const double cycles =
        std::max({node.cycles, label.cycles, model_->ComputeCycles(units * label.units)});
    edges.inside.push_back({energy, cycles, enter, asked});
  }
}

// What `words` of tensor t cost the levels above a tile that they pass. Where neighbours pass words
// on, all children of a fan-out may fetch like one buffer: then only compulsory words are certain.
double Tree::Asked(const Node& node, std::uint32_t keep, int t, double words, double price) const {
  const double asked = words * price;
  if (HasBit(keep, t) || !HasBit(model_->windowed(), t) || model_->IsOutput(t) ||
      !model_->any_forwarding()) {
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
    sum += energy[Index(t)];
  }
  if (goal_->counts_cycles()) {
    ports = PortCycles(node, edges, energy);
  }
  double best = kInfinity;
  for (const Edges::Inside& inside : edges.inside) {
    double further = inside.energy;
    for (int t = 0; t < model_->tensors(); ++t) {
      further += inside.asked[Index(t)] * share[Index(t)];
    }
    double detour = 0;
    if (edges.placements != nullptr) {
      TensorDoubles words = inside.enter;
      for (int t = 0; t < model_->tensors(); ++t) {
        words[Index(t)] += energy[Index(t)] * edges.enter[Index(t)];
      }
      detour = Detour(*edges.placements, edges.least, words, model_->tensors());
    }
    best = std::min(best, goal_->Value(sum + further + detour, std::max(inside.cycles, ports)));
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

// Words that enter each fan-out between the tensor's source and its child.
void Tree::BookWords(Node& node, int t, double delivered, int child) const {
  double words = delivered;
  for (int l = child - 1; l >= node.source[Index(t)]; --l) {
    words /= node.merged[Index(l)][Index(t)];
    node.enter[Index(l)][Index(t)] = words;
  }
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
    const cost::CompiledLevel& at = model_->compiled().level[Index(l)];
    const double ports = node.units[Index(l)];
    if (at.read_bandwidth > 0) {
      cycles = std::max(cycles, reads[Index(l)] / (ports * at.read_bandwidth));
    }
    if (at.write_bandwidth > 0) {
      cycles = std::max(cycles, writes[Index(l)] / (ports * at.write_bandwidth));
    }
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
  if (order.rest == 0 || order.open == 0) {
    visit(order);
    return;
  }
  std::uint32_t relevant = 0;
  for (std::uint32_t ts = order.open; ts != 0; ts &= ts - 1) {
    relevant |= model_->dims_of(std::countr_zero(ts));
  }
  std::uint32_t choices = NextLoops(node.level, order.rest);
  if ((order.open & order.slid) == 0 && (choices & ~relevant) != 0) {
    choices = Bit(std::countr_zero(choices & ~relevant));
  }
  for (; choices != 0; choices &= choices - 1) {
    ListOrders(node, edges, Place(edges, order, std::countr_zero(choices)), visit);
  }
}

void Tree::Descend(const Node& node, const Candidate& candidate, const Edges& edges,
                   const Order& order, Node& child) const {
  const Lattice& lattice = model_->lattice();
  const Space& space = spaces_->At(node.level)[static_cast<std::size_t>(candidate.space)];
  child.level = node.level + 1;
  child.tile = candidate.tile;
  child.keep = candidate.keep;
  child.units[Index(child.level)] = node.units[Index(node.level)] * space.units;
  child.copies[Index(child.level)] = node.copies[Index(node.level)] * space.copies;
  child.space[Index(node.level)] = candidate.space;
  mapping::LevelMapping& level = child.mapping.levels[Index(node.level)];
  child.mapping.levels[Index(child.level)].keep = candidate.keep;

  // Loops of this level, outermost first: those whose order does not matter, then the sequence.
  level.temporal.clear();
  while (child.loops.size() > node.loops.size()) {
    child.loops.pop_back();
  }
  StaticVector<OuterLoop, mapping::kMaxDims> inside_out;
  Tile before = edges.array;
  const auto add = [&](int d) {
    const auto bound = static_cast<std::int64_t>(edges.factor[Index(d)]);
    OuterLoop loop;
    loop.loop = {d, node.level, bound, bound, lattice.Value(edges.array, d)};
    loop.before = before;
    before += lattice.Part(node.tile, d) - lattice.Part(edges.array, d);
    inside_out.push_back(loop);
  };
  for (const std::int8_t d : order.sequence) {
    add(d);
  }
  for (std::uint32_t ds = order.rest; ds != 0;) {
    const int d = std::countr_zero(NextLoops(node.level, ds));
    add(d);
    ds &= ~Bit(d);
  }
  for (std::size_t i = inside_out.size(); i-- > 0;) {
    child.loops.push_back(inside_out[i]);
    level.temporal.push_back(
        mapping::PerfectLoop(inside_out[i].loop.dim, inside_out[i].loop.bound));
  }
  BookEdges(node, candidate, child);
}

void Tree::BookEdges(const Node& node, const Candidate& candidate, Node& child) const {
  const Space& space = spaces_->At(node.level)[static_cast<std::size_t>(candidate.space)];
  child.energy = node.energy;
  child.cycles = node.cycles;
  child.reads = node.reads;
  child.writes = node.writes;
  for (int t = 0; t < model_->tensors(); ++t) {
    const std::size_t i = Index(t);
    const double merge = HasBit(space.collides, t)
                             ? model_->Merge(node.level, t, space.factors, candidate.tile)
                             : space.merge[i];
    const double way =
        spaces_->Rate(node.level, static_cast<std::size_t>(candidate.space), t, merge);
    child.price[i] = (node.price[i] + way) / merge;
    child.merge[i] = node.merge[i] * merge;
    child.merged[Index(node.level)][i] = merge;
    child.enter[Index(node.level)][i] = 0;
    child.source[i] = node.source[i];
    if (!HasBit(candidate.keep, t)) {
      continue;
    }
    const int source = node.source[i];
    const double delivered = DeliveredWords(child, t);
    double served = delivered / child.merge[i];
    if (!model_->any_forwarding() && !HasBit(model_->joint(), t)) {
      BookWords(child, t, delivered, child.level);
    }
    if (model_->any_forwarding() && HasBit(model_->windowed(), t) && !model_->IsOutput(t)) {
      served = std::min(served, model_->Touched(t));
      child.energy +=
          delivered * model_->ChildRate(child.level, t) + served * model_->ParentRate(source, t);
    } else {
      child.energy += delivered * (model_->ChildRate(child.level, t) + child.price[i]);
    }
    if (model_->IsOutput(t)) {
      child.energy -= model_->ParentRebate(source) * child.copies[Index(source)] +
                      model_->ChildRebate(child.level) * child.copies[Index(child.level)];
      child.writes[Index(source)] += served;
      child.reads[Index(source)] +=
          model_->AccumulateReads(source) *
          std::max(0.0, served - model_->Touched(t) * child.copies[Index(source)]);
    } else {
      child.reads[Index(source)] += served;
      child.writes[Index(child.level)] += delivered;
    }
    child.source[i] = child.level;
    child.merge[i] = 1;
    child.price[i] = model_->ParentRate(child.level, t);
  }
  for (int l = 0; l <= child.level && l < model_->levels(); ++l) {
    const cost::CompiledLevel& at = model_->compiled().level[Index(l)];
    const double ports = child.units[Index(l)];
    if (at.read_bandwidth > 0) {
      child.cycles = std::max(child.cycles, child.reads[Index(l)] / (ports * at.read_bandwidth));
    }
    if (at.write_bandwidth > 0) {
      child.cycles = std::max(child.cycles, child.writes[Index(l)] / (ports * at.write_bandwidth));
    }
  }
}

// Words into all instances of the child's level for tensor t, exactly as the evaluator counts them.
double Tree::DeliveredWords(const Node& child, int t) const {
  const cost::CompiledTensor& tensor = model_->compiled().tensor[Index(t)];
  if (HasBit(model_->joint(), t)) {
    return 1;
  }
  if (!HasBit(model_->windowed(), t)) {
    double words = model_->Total(t, child.tile) * model_->Rest(t, child.tile);
    for (std::size_t i = child.loops.size(); i-- > 0;) {
      const cost::FlatLoop& loop = child.loops[i].loop;
      if (HasBit(tensor.dims, loop.dim)) {
        break;
      }
      words /= static_cast<double>(loop.bound);
    }
    return words;
  }
  std::array<cost::FlatLoop, arch::kMaxLevels * mapping::kMaxDims> loops;
  for (std::size_t i = 0; i < child.loops.size(); ++i) {
    loops[i] = child.loops[i].loop;
  }
  return model_->MovedWords(t, child.tile, {loops.data(), child.loops.size()}) *
         child.units[Index(child.level)];
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
        energy += Asked(child, child.keep, t, label.pend[i], child.price[i]);
        continue;
      }
      double share = 1 / closing[i].run;
      const OuterLoop* loop = closing[i].loop;
      if (loop != nullptr && HasBit(model_->window_dims(t), loop->loop.dim)) {
        share *= model_->SlideFraction(t, label.child[i], loop->before, loop->loop.dim,
                                       loop->loop.bound, closing[i].own);
      }
      asked[i] = share;
      energy += Asked(child, child.keep, t, label.pend[i] * share, child.price[i]) +
                label.fill[i] * share;
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
    const double words = label.pend[Index(t)] * share[Index(t)] / child.merge[Index(t)];
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
    const cost::CompiledLevel& at = model_->compiled().level[Index(l)];
    const double ports = child.units[Index(l)];
    if (at.read_bandwidth > 0) {
      cycles = std::max(cycles, reads[Index(l)] / (ports * at.read_bandwidth));
    }
    if (at.write_bandwidth > 0) {
      cycles = std::max(cycles, writes[Index(l)] / (ports * at.write_bandwidth));
    }
  }
  return cycles;
}

// The loops of the innermost level are in any order: nothing below holds a tile.
void Tree::Leaves(const Node& node) {
  const Lattice& lattice = model_->lattice();
  const int output = model_->tensors() - 1;
  const std::vector<Space>& spaces = spaces_->At(node.level);
  for (std::size_t s = 0; s < spaces.size() && !stopped_; ++s) {
    const Space& space = spaces[s];
    if (!lattice.Divides(space.factors, node.tile) ||
        !AllowsLoops(node.level, node.tile, 0, space.factors)) {
      continue;
    }
    const int source = node.source[Index(output)];
    double energy = node.energy - model_->ParentRebate(source) * node.copies[Index(source)];
    for (int t = 0; t < model_->tensors(); ++t) {
      if (HasBit(model_->joint(), t)) {
        continue;
      }
      const double merge = HasBit(space.collides, t)
                               ? model_->Merge(node.level, t, space.factors, 0)
                               : space.merge[Index(t)];
      energy += model_->Points() / merge *
                (node.price[Index(t)] + spaces_->Rate(node.level, s, t, merge));
    }
    const double cycles =
        std::max(node.cycles, model_->ComputeCycles(node.units[Index(node.level)] * space.units));
    if (!Count()) {
      return;
    }
    if (goal_->Hopeless(energy, cycles)) {
      ++counts_.pruned;
      continue;
    }
    Node leaf = node;
    leaf.space[Index(node.level)] = static_cast<std::int32_t>(s);
    mapping::LevelMapping& level = leaf.mapping.levels[Index(node.level)];
    std::uint32_t loops = 0;
    for (int d = 0; d < lattice.dims(); ++d) {
      loops |= lattice.Value(node.tile, d) > lattice.Value(space.factors, d) ? Bit(d) : 0;
    }
    level.temporal.clear();
    while (loops != 0) {
      const int d = std::countr_zero(NextLoops(node.level, loops));
      loops &= ~Bit(d);
      level.temporal.insert(0, mapping::PerfectLoop(d, lattice.Value(node.tile, d) /
                                                           lattice.Value(space.factors, d)));
    }
    for (int t = 0; t < model_->tensors(); ++t) {
      leaf.merged[Index(node.level)][Index(t)] =
          HasBit(space.collides, t) ? model_->Merge(node.level, t, space.factors, 0)
                                    : space.merge[Index(t)];
      if (!HasBit(model_->joint(), t)) {
        BookWords(leaf, t, model_->Points(), model_->levels());
      }
    }
    PlaceUnits(leaf, 0, energy, cycles, leaf.mapping);
  }
}

void Tree::PlaceUnits(const Node& node, int level, double energy, double cycles,
                      mapping::Mapping& mapping) {
  if (level == model_->levels()) {
    ++counts_.leaves;
    evaluate_(mapping);
    stopped_ = stopped_ || ((counts_.leaves & 0x3F) == 0 && stop_());
    return;
  }
  const auto option = static_cast<std::size_t>(node.space[Index(level)]);
  const TensorDoubles* least = spaces_->LeastRates(level, option);
  mapping::LevelMapping& at = mapping.levels[Index(level)];
  for (const Placement& placement : spaces_->Placements(level, option)) {
    if (stopped_) {
      return;
    }
    double placed = energy;
    for (int t = 0; t < model_->tensors() && least != nullptr; ++t) {
      placed +=
          node.enter[Index(level)][Index(t)] * (placement.rate[Index(t)] - (*least)[Index(t)]);
    }
    if (goal_->Hopeless(placed, cycles)) {
      continue;
    }
    at.spatial_x = placement.x;
    at.spatial_y = placement.y;
    PlaceUnits(node, level + 1, placed, cycles, mapping);
  }
}

}  // namespace sluice::mapper::exact
