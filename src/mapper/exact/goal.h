#pragma once
/// \file
/// What an exact search still wants to beat: one value of an objective, or a whole front.

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "cost/cost.h"

namespace sluice::mapper::exact {

/// Partial sums are added in other orders than the evaluator's, so a bound may exceed the truth by
/// rounding. Everything within this share of the incumbent counts as equal.
inline constexpr double kEqual = 1e-9;

class Goal {
 public:
  Goal(cost::Objective objective, double leakage_per_cycle, double least_cycles)
      : objective_(objective), leakage_(leakage_per_cycle), least_cycles_(least_cycles) {}

  /// Energy without leakage, and cycles, that no completion can undercut.
  [[nodiscard]] double Value(double energy, double cycles) const {
    const double most = std::max(cycles, least_cycles_);
    const double total = energy + leakage_ * most;
    switch (objective_) {
      case cost::Objective::kEnergy:
        return total;
      case cost::Objective::kLatency:
        return most;
      case cost::Objective::kEdp:
        return total * most;
    }
    return 0;
  }
  [[nodiscard]] bool Hopeless(double energy, double cycles) const {
    return Value(energy, cycles) >= limit_;
  }
  [[nodiscard]] double limit() const { return limit_; }
  [[nodiscard]] double incumbent() const { return incumbent_; }
  void Improve(double value) {
    incumbent_ = value;
    limit_ = value * (1 - kEqual);
  }
  [[nodiscard]] cost::Objective objective() const { return objective_; }
  [[nodiscard]] bool counts_cycles() const {
    return objective_ != cost::Objective::kEnergy || leakage_ > 0;
  }

 private:
  cost::Objective objective_;
  double leakage_;
  double least_cycles_;
  double incumbent_ = std::numeric_limits<double>::infinity();
  double limit_ = std::numeric_limits<double>::infinity();
};

}  // namespace sluice::mapper::exact
