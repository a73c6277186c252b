// The shortest path of one pair of keeps and unrolling (bound.h).

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "cost/compiled.h"
#include "mapper/exact/model/model.h"
#include "mapper/exact/ragged/bound.h"
#include "mapper/exact/ragged/tiles/rooms.h"
#include "mapper/exact/ragged/tiles/steps.h"
#include "mapper/exact/ragged/tiles/unroll.h"

namespace sluice::mapper::exact {
namespace {

using cost::HasBit;
using cost::Index;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

RaggedBound::View RaggedBound::MakeView(int t, int level, const Keeps& keeps,
                                        const Unrolling& unrolling) const {
  View view;
  const int child = Child(keeps, t, level);
  if (child == model_->levels()) {
    return view;
  }
  const int parent = Parent(keeps, t, level);
  view.edge = MakeEdge(t, parent, child, unrolling);
  if (!view.edge.counts) {
    return view;
  }
  std::uint32_t merging = 0;
  for (int l = parent; l < child; ++l) {
    merging |= model_->Merges(l, t) ? Bit(l) : 0;
  }
  for (int d = 0; d < model_->compiled().dims; ++d) {
    view.inside[Index(d)] = Gather(unrolling, level, child, d);
    view.apart[Index(d)] = Gather(unrolling, level, child, d, ~merging);
    view.merged[Index(d)] = Gather(unrolling, parent, level, d, merging).factor;
    const Copies& copies = view.inside[Index(d)];
    view.twice[Index(d)] = copies.factor == 1 || !HasBit(model_->dims_of(t), d) ? 1
                           : copies.level == unrolled_                          ? crossed_[Index(d)]
                                                       : LeastTwice(d, copies.factor);
  }
  view.diagonal = Diagonals(t, parent, child, unrolling);
  return view;
}

void RaggedBound::SetViews(int level, const Keeps& keeps, const Unrolling& unrolling) {
  edges_ = 0;
  for (int t = 0; t < model_->tensors(); ++t) {
    view_[Index(t)] = MakeView(t, level, keeps, unrolling);
    edges_ |= view_[Index(t)].edge.counts ? Bit(t) : 0;
  }
}

double RaggedBound::Solve(std::size_t keeps, const Unrolling& unrolling, double base,
                          const Limits& limits) {
  room_ = &RoomOf(keeps);
  enough_ = limits.enough;
  limits_ = limits;
  WalkInside(keeps, unrolling, base);
  SetRests();
  last_state_ = -1;
  for (int level = std::max(0, unrolled_); level >= 0; --level) {
    level_ = level;
    Cross(level, unrolling, level == std::max(0, unrolled_) ? inner_ : here_);
    SetViews(level, keeps_[keeps], unrolling);
    if (level > 0) {
      Walk(level);
      Boundary(level, keeps_[keeps][Index(level)]);
    }
  }
  return Finish();
}

// What is inside the array, or all but the outermost level, does not depend on the group.
void RaggedBound::WalkInside(std::size_t keeps, const Unrolling& unrolling, double base) {
  const Inner wanted = {keeps, unrolling.factor, unrolling.active, meter_, enough_, traces_};
  if (inner_of_.keeps == keeps && inner_of_.factor == unrolling.factor &&
      inner_of_.active == unrolling.active && inner_of_.meter == meter_ &&
      inner_of_.enough >= enough_ && (inner_of_.traced || !traces_)) {
    return;
  }
  inner_of_ = wanted;
  NoRests();
  if (LookUpInside(keeps, unrolling, base)) {
    return;
  }
  room_ = &RoomOf(keeps);
  here_.Reset(steps().size(), masks_);
  level_ = model_->levels() - 1;
  edges_ = 0;
  walked_ = nullptr;
  Reach(0, 0, base);
  for (int level = model_->levels() - 1; level > std::max(0, unrolled_); --level) {
    level_ = level;
    Cross(level, unrolling, here_);
    SetViews(level, keeps_[keeps], unrolling);
    Walk(level);
    Boundary(level, keeps_[keeps][Index(level)]);
  }
  std::swap(here_, inner_);
}

void RaggedBound::Reach(Cells x, std::uint32_t open, double energy) {
  if (energy >= enough_ || !room_->Fits(x, level_)) {
    return;
  }
  const std::int32_t slot = here_.Add(x);
  double& best = here_.At(slot, open);
  if (energy < best) {
    best = energy;
    if (walked_ != nullptr) {
      const std::size_t state = Index(here_.State(slot, open));
      if (walked_->size() <= state) {
        walked_->resize(2 * state + 1);
      }
      (*walked_)[state] = from_;
    }
  }
}

// Loops only enlarge tiles, and tiles are numbered so that larger ones come later.
void RaggedBound::Walk(int level) {
  walked_ = nullptr;
  if (traces_) {
    walked_ = &trace_[Index(level)].walked;
    walked_->assign(here_.reached().size() * masks_, -1);
  }
  here_.Ascend([this](Cells x) { Visit(x); });
}

std::uint32_t RaggedBound::AnyOpen(std::uint32_t open) const {
  std::uint32_t tensors = open & edges_;
  if (!has_rests_) {
    return tensors;
  }
  for (std::uint32_t ts = edges_ & ~open; ts != 0; ts &= ts - 1) {
    const int t = std::countr_zero(ts);
    tensors |= (open & (rest_bit_[Index(t)] | first_bit_[Index(t)])) != 0 ? Bit(t) : 0;
  }
  return tensors;
}

// What a loop over `dim` at tile x closes.
RaggedBound::Closing RaggedBound::CloseAt(Cells x, std::uint32_t open, int dim) const {
  Closing closing;
  if (!has_rests_) {
    closing.whole = open & edges_ & moves_[Index(dim)];
    closing.left = open & ~closing.whole;
    return closing;
  }
  closing.left = open;
  for (std::uint32_t ts = edges_ & moves_[Index(dim)]; ts != 0; ts &= ts - 1) {
    const int t = std::countr_zero(ts);
    const bool two = IsTwo(x, t, dim);
    const bool shorter = HasBit(short_[Index(t)], dim);
    const std::uint32_t rest = two ? 0 : rest_bit_[Index(t)];
    const std::uint32_t first = shorter ? 0 : first_bit_[Index(t)];
    if (HasBit(open, t)) {
      closing.whole |= Bit(t);
    } else if ((open & rest) != 0) {
      closing.rest |= Bit(t);
    } else if ((open & first) != 0 && !HasBit(long_[Index(t)], dim)) {
      closing.first |= Bit(t);
    }
    closing.left &= ~(Bit(t) | rest | first);
  }
  return closing;
}

double RaggedBound::Charge(Cells x, int dim, int to, const Closing& closing, double share,
                           const Bill& bill) const {
  double sum = 0;
  for (std::uint32_t ts = closing.whole | closing.rest; ts != 0; ts &= ts - 1) {
    const int t = std::countr_zero(ts);
    const bool rest = HasBit(closing.rest, t);
    if (WindowOf(t, dim) < 0) {
      sum += ClosePrice(t, x, dim, bill, rest ? share * rest_[Index(t)] : share);
    } else if (const double slide = SlidePrice(t, x, dim, to, bill.words[Index(t)]);
               slide == kInfinity || !rest) {
      sum += slide;
    }
  }
  for (std::uint32_t ts = closing.first; ts != 0; ts &= ts - 1) {
    const int t = std::countr_zero(ts);
    sum += FirstPrice(t, x, dim, bill.words[Index(t)], share);
  }
  return sum;
}

RaggedBound::Bill RaggedBound::MakeBill(Cells x, std::uint32_t tensors) const {
  Bill bill;
  for (; tensors != 0; tensors &= tensors - 1) {
    const std::size_t t = Index(std::countr_zero(tensors));
    bill.words[t] = WordsAt(static_cast<int>(t), x);
    bill.price[t] = PartPrice(view_[t].edge, bill.words[t], 1);
  }
  return bill;
}

// Whether fewer open edges cost no more.
bool RaggedBound::Dominated(std::int32_t slot, std::uint32_t open) const {
  const double energy = here_.At(slot, open);
  for (std::uint32_t less = open; less != 0;) {
    less = (less - 1) & open;
    if (here_.At(slot, less) <= energy) {
      return true;
    }
  }
  return false;
}

void RaggedBound::Visit(Cells x) {
  Bill bill;
  bool known = false;
  const std::int32_t slot = here_.SlotOf(x);
  for (auto open = static_cast<std::uint32_t>(masks_); open-- > 0;) {
    const double energy = here_.At(slot, open);
    if (energy >= enough_ || Dominated(slot, open)) {
      continue;
    }
    ++counts_.states;
    from_ = here_.State(slot, open);
    if (!known && AnyOpen(open) != 0) {
      bill = MakeBill(x, edges_);
      known = true;
    }
    for (int d = 0; d < steps().dims(); ++d) {
      if (steps().At(x, d).high == 1) {
        continue;
      }
      const Closing closing = CloseAt(x, open, d);
      if (closing.left == open) {
        Enlarge(x, open, d, energy);
      } else {
        Close(x, d, energy, closing, bill);
      }
    }
  }
}

// A loop over `dim` that repeats nothing.
void RaggedBound::Enlarge(Cells x, std::uint32_t open, int dim, double energy) {
  steps().ForEachEnd(x, dim, false, [&](int to, double /*certain*/) {
    return ReachIfFits(steps().With(x, dim, to), open, energy);
  });
}

// False when there is no room: nor is there for larger tiles.
bool RaggedBound::ReachIfFits(Cells x, std::uint32_t open, double energy) {
  const bool fits = room_->Fits(x, level_);
  if (fits) {
    Reach(x, open, energy);
  }
  return fits;
}

bool RaggedBound::Slides(std::uint32_t tensors, int dim) const {
  for (; tensors != 0; tensors &= tensors - 1) {
    if (WindowOf(std::countr_zero(tensors), dim) >= 0) {
      return true;
    }
  }
  return false;
}

// A loop over `dim` that moves open tensors. Slides depend on its end, and where none leads there
// they are infinite. Other loops of composite numbers of iterations are several: the first closes
// the edges.
void RaggedBound::Close(Cells x, int dim, double energy, const Closing& closing, const Bill& bill) {
  const bool slides = Slides(closing.whole | closing.rest, dim);
  const double whole = slides ? 0 : Charge(x, dim, steps().Coordinate(x, dim), closing, 1, bill);
  steps().ForEachEnd(x, dim, slides, [&](int to, double share) {
    const double charge = slides || share < 1 ? Charge(x, dim, to, closing, share, bill) : whole;
    return ReachIfFits(steps().With(x, dim, to), closing.left, energy + charge);
  });
}

// The level keeps its tensors: their edges upwards are open from here on.
void RaggedBound::Boundary(int level, std::uint32_t keep) {
  Trace& trace = trace_[Index(level)];
  if (traces_) {
    trace.tile = here_.reached();
    trace.masks = masks_;
    trace.kept.assign(here_.reached().size() * masks_, -1);
  }
  std::uint32_t rests = 0;
  std::uint32_t firsts = 0;
  for (std::uint32_t ts = keep; ts != 0; ts &= ts - 1) {
    rests |= rest_bit_[Index(std::countr_zero(ts))];
    firsts |= first_bit_[Index(std::countr_zero(ts))];
  }
  // The rests of copies are of interest inside the array's tile only.
  const std::uint32_t set = keep | firsts | (level > unrolled_ ? rests : 0);
  std::vector<double> energy(masks_);
  for (std::int32_t slot = 0; slot < static_cast<std::int32_t>(here_.reached().size()); ++slot) {
    for (std::size_t open = 0; open < masks_; ++open) {
      energy[open] = std::exchange(here_.At(slot, open), kInfinity);
    }
    for (std::uint32_t open = 0; open < masks_; ++open) {
      const std::uint32_t to = (open & ~rests) | set;
      if (energy[open] < here_.At(slot, to)) {
        here_.At(slot, to) = energy[open];
        if (traces_) {
          trace.kept[Index(here_.State(slot, to))] = here_.State(slot, open);
        }
      }
    }
  }
}

// The loops of the outermost level: each dim is run to its end.
double RaggedBound::Finish() {
  double best = enough_;
  for (std::int32_t slot = 0; slot < static_cast<std::int32_t>(here_.reached().size()); ++slot) {
    for (std::uint32_t open = 0; open < masks_; ++open) {
      const double energy = here_.At(slot, open);
      if (energy < best && !Dominated(slot, open)) {
        ++counts_.states;
        if (const double total = FinishFrom({here_.reached()[Index(slot)], open, energy}, best);
            total < best) {
          best = total;
          last_state_ = here_.State(slot, open);
        }
      }
    }
  }
  return best;
}

double RaggedBound::FinishFrom(End from, double enough, Sequence* order) const {
  // A loop that moves no open tensor repeats nothing inside the others.
  std::uint32_t loops = 0;
  Cells& x = from.tile;
  for (int d = 0; d < steps().dims(); ++d) {
    if (steps().At(x, d).high == 1) {
      continue;
    }
    if (CloseAt(x, from.open, d).left != from.open) {
      loops |= Bit(d);
      continue;
    }
    x = steps().With(x, d, static_cast<int>(steps().Axis(d).size()) - 1);
    if (order != nullptr) {
      order->push_back(static_cast<std::int8_t>(d));
    }
  }
  if (loops == 0) {
    return from.energy;
  }
  const Sequence before = order != nullptr ? *order : Sequence{};
  const Bill bill = MakeBill(x, AnyOpen(from.open));
  double best = enough;
  for (; loops != 0; loops &= loops - 1) {
    const int d = std::countr_zero(loops);
    const Closing closing = CloseAt(x, from.open, d);
    const int last = static_cast<int>(steps().Axis(d).size()) - 1;
    const double sum = from.energy + Charge(x, d, last, closing, 1, bill);
    if (sum >= best) {
      continue;
    }
    const Cells next = steps().With(x, d, last);
    Sequence further = before;
    if (order != nullptr) {
      further.push_back(static_cast<std::int8_t>(d));
    }
    const double total =
        FinishFrom({next, closing.left, sum}, best, order != nullptr ? &further : nullptr);
    if (total < best) {
      best = total;
      if (order != nullptr) {
        *order = further;
      }
    }
  }
  return best;
}

// The cheapest walk of the last Solve, which was traced.
Sketch RaggedBound::Follow(std::size_t keeps, const Unrolling& unrolling) const {
  Sketch sketch;
  sketch.unrolling = &unrolling;
  sketch.keep = keeps_[keeps];
  std::int32_t state = last_state_;
  sketch.tile[0] = steps().top();
  const auto outer = static_cast<std::int32_t>(here_.masks());
  (void)FinishFrom(
      {here_.reached()[Index(state / outer)], static_cast<std::uint32_t>(state % outer), 0},
      kInfinity, &sketch.order[0]);
  for (int level = 0; level + 1 < model_->levels(); ++level) {
    state = trace_[Index(level)].crossed[Index(state)];
    const Trace& trace = trace_[Index(level + 1)];
    const auto masks = static_cast<std::int32_t>(trace.masks);
    const auto tile = [&](std::int32_t s) { return trace.tile[Index(s / masks)]; };
    state = trace.kept[Index(state)];
    sketch.tile[Index(level + 1)] = tile(state);
    // Backwards: the first move of each dim is met last.
    Sequence& order = sketch.order[Index(level + 1)];
    std::uint32_t seen = 0;
    std::vector<std::int8_t> moves;
    for (std::int32_t from = trace.walked[Index(state)]; from >= 0;
         from = trace.walked[Index(state)]) {
      for (int d = 0; d < steps().dims(); ++d) {
        if (steps().Coordinate(tile(from), d) != steps().Coordinate(tile(state), d)) {
          moves.push_back(static_cast<std::int8_t>(d));
        }
      }
      state = from;
    }
    for (std::size_t i = moves.size(); i-- > 0;) {
      if (!HasBit(seen, moves[i])) {
        seen |= Bit(moves[i]);
        order.push_back(moves[i]);
      }
    }
  }
  return sketch;
}

}  // namespace sluice::mapper::exact
