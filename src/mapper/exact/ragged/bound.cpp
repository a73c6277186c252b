#include "mapper/exact/ragged/bound.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "cost/compiled.h"
#include "cost/cost.h"
#include "cost/evaluator.h"
#include "cost/policy.h"
#include "mapper/exact/goal.h"
#include "mapper/exact/model/model.h"
#include "mapper/exact/ragged/steps.h"
#include "mapper/exact/ragged/unroll.h"
#include "mapper/exact/ragged/windows.h"
#include "mapping/workload.h"

namespace sluice::mapper::exact {
namespace {

using cost::HasBit;
using cost::Index;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
/// Vectors of cells: a state is a number for each and each set of open edges.
constexpr double kMostCells = 30'000;
constexpr std::size_t kMostKeeps = 256;
constexpr std::size_t kMostUnrollings = 30'000;
constexpr std::size_t kMostPairs = 400'000;
constexpr std::int64_t kLongDim = 1 << 16;
/// Groups of walks: tiles that use the compute units badly have more cycles, and some leave copies
/// without a second tile.
constexpr std::array kStretches = {1.0, 1.02, 1.06, 1.15, 1.4, kInfinity};
constexpr std::array kShares = {0.0, 0.7, 0.9, 1.0, kInfinity};
constexpr std::int32_t kShareGroups = static_cast<std::int32_t>(kShares.size()) - 1;
constexpr std::int32_t kGroups = (static_cast<std::int32_t>(kStretches.size()) - 1) * kShareGroups;

}  // namespace

constexpr RaggedBound::Group RaggedBound::kEveryWalk = {{1, kInfinity}, {0, kInfinity}};

bool RaggedBound::Later(const Entry& a, const Entry& b) {
  return std::tuple(a.value, a.stage, a.pair, a.group) >
         std::tuple(b.value, b.stage, b.pair, b.group);
}

RaggedBound::RaggedBound(const Model& model, const Goal& goal, Propose propose)
    : model_(&model),
      goal_(&goal),
      propose_(std::move(propose)),
      steps_(model.evaluator().workload().bounds, kMostCells),
      frozen_(model.joint()) {
  const cost::Compiled& c = model.compiled();
  for (int t = 0; t < c.tensors; ++t) {
    for (int d = 0; d < c.dims; ++d) {
      moves_[Index(d)] |= HasBit(model.dims_of(t), d) ? Bit(t) : 0;
    }
    for (int a = 0; a < c.tensor[Index(t)].axes; ++a) {
      const mapping::WorkloadAxis& axis = c.tensor[Index(t)].axis[Index(a)];
      if (axis.size() < 2 || HasBit(model.joint(), t)) {
        continue;
      }
      if (!WindowAxis::CanTabulate(model.evaluator().workload().bounds, axis)) {
        frozen_ |= Bit(t);
        continue;
      }
      windows_[Index(t)][Index(a)] =
          std::make_unique<WindowAxis>(steps_, axis, model.evaluator().policy().gap_words);
    }
  }
  counts_.cells = steps_.size();
  masks_ = std::size_t{1} << static_cast<unsigned>(c.tensors);
  fine_ = std::ranges::all_of(model.evaluator().workload().bounds,
                              [](std::int64_t bound) { return bound <= kLongDim; });
  if (static_cast<double>(steps_.size()) > 2 * kMostCells) {
    return;  // many dims: cells can not be shared any further
  }
  for (Front* front : {&here_, &next_}) {
    front->energy.assign(static_cast<std::size_t>(steps_.size()) * masks_, kInfinity);
    front->alive.assign(static_cast<std::size_t>(steps_.size()), 0);
  }
  FillBoxes();
  ListKeeps();
  ports_ = Ports();
}

// Words of the smallest tiles that a cell stands for.
void RaggedBound::FillBoxes() {
  const cost::Compiled& c = model_->compiled();
  box_.reserve(static_cast<std::size_t>(steps_.size()) * Index(c.tensors));
  for (Cells x = 0; x < steps_.size(); ++x) {
    for (int t = 0; t < c.tensors; ++t) {
      double words = 1;
      for (int a = 0; a < c.tensor[Index(t)].axes; ++a) {
        std::int64_t extent = 1;
        for (const mapping::WorkloadTerm& term : c.tensor[Index(t)].axis[Index(a)]) {
          extent += term.coefficient * (steps_.At(x, term.dim).least_tile - 1);
        }
        words *= static_cast<double>(extent);
      }
      box_.push_back(words);
    }
  }
}

void RaggedBound::ListKeeps() {
  Keeps keeps{};
  keeps[0] = model_->all_tensors();
  const std::function<void(int)> level = [&](int l) {
    if (keeps_.size() > kMostKeeps) {
      return;
    }
    if (l == model_->levels()) {
      keeps_.push_back(keeps);
      return;
    }
    ForEachKeep(model_->MustKeep(l), model_->MayKeep(l), [&](std::uint32_t keep) {
      keeps[Index(l)] = keep;
      level(l + 1);
    });
  };
  level(1);
}

// Where a tile may be while it is inside a level: it and every level outside has room for it.
RaggedBound::Room RaggedBound::MakeRoom(const Keeps& keeps) const {
  const auto vectors = static_cast<std::size_t>(steps_.size());
  const auto tensors = Index(model_->tensors());
  Room room(Index(model_->levels()));
  room[0].assign(vectors, 1);
  for (int l = 1; l < model_->levels(); ++l) {
    const auto usable =
        static_cast<double>(model_->evaluator().validity().levels[Index(l)].usable_words);
    room[Index(l)] = room[Index(l - 1)];
    for (std::size_t x = 0; x < vectors; ++x) {
      double words = 0;
      for (std::size_t t = 0; t < tensors; ++t) {
        words += HasBit(keeps[Index(l)], static_cast<int>(t)) ? box_[x * tensors + t] : 0;
      }
      room[Index(l)][x] = room[Index(l)][x] != 0 && words <= usable ? 1 : 0;
    }
  }
  return room;
}

bool RaggedBound::FitsAtAll(const Keeps& keeps) const {
  for (int l = 1; l < model_->levels(); ++l) {
    double words = 0;
    for (int t = 0; t < model_->tensors(); ++t) {
      words += HasBit(keeps[Index(l)], t) ? box_[Index(t)] : 0;
    }
    if (words > static_cast<double>(model_->evaluator().validity().levels[Index(l)].usable_words)) {
      return false;
    }
  }
  return true;
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

double RaggedBound::Base(const Keeps& keeps, const Unrolling& unrolling) const {
  double sum = meter_.energy * model_->FixedEnergy();
  for (int t = 0; t < model_->tensors(); ++t) {
    int child = model_->levels();
    for (int l = model_->levels() - 1; l >= 0; --l) {
      if (!HasBit(keeps[Index(l)], t)) {
        continue;
      }
      sum += child == model_->levels() ? ComputeEdge(t, l, unrolling)
                                       : MakeEdge(t, l, child, unrolling).least;
      child = l;
    }
  }
  return sum;
}

std::vector<RaggedBound::Port> RaggedBound::Ports() const {
  std::vector<Port> ports;
  for (int l = 0; l < model_->levels(); ++l) {
    const cost::CompiledLevel& level = model_->compiled().level[Index(l)];
    if (level.read_bandwidth > 0) {
      ports.push_back({l, Kind::kRead});
    }
    if (level.write_bandwidth > 0) {
      ports.push_back({l, Kind::kWrite});
    }
    if (level.network_bandwidth > 0) {
      ports.push_back({l, Kind::kNetwork});
    }
  }
  return ports;
}

// Cycles that the port needs for a word.
double RaggedBound::PortRate(const Port& port, const Unrolling& unrolling) const {
  const cost::CompiledLevel& level = model_->compiled().level[Index(port.level)];
  const double bandwidth = port.kind == Kind::kRead    ? level.read_bandwidth
                           : port.kind == Kind::kWrite ? level.write_bandwidth
                                                       : level.network_bandwidth;
  double instances = 1;
  for (int d = 0; d < model_->compiled().dims; ++d) {
    instances *= static_cast<double>(Gather(unrolling, 0, port.level, d).factor);
  }
  return 1 / (instances * bandwidth);
}

double RaggedBound::Cycles(const Unrolling& unrolling) const {
  return std::ceil(unrolling.steps * model_->compiled().cycles_per_point - 1e-9);
}

bool RaggedBound::ListPairs(const std::function<bool()>& stop) {
  if (keeps_.size() * unrollings_.size() > kMostPairs) {
    return false;
  }
  for (std::size_t k = 0; k < keeps_.size(); ++k) {
    if (!FitsAtAll(keeps_[k])) {
      continue;
    }
    for (std::size_t u = 0; u < unrollings_.size(); ++u) {
      if (u % 256 == 0 && stop()) {
        return false;
      }
      Pair pair;
      pair.keeps = static_cast<std::int32_t>(k);
      pair.unrolling = static_cast<std::int32_t>(u);
      pair.cycles = Cycles(unrollings_[u]);
      meter_ = {};
      pair.energy = Base(keeps_[k], unrollings_[u]);
      for (const Port& port : ports_) {
        if (goal_->Value(pair.energy, pair.cycles) >= goal_->limit()) {
          break;
        }
        meter_ = {0, PortRate(port, unrollings_[u]), port};
        pair.cycles = std::max(pair.cycles, Base(keeps_[k], unrollings_[u]));
      }
      const double value = goal_->Value(pair.energy, pair.cycles);
      if (value < goal_->limit()) {
        Push({value, Stage::kBase, static_cast<std::int32_t>(pairs_.size()), 0});
        pairs_.push_back(pair);
      }
    }
  }
  counts_.pairs = static_cast<std::int64_t>(pairs_.size());
  return true;
}

void RaggedBound::Push(const Entry& entry) {
  if (entry.value < goal_->limit()) {
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

bool RaggedBound::Run(const std::function<bool()>& stop, std::int64_t most_states) {
  bound_ = 0;
  if (keeps_.size() > kMostKeeps || here_.energy.empty()) {
    return false;
  }
  const cost::Score least = cost::LowerBound(model_->evaluator());
  const double energy = least.energy_pj - model_->LeakagePerCycle() * least.cycles;
  auto unrollings = ListUnrollings(
      *model_,
      [&](double steps) {
        return goal_->Value(energy, steps * model_->compiled().cycles_per_point) < goal_->limit();
      },
      kMostUnrollings);
  if (!unrollings) {
    return false;
  }
  unrollings_ = std::move(*unrollings);
  counts_.unrollings = static_cast<std::int64_t>(unrollings_.size());
  room_.assign(keeps_.size(), {});
  if (!ListPairs(stop)) {
    return false;
  }
  while (!queue_.empty()) {
    const Entry entry = Pop();
    if (entry.value >= goal_->limit()) {
      break;
    }
    bound_ = std::max(bound_, entry.value);
    if (entry.stage == Stage::kDone) {
      return true;
    }
    if (stop() || counts_.states > most_states) {
      return false;
    }
    Refine(entry);
  }
  bound_ = goal_->limit();
  return true;
}

RaggedBound::Group RaggedBound::GroupAt(std::int32_t number) {
  const std::size_t stretch = Index(number / kShareGroups);
  const std::size_t share = kShares.size() - 2 - Index(number % kShareGroups);
  return {{kStretches[stretch], kStretches[stretch + 1]}, {kShares[share], kShares[share + 1]}};
}

double RaggedBound::CyclesOf(const Pair& pair, const Group& group) const {
  const double compute = Cycles(unrollings_[Index(pair.unrolling)]) * group.stretch.low;
  return std::max(pair.cycles, std::ceil(compute * (1 - 1e-12)));
}

void RaggedBound::Refine(const Entry& entry) {
  const Pair& pair = pairs_[Index(entry.pair)];
  const Group group = entry.stage < Stage::kGroup ? kEveryWalk : GroupAt(entry.group);
  const double cycles = CyclesOf(pair, group);
  const double enough = goal_->EnergyFor(goal_->limit(), cycles);
  Entry next = entry;
  next.stage = static_cast<Stage>(static_cast<int>(entry.stage) + 1);
  switch (entry.stage) {
    case Stage::kBase:
    case Stage::kGroup:
      // More cycles at the same energy are as bad as more energy at the same cycles.
      if (goal_->is_product()) {
        const double slack = Cycles(unrollings_[Index(pair.unrolling)]) / cycles;
        next.value = std::max(
            next.value, goal_->Value(Measure(pair, {}, {enough, group, slack, false}), cycles));
      }
      Push(next);
      return;
    case Stage::kWhole:
      Split(next);
      return;
    case Stage::kStretched:
      next.value = std::max(next.value, WithPorts(pair, group));
      Push(next);
      return;
    case Stage::kDone:
      return;
  }
}

// Into the groups of walks that there can be.
void RaggedBound::Split(const Entry& entry) {
  const Pair& pair = pairs_[Index(entry.pair)];
  const Unrolling& unrolling = unrollings_[Index(pair.unrolling)];
  const bool groups = UnrolledLevel(unrolling) >= 0;
  for (std::int32_t i = 0; i < (groups ? kGroups : 1); ++i) {
    const Group group = GroupAt(i);
    Entry part = entry;
    part.group = i;
    part.value = std::max(part.value, goal_->Value(pair.energy, CyclesOf(pair, group)));
    if (part.value < goal_->limit() && (!groups || CanBelong(unrolling, group))) {
      Push(part);
    }
  }
}

// The cheapest walk by `meter`. Those of groups are proposed.
double RaggedBound::Measure(const Pair& pair, const Meter& meter, const Limits& limits) {
  const Unrolling& unrolling = unrollings_[Index(pair.unrolling)];
  meter_ = meter;
  ++counts_.solved;
  const double base = Base(keeps_[Index(pair.keeps)], unrolling);
  traces_ = propose_ != nullptr && (limits.propose || counts_.solved % 16 == 0);
  const double least = Solve(Index(pair.keeps), unrolling, base, limits);
  if (traces_ && last_state_ >= 0) {
    propose_(steps_, Follow(Index(pair.keeps), unrolling));
  }
  return std::max(base, least);
}

double RaggedBound::WithPorts(const Pair& pair, const Group& group) {
  const double limit = goal_->limit();
  Corner corner = {pair.energy, CyclesOf(pair, group)};
  if (const double enough = goal_->EnergyFor(limit, corner.cycles); enough < kInfinity) {
    corner.energy = std::max(corner.energy, Measure(pair, {}, {enough, group, 0, true}));
  }
  for (const Port& port : ports_) {
    const double enough = goal_->CyclesFor(limit, corner.energy);
    if (enough == kInfinity || corner.cycles >= enough) {
      break;
    }
    const Meter meter = {0, PortRate(port, unrollings_[Index(pair.unrolling)]), port};
    corner.cycles = std::max(corner.cycles, Measure(pair, meter, {enough, group, 0, true}));
  }
  Corners corners = {corner};
  for (const Port& port : ports_) {
    Trade(pair, group, port, corners);
  }
  const Corner& lowest = Lowest(corners);
  return goal_->Value(lowest.energy, lowest.cycles);
}

const RaggedBound::Corner& RaggedBound::Lowest(const Corners& corners) const {
  return *std::ranges::min_element(corners, {}, [this](const Corner& corner) {
    return goal_->Value(corner.energy, corner.cycles);
  });
}

// Least energy and fewest cycles need not go together: bounds on weighted sums of both cut off the
// corner. Every objective is least at a corner of what is left.
void RaggedBound::Trade(const Pair& pair, const Group& group, const Port& port, Corners& corners) {
  constexpr int kMostCuts = 6;
  constexpr double kWorthwhile = 1.0005;
  const double rate = PortRate(port, unrollings_[Index(pair.unrolling)]);
  const double limit = goal_->limit();
  for (int cut = 0; cut < kMostCuts; ++cut) {
    const Corner lowest = Lowest(corners);
    const double before = goal_->Value(lowest.energy, lowest.cycles);
    const double slope = goal_->Exchange(lowest.energy, lowest.cycles);
    if (before >= limit || slope <= 0) {
      return;
    }
    // Beyond this the outermost corners are good enough.
    const Corner& first = corners.front();
    const Corner& last = corners.back();
    const double enough = std::max(first.energy + slope * goal_->CyclesFor(limit, first.energy),
                                   goal_->EnergyFor(limit, last.cycles) + slope * last.cycles);
    if (enough == kInfinity) {
      return;
    }
    const Meter meter = {1, slope * rate, port};
    Cut(slope, Measure(pair, meter, {enough, group, 0, true}), corners);
    const Corner& now = Lowest(corners);
    if (goal_->Value(now.energy, now.cycles) < before * kWorthwhile) {
      return;
    }
  }
}

// energy + slope x cycles is at least `least`.
void RaggedBound::Cut(double slope, double least, Corners& corners) {
  const auto sum = [slope](const Corner& c) { return c.energy + slope * c.cycles; };
  Corners left;
  for (std::size_t i = 0; i < corners.size(); ++i) {
    const bool inside = sum(corners[i]) >= least;
    if (inside) {
      left.push_back(corners[i]);
      continue;
    }
    // Where the edges towards the neighbours leave the part that is cut off.
    const auto towards = [&](const Corner& from, const Corner& to) {
      const double share = (least - sum(from)) / (sum(to) - sum(from));
      left.push_back({from.energy + share * (to.energy - from.energy),
                      from.cycles + share * (to.cycles - from.cycles)});
    };
    if (i == 0) {
      left.push_back({corners[i].energy, (least - corners[i].energy) / slope});
    } else if (sum(corners[i - 1]) >= least) {
      towards(corners[i], corners[i - 1]);
    }
    if (i + 1 == corners.size()) {
      left.push_back({least - slope * corners[i].cycles, corners[i].cycles});
    } else if (sum(corners[i + 1]) >= least) {
      towards(corners[i], corners[i + 1]);
    }
  }
  corners = std::move(left);
}

}  // namespace sluice::mapper::exact
