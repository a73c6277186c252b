#include "mapper/exact/search/tree.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <tuple>
#include <utility>
#include <vector>

#include "arch/architecture.h"
#include "base/static_vector.h"
#include "cost/compiled.h"
#include "mapper/exact/goal.h"
#include "mapper/exact/model/lattice.h"
#include "mapper/exact/model/model.h"
#include "mapper/exact/model/space.h"
#include "mapper/exact/search/labels.h"
#include "mapping/constraints.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"

namespace sluice::mapper::exact {
namespace {

using cost::HasBit;
using cost::Index;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

void Note(double& least, double bound) {
  least = std::min(least, bound);
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

bool Tree::Expand(const Node& node, const std::vector<Candidate>* among) {
  if (Stopped()) {
    return false;
  }
  if (node.level == model_->levels() - 1) {
    Leaves(node);
    return !stopped_;
  }
  std::vector<Candidate> candidates;
  if (among == nullptr) {
    ListCandidates(node, candidates);
  } else {
    for (Candidate candidate : *among) {
      candidate.bound = CandidateBound(node, candidate);
      if (candidate.bound < goal_->limit()) {
        candidates.push_back(candidate);
      }
    }
  }
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
    Price(node, candidate, inside_->At(node.level + 1, candidate.tile), edges);
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
      Note(followed_[Index(child.level)].order, bound);
      if (bound >= goal_->limit()) {
        ++counts_.pruned;
        return;
      }
      children.emplace_back(bound, child);
    });
    if (!ExpandSiblings(children)) {
      return false;
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

// Nodes that differ in the order of their last loops only, best first. They share their candidates:
// those of a node that is as good as the best of them in every figure.
bool Tree::ExpandSiblings(std::vector<std::pair<double, Node>>& siblings) {
  std::vector<std::pair<double, std::size_t>> best_first;
  best_first.reserve(siblings.size());
  for (std::size_t i = 0; i < siblings.size(); ++i) {
    best_first.emplace_back(siblings[i].first, i);
  }
  std::ranges::sort(best_first);
  std::vector<Candidate> shared;
  const bool share = siblings.size() > 1 && siblings.front().second.level < model_->levels() - 1;
  if (share) {
    Node ideal = siblings.front().second;
    for (const auto& [bound, node] : siblings) {
      ideal.energy = std::min(ideal.energy, node.energy);
      ideal.least_energy = std::min(ideal.least_energy, node.least_energy);
      ideal.cycles = std::min(ideal.cycles, node.cycles);
      for (int l = 0; l <= node.level; ++l) {
        ideal.reads[Index(l)] = std::min(ideal.reads[Index(l)], node.reads[Index(l)]);
        ideal.writes[Index(l)] = std::min(ideal.writes[Index(l)], node.writes[Index(l)]);
      }
    }
    ListCandidates(ideal, shared);
  }
  for (const auto& [bound, i] : best_first) {
    if (bound >= goal_->limit()) {
      break;
    }
    if (!Expand(siblings[i].second, share ? &shared : nullptr)) {
      return false;
    }
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
  // The options that fit the node are looked through for each tile, or listed by the room that the
  // tile leaves. A list costs about as much as looking through kList, and serves every node.
  constexpr std::size_t kFew = 64;
  constexpr std::size_t kList = 1000;
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
  looked_through_[Index(node.level)] += fitting.size();
  const bool few = fitting.size() < kFew || looked_through_[Index(node.level)] < kList;
  for (Tile x = 0; x <= node.tile; ++x) {
    if (inside_->At(inner, x).empty() || !lattice.Divides(x, node.tile)) {
      continue;
    }
    const Tile room = lattice.Quotient(node.tile, x);
    for (const std::int32_t s : few ? fitting : spaces_->Dividing(node.level, room)) {
      const Tile factors = spaces[static_cast<std::size_t>(s)].factors;
      if (s > fitting.back()) {
        break;
      }
      if (few && (factors > room || !lattice.Divides(factors, room))) {
        continue;
      }
      if (!AllowsLoops(node.level, node.tile, x, factors)) {
        continue;
      }
      ForEachKeep(must, model_->MayKeep(inner), [&](std::uint32_t keep) {
        if (!model_->Fits(inner, keep, x) || Strays(node.level, x, factors, keep)) {
          return;
        }
        Candidate candidate = {0, x, s, keep};
        candidate.bound = CandidateBound(node, candidate);
        Note(followed_[Index(inner)].candidate, candidate.bound);
        if (candidate.bound < goal_->limit()) {
          out.push_back(candidate);
        }
      });
    }
  }
}

// Nearly all candidates fail against a label or two that stand for all there are.
double Tree::CandidateBound(const Node& node, const Candidate& candidate) {
  const int inner = node.level + 1;
  const Labels& all = inside_->At(inner, candidate.tile);
  double bound = 0;
  for (const Labels* labels : {&inside_->Envelope(inner, candidate.tile),
                               &inside_->Corners(inner, candidate.tile), &all}) {
    if (labels->empty()) {
      continue;
    }
    Price(node, candidate, *labels, scratch_);
    bound = BestOrder(node, scratch_);
    if (bound >= goal_->limit()) {
      break;
    }
  }
  return bound;
}

// Words that enter each fan-out between the tensor's source and its child.
void Tree::BookWords(Node& node, int t, double delivered, int child) const {
  double words = delivered;
  for (int l = child - 1; l >= node.source[Index(t)]; --l) {
    words /= node.merged[Index(l)][Index(t)];
    node.enter[Index(l)][Index(t)] = words;
  }
}

void Tree::Descend(const Node& node, const Candidate& candidate, const Edges& edges,
                   const Order& order, Node& child) const {
  const Lattice& lattice = model_->lattice();
  const Space& space = spaces_->At(node.level)[static_cast<std::size_t>(candidate.space)];
  child.level = node.level + 1;
  child.tile = candidate.tile;
  child.held[Index(child.level)] = candidate.tile;
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
    const double merge = spaces_->Merge(node.level, space, t, candidate.tile);
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
    child.cycles =
        std::max(child.cycles, model_->PortCycles(l, child.reads[Index(l)], child.writes[Index(l)],
                                                  child.units[Index(l)]));
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
  std::array<cost::FlatLoop, std::size_t{arch::kMaxLevels} * mapping::kMaxDims> loops;
  for (std::size_t i = 0; i < child.loops.size(); ++i) {
    loops[i] = child.loops[i].loop;
  }
  return model_->MovedWords(t, child.tile, {loops.data(), child.loops.size()}) *
         child.units[Index(child.level)];
}

// The loops of the innermost level are in any order: nothing below holds a tile.
void Tree::Leaves(const Node& node) {
  const Lattice& lattice = model_->lattice();
  const int output = model_->tensors() - 1;
  const std::vector<Space>& spaces = spaces_->At(node.level);
  for (std::size_t s = 0; s < spaces.size() && !stopped_; ++s) {
    const Space& space = spaces[s];
    if ((trail_ && trail_->factors[Index(node.level)] != space.factors) ||
        !lattice.Divides(space.factors, node.tile) ||
        !AllowsLoops(node.level, node.tile, 0, space.factors)) {
      continue;
    }
    const int source = node.source[Index(output)];
    double energy = node.energy - model_->ParentRebate(source) * node.copies[Index(source)];
    for (int t = 0; t < model_->tensors(); ++t) {
      if (HasBit(model_->joint(), t)) {
        continue;
      }
      const double merge = spaces_->Merge(node.level, space, t, 0);
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
      leaf.merged[Index(node.level)][Index(t)] = spaces_->Merge(node.level, space, t, 0);
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
  const Space& space = spaces_->At(level)[option];
  const std::vector<TensorDoubles>* colliding =
      spaces_->CollidingRates(level, option, node.held[Index(level + 1)]);
  mapping::LevelMapping& at = mapping.levels[Index(level)];
  const std::vector<Placement>& placements = spaces_->Placements(level, option);
  for (std::size_t p = 0; p < placements.size(); ++p) {
    if (stopped_) {
      return;
    }
    const Placement& placement = placements[p];
    double placed = energy;
    for (int t = 0; t < model_->tensors(); ++t) {
      const double words = node.enter[Index(level)][Index(t)];
      if (colliding != nullptr && HasBit(space.collides, t)) {
        placed += words * ((*colliding)[p][Index(t)] -
                           spaces_->Way(level, space, t, node.merged[Index(level)][Index(t)]));
      } else if (least != nullptr) {
        placed += words * (placement.rate[Index(t)] - (*least)[Index(t)]);
      }
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
