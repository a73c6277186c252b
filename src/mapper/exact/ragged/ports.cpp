// What the ports of the memories add to a bound: cycles for the words that pass them (bound.h).

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "cost/compiled.h"
#include "mapper/exact/goal.h"
#include "mapper/exact/model/model.h"
#include "mapper/exact/ragged/bound.h"
#include "mapper/exact/ragged/tiles/unroll.h"

namespace sluice::mapper::exact {
namespace {

using cost::Index;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

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

// Fewest cycles of each port, whatever the energy. Those of which nothing needs half the cycles
// hardly ever bind.
void RaggedBound::FindPorts(Pair& pair) {
  constexpr double kBusy = 0.5;
  const double enough = goal_->CyclesFor(Limit(), pair.energy);
  const Unrolling& unrolling = unrollings_[Index(pair.unrolling)];
  pair.ports = 0;
  for (std::size_t p = 0; p < ports_.size() && pair.cycles < enough; ++p) {
    const Meter meter = {0, PortRate(ports_[p], unrolling), ports_[p]};
    const double cycles = Measure(pair, meter, {enough, groups_[0], 0, false});
    pair.ports |= cycles > kBusy * pair.cycles ? Bit(static_cast<int>(p)) : 0;
    pair.cycles = std::max(pair.cycles, cycles);
  }
}

double RaggedBound::WithPorts(const Pair& pair, const Group& group) {
  const double limit = Limit();
  Corner corner = {pair.energy, CyclesOf(pair, group)};
  if (const double enough = goal_->EnergyFor(limit, corner.cycles); enough < kInfinity) {
    corner.energy = std::max(corner.energy, Measure(pair, {}, {enough, group, 0, true}));
  }
  for (std::uint32_t ps = pair.ports; ps != 0; ps &= ps - 1) {
    const Port& port = ports_[Index(std::countr_zero(ps))];
    const double enough = goal_->CyclesFor(limit, corner.energy);
    if (enough == kInfinity || corner.cycles >= enough) {
      break;
    }
    const Meter meter = {0, PortRate(port, unrollings_[Index(pair.unrolling)]), port};
    corner.cycles = std::max(corner.cycles, Measure(pair, meter, {enough, group, 0, true}));
  }
  Corners corners = {corner};
  for (std::uint32_t ps = pair.ports; ps != 0; ps &= ps - 1) {
    Trade(pair, group, ports_[Index(std::countr_zero(ps))], corners);
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
  const double limit = Limit();
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
