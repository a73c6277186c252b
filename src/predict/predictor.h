#pragma once
/// \file
/// The trained predictor: an ensemble of small networks, each correcting the analytic estimate of
/// features.h. Their mean is the prediction, their spread says how far to trust it. Networks that
/// read scalar features predict without an estimate.
///
/// Model files: magic, version, version of the features, the space of the codes, standardisation,
/// networks, a checksum over everything. A file that does not fit is refused, never adapted.
/// Tested by tests/unit/predict_predictor_test.cpp, tests/fuzz/predict_files.cpp.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "mapper/codes/search.h"
#include "mapping/dataflow/code.h"
#include "predict/features.h"
#include "predict/mlp.h"

namespace sluice::predict {

/// Natural logarithms of the components.
struct Prediction {
  Components mean{};
  Components spread{};  ///< standard deviation over the ensemble
};

/// What a model was made from, for lists and reports.
struct ModelOrigin {
  std::string labels;  ///< the cost model, as its oracle is called
  std::uint64_t seed = 0;
  std::uint64_t samples = 0;  ///< trained on
  friend bool operator==(const ModelOrigin&, const ModelOrigin&) = default;
};

class Predictor {
 public:
  /// Requires: members of FeatureCount inputs and kComponents outputs, at least one; center and
  /// scale of as many numbers as there are features, scales positive.
  Predictor(const mapper::codes::SpaceOptions& space, Encoding encoding, std::vector<float> center,
            std::vector<float> scale, std::vector<Mlp<float>> members, ModelOrigin origin);

  [[nodiscard]] const mapper::codes::SpaceOptions& space() const { return space_; }
  [[nodiscard]] Encoding encoding() const { return encoding_; }
  [[nodiscard]] const ModelOrigin& origin() const { return origin_; }
  [[nodiscard]] std::span<const Mlp<float>> members() const { return members_; }
  [[nodiscard]] std::span<Mlp<float>> members() { return members_; }

  /// Error: kPlanMismatch saying which space the model was trained for.
  [[nodiscard]] Status CheckSpace(const mapper::codes::SpaceOptions& space) const;

  /// Features minus center over scale, for one code; and the analytic ln(component / bound).
  void Standardised(const Context& context, const mapping::DataflowCode& code,
                    std::span<float> features, Components& estimate) const;

  /// Requires: canonical codes of the space's levels; equal sizes.
  void Predict(const Context& context, std::span<const mapping::DataflowCode> codes,
               std::span<Prediction> predictions) const;

  /// What the analytic estimate says, as Predict does without the networks of derived features.
  static void Estimate(const Context& context, std::span<const mapping::DataflowCode> codes,
                       std::span<Prediction> predictions);

  /// One member's prediction of relaxed codes, with the gradient of weights . components by the
  /// variables. `weights` and `gradients`: per code, kComponents and VariableCount numbers.
  struct Relaxed {
    std::vector<Components> values;  ///< logarithms
    std::vector<double> gradients;
  };
  struct Workspace {
    RelaxedFeatures relaxed;
    std::vector<float> batch;
    std::vector<float> jacobians;
    std::vector<float> by_outputs;
    std::vector<float> by_inputs;
    Mlp<float>::Trace trace;
  };
  /// Values first: the caller's weights may depend on them. Requires: all variables of each code.
  void PredictRelaxed(const Context& context, std::size_t member, std::uint32_t allowed,
                      std::span<const double> variables, Workspace& work, Relaxed& result) const;
  void GradientRelaxed(std::size_t member, std::span<const double> weights, std::size_t codes,
                       Workspace& work, Relaxed& result) const;

  /// Bytes of the model file.
  [[nodiscard]] std::string Write() const;
  /// Errors: kSyntax for damage, kVersion for another version of the format or the features.
  static Result<Predictor> Read(std::string_view bytes, const std::string& name);
  static Result<Predictor> Load(const std::string& path);

 private:
  mapper::codes::SpaceOptions space_;
  Encoding encoding_;
  std::vector<float> center_;
  std::vector<float> scale_;
  std::vector<Mlp<float>> members_;
  ModelOrigin origin_;
};

}  // namespace sluice::predict
