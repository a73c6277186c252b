// What an edge of a tensor pays: words, by the tile at which it closes, and rates a word, by the
// keeps and the unrolling around it.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>

#include "cost/compiled.h"
#include "cost/evaluator.h"
#include "cost/policy.h"
#include "mapper/exact/model/model.h"
#include "mapper/exact/ragged/bound.h"
#include "mapper/exact/ragged/tiles/steps.h"
#include "mapper/exact/ragged/tiles/unroll.h"
#include "mapper/exact/ragged/tiles/windows.h"
#include "mapping/workload.h"

namespace sluice::mapper::exact {
namespace {

using cost::HasBit;
using cost::Index;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

// All outer copies but the last have work for all of their inner copies.
RaggedBound::Copies RaggedBound::Gather(const Unrolling& unrolling, int begin, int end, int dim,
                                        std::uint32_t levels) {
  Copies copies;
  for (int l = end - 1; l >= begin; --l) {
    if (!HasBit(levels, l)) {
      continue;
    }
    const std::int64_t active = unrolling.active[Index(l)][Index(dim)];
    const std::int64_t factor = unrolling.factor[Index(l)][Index(dim)];
    copies.active = active > 1 ? (active - 1) * copies.factor + 1 : copies.active;
    if (factor > 1) {
      copies.level = l;
      copies.inner = copies.factor;
      copies.factor *= factor;
    }
  }
  return copies;
}

std::uint32_t RaggedBound::Diagonals(int t, int parent, int child,
                                     const Unrolling& unrolling) const {
  std::uint32_t axes = 0;
  for (int a = 0; a < model_->compiled().tensor[Index(t)].axes; ++a) {
    int spatial = 0;
    for (const mapping::WorkloadTerm& term : model_->compiled().tensor[Index(t)].axis[Index(a)]) {
      spatial += Gather(unrolling, parent, child, term.dim).factor > 1 ? 1 : 0;
    }
    axes |= spatial > 1 ? Bit(a) : 0;
  }
  return axes;
}

// Least picojoules of a word on its way through the fan-outs of an edge.
double RaggedBound::Way(int t, int parent, int child, const Unrolling& unrolling) const {
  double sum = 0;
  double spread = 1;
  for (int l = parent; l < child; ++l) {
    double units = 1;
    double copies = 1;
    for (int d = 0; d < model_->compiled().dims; ++d) {
      const auto active = static_cast<double>(unrolling.active[Index(l)][Index(d)]);
      units *= active;
      copies *= HasBit(model_->dims_of(t), d) || !model_->Merges(l, t) ? 1 : active;
    }
    const cost::CompiledLevel& at = model_->compiled().level[Index(l)];
    if (at.has_network_cost && at.router_pj > 0) {
      sum += spread * at.router_pj;  // at least one; averages over groups may be less than whole
    } else if (Diagonals(t, l, l + 1, unrolling) == 0) {
      const bool full = unrolling.active[Index(l)] == unrolling.factor[Index(l)];
      sum += spread * (at.has_network_cost && full ? LeastWay(l, t, unrolling.factor[Index(l)])
                                                   : model_->NetworkRate(l, t, copies, units));
    }
    spread *= copies;
  }
  return sum;
}

double RaggedBound::LeastWay(int level, int t, const Unrolling::Factors& factors) const {
  const auto [it, fresh] = ways_.try_emplace({level, factors});
  if (fresh) {
    it->second = LeastWays(*model_, level, factors);
  }
  return it->second[Index(t)];
}

double RaggedBound::Price(const Edge& edge, const Words& words) {
  return edge.served_rate * words.served + edge.delivered_rate * words.delivered +
         edge.accumulate_rate * std::max(0.0, words.served - edge.first_served) +
         edge.fetch_rate * std::max(0.0, words.delivered - edge.first_delivered);
}

// What a share of the words adds to the least price, when all of them were `words`.
double RaggedBound::PartPrice(const Edge& edge, const Words& words, double share) {
  const double served = share * std::max(0.0, words.served - edge.least_words.served);
  const double delivered = share * std::max(0.0, words.delivered - edge.least_words.delivered);
  const double first_served = std::max(0.0, edge.first_served - edge.least_words.served);
  const double first_delivered = std::max(0.0, edge.first_delivered - edge.least_words.delivered);
  return edge.served_rate * served + edge.delivered_rate * delivered +
         edge.accumulate_rate * std::max(0.0, served - first_served) +
         edge.fetch_rate * std::max(0.0, delivered - first_delivered);
}

void RaggedBound::AddEnergy(int t, const Unrolling& unrolling, Edge& edge) const {
  const bool inner = edge.child < model_->levels();
  double accumulate = 0;
  double fetch = 0;
  if (model_->IsOutput(t)) {
    accumulate = model_->ParentRebate(edge.parent) / model_->Touched(t);
    fetch = inner ? model_->ChildRebate(edge.child) / model_->Touched(t) : 0;
  }
  const double way = Way(t, edge.parent, edge.child, unrolling);
  const double child = inner ? model_->ChildRate(edge.child, t) : 0;
  edge.served_rate += meter_.energy * (model_->ParentRate(edge.parent, t) + way - accumulate);
  edge.delivered_rate += meter_.energy * (child - fetch);
  edge.accumulate_rate += meter_.energy * accumulate;
  edge.fetch_rate += meter_.energy * fetch;
}

// Partial sums that a child fetches back are left out.
void RaggedBound::AddWords(int t, Edge& edge) const {
  const cost::Policy& policy = model_->evaluator().policy();
  const bool output = model_->IsOutput(t);
  const bool writes = meter_.port.kind == Kind::kWrite;
  const bool network = meter_.port.kind == Kind::kNetwork;
  if (edge.parent == meter_.port.level) {
    edge.served_rate += network || writes == output ? meter_.words : 0;
    if (output && meter_.port.kind == Kind::kRead) {
      (policy.first_read_elision ? edge.accumulate_rate : edge.served_rate) +=
          meter_.words * model_->AccumulateReads(edge.parent);
    }
  } else if (edge.child == meter_.port.level && !network) {
    const bool drains = output && policy.child_read_on_drain && !writes;
    edge.delivered_rate += drains || (!output && writes) ? meter_.words : 0;
  }
}

RaggedBound::Edge RaggedBound::MakeEdge(int t, int parent, int child,
                                        const Unrolling& unrolling) const {
  Edge edge;
  edge.parent = parent;
  edge.child = child;
  if (HasBit(model_->joint(), t)) {
    return edge;
  }
  const double touched = model_->Touched(t);
  if (meter_.energy > 0) {
    AddEnergy(t, unrolling, edge);
  }
  if (meter_.words > 0) {
    AddWords(t, edge);
  }
  edge.first_served = touched;
  edge.first_delivered = touched;
  bool forwards = false;
  std::uint32_t apart = 0;
  for (int l = parent; l < child; ++l) {
    forwards = forwards || (model_->compiled().level[Index(l)].forwarding && !model_->IsOutput(t));
    apart |= model_->Merges(l, t) ? 0 : Bit(l);
  }
  Words least = {touched, touched};
  for (int d = 0; d < model_->compiled().dims; ++d) {
    if (HasBit(model_->dims_of(t), d)) {
      continue;
    }
    edge.first_served *= static_cast<double>(Gather(unrolling, 0, parent, d).factor);
    edge.first_delivered *= static_cast<double>(Gather(unrolling, 0, child, d).factor);
    least.delivered *= static_cast<double>(Gather(unrolling, parent, child, d).active);
    least.served *= static_cast<double>(Gather(unrolling, parent, child, d, apart).active);
  }
  if (forwards) {
    least.served = touched;
  }
  edge.least = Price(edge, least);
  edge.least_words = least;
  edge.counts = child < model_->levels() && !forwards && !HasBit(frozen_, t);
  return edge;
}

// Reads and writes of the compute units at the innermost level that keeps the tensor.
double RaggedBound::ComputeEdge(int t, int parent, const Unrolling& unrolling) const {
  if (HasBit(model_->joint(), t)) {
    return 0;
  }
  const int levels = model_->levels();
  const Edge edge = MakeEdge(t, parent, levels, unrolling);
  std::uint32_t merging = 0;
  for (int l = parent; l < levels; ++l) {
    merging |= model_->Merges(l, t) ? Bit(l) : 0;
  }
  double served = 1;
  for (int d = 0; d < model_->compiled().dims; ++d) {
    const std::int64_t bound = model_->compiled().bound[Index(d)];
    const std::int64_t merged =
        HasBit(model_->dims_of(t), d) ? 1 : Gather(unrolling, parent, levels, d, merging).factor;
    served *= static_cast<double>(Tiles(bound, merged));
  }
  // Copies of several dims of a window may ask for the same word: at least those that differ in one
  // dim do not.
  for (const mapping::WorkloadAxis& axis : model_->compiled().tensor[Index(t)].axis) {
    double all = 1;
    double most = 1;
    for (const mapping::WorkloadTerm& term : axis) {
      const auto factor =
          static_cast<double>(Gather(unrolling, parent, levels, term.dim, merging).factor);
      all *= factor;
      most = std::max(most, factor);
    }
    served *= most / all;
  }
  return std::max(edge.least, Price(edge, {served, 0}));
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

// The copies that a dim of an axis is unrolled over, if their words are counted apart: not where
// diagonals merge.
RaggedBound::Copies RaggedBound::Spread(int t, int axis, int dim, bool delivered) const {
  const View& view = view_[Index(t)];
  return !delivered && HasBit(view.diagonal, axis) ? Copies{} : view.inside[Index(dim)];
}

// Whether what copies ask for together has fewer words than the tile around them: it does not skip
// what lies between them.
bool RaggedBound::HasHoles(int t, int axis, bool delivered) const {
  return !delivered && HasBit(view_[Index(t)].diagonal, axis) &&
         model_->evaluator().policy().gap_words;
}

// Words of all the children's (or the array's) tiles of an axis.
double RaggedBound::AxisTotal(int t, int axis, Cells x, bool delivered) const {
  const WindowAxis& window = *grid_->windows[Index(t)][Index(axis)];
  if (HasHoles(t, axis, delivered)) {
    return window.Least();
  }
  std::array<int, 2> cell{};
  for (int i = 0; i < 2; ++i) {
    cell[Index(i)] = SpreadCell(x, window.dim(i), Spread(t, axis, window.dim(i), delivered));
  }
  return window.Total(cell[0], cell[1]);
}

int RaggedBound::SpreadCell(Cells x, int dim, const Copies& copies) const {
  const int cell = steps().Coordinate(x, dim);
  if (copies.factor == 1) {
    return cell;
  }
  if (unrolled_ >= 0 && copies.inner == 1) {
    return visits_[Index(copies.level)][Index(dim)].cell[Index(cell)];
  }
  return steps().Find(dim, std::min(Visits(x, dim, copies), model_->compiled().bound[Index(dim)]));
}

// What crosses the edge of t when a loop that moves the tensor runs outside tile x.
RaggedBound::Words RaggedBound::WordsAt(int t, Cells x) const {
  const cost::CompiledTensor& tensor = model_->compiled().tensor[Index(t)];
  const View& view = view_[Index(t)];
  Words words = {1, 1};
  for (int a = 0; a < tensor.axes; ++a) {
    if (grid_->windows[Index(t)][Index(a)] != nullptr) {
      words.served *= AxisTotal(t, a, x, false);
      words.delivered *= AxisTotal(t, a, x, true);
    } else if (!tensor.axis[Index(a)].empty()) {
      const auto bound =
          static_cast<double>(model_->compiled().bound[Index(tensor.axis[Index(a)][0].dim)]);
      words.served *= bound;
      words.delivered *= bound;
    }
  }
  for (int d = 0; d < steps().dims(); ++d) {
    if (HasBit(tensor.dims, d)) {
      continue;
    }
    const std::int64_t merged = view.merged[Index(d)];
    words.served *= static_cast<double>(Tiles(Visits(x, d, view.apart[Index(d)]), merged));
    words.delivered *= static_cast<double>(Visits(x, d, view.inside[Index(d)]));
  }
  return words;
}

// What a loop over `dim` from tile x moves of `share`: copies without a second tile never move.
double RaggedBound::ShareAt(int t, Cells x, int dim, double share) const {
  const Steps::Cell& cell = steps().At(x, dim);
  const bool may_be_two = cell.low <= 2 && cell.high >= 2;
  return may_be_two ? std::min(share, view_[Index(t)].twice[Index(dim)]) : share;
}

// What crosses the edge when the first loop that moves t runs over `dim` from tile x, and the loops
// outside repeat `share` of it for certain.
double RaggedBound::ClosePrice(int t, Cells x, int dim, const Bill& bill, double share) const {
  share = ShareAt(t, x, dim, share);
  return share == 1 ? bill.price[Index(t)]
                    : PartPrice(view_[Index(t)].edge, bill.words[Index(t)], share);
}

// What the first tiles of slides over short dims cost when the next loop that moves t runs over
// `dim`, of another axis, from tile x: they are new in every pass. `words`: of all tiles.
double RaggedBound::FirstPrice(int t, Cells x, int dim, const Words& words, double share) const {
  Words first = words;
  for (int a = 0; a < model_->compiled().tensor[Index(t)].axes; ++a) {
    const WindowAxis* window = grid_->windows[Index(t)][Index(a)].get();
    if (window == nullptr) {
      continue;
    }
    const int passes = window->dim(window->Short());
    const int other = window->dim(1 - window->Short());
    const auto part = [&](bool delivered) {
      if (HasHoles(t, a, delivered)) {
        return 0.0;
      }
      const auto visits = static_cast<double>(Visits(x, passes, Spread(t, a, passes, delivered)));
      const int cell = SpreadCell(x, other, Spread(t, a, other, delivered));
      return std::min(1.0, window->First(cell) * visits / AxisTotal(t, a, x, delivered));
    };
    first.served *= part(false);
    first.delivered *= part(true);
  }
  const Edge& edge = view_[Index(t)].edge;
  return std::max(0.0, ShareAt(t, x, dim, share) * Price(edge, first) - edge.least);
}

// The same when the loop slides a window and ends at cell `to`.
double RaggedBound::SlidePrice(int t, Cells x, int dim, int to, const Words& words) const {
  const int axis = WindowOf(t, dim);
  const WindowAxis& window = *grid_->windows[Index(t)][Index(axis)];
  const int term = window.Term(dim);
  const double slide = window.Slide(term, steps().Coordinate(x, dim), to,
                                    steps().Coordinate(x, window.dim(1 - term)));
  if (slide == kInfinity) {
    return kInfinity;
  }
  const Edge& edge = view_[Index(t)].edge;
  const double served = HasHoles(t, axis, false) ? std::min(slide, window.Least()) : slide;
  const Words moved = {words.served / AxisTotal(t, axis, x, false) * served,
                       words.delivered / AxisTotal(t, axis, x, true) * slide};
  return std::max(0.0, Price(edge, moved) - edge.least);
}

}  // namespace sluice::mapper::exact
