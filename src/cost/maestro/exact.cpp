#include "cost/maestro/exact.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>

#include "base/checked.h"
#include "base/static_vector.h"
#include "cost/maestro/hardware.h"
#include "cost/maestro/report.h"
#include "cost/maestro/tiles.h"
#include "mapping/dataflow/dataflow.h"

namespace sluice::cost::maestro {
namespace {

using mapping::kLayerDims;
using mapping::LayerDim;
using mapping::LayerSizes;
using enum mapping::LayerDim;

enum class Position : std::uint8_t { kFirst, kMiddle, kLast };

/// One position of a loop, for all steps in which it is there.
struct Step {
  Position position = Position::kFirst;
  std::int64_t occurrences = 1;
  std::int64_t size = 1;  ///< of the piece; over units: of the first unit's
  std::int64_t busy = 1;  ///< units with a piece
  std::int64_t rest = 1;  ///< the piece of the last busy unit
  bool whole = false;     ///< this one step (or round) does the whole tile
};
using StepList = StaticVector<Step, 3>;

StepList StepsOf(const TileLoop& loop, std::int64_t extent, std::int64_t units) {
  StepList steps;
  const std::int64_t round = loop.spatial ? units * loop.size : loop.size;
  if (extent <= round) {
    const std::int64_t busy = CeilDiv(extent, loop.size);
    steps.push_back({Position::kFirst, 1, std::min(extent, loop.size), busy,
                     extent - (busy - 1) * loop.size, true});
    return steps;
  }
  const std::int64_t full = extent / round;
  const std::int64_t busy = loop.spatial ? units : 1;
  steps.push_back({Position::kFirst, 1, loop.size, busy, loop.size, false});
  if (full > 1) {
    steps.push_back({Position::kMiddle, full - 1, loop.size, busy, loop.size, false});
  }
  if (const std::int64_t left = extent - full * round; left > 0) {
    const std::int64_t some = CeilDiv(left, loop.size);
    steps.push_back({Position::kLast, 1, std::min(left, loop.size), some,
                     left - (some - 1) * loop.size, false});
  }
  return steps;
}

struct UnitResult {
  std::int64_t runtime;
  double active;
};

class Run {
 public:
  Run(const mapping::Layer& layer, const mapping::LayerTensors& tensors, const Hardware& hardware,
      const TileChain& chain, Report& report)
      : layer_(layer),
        hardware_(hardware),
        chain_(chain),
        report_(report),
        windowed_(layer.type != mapping::LayerType::kGemm),
        coupled_({tensors.input, tensors.weight, tensors.output}) {
    if (windowed_) {
      coupled_[0] |= Bit(kR) | Bit(kS);  // another row of the kernel meets another row of the input
    }
  }

  void Top() {
    const LayerSizes extents = OutputExtents(layer_);
    BufferSizes(extents);
    const UnitResult result = Level(0, extents);
    report_.runtime = result.runtime;
    report_.average_pes = result.active;
    report_.csv_has_l1 = true;
    for (std::size_t t = 0; t < 2; ++t) {
      report_.tensors[t].l2_writes = Words(t, extents, 0);
      report_.tensors[t].l1_writes = report_.tensors[t].l2_reads;
    }
    report_.tensors[2].l2_reads = Words(2, extents, 0);
    report_.arithmetic_intensity =
        static_cast<double>(report_.macs) /
        static_cast<double>(report_.tensors[0].l2_reads + report_.tensors[1].l2_reads);
  }

 private:
  using Steps = std::array<Step, kLayerDims>;

  /// Input positions that `outputs` neighbours touch through `rows` of the window.
  static std::int64_t Touched(std::int64_t outputs, std::int64_t rows, std::int64_t stride) {
    return rows >= stride ? (outputs - 1) * stride + rows : outputs * rows;
  }

  /// Positions along one axis of the input; only new ones against the neighbouring tile along a dim
  /// in `slides`. Along the window a tile is new when it has gaps, to be safe.
  [[nodiscard]] std::int64_t Axis(const LayerSizes& size, LayerDim dim, LayerDim window,
                                  std::int64_t stride, std::uint32_t slides) const {
    const std::int64_t outputs = size[Index(dim)];
    const std::int64_t rows = size[Index(window)];
    const bool along = (slides & Bit(dim)) != 0;
    const bool across = (slides & Bit(window)) != 0;
    if (along && !across) {
      return outputs * std::min(stride, rows);
    }
    if (across && !along && rows >= stride) {
      return rows;
    }
    return Touched(outputs, rows, stride);
  }

  [[nodiscard]] std::int64_t Words(std::size_t tensor, const LayerSizes& size,
                                   std::uint32_t slides) const {
    std::int64_t words = 1;
    std::uint32_t plain = coupled_[tensor];
    if (tensor == 0 && windowed_) {
      plain &= ~(Bit(kY) | Bit(kX) | Bit(kR) | Bit(kS));
      words =
          Axis(size, kY, kR, layer_.stride_y, slides) * Axis(size, kX, kS, layer_.stride_x, slides);
    }
    for (; plain != 0; plain &= plain - 1) {
      words *= size[static_cast<std::size_t>(__builtin_ctz(plain))];
    }
    return words;
  }

  static std::int64_t Operations(const LayerSizes& size) {
    std::int64_t count = 1;
    for (const std::int64_t extent : size) {
      count *= extent;
    }
    return count;
  }

  /// Where a case stands: the steps of all loops, with what follows from them.
  struct Case {
    LayerSizes size{};      ///< the tile of the first unit
    int changing = -1;      ///< the innermost loop beyond its first step
    int spatial = -1;       ///< the loop over units, if any
    std::int64_t busy = 1;  ///< units with work
    std::int64_t rest = 1;  ///< piece of the last of them
  };

  /// Words of an input that enter in one step.
  [[nodiscard]] std::int64_t Ingress(const TileLevel& level, const Steps& steps, const Case& at,
                                     std::size_t tensor) const {
    const std::uint32_t coupled = coupled_[tensor];
    bool over = false;  // a loop inside the changing one starts over, to another tile
    bool slides = false;
    if (at.changing >= 0) {
      for (std::size_t i = static_cast<std::size_t>(at.changing) + 1; i < level.loops.size(); ++i) {
        over = over || ((coupled & Bit(level.loops[i].dim)) != 0 && !steps[i].whole);
      }
      const TileLoop& changing = level.loops[static_cast<std::size_t>(at.changing)];
      const bool moves = (coupled & Bit(changing.dim)) != 0;
      if (!moves && !over) {
        return 0;
      }
      slides = moves && !over;
    }
    std::uint32_t own = 0;
    if (slides && at.changing != at.spatial) {
      own = Bit(level.loops[static_cast<std::size_t>(at.changing)].dim);
    }
    std::int64_t words = Words(tensor, at.size, own);
    if (at.spatial < 0 || at.busy == 1 ||
        (coupled & Bit(level.loops[static_cast<std::size_t>(at.spatial)].dim)) == 0) {
      return words;
    }
    const LayerDim dim = level.loops[static_cast<std::size_t>(at.spatial)].dim;
    // Neighbouring units share their halo when they are filled together.
    const bool together =
        at.changing >= 0 && (at.spatial > at.changing || (at.spatial == at.changing && slides));
    const std::uint32_t others = own | (together ? Bit(dim) : 0);
    words += (at.busy - 2) * Words(tensor, at.size, others);
    LayerSizes last = at.size;
    last[Index(dim)] = at.rest;
    return words + Words(tensor, last, others);
  }

  /// A sum over busy units of something proportional to their piece.
  static std::int64_t OverUnits(const TileLevel& level, const Case& at, std::int64_t first) {
    if (at.spatial < 0) {
      return first;
    }
    const std::int64_t piece =
        at.size[Index(level.loops[static_cast<std::size_t>(at.spatial)].dim)];
    return first / piece * ((at.busy - 1) * piece + at.rest);
  }

  [[nodiscard]] std::int64_t Egress(const TileLevel& level, const Case& at) const {
    const std::int64_t first = Words(2, at.size, 0);
    const bool own =
        at.spatial >= 0 &&
        (coupled_[2] & Bit(level.loops[static_cast<std::size_t>(at.spatial)].dim)) != 0;
    return own ? OverUnits(level, at, first) : first;
  }

  [[nodiscard]] std::int64_t Delay(std::int64_t words) const {
    return hardware_.noc_hops * hardware_.hop_latency +
           std::max<std::int64_t>(CeilDiv(words, hardware_.noc_bandwidth) - 1, 0);
  }

  /// Double buffers for the first step, which is the largest, and for the tile of a PE.
  void BufferSizes(const LayerSizes& extents) {
    Steps steps;
    const Case first = CaseAt(chain_.levels[0], extents, {}, steps);
    for (std::size_t t = 0; t < 2; ++t) {
      report_.tensors[t].l2_words = 2 * Ingress(chain_.levels[0], steps, first, t);
    }
    report_.tensors[2].l2_words = 2 * Egress(chain_.levels[0], first);
    for (std::size_t t = 0; t < report_.tensors.size(); ++t) {
      report_.tensors[t].l1_words = 2 * Words(t, chain_.leaf, 0);
    }
  }

  using Lists = std::array<StepList, kLayerDims>;
  using Indices = std::array<std::uint8_t, kLayerDims>;

  static Case CaseAt(const TileLevel& level, const LayerSizes& extents, const Indices& index,
                     Steps& steps) {
    Lists lists;
    for (std::size_t i = 0; i < level.loops.size(); ++i) {
      const TileLoop& loop = level.loops[i];
      lists[i] = StepsOf(loop, extents[Index(loop.dim)], level.units);
    }
    return CaseOf(level, extents, lists, index, steps);
  }

  static Case CaseOf(const TileLevel& level, const LayerSizes& extents, const Lists& lists,
                     const Indices& index, Steps& steps) {
    Case at;
    at.size = extents;
    for (std::size_t i = 0; i < level.loops.size(); ++i) {
      const TileLoop& loop = level.loops[i];
      steps[i] = lists[i][index[i]];
      at.size[Index(loop.dim)] = steps[i].size;
      if (steps[i].position != Position::kFirst) {
        at.changing = static_cast<int>(i);
      }
      if (loop.spatial) {
        at.spatial = static_cast<int>(i);
        at.busy = steps[i].busy;
        at.rest = steps[i].rest;
      }
    }
    return at;
  }

  struct Totals {
    std::int64_t steps = 0;
    std::int64_t runtime = 0;
    double active = 0;
    double bandwidth = 0;
    std::array<double, 3> delay_sum{};
    std::array<std::int64_t, 3> delay_min{};
    std::array<std::int64_t, 3> delay_max{};
  };

  UnitResult Level(std::size_t l, const LayerSizes& extents) {
    const TileLevel& level = chain_.levels[l];
    const std::size_t loops = level.loops.size();
    Lists lists;
    for (std::size_t i = 0; i < loops; ++i) {
      lists[i] = StepsOf(level.loops[i], extents[Index(level.loops[i].dim)], level.units);
    }
    Totals totals;
    Indices index{};
    Steps steps;
    for (bool more = true; more;) {
      if (--cases_left_ < 0) {
        report_.verdict = Verdict::kTooManyTiles;
        return {1, 0};
      }
      std::int64_t occurrences = 1;
      for (std::size_t i = 0; i < loops; ++i) {
        occurrences *= lists[i][index[i]].occurrences;
      }
      OneCase(l, CaseOf(level, extents, lists, index, steps), steps, occurrences, totals);
      more = false;
      for (std::size_t i = loops; i-- > 0;) {
        if (++index[i] < lists[i].size()) {
          more = true;
          break;
        }
        index[i] = 0;
      }
    }
    if (l == 0) {
      TopTotals(totals);
    }
    return {totals.runtime, totals.active / static_cast<double>(totals.steps)};
  }

  void OneCase(std::size_t l, const Case& at, const Steps& steps, std::int64_t occurrences,
               Totals& totals) {
    const TileLevel& level = chain_.levels[l];
    const std::array<std::int64_t, 2> ingress = {Ingress(level, steps, at, 0),
                                                 Ingress(level, steps, at, 1)};
    const std::int64_t in = ingress[0] + ingress[1];
    const std::int64_t out = Egress(level, at);
    const UnitResult unit = Unit(l, at);
    const std::array<std::int64_t, 3> delays = {Delay(in), Delay(out), unit.runtime};
    std::int64_t time =
        at.changing < 0 ? delays[2] + delays[0] : std::max({delays[0], delays[1], delays[2]});
    if (l == 0) {
      const std::int64_t operations = OverUnits(level, at, Operations(at.size));
      for (std::size_t t = 0; t < report_.tensors.size(); ++t) {
        report_.tensors[t].l1_reads += occurrences * operations;
      }
      for (std::size_t t = 0; t < 2; ++t) {
        report_.tensors[t].l2_reads += occurrences * ingress[t];
      }
      report_.tensors[2].l1_writes += occurrences * operations;
      report_.tensors[2].l2_writes += occurrences * out;
      report_.macs += occurrences * operations;
      time = std::max(time, OffChip(delays[2]));
      TopStep(delays, std::max(in, out), occurrences, totals);
    }
    totals.runtime += occurrences * time;
    totals.steps += occurrences;
    totals.active += unit.active * static_cast<double>(occurrences);
  }

  /// Cycles to replace one half of the L2; notes the bandwidth that would hide it.
  std::int64_t OffChip(std::int64_t compute) {
    const std::int64_t words = std::max(report_.tensors[0].l2_words + report_.tensors[1].l2_words,
                                        report_.tensors[2].l2_words) /
                               2;
    report_.offchip_bandwidth = std::max(report_.offchip_bandwidth, CeilDiv(words, compute));
    return CeilDiv(words, hardware_.offchip_bandwidth);
  }

  void TopStep(const std::array<std::int64_t, 3>& delays, std::int64_t traffic,
               std::int64_t occurrences, Totals& totals) {
    report_.peak_bandwidth = std::max(report_.peak_bandwidth, CeilDiv(traffic, delays[2]));
    totals.bandwidth += static_cast<double>(occurrences) * static_cast<double>(traffic) /
                        static_cast<double>(delays[2]);
    for (std::size_t i = 0; i < delays.size(); ++i) {
      totals.delay_sum[i] += static_cast<double>(occurrences) * static_cast<double>(delays[i]);
      totals.delay_min[i] =
          totals.steps == 0 ? delays[i] : std::min(totals.delay_min[i], delays[i]);
      totals.delay_max[i] = std::max(totals.delay_max[i], delays[i]);
    }
  }

  void TopTotals(const Totals& totals) {
    const auto steps = static_cast<double>(totals.steps);
    report_.average_bandwidth = totals.bandwidth / steps;
    const std::array<DelayStats*, 3> stats = {&report_.ingress, &report_.egress, &report_.compute};
    for (std::size_t i = 0; i < stats.size(); ++i) {
      *stats[i] = {totals.delay_min[i], totals.delay_max[i],
                   static_cast<std::int64_t>(totals.delay_sum[i] / steps)};
    }
  }

  /// The slowest unit, and the PEs busy in all of them.
  UnitResult Unit(std::size_t l, const Case& at) {
    if (l + 1 == chain_.levels.size()) {
      return {CeilDiv(Operations(at.size), hardware_.simd_lanes), static_cast<double>(at.busy)};
    }
    const UnitResult first = Child(l + 1, at.size);
    if (at.spatial < 0) {
      return first;
    }
    const TileLoop& loop = chain_.levels[l].loops[static_cast<std::size_t>(at.spatial)];
    if (at.busy == 1 || at.rest == at.size[Index(loop.dim)]) {
      return {first.runtime, first.active * static_cast<double>(at.busy)};
    }
    LayerSizes size = at.size;
    size[Index(loop.dim)] = at.rest;
    const UnitResult last = Child(l + 1, size);
    return {std::max(first.runtime, last.runtime),
            first.active * static_cast<double>(at.busy - 1) + last.active};
  }

  /// A cluster's result depends on its tile alone, and few tiles differ.
  UnitResult Child(std::size_t l, const LayerSizes& size) {
    std::uint64_t hash = 0;
    for (const std::int64_t extent : size) {
      hash = (hash ^ static_cast<std::uint64_t>(extent)) * 0x9E3779B97F4A7C15ULL;
    }
    const std::size_t slot = static_cast<std::size_t>(hash >> 56U);
    Known& known = cache_[l][slot];
    if (used_[l].test(slot) && known.size == size) {
      return known.result;
    }
    const UnitResult result = Level(l, size);
    used_[l].set(slot);
    known = {size, result};
    return result;
  }

  struct Known {
    LayerSizes size;
    UnitResult result;
  };
  static constexpr std::size_t kSlots = 256;

  const mapping::Layer& layer_;
  const Hardware& hardware_;
  const TileChain& chain_;
  Report& report_;
  std::int64_t cases_left_ = kMaxCases;
  bool windowed_ = true;
  std::array<std::uint32_t, kTensorRoles> coupled_{};
  std::array<std::bitset<kSlots>, mapping::kMaxClusterLevels> used_;
  std::array<std::array<Known, kSlots>, mapping::kMaxClusterLevels> cache_;  ///< where used_
};

}  // namespace

ExactModel::ExactModel(const mapping::Layer& layer, const Hardware& hardware)
    : layer_(layer), tensors_(mapping::TensorsOf(layer)), hardware_(hardware) {}

Report ExactModel::Evaluate(const mapping::Dataflow& dataflow) const {
  const TileChain chain = MakeTileChain(layer_, hardware_, dataflow);
  if (chain.verdict == Verdict::kOk) {
    return Evaluate(chain);
  }
  Report report;
  report.true_macs = layer_.macs();
  report.compute_bound = CeilDiv(report.true_macs, hardware_.peak());
  report.verdict = chain.verdict;
  return report;
}

Report ExactModel::Evaluate(const TileChain& chain) const {
  Report report;
  report.true_macs = layer_.macs();
  report.compute_bound = CeilDiv(report.true_macs, hardware_.peak());
  // There are no more steps than operations, and words of a step than its operations, so only the
  // latency can make a count overflow.
  constexpr double kLimit = 5e17;
  if ((static_cast<double>(hardware_.noc_hops) * static_cast<double>(hardware_.hop_latency) + 1) *
          static_cast<double>(report.true_macs) >
      kLimit) {
    report.verdict = Verdict::kTooLarge;
    return report;
  }
  Run(layer_, tensors_, hardware_, chain, report).Top();
  return report;
}

}  // namespace sluice::cost::maestro
