#pragma once
/// \file
/// What the predictor sees of a layer, a machine and a dataflow code, and the analytic estimate
/// that it corrects.
///
/// Choices are one-hot (parallel dims) or pairwise relations (is loop i outside loop j?), sizes are
/// logarithms and ratios, the machine is part of the input. From these follow, by the rules of data
/// reuse that every tiled accelerator obeys, words moved, steps and buffer needs of each level:
/// features too, and the estimate. All of it is a smooth function of a *relaxed* code (a
/// probability for every choice, real tile sizes), so that one formula serves for training, for
/// prediction and for gradients. What it leaves out (first and last steps, halos under several
/// loops, rounding) is left to be learned.
///
/// Beside them there are the features of the paper, for comparison: the numbers of the code as they
/// are, choices too, and nothing of the machine (scalar_features.h).
/// Tested by tests/unit/predict_features_test.cpp.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "cost/maestro/hardware.h"
#include "cost/oracle/oracle.h"
#include "mapping/dataflow/code.h"
#include "mapping/dataflow/dataflow.h"

namespace sluice::predict {

/// Files made for other features are refused.
inline constexpr std::uint32_t kFeatureVersion = 1;
inline constexpr int kMaxPredictLevels = 3;

/// What a predictor sees of a code.
enum class Encoding : std::uint8_t {
  kDerived,  ///< as said above
  kScalar,   ///< the numbers of the code, as DCP has it
};

enum class Component : std::uint8_t {
  kLatency,
  kOuterEnergy,
  kFullEnergy,
  kInnerWords,
  kOuterWords,
};
inline constexpr std::size_t kComponents = 5;
constexpr std::size_t Index(Component component) {
  return static_cast<std::size_t>(component);
}
std::string_view ComponentName(Component component);
using Components = std::array<double, kComponents>;

/// Cycles, picojoules, words. Requires: a cost that was priced.
Components ComponentsOf(const cost::CodeCost& cost);

/// The part of the input that no code changes, computed once.
class Context {
 public:
  /// Requires: ValidateLayer(layer); positive hardware parameters.
  Context(const mapping::Layer& layer, const cost::maestro::Hardware& hardware);

  /// No code can need less: logarithms, of the compute bound, of each word moved once, of the
  /// smallest buffers.
  [[nodiscard]] const Components& log_bounds() const { return log_bounds_; }
  /// Dims that the layer has, as far as they may be parallel.
  [[nodiscard]] const mapping::CodeSizes& extents() const { return extents_; }

  mapping::Layer layer;
  cost::maestro::Hardware hardware;
  std::array<double, mapping::kCodeDims> log_extent{};
  std::array<std::uint32_t, 3> coupled{};  ///< bits of code dims: input, weight, output
  double log_outer = 0;                    ///< steps over batch and groups
  double log_macs = 0;                     ///< of one such step
  std::vector<double> fixed;               ///< features of layer and machine

 private:
  void MakeBounds();

  Components log_bounds_{};
  mapping::CodeSizes extents_{};
};

/// Requires: 1 to kMaxPredictLevels levels.
std::size_t FeatureCount(int levels, Encoding encoding = Encoding::kDerived);

/// Features of a code, and the estimate ln(component / bound), which for scalar ones says 0 for
/// ln(component). Requires: a canonical code with `levels` levels; features of FeatureCount.
void Features(const Context& context, const mapping::DataflowCode& code, std::span<float> features,
              Components& estimate, Encoding encoding = Encoding::kDerived);

/// The estimate of derived features alone.
Components EstimateOf(const Context& context, const mapping::DataflowCode& code);

/// A relaxed code as numbers: per level kDims logits of the parallel dim, the logarithm of the
/// units, kDims order keys (smaller is further out), kDims logarithms of tiles. Under scalar
/// features the first of the logits is the number of the parallel dim, and the others mean nothing.
inline constexpr std::size_t kVariablesPerLevel = std::size_t{3} * mapping::kCodeDims + 1;
constexpr std::size_t VariableCount(int levels) {
  return kVariablesPerLevel * static_cast<std::size_t>(levels);
}
constexpr std::size_t ParallelAt(std::size_t level, std::size_t dim) {
  return level * kVariablesPerLevel + dim;
}
constexpr std::size_t UnitsAt(std::size_t level) {
  return level * kVariablesPerLevel + mapping::kCodeDims;
}
constexpr std::size_t KeyAt(std::size_t level, std::size_t dim) {
  return level * kVariablesPerLevel + mapping::kCodeDims + 1 + dim;
}
constexpr std::size_t TileAt(std::size_t level, std::size_t dim) {
  return level * kVariablesPerLevel + std::size_t{2} * mapping::kCodeDims + 1 + dim;
}

struct RelaxedFeatures {
  std::vector<float> features;
  Components estimate{};
  /// Row i: derivatives of feature i, then of estimate i - features, by every variable.
  std::vector<float> jacobian;
};
/// Requires: VariableCount(levels) variables. `allowed`: dims that may be parallel, per bit.
void RelaxedFeaturesOf(const Context& context, int levels, std::uint32_t allowed,
                       std::span<const double> variables, RelaxedFeatures& result,
                       Encoding encoding = Encoding::kDerived);

}  // namespace sluice::predict
