#pragma once
/// \file
/// The costs of a whole plan, added up the ways people ask for: by memory and kind of tensor, by
/// what binds the time, and by distance from the roof of one port. Sums run over the operators in
/// execution order. Tested by tests/unit/driver_explain_test.cpp and tests/cli/plan_test.py.

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "arch/architecture.h"
#include "driver/driver.h"
#include "driver/explain/explain.h"

namespace sluice::driver {

/// Energy of one memory, of all networks, of compute or of leakage.
struct EnergyRow {
  std::string name;
  std::array<double, arch::kTensorClasses> by_class{};  ///< zero where no tensor is to blame
  double total = 0;
};

struct BindingRow {
  std::string resource;  ///< as ResourceText
  double cycles = 0;     ///< of the operators that it binds
};

/// An operator under the roof of the port.
struct RoofRow {
  std::size_t op = 0;  ///< index into plan.operators
  double cycles = 0;
  RoofTerm term;
};

struct PlanBreakdown {
  std::vector<EnergyRow> energy;    ///< memories in tree order, then networks, compute, leakage
  std::vector<BindingRow> binding;  ///< most cycles first
  std::string port;           ///< that binds most of the time; empty: no port has a limited rate
  std::vector<RoofRow> roof;  ///< operators that use the port, most cycles first
};

/// Requires a plan whose costs are those of its mappings (PlanNetwork, EvaluatePlan).
Result<PlanBreakdown> BreakDown(const PlanOutcome& outcome);

}  // namespace sluice::driver
