#pragma once
/// \file
/// Internal to propagate.cpp: who says what a code would cost, and learns from those that were
/// priced. Scores are logarithms of the objective, with penalties where a buffer is too small.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "cost/oracle/oracle.h"
#include "mapper/codes/search.h"
#include "mapping/dataflow/code.h"

namespace sluice::predict {

class Scorer {
 public:
  static constexpr double kHopeless = std::numeric_limits<double>::infinity();

  Scorer() = default;
  Scorer(const Scorer&) = delete;
  Scorer& operator=(const Scorer&) = delete;
  virtual ~Scorer() = default;

  [[nodiscard]] virtual std::vector<double> Scores(
      std::span<const mapping::DataflowCode> codes) = 0;
  /// Scores of those that may be at most `limits`; kHopeless for what is surely above.
  [[nodiscard]] virtual std::vector<double> ScoresWithin(
      std::span<const mapping::DataflowCode> codes, std::span<const double> limits) = 0;
  /// The index of the most promising. Requires: not empty.
  [[nodiscard]] virtual std::size_t BestOf(std::span<const mapping::DataflowCode> codes) = 0;
  /// Equal for codes that can not cost different.
  [[nodiscard]] virtual std::vector<std::int64_t> Identity(
      const mapping::DataflowCode& code) const = 0;

  /// What a code cost that was priced.
  virtual void Note(const mapping::DataflowCode& code, const cost::CodeCost& cost) = 0;
  /// Learns from what was noted; `anyway`: also where the scores were right so far. False: nothing
  /// changed.
  virtual bool Learn(bool anyway) = 0;
  /// Scores of these codes, which are typical, were asked for: how far quick ones are off.
  virtual void Calibrate(std::span<const mapping::DataflowCode> codes,
                         std::span<const double> scores) = 0;
};

/// For machines whose rules turn codes into mappings (mapping/dataflow/nest.h): what these rules
/// say of traffic, corrected by a linear model of what was priced. Requires:
/// problem.oracle->code_mapper().
std::unique_ptr<Scorer> MakeRulesScorer(const mapper::codes::CodeProblem& problem);

}  // namespace sluice::predict
