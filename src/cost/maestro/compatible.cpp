#include "cost/maestro/compatible.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "base/checked.h"
#include "cost/maestro/cases.h"
#include "cost/maestro/hardware.h"
#include "cost/maestro/levels.h"
#include "cost/maestro/report.h"
#include "mapping/dataflow/dataflow.h"

namespace sluice::cost::maestro {
namespace {

using mapping::kLayerDims;
using mapping::kMaxClusterLevels;
constexpr std::size_t kRoles = kTensorRoles;

using Extents = std::array<std::int64_t, kLayerDims>;  ///< per map of a level

/// What a parent needs to know of a sub-cluster.
struct UnitResult {
  std::int64_t runtime;
  double active;
};

class Run {
 public:
  Run(const mapping::Layer& layer, const mapping::LayerTensors& tensors, const Hardware& hardware,
      const CompletedDataflow& dataflow, Report& report)
      : layer_(layer),
        tensors_(tensors),
        hardware_(hardware),
        dataflow_(dataflow),
        report_(report) {}

  void Top() {
    const CompletedLevel& level = dataflow_.levels[0];
    Extents extents{};
    for (std::size_t i = 0; i < level.maps.size(); ++i) {
      extents[i] = layer_[level.maps[i].dim];
    }
    const UnitResult result = Level(0, extents);
    report_.runtime = result.runtime;
    report_.average_pes = result.active;
    report_.csv_has_l1 = pushed_ == 1;
  }

 private:
  struct Totals {
    std::int64_t cases = 0;
    std::int64_t steps = 0;
    std::int64_t runtime = 0;
    double active = 0;
    double bandwidth = 0;
    std::array<double, 3> delay_sum{};
    std::array<std::int64_t, 3> delay_min{};
    std::array<std::int64_t, 3> delay_max{};
  };

  [[nodiscard]] std::int64_t Delay(std::int64_t words) const {
    const std::int64_t serial =
        words > 0 ? (words - 1) / hardware_.noc_bandwidth + 1 : words / hardware_.noc_bandwidth;
    return hardware_.noc_hops * hardware_.hop_latency + serial - 1;
  }

  UnitResult Level(std::size_t l, const Extents& extents) {
    const LevelStates all(dataflow_.levels[l], extents);
    Totals totals;
    std::array<TensorCounts, kRoles> sizes{};
    CaseStates states{};
    for (std::size_t i = 0; i < all.level->maps.size(); ++i) {
      states[i] = &all.lists[i][0];
    }
    CaseOrder order(all);
    do {
      if (--cases_left_ < 0) {
        report_.verdict = Verdict::kTooManyTiles;
        break;
      }
      std::int64_t occurrences = 1;
      for (std::size_t k = 0; k < all.several.size(); ++k) {
        const std::size_t i = all.several[k];
        states[i] = &all.lists[i][order.index(k)];
        occurrences *= states[i]->occurrences;
      }
      OneCase(l, all, states, occurrences, totals, sizes);
    } while (order.Next() && report_.verdict == Verdict::kOk);
    return Finish(l, totals, sizes);
  }

  void OneCase(std::size_t l, const LevelStates& all, const CaseStates& states,
               std::int64_t occurrences, Totals& totals, std::array<TensorCounts, kRoles>& sizes) {
    const CompletedLevel& level = dataflow_.levels[l];
    const Case one(all, states);
    const std::array<std::int64_t, 2> ingress = {one.Ingress(0), one.Ingress(1)};
    const std::int64_t in = ingress[0] + ingress[1];
    const std::int64_t out = one.Egress();
    if (one.stuck()) {
      report_.verdict = Verdict::kStuck;
      return;
    }
    if (totals.cases == 0) {
      BufferSizes(level, ingress, out, sizes);
    }
    const std::int64_t operations = l == 0 ? one.Operations() : 0;  // only the top's are reported
    if (l == 0) {
      TensorCounts& output = report_.tensors[2];
      output.l2_writes += occurrences * out;
      output.l1_writes += occurrences * operations;
      output.l1_reads += occurrences * operations;
    }
    const std::int64_t critical = one.Critical();
    if (critical <= 0) {
      return;  // the tool skips what is left of the case
    }
    if (l == 0) {
      for (std::size_t t = 0; t < 2; ++t) {
        report_.tensors[t].l2_reads += occurrences * ingress[t];
        report_.tensors[t].l1_writes = report_.tensors[t].l2_reads;
        report_.tensors[t].l1_reads += occurrences * operations;
      }
      report_.macs += occurrences * operations;
      report_.arithmetic_intensity = static_cast<double>(operations) / static_cast<double>(in);
    }
    const UnitResult unit = Unit(l, states, critical);
    if (unit.runtime == 0) {
      report_.verdict = Verdict::kStuck;
    }
    if (report_.verdict != Verdict::kOk) {
      return;
    }
    Account(l,
            {one.all_init(), {Delay(in), Delay(out), unit.runtime}, std::max(in, out), occurrences},
            sizes, totals);
    totals.active += unit.active * static_cast<double>(occurrences);
  }

  /// A case: whether all maps start, what it delays (in, out, compute), its words and how often.
  struct Step {
    bool first;
    std::array<std::int64_t, 3> delays;
    std::int64_t traffic;
    std::int64_t occurrences;
  };

  void Account(std::size_t l, const Step& step, const std::array<TensorCounts, kRoles>& sizes,
               Totals& totals) {
    const auto& [first, delays, traffic, occurrences] = step;
    std::int64_t time = first ? delays[2] + delays[0] : std::max({delays[0], delays[1], delays[2]});
    if (l == 0) {
      const std::int64_t inputs = sizes[0].l2_words + sizes[1].l2_words;
      time = std::max({time, sizes[2].l2_words / hardware_.offchip_bandwidth / 2,
                       inputs / hardware_.offchip_bandwidth / 2});
      report_.peak_bandwidth = std::max(report_.peak_bandwidth, traffic / delays[2]);
      // Halved again at every case, as in the tool: the result depends on the order of cases.
      report_.offchip_bandwidth =
          std::max({report_.offchip_bandwidth, inputs / delays[2], sizes[2].l2_words / delays[2]}) /
          2;
      const std::int64_t bandwidth = occurrences * traffic / delays[2];  // whole words, as there
      totals.bandwidth += static_cast<double>(bandwidth);
      for (std::size_t i = 0; i < delays.size(); ++i) {
        totals.delay_sum[i] += static_cast<double>(occurrences * delays[i]);
        totals.delay_min[i] =
            totals.cases == 0 ? delays[i] : std::min(totals.delay_min[i], delays[i]);
        totals.delay_max[i] = std::max(totals.delay_max[i], delays[i]);
      }
    }
    totals.runtime += occurrences * time;
    totals.steps += occurrences;
    ++totals.cases;
  }

  static void BufferSizes(const CompletedLevel& level, const std::array<std::int64_t, 2>& ingress,
                          std::int64_t egress, std::array<TensorCounts, kRoles>& sizes) {
    for (std::size_t t = 0; t < kRoles; ++t) {
      std::int64_t tile = 2;
      for (const LevelMap& map : level.maps) {
        if (map.coupled[t]) {
          tile *= map.mapped;
        }
      }
      // Inputs are added up while leading cases are skipped, the output is not.
      if (t == 2) {
        sizes[t].l1_words = tile;
        sizes[t].l2_words = 2 * egress;
      } else {
        sizes[t].l1_words += tile;
        sizes[t].l2_words += 2 * ingress[t];
      }
    }
  }

  /// Time of the slowest sub-cluster, and how many PEs are busy in all of them.
  UnitResult Unit(std::size_t l, const CaseStates& states, std::int64_t critical) {
    const CompletedLevel& level = dataflow_.levels[l];
    const State& spatial = *states[level.spatial[0]];
    const auto busy = static_cast<double>(spatial.edge ? level.edge_units : level.units);
    if (l + 1 == dataflow_.levels.size()) {
      return {CeilDiv(critical, hardware_.simd_lanes), busy};
    }
    UnitResult result{};
    if (spatial.edge && spatial.last_ragged) {
      result = Child(l, states, true);
      if (level.edge_units > 1) {
        const UnitResult others = Child(l, states, false);
        result.runtime = std::max(result.runtime, others.runtime);
        result.active += others.active * static_cast<double>(level.edge_units - 1);
      }
    } else {
      result = Child(l, states, false);
      result.active *= busy;
    }
    if (result.active == 0) {
      result.active = busy;
    }
    return result;
  }

  UnitResult Child(std::size_t l, const CaseStates& states, bool last) {
    const CompletedLevel& level = dataflow_.levels[l];
    // Tile sizes are static, so which of them are ragged is all that tells two tiles apart.
    std::size_t ragged = 0;
    for (std::size_t i = 0; i < level.maps.size(); ++i) {
      const LevelMap& map = level.maps[i];
      if (states[i]->edge && (!map.spatial || level.edge_units == 1 || last)) {
        ragged |= std::size_t{1} << i;
      }
    }
    if (known_[l].test(ragged)) {
      return memo_[l][ragged];
    }
    mapping::LayerSizes sizes = layer_.size;
    for (std::size_t i = 0; i < level.maps.size(); ++i) {
      const LevelMap& map = level.maps[i];
      sizes[Index(map.dim)] = (ragged >> i & 1U) != 0 ? map.mapped_edge : map.mapped;
    }
    const CompletedLevel& below = dataflow_.levels[l + 1];
    Extents extents{};
    for (std::size_t i = 0; i < below.maps.size(); ++i) {
      extents[i] = sizes[Index(below.maps[i].dim)];
    }
    const UnitResult result = Level(l + 1, extents);
    known_[l].set(ragged);
    memo_[l][ragged] = result;
    return result;
  }

  UnitResult Finish(std::size_t l, const Totals& totals,
                    const std::array<TensorCounts, kRoles>& sizes) {
    if (report_.verdict != Verdict::kOk) {
      return {0, 0};
    }
    if (pushed_ == 0) {
      for (std::size_t t = 0; t < kRoles; ++t) {
        report_.tensors[t].l1_words = sizes[t].l1_words;
      }
    }
    ++pushed_;
    const auto steps = static_cast<double>(totals.steps);
    if (l == 0) {
      TopTotals(totals, sizes);
    }
    return {totals.runtime, totals.steps == 0 ? 0.0 : totals.active / steps};
  }

  void TopTotals(const Totals& totals, const std::array<TensorCounts, kRoles>& sizes) {
    constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::min();
    const auto steps = static_cast<double>(totals.steps);
    report_.average_bandwidth = totals.bandwidth / steps;
    const std::array<DelayStats*, 3> stats = {&report_.ingress, &report_.egress, &report_.compute};
    for (std::size_t i = 0; i < stats.size(); ++i) {
      const bool none = totals.steps == 0;
      *stats[i] = {none ? kNone : totals.delay_min[i], totals.delay_max[i],
                   none ? kNone : static_cast<std::int64_t>(totals.delay_sum[i] / steps)};
    }
    for (std::size_t t = 0; t < kRoles; ++t) {
      report_.tensors[t].l2_words = sizes[t].l2_words;
    }
    report_.tensors[0].l2_writes = Volume(tensors_.input, false);
    report_.tensors[1].l2_writes = Volume(tensors_.weight, false);
    report_.tensors[2].l2_reads = Volume(tensors_.output, true);
  }

  /// Outputs ignore the stride, as in the tool.
  [[nodiscard]] std::int64_t Volume(std::uint32_t dims, bool outputs) const {
    std::int64_t volume = 1;
    for (int d = 0; d < kLayerDims; ++d) {
      const auto dim = static_cast<mapping::LayerDim>(d);
      if ((dims & Bit(dim)) == 0 || !layer_.has(dim)) {
        continue;
      }
      std::int64_t size = layer_[dim];
      if (outputs && dim == mapping::LayerDim::kY) {
        size -= layer_[mapping::LayerDim::kR] - 1;
      } else if (outputs && dim == mapping::LayerDim::kX) {
        size -= layer_[mapping::LayerDim::kS] - 1;
      }
      volume *= size;
    }
    return volume;
  }

  const mapping::Layer& layer_;
  const mapping::LayerTensors& tensors_;
  const Hardware& hardware_;
  const CompletedDataflow& dataflow_;
  Report& report_;
  std::int64_t cases_left_ = kMaxCases;
  int pushed_ = 0;  ///< levels that ended, as the tool collects them
  static constexpr std::size_t kTiles = std::size_t{1} << static_cast<unsigned>(kLayerDims);
  std::array<std::bitset<kTiles>, kMaxClusterLevels> known_;
  std::array<std::array<UnitResult, kTiles>, kMaxClusterLevels> memo_;  ///< valid where known_
};

}  // namespace

CompatibleModel::CompatibleModel(const mapping::Layer& layer, const Hardware& hardware)
    : layer_(layer), tensors_(mapping::TensorsOf(layer)), hardware_(hardware) {
  if (layer.type == mapping::LayerType::kGrouped) {
    tensors_.output |= Bit(mapping::LayerDim::kC);  // the tool's mistake
  }
}

Report CompatibleModel::Evaluate(const mapping::Dataflow& dataflow) const {
  Report report;
  report.true_macs = layer_.macs();
  report.compute_bound = CeilDiv(report.true_macs, hardware_.peak());
  const CompletedDataflow completed = Complete(layer_, tensors_, hardware_, dataflow);
  report.verdict = completed.verdict;
  if (report.verdict == Verdict::kOk) {
    Run(layer_, tensors_, hardware_, completed, report).Top();
  }
  return report;
}

}  // namespace sluice::cost::maestro
