#include "mapper/exact/ragged/bound.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "cost/compiled.h"
#include "cost/cost.h"
#include "cost/evaluator.h"
#include "cost/policy.h"
#include "mapper/exact/goal.h"
#include "mapper/exact/model/model.h"
#include "mapper/exact/ragged/tiles/rooms.h"
#include "mapper/exact/ragged/tiles/steps.h"
#include "mapper/exact/ragged/tiles/unroll.h"
#include "mapper/exact/ragged/tiles/windows.h"
#include "mapping/workload.h"

namespace sluice::mapper::exact {
namespace {

using cost::HasBit;
using cost::Index;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
/// Vectors of cells: a state is a number for each and each set of open edges.
constexpr double kMostCells = 450'000;
/// Of the coarse grid, which rules out most pairs, for each dim.
constexpr double kFewCells = 400;
/// Cheapest walks of so many shortest paths are tried as mappings, beside those of the last stage.
constexpr std::int64_t kProposeEvery = 12;
/// States looked at for better mappings once the bound is found: as many as before, and some more;
/// many more while the best is far from the bound.
constexpr std::int64_t kLookOn = 50'000;
constexpr std::int64_t kLookOnFar = 1'000'000;
constexpr double kFar = 1.03;
constexpr std::int64_t kLongDim = 1 << 16;
/// Groups of walks: tiles that use the compute units badly have more cycles.
constexpr std::array kStretches = {1.0, 1.02, 1.06, 1.15, 1.4, kInfinity};

}  // namespace

bool RaggedBound::Later(const Entry& a, const Entry& b) {
  return std::tuple(a.value, a.stage, a.pair, a.group) >
         std::tuple(b.value, b.stage, b.pair, b.group);
}

RaggedBound::RaggedBound(const Model& model, const Goal& goal, Propose propose)
    : model_(&model), goal_(&goal), propose_(std::move(propose)), frozen_(model.joint()) {
  const cost::Compiled& c = model.compiled();
  const auto& bounds = model.evaluator().workload().bounds;
  for (int t = 0; t < c.tensors; ++t) {
    for (int d = 0; d < c.dims; ++d) {
      moves_[Index(d)] |= HasBit(model.dims_of(t), d) ? Bit(t) : 0;
    }
    for (int a = 0; a < c.tensor[Index(t)].axes; ++a) {
      const mapping::WorkloadAxis& axis = c.tensor[Index(t)].axis[Index(a)];
      if (axis.size() > 1 && !WindowAxis::CanTabulate(bounds, axis)) {
        frozen_ |= Bit(t);
      }
    }
  }
  fine_ = std::ranges::all_of(bounds, [](std::int64_t bound) { return bound <= kLongDim; });
  ports_ = Ports();
  ListChains();
  grids_ = {MakeGrid(kFewCells * c.dims), MakeGrid(kMostCells)};
  if (grids_[1] != nullptr) {
    counts_.cells = grids_[1]->steps.size();
    FindShortDims();
  }
}

void RaggedBound::FindShortDims() {
  for (int t = 0; t < model_->tensors(); ++t) {
    for (const std::unique_ptr<WindowAxis>& window : grids_[1]->windows[Index(t)]) {
      if (window != nullptr) {
        short_[Index(t)] |= Bit(window->dim(window->Short()));
        long_[Index(t)] |= Bit(window->dim(1 - window->Short()));
      }
    }
  }
}

// Nothing when there are too many dims to share cells.
std::unique_ptr<RaggedBound::Grid> RaggedBound::MakeGrid(double most) const {
  Steps steps(model_->evaluator().workload().bounds, most);
  if (static_cast<double>(steps.size()) > 2 * most) {
    return nullptr;
  }
  auto grid = std::make_unique<Grid>(*model_, std::move(steps));
  const cost::Compiled& c = model_->compiled();
  for (int t = 0; t < c.tensors; ++t) {
    for (int a = 0; a < c.tensor[Index(t)].axes && !HasBit(frozen_, t); ++a) {
      const mapping::WorkloadAxis& axis = c.tensor[Index(t)].axis[Index(a)];
      if (axis.size() > 1) {
        grid->windows[Index(t)][Index(a)] =
            std::make_unique<WindowAxis>(grid->steps, axis, model_->evaluator().policy().gap_words);
      }
    }
  }
  for (int d = 0; d < c.dims && fine_; ++d) {
    const std::int64_t bound = c.bound[Index(d)];
    grid->cell_of[Index(d)].push_back(0);
    for (std::int64_t tile = 1; tile <= bound; ++tile) {
      grid->cell_of[Index(d)].push_back(grid->steps.Find(d, Tiles(bound, tile)));
    }
  }
  return grid;
}

void RaggedBound::UseGrid(std::size_t which) {
  if (grid_ != grids_[which].get()) {
    grid_ = grids_[which].get();
    inner_of_ = {};
  }
}

int RaggedBound::Parent(const Keeps& keeps, int t, int level) const {
  while (!HasBit(keeps[Index(level)], t)) {
    --level;
  }
  return level;
}

int RaggedBound::Child(const Keeps& keeps, int t, int level) const {
  for (int l = level + 1; l < model_->levels(); ++l) {
    if (HasBit(keeps[Index(l)], t)) {
      return l;
    }
  }
  return model_->levels();
}

double RaggedBound::Cycles(const Unrolling& unrolling) const {
  return std::ceil(unrolling.steps * model_->compiled().cycles_per_point - 1e-9);
}

void RaggedBound::Push(const Entry& entry) {
  constexpr double kRounding = 1e-12;  // walks that cost as much as is enough are worth the limit
  if (entry.value < Limit() * (1 - kRounding)) {
    queue_.push_back(entry);
    std::ranges::push_heap(queue_, Later);
  }
}

RaggedBound::Entry RaggedBound::Pop() {
  std::ranges::pop_heap(queue_, Later);
  const Entry entry = queue_.back();
  queue_.pop_back();
  return entry;
}

// Rounds with rising caps: as long as the best mapping known is poor, walks of no more than the cap
// are few, and lead to better mappings.
bool RaggedBound::Run(const std::function<bool()>& stop, std::int64_t most_states) {
  constexpr double kRaise = 1.3;
  constexpr double kLeastRaise = 1.03;
  bound_ = 0;
  if (grids_[0] == nullptr || grids_[1] == nullptr) {
    return false;
  }
  const cost::Score least = cost::LowerBound(model_->evaluator());
  least_energy_ = least.energy_pj - model_->LeakagePerCycle() * least.cycles;
  cap_ = goal_->Value(least_energy_, least.cycles);
  double raise = kRaise;
  while (true) {
    const double before = cap_;
    cap_ = before > 0 ? before * raise : kInfinity;
    if (!ListPairs(stop)) {
      raise = std::sqrt(raise);  // too many: more slowly
      if (before == 0 || raise < kLeastRaise || stop()) {
        return false;
      }
      cap_ = before;
      continue;
    }
    if (!Search(stop, most_states)) {
      return false;
    }
    if (bound_ < Limit() || bound_ >= goal_->limit()) {
      return true;
    }
  }
}

// Best first. False when stopped; else the bound is the limit, or as good as it gets. Then some of
// what may still lead to better mappings is looked at.
bool RaggedBound::Search(const std::function<bool()>& stop, std::int64_t most_states) {
  std::optional<std::int64_t> done;  // states when the bound was found
  while (!queue_.empty()) {
    const Entry entry = Pop();
    if (entry.value >= Limit()) {
      break;
    }
    if (!done) {
      bound_ = std::max(bound_, entry.value);
    }
    if (entry.stage == Stage::kDone) {
      done = done.value_or(counts_.states);
      continue;
    }
    const std::int64_t more = goal_->limit() > kFar * bound_ ? kLookOnFar : kLookOn;
    if (stop() || counts_.states > most_states || (done && counts_.states > 2 * *done + more)) {
      return done.has_value();
    }
    Refine(entry);
  }
  if (!done) {
    bound_ = std::max(bound_, Limit());
  }
  return true;
}

double RaggedBound::CyclesOf(const Pair& pair, const Group& group) const {
  const double compute = Cycles(unrollings_[Index(pair.unrolling)]) * group.stretch.low;
  return std::max(pair.cycles, std::ceil(compute * (1 - 1e-12)));
}

// Looks only a little beyond what is known: few walks are so cheap. Entries that turn out to be
// more expensive wait, and are looked at again when all others are.
void RaggedBound::Refine(const Entry& entry) {
  constexpr double kFocus = 1.1;
  constexpr double kRounding = 1e-9;
  Entry next = entry;
  next.stage = static_cast<Stage>(static_cast<int>(entry.stage) + 1);
  UseGrid(entry.stage == Stage::kBase || entry.stage == Stage::kWhole ? 0 : 1);
  if (entry.stage == Stage::kPorts) {
    Split(next);
    return;
  }
  const double limit = Limit();
  if (entry.value > 0) {
    focus_ = entry.value * kFocus;
  }
  next.value = std::max(entry.value, Look(entry));
  if (focus_ < limit && next.value >= focus_ * (1 - kRounding)) {
    next.stage = entry.stage;
  }
  focus_ = kInfinity;
  Push(next);
}

// What an entry costs at its stage, at least; beyond the limit, at least that.
double RaggedBound::Look(const Entry& entry) {
  Pair& pair = pairs_[Index(entry.pair)];
  const Group group = groups_[Index(entry.group)];
  if (entry.stage == Stage::kWhole) {
    FindPorts(pair);
  }
  if (entry.stage == Stage::kWhole || entry.stage == Stage::kStretched) {
    return WithPorts(pair, group);
  }
  // More cycles at the same energy are as bad as more energy at the same cycles.
  const double cycles = CyclesOf(pair, group);
  if (!goal_->is_product()) {
    return 0;
  }
  const double slack = Cycles(unrollings_[Index(pair.unrolling)]) / cycles;
  const double enough = goal_->EnergyFor(Limit(), cycles);
  return goal_->Value(Measure(pair, {}, {enough, group, slack, false}), cycles);
}

// Into the groups of walks that there can be.
void RaggedBound::Split(const Entry& entry) {
  SetFilling(unrollings_[Index(pairs_[Index(entry.pair)].unrolling)]);
  if (unrolled_ < 0) {
    Push(entry);
    return;
  }
  Group group;
  group.child.fill(kNotTwo);
  SplitFrom(0, entry, group);
}

// Either the array has two tiles of a dim, of certain children, or any other number.
void RaggedBound::SplitFrom(int dim, const Entry& entry, Group& group) {
  if (dim == steps().dims()) {
    PushGroups(entry, group);
    return;
  }
  SplitFrom(dim + 1, entry, group);
  if (copies_[Index(dim)] == 1) {
    return;
  }
  const Range before = group.stretch;
  for (int c = 0; c < static_cast<int>(steps().Axis(dim).size()); ++c) {
    if (MayHaveTwo(dim, c) && IsChild(Index(pairs_[Index(entry.pair)].keeps), unrolled_, dim, c)) {
      group.child[Index(dim)] = static_cast<std::int16_t>(c);
      group.stretch.low = before.low * filling_[Index(dim)]->stretch[Index(c)].low;
      SplitFrom(dim + 1, entry, group);
    }
  }
  group.child[Index(dim)] = kNotTwo;
  group.stretch = before;
}

void RaggedBound::PushGroups(const Entry& entry, const Group& group) {
  const Pair& pair = pairs_[Index(entry.pair)];
  for (std::size_t i = 0; i + 1 < kStretches.size(); ++i) {
    Group part = group;
    part.stretch = {std::max(group.stretch.low, kStretches[i]), kStretches[i + 1]};
    Entry next = entry;
    next.value = std::max(entry.value, goal_->Value(pair.energy, CyclesOf(pair, part)));
    if (part.stretch.low < part.stretch.high && next.value < Limit()) {
      next.group = static_cast<std::int32_t>(groups_.size());
      groups_.push_back(part);
      Push(next);
    }
  }
}

// The cheapest walk by `meter`. Those of groups are proposed.
double RaggedBound::Measure(const Pair& pair, const Meter& meter, const Limits& limits) {
  const Unrolling unrolling = Tighten(pair, limits.group);
  meter_ = meter;
  ++counts_.solved;
  const double base = Base(keeps_[Index(pair.keeps)], unrolling);
  traces_ =
      propose_ != nullptr && (limits.propose || (IsFine() && counts_.solved % kProposeEvery == 0));
  const double least = Solve(Index(pair.keeps), unrolling, base, limits);
  if (traces_ && last_state_ >= 0) {
    propose_(steps(), Follow(Index(pair.keeps), unrolling));
  }
  return std::max(base, least);
}

}  // namespace sluice::mapper::exact
