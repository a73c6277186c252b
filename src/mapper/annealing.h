#pragma once
/// \file
/// Simulated annealing over the map space, in rounds. A round walks from a starting point with a
/// geometric schedule of temperatures on the logarithm of the objective; rounds start in turn from
/// a greedy filling of the fan-outs and buffers, from the best so far (a reheat), and from a random
/// point. The search has converged when several rounds in a row brought nothing. Deterministic for
/// a seed and a budget of evaluations. Tested by tests/unit/mapper_test.cpp.

#include "mapper/mapper.h"

namespace sluice::mapper {

class AnnealingMapper : public Mapper {
 public:
  [[nodiscard]] std::string_view name() const override { return "annealing"; }
  [[nodiscard]] std::string_view description() const override {
    return "Simulated annealing with restarts and reheats; fast, good, without proof.";
  }
  [[nodiscard]] Result Solve(const Problem& problem, const Budget& budget) const override;
};

}  // namespace sluice::mapper
