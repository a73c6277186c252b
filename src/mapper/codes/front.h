#pragma once
/// \file
/// Several objectives at once: which codes are the fastest for their energy. A front holds codes
/// that were priced, each not dominated by another (fewer cycles or less energy than any other).
///
/// A front is found by several runs of a search that share the budget: one for latency, one for
/// energy, the others for energy under a limit of cycles, the limits spaced evenly between both
/// ends (the epsilon constraint method, which also finds what no weighted sum does). Every legal
/// code that any run priced is considered. Tested by tests/property/code_front_test.cpp.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/diagnostic.h"
#include "mapper/codes/search.h"

namespace sluice::mapper::codes {

/// Fewer cycles first. `Insert` returns false for what is dominated by, or equal to, a member.
bool InsertIntoFront(std::vector<FrontPoint>& front, const FrontPoint& point, EnergyKind energy);

struct FrontResult {
  std::vector<FrontPoint> front;
  std::int64_t samples = 0;
  double cpu_seconds = 0;
  std::optional<Diagnostic> stopped;
};
/// `problem.objective` is not looked at; `problem.samples` is the budget of all runs together.
/// Requires: at least two runs.
FrontResult SearchFront(const CodeSearch& search, CodeProblem problem, int runs);

/// One choice for every layer of a network.
struct NetworkPoint {
  double cycles = 0;
  double energy_pj = 0;
  std::vector<std::uint32_t> choice;  ///< per layer, which point of its front
};
struct LayerFront {
  std::span<const FrontPoint> points;
  double count = 1;
};
/// What choosing one point a layer can give in total, not dominated, fewer cycles first. Among
/// totals of nearly equal cycles (within 0.1 %) only the cheapest is kept. Empty if a layer has no
/// point.
std::vector<NetworkPoint> MergeFronts(std::span<const LayerFront> layers, EnergyKind energy);

/// Share of the area between the best of both axes and `worst` that a front dominates, axes
/// logarithmic; 0 for an empty one. Requires: best and worst of positive numbers, best < worst.
struct FrontCorner {
  double cycles = 0;
  double energy_pj = 0;
};
double DominatedShare(std::span<const FrontCorner> front, const FrontCorner& best,
                      const FrontCorner& worst);

}  // namespace sluice::mapper::codes
