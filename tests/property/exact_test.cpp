// The exact mapper against complete enumeration with the evaluator: equal objective on every
// problem, from no incumbent at all, so that every bound has to be right. Also the laws of optima.
// SLUICE_PROPERTY_CASES multiplies the number of cases.

#include "mapper/exact/exact.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/rng.h"
#include "cost/cost.h"
#include "cost/evaluator.h"
#include "mapper/exact/search/guard.h"
#include "mapper/mapper.h"
#include "mapping/constraints.h"
#include "mapping/mapping.h"
#include "testing/enumerate.h"
#include "testing/nests.h"
#include "testing/small_case.h"

namespace sluice::mapper {
namespace {

constexpr std::array kObjectives = {cost::Objective::kEnergy, cost::Objective::kLatency,
                                    cost::Objective::kEdp};
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::int64_t kMostMappings = 20'000;

using Case = testing::SmallCase;

Case MakeCase(std::uint64_t number) {
  return testing::MakeSmallCase(77, number, 56);
}

bool Same(double a, double b) {
  return a == b || std::abs(a - b) <= 1e-8 * std::abs(b);
}

/// Which rule of the search loses the known optimum; empty if none does.
std::string LossOf(const cost::Evaluator& evaluator, cost::Objective objective,
                   const mapping::Mapping& known,
                   const mapping::Constraints* constraints = nullptr) {
  Problem problem;
  problem.evaluator = &evaluator;
  problem.objective = objective;
  problem.constraints = constraints;
  return exact::LostBy(problem, known).value_or("");
}

Result SolveExactly(const cost::Evaluator& evaluator, cost::Objective objective,
                    const mapping::Constraints* constraints = nullptr) {
  Problem problem;
  problem.evaluator = &evaluator;
  problem.objective = objective;
  problem.constraints = constraints;
  return ExactMapper(false).Solve(problem, Budget{});
}

struct Optima {
  std::array<double, 3> value = {kInfinity, kInfinity, kInfinity};
  std::array<mapping::Mapping, 3> best;
  double least_energy_at_best_latency = kInfinity;
  std::int64_t mappings = 0;  ///< -1: too many
};

Optima Enumerate(const Case& c, const cost::Evaluator& evaluator,
                 const mapping::Constraints* constraints) {
  Optima optima;
  optima.mappings = testing::ForEachMapping(
      c.workload, c.chain, evaluator.compiled().any_network_cost, kMostMappings,
      [&](const mapping::Mapping& mapping) {
        if (constraints != nullptr && !Satisfies(*constraints, c.workload, mapping)) {
          return;
        }
        const cost::Score score = evaluator.Evaluate(mapping);
        if (score.cycles < optima.value[1]) {
          optima.least_energy_at_best_latency = kInfinity;
        }
        if (score.cycles <= optima.value[1]) {
          optima.least_energy_at_best_latency =
              std::min(optima.least_energy_at_best_latency, score.energy_pj);
        }
        for (std::size_t o = 0; o < kObjectives.size(); ++o) {
          if (score.value(kObjectives[o]) < optima.value[o]) {
            optima.value[o] = score.value(kObjectives[o]);
            optima.best[o] = mapping;
          }
        }
      });
  return optima;
}

TEST(ExactProperty, EqualsCompleteEnumeration) {
  std::uint64_t compared = 0;
  const std::uint64_t wanted = testing::AtLeastOneScaled(2000);
  for (std::uint64_t i = 0; compared < wanted; ++i) {
    const Case c = MakeCase(i);
    const auto evaluator = cost::Evaluator::Create(c.workload, c.chain, c.policy);
    if (!evaluator) {
      continue;
    }
    const Optima optima = Enumerate(c, *evaluator, nullptr);
    if (optima.mappings < 0) {
      continue;
    }
    ++compared;
    for (std::size_t o = 0; o < kObjectives.size(); ++o) {
      const Result result = SolveExactly(*evaluator, kObjectives[o]);
      const std::string text = "case " + std::to_string(i) + ", " +
                               std::string(cost::ObjectiveName(kObjectives[o])) + ", " +
                               std::to_string(optima.mappings) + " mappings\n";
      if (optima.mappings == 0) {
        ASSERT_FALSE(result.best) << text;
        ASSERT_FALSE(result.reasons.empty()) << text;
        continue;
      }
      ASSERT_TRUE(result.best) << text;
      ASSERT_EQ(LossOf(*evaluator, kObjectives[o], optima.best[o]), "") << text;
      const auto detail = [&] {
        return text + testing::Describe(c.workload, c.chain, *result.best, c.policy);
      };
      ASSERT_EQ(result.stopped, StopReason::kProven) << detail();
      ASSERT_TRUE(Same(result.score.value(kObjectives[o]), optima.value[o]))
          << detail() << result.score.value(kObjectives[o]) << " against " << optima.value[o];
      ASSERT_TRUE(mapping::CheckMapping(c.workload, c.chain, *result.best).empty()) << detail();
      const cost::Score again = evaluator->Evaluate(*result.best);
      ASSERT_EQ(again.energy_pj, result.score.energy_pj) << detail();
      ASSERT_EQ(again.cycles, result.score.cycles) << detail();
      ASSERT_LE(result.bound, optima.value[o]) << detail();
      if (kObjectives[o] == cost::Objective::kLatency) {
        ASSERT_TRUE(Same(result.score.energy_pj, optima.least_energy_at_best_latency)) << detail();
      }
    }
  }
}

/// Constraints that some mapping satisfies: a random part of what that mapping does.
mapping::Constraints ConstraintsFrom(const mapping::Mapping& mapping, std::size_t tensors,
                                     Rng& rng) {
  mapping::Constraints constraints;
  constraints.levels.resize(mapping.levels.size());
  for (std::size_t l = 0; l < mapping.levels.size(); ++l) {
    auto& level = constraints.levels[l];
    level = {};
    const std::array loops = {&mapping.levels[l].temporal, &mapping.levels[l].spatial_x,
                              &mapping.levels[l].spatial_y};
    for (std::size_t kind = 0; kind < loops.size(); ++kind) {
      for (const mapping::Loop& loop : *loops[kind]) {
        const auto d = static_cast<std::size_t>(loop.dim);
        if (rng.Below(3) == 0) {
          level.loops[kind].max[d] = loop.bound;
        }
        if (rng.Below(3) == 0) {
          level.loops[kind].min[d] = loop.bound;
        }
      }
    }
    const auto& temporal = mapping.levels[l].temporal;
    // No rules of order for the innermost level: the enumeration has one order there.
    const bool ordered = l + 1 < mapping.levels.size() && !temporal.empty();
    if (ordered && rng.Below(3) == 0) {
      level.innermost.push_back(static_cast<std::uint8_t>(temporal.back().dim));
    } else if (ordered && rng.Below(3) == 0) {
      level.outermost.push_back(static_cast<std::uint8_t>(temporal[0].dim));
    }
    for (std::size_t t = 0; t < tensors; ++t) {
      const std::uint32_t bit = 1U << t;
      if (rng.Below(4) == 0) {
        ((mapping.levels[l].keep & bit) != 0 ? level.must_keep : level.never_keep) |= bit;
      }
    }
  }
  return constraints;
}

TEST(ExactProperty, EqualsEnumerationUnderConstraints) {
  std::uint64_t compared = 0;
  const std::uint64_t wanted = testing::AtLeastOneScaled(300);
  for (std::uint64_t i = 100'000; compared < wanted; ++i) {
    const Case c = MakeCase(i);
    const auto evaluator = cost::Evaluator::Create(c.workload, c.chain, c.policy);
    if (!evaluator) {
      continue;
    }
    Rng rng = Rng(5).Split(i);
    std::vector<mapping::Mapping> some;
    const std::int64_t count =
        testing::ForEachMapping(c.workload, c.chain, evaluator->compiled().any_network_cost,
                                kMostMappings, [&](const mapping::Mapping& mapping) {
                                  if (rng.Below(200) == 0) {
                                    some.push_back(mapping);
                                  }
                                });
    if (count < 0 || some.empty()) {
      continue;
    }
    const mapping::Constraints constraints = ConstraintsFrom(
        some[rng.Below(static_cast<std::uint32_t>(some.size()))], c.workload.tensors.size(), rng);
    ++compared;
    const Optima optima = Enumerate(c, *evaluator, &constraints);
    for (std::size_t o = 0; o < kObjectives.size(); ++o) {
      const Result result = SolveExactly(*evaluator, kObjectives[o], &constraints);
      ASSERT_TRUE(result.best) << i;
      ASSERT_EQ(LossOf(*evaluator, kObjectives[o], optima.best[o], &constraints), "") << i;
      ASSERT_EQ(result.stopped, StopReason::kProven) << i;
      ASSERT_TRUE(Satisfies(constraints, c.workload, *result.best)) << i;
      ASSERT_TRUE(Same(result.score.value(kObjectives[o]), optima.value[o]))
          << i << ": " << result.score.value(kObjectives[o]) << " against " << optima.value[o];
    }
  }
}

// The guard itself: a rule that takes away a factor of the optimum loses it, and the guard says
// where.
TEST(ExactProperty, TheGuardNamesTheLevelThatLosesAMapping) {
  std::uint64_t compared = 0;
  const std::uint64_t wanted = testing::AtLeastOneScaled(50);
  for (std::uint64_t i = 400'000; compared < wanted; ++i) {
    const Case c = MakeCase(i);
    const auto evaluator = cost::Evaluator::Create(c.workload, c.chain, c.policy);
    if (!evaluator || c.chain.levels.size() < 2) {
      continue;
    }
    const Optima optima = Enumerate(c, *evaluator, nullptr);
    if (optima.mappings <= 0 || optima.best[0].levels[0].temporal.empty()) {
      continue;
    }
    ++compared;
    const mapping::Loop loop = optima.best[0].levels[0].temporal[0];
    mapping::Constraints forbidding;
    forbidding.levels.resize(c.chain.levels.size());
    forbidding.levels[0].loops[0].max[static_cast<std::size_t>(loop.dim)] = loop.bound - 1;
    const std::string loss =
        LossOf(*evaluator, cost::Objective::kEnergy, optima.best[0], &forbidding);
    ASSERT_NE(loss.find("of level 1"), std::string::npos) << i << ": " << loss;
  }
}

TEST(ExactProperty, TheFrontEqualsEnumeration) {
  std::uint64_t compared = 0;
  const std::uint64_t wanted = testing::AtLeastOneScaled(150);
  for (std::uint64_t i = 200'000; compared < wanted; ++i) {
    const Case c = MakeCase(i);
    const auto evaluator = cost::Evaluator::Create(c.workload, c.chain, c.policy);
    if (!evaluator) {
      continue;
    }
    std::vector<cost::Score> front;
    const std::int64_t count = testing::ForEachMapping(
        c.workload, c.chain, evaluator->compiled().any_network_cost, kMostMappings,
        [&](const mapping::Mapping& mapping) {
          const cost::Score score = evaluator->Evaluate(mapping);
          for (const cost::Score& p : front) {
            if (p.energy_pj <= score.energy_pj * (1 + 1e-9) && p.cycles <= score.cycles) {
              return;
            }
          }
          std::erase_if(front, [&score](const cost::Score& p) {
            return score.energy_pj <= p.energy_pj * (1 + 1e-9) && score.cycles <= p.cycles;
          });
          front.push_back(score);
        });
    if (count <= 0) {
      continue;
    }
    ++compared;
    Problem problem;
    problem.evaluator = &*evaluator;
    const ExactMapper::Front found = ExactMapper().SolveFront(problem, Budget{});
    ASSERT_TRUE(found.complete) << i;
    ASSERT_EQ(found.points.size(), front.size()) << i;
    std::ranges::sort(front, {}, &cost::Score::energy_pj);
    for (std::size_t k = 0; k < front.size(); ++k) {
      ASSERT_TRUE(Same(found.points[k].score.energy_pj, front[k].energy_pj)) << i;
      ASSERT_EQ(found.points[k].score.cycles, front[k].cycles) << i;
    }
  }
}

// Whatever the budget: the bound is below the optimum, and what is called proven is the optimum.
TEST(ExactProperty, StoppedEarlyTheBoundHolds) {
  std::uint64_t compared = 0;
  int stopped = 0;
  int tighter = 0;  // than the simple bound
  const std::uint64_t wanted = testing::AtLeastOneScaled(200);
  for (std::uint64_t i = 500'000; compared < wanted; ++i) {
    const Case c = MakeCase(i);
    const auto evaluator = cost::Evaluator::Create(c.workload, c.chain, c.policy);
    if (!evaluator) {
      continue;
    }
    const Optima optima = Enumerate(c, *evaluator, nullptr);
    if (optima.mappings <= 0) {
      continue;
    }
    ++compared;
    for (std::size_t o = 0; o < kObjectives.size(); ++o) {
      Problem problem;
      problem.evaluator = &*evaluator;
      problem.objective = kObjectives[o];
      for (const std::int64_t evaluations : {1, 8, 30, 100, 300}) {
        Budget budget;
        budget.evaluations = evaluations;
        const Result result = ExactMapper(false).Solve(problem, budget);
        ASSERT_TRUE(result.best) << i;
        const double value = result.score.value(kObjectives[o]);
        ASSERT_GE(value, optima.value[o] * (1 - 1e-8)) << i << " after " << evaluations;
        ASSERT_LE(result.bound, optima.value[o] * (1 + 1e-8)) << i << " after " << evaluations;
        if (result.stopped == StopReason::kProven) {
          ASSERT_TRUE(Same(value, optima.value[o])) << i << " after " << evaluations;
          continue;
        }
        ++stopped;
        const double simple = cost::LowerBound(*evaluator).value(kObjectives[o]);
        tighter += result.bound > simple * (1 + 1e-6) ? 1 : 0;
      }
    }
  }
  EXPECT_GT(stopped, static_cast<int>(compared));
  EXPECT_GT(tighter, 0);
}

TEST(ExactProperty, NumberingOfDimsDoesNotMatter) {
  std::uint64_t compared = 0;
  const std::uint64_t wanted = testing::AtLeastOneScaled(200);
  for (std::uint64_t i = 600'000; compared < wanted; ++i) {
    const Case c = MakeCase(i);
    const auto evaluator = cost::Evaluator::Create(c.workload, c.chain, c.policy);
    Rng rng = Rng(6).Split(i);
    const mapping::Workload workload =
        testing::PermuteDims(c.workload, testing::RandomOrder(c.workload.bounds.size(), rng));
    const auto permuted = cost::Evaluator::Create(workload, c.chain, c.policy);
    ASSERT_EQ(evaluator.has_value(), permuted.has_value()) << i;
    if (!evaluator) {
      continue;
    }
    for (const cost::Objective objective : kObjectives) {
      const Result a = SolveExactly(*evaluator, objective);
      const Result b = SolveExactly(*permuted, objective);
      ASSERT_EQ(a.best.has_value(), b.best.has_value()) << i;
      if (a.best) {
        ++compared;
        ASSERT_TRUE(Same(a.score.value(objective), b.score.value(objective))) << i;
      }
    }
  }
}

TEST(ExactProperty, OptimaObeyTheirLaws) {
  std::uint64_t compared = 0;
  const std::uint64_t wanted = testing::AtLeastOneScaled(100);
  for (std::uint64_t i = 300'000; compared < wanted; ++i) {
    Case c = MakeCase(i);
    c.policy = cost::PhysicalPolicy();
    const auto evaluator = cost::Evaluator::Create(c.workload, c.chain, c.policy);
    if (!evaluator || c.chain.levels.size() < 2) {
      continue;
    }
    const Result energy = SolveExactly(*evaluator, cost::Objective::kEnergy);
    if (!energy.best) {
      continue;
    }
    ++compared;
    const Result edp = SolveExactly(*evaluator, cost::Objective::kEdp);
    const Result latency = SolveExactly(*evaluator, cost::Objective::kLatency);
    EXPECT_LE(energy.score.energy_pj, edp.score.energy_pj * (1 + 1e-8)) << i;
    EXPECT_LE(latency.score.cycles, edp.score.cycles) << i;
    EXPECT_LE(edp.score.edp(), energy.score.edp() * (1 + 1e-8)) << i;
    // More memory and more bandwidth never hurt.
    Case more = c;
    for (arch::Level& level : more.chain.levels) {
      if (level.memory.capacity_words) {
        *level.memory.capacity_words *= 2;
      }
      if (level.memory.read_bandwidth) {
        *level.memory.read_bandwidth *= 2;
      }
    }
    const auto larger = cost::Evaluator::Create(more.workload, more.chain, more.policy);
    ASSERT_TRUE(larger);
    EXPECT_LE(SolveExactly(*larger, cost::Objective::kEdp).score.edp(),
              edp.score.edp() * (1 + 1e-8))
        << i;
  }
}

}  // namespace
}  // namespace sluice::mapper
