#include "mapping/dataflow/traffic.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "mapping/dataflow/fill.h"
#include "mapping/workload.h"

namespace sluice::mapping {
namespace {

using Factors = FillWish::Factors;

bool Has(std::uint32_t mask, std::size_t bit) {
  return (mask >> bit & 1U) != 0;
}

/// One axis of a fan-out as a tensor sees it: loops that tell tiles apart, and loops whose units
/// share one.
struct AxisView {
  struct Step {
    std::int64_t bound = 1;
    std::int64_t units = 1;  ///< from one of these to the next
  };
  std::array<Step, kMaxDims> apart;
  std::size_t count = 0;
  std::int64_t tiles = 1;
  std::int64_t copies = 1;
  std::int64_t reach = 0;  ///< from the first unit of a tile to its last

  [[nodiscard]] double middle() const {
    double sum = 0;
    for (std::size_t i = 0; i < count; ++i) {
      sum += static_cast<double>((apart[i].bound - 1) * apart[i].units) / 2;
    }
    return sum;
  }
  /// Hops up and down from `centre` to the units of a tile, on average.
  [[nodiscard]] double Around(double centre) const {
    double sum = 0;
    for (std::int64_t tile = 0; tile < tiles; ++tile) {
      std::int64_t low = 0;
      std::int64_t rest = tile;
      for (std::size_t i = 0; i < count; ++i) {
        low += rest % apart[i].bound * apart[i].units;
        rest /= apart[i].bound;
      }
      sum += std::max(0.0, static_cast<double>(low + reach) - centre) +
             std::max(0.0, centre - static_cast<double>(low));
    }
    return sum / static_cast<double>(tiles);
  }
};

}  // namespace

std::int64_t TileWords(const Workload& workload, std::size_t tensor, const Factors& extent) {
  std::int64_t words = 1;
  for (const WorkloadAxis& axis : workload.tensors[tensor].axes) {
    std::int64_t length = 1;
    for (const WorkloadTerm& term : axis) {
      length += term.coefficient * (extent[static_cast<std::size_t>(term.dim)] - 1);
    }
    words *= length;
  }
  return words;
}

void NestTraffic::SetUnits() {
  double instances = 1;
  for (std::size_t m = 0; m < machine_.memories.size(); ++m) {
    instances_[m] = instances;
    for (std::size_t a = 0; a < machine_.axes.size(); ++a) {
      for (std::size_t d = 0; d < workload_.bounds.size() && machine_.axes[a].memory == m; ++d) {
        instances *= static_cast<double>(nest_.spatial[a][d]);
      }
    }
    for (std::size_t t = 0; t < workload_.tensors.size(); ++t) {
      fan_out_[m][t] = FanOutOf(t, m);
    }
  }
}

NestTraffic::FanOut NestTraffic::FanOutOf(std::size_t tensor, std::size_t memory) const {
  const bool output = workload_.tensors[tensor].is_output;
  std::array<AxisView, 2> views;
  std::int64_t height = 1;
  const FillMachine::Axis* network = nullptr;
  for (std::size_t a = 0; a < machine_.axes.size(); ++a) {
    const FillMachine::Axis& axis = machine_.axes[a];
    if (axis.memory != memory) {
      continue;
    }
    network = &axis;
    height = axis.y ? axis.size : height;
    const bool merges = output ? axis.reduction : axis.multicast;
    AxisView& view = views[axis.y ? 1 : 0];
    std::int64_t units = 1;
    for (std::size_t i = wish_.order[memory].size(); i-- > 0;) {
      const auto dim = static_cast<std::size_t>(wish_.order[memory][i]);
      const std::int64_t bound = nest_.spatial[a][dim];
      if (bound == 1) {
        continue;
      }
      if (!merges || Has(workload_.tensors[tensor].dims, dim)) {
        view.apart[view.count++] = {bound, units};
        view.tiles *= bound;
      } else {
        view.copies *= bound;
        view.reach += (bound - 1) * units;
      }
      units *= bound;
    }
  }
  FanOut fan_out;
  if (network == nullptr) {
    return fan_out;
  }
  fan_out.apart = static_cast<double>(views[0].tiles * views[1].tiles);
  fan_out.copies = static_cast<double>(views[0].copies * views[1].copies);
  if (network->hop_pj > 0 || network->router_pj > 0) {
    const double hops =
        static_cast<double>(views[0].reach) + views[0].middle() +
        static_cast<double>(views[0].copies) * views[1].Around(static_cast<double>(height - 1) / 2);
    fan_out.word_pj = hops * network->hop_pj + (1 + std::floor(hops)) * network->router_pj;
  }
  fan_out.reduction_pj = output ? network->reduction_pj * (fan_out.copies - 1) : 0;
  return fan_out;
}

/// The share of a tile that is new where the loop over `dim` is the innermost one that moves it.
double NestTraffic::FreshShare(std::size_t tensor, std::size_t dim, const Factors& extent,
                               std::int64_t trips) const {
  for (const WorkloadAxis& axis : workload_.tensors[tensor].axes) {
    std::int64_t length = 1;
    std::int64_t shift = 0;
    for (const WorkloadTerm& term : axis) {
      const std::int64_t points = extent[static_cast<std::size_t>(term.dim)];
      length += term.coefficient * (points - 1);
      shift = static_cast<std::size_t>(term.dim) == dim ? term.coefficient * points : shift;
    }
    if (shift > 0 && shift < length) {
      const auto steps = static_cast<double>(trips);
      const double fresh = static_cast<double>(shift) / static_cast<double>(length);
      return (1 + (steps - 1) * fresh) / steps;
    }
  }
  return 1;
}

NestTraffic::Visits NestTraffic::VisitsOf(std::size_t tensor, std::size_t memory) const {
  Visits visits;
  const bool unit = memory == machine_.memories.size();  // where nothing stays
  bool inside = unit;
  for (std::size_t m = memory; m-- > 0;) {
    for (std::size_t i = wish_.order[m].size(); i-- > 0;) {
      const auto dim = static_cast<std::size_t>(wish_.order[m][i]);
      const std::int64_t trips = nest_.temporal[m][dim];
      if (trips == 1) {
        continue;
      }
      const bool moves = Has(workload_.tensors[tensor].dims, dim);
      if (moves && !inside) {
        visits.all *= FreshShare(tensor, dim, nest_.extent[memory], trips);
      }
      inside = inside || moves;
      visits.all *= inside ? static_cast<double>(trips) : 1.0;
      visits.distinct *= moves ? static_cast<double>(trips) : 1.0;
    }
  }
  return visits;
}

NestTraffic::Traffic NestTraffic::TrafficOf(std::size_t tensor, std::size_t from,
                                            std::size_t to) const {
  const std::size_t memories = machine_.memories.size();
  const bool output = workload_.tensors[tensor].is_output;
  double served = 1;  // tiles a tile of the outer memory
  double copies = 1;
  double network_pj = 0;
  double reduction_pj = 0;
  for (std::size_t m = from; m < to; ++m) {
    const FanOut& fan_out = fan_out_[m][tensor];
    network_pj += copies * fan_out.word_pj;
    reduction_pj += copies * fan_out.reduction_pj;
    served *= fan_out.apart;
    copies *= fan_out.copies;
  }
  const Visits visits = VisitsOf(tensor, to);
  const std::int64_t tile = to == memories ? 1 : TileWords(workload_, tensor, nest_.extent[to]);
  const double words = static_cast<double>(tile) * instances_[from] * served;
  const double back = output ? visits.all - visits.distinct : 0;  // partial sums that return
  Traffic traffic;
  traffic.read = (output ? back : visits.all) * words;
  traffic.updated = output ? visits.all * words : 0;
  // Compute units hand their sums over and never see them again: the memory adds.
  const double down = to < memories ? back : 0;
  traffic.network_pj = words * (network_pj * (visits.all + down) + reduction_pj * visits.all);
  if (to < memories) {
    traffic.filled = copies * traffic.read;
    traffic.drained = copies * traffic.updated;
  }
  return traffic;
}

double NestTraffic::Energy(std::size_t tensor, std::size_t from, std::size_t to) const {
  const Traffic traffic = TrafficOf(tensor, from, to);
  const FillMachine::Memory& outer = machine_.memories[from];
  double energy =
      traffic.read * outer.read_pj + traffic.updated * outer.update_pj + traffic.network_pj;
  if (to < machine_.memories.size()) {
    const FillMachine::Memory& inner = machine_.memories[to];
    energy += traffic.filled * inner.fill_pj + traffic.drained * inner.read_pj;
  }
  return energy;
}

void NestTraffic::Account(std::size_t tensor, std::size_t from, std::size_t to,
                          FillFigures& figures) const {
  const Traffic traffic = TrafficOf(tensor, from, to);
  FillFigures::Memory& outer = figures.memories[from];
  outer.access_pj += traffic.read * machine_.memories[from].read_pj +
                     traffic.updated * machine_.memories[from].update_pj;
  outer.network_pj += traffic.network_pj;
  outer.read_words += traffic.read;
  outer.written_words += traffic.updated;
  if (to < machine_.memories.size()) {
    FillFigures::Memory& inner = figures.memories[to];
    inner.access_pj += traffic.filled * machine_.memories[to].fill_pj +
                       traffic.drained * machine_.memories[to].read_pj;
    inner.read_words += traffic.drained;
    inner.written_words += traffic.filled;
  }
}

void NestTraffic::Finish(std::size_t memory, FillFigures& figures) const {
  const FillMachine::Memory& of = machine_.memories[memory];
  FillFigures::Memory& figure = figures.memories[memory];
  figure.read_words /= instances_[memory];
  figure.written_words /= instances_[memory];
  if (of.read_bandwidth > 0) {
    figures.cycles = std::max(figures.cycles, figure.read_words / of.read_bandwidth);
  }
  if (of.write_bandwidth > 0) {
    figures.cycles = std::max(figures.cycles, figure.written_words / of.write_bandwidth);
  }
  figures.energy_pj += figure.access_pj + figure.network_pj;
  for (std::size_t d = 0; d < workload_.bounds.size(); ++d) {
    figures.steps *= static_cast<double>(nest_.temporal[memory][d]);
  }
  if (memory == 0 || of.usable_words == std::numeric_limits<std::int64_t>::max()) {
    return;
  }
  for (std::size_t t = 0; t < workload_.tensors.size(); ++t) {
    if (Has(nest_.keep[memory], t)) {
      figure.used += static_cast<double>(TileWords(workload_, t, nest_.extent[memory])) /
                     static_cast<double>(of.usable_words);
    }
  }
}

FillFigures NestTraffic::Figures() const {
  const std::size_t memories = machine_.memories.size();
  FillFigures figures;
  figures.memories.resize(memories);
  for (std::size_t t = 0; t < workload_.tensors.size(); ++t) {
    std::size_t from = 0;
    for (std::size_t m = 1; m <= memories; ++m) {
      if (m == memories || Has(nest_.keep[m], t)) {
        Account(t, from, m, figures);
        from = m;
      }
    }
  }
  for (std::size_t m = 0; m < memories; ++m) {
    Finish(m, figures);
  }
  figures.cycles = std::max(figures.cycles, figures.steps * machine_.cycles_per_point);
  figures.compute_pj = static_cast<double>(workload_.points()) * machine_.compute_pj;
  figures.energy_pj += figures.compute_pj;
  return figures;
}

}  // namespace sluice::mapping
