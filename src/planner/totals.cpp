#include "planner/totals.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "arch/architecture.h"
#include "base/checked.h"
#include "base/diagnostic.h"
#include "cost/cost.h"
#include "ir/network.h"
#include "mapping/workload.h"
#include "planner/plan.h"

namespace sluice::planner {
namespace {

/// A plan file may claim anything; sums stay at the largest number instead of wrapping.
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

std::int64_t MacsOf(const mapping::Workload& workload) {
  std::int64_t per_point = 0;
  for (const ir::Work& work : workload.body) {
    per_point += work.work_class == ir::WorkClass::kMac ? work.per_point : 0;
  }
  return CheckedMul(per_point, workload.points()).value_or(kMost);
}

/// The fastest unit for multiply-accumulates, all its instances together.
double PeakMacsPerCycle(const std::vector<arch::Chain>& chains) {
  double peak = 0;
  for (const arch::Chain& chain : chains) {
    for (const arch::ComputeClass& c : chain.compute.classes) {
      if (c.work_class == ir::WorkClass::kMac) {
        peak =
            std::max(peak, c.operations_per_cycle * static_cast<double>(chain.compute_instances()));
      }
    }
  }
  return peak;
}

bool SamePath(const arch::Chain& a, const arch::Chain& b) {
  return a.compute.name == b.compute.name &&
         std::ranges::equal(a.levels, b.levels, [](const arch::Level& x, const arch::Level& y) {
           return x.memory.name == y.memory.name;
         });
}

}  // namespace

std::size_t ChainIndex(const std::vector<arch::Chain>& chains, const arch::Chain& chain) {
  const auto found =
      std::ranges::find_if(chains, [&](const arch::Chain& c) { return SamePath(c, chain); });
  SLUICE_CHECK(found != chains.end(), "the chain is not one of this architecture");
  return static_cast<std::size_t>(found - chains.begin());
}

std::vector<ChainNames> NamesOf(const std::vector<arch::Chain>& chains) {
  std::vector<ChainNames> names;
  for (const arch::Chain& chain : chains) {
    ChainNames entry;
    entry.levels = chain.memory_names();
    entry.compute = chain.compute.name;
    names.push_back(std::move(entry));
  }
  return names;
}

Totals ComputeTotals(const Plan& plan, const std::vector<arch::Chain>& chains,
                     const std::vector<cost::Score>& bounds) {
  Totals totals;
  for (const OperatorPlan& op : plan.operators) {
    if (op.solution < 0) {
      continue;
    }
    const auto i = static_cast<std::size_t>(op.solution);
    const Solution& solution = plan.solutions[i];
    totals.energy_pj += solution.cost.score.energy_pj;
    totals.cycles += solution.cost.score.cycles;
    totals.macs = CheckedAdd(totals.macs, MacsOf(solution.workload)).value_or(kMost);
    totals.bound_energy_pj += bounds[i].energy_pj;
    totals.bound_cycles += bounds[i].cycles;
  }
  for (const Solution& solution : plan.solutions) {
    totals.evaluations = CheckedAdd(totals.evaluations, solution.evaluations).value_or(kMost);
  }
  const double peak = totals.cycles * PeakMacsPerCycle(chains);
  totals.utilization = peak > 0 ? static_cast<double>(totals.macs) / peak : 0;
  return totals;
}

}  // namespace sluice::planner
