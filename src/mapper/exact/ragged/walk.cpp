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
#include "mapper/exact/ragged/steps.h"
#include "mapper/exact/ragged/unroll.h"
#include "mapper/exact/ragged/windows.h"
#include "mapping/workload.h"

namespace sluice::mapper::exact {
namespace {

using cost::HasBit;
using cost::Index;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

// Steps of the first copy over the fewest there can be. It has work in every tile of the array.
double RaggedBound::Stretch(int dim, std::int64_t copies, std::int64_t tile) const {
  const std::int64_t bound = model_->compiled().bound[Index(dim)];
  const std::int64_t children = Tiles(bound, tile);
  const std::int64_t arrays = Tiles(children, copies);
  const std::int64_t rest = bound - (arrays - 1) * copies * tile;
  const std::int64_t steps = (arrays - 1) * tile + std::min(tile, rest);
  return static_cast<double>(steps) / static_cast<double>(Tiles(bound, copies));
}

// Share of the words of a dim in copies that have two tiles; 1 unless the array has two tiles. Of n
// children's tiles, more than `copies`, the first n - copies copies have two, the others one.
double RaggedBound::Twice(int dim, std::int64_t copies, std::int64_t tile) const {
  const std::int64_t bound = model_->compiled().bound[Index(dim)];
  const std::int64_t n = Tiles(bound, tile);
  if (n <= copies || n > 2 * copies) {
    return 1;
  }
  const std::int64_t points = (n - copies) * tile + bound - copies * tile;
  return static_cast<double>(points) / static_cast<double>(bound);
}

// The least share over all tiles, or over those of the walks at hand.
double RaggedBound::LeastTwice(int dim, std::int64_t copies) const {
  const std::int64_t bound = model_->compiled().bound[Index(dim)];
  if (!fine_) {
    return 1 / static_cast<double>(copies);  // a copy with a second tile has a whole one at least
  }
  double least = 1;
  for (std::int64_t tile = Tiles(bound, 2 * copies); tile * copies < bound; ++tile) {
    const double share = Twice(dim, copies, tile);
    if (unrolled_ < 0 || (share >= limits_.group.share.low &&
                          Stretch(dim, copies, tile) < limits_.group.stretch.high)) {
      least = std::min(least, share);
    }
  }
  return least;
}

// What the tiles of the children make of the array, where one fan-out is in use.
void RaggedBound::SetStretch(const Unrolling& unrolling) {
  unrolled_ = UnrolledLevel(unrolling);
  for (int d = 0; d < steps_.dims() && unrolled_ >= 0; ++d) {
    const std::int64_t copies = unrolling.factor[Index(unrolled_)][Index(d)];
    const std::int64_t bound = model_->compiled().bound[Index(d)];
    std::vector<Range>& stretches = stretch_[Index(d)];
    std::vector<Range>& shares = share_[Index(d)];
    const Range none = copies == 1 ? Range{} : Range{kInfinity, 0};
    stretches.assign(steps_.Axis(d).size(), none);
    shares.assign(steps_.Axis(d).size(), none);
    const auto add = [](double value, Range& range) {
      range = {std::min(range.low, value), std::max(range.high, value)};
    };
    for (std::int64_t tile = 1; tile <= bound && copies > 1; ++tile) {
      const std::size_t cell = Index(steps_.Find(d, Tiles(bound, tile)));
      add(Stretch(d, copies, tile), stretches[cell]);
      add(Twice(d, copies, tile), shares[cell]);
    }
  }
}

// Whether some tiles of the cells belong to the walks at hand; their least stretch.
bool RaggedBound::Belongs(Cells x, double& stretch) const {
  Range cycles;
  Range share;
  for (int d = 0; d < steps_.dims(); ++d) {
    const std::size_t cell = Index(steps_.Coordinate(x, d));
    cycles.low *= stretch_[Index(d)][cell].low;
    cycles.high *= stretch_[Index(d)][cell].high;
    share.low = std::min(share.low, share_[Index(d)][cell].low);
    share.high = std::min(share.high, share_[Index(d)][cell].high);
  }
  const Group& group = limits_.group;
  stretch = std::max(cycles.low, group.stretch.low);
  return cycles.low < group.stretch.high && cycles.high >= group.stretch.low &&
         share.low < group.share.high && share.high >= group.share.low;
}

// Whether some dim alone can put tiles into the group.
bool RaggedBound::CanBelong(const Unrolling& unrolling, const Group& group) const {
  if (group.share.high > 1) {
    return true;
  }
  const int level = UnrolledLevel(unrolling);
  for (int d = 0; d < steps_.dims(); ++d) {
    const std::int64_t copies = unrolling.factor[Index(level)][Index(d)];
    const std::int64_t bound = model_->compiled().bound[Index(d)];
    for (std::int64_t tile = Tiles(bound, 2 * copies); tile * copies < bound; ++tile) {
      const double share = Twice(d, copies, tile);
      if (share >= group.share.low && share < group.share.high &&
          Stretch(d, copies, tile) < group.stretch.high) {
        return true;
      }
    }
  }
  return false;
}

int RaggedBound::UnrolledLevel(const Unrolling& unrolling) const {
  int level = -1;
  for (int l = 0; l < model_->levels() && fine_; ++l) {
    if (std::ranges::any_of(unrolling.factor[Index(l)], [](auto f) { return f > 1; })) {
      if (level >= 0) {
        return -1;
      }
      level = l;
    }
  }
  return level;
}

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
    view.twice[Index(d)] =
        HasBit(model_->dims_of(t), d) ? LeastTwice(d, view.inside[Index(d)].factor) : 1;
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

/// The axis of t that `dim` slides, or -1.
int RaggedBound::WindowOf(int t, int dim) const {
  if (!HasBit(model_->window_dims(t), dim)) {
    return -1;
  }
  int axis = 0;
  while (model_->compiled().tensor[Index(t)].coefficient[Index(axis)][Index(dim)] == 0) {
    ++axis;
  }
  return axis;
}

// Words of all the children's (or, where diagonals merge, of the array's) tiles of an axis.
double RaggedBound::AxisTotal(int t, int axis, Cells x, bool delivered) const {
  const View& view = view_[Index(t)];
  const WindowAxis& window = *windows_[Index(t)][Index(axis)];
  std::array<int, 2> cell{};
  for (int i = 0; i < 2; ++i) {
    const int dim = window.dim(i);
    const Copies& inside = view.inside[Index(dim)];
    if (inside.factor == 1 || (!delivered && HasBit(view.diagonal, axis))) {
      cell[Index(i)] = steps_.Coordinate(x, dim);
      continue;
    }
    const std::int64_t n = steps_.At(x, dim).low;
    const std::int64_t children = n == 1 ? inside.active : (n - 1) * inside.factor + 1;
    cell[Index(i)] = steps_.Find(dim, std::min(children, model_->compiled().bound[Index(dim)]));
  }
  return window.Total(cell[0], cell[1]);
}

// What crosses the edge of t when a loop that moves the tensor runs outside tile x.
RaggedBound::Words RaggedBound::WordsAt(int t, Cells x) const {
  const cost::CompiledTensor& tensor = model_->compiled().tensor[Index(t)];
  const View& view = view_[Index(t)];
  Words words = {1, 1};
  for (int a = 0; a < tensor.axes; ++a) {
    if (windows_[Index(t)][Index(a)] != nullptr) {
      words.served *= AxisTotal(t, a, x, false);
      words.delivered *= AxisTotal(t, a, x, true);
    } else if (!tensor.axis[Index(a)].empty()) {
      const auto bound =
          static_cast<double>(model_->compiled().bound[Index(tensor.axis[Index(a)][0].dim)]);
      words.served *= bound;
      words.delivered *= bound;
    }
  }
  for (int d = 0; d < steps_.dims(); ++d) {
    if (HasBit(tensor.dims, d)) {
      continue;
    }
    const std::int64_t n = steps_.At(x, d).low;
    const auto visits = [n](const Copies& copies) {
      return n == 1 ? copies.active : (n - 1) * copies.factor + 1;
    };
    const std::int64_t merged = view.merged[Index(d)];
    words.served *= static_cast<double>(Tiles(visits(view.apart[Index(d)]), merged));
    words.delivered *= static_cast<double>(visits(view.inside[Index(d)]));
  }
  return words;
}

// Share of the words that loops outside repeat for certain, when the first loop that moves t runs
// over `dim` from tile x. The outermost loop of a dim takes all its tiles.
double RaggedBound::Certain(int t, Cells x, int dim, bool outermost) const {
  const Steps::Cell& cell = steps_.At(x, dim);
  double share = 1;
  if (cell.low <= 2 && cell.high >= 2) {
    share = view_[Index(t)].twice[Index(dim)];
  }
  if (!outermost && cell.high > 2) {
    const auto n = static_cast<double>(std::max<std::int64_t>(3, cell.low));
    share = std::min(share, 1 - 1 / n);
  }
  return share;
}

double RaggedBound::ClosePrice(int t, Cells x, int dim, const Words& words, bool outermost) const {
  const Edge& edge = view_[Index(t)].edge;
  const double share = Certain(t, x, dim, outermost);
  return std::max(0.0, Price(edge, {words.served * share, words.delivered * share}) - edge.least);
}

// The same when the loop slides a window and ends at cell `to`.
double RaggedBound::SlidePrice(int t, Cells x, int dim, int to, const Words& words) const {
  const int axis = WindowOf(t, dim);
  const WindowAxis& window = *windows_[Index(t)][Index(axis)];
  const int term = window.Term(dim);
  const double slide =
      window.Slide(term, steps_.Coordinate(x, dim), to, steps_.Coordinate(x, window.dim(1 - term)));
  if (slide == kInfinity) {
    return kInfinity;
  }
  const Edge& edge = view_[Index(t)].edge;
  const Words moved = {words.served / AxisTotal(t, axis, x, false) * slide,
                       words.delivered / AxisTotal(t, axis, x, true) * slide};
  return std::max(0.0, Price(edge, moved) - edge.least);
}

double RaggedBound::Solve(std::size_t keeps, const Unrolling& unrolling, double base,
                          const Limits& limits) {
  if (room_[keeps].empty()) {
    room_[keeps] = MakeRoom(keeps_[keeps]);
  }
  enough_ = limits.enough;
  limits_ = limits;
  SetStretch(unrolling);
  here_.Clear(masks_);
  fits_ = &room_[keeps].back();
  edges_ = 0;
  walked_ = nullptr;
  last_state_ = -1;
  Reach(0, 0, base, -1);
  for (int level = model_->levels() - 1; level >= 1; --level) {
    fits_ = &room_[keeps][Index(level)];
    Cross(level, unrolling);
    SetViews(level, keeps_[keeps], unrolling);
    Walk(level);
    Boundary(level, keeps_[keeps][Index(level)]);
  }
  fits_ = &room_[keeps][0];
  Cross(0, unrolling);
  SetViews(0, keeps_[keeps], unrolling);
  return Finish();
}

void RaggedBound::Front::Clear(std::size_t masks) {
  for (const Cells x : reached) {
    const auto tile = static_cast<std::size_t>(x);
    std::fill_n(energy.begin() + static_cast<std::ptrdiff_t>(tile * masks), masks, kInfinity);
    alive[tile] = 0;
  }
  reached.clear();
}

void RaggedBound::Reach(Cells x, std::uint32_t open, double energy, std::int32_t from) {
  const auto tile = static_cast<std::size_t>(x);
  if (energy >= enough_ || (*fits_)[tile] == 0) {
    return;
  }
  double& best = here_.energy[tile * masks_ + open];
  if (energy < best) {
    best = energy;
    if (walked_ != nullptr) {
      (*walked_)[static_cast<std::size_t>(State(x, open))] = from;
    }
  }
  if (here_.alive[tile] == 0) {
    here_.alive[tile] = 1;
    here_.reached.push_back(x);
  }
}

// The cells that the array can have around children of cell x: n turns into ceil(n / factor).
void RaggedBound::ListArrays(Cells x, const Unrolling& unrolling, int level,
                             std::vector<Cells>& arrays) const {
  arrays.assign(1, x);
  for (int d = 0; d < steps_.dims(); ++d) {
    const std::int64_t factor = unrolling.factor[Index(level)][Index(d)];
    if (factor == 1) {
      continue;
    }
    const Steps::Cell& cell = steps_.At(x, d);
    if (cell.high < unrolling.active[Index(level)][Index(d)]) {
      arrays.clear();
      return;
    }
    const int first = steps_.Find(d, Tiles(cell.high, factor));
    const int last = steps_.Find(d, Tiles(cell.low, factor));
    const std::size_t count = arrays.size();
    for (int c = first; c <= last; ++c) {
      for (std::size_t i = 0; i < count; ++i) {
        arrays.push_back(arrays[i] + (c - steps_.Coordinate(x, d)) * steps_.stride(d));
      }
    }
    arrays.erase(arrays.begin(), arrays.begin() + static_cast<std::ptrdiff_t>(count));
  }
}

// Tiles of the children become tiles of the array.
void RaggedBound::Cross(int level, const Unrolling& unrolling) {
  trace_[Index(level)].crossed.clear();
  const auto& factors = unrolling.factor[Index(level)];
  if (std::ranges::none_of(factors, [](auto f) { return f > 1; })) {
    return;
  }
  if (traces_) {
    trace_[Index(level)].crossed.resize(here_.energy.size());
  }
  next_.Clear(masks_);
  std::vector<Cells> arrays;
  for (const Cells x : here_.reached) {
    double stretch = 1;
    if (level == unrolled_) {
      if (!Belongs(x, stretch)) {
        continue;
      }
      stretch = std::max(1.0, stretch * limits_.slack);
    }
    ListArrays(x, unrolling, level, arrays);
    for (const Cells array : arrays) {
      if ((*fits_)[static_cast<std::size_t>(array)] != 0) {
        Enter(level, x, array, stretch);
      }
    }
  }
  std::swap(here_, next_);
}

void RaggedBound::Enter(int level, Cells x, Cells array, double stretch) {
  const auto to = static_cast<std::size_t>(array);
  if (next_.alive[to] == 0) {
    next_.alive[to] = 1;
    next_.reached.push_back(array);
  }
  for (std::size_t open = 0; open < masks_; ++open) {
    const std::size_t from = static_cast<std::size_t>(x) * masks_ + open;
    const double energy = here_.energy[from] * stretch;
    if (energy < next_.energy[to * masks_ + open]) {
      next_.energy[to * masks_ + open] = energy;
      if (traces_) {
        trace_[Index(level)].crossed[to * masks_ + open] = static_cast<std::int32_t>(from);
      }
    }
  }
}

// Loops only enlarge tiles, and tiles are numbered so that larger ones come later.
void RaggedBound::Walk(int level) {
  if (here_.reached.empty()) {
    return;
  }
  if (traces_) {
    walked_ = &trace_[Index(level)].walked;
    walked_->resize(here_.energy.size());
    for (const Cells x : here_.reached) {
      std::fill_n(walked_->begin() + State(x, 0), masks_, -1);
    }
  }
  for (Cells x = std::ranges::min(here_.reached); x < steps_.size(); ++x) {
    if (here_.alive[static_cast<std::size_t>(x)] != 0) {
      Visit(x);
    }
  }
}

void RaggedBound::Visit(Cells x) {
  AllWords words;
  std::uint32_t known = 0;
  for (auto open = static_cast<std::uint32_t>(masks_); open-- > 0;) {
    const double energy = here_.energy[static_cast<std::size_t>(x) * masks_ + open];
    if (energy >= enough_) {
      continue;
    }
    ++counts_.states;
    for (std::uint32_t ts = open & edges_ & ~known; ts != 0; ts &= ts - 1) {
      const int t = std::countr_zero(ts);
      words[Index(t)] = WordsAt(t, x);
      known |= Bit(t);
    }
    for (int d = 0; d < steps_.dims(); ++d) {
      if (steps_.At(x, d).high == 1) {
        continue;
      }
      if ((open & edges_ & moves_[Index(d)]) == 0) {
        Reach(x + steps_.stride(d), open, energy, State(x, open));
      } else {
        Close(x, open, d, energy, words);
      }
    }
  }
}

// A loop over `dim` that moves open tensors: at least two iterations. Slides depend on its end.
void RaggedBound::Close(Cells x, std::uint32_t open, int dim, double energy,
                        const AllWords& words) {
  const std::uint32_t moved = open & edges_ & moves_[Index(dim)];
  std::uint32_t slid = 0;
  double sum = energy;
  for (std::uint32_t ts = moved; ts != 0; ts &= ts - 1) {
    const int t = std::countr_zero(ts);
    if (WindowOf(t, dim) >= 0) {
      slid |= Bit(t);
    } else {
      sum += ClosePrice(t, x, dim, words[Index(t)], false);
    }
  }
  if (sum >= enough_) {
    return;
  }
  const int here = steps_.Coordinate(x, dim);
  const int first = steps_.Find(dim, Tiles(steps_.At(x, dim).high, 2));
  const int last = slid == 0 ? first : static_cast<int>(steps_.Axis(dim).size()) - 1;
  for (int to = first; to <= last; ++to) {
    double total = sum;
    for (std::uint32_t ts = slid; ts != 0; ts &= ts - 1) {
      const int t = std::countr_zero(ts);
      total += SlidePrice(t, x, dim, to, words[Index(t)]);
    }
    Reach(x + (to - here) * steps_.stride(dim), open & ~moved, total, State(x, open));
  }
}

// The level keeps its tensors: their edges upwards are open from here on.
void RaggedBound::Boundary(int level, std::uint32_t keep) {
  std::vector<std::int32_t>& kept = trace_[Index(level)].kept;
  if (traces_) {
    kept.resize(here_.energy.size());
  }
  for (const Cells x : here_.reached) {
    double* energy = &here_.energy[static_cast<std::size_t>(x) * masks_];
    // `to` is never below `open`: each state is settled before it takes what others become.
    for (std::uint32_t open = static_cast<std::uint32_t>(masks_); open-- > 0;) {
      const std::uint32_t to = open | keep;
      if (traces_ && (to == open || energy[open] < energy[to])) {
        kept[static_cast<std::size_t>(State(x, to))] = State(x, open);
      }
      if (to != open) {
        energy[to] = std::min(energy[to], energy[open]);
        energy[open] = kInfinity;
      }
    }
  }
}

// The loops of the outermost level: each dim is run to its end.
double RaggedBound::Finish() {
  double best = enough_;
  for (const Cells x : here_.reached) {
    for (std::uint32_t open = 0; open < masks_; ++open) {
      const double energy = here_.energy[static_cast<std::size_t>(x) * masks_ + open];
      if (energy < best) {
        ++counts_.states;
        if (const double total = FinishFrom(x, open & edges_, energy); total < best) {
          best = total;
          last_state_ = State(x, open);
        }
      }
    }
  }
  return best;
}

double RaggedBound::FinishFrom(Cells x, std::uint32_t open, double energy, Sequence* order) const {
  // A loop that moves no open tensor repeats nothing inside the others.
  std::uint32_t loops = 0;
  for (int d = 0; d < steps_.dims(); ++d) {
    if (steps_.At(x, d).high == 1) {
      continue;
    }
    if ((moves_[Index(d)] & open) != 0) {
      loops |= Bit(d);
      continue;
    }
    const auto last = static_cast<Cells>(steps_.Axis(d).size()) - 1;
    x += (last - steps_.Coordinate(x, d)) * steps_.stride(d);
    if (order != nullptr) {
      order->push_back(static_cast<std::int8_t>(d));
    }
  }
  if (loops == 0) {
    return energy;
  }
  const Sequence before = order != nullptr ? *order : Sequence{};
  AllWords words;
  for (std::uint32_t ts = open; ts != 0; ts &= ts - 1) {
    words[Index(std::countr_zero(ts))] = WordsAt(std::countr_zero(ts), x);
  }
  double best = kInfinity;
  for (; loops != 0; loops &= loops - 1) {
    const int d = std::countr_zero(loops);
    const std::uint32_t moved = open & moves_[Index(d)];
    const int last = static_cast<int>(steps_.Axis(d).size()) - 1;
    double sum = energy;
    for (std::uint32_t ts = moved; ts != 0; ts &= ts - 1) {
      const int t = std::countr_zero(ts);
      sum += WindowOf(t, d) >= 0 ? SlidePrice(t, x, d, last, words[Index(t)])
                                 : ClosePrice(t, x, d, words[Index(t)], true);
    }
    const Cells next = x + (last - steps_.Coordinate(x, d)) * steps_.stride(d);
    Sequence further = before;
    if (order != nullptr) {
      further.push_back(static_cast<std::int8_t>(d));
    }
    const double total =
        FinishFrom(next, open & ~moved, sum, order != nullptr ? &further : nullptr);
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
  const auto masks = static_cast<std::int32_t>(masks_);
  std::int32_t state = last_state_;
  sketch.tile[0] = steps_.top();
  (void)FinishFrom(state / masks, static_cast<std::uint32_t>(state % masks) & edges_, 0,
                   &sketch.order[0]);
  for (int level = 0; level + 1 < model_->levels(); ++level) {
    if (const auto& crossed = trace_[Index(level)].crossed; !crossed.empty()) {
      state = crossed[Index(state)];
    }
    const Trace& trace = trace_[Index(level + 1)];
    state = trace.kept[Index(state)];
    sketch.tile[Index(level + 1)] = state / masks;
    // Backwards: the first move of each dim is met last.
    Sequence& order = sketch.order[Index(level + 1)];
    std::uint32_t seen = 0;
    std::vector<std::int8_t> moves;
    for (std::int32_t from = trace.walked[Index(state)]; from >= 0;
         from = trace.walked[Index(state)]) {
      for (int d = 0; d < steps_.dims(); ++d) {
        if (steps_.Coordinate(from / masks, d) != steps_.Coordinate(state / masks, d)) {
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
