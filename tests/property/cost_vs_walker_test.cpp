// The closed form against the walk: random nests on random machines under random policies; every
// counter must be equal. A difference is shrunk to a small nest and printed as a text that rebuilds
// it.
//
// SLUICE_PROPERTY_CASES multiplies the number of cases (default 1, a few seconds).

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/rng.h"
#include "cost/evaluator.h"
#include "testing/generators.h"
#include "testing/nests.h"
#include "testing/walker.h"

namespace sluice::testing {
namespace {

struct Case {
  mapping::Workload workload;
  arch::Chain chain;
  mapping::Mapping mapping;
  cost::Policy policy;
};

int Scaled(int cases) {
  const char* scale = std::getenv("SLUICE_PROPERTY_CASES");
  return scale == nullptr ? cases : static_cast<int>(cases * std::max(std::atof(scale), 0.0));
}

cost::Policy RandomPolicy(Rng& rng) {
  switch (rng.Below(6)) {
    case 0:
      return cost::PhysicalPolicy();
    case 1:
      return cost::TimeloopPolicy();
    default:
      break;
  }
  const auto coin = [&] { return rng.Below(2) == 0; };
  cost::Policy policy;
  policy.first_read_elision = coin();
  policy.child_read_on_drain = coin();
  policy.dram_accumulates = coin();
  policy.parent_accumulates = coin();
  policy.neighbour_forwarding = coin();
  policy.multicast = rng.Below(4) != 0;
  policy.network_read_back = coin();
  policy.gap_words = coin();
  policy.window = coin() ? cost::WindowRule::kExact : cost::WindowRule::kSameDirection;
  policy.vector_rounding = coin() ? cost::VectorRounding::kTotal : cost::VectorRounding::kPerTile;
  return policy;
}

Case RandomCase(Rng& rng) {
  Case c;
  c.workload = RandomWorkload(rng);
  c.chain = RandomChain(rng);
  c.mapping = RandomMapping(c.workload, c.chain, rng, rng.Below(2) == 0);
  c.policy = RandomPolicy(rng);
  if (rng.Below(2) == 0) {  // hops cost nothing: the total energy can be compared
    for (arch::Level& level : c.chain.levels) {
      level.fan_out.network.hop_pj = 0;
      level.fan_out.network.router_pj = 0;
      level.fan_out.network.reduction_pj = 0;
    }
  }
  return c;
}

/// The rule for blocks of read-back partial sums is approximate for windows on the output
/// (docs/cost-model.md, "Vector accesses"), hence also the energy.
bool BlocksAreExact(const Case& c) {
  if (c.policy.vector_rounding == cost::VectorRounding::kTotal) {
    return true;
  }
  const auto& axes = c.workload.tensors.back().axes;
  return std::all_of(axes.begin(), axes.end(), [](const auto& axis) { return axis.size() <= 1; });
}

/// Hops are averages over groups of one size, exact where all instances are alike; the walk lets
/// read-back and forwarded words travel for free.
bool HopsAreExact(const Case& c) {
  bool exact = !c.policy.network_read_back && !c.policy.neighbour_forwarding;
  for (const mapping::LevelMapping& level : c.mapping.levels) {
    for (const mapping::LoopList* loops : {&level.temporal, &level.spatial_x, &level.spatial_y}) {
      for (const mapping::Loop& loop : *loops) {
        exact = exact && loop.last == loop.bound;
      }
    }
  }
  return exact;
}

bool HopsAreFree(const Case& c) {
  return std::all_of(c.chain.levels.begin(), c.chain.levels.end(), [](const arch::Level& level) {
    const arch::Network& n = level.fan_out.network;
    return n.hop_pj == 0 && n.router_pj == 0 && n.reduction_pj == 0;
  });
}

struct Mismatch {
  std::string counter;  ///< without level and tensor
  std::string text;
};

/// Collects differing counters.
class Comparison {
 public:
  void At(std::string place) { place_ = std::move(place); }
  void Check(const char* counter, std::int64_t walked, std::int64_t evaluated) {
    if (walked != evaluated) {
      Add(counter, fmt::format("walker {} evaluator {}", walked, evaluated));
    }
  }
  void Check(const char* counter, double walked, double evaluated) {
    if (!(std::abs(walked - evaluated) <= 1e-9 * std::abs(walked))) {
      Add(counter, fmt::format("walker {} evaluator {}", walked, evaluated));
    }
  }
  [[nodiscard]] const std::vector<Mismatch>& mismatches() const { return mismatches_; }

 private:
  void Add(const char* counter, const std::string& values) {
    mismatches_.push_back({counter, fmt::format("{}{}: {}", place_, counter, values)});
  }

  std::string place_;
  std::vector<Mismatch> mismatches_;
};

void CompareTensor(bool blocks, const cost::TensorTraffic& walked,
                   const cost::TensorTraffic& evaluated, Comparison& out) {
  out.Check("kept", std::int64_t{walked.kept}, std::int64_t{evaluated.kept});
  out.Check("tile_words", walked.tile_words, evaluated.tile_words);
  out.Check("fills", walked.fills, evaluated.fills);
  out.Check("updates", walked.updates, evaluated.updates);
  out.Check("reads", walked.reads, evaluated.reads);
  out.Check("network_words", walked.network_words, evaluated.network_words);
  out.Check("spatial_reductions", walked.spatial_reductions, evaluated.spatial_reductions);
  if (blocks) {
    out.Check("fill_blocks", walked.fill_blocks, evaluated.fill_blocks);
    out.Check("update_blocks", walked.update_blocks, evaluated.update_blocks);
    out.Check("read_blocks", walked.read_blocks, evaluated.read_blocks);
    out.Check("energy_pj", walked.energy_pj, evaluated.energy_pj);
  }
}

/// The evaluator books the whole way from parent to child at the parent, the walk at each fan-out.
void CompareHops(const Case& c, const cost::Cost& walked, const cost::Cost& evaluated,
                 Comparison& out) {
  for (std::size_t t = 0; t < c.workload.tensors.size(); ++t) {
    cost::TensorTraffic w;
    cost::TensorTraffic e;
    for (std::size_t l = 0; l < c.mapping.levels.size(); ++l) {
      w.hops += walked.level[l].tensors[t].hops;
      e.hops += evaluated.level[l].tensors[t].hops;
      w.network_energy_pj += walked.level[l].tensors[t].network_energy_pj;
      e.network_energy_pj += evaluated.level[l].tensors[t].network_energy_pj;
    }
    out.At(c.workload.tensor_names[t] + " ");
    out.Check("hops", w.hops, e.hops);
    out.Check("network_energy_pj", w.network_energy_pj, e.network_energy_pj);
  }
}

/// The counters on which walk and closed form differ.
std::vector<Mismatch> Differences(const Case& c) {
  const auto evaluator = cost::Evaluator::Create(c.workload, c.chain, c.policy);
  if (!evaluator) {
    return {{"Create", evaluator.error().message}};
  }
  const cost::Cost evaluated = evaluator->EvaluateFull(c.mapping);
  const cost::Cost walked = Walk(c.workload, c.chain, c.mapping, c.policy);
  const bool blocks = BlocksAreExact(c);
  const bool hops = HopsAreExact(c);
  Comparison out;
  out.Check("operations", walked.operations, evaluated.operations);
  out.Check("levels", std::int64_t{walked.levels}, std::int64_t{evaluated.levels});
  out.Check("tensors", std::int64_t{walked.tensors}, std::int64_t{evaluated.tensors});
  out.Check("instances_used", walked.instances_used, evaluated.instances_used);
  out.Check("compute_cycles", walked.compute_cycles, evaluated.compute_cycles);
  for (std::size_t l = 0; l < c.mapping.levels.size(); ++l) {
    const std::string at = fmt::format("level {} ", l);
    out.At(at);
    const cost::LevelCost& w = walked.level[l];
    const cost::LevelCost& e = evaluated.level[l];
    out.Check("instances_used", w.instances_used, e.instances_used);
    for (std::size_t t = 0; t < c.workload.tensors.size(); ++t) {
      out.At(at + c.workload.tensor_names[t] + " ");
      CompareTensor(blocks, w.tensors[t], e.tensors[t], out);
    }
    out.At(at);
    out.Check("read_cycles", w.read_cycles, e.read_cycles);
    out.Check("write_cycles", w.write_cycles, e.write_cycles);
    out.Check("network_cycles", w.network_cycles, e.network_cycles);
  }
  if (hops) {
    CompareHops(c, walked, evaluated, out);
  }
  out.At("");
  out.Check("cycles", walked.score.cycles, evaluated.score.cycles);
  out.Check("compute_energy_pj", walked.compute_energy_pj, evaluated.compute_energy_pj);
  out.Check("leakage_pj", walked.leakage_pj, evaluated.leakage_pj);
  for (std::size_t l = 0; l < c.mapping.levels.size(); ++l) {
    out.Check("leakage_pj", walked.level[l].leakage_pj, evaluated.level[l].leakage_pj);
  }
  out.Check("utilization", walked.utilization, evaluated.utilization);
  if (blocks && (hops || HopsAreFree(c))) {
    out.Check("energy_pj", walked.score.energy_pj, evaluated.score.energy_pj);
  }
  return out.mismatches();
}

// --- shrinking ---------------------------------------------------------------------------------

/// Bounds that the loops cover, after loops were changed.
void Recover(Case& c) {
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

using Step = std::function<void(Case&)>;

void AddLoopSteps(const Case& c, std::vector<Step>& steps) {
  for (std::size_t l = 0; l < c.mapping.levels.size(); ++l) {
    for (const auto list : {&mapping::LevelMapping::temporal, &mapping::LevelMapping::spatial_x,
                            &mapping::LevelMapping::spatial_y}) {
      const mapping::LoopList& loops = c.mapping.levels[l].*list;
      for (std::size_t i = 0; i < loops.size(); ++i) {
        const auto loop = [l, list, i](Case& x) -> mapping::Loop& {
          return (x.mapping.levels[l].*list)[i];
        };
        steps.emplace_back([l, list, i](Case& x) { (x.mapping.levels[l].*list).erase(i); });
        if (loops[i].last != loops[i].bound) {
          steps.emplace_back([loop](Case& x) { loop(x).last = loop(x).bound; });
          steps.emplace_back([loop](Case& x) { loop(x).bound = loop(x).last; });
        }
        if (loops[i].bound > 2 && loops[i].bound > loops[i].last) {
          steps.emplace_back([loop](Case& x) { --loop(x).bound; });
        } else if (loops[i].bound > 2) {
          steps.emplace_back([loop](Case& x) { loop(x).last = --loop(x).bound; });
        }
        if (list != &mapping::LevelMapping::temporal) {
          steps.emplace_back([l, list, i](Case& x) {
            const mapping::Loop moved = (x.mapping.levels[l].*list)[i];
            (x.mapping.levels[l].*list).erase(i);
            mapping::LoopList& temporal = x.mapping.levels[l].temporal;
            if (!temporal.full()) {
              temporal.push_back(moved);
            }
          });
        }
        if (loops[i].last > 1 && loops[i].bound > loops[i].last) {
          steps.emplace_back([loop](Case& x) { --loop(x).last; });
        }
      }
    }
  }
}

void AddMachineSteps(const Case& c, std::vector<Step>& steps) {
  for (std::size_t l = 0; l < c.mapping.levels.size(); ++l) {
    steps.emplace_back([l](Case& x) { x.mapping.levels[l].keep = ~0U; });
    steps.emplace_back([l](Case& x) { x.chain.levels[l].memory.block_words = 1; });
    steps.emplace_back([l](Case& x) {
      x.chain.levels[l].memory.read_bandwidth.reset();
      x.chain.levels[l].memory.write_bandwidth.reset();
      x.chain.levels[l].fan_out.network.bandwidth.reset();
    });
    for (bool arch::Network::* bit : {&arch::Network::multicast, &arch::Network::reduction}) {
      steps.emplace_back([l, bit](Case& x) { x.chain.levels[l].fan_out.network.*bit = true; });
    }
    steps.emplace_back(
        [l](Case& x) { x.chain.levels[l].fan_out.network.neighbour_forwarding = false; });
    steps.emplace_back([l](Case& x) {
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
      steps.emplace_back([l](Case& x) {
        x.mapping.levels.erase(l);
        x.chain.levels.erase(x.chain.levels.begin() + static_cast<std::ptrdiff_t>(l));
      });
    }
  }
}

void AddWorkloadSteps(const Case& c, std::vector<Step>& steps) {
  for (std::size_t t = 0; t + 1 < c.workload.tensors.size(); ++t) {
    steps.emplace_back([t](Case& x) {
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
    steps.emplace_back([bit, plain](Case& x) { x.policy.*bit = plain.*bit; });
  }
  steps.emplace_back([plain](Case& x) { x.policy.window = plain.window; });
  steps.emplace_back([plain](Case& x) { x.policy.vector_rounding = plain.vector_rounding; });
}

std::string Text(const Case& c) {
  return Describe(c.workload, c.chain, c.mapping, c.policy);
}

std::optional<Mismatch> Find(const Case& c, const std::string& counter) {
  for (const Mismatch& m : Differences(c)) {
    if (m.counter == counter) {
      return m;
    }
  }
  return std::nullopt;
}

/// Greedy: any step that changes the case and keeps a difference in `counter` is taken.
Case Shrink(Case c, const std::string& counter) {
  for (bool progress = true; progress;) {
    progress = false;
    std::vector<Step> steps;
    AddWorkloadSteps(c, steps);
    AddMachineSteps(c, steps);
    AddLoopSteps(c, steps);
    AddPolicySteps(steps);
    for (const Step& step : steps) {
      Case smaller = c;
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
void Compare(std::uint64_t seed, int cases, const std::function<void(Case&)>& adjust) {
  std::set<std::string> reported;
  for (int i = 0; i < cases; ++i) {
    Rng rng = Rng(seed).Split(static_cast<std::uint64_t>(i));
    Case c = RandomCase(rng);
    adjust(c);
    const std::vector<Mismatch> mismatches = Differences(c);
    // The first is the cause; cycles and energies that follow from it are not reported.
    if (!mismatches.empty() && reported.insert(mismatches.front().counter).second) {
      const std::string& counter = mismatches.front().counter;
      const Case small = Shrink(c, counter);
      ADD_FAILURE() << "seed " << seed << " case " << i << "\n"
                    << Text(small) << "=> " << Find(small, counter)->text << "\n";
    }
  }
}

TEST(CostVsWalker, AnyPolicy) {
  Compare(1, Scaled(5000), [](Case&) {});
}

TEST(CostVsWalker, Physical) {
  Compare(2, Scaled(1500), [](Case& c) { c.policy = cost::PhysicalPolicy(); });
}

TEST(CostVsWalker, Timeloop) {
  Compare(3, Scaled(1500), [](Case& c) { c.policy = cost::TimeloopPolicy(); });
}

}  // namespace
}  // namespace sluice::testing
