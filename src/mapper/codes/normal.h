#pragma once
/// \file
/// Normal numbers and reflection at the walls of the unit cube, for the searches over points.

#include <cmath>
#include <numbers>

#include "base/rng.h"

namespace sluice::mapper::codes {

/// Box and Muller.
inline double Normal(Rng& rng) {
  const double radius = std::sqrt(-2 * std::log(1 - rng.Uniform()));
  return radius * std::cos(2 * std::numbers::pi * rng.Uniform());
}

/// Back into [0, 1], as if the walls were mirrors.
inline double Reflect(double x) {
  const double folded = std::fmod(std::abs(x), 2.0);
  return folded > 1 ? 2 - folded : folded;
}

}  // namespace sluice::mapper::codes
