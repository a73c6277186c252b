#include "predict/scalar_features.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

#include "mapping/dataflow/code.h"
#include "mapping/dataflow/dataflow.h"
#include "predict/features.h"

namespace sluice::predict {
namespace {

using mapping::kCodeDims;

constexpr std::size_t kOfLayer = kCodeDims + 4;
constexpr std::size_t kOfLevel = std::size_t{2} * (kCodeDims + 1);

double LogOf(std::int64_t number) {
  return std::log(static_cast<double>(std::max<std::int64_t>(number, 1)));
}

/// GAMMA's numbers: 1 convolution, 2 depth-wise, 3 GEMM.
double TypeOf(const mapping::Layer& layer) {
  if (layer.type == mapping::LayerType::kGemm) {
    return 3;
  }
  return layer.type == mapping::LayerType::kDepthwise ? 2 : 1;
}

/// Calls `at(variable)` for the numbers of a code in the order of the features.
template <class At>
void ForNumbers(std::size_t levels, At&& at) {
  for (std::size_t l = 0; l < levels; ++l) {
    at(ParallelAt(l, 0));
    at(UnitsAt(l));
    for (std::size_t d = 0; d < kCodeDims; ++d) {
      at(KeyAt(l, d));
      at(TileAt(l, d));
    }
  }
}

void OfLayer(const Context& context, std::span<float> features) {
  std::ranges::transform(context.log_extent, features.begin(),
                         [](double x) { return static_cast<float>(x); });
  const std::array<double, kOfLayer - kCodeDims> more = {
      TypeOf(context.layer), LogOf(context.layer.stride_y), LogOf(context.layer.stride_x),
      context.log_outer};
  std::ranges::transform(more, features.begin() + kCodeDims,
                         [](double x) { return static_cast<float>(x); });
}

/// The networks predict the logarithms themselves.
void SayNothing(const Context& context, Components& estimate) {
  std::ranges::transform(context.log_bounds(), estimate.begin(), [](double x) { return -x; });
}

}  // namespace

std::size_t ScalarFeatureCount(int levels) {
  return kOfLayer + kOfLevel * static_cast<std::size_t>(levels);
}

void ScalarVariables(const mapping::DataflowCode& code, std::span<double> variables) {
  std::ranges::fill(variables, 0.0);
  for (std::size_t l = 0; l < code.levels.size(); ++l) {
    const auto& level = code.levels[l];
    variables[ParallelAt(l, 0)] = static_cast<double>(mapping::Index(level.parallel));
    variables[UnitsAt(l)] = LogOf(level.units);
    for (std::size_t i = 0; i < kCodeDims; ++i) {
      variables[KeyAt(l, mapping::Index(level.order[i]))] = static_cast<double>(i);
      variables[TileAt(l, i)] = LogOf(level.tile[i]);
    }
  }
}

void ScalarFeatures(const Context& context, const mapping::DataflowCode& code,
                    std::span<float> features, Components& estimate) {
  std::array<double, VariableCount(kMaxPredictLevels)> variables{};
  ScalarVariables(code, variables);
  OfLayer(context, features);
  std::size_t next = kOfLayer;
  ForNumbers(code.levels.size(),
             [&](std::size_t v) { features[next++] = static_cast<float>(variables[v]); });
  SayNothing(context, estimate);
}

void RelaxedScalarFeatures(const Context& context, int levels, std::span<const double> variables,
                           RelaxedFeatures& result) {
  const std::size_t count = ScalarFeatureCount(levels);
  result.features.resize(count);
  result.jacobian.assign((count + kComponents) * variables.size(), 0);
  OfLayer(context, result.features);
  std::size_t next = kOfLayer;
  ForNumbers(static_cast<std::size_t>(levels), [&](std::size_t v) {
    result.features[next] = static_cast<float>(variables[v]);
    result.jacobian[next * variables.size() + v] = 1;
    ++next;
  });
  SayNothing(context, result.estimate);
}

}  // namespace sluice::predict
