#pragma once
/// \file
/// Simulated annealing over the map space, in rounds. A round walks from a starting point with a
/// geometric schedule of temperatures on the logarithm of the objective. Most rounds start from a
/// greedy filling of the fan-outs and buffers, some from the best so far (a reheat).
///
/// Which basin a walk ends in is decided early and by luck, so many short walks beat few long ones:
/// on Sunstone's layers rounds of 350 moves a prime factor reach the best known result with a third
/// of the evaluations that rounds of 1500 need. But some spaces need long walks. Round lengths
/// therefore follow Luby's sequence 1 1 2 1 1 2 4 ..., which is within a logarithmic factor of the
/// best fixed length (Luby, Sinclair, Zuckerman, "Optimal speedup of Las Vegas algorithms", 1993).
///
/// An imperfect search first spends up to half of its evaluations on perfect mappings.
///
/// Without a budget the search ends when more than half of it brought nothing. Deterministic for a
/// seed and a budget of evaluations. Tested by tests/unit/mapper_test.cpp and
/// tests/property/mapper_test.cpp.

#include <cstdint>
#include <string_view>

#include "mapper/mapper.h"
#include "mapping/mapping.h"

namespace sluice::mapper {

class AnnealingMapper : public Mapper {
 public:
  [[nodiscard]] std::string_view name() const override { return "annealing"; }
  [[nodiscard]] std::string_view description() const override {
    return "Simulated annealing with restarts and reheats; fast, good, without proof.";
  }
  [[nodiscard]] Result Solve(const Problem& problem, const Budget& budget) const override;
  /// Reheats around a valid mapping of the problem's space only.
  [[nodiscard]] Result Improve(const Problem& problem, const Budget& budget,
                               const mapping::Mapping& start) const;
  [[nodiscard]] std::int64_t PlanningEvaluations(const Problem& problem) const override;
};

}  // namespace sluice::mapper
