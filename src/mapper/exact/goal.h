#pragma once
/// \file
/// What an exact search still wants to beat: one value of an objective, or a whole front.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "cost/cost.h"

namespace sluice::mapper::exact {

/// Partial sums are added in other orders than the evaluator's, so a bound may exceed the truth by
/// rounding. Everything within this share of the incumbent counts as equal.
inline constexpr double kEqual = 1e-9;

/// std::ceil of cycles, at least 0, which is a call on machines before SSE 4.1.
inline double WholeCycles(double cycles) {
  constexpr double kExact = 4503599627370496;  // 2^52: whole from here on
  if (cycles >= kExact) {
    return cycles;
  }
  const auto whole = static_cast<double>(static_cast<std::int64_t>(cycles));
  return whole < cycles ? whole + 1 : whole;
}

class Goal {
 public:
  /// Minimise `objective`. `least_cycles`: no mapping takes fewer.
  Goal(cost::Objective objective, double leakage_per_cycle, double least_cycles)
      : objective_(objective), leakage_(leakage_per_cycle), least_cycles_(least_cycles) {}

  /// Only mappings within both figures count (a second objective among equals of a first).
  void Cap(double energy, double cycles) {
    cap_energy_ = energy * (1 + kEqual);
    cap_cycles_ = cycles * (1 + kEqual);
  }
  /// Collect the whole front of energy and cycles instead of one best value.
  void WantFront() { front_wanted_ = true; }

  /// What a mapping is worth at best that needs at least `energy` (without leakage) and `cycles`;
  /// infinity when it can not matter.
  [[nodiscard]] double Value(double energy, double cycles) const {
    // Cycles are whole; what rounding of the sums added must not count as one more.
    const double most = WholeCycles(std::max(cycles, least_cycles_) * (1 - 1e-12));
    const double total = energy + leakage_ * most;
    if (total > cap_energy_ || most > cap_cycles_) {
      return kInfinity;
    }
    if (front_wanted_) {
      for (const cost::Score& point : front_) {
        if (point.energy_pj * (1 - kEqual) <= total && point.cycles * (1 - kEqual) <= most) {
          return kInfinity;
        }
      }
      return total * most;
    }
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
  /// Energy (without leakage) at which a mapping of so many cycles is worth `value`. Not for
  /// fronts.
  [[nodiscard]] double EnergyFor(double value, double cycles) const {
    const double most = WholeCycles(std::max(cycles, least_cycles_) * (1 - 1e-12));
    switch (objective_) {
      case cost::Objective::kEnergy:
        return value - leakage_ * most;
      case cost::Objective::kLatency:
        return most < value ? kInfinity : -kInfinity;
      case cost::Objective::kEdp:
        return value / most - leakage_ * most;
    }
    return 0;
  }
  void Improve(double value) { limit_ = value * (1 - kEqual); }

  /// Adds a point of the front. False when another is as good in both figures.
  bool Add(const cost::Score& score) {
    for (const cost::Score& point : front_) {
      if (point.energy_pj <= score.energy_pj && point.cycles <= score.cycles) {
        return false;
      }
    }
    std::erase_if(front_, [&score](const cost::Score& point) {
      return score.energy_pj <= point.energy_pj && score.cycles <= point.cycles;
    });
    front_.push_back(score);
    return true;
  }

  /// Whether labels must be told apart by their cycles.
  [[nodiscard]] bool counts_cycles() const {
    return objective_ != cost::Objective::kEnergy || leakage_ > 0 || front_wanted_ ||
           cap_cycles_ < kInfinity;
  }
  /// Cycles at which a mapping of so much energy (without leakage) is worth `value`; infinite where
  /// no number is enough.
  [[nodiscard]] double CyclesFor(double value, double energy) const {
    switch (objective_) {
      case cost::Objective::kEnergy:
        return leakage_ > 0 ? (value - energy) / leakage_ : kInfinity;
      case cost::Objective::kLatency:
        return value;
      case cost::Objective::kEdp:
        return leakage_ > 0
                   ? (std::sqrt(energy * energy + 4 * leakage_ * value) - energy) / (2 * leakage_)
                   : value / energy;
    }
    return 0;
  }
  /// Whether as much more energy is as bad as more cycles.
  [[nodiscard]] bool is_product() const {
    return objective_ == cost::Objective::kEdp && !front_wanted_;
  }
  /// Picojoules that are worth one cycle, near a mapping of these figures. Not for fronts.
  [[nodiscard]] double Exchange(double energy, double cycles) const {
    switch (objective_) {
      case cost::Objective::kEnergy:
        return leakage_;
      case cost::Objective::kLatency:
        return 0;
      case cost::Objective::kEdp:
        return energy / cycles + 2 * leakage_;
    }
    return 0;
  }

 private:
  static constexpr double kInfinity = std::numeric_limits<double>::infinity();
  cost::Objective objective_;
  double leakage_;
  double least_cycles_;
  double cap_energy_ = kInfinity;
  double cap_cycles_ = kInfinity;
  double limit_ = kInfinity;
  bool front_wanted_ = false;
  std::vector<cost::Score> front_;
};

}  // namespace sluice::mapper::exact
