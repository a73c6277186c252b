#include "mapper/exact/labels.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <utility>
#include <vector>

#include "cost/compiled.h"
#include "mapper/exact/goal.h"
#include "mapper/exact/lattice.h"
#include "mapper/exact/model.h"
#include "mapper/exact/space.h"

namespace sluice::mapper::exact {
namespace {

using cost::HasBit;
using cost::Index;

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
  pending_rate_.resize(Index(model.levels()));
  stops_.resize(Index(model.levels()));
  for (int l = 1; l < model.levels(); ++l) {
    stops_[Index(l)] = stops_[Index(l - 1)] | model.MustKeep(l);
  }
  for (int t = 0; t < model.tensors(); ++t) {
    double least = std::numeric_limits<double>::infinity();
    for (int l = 1; l < model.levels(); ++l) {
      if (HasBit(model.MayKeep(l), t)) {
        least = std::min(least, model.CertainRate(l, t));
      }
      pending_rate_[Index(l)][Index(t)] = least;
    }
    forwards_ |= model.any_forwarding() && HasBit(model.windowed(), t) ? 0 : Bit(t);
  }
  FillAbove();
}

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
        slide[Index(t)][Index(d)] = model_->SlideFraction(t, x, x, d, factor, own);
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
    for (int d = 0; d < lattice.dims(); ++d) {
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

// True when another label already stands for one of the ways to keep tensors.
bool CostToGo::KeepAll(int level, Tile x, const Label& raw, Labels& ready) {
  bool replaced = false;
  ForEachKeep(model_->MustKeep(level), model_->MayKeep(level), [&](std::uint32_t keep) {
    if (!model_->Fits(level, keep, x)) {
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
    if (HasBit(raw.open, t)) {
      // The edge below stays open too. Each repetition that its loops can still save, they save.
      words /= model_->Rest(t, x);
      label.energy += raw.fill[i] / model_->Rest(t, x);
      if (HasBit(model_->windowed(), t)) {
        words = std::min(words, model_->Touched(t));
        label.energy -= raw.fill[i] / model_->Rest(t, x);
      }
    }
    label.energy += model_->ParentRate(level, t) * words;
    (model_->IsOutput(t) ? writes : reads) += words;
    if (model_->IsOutput(t)) {
      label.rebate += model_->ParentRebate(level) + model_->ChildRebate(level);
    }
    label.pend[i] = model_->Total(t, x) * model_->Rest(t, x);
    label.fill[i] = model_->ChildRate(level, t) * label.pend[i];
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

// Calls `visit` with the spatial factors that a label may take and not be hopeless, until it
// returns false.
template <class Visit>
void CostToGo::ForEachCrossing(int level, Tile x, const Label& label, const Visit& visit) {
  const Lattice& lattice = model_->lattice();
  const Tile room = lattice.Quotient(lattice.top(), x);
  const double above = model_->MaxInstances(level);
  const auto& limits = model_->evaluator().validity().levels[Index(level)];
  const double copies = above * static_cast<double>(limits.x * limits.y);
  const double energy = model_->FixedEnergy() + label.energy - label.rebate * copies +
                        above_[0][static_cast<std::size_t>(x)];
  const auto cycles_of = [&](const Space& space) {
    return goal_->counts_cycles()
               ? std::max(label.cycles, model_->ComputeCycles(label.units * space.units * above))
               : 0;
  };
  // Options come by falling units: from some on all are too slow.
  const std::vector<Space>& spaces = spaces_->At(level);
  const auto end = std::ranges::partition_point(
      spaces, [&](const Space& space) { return !goal_->Hopeless(energy, cycles_of(space)); });
  for (auto space = spaces.begin(); space != end; ++space) {
    if (!lattice.Divides(space->factors, room)) {
      continue;
    }
    const Tile array = lattice.Multiply(x, space->factors);
    const double least =
        CrossingFloor(level, *space, x, label) + above_[0][static_cast<std::size_t>(array)];
    if (!goal_->Hopeless(least, cycles_of(*space)) && !visit(*space, array)) {
      return;
    }
  }
}

// What a label costs at least behind a fan-out, without what is outside the array: Cross and
// ClosedFloor in one, without making the label.
double CostToGo::CrossingFloor(int level, const Space& space, Tile x, const Label& label) {
  const double above = model_->MaxInstances(level);
  double energy = model_->FixedEnergy() + label.energy - label.rebate * space.copies * above;
  if (HasBit(model_->MustKeep(level), model_->tensors() - 1)) {
    energy -= model_->ParentRebate(level) * above;
  }
  for (std::uint32_t ts = model_->all_tensors() & ~model_->joint() & forwards_; ts != 0;
       ts &= ts - 1) {
    const int t = std::countr_zero(ts);
    const std::size_t i = Index(t);
    double share = 1;
    if (HasBit(label.open, t)) {
      if (HasBit(model_->windowed(), t)) {
        continue;
      }
      share = 1 / model_->Rest(t, x);
    }
    const double merge = spaces_->Merge(level, space, t, x);
    const double words = label.pend[i] / merge * share;
    const double way = words * spaces_->Way(level, space, t, merge);
    energy += Closing(level, t, words, label.fill[i] * share + way);
  }
  return energy;
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
    if (forwards && HasBit(model_->windowed(), t) && !model_->IsOutput(t) && space.factors != 0) {
      // Neighbours pass words on: the children together fetch like one buffer.
      if (open) {
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
  floor.energy += OpenFloor(level, x, label);
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
      if (!Hopeless(floor, above_[0][static_cast<std::size_t>(x + step.offset)])) {
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
    if (Hopeless(floor, above_[0][static_cast<std::size_t>(x + step.offset)])) {
      continue;
    }
    Insert(level, x + step.offset, Slid(x, label, dim, step.factor, false));
    const Label hopeful = Slid(x, label, dim, step.factor, true);
    if (hopeful.need != label.need) {  // open edges have no need yet: each hope is a new bit
      Insert(level, x + step.offset, hopeful);
    }
  }
}

// The label inside a loop that slides open windows. `hopes`: a loop over a dim of their own will
// follow where that helps.
Label CostToGo::Slid(Tile x, const Label& label, int dim, int factor, bool hopes) const {
  Label next = label;
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
      double fraction = model_->SlideFraction(t, label.child[i], x, dim, factor, false);
      const double better =
          hopes ? model_->SlideFraction(t, label.child[i], x, dim, factor, true) : fraction;
      if (better > fraction) {
        fraction = better;
        next.need |= Bit(t);
      }
      next.pend[i] *= fraction;
      next.fill[i] *= fraction;
    }
    next.energy += next.fill[i];
    next.fill[i] = 0;
  }
  return next;
}

// What words asked of the levels above cost beyond the compulsory words of level 0: they end at
// some level that may keep the tensor, or, if none must, at level 0.
double CostToGo::Pending(int level, int t, double words) const {
  const double inside = words * pending_rate_[Index(level)][Index(t)];
  if (HasBit(stops_[Index(level)], t)) {
    return inside;
  }
  return std::min(inside, std::max(0.0, words - model_->Touched(t)) * model_->CertainRate(0, t));
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
    floor.energy += Pending(level, t, label.pend[Index(t)] / above);
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
double CostToGo::OpenFloor(int level, Tile x, const Label& label) const {
  const Lattice& lattice = model_->lattice();
  const std::uint32_t open = label.open & ~model_->joint() & forwards_;
  std::uint32_t moving = 0;
  for (std::uint32_t ts = open; ts != 0; ts &= ts - 1) {
    moving |= model_->dims_of(std::countr_zero(ts));
  }
  double idle = 1;
  for (int d = 0; d < lattice.dims(); ++d) {
    if (!HasBit(moving, d)) {
      idle *= static_cast<double>(lattice.Bound(d)) / static_cast<double>(lattice.Value(x, d));
    }
  }
  TensorDoubles now{};    // if the edge closes with the next loop
  TensorDoubles later{};  // at best
  double sum = 0;
  for (std::uint32_t ts = open; ts != 0; ts &= ts - 1) {
    const int t = std::countr_zero(ts);
    const std::size_t i = Index(t);
    now[i] = Closing(level, t, label.pend[i] / idle, label.fill[i] / idle);
    const double rest = model_->Rest(t, x);
    later[i] = HasBit(model_->windowed(), t)
                   ? 0
                   : Closing(level, t, label.pend[i] / rest, label.fill[i] / rest);
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
        const double share = model_->LeastSlide(t, label.child[i], x, d) / idle;
        all += Closing(level, t, label.pend[i] * share, label.fill[i] * share) - later[i];
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
  return fill + Pending(level, t, words / model_->MaxInstances(level));
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
bool CostToGo::Dominates(int level, std::uint32_t must, const Label& a, const Label& b) const {
  if (a.need != b.need || (b.open & ~a.open) != 0 || a.rebate < b.rebate) {
    return false;
  }
  double energy = a.energy + a.settled_energy;
  double reads = a.settled_reads;
  double writes = a.settled_writes;
  if (energy > b.energy + b.settled_energy) {
    return false;
  }
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
  if (goal_->counts_cycles() && (a.cycles > b.cycles || a.units < b.units ||
                                 reads > b.settled_reads || writes > b.settled_writes)) {
    return false;
  }
  return energy <= b.energy + b.settled_energy;
}

// False: hopeless.
bool CostToGo::Insert(int level, Tile x, Label label) {
  if (counts_.work() >= most_work_) {
    return true;
  }
  ++counts_.made;
  Settle(level, label);
  Figures floor = ClosedFloor(level, label);
  const double outside = above_[0][static_cast<std::size_t>(x)];
  if (!Hopeless(floor, outside) && label.open != 0) {
    floor.energy += OpenFloor(level, x, label);
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
