#pragma once
/// \file
/// Internal: the formula behind features.h, for plain numbers and for numbers with derivatives.
///
/// Per level, with trip counts n and tiles t (all logarithms): a tensor enters again in every step
/// of the loops that it depends on, and of those loops outside of them. Loops over units run
/// ceil(n / units) times and widen the tile instead. Each step takes as long as the slowest of
/// filling, draining and the level inside.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

#include "mapping/dataflow/code.h"
#include "predict/dual.h"
#include "predict/features.h"

namespace sluice::predict {

/// Picojoules of MAESTRO's energy model: one access of the L2, of an L1, one operation. For other
/// machines they are a prior, corrected by what is learned.
inline constexpr double kOperation = 0.23;
inline constexpr double kOuterAccess = 18.61 * kOperation;
inline constexpr double kInnerAccess = 1.68 * kOperation;

template <class T>
struct FormulaLevel {
  std::array<T, mapping::kCodeDims> parallel{};
  T log_units{};
  std::array<std::array<T, mapping::kCodeDims>, mapping::kCodeDims> before{};
  std::array<T, mapping::kCodeDims> log_tile{};
};

/// log(ceil(exp(x))), at least 0.
template <class T>
T CeilLog(const T& x) {
  if (ValueOf(x) <= 0) {
    return T(0.0);
  }
  return Through(x, std::log(std::ceil(std::exp(ValueOf(x)) - 1e-6)));
}
template <class T>
T FloorLog(const T& x) {
  if (ValueOf(x) <= 0) {
    return T(0.0);
  }
  return Through(x, std::log(std::floor(std::exp(ValueOf(x)) + 1e-6)));
}

/// Positions of the input that `outputs` meet through `rows` of the window (logarithms).
template <class T>
T AxisLog(const T& outputs, const T& rows, std::int64_t stride) {
  const auto s = static_cast<double>(stride);
  if (ValueOf(rows) >= std::log(s) - 1e-9) {
    return Log((Exp(outputs) - T(1.0)) * T(s) + Exp(rows));
  }
  return outputs + rows;
}

template <class T>
std::array<T, 3> TensorWords(const Context& context,
                             const std::array<T, mapping::kCodeDims>& tile) {
  using enum mapping::CodeDim;
  std::array<T, 3> words{};
  for (std::size_t t = 1; t < 3; ++t) {
    for (std::size_t d = 0; d < tile.size(); ++d) {
      if ((context.coupled[t] >> d & 1U) != 0) {
        words[t] += tile[d];
      }
    }
  }
  const auto at = [&](mapping::CodeDim dim) -> const T& { return tile[mapping::Index(dim)]; };
  words[0] = at(kC) + AxisLog(at(kY), at(kR), context.layer.stride_y) +
             AxisLog(at(kX), at(kS), context.layer.stride_x);
  return words;
}

/// What one level does.
template <class T>
struct LevelFigures {
  using Dims = std::array<T, mapping::kCodeDims>;
  T clusters{};
  Dims trips{};   ///< in time
  Dims exact{};   ///< the same where the last round over units may be a partial one
  Dims busy{};    ///< over units
  Dims active{};  ///< 0: the loop does not iterate
  T steps{};
  std::array<T, 3> words{};      ///< of one step, over all units
  std::array<Dims, 2> enters{};  ///< steps of each loop in which input and weight enter
  std::array<T, 2> refetch{};    ///< steps in which input and weight enter
  std::array<T, 3> moved{};      ///< in all steps
  T halo{};                      ///< correction of the input for overlapping tiles
};

/// Share of the steps of dim d's loop with no loop inside of it that tensor t depends on.
template <class T>
T Untouched(const Context& context, const FormulaLevel<T>& level, const LevelFigures<T>& f,
            std::size_t t, std::size_t d) {
  T untouched(1.0);
  for (std::size_t j = 0; j < f.trips.size(); ++j) {
    if ((context.coupled[t] >> j & 1U) != 0) {
      untouched = untouched * (T(1.0) - level.before[d][j] * f.active[j]);
    }
  }
  return untouched;
}

template <class T>
void Refetch(const Context& context, const FormulaLevel<T>& level, LevelFigures<T>& f) {
  for (std::size_t t = 0; t < 2; ++t) {
    f.refetch[t] = T(0.0);
    for (std::size_t d = 0; d < f.trips.size(); ++d) {
      T& enters = f.enters[t][d];
      if ((context.coupled[t] >> d & 1U) != 0) {
        enters = f.exact[d];
      } else {
        enters = f.trips[d] * (T(1.0) - Untouched(context, level, f, t, d));
      }
      f.refetch[t] += enters;
    }
  }
}

/// Along Y and X neighbouring tiles overlap by the window. What a step fetches of the input is less
/// than whole tiles where the innermost loop slides along, and more than their union where the
/// units that share a halo are not filled together (a loop inside of theirs is what changes).
template <class T>
struct Halo {
  T moved{};  ///< correction of the words of all steps
  T first{};  ///< of the first step: every unit gets its whole tile
};

template <class T>
Halo<T> HaloOf(const Context& context, const FormulaLevel<T>& level,
               const std::array<T, mapping::kCodeDims>& spread, const LevelFigures<T>& f) {
  using enum mapping::CodeDim;
  Halo<T> halo;
  for (const auto& [dim, window, stride] :
       {std::tuple{kY, kR, context.layer.stride_y}, std::tuple{kX, kS, context.layer.stride_x}}) {
    const std::size_t d = mapping::Index(dim);
    T innermost = T(1.0) - level.parallel[d];
    T inside(0.0);
    for (std::size_t j = 0; j < f.trips.size(); ++j) {
      inside += level.before[d][j] * f.enters[0][j];
      if (j != d && (context.coupled[0] >> j & 1U) != 0) {
        innermost = innermost * (T(1.0) - level.before[d][j] * f.active[j]);
      }
    }
    const T together = Exp(-inside) - Exp(-f.refetch[0]);
    const T& rows = spread[mapping::Index(window)];
    const T whole = AxisLog(spread[d], rows, stride);
    const T fresh = spread[d] + Smaller(rows, T(std::log(static_cast<double>(stride))));
    const T slides = innermost * (T(1.0) - Exp(-f.trips[d]));
    halo.moved += Log(T(1.0) - slides * (T(1.0) - Exp(fresh - whole)));
    const T apart = AxisLog(level.log_tile[d], rows, stride) + f.busy[d];
    halo.first += apart - whole;
    halo.moved += Log(T(1.0) + (T(1.0) - together) * (Exp(apart - whole) - T(1.0)));
  }
  return halo;
}

template <class T>
LevelFigures<T> FiguresOf(const Context& context, const FormulaLevel<T>& level,
                          const std::array<T, mapping::kCodeDims>& parent, const T& clusters) {
  LevelFigures<T> f;
  f.clusters = clusters;
  std::array<T, mapping::kCodeDims> spread = level.log_tile;
  for (std::size_t d = 0; d < parent.size(); ++d) {
    const T trips = Larger(parent[d] - level.log_tile[d], T(0.0));
    f.busy[d] = level.parallel[d] * Smaller(trips, clusters);
    f.trips[d] =
        (T(1.0) - level.parallel[d]) * trips + level.parallel[d] * CeilLog(T(trips - clusters));
    f.exact[d] = trips - f.busy[d];
    constexpr double kSharp = 8;  // two trips count as 0.996 of a loop
    f.active[d] = T(1.0) - Exp(T(-kSharp) * f.trips[d]);
    spread[d] += f.busy[d];
    f.steps += f.trips[d];
  }
  Refetch(context, level, f);
  f.words = TensorWords(context, spread);
  const Halo<T> halo = HaloOf(context, level, spread, f);
  f.halo = halo.moved;
  f.moved = {f.words[0] + f.refetch[0] + f.halo, f.words[1] + f.refetch[1], f.words[2]};
  for (std::size_t d = 0; d < parent.size(); ++d) {
    f.moved[2] += (context.coupled[2] >> d & 1U) != 0 ? f.exact[d] : f.trips[d];
  }
  f.words[0] += halo.first;
  return f;
}

/// Cycles to move so many words (a logarithm) in a step, beside the one that is always there.
template <class T>
T Delay(const Context& context, const T& words) {
  const auto& hardware = context.hardware;
  const T rounds = Exp(words - T(std::log(static_cast<double>(hardware.noc_bandwidth))));
  const auto fixed = static_cast<double>(hardware.noc_hops * hardware.hop_latency);
  return Through(rounds, fixed + std::max(std::ceil(ValueOf(rounds) - 1e-6) - 1, 0.0));
}

/// Cycles (a logarithm) of a level whose sub-clusters take `child` (a logarithm) a step.
template <class T, class Feature>
T TimeOf(const Context& context, const LevelFigures<T>& f, const T& child, bool outermost,
         Feature&& feature) {
  // One input tensor enters in every step, the other in a share of them.
  const bool input_often = ValueOf(f.refetch[0]) >= ValueOf(f.refetch[1]);
  const T input = f.moved[0] - f.refetch[0];
  const T weight = f.moved[1] - f.refetch[1];
  const T& low = input_often ? f.refetch[1] : f.refetch[0];
  const T share = Exp(Smaller(T(low - f.steps), T(0.0)));
  const T both = Delay(context, LogAdd(input, weight));
  const T one = Delay(context, input_often ? input : weight);
  const T out = Delay(context, f.words[2]);
  T least = Larger(Exp(child), out);
  const T half(0.5);
  feature(Log(both + half) - child);
  feature(Log(one + half) - child);
  feature(Log(out + half) - child);
  if (outermost) {
    const T space = Larger(LogAdd(f.words[0], f.words[1]), f.words[2]);
    const T replace = space - T(std::log(static_cast<double>(context.hardware.offchip_bandwidth)));
    feature(replace - child);
    least = Larger(least, Through(Exp(replace), std::ceil(std::exp(ValueOf(replace)) - 1e-6)));
  }
  const T step = share * Larger(both, least) + (T(1.0) - share) * Larger(one, least);
  const T first = Delay(context, LogAdd(f.words[0], f.words[1]));
  return Log(Exp(f.steps) * step + first);
}

/// Calls `feature` for every feature in a fixed order, and sets the estimate ln(component / bound).
template <class T, class Feature>
void EvaluateFormula(const Context& context, std::span<const FormulaLevel<T>> levels,
                     std::array<T, kComponents>& estimate, Feature&& feature) {
  for (const double x : context.fixed) {
    feature(T(x));
  }
  T room(std::log(static_cast<double>(context.hardware.pes)));
  for (std::size_t l = 1; l < levels.size(); ++l) {
    room = room - levels[l].log_units;
  }
  std::array<LevelFigures<T>, kMaxPredictLevels> figures;
  std::array<T, mapping::kCodeDims> parent;
  std::ranges::copy(context.log_extent, parent.begin());
  for (std::size_t l = 0; l < levels.size(); ++l) {
    figures[l] =
        FiguresOf<T>(context, levels[l], parent, l == 0 ? FloorLog(room) : levels[l].log_units);
    parent = levels[l].log_tile;
  }
  T time(-std::log(static_cast<double>(context.hardware.simd_lanes)));
  for (const T& tile : parent) {
    time += tile;
  }
  time = Larger(time, T(0.0));
  for (std::size_t l = levels.size(); l-- > 0;) {
    time = TimeOf(context, figures[l], time, l == 0, feature);
    feature(time);
  }
  for (std::size_t l = 0; l < levels.size(); ++l) {
    const auto& f = figures[l];
    for (std::size_t d = 0; d < parent.size(); ++d) {
      feature(levels[l].parallel[d]);
      feature(levels[l].log_tile[d]);
      feature(f.trips[d]);
      feature(f.busy[d]);
      for (std::size_t j = d + 1; j < parent.size(); ++j) {
        feature(levels[l].before[d][j]);
      }
    }
    feature(f.clusters);
    feature(f.steps);
    feature(f.halo);
    for (std::size_t t = 0; t < 3; ++t) {
      feature(f.words[t]);
      feature(f.moved[t]);
    }
  }
  const auto& top = figures[0];
  const auto whole = TensorWords<double>(context, context.log_extent);
  const T moved = LogAdd(LogAdd(top.moved[0], top.moved[1]), top.moved[2]);
  const T outer = LogAdd(moved, T(std::log(std::exp(whole[0]) + std::exp(whole[1])))) +
                  T(std::log(kOuterAccess));
  const T inner = LogAdd(T(LogAdd(top.moved[0], top.moved[1]) + T(std::log(kInnerAccess))),
                         T(context.log_macs + std::log(4 * kInnerAccess + kOperation)));
  const auto leaf = TensorWords<T>(context, parent);
  const T batches(context.log_outer);
  const T two(std::log(2.0));
  estimate = {time + batches, outer + batches, LogAdd(outer, inner) + batches,
              LogAdd(LogAdd(leaf[0], leaf[1]), leaf[2]) + two,
              LogAdd(LogAdd(top.words[0], top.words[1]), top.words[2]) + two};
  for (std::size_t c = 0; c < kComponents; ++c) {
    estimate[c] = estimate[c] - T(context.log_bounds()[c]);
    feature(estimate[c]);
  }
}

}  // namespace sluice::predict
