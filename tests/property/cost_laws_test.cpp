// Laws that any count of a loop nest must obey, whatever the policy: they need no second model, so
// they also hold on nests that are too large to walk.
//
// SLUICE_PROPERTY_CASES multiplies the number of cases.

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/rng.h"
#include "cost/evaluator.h"
#include "testing/generators.h"
#include "testing/nests.h"
#include "testing/small_case.h"

namespace sluice::testing {
namespace {

struct Case {
  mapping::Workload workload;
  arch::Chain chain;
  mapping::Mapping mapping;
  cost::Policy policy;

  [[nodiscard]] cost::Evaluator MakeEvaluator() const {
    return cost::Evaluator::Create(workload, chain, policy).value();
  }
  [[nodiscard]] cost::Cost Full() const { return MakeEvaluator().EvaluateFull(mapping); }
};

cost::Policy RandomPolicy(Rng& rng) {
  const auto coin = [&] { return rng.Below(2) == 0; };
  cost::Policy policy;
  policy.first_read_elision = coin();
  policy.child_read_on_drain = coin();
  policy.dram_accumulates = coin();
  policy.parent_accumulates = coin();
  policy.neighbour_forwarding = coin();
  policy.multicast = coin();
  policy.network_read_back = coin();
  policy.gap_words = coin();
  policy.window = coin() ? cost::WindowRule::kExact : cost::WindowRule::kSameDirection;
  policy.vector_rounding = coin() ? cost::VectorRounding::kTotal : cost::VectorRounding::kPerTile;
  return policy;
}

void ForEachCase(std::uint64_t seed, int cases, const std::function<void(const Case&, Rng&)>& law) {
  const char* scale = std::getenv("SLUICE_PROPERTY_CASES");
  const int scaled = scale == nullptr ? cases : static_cast<int>(cases * std::atof(scale));
  for (int i = 0; i < scaled; ++i) {
    Rng rng = Rng(seed).Split(static_cast<std::uint64_t>(i));
    Case c;
    c.workload = RandomWorkload(rng);
    c.chain = RandomChain(rng);
    c.mapping = RandomMapping(c.workload, c.chain, rng, rng.Below(2) == 0);
    c.policy = RandomPolicy(rng);
    law(c, rng);
    if (::testing::Test::HasFailure()) {
      ADD_FAILURE() << "seed " << seed << " case " << i << "\n"
                    << Describe(c.workload, c.chain, c.mapping, c.policy);
      return;
    }
  }
}

TEST(CostLaws, EveryPointIsExecutedOnce) {
  ForEachCase(11, 1000,
              [](const Case& c, Rng&) { EXPECT_EQ(c.Full().operations, c.workload.points()); });
}

TEST(CostLaws, OutermostTrafficIsAtLeastCompulsory) {
  ForEachCase(12, 1000, [](const Case& c, Rng&) {
    const cost::Cost cost = c.Full();
    Case touched = c;
    touched.policy.gap_words = false;
    const cost::Cost compulsory = touched.Full();
    for (std::size_t t = 0; t < c.workload.tensors.size(); ++t) {
      const cost::TensorTraffic& traffic = cost.level[0].tensors[t];
      const std::int64_t moved = c.workload.tensors[t].is_output ? traffic.updates : traffic.reads;
      EXPECT_LE(traffic.tile_words, c.workload.footprint(t));
      EXPECT_GE(moved, compulsory.level[0].tensors[t].tile_words) << c.workload.tensor_names[t];
    }
  });
}

TEST(CostLaws, CyclesAreAtLeastOperationsAtPeakRate) {
  ForEachCase(13, 1000, [](const Case& c, Rng&) {
    const cost::Cost cost = c.Full();
    EXPECT_GE(cost.compute_cycles, 1);
    EXPECT_GE(cost.score.cycles, static_cast<double>(cost.compute_cycles));
    EXPECT_GT(cost.utilization, 0.0);
    EXPECT_LE(cost.utilization, 1.0 + 1e-12);
    EXPECT_LE(cost.instances_used, c.chain.compute_instances());
    EXPECT_GE(cost.compute_cycles * cost.instances_used,
              cost.compute_cycles > 1 ? cost.instances_used : 1);
    for (const ir::Work& work : c.workload.body) {
      for (const arch::ComputeClass& unit : c.chain.compute.classes) {
        if (unit.work_class == work.work_class) {
          const double peak =
              unit.operations_per_cycle * static_cast<double>(c.chain.compute_instances());
          EXPECT_GE(cost.score.cycles * peak * (1 + 1e-12),
                    static_cast<double>(cost.operations * work.per_point));
        }
      }
    }
  });
}

TEST(CostLaws, TheBindingResourceTakesAllCycles) {
  ForEachCase(24, 1000, [](const Case& c, Rng&) {
    const cost::Cost cost = c.Full();
    double slowest = static_cast<double>(cost.compute_cycles);
    for (std::size_t l = 0; l < c.mapping.levels.size(); ++l) {
      const cost::LevelCost& level = cost.level[l];
      slowest = std::max({slowest, level.read_cycles, level.write_cycles, level.network_cycles});
    }
    EXPECT_EQ(cost.score.cycles, slowest);
    double bound = static_cast<double>(cost.compute_cycles);
    if (cost.binding.resource != cost::Resource::kCompute) {
      ASSERT_GE(cost.binding.level, 0);
      const cost::LevelCost& level = cost.level[static_cast<std::size_t>(cost.binding.level)];
      bound = cost.binding.resource == cost::Resource::kRead    ? level.read_cycles
              : cost.binding.resource == cost::Resource::kWrite ? level.write_cycles
                                                                : level.network_cycles;
      EXPECT_GT(bound, static_cast<double>(cost.compute_cycles)) << "a tie is bound by compute";
    }
    EXPECT_EQ(bound, cost.score.cycles);
  });
}

TEST(CostLaws, ShortAnswerEqualsLongAnswerBitForBit) {
  ForEachCase(14, 3000, [](const Case& c, Rng&) {
    const cost::Evaluator evaluator = c.MakeEvaluator();
    const cost::Score score = evaluator.Evaluate(c.mapping);
    const cost::Cost cost = evaluator.EvaluateFull(c.mapping);
    EXPECT_EQ(score.energy_pj, cost.score.energy_pj);
    EXPECT_EQ(score.cycles, cost.score.cycles);
  });
}

TEST(CostLaws, EnergyIsTheSumOfItsParts) {
  ForEachCase(15, 1000, [](const Case& c, Rng&) {
    const cost::Cost cost = c.Full();
    double sum = cost.compute_energy_pj + cost.leakage_pj;
    for (std::size_t l = 0; l < c.mapping.levels.size(); ++l) {
      for (std::size_t t = 0; t < c.workload.tensors.size(); ++t) {
        sum += cost.level[l].tensors[t].energy_pj + cost.level[l].tensors[t].network_energy_pj;
      }
    }
    EXPECT_NEAR(sum, cost.score.energy_pj, 1e-9 * sum);
  });
}

TEST(CostLaws, DoublingEveryEnergyDoublesTheEnergy) {
  ForEachCase(16, 1000, [](const Case& c, Rng&) {
    Case doubled = c;
    for (arch::Level& level : doubled.chain.levels) {
      for (double* pj : {&level.memory.read_pj, &level.memory.fill_pj, &level.memory.update_pj,
                         &level.memory.leakage_pj_per_cycle, &level.fan_out.network.hop_pj,
                         &level.fan_out.network.router_pj, &level.fan_out.network.reduction_pj}) {
        *pj *= 2;
      }
    }
    doubled.chain.compute.leakage_pj_per_cycle *= 2;
    for (arch::ComputeClass& unit : doubled.chain.compute.classes) {
      unit.pj_per_operation *= 2;
    }
    const cost::Score once = c.MakeEvaluator().Evaluate(c.mapping);
    const cost::Score twice = doubled.MakeEvaluator().Evaluate(c.mapping);
    EXPECT_EQ(twice.energy_pj, 2 * once.energy_pj);
    EXPECT_EQ(twice.cycles, once.cycles);
  });
}

TEST(CostLaws, MoreBandwidthIsNeverSlower) {
  ForEachCase(17, 1000, [](const Case& c, Rng& rng) {
    Case wider = c;
    for (arch::Level& level : wider.chain.levels) {
      for (std::optional<double>* bandwidth :
           {&level.memory.read_bandwidth, &level.memory.write_bandwidth,
            &level.fan_out.network.bandwidth}) {
        if (*bandwidth && rng.Below(2) == 0) {
          **bandwidth *= 1 + rng.Uniform();
        } else if (rng.Below(8) == 0) {
          bandwidth->reset();
        }
      }
    }
    const cost::Cost before = c.Full();
    const cost::Cost after = wider.Full();
    EXPECT_LE(after.score.cycles, before.score.cycles);
    EXPECT_EQ(after.compute_cycles, before.compute_cycles);
    EXPECT_LE(after.score.energy_pj, before.score.energy_pj);  // less leakage, else equal
  });
}

/// The same nest with dims renumbered by `order` (new index of each dim) and names changed.
Case PermuteDims(const Case& c, const std::vector<std::size_t>& order) {
  Case result = c;
  result.workload = testing::PermuteDims(c.workload, order);
  for (std::size_t d = 0; d < order.size(); ++d) {
    result.workload.dim_names[order[d]] = "dim" + std::to_string(d);
  }
  for (mapping::LevelMapping& level : result.mapping.levels) {
    for (mapping::LoopList* loops : {&level.temporal, &level.spatial_x, &level.spatial_y}) {
      for (mapping::Loop& loop : *loops) {
        loop.dim = static_cast<std::int32_t>(order[static_cast<std::size_t>(loop.dim)]);
      }
    }
  }
  return result;
}

TEST(CostLaws, NumberingOfDimsDoesNotMatter) {
  ForEachCase(18, 1000, [](const Case& c, Rng& rng) {
    const Case permuted = PermuteDims(c, testing::RandomOrder(c.workload.bounds.size(), rng));
    const cost::Score a = c.MakeEvaluator().Evaluate(c.mapping);
    const cost::Score b = permuted.MakeEvaluator().Evaluate(permuted.mapping);
    EXPECT_EQ(a.energy_pj, b.energy_pj);
    EXPECT_EQ(a.cycles, b.cycles);
  });
}

TEST(CostLaws, NumberingOfReadTensorsDoesNotMatter) {
  ForEachCase(19, 1000, [](const Case& c, Rng&) {
    if (c.workload.tensors.size() < 3) {
      return;
    }
    Case swapped = c;
    std::swap(swapped.workload.tensors[0], swapped.workload.tensors[1]);
    std::swap(swapped.workload.tensor_names[0], swapped.workload.tensor_names[1]);
    for (mapping::LevelMapping& level : swapped.mapping.levels) {
      const std::uint32_t keep = level.keep;
      level.keep = (keep & ~3U) | ((keep & 1U) << 1U) | ((keep >> 1U) & 1U);
    }
    const cost::Cost a = c.Full();
    const cost::Cost b = swapped.Full();
    EXPECT_NEAR(a.score.energy_pj, b.score.energy_pj, 1e-12 * a.score.energy_pj);
    EXPECT_EQ(a.score.cycles, b.score.cycles);
    for (std::size_t l = 0; l < c.mapping.levels.size(); ++l) {
      EXPECT_EQ(a.level[l].tensors[0].reads, b.level[l].tensors[1].reads);
      EXPECT_EQ(a.level[l].tensors[1].fills, b.level[l].tensors[0].fills);
    }
  });
}

TEST(CostLaws, SkippedWordsMulticastAndElisionOnlySave) {
  ForEachCase(20, 1000, [](const Case& c, Rng&) {
    Case saving = c;
    saving.policy.vector_rounding = cost::VectorRounding::kTotal;
    saving.policy.first_read_elision = true;
    saving.policy.multicast = true;
    saving.policy.neighbour_forwarding =
        false;  // a group that forgets can read more than its parts
    Case plain = saving;
    plain.policy.first_read_elision = false;
    EXPECT_LE(saving.Full().score.energy_pj, plain.Full().score.energy_pj * (1 + 1e-12));
    plain = saving;
    plain.policy.multicast = false;
    const cost::Cost with = saving.Full();
    const cost::Cost without = plain.Full();
    for (std::size_t l = 0; l < c.mapping.levels.size(); ++l) {
      for (std::size_t t = 0; t < c.workload.tensors.size(); ++t) {
        EXPECT_LE(with.level[l].tensors[t].reads, without.level[l].tensors[t].reads);
        EXPECT_LE(with.level[l].tensors[t].updates, without.level[l].tensors[t].updates);
        EXPECT_LE(with.level[l].tensors[t].fills, without.level[l].tensors[t].fills);
      }
    }
  });
}

TEST(CostLaws, ExactWindowNeverMovesMoreThanSameDirection) {
  ForEachCase(21, 1000, [](const Case& c, Rng&) {
    Case exact = c;
    exact.policy.window = cost::WindowRule::kExact;
    Case timeloop = c;
    timeloop.policy.window = cost::WindowRule::kSameDirection;
    const cost::Cost a = exact.Full();
    const cost::Cost b = timeloop.Full();
    for (std::size_t l = 0; l < c.mapping.levels.size(); ++l) {
      for (std::size_t t = 0; t + 1 < c.workload.tensors.size(); ++t) {
        EXPECT_LE(a.level[l].tensors[t].fills, b.level[l].tensors[t].fills);
      }
    }
  });
}

/// Damages a mapping in one place, or not at all.
void Corrupt(mapping::Mapping& mapping, const mapping::Workload& workload, Rng& rng) {
  if (mapping.levels.empty() || rng.Below(4) == 0) {
    return;
  }
  mapping::LevelMapping& level =
      mapping.levels[rng.Below(static_cast<std::uint32_t>(mapping.levels.size()))];
  const std::uint32_t kind = rng.Below(8);
  if (kind == 0) {
    level.keep ^= 1U << rng.Below(static_cast<std::uint32_t>(workload.tensors.size()));
    return;
  }
  if (kind == 1) {
    mapping.levels.push_back({});
    return;
  }
  mapping::LoopList* lists[] = {&level.temporal, &level.spatial_x, &level.spatial_y};
  mapping::LoopList& loops = *lists[rng.Below(3)];
  if (loops.empty() || kind == 2) {
    const auto dim = rng.Between(-1, static_cast<std::int64_t>(workload.bounds.size()));
    if (!loops.full()) {
      loops.push_back(mapping::PerfectLoop(static_cast<int>(dim), rng.Between(1, 3)));
    }
    return;
  }
  mapping::Loop& loop = loops[rng.Below(static_cast<std::uint32_t>(loops.size()))];
  if (kind == 3) {
    loop.bound += static_cast<std::int32_t>(rng.Between(-2, 2));
  } else if (kind == 4) {
    loop.last += static_cast<std::int32_t>(rng.Between(-2, 2));
  } else if (kind == 5) {
    loop.dim =
        static_cast<std::int32_t>(rng.Below(static_cast<std::uint32_t>(workload.bounds.size())));
  } else if (kind == 6) {
    std::swap(level.spatial_x, level.spatial_y);
  } else {
    std::swap(level.temporal, level.spatial_x);
  }
}

TEST(CostLaws, FastValidityAgreesWithExplainedValidity) {
  int valid = 0;
  int invalid = 0;
  ForEachCase(22, 6000, [&](const Case& c, Rng& rng) {
    mapping::Mapping mapping = c.mapping;
    Corrupt(mapping, c.workload, rng);
    const auto violations = mapping::CheckMapping(c.workload, c.chain, mapping);
    EXPECT_EQ(c.MakeEvaluator().IsValid(mapping), violations.empty())
        << (violations.empty() ? "explained check finds nothing" : violations.front().message)
        << "\ncorrupted:\n"
        << Describe(c.workload, c.chain, mapping, c.policy);
    ++(violations.empty() ? valid : invalid);
  });
  EXPECT_GT(valid, 100);
  EXPECT_GT(invalid, 100);
}

TEST(CostLaws, LowerBoundIsBelowEveryValidMapping) {
  int valid = 0;
  ForEachCase(23, 3000, [&](const Case& c, Rng&) {
    const cost::Evaluator evaluator = c.MakeEvaluator();
    if (!evaluator.IsValid(c.mapping)) {
      return;
    }
    ++valid;
    const cost::Score bound = cost::LowerBound(evaluator);
    const cost::Score score = evaluator.Evaluate(c.mapping);
    EXPECT_LE(bound.energy_pj, score.energy_pj * (1 + 1e-12));
    EXPECT_LE(bound.cycles, score.cycles);
  });
  EXPECT_GT(valid, 100);
}

}  // namespace
}  // namespace sluice::testing
