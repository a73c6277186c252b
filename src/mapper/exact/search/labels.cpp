#include "mapper/exact/search/labels.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "cost/compiled.h"
#include "mapper/exact/goal.h"
#include "mapper/exact/model/lattice.h"
#include "mapper/exact/model/model.h"
#include "mapper/exact/model/space.h"

namespace sluice::mapper::exact {
namespace {

using cost::HasBit;
using cost::Index;

/// Equal counts of words are products of the same numbers in other orders.
constexpr double kRounding = 1e-12;

}  // namespace

CostToGo::CostToGo(const Model& model, Spaces& spaces, const Goal& goal)
    : model_(&model), spaces_(&spaces), goal_(&goal) {
  const auto vectors = static_cast<std::size_t>(model.lattice().size());
  labels_.resize(Index(model.levels()));
  corners_.resize(Index(model.levels()));
  envelopes_.resize(Index(model.levels()));
  for (int l = 1; l < model.levels(); ++l) {
    labels_[Index(l)].resize(vectors);
    corners_[Index(l)].resize(vectors);
    envelopes_[Index(l)].resize(vectors);
  }
  for (int t = 0; t < model.tensors(); ++t) {
    forwards_ |= model.any_forwarding() && HasBit(model.windowed(), t) ? 0 : Bit(t);
  }
  FillAbove();
  FillRates();
}

bool CostToGo::Build(const std::function<bool()>& stop, std::int64_t most_work) {
  most_work_ = most_work;
  const auto over = [&](Tile x) {
    return counts_.work() >= most_work_ || ((x & 0xFF) == 0 && stop());
  };
  const Lattice& lattice = model_->lattice();
  const int last = model_->levels() - 1;
  for (int level = last; level >= 1; --level) {
    // Everything above one child tile: cross the fan-out below `level`, then run its loops.
    if (level == last) {
      Label compute;
      for (int t = 0; t < model_->tensors(); ++t) {
        compute.pend[Index(t)] = HasBit(model_->joint(), t) ? 1 : model_->Points();
      }
      Spread(level, 0, compute);
    } else {
      for (Tile x = 0; x < lattice.size(); ++x) {
        Hold(level + 1, x);
        if (over(x)) {
          return false;
        }
      }
    }
    for (Tile x = 0; x < lattice.size(); ++x) {
      Loops(level, x);
      if (over(x)) {
        return false;
      }
    }
    BoundOpen(level);
    for (Tile x = 0; x < lattice.size(); ++x) {
      Labels& labels = labels_[Index(level)][static_cast<std::size_t>(x)];
      std::erase_if(labels, [&](const Label& label) {
        return label.need != 0 || (level == 1 && Hopeless(ClosedFloor(1, label),
                                                          above_[1][static_cast<std::size_t>(x)]));
      });
      if (level == 1) {
        FindCorners(level, x);
      }
    }
  }
  return counts_.work() < most_work_;
}

// Every way to hold tile x at `level` goes on into the level above. Labels that can not are of no
// use to anyone.
void CostToGo::Hold(int level, Tile x) {
  Labels& raw = labels_[Index(level)][static_cast<std::size_t>(x)];
  Labels ready;
  std::vector<std::size_t> origin;
  std::vector<bool> useful(raw.size(), false);
  for (std::size_t i = 0; i < raw.size(); ++i) {
    useful[i] = KeepAll(level, x, raw[i], ready);
    origin.resize(ready.size(), i);
  }
  for (std::size_t i = 0; i < ready.size(); ++i) {
    if (Spread(level - 1, x, ready[i])) {
      useful[origin[i]] = true;
    }
  }
  std::size_t i = 0;
  std::erase_if(raw, [&](const Label&) { return !useful[i++]; });
  counts_.kept += static_cast<std::int64_t>(raw.size());
  FindCorners(level, x);
}

// Calls `visit` with the spatial factors that a label may take and not be hopeless, until it
// returns false.
template <class Visit>
void CostToGo::ForEachCrossing(int level, Tile x, const Label& label, const Visit& visit) {
  const Lattice& lattice = model_->lattice();
  const Tile room = lattice.Quotient(lattice.top(), x);
  const double above = model_->MaxInstances(level);
  const auto& limits = model_->evaluator().validity().levels[Index(level)];
  const double copies = above * static_cast<double>(limits.x * limits.y);
  const double inside = model_->FixedEnergy() + label.energy - label.rebate * copies;
  const auto cycles_of = [&](const Space& space) {
    return goal_->counts_cycles()
               ? std::max(label.cycles, model_->ComputeCycles(label.units * space.units * above))
               : 0;
  };
  // Options come by falling units: from some on all are too slow.
  const std::vector<Space>& spaces = spaces_->At(level);
  const auto end = std::ranges::partition_point(spaces, [&](const Space& space) {
    return !goal_->Hopeless(inside + Outside(x), cycles_of(space));
  });
  for (auto space = spaces.begin(); space != end; ++space) {
    if (!lattice.Divides(space->factors, room)) {
      continue;
    }
    const Tile array = lattice.Multiply(x, space->factors);
    const double outside = Outside(array);
    const double cycles = cycles_of(*space);
    if (!goal_->Hopeless(inside + outside, cycles) &&
        !goal_->Hopeless(CrossingFloor(level, *space, x, array, label) + outside, cycles) &&
        !visit(*space, array)) {
      return;
    }
  }
}

// True when another label already stands for one of the ways to keep tensors.
bool CostToGo::KeepAll(int level, Tile x, const Label& raw, Labels& ready) {
  bool replaced = false;
  // An edge that is open runs on through this level. Where it asks for no more than this level's
  // own copy would, the copy only costs energy, ports and room.
  std::uint32_t pointless = 0;
  for (std::uint32_t ts = raw.open & ~model_->MustKeep(level) & ~model_->windowed(); ts != 0;
       ts &= ts - 1) {
    const int t = std::countr_zero(ts);
    const double asked = model_->Total(t, x) * model_->Rest(t, x);
    pointless |= raw.pend[Index(t)] <= asked * (1 + kRounding) ? Bit(t) : 0;
  }
  ForEachKeep(model_->MustKeep(level), model_->MayKeep(level), [&](std::uint32_t keep) {
    if ((keep & pointless) != 0 || !model_->Fits(level, keep, x)) {
      return;
    }
    const Label label = Keep(level, x, keep, raw);
    // Worth looking before the comparisons when there are many ways to keep.
    bool crosses = model_->MayKeep(level) == model_->MustKeep(level);
    if (!crosses) {
      ForEachCrossing(level - 1, x, label, [&crosses](const Space&, Tile) {
        crosses = true;
        return false;
      });
    }
    if (!crosses) {
      return;
    }
    // Nothing is settled before the fan-out above is crossed: it merges each tensor in its own way.
    for (const Label& other : ready) {
      if (Dominates(level - 1, 0, other, label)) {
        replaced = true;
        return;
      }
    }
    ready.push_back(label);
  });
  return replaced;
}

Label CostToGo::Keep(int level, Tile x, std::uint32_t keep, const Label& raw) const {
  Label label = raw;
  const cost::CompiledLevel& at = model_->compiled().level[Index(level)];
  label.settled_energy = label.settled_reads = label.settled_writes = 0;
  label.barred = 0;
  label.first = 0;
  double reads = 0;
  double writes = 0;
  for (int t = 0; t < model_->tensors(); ++t) {
    if (!HasBit(keep, t)) {
      continue;
    }
    const std::size_t i = Index(t);
    double words = raw.pend[i];
    double below = 0;
    if (!HasBit(raw.open, t)) {
      label.energy += model_->ParentRate(level, t) * words;
    } else if (HasBit(model_->windowed(), t)) {
      // The edge below stays open too. Each repetition that its loops can still save, they save.
      words = std::min(words / model_->Rest(t, x), model_->Touched(t));
      label.energy += model_->ParentRate(level, t) * words;
    } else {
      // The same loops repeat nothing for both edges, and the same loop closes them.
      below = raw.fill[i] + model_->ParentRate(level, t) * words;
      words /= model_->Rest(t, x);
    }
    (model_->IsOutput(t) ? writes : reads) += words;
    if (model_->IsOutput(t)) {
      label.rebate += model_->ParentRebate(level) + model_->ChildRebate(level);
    }
    label.pend[i] = model_->Total(t, x) * model_->Rest(t, x);
    label.fill[i] = below + model_->ChildRate(level, t) * label.pend[i];
    label.child[i] = x;
    label.open |= Bit(t);
    label.need &= ~Bit(t);
    if (HasBit(model_->joint(), t)) {
      label.fill[i] = 0;
    }
  }
  const double ports = model_->MaxInstances(level);
  label.cycles = std::max(label.cycles, model_->PortCycles(level, reads, writes, ports));
  if (at.network_bandwidth > 0) {
    label.cycles = std::max(label.cycles, (reads + writes) / (ports * at.network_bandwidth));
  }
  return label;
}

bool CostToGo::Spread(int level, Tile x, const Label& label) {
  bool useful = false;
  ForEachCrossing(level, x, label, [&](const Space& space, Tile array) {
    useful = Insert(level, array, Cross(level, space, x, array, label)) || useful;
    return true;
  });
  return useful;
}

Label CostToGo::Cross(int level, const Space& space, Tile x, Tile array, const Label& in) const {
  if (space.factors == 0 && !model_->compiled().level[Index(level)].has_network_cost) {
    return in;
  }
  Label out = in;
  const bool forwards = model_->compiled().level[Index(level)].forwarding;
  for (int t = 0; t < model_->tensors(); ++t) {
    const std::size_t i = Index(t);
    const bool open = HasBit(in.open, t);
    const double merge = spaces_->Merge(level, space, t, x);
    out.pend[i] /= merge;
    if (!open) {
      out.pend[i] = std::max(out.pend[i], model_->Least(t));
    }
    if (forwards && HasBit(model_->windowed(), t) && !model_->IsOutput(t) && space.factors != 0) {
      // Neighbours pass words on: the children together fetch like one buffer.
      // The words between their tiles that count for a buffer of that size do not come.
      if (open && !model_->CountsGaps(t, array)) {
        out.pend[i] = std::min(out.pend[i], model_->Total(t, array) * model_->Rest(t, array));
        out.child[i] = array;
      } else {
        out.pend[i] = std::min(out.pend[i], model_->Touched(t));
      }
    }
    const double way = out.pend[i] * spaces_->Way(level, space, t, merge);
    if (!HasBit(model_->joint(), t)) {
      (open ? out.fill[i] : out.energy) += way;
    }
  }
  out.units *= space.units;
  out.rebate *= space.copies;
  return out;
}

void CostToGo::Loops(int level, Tile x) {
  Labels& here = labels_[Index(level)][static_cast<std::size_t>(x)];
  if (here.empty()) {
    return;
  }
  for (std::size_t i = 0; i < here.size(); ++i) {
    const Label label = here[i];  // a copy: Insert may grow another tile's list only
    Extend(level, x, label);
  }
}

// Every order of loops has one that is no worse and is met this way: a loop that no open tensor
// depends on repeats nothing where it stands, and would repeat something further out; such loops in
// a row may come in any order, so they come by rising dim.
void CostToGo::Extend(int level, Tile x, const Label& label) {
  const Lattice& lattice = model_->lattice();
  Figures floor = ClosedFloor(level, label);
  floor.energy += OpenFloor(level, x, {label.open, label.pend, label.fill, label.child});
  std::uint32_t moving = 0;
  for (std::uint32_t ts = label.open; ts != 0; ts &= ts - 1) {
    moving |= model_->dims_of(std::countr_zero(ts));
  }
  for (int d = 0; d < lattice.dims(); ++d) {
    if (lattice.Value(x, d) == lattice.Bound(d) || HasBit(label.barred, d) ||
        (!HasBit(moving, d) && d < label.first)) {
      continue;
    }
    Label from = label;
    from.first = HasBit(moving, d) ? 0 : d;
    from.barred |= HasBit(moving, d) ? ~moving : 0;
    bool slides = false;
    for (std::uint32_t rest = label.open & model_->windowed(); rest != 0; rest &= rest - 1) {
      slides = slides || HasBit(model_->window_dims(std::countr_zero(rest)), d);
    }
    if (slides) {
      Slide(level, x, from, d, floor);
      continue;
    }
    for (const Lattice::Step& step : lattice.PrimeSteps(d, lattice.Coordinate(x, d))) {
      if (!Hopeless(floor, Outside(x + step.offset))) {
        Insert(level, x + step.offset, Repeated(from, d, step.factor));
      }
    }
  }
}

// The label inside a loop that slides no open window.
Label CostToGo::Repeated(const Label& label, int dim, int factor) const {
  Label next = label;
  for (int t = 0; t < model_->tensors(); ++t) {
    const std::size_t i = Index(t);
    if (HasBit(model_->dims_of(t), dim)) {
      next.need &= ~Bit(t) | (HasBit(model_->window_dims(t), dim) ? ~0U : 0U);
      if (HasBit(next.open, t)) {
        next.open &= ~Bit(t);
        next.energy += next.fill[i];
        next.fill[i] = 0;
      }
    } else if (HasBit(next.open, t) && !HasBit(model_->joint(), t)) {
      next.pend[i] /= factor;
      next.fill[i] /= factor;
    }
  }
  return next;
}

// The words that a window brings depend on how far it slides: take the whole loop at once.
void CostToGo::Slide(int level, Tile x, const Label& label, int dim, const Figures& floor) {
  const Lattice& lattice = model_->lattice();
  for (const Lattice::Step& step : lattice.Steps(dim, lattice.Coordinate(x, dim))) {
    if (Hopeless(floor, Outside(x + step.offset))) {
      continue;
    }
    const Model::WindowLoop loop = {level, dim, x, step.factor, false};
    Insert(level, x + step.offset, Slid(label, loop, false));
    const Label hopeful = Slid(label, loop, true);
    if (hopeful.need != label.need) {  // open edges have no need yet: each hope is a new bit
      Insert(level, x + step.offset, hopeful);
    }
  }
}

// The label inside a loop that slides open windows. `hopes`: a loop over a dim of their own will
// follow where that helps.
Label CostToGo::Slid(const Label& label, const Model::WindowLoop& loop, bool hopes) const {
  Label next = label;
  const int dim = loop.dim;
  const auto factor = static_cast<double>(loop.factor);
  Model::WindowLoop closed = loop;
  closed.closed = true;
  for (int t = 0; t < model_->tensors(); ++t) {
    const std::size_t i = Index(t);
    if (!HasBit(label.open, t)) {
      continue;
    }
    if (!HasBit(model_->dims_of(t), dim)) {
      if (!HasBit(model_->joint(), t)) {
        next.pend[i] /= factor;
        next.fill[i] /= factor;
      }
      continue;
    }
    next.open &= ~Bit(t);
    if (HasBit(model_->window_dims(t), dim)) {
      double fraction = model_->SlideFraction(t, label.child[i], loop);
      const double better = hopes ? model_->SlideFraction(t, label.child[i], closed) : fraction;
      if (better > fraction) {
        fraction = better;
        next.need |= Bit(t);
      }
      next.pend[i] = std::max(next.pend[i] * fraction, model_->Least(t));
      next.fill[i] *= fraction;
    }
    next.energy += next.fill[i];
    next.fill[i] = 0;
  }
  return next;
}

// False: hopeless.
bool CostToGo::Insert(int level, Tile x, Label label) {
  if (counts_.work() >= most_work_) {
    return true;
  }
  ++counts_.made;
  Settle(level, label);
  Figures floor = ClosedFloor(level, label);
  const double outside = Outside(x);
  if (!Hopeless(floor, outside) && label.open != 0) {
    floor.energy += OpenFloor(level, x, {label.open, label.pend, label.fill, label.child});
  }
  if (Hopeless(floor, outside)) {
    ++counts_.pruned;
    return false;
  }
  Labels& here = labels_[Index(level)][static_cast<std::size_t>(x)];
  const std::uint32_t must = model_->MustKeep(level);
  counts_.compared += 2 * static_cast<std::int64_t>(here.size());
  // What a label may still do, the one in its place may do.
  const auto replaces = [](Label& a, const Label& b) {
    a.barred &= b.barred;
    a.first = std::min(a.first, b.first);
  };
  for (Label& other : here) {
    if (Dominates(level, must, other, label)) {
      replaces(other, label);
      ++counts_.dominated;
      return true;
    }
  }
  std::erase_if(here, [&](const Label& other) {
    if (!Dominates(level, must, label, other)) {
      return false;
    }
    replaces(label, other);
    return true;
  });
  here.push_back(label);
  return true;
}

}  // namespace sluice::mapper::exact
