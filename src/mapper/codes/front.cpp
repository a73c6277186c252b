#include "mapper/codes/front.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "base/diagnostic.h"
#include "cost/oracle/oracle.h"
#include "mapper/codes/search.h"
#include "mapping/dataflow/code.h"

namespace sluice::mapper::codes {
namespace {

double EnergyOf(const cost::CodeCost& cost, EnergyKind energy) {
  return energy == EnergyKind::kOuter ? cost.energy_outer_pj : cost.energy_full_pj;
}

/// The budget of run `index` of `runs`.
std::int64_t Share(std::int64_t samples, int index, int runs) {
  return samples * (index + 1) / runs - samples * index / runs;
}

/// Places in the front to go on from under a limit: the cheapest that keeps it, and its neighbour.
std::vector<mapping::DataflowCode> StartsOf(const std::vector<FrontPoint>& front, double limit) {
  std::vector<mapping::DataflowCode> starts;
  const auto beyond = std::ranges::find_if(
      front, [&](const FrontPoint& point) { return point.cost.cycles > limit; });
  if (beyond != front.begin()) {
    starts.push_back(std::prev(beyond)->code);
  }
  if (beyond != front.end()) {
    starts.push_back(beyond->code);
  }
  return starts;
}

}  // namespace

bool InsertIntoFront(std::vector<FrontPoint>& front, const FrontPoint& point, EnergyKind energy) {
  const double cycles = point.cost.cycles;
  const double spent = EnergyOf(point.cost, energy);
  // The last one that is not slower: no other of those is cheaper.
  auto after = std::ranges::upper_bound(front, cycles, {},
                                        [](const FrontPoint& p) { return p.cost.cycles; });
  if (after != front.begin() && EnergyOf(std::prev(after)->cost, energy) <= spent) {
    return false;
  }
  const auto first =
      after != front.begin() && std::prev(after)->cost.cycles == cycles ? std::prev(after) : after;
  auto last = first;
  while (last != front.end() && EnergyOf(last->cost, energy) >= spent) {
    ++last;
  }
  const auto at = front.erase(first, last);
  front.insert(at, point);
  return true;
}

FrontResult SearchFront(const CodeSearch& search, CodeProblem problem, int runs) {
  SLUICE_CHECK(runs >= 2, "a front has two ends");
  FrontResult result;
  const std::int64_t samples = problem.samples;
  const std::vector<mapping::DataflowCode> given(problem.starts.begin(), problem.starts.end());
  std::vector<mapping::DataflowCode> starts = given;
  problem.keep_front = true;
  for (int run = 0; run < runs && !result.stopped; ++run) {
    problem.samples = Share(samples, run, runs);
    problem.objective = run == 0 ? CodeObjective::kLatency : CodeObjective::kEnergy;
    if (run >= 2 && !result.front.empty()) {
      const double fast = std::log(result.front.front().cost.cycles);
      const double slow = std::log(result.front.back().cost.cycles);
      // The fast end is steep: limits get closer towards it.
      const double share = static_cast<double>(run - 1) / (runs - 1);
      problem.cycle_limit = std::exp(fast + (slow - fast) * share * share);
      starts = StartsOf(result.front, problem.cycle_limit);
    }
    problem.starts = starts;
    ++problem.seed;
    if (problem.samples <= 0) {
      continue;
    }
    const CodeResult found = search.Run(problem);
    for (const FrontPoint& point : found.front) {
      InsertIntoFront(result.front, point, problem.energy);
    }
    result.samples += found.samples;
    result.cpu_seconds += found.cpu_seconds;
    result.stopped = found.stopped;
  }
  return result;
}

std::vector<NetworkPoint> MergeFronts(std::span<const LayerFront> layers, EnergyKind energy) {
  struct Sum {
    double cycles = 0;
    double energy_pj = 0;
    std::size_t total = 0;  ///< of the layers before
    std::uint32_t choice = 0;
  };
  std::vector<NetworkPoint> totals(layers.empty() ? 0 : 1);
  for (const LayerFront& layer : layers) {
    std::vector<Sum> sums;
    sums.reserve(totals.size() * layer.points.size());
    for (std::size_t t = 0; t < totals.size(); ++t) {
      for (std::uint32_t i = 0; i < layer.points.size(); ++i) {
        const cost::CodeCost& cost = layer.points[i].cost;
        sums.push_back({totals[t].cycles + layer.count * cost.cycles,
                        totals[t].energy_pj + layer.count * EnergyOf(cost, energy), t, i});
      }
    }
    std::ranges::sort(sums, [](const Sum& a, const Sum& b) {
      return std::tuple(a.cycles, a.energy_pj, a.total, a.choice) <
             std::tuple(b.cycles, b.energy_pj, b.total, b.choice);
    });
    std::vector<NetworkPoint> next;
    constexpr double kNear = 1.001;
    double bin = 0;
    for (const Sum& sum : sums) {
      if (!next.empty() && sum.energy_pj >= next.back().energy_pj) {
        continue;
      }
      // The fastest of all stays; of a bin beyond it, the cheapest.
      if (next.size() > 1 && sum.cycles <= bin * kNear) {
        next.pop_back();
      } else {
        bin = sum.cycles;
      }
      next.push_back({sum.cycles, sum.energy_pj, totals[sum.total].choice});
      next.back().choice.push_back(sum.choice);
    }
    totals = std::move(next);
  }
  return totals;
}

double DominatedShare(std::span<const FrontCorner> front, const FrontCorner& best,
                      const FrontCorner& worst) {
  std::vector<FrontCorner> sorted(front.begin(), front.end());
  std::ranges::sort(sorted, {}, &FrontCorner::cycles);
  const double width = std::log(worst.cycles / best.cycles);
  const double height = std::log(worst.energy_pj / best.energy_pj);
  double area = 0;
  double above = height;  // what the faster points leave of the height
  for (const FrontCorner& point : sorted) {
    const double right = std::log(worst.cycles / std::max(point.cycles, best.cycles));
    const double top = std::log(std::max(point.energy_pj, best.energy_pj) / best.energy_pj);
    if (right > 0 && top < above) {
      area += right * (above - top);
      above = top;
    }
  }
  return area / (width * height);
}

}  // namespace sluice::mapper::codes
