#include "predict/features.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "cost/maestro/hardware.h"
#include "cost/oracle/oracle.h"
#include "mapping/dataflow/code.h"
#include "mapping/dataflow/dataflow.h"
#include "predict/dual.h"
#include "predict/formula.h"
#include "predict/scalar_features.h"

namespace sluice::predict {
namespace {

using mapping::CodeDim;
using mapping::kCodeDims;

/// Beyond this a bandwidth is as good as unlimited.
constexpr double kWideWords = 131072;

double LogOf(std::int64_t number) {
  return std::log(static_cast<double>(std::max<std::int64_t>(number, 1)));
}

std::uint32_t Bits(std::initializer_list<CodeDim> dims) {
  std::uint32_t bits = 0;
  for (const CodeDim dim : dims) {
    bits |= 1U << mapping::Index(dim);
  }
  return bits;
}

/// Collects what the formula says as plain numbers.
struct Collect {
  std::span<float> features;
  std::size_t next = 0;
  void operator()(double x) { features[next++] = static_cast<float>(x); }
};

struct Count {
  std::size_t count = 0;
  void operator()(double) { ++count; }
};

std::array<FormulaLevel<double>, kMaxPredictLevels> LevelsOf(const mapping::DataflowCode& code) {
  std::array<FormulaLevel<double>, kMaxPredictLevels> levels{};
  for (std::size_t l = 0; l < code.levels.size(); ++l) {
    const auto& from = code.levels[l];
    auto& to = levels[l];
    to.parallel[mapping::Index(from.parallel)] = 1;
    to.log_units = LogOf(from.units);
    for (std::size_t i = 0; i < kCodeDims; ++i) {
      to.log_tile[i] = LogOf(from.tile[i]);
      for (std::size_t j = i + 1; j < kCodeDims; ++j) {
        to.before[mapping::Index(from.order[i])][mapping::Index(from.order[j])] = 1;
      }
    }
  }
  return levels;
}

template <std::size_t L>
void Relaxed(const Context& context, std::uint32_t allowed, std::span<const double> variables,
             RelaxedFeatures& result) {
  constexpr std::size_t kVariables = kVariablesPerLevel * L;
  using T = Dual<kVariables>;
  const auto variable = [&](std::size_t i) {
    T x(variables[i]);
    x.slope[i] = 1;
    return x;
  };
  std::array<FormulaLevel<T>, L> levels;
  for (std::size_t l = 0; l < L; ++l) {
    auto& level = levels[l];
    T sum(0.0);
    double top = -1e300;
    for (std::size_t d = 0; d < kCodeDims; ++d) {
      top = (allowed >> d & 1U) != 0 ? std::max(top, variables[ParallelAt(l, d)]) : top;
    }
    for (std::size_t d = 0; d < kCodeDims; ++d) {
      if ((allowed >> d & 1U) != 0) {
        level.parallel[d] = Exp(variable(ParallelAt(l, d)) - T(top));
        sum += level.parallel[d];
      }
    }
    const T scale = Exp(-Log(sum));
    for (T& p : level.parallel) {
      p = p * scale;
    }
    level.log_units = variable(UnitsAt(l));
    for (std::size_t i = 0; i < kCodeDims; ++i) {
      level.log_tile[i] = variable(TileAt(l, i));
      for (std::size_t j = i + 1; j < kCodeDims; ++j) {
        level.before[i][j] = Logistic(variable(KeyAt(l, j)) - variable(KeyAt(l, i)));
        level.before[j][i] = T(1.0) - level.before[i][j];
      }
    }
  }
  const std::size_t count = FeatureCount(static_cast<int>(L));
  result.features.resize(count);
  result.jacobian.resize((count + kComponents) * kVariables);
  std::size_t next = 0;
  const auto keep = [&](const T& x) {
    std::ranges::copy(x.slope,
                      result.jacobian.begin() + static_cast<std::ptrdiff_t>(next * kVariables));
    ++next;
  };
  std::array<T, kComponents> estimate;
  EvaluateFormula<T>(context, std::span<const FormulaLevel<T>>(levels), estimate, [&](const T& x) {
    result.features[next] = static_cast<float>(x.value);
    keep(x);
  });
  for (std::size_t c = 0; c < kComponents; ++c) {
    result.estimate[c] = estimate[c].value;
    keep(estimate[c]);
  }
}

}  // namespace

std::string_view ComponentName(Component component) {
  switch (component) {
    case Component::kLatency:
      return "latency";
    case Component::kOuterEnergy:
      return "outer energy";
    case Component::kFullEnergy:
      return "full energy";
    case Component::kInnerWords:
      return "inner words";
    case Component::kOuterWords:
      return "outer words";
  }
  return "?";
}

Components ComponentsOf(const cost::CodeCost& cost) {
  return {cost.cycles, cost.energy_outer_pj, cost.energy_full_pj,
          static_cast<double>(cost.inner_words), static_cast<double>(cost.outer_words)};
}

Context::Context(const mapping::Layer& the_layer, const cost::maestro::Hardware& the_hardware)
    : layer(the_layer), hardware(the_hardware), extents_(mapping::CodeExtents(the_layer)) {
  using enum CodeDim;
  using mapping::LayerDim;
  using mapping::LayerType;
  for (std::size_t d = 0; d < kCodeDims; ++d) {
    log_extent[d] = LogOf(extents_[d]);
    log_macs += log_extent[d];
  }
  const bool depthwise = layer.type == LayerType::kDepthwise;
  const bool gemm = layer.type == LayerType::kGemm;
  coupled = {Bits({kC, kY, kX, kR, kS}), depthwise ? Bits({kC, kR, kS}) : Bits({kK, kC, kR, kS}),
             depthwise ? Bits({kC, kY, kX}) : Bits({kK, kY, kX})};
  if (!gemm) {
    log_outer = LogOf(layer[LayerDim::kN]) + LogOf(layer[LayerDim::kG]);
  }
  const auto wide = [](std::int64_t words) {
    return std::log(std::min(static_cast<double>(words), kWideWords));
  };
  fixed.assign(log_extent.begin(), log_extent.end());
  for (const double x :
       {LogOf(layer.stride_y), LogOf(layer.stride_x), depthwise ? 1.0 : 0.0, gemm ? 1.0 : 0.0,
        log_outer, LogOf(hardware.pes), wide(hardware.noc_bandwidth),
        wide(hardware.offchip_bandwidth), LogOf(hardware.noc_hops * hardware.hop_latency + 1),
        LogOf(hardware.simd_lanes)}) {
    fixed.push_back(x);
  }
  MakeBounds();
}

void Context::MakeBounds() {
  const std::array<double, kCodeDims> whole = log_extent;
  const auto words = TensorWords<double>(*this, whole);
  const double macs = std::exp(log_macs);
  const double moved =
      kOuterAccess * (2 * std::exp(words[0]) + 2 * std::exp(words[1]) + std::exp(words[2]));
  const double inner =
      kInnerAccess * (std::exp(words[0]) + std::exp(words[1]) + 4 * macs) + kOperation * macs;
  constexpr double kSmallest = 6;  // double buffers of one word per tensor
  log_bounds_ = {std::max(log_macs + log_outer - LogOf(hardware.peak()), 0.0),
                 std::log(moved) + log_outer, std::log(moved + inner) + log_outer,
                 std::log(kSmallest), std::log(kSmallest)};
}

std::size_t FeatureCount(int levels, Encoding encoding) {
  SLUICE_CHECK(levels >= 1 && levels <= kMaxPredictLevels, "1 to 3 levels");
  if (encoding == Encoding::kScalar) {
    return ScalarFeatureCount(levels);
  }
  mapping::Layer layer;
  layer.size.fill(0);
  for (const auto dim : {mapping::LayerDim::kC, mapping::LayerDim::kK, mapping::LayerDim::kR,
                         mapping::LayerDim::kS, mapping::LayerDim::kX, mapping::LayerDim::kY}) {
    layer.size[mapping::Index(dim)] = 1;
  }
  const Context context(layer, {});
  const std::array<FormulaLevel<double>, kMaxPredictLevels> none{};
  std::array<double, kComponents> estimate{};
  Count count;
  EvaluateFormula<double>(context, std::span(none).first(static_cast<std::size_t>(levels)),
                          estimate, count);
  return count.count;
}

void Features(const Context& context, const mapping::DataflowCode& code, std::span<float> features,
              Components& estimate, Encoding encoding) {
  SLUICE_CHECK(code.levels.size() <= kMaxPredictLevels, "at most 3 levels");
  if (encoding == Encoding::kScalar) {
    return ScalarFeatures(context, code, features, estimate);
  }
  const auto levels = LevelsOf(code);
  EvaluateFormula<double>(context, std::span(levels).first(code.levels.size()), estimate,
                          Collect{features});
}

Components EstimateOf(const Context& context, const mapping::DataflowCode& code) {
  SLUICE_CHECK(code.levels.size() <= kMaxPredictLevels, "at most 3 levels");
  const auto levels = LevelsOf(code);
  Components estimate{};
  EvaluateFormula<double>(context, std::span(levels).first(code.levels.size()), estimate,
                          [](double) {});
  return estimate;
}

void RelaxedFeaturesOf(const Context& context, int levels, std::uint32_t allowed,
                       std::span<const double> variables, RelaxedFeatures& result,
                       Encoding encoding) {
  SLUICE_CHECK(variables.size() == VariableCount(levels), "one number a variable");
  if (encoding == Encoding::kScalar) {
    return RelaxedScalarFeatures(context, levels, variables, result);
  }
  switch (levels) {
    case 1:
      return Relaxed<1>(context, allowed, variables, result);
    case 2:
      return Relaxed<2>(context, allowed, variables, result);
    default:
      return Relaxed<3>(context, allowed, variables, result);
  }
}

}  // namespace sluice::predict
