#pragma once
/// \file
/// Internal to propagate.cpp: what is minimised, and codes as points that follow its gradient.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "mapper/codes/space.h"
#include "mapping/dataflow/code.h"
#include "predict/features.h"
#include "predict/predictor.h"

namespace sluice::predict {

/// The logarithm of an objective, with hinges where buffers are too small.
struct Target {
  Components weight{};
  std::array<double, 2> limit{};  ///< logarithms: inner and outer words

  /// Where the members disagree, the pessimist is believed.
  [[nodiscard]] double Score(const Components& logs, const Components& spread) const;
  /// Derivatives of the objective with its hinges by the components.
  [[nodiscard]] Components Slopes(const Components& logs) const;
};

class Relaxation {
 public:
  /// Keeps references.
  Relaxation(const mapper::codes::CodeSpace& space, const Context& context, const Target& target);

  /// Goes on from these codes.
  void Reset(std::span<const mapping::DataflowCode> codes);
  /// One step of Adam on all codes, by one member of the ensemble.
  void Step(const Predictor& predictor, std::size_t member);
  /// The nearest codes of the space.
  [[nodiscard]] std::vector<mapping::DataflowCode> Codes() const;

 private:
  void Clamp(std::span<double> variables) const;

  const mapper::codes::CodeSpace& space_;
  const Context& context_;
  const Target& target_;
  std::uint32_t allowed_ = 0;
  std::size_t count_ = 0;  ///< variables of a code
  std::vector<double> variables_;
  std::vector<double> first_;
  std::vector<double> second_;
  int steps_ = 0;
  Predictor::Workspace work_;
  Predictor::Relaxed relaxed_;
};

}  // namespace sluice::predict
