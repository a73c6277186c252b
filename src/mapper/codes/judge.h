#pragma once
/// \file
/// What every search over codes shares: it asks the oracle, keeps the best code, counts samples and
/// processor time, notes the best so far at the checkpoints and stops at the budget. Not
/// thread-safe. Tested by tests/property/code_search_test.cpp.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "cost/oracle/oracle.h"
#include "mapper/codes/search.h"
#include "mapping/dataflow/code.h"

namespace sluice::mapper::codes {

class Judge {
 public:
  /// Requires: problem.oracle outlives the judge. Prices no code yet.
  explicit Judge(const CodeProblem& problem);

  /// Prices the first codes for which there are samples left and returns how many that were;
  /// values[i] is what to minimise, infinite for codes that are not legal. Beyond that number, and
  /// after the oracle failed, values are infinite. Requires: equal sizes.
  std::size_t Price(std::span<const mapping::DataflowCode> codes, std::span<double> values);
  /// The same for one code.
  double Price(const mapping::DataflowCode& code);
  /// Costs behind the values of the last Price, one a code that was priced.
  [[nodiscard]] std::span<const cost::CodeCost> costs() const { return costs_; }

  /// Samples that are left; 0 after the oracle failed.
  [[nodiscard]] std::int64_t left() const { return done_ ? 0 : problem_.samples - result_.samples; }
  [[nodiscard]] bool done() const { return left() <= 0; }
  [[nodiscard]] const CodeProblem& problem() const { return problem_; }
  [[nodiscard]] const CodeResult& so_far() const { return result_; }
  CodeResult Finish();

 private:
  void Note(std::int64_t samples);

  CodeProblem problem_;
  CodeResult result_;
  std::vector<cost::CodeCost> costs_;
  std::size_t next_checkpoint_ = 0;
  bool done_ = false;
  double start_seconds_ = 0;
};

}  // namespace sluice::mapper::codes
