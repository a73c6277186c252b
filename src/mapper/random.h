#pragma once
/// \file
/// Random search: independent random points, repaired to fit. The baseline that any search must
/// beat, and the way to look at the distribution of a map space.

#include "mapper/mapper.h"

namespace sluice::mapper {

class RandomMapper : public Mapper {
 public:
  [[nodiscard]] std::string_view name() const override { return "random"; }
  [[nodiscard]] std::string_view description() const override {
    return "Independent random mappings, repaired to fit the buffers; a baseline.";
  }
  [[nodiscard]] Result Solve(const Problem& problem, const Budget& budget) const override;
  [[nodiscard]] std::int64_t PlanningEvaluations(const Problem& problem) const override;
};

}  // namespace sluice::mapper
