// The bounds of the labels: what is outside a tile, what a label costs at least, and when one label
// stands for another.

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "cost/compiled.h"
#include "mapper/exact/goal.h"
#include "mapper/exact/model/lattice.h"
#include "mapper/exact/model/model.h"
#include "mapper/exact/model/space.h"
#include "mapper/exact/search/labels.h"

namespace sluice::mapper::exact {
namespace {

using cost::HasBit;
using cost::Index;

}  // namespace

// How little of a window each first loop of level 0 brings anew.
CostToGo::Fractions CostToGo::Slides(Tile x) const {
  const Lattice& lattice = model_->lattice();
  Fractions slide;
  for (int t = 0; t < model_->tensors(); ++t) {
    slide[Index(t)].fill(1);
    if (!HasBit(model_->windowed(), t)) {
      continue;
    }
    bool own = false;
    for (std::uint32_t rest = model_->dims_of(t) & ~model_->window_dims(t); rest != 0;
         rest &= rest - 1) {
      const int d = std::countr_zero(rest);
      own = own || lattice.Value(x, d) < lattice.Bound(d);
    }
    for (std::uint32_t rest = model_->window_dims(t); rest != 0; rest &= rest - 1) {
      const int d = std::countr_zero(rest);
      const std::int64_t factor = lattice.Bound(d) / lattice.Value(x, d);
      if (factor > 1) {
        slide[Index(t)][Index(d)] = model_->SlideFraction(t, x, {0, d, x, factor, own});
      }
    }
  }
  return slide;
}

// Energy outside a tile of level 1. Without a fan-out above it: either an edge into it is closed
// and pays for every repetition, or it stays open past the first loop of level 0. The first loop
// closes all tensors that it is relevant to, so at least one class "first loop d" describes any
// mapping. Anything else: each tensor is read once.
void CostToGo::FillAbove() {
  const Lattice& lattice = model_->lattice();
  const auto vectors = static_cast<std::size_t>(lattice.size());
  above_.assign(2, std::vector<double>(vectors, 0));
  double compulsory = 0;
  for (int t = 0; t < model_->tensors(); ++t) {
    compulsory += model_->ParentRate(0, t) * model_->Touched(t);
  }
  compulsory -= model_->ParentRebate(0);
  if (model_->levels() < 2) {
    return;
  }
  const std::uint32_t must = model_->MustKeep(1);
  const bool fans = model_->MaxInstances(1) > 1;
  for (Tile x = 0; x < lattice.size(); ++x) {
    double& bound = above_[1][static_cast<std::size_t>(x)];
    bound = compulsory;
    if (fans) {
      continue;
    }
    if (!model_->Fits(1, must, x)) {
      bound = std::numeric_limits<double>::infinity();
      continue;
    }
    double best = std::numeric_limits<double>::infinity();
    const auto slide = Slides(x);
    for (int d = 0; d < std::max(1, lattice.dims()); ++d) {
      if (x != lattice.top() && lattice.Value(x, d) == lattice.Bound(d)) {
        continue;
      }
      double sum = 0;
      for (int t = 0; t < model_->tensors(); ++t) {
        if (!HasBit(must, t) || HasBit(model_->joint(), t)) {
          sum += model_->ParentRate(0, t) * model_->Touched(t);
          sum -= model_->IsOutput(t) ? model_->ParentRebate(0) : 0;
          continue;
        }
        double words = model_->Total(t, x);
        if (HasBit(model_->dims_of(t), d)) {
          words *= model_->Rest(t, x) * slide[Index(t)][Index(d)];
        } else if (HasBit(model_->windowed(), t)) {
          words *= *std::ranges::min_element(slide[Index(t)]);
        }
        sum += (model_->ParentRate(0, t) + model_->ChildRate(1, t)) * words;
        sum -= model_->IsOutput(t) ? model_->ParentRebate(0) + model_->ChildRebate(1) : 0;
      }
      best = std::min(best, sum);
      if (x == lattice.top()) {
        break;
      }
    }
    bound = std::max(compulsory, best);
  }
  // A tile still grows until level 1 holds it: the smallest value over all multiples, one dim after
  // another.
  std::vector<double>& least = above_[0];
  least = above_[1];
  for (int d = 0; d < lattice.dims(); ++d) {
    for (Tile x = lattice.top(); x >= 0; --x) {
      double& value = least[static_cast<std::size_t>(x)];
      for (const Lattice::Step& step : lattice.PrimeSteps(d, lattice.Coordinate(x, d))) {
        value = std::min(
            value, least[static_cast<std::size_t>(x) + static_cast<std::size_t>(step.offset)]);
      }
    }
  }
}

// What a label costs at least behind a fan-out, without what is outside the array: Cross and
// ClosedFloor in one, without making the label.
double CostToGo::CrossingFloor(int level, const Space& space, Tile x, Tile array,
                               const Label& label) {
  const double above = model_->MaxInstances(level);
  double energy = model_->FixedEnergy() + label.energy - label.rebate * space.copies * above;
  if (HasBit(model_->MustKeep(level), model_->tensors() - 1)) {
    energy -= model_->ParentRebate(level) * above;
  }
  TensorDoubles pend{};
  TensorDoubles fill{};
  for (std::uint32_t ts = model_->all_tensors() & ~model_->joint() & forwards_; ts != 0;
       ts &= ts - 1) {
    const int t = std::countr_zero(ts);
    const std::size_t i = Index(t);
    const double merge = spaces_->Merge(level, space, t, x);
    pend[i] = label.pend[i] / merge;
    if (!HasBit(label.open, t)) {
      pend[i] = std::max(pend[i], model_->Least(t));
    }
    fill[i] = label.fill[i] + pend[i] * spaces_->Way(level, space, t, merge);
    energy += HasBit(label.open, t) ? 0 : Closing(level, t, pend[i], fill[i]);
  }
  return energy + OpenFloor(level, array, {label.open, pend, fill, label.child});
}

// What words asked of the levels above cost beyond the compulsory words of level 0: they end at
// some level that may keep the tensor, or, if none must, at level 0.
double CostToGo::Pending(int level, int t, double words) const {
  if (words <= 0) {
    return 0;
  }
  const double outer =
      words * outer_rate_[Index(level)][Index(t)] - model_->Touched(t) * model_->CertainRate(0, t);
  return std::min(words * inner_rate_[Index(level)][Index(t)], std::max(0.0, outer));
}

// From the outside in: a word ends at a level that may keep it, or crosses the fan-out above, where
// it pays its way and one word serves as many children as it can.
void CostToGo::FillRates() {
  constexpr double kNever = std::numeric_limits<double>::infinity();
  inner_rate_.resize(Index(model_->levels()));
  outer_rate_.resize(Index(model_->levels()));
  double most_units = 1;
  for (int l = 0; l < model_->levels(); ++l) {
    most_units *= spaces_->At(l).front().units;
  }
  const double energy = model_->FixedEnergy() + Outside(0);
  for (int t = 0; t < model_->tensors(); ++t) {
    double inner = kNever;
    double outer = model_->CertainRate(0, t);
    for (int l = 1; l < model_->levels(); ++l) {
      const std::vector<Space>& spaces = spaces_->At(l - 1);
      double least_inner = kNever;
      double least_outer = kNever;
      for (const Space& space : spaces) {
        const double units = most_units / spaces.front().units * space.units;
        if (goal_->Hopeless(energy, model_->ComputeCycles(units))) {
          break;  // options come by falling units
        }
        const bool collides = HasBit(space.collides, t);
        const double merge = collides ? space.units : space.merge[Index(t)];
        const double way = collides ? 0 : spaces_->Way(l - 1, space, t, merge);
        least_inner = std::min(least_inner, (way + inner) / merge);
        least_outer = std::min(least_outer, (way + outer) / merge);
      }
      inner = least_inner;
      outer = least_outer;
      if (HasBit(model_->MayKeep(l), t)) {
        const bool must = HasBit(model_->MustKeep(l), t);
        inner = must ? model_->CertainRate(l, t) : std::min(inner, model_->CertainRate(l, t));
        outer = must ? kNever : outer;
      }
      inner_rate_[Index(l)][Index(t)] = inner;
      outer_rate_[Index(l)][Index(t)] = outer;
    }
  }
}

// What a label costs at least without its open edges.
CostToGo::Figures CostToGo::ClosedFloor(int level, const Label& label) const {
  const double above = model_->MaxInstances(level);
  Figures floor;
  floor.energy = model_->FixedEnergy() + label.energy + label.settled_energy - label.rebate * above;
  const int output = model_->tensors() - 1;
  if (HasBit(model_->MustKeep(level), output)) {
    floor.energy -= model_->ParentRebate(level) * above;
  }
  for (std::uint32_t ts = model_->all_tensors() & ~label.open & ~model_->MustKeep(level) &
                          ~model_->joint() & forwards_;
       ts != 0; ts &= ts - 1) {
    const int t = std::countr_zero(ts);
    floor.energy += Pending(level, t, label.pend[Index(t)]);
  }
  if (goal_->counts_cycles()) {
    floor.cycles = std::max(
        {label.cycles, model_->ComputeCycles(label.units * above), PortCycles(level, label)});
  }
  return floor;
}

// What open edges cost at least, below `level` and at the level that closes them. Loops that move
// none of them repeat nothing for any. The next loop outwards, d, closes those that it moves; only
// the others can save further repetitions, at best all that are left.
double CostToGo::OpenFloor(int level, Tile x, const OpenEdges& edges) const {
  const Lattice& lattice = model_->lattice();
  const std::uint32_t open = edges.open & ~model_->joint() & forwards_;
  if (open == 0) {
    return 0;
  }
  std::uint32_t moving = 0;
  for (std::uint32_t ts = open; ts != 0; ts &= ts - 1) {
    moving |= model_->dims_of(std::countr_zero(ts));
  }
  double idle = 1;
  for (int d = 0; d < lattice.dims(); ++d) {
    if (!HasBit(moving, d)) {
      idle *= lattice.StepsAround(x, d);
    }
  }
  TensorDoubles now{};    // if the edge closes with the next loop
  TensorDoubles later{};  // at best
  double sum = 0;
  for (std::uint32_t ts = open; ts != 0; ts &= ts - 1) {
    const int t = std::countr_zero(ts);
    const std::size_t i = Index(t);
    now[i] = Closing(level, t, edges.pend[i] / idle, edges.fill[i] / idle);
    const double rest = model_->Rest(t, x);
    later[i] = HasBit(model_->windowed(), t)
                   ? 0
                   : Closing(level, t, edges.pend[i] / rest, edges.fill[i] / rest);
    sum += later[i];
  }
  double least = std::numeric_limits<double>::infinity();
  for (std::uint32_t ds = moving; ds != 0; ds &= ds - 1) {
    const int d = std::countr_zero(ds);
    if (lattice.Value(x, d) == lattice.Bound(d)) {
      continue;
    }
    double all = sum;
    for (std::uint32_t ts = open; ts != 0; ts &= ts - 1) {
      const int t = std::countr_zero(ts);
      const std::size_t i = Index(t);
      if (HasBit(model_->window_dims(t), d)) {
        const double share = model_->LeastSlide(t, edges.child[i], x, d) / idle;
        all += Closing(level, t, edges.pend[i] * share, edges.fill[i] * share) - later[i];
      } else if (HasBit(model_->dims_of(t), d)) {
        all += now[i] - later[i];
      }
    }
    least = std::min(least, all);
  }
  return least < std::numeric_limits<double>::infinity() ? least : sum;
}

// An edge that closes when `words` cross the boundary above `level`'s children and `fill` is paid
// below it.
double CostToGo::Closing(int level, int t, double words, double fill) const {
  if (HasBit(model_->MustKeep(level), t)) {
    return fill + words * model_->ParentRate(level, t);
  }
  return fill + Pending(level, t, words);
}

// Every mapping has a label on every level, or one as good, or is hopeless.
void CostToGo::BoundOpen(int level) {
  double least = std::numeric_limits<double>::infinity();
  for (Tile x = 0; x < model_->lattice().size(); ++x) {
    for (const Label& label : At(level, x)) {
      const Figures floor = ClosedFloor(level, label);
      const double open = OpenFloor(level, x, {label.open, label.pend, label.fill, label.child});
      least = std::min(least, goal_->Value(floor.energy + open + Outside(x), floor.cycles));
    }
  }
  open_bound_ = std::max(open_bound_, least);
}

// What the level's own ports will pass for the edges that are closed, if it must keep their
// tensors.
void CostToGo::Settle(int level, Label& label) const {
  label.settled_energy = 0;
  label.settled_reads = 0;
  label.settled_writes = 0;
  const std::uint32_t settled = model_->MustKeep(level) & ~label.open & ~model_->joint();
  for (std::uint32_t rest = settled; rest != 0; rest &= rest - 1) {
    const int t = std::countr_zero(rest);
    const double words = label.pend[Index(t)];
    label.settled_energy += words * model_->ParentRate(level, t);
    if (!model_->IsOutput(t)) {
      label.settled_reads += words;
      continue;
    }
    label.settled_writes += words;
    label.settled_reads += model_->AccumulateReads(level) *
                           std::max(0.0, words - model_->Touched(t) * model_->MaxInstances(level));
  }
}

double CostToGo::PortCycles(int level, const Label& label) const {
  return model_->PortCycles(level, label.settled_reads, label.settled_writes,
                            model_->MaxInstances(level));
}

// Whatever the levels above decide, a completion of `a` costs no more than the same completion of
// `b`. An open window with a larger tile asks for less in every slide when it asks for less now:
// the share it brings anew is step / extent. (Tiles with holes: only equal ones are compared.)
bool CostToGo::DominatesTensors(int level, std::uint32_t must, const Label& a,
                                const Label& b) const {
  double energy = a.energy + a.settled_energy;
  double reads = a.settled_reads;
  double writes = a.settled_writes;
  for (int t = 0; t < model_->tensors(); ++t) {
    const std::size_t i = Index(t);
    if (HasBit(must & ~a.open & ~model_->joint(), t)) {
      continue;  // settled in both
    }
    if (a.pend[i] > b.pend[i]) {
      return false;
    }
    if (!HasBit(b.open, t)) {
      energy += a.fill[i];
      if (HasBit(must & ~model_->joint(), t)) {  // settled in b: close it in a too
        energy += a.pend[i] * model_->ParentRate(level, t);
        (model_->IsOutput(t) ? writes : reads) += a.pend[i];
        reads += model_->IsOutput(t) ? model_->AccumulateReads(level) * a.pend[i] : 0;
      }
      continue;
    }
    if (a.fill[i] > b.fill[i]) {
      return false;
    }
    if (HasBit(model_->windowed(), t) && a.child[i] != b.child[i] &&
        !model_->WindowsInside(t, b.child[i], a.child[i])) {
      return false;
    }
  }
  if (goal_->counts_cycles() && (reads > b.settled_reads || writes > b.settled_writes)) {
    return false;
  }
  return energy <= b.energy + b.settled_energy;
}

void CostToGo::FindCorners(int level, Tile x) {
  const Labels& all = At(level, x);
  Labels corners;
  for (const Label& label : all) {
    const auto group = std::ranges::find_if(corners, [&](const Label& corner) {
      return corner.open == label.open && corner.rebate == label.rebate;
    });
    if (group == corners.end()) {
      corners.push_back(label);
    } else {
      Include(label, *group);
    }
  }
  if (corners.size() > 1) {
    Label envelope = corners.front();
    for (const Label& corner : corners) {
      Include(corner, envelope);
    }
    envelopes_[Index(level)][static_cast<std::size_t>(x)].assign(1, envelope);
  }
  if (corners.size() < all.size()) {
    corners_[Index(level)][static_cast<std::size_t>(x)] = std::move(corners);
  }
}

// An edge that is open asks for no more than if it were closed.
void CostToGo::Include(const Label& label, Label& corner) const {
  corner.energy = std::min(corner.energy, label.energy);
  corner.cycles = std::min(corner.cycles, label.cycles);
  corner.units = std::max(corner.units, label.units);
  corner.rebate = std::max(corner.rebate, label.rebate);
  corner.open |= label.open;
  for (int t = 0; t < model_->tensors(); ++t) {
    const std::size_t i = Index(t);
    corner.pend[i] = std::min(corner.pend[i], label.pend[i]);
    corner.fill[i] = std::min(corner.fill[i], label.fill[i]);
  }
}

}  // namespace sluice::mapper::exact
