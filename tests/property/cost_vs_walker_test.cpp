// The closed form against the walk: random nests on random machines under random policies; every
// counter must be equal. A difference is shrunk to a small nest and printed as a text that rebuilds
// it.
//
// SLUICE_PROPERTY_CASES multiplies the number of cases (default 1, a few seconds).

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/rng.h"
#include "testing/nests.h"
#include "testing/walker_case.h"

namespace sluice::testing {
namespace {

int Scaled(int cases) {
  const char* scale = std::getenv("SLUICE_PROPERTY_CASES");
  return scale == nullptr ? cases : static_cast<int>(cases * std::max(std::atof(scale), 0.0));
}

// --- shrinking ---------------------------------------------------------------------------------

/// Bounds that the loops cover, after loops were changed.
void Recover(WalkerCase& c) {
  for (std::size_t d = 0; d < c.workload.bounds.size(); ++d) {
    std::int64_t stride = 1;
    std::int64_t bound = 1;
    for (std::size_t l = c.mapping.levels.size(); l-- > 0;) {
      mapping::LevelMapping& level = c.mapping.levels[l];
      for (mapping::LoopList* list : {&level.spatial_y, &level.spatial_x, &level.temporal}) {
        for (std::size_t i = list->size(); i-- > 0;) {
          if ((*list)[i].dim == static_cast<std::int32_t>(d)) {
            bound += ((*list)[i].last - 1) * stride;
            stride *= (*list)[i].bound;
          }
        }
      }
    }
    c.workload.bounds[d] = bound;
  }
}

using Step = std::function<void(WalkerCase&)>;

void AddLoopSteps(const WalkerCase& c, std::vector<Step>& steps) {
  for (std::size_t l = 0; l < c.mapping.levels.size(); ++l) {
    for (const auto list : {&mapping::LevelMapping::temporal, &mapping::LevelMapping::spatial_x,
                            &mapping::LevelMapping::spatial_y}) {
      const mapping::LoopList& loops = c.mapping.levels[l].*list;
      for (std::size_t i = 0; i < loops.size(); ++i) {
        const auto loop = [l, list, i](WalkerCase& x) -> mapping::Loop& {
          return (x.mapping.levels[l].*list)[i];
        };
        steps.emplace_back([l, list, i](WalkerCase& x) { (x.mapping.levels[l].*list).erase(i); });
        if (loops[i].last != loops[i].bound) {
          steps.emplace_back([loop](WalkerCase& x) { loop(x).last = loop(x).bound; });
          steps.emplace_back([loop](WalkerCase& x) { loop(x).bound = loop(x).last; });
        }
        if (loops[i].bound > 2 && loops[i].bound > loops[i].last) {
          steps.emplace_back([loop](WalkerCase& x) { --loop(x).bound; });
        } else if (loops[i].bound > 2) {
          steps.emplace_back([loop](WalkerCase& x) { loop(x).last = --loop(x).bound; });
        }
        if (list != &mapping::LevelMapping::temporal) {
          steps.emplace_back([l, list, i](WalkerCase& x) {
            const mapping::Loop moved = (x.mapping.levels[l].*list)[i];
            (x.mapping.levels[l].*list).erase(i);
            mapping::LoopList& temporal = x.mapping.levels[l].temporal;
            if (!temporal.full()) {
              temporal.push_back(moved);
            }
          });
        }
        if (loops[i].last > 1 && loops[i].bound > loops[i].last) {
          steps.emplace_back([loop](WalkerCase& x) { --loop(x).last; });
        }
      }
    }
  }
}

void AddMachineSteps(const WalkerCase& c, std::vector<Step>& steps) {
  for (std::size_t l = 0; l < c.mapping.levels.size(); ++l) {
    steps.emplace_back([l](WalkerCase& x) { x.mapping.levels[l].keep = ~0U; });
    steps.emplace_back([l](WalkerCase& x) { x.chain.levels[l].memory.block_words = 1; });
    steps.emplace_back([l](WalkerCase& x) {
      x.chain.levels[l].memory.read_bandwidth.reset();
      x.chain.levels[l].memory.write_bandwidth.reset();
      x.chain.levels[l].fan_out.network.bandwidth.reset();
    });
    for (bool arch::Network::* bit : {&arch::Network::multicast, &arch::Network::reduction}) {
      steps.emplace_back(
          [l, bit](WalkerCase& x) { x.chain.levels[l].fan_out.network.*bit = true; });
    }
    steps.emplace_back(
        [l](WalkerCase& x) { x.chain.levels[l].fan_out.network.neighbour_forwarding = false; });
    steps.emplace_back([l](WalkerCase& x) {
      arch::FanOut& fan_out = x.chain.levels[l].fan_out;
      fan_out.x = 1;
      fan_out.y = 1;
      for (const mapping::Loop& loop : x.mapping.levels[l].spatial_x) {
        fan_out.x *= loop.bound;
      }
      for (const mapping::Loop& loop : x.mapping.levels[l].spatial_y) {
        fan_out.y *= loop.bound;
      }
    });
    if (l > 0) {
      steps.emplace_back([l](WalkerCase& x) {
        x.mapping.levels.erase(l);
        x.chain.levels.erase(x.chain.levels.begin() + static_cast<std::ptrdiff_t>(l));
      });
    }
  }
}

void AddWorkloadSteps(const WalkerCase& c, std::vector<Step>& steps) {
  for (std::size_t t = 0; t + 1 < c.workload.tensors.size(); ++t) {
    steps.emplace_back([t](WalkerCase& x) {
      x.workload.tensors.erase(t);
      x.workload.tensor_names.erase(x.workload.tensor_names.begin() +
                                    static_cast<std::ptrdiff_t>(t));
      for (mapping::LevelMapping& level : x.mapping.levels) {
        const std::uint32_t below = level.keep & ((1U << t) - 1U);
        level.keep = below | ((level.keep >> (t + 1)) << t);
      }
    });
  }
}

void AddPolicySteps(std::vector<Step>& steps) {
  const cost::Policy plain;
  for (bool cost::Policy::* bit :
       {&cost::Policy::first_read_elision, &cost::Policy::child_read_on_drain,
        &cost::Policy::dram_accumulates, &cost::Policy::parent_accumulates,
        &cost::Policy::neighbour_forwarding, &cost::Policy::multicast,
        &cost::Policy::network_read_back, &cost::Policy::gap_words}) {
    steps.emplace_back([bit, plain](WalkerCase& x) { x.policy.*bit = plain.*bit; });
  }
  steps.emplace_back([plain](WalkerCase& x) { x.policy.window = plain.window; });
  steps.emplace_back([plain](WalkerCase& x) { x.policy.vector_rounding = plain.vector_rounding; });
}

std::string Text(const WalkerCase& c) {
  return Describe(c.workload, c.chain, c.mapping, c.policy);
}

std::optional<Mismatch> Find(const WalkerCase& c, const std::string& counter) {
  for (const Mismatch& m : Differences(c)) {
    if (m.counter == counter) {
      return m;
    }
  }
  return std::nullopt;
}

/// Greedy: any step that changes the case and keeps a difference in `counter` is taken.
WalkerCase Shrink(WalkerCase c, const std::string& counter) {
  for (bool progress = true; progress;) {
    progress = false;
    std::vector<Step> steps;
    AddWorkloadSteps(c, steps);
    AddMachineSteps(c, steps);
    AddLoopSteps(c, steps);
    AddPolicySteps(steps);
    for (const Step& step : steps) {
      WalkerCase smaller = c;
      step(smaller);
      Recover(smaller);
      if (Text(smaller) != Text(c) && Find(smaller, counter)) {
        c = smaller;
        progress = true;
        break;
      }
    }
  }
  return c;
}

/// Compares `cases` random cases; shrinks the first failure of every counter.
void Compare(std::uint64_t seed, int cases, const std::function<void(WalkerCase&)>& adjust) {
  std::set<std::string> reported;
  for (int i = 0; i < cases; ++i) {
    Rng rng = Rng(seed).Split(static_cast<std::uint64_t>(i));
    WalkerCase c = RandomWalkerCase(rng);
    adjust(c);
    const std::vector<Mismatch> mismatches = Differences(c);
    // The first is the cause; cycles and energies that follow from it are not reported.
    if (!mismatches.empty() && reported.insert(mismatches.front().counter).second) {
      const std::string& counter = mismatches.front().counter;
      const WalkerCase small = Shrink(c, counter);
      ADD_FAILURE() << "seed " << seed << " case " << i << "\n"
                    << Text(small) << "=> " << Find(small, counter)->text << "\n";
    }
  }
}

TEST(CostVsWalker, AnyPolicy) {
  Compare(1, Scaled(5000), [](WalkerCase&) {});
}

TEST(CostVsWalker, Physical) {
  Compare(2, Scaled(1500), [](WalkerCase& c) { c.policy = cost::PhysicalPolicy(); });
}

TEST(CostVsWalker, Timeloop) {
  Compare(3, Scaled(1500), [](WalkerCase& c) { c.policy = cost::TimeloopPolicy(); });
}

}  // namespace
}  // namespace sluice::testing
