#pragma once
/// \file
/// Any search over dataflow codes as a mapper: a code is decoded to a mapping of the machine
/// (mapping/dataflow/nest.h), the reference model prices it, and each priced code is one evaluation
/// of the budget.
///
/// Without a budget of evaluations the search runs in rounds of 1,000, 2,000, ... samples, each
/// from the best code of the one before, until a long one brings nothing. What a search has when it
/// is interrupted stands. Factors always divide, and constraints are not for codes: the caller asks
/// for neither. Tested by tests/unit/coded_mapper_test.cpp, tests/cli/map_test.py.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/diagnostic.h"
#include "mapper/codes/search.h"
#include "mapper/mapper.h"

namespace sluice::mapper {

class CodedMapper final : public Mapper {
 public:
  /// Some searches (`dcp`) own what others use too, a trained predictor.
  CodedMapper(std::shared_ptr<const codes::CodeSearch> search, int levels);

  [[nodiscard]] std::string_view name() const override { return search_->name(); }
  [[nodiscard]] std::string_view description() const override { return description_; }
  [[nodiscard]] Result Solve(const Problem& problem, const Budget& budget) const override;
  [[nodiscard]] std::int64_t PlanningEvaluations(const Problem& problem) const override;
  /// Errors: kOperatorInvalid unless the operator is a product of two tensors into a third.
  [[nodiscard]] Status Supports(const Problem& problem) const override;

 private:
  std::shared_ptr<const codes::CodeSearch> search_;
  int levels_;
  std::string description_;
};

}  // namespace sluice::mapper
