// What an edge of a tensor pays: rates a word, by the keeps and the unrolling around it.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "cost/compiled.h"
#include "cost/evaluator.h"
#include "cost/policy.h"
#include "mapper/exact/model/model.h"
#include "mapper/exact/ragged/bound.h"
#include "mapper/exact/ragged/steps.h"
#include "mapper/exact/ragged/unroll.h"
#include "mapping/workload.h"

namespace sluice::mapper::exact {
namespace {

using cost::HasBit;
using cost::Index;

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
    copies.active = active > 1 ? (active - 1) * copies.factor + 1 : copies.active;
    copies.factor *= unrolling.factor[Index(l)][Index(dim)];
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
      sum += spread * model_->NetworkRate(l, t, copies, units);
    }
    spread *= copies;
  }
  return sum;
}

double RaggedBound::Price(const Edge& edge, const Words& words) {
  return edge.served_rate * words.served + edge.delivered_rate * words.delivered +
         edge.accumulate_rate * std::max(0.0, words.served - edge.first_served) +
         edge.fetch_rate * std::max(0.0, words.delivered - edge.first_delivered);
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

}  // namespace sluice::mapper::exact
