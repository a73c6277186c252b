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

testing::SmallCases Cases(std::uint64_t first, std::uint64_t wanted) {
  return {77, first, 56, wanted};
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

// What enumeration found, the mapper finds, proves and bounds.
void ExpectOptima(const testing::SmallCases& cases, const Optima& optima) {
  const Case& c = cases.here();
  const cost::Evaluator& evaluator = cases.evaluator();
  for (std::size_t o = 0; o < kObjectives.size(); ++o) {
    const Result result = SolveExactly(evaluator, kObjectives[o]);
    const std::string text = "case " + std::to_string(cases.number()) + ", " +
                             std::string(cost::ObjectiveName(kObjectives[o])) + ", " +
                             std::to_string(optima.mappings) + " mappings\n";
    if (optima.mappings == 0) {
      ASSERT_FALSE(result.best) << text;
      ASSERT_FALSE(result.reasons.empty()) << text;
      continue;
    }
    ASSERT_TRUE(result.best) << text;
    ASSERT_EQ(LossOf(evaluator, kObjectives[o], optima.best[o]), "") << text;
    const auto detail = [&] {
      return text + testing::Describe(c.workload, c.chain, *result.best, c.policy);
    };
    ASSERT_EQ(result.stopped, StopReason::kProven) << detail();
    ASSERT_TRUE(Same(result.score.value(kObjectives[o]), optima.value[o]))
        << detail() << result.score.value(kObjectives[o]) << " against " << optima.value[o];
    ASSERT_TRUE(mapping::CheckMapping(c.workload, c.chain, *result.best).empty()) << detail();
    const cost::Score again = evaluator.Evaluate(*result.best);
    ASSERT_EQ(again.energy_pj, result.score.energy_pj) << detail();
    ASSERT_EQ(again.cycles, result.score.cycles) << detail();
    ASSERT_LE(result.bound, optima.value[o]) << detail();
    if (kObjectives[o] == cost::Objective::kLatency) {
      ASSERT_TRUE(Same(result.score.energy_pj, optima.least_energy_at_best_latency)) << detail();
    }
  }
}

TEST(ExactProperty, EqualsCompleteEnumeration) {
  for (testing::SmallCases cases = Cases(0, 2000); cases.Next();) {
    const Optima optima = Enumerate(cases.here(), cases.evaluator(), nullptr);
    if (optima.mappings < 0) {
      cases.Skip();
      continue;
    }
    ASSERT_NO_FATAL_FAILURE(ExpectOptima(cases, optima));
  }
}

// Found among 150,000 others, each lost by a rule that held nearly always: gap words behind
// forwarding neighbours, compulsory words and windows, windows before spatial factors, ports behind
// forwarding neighbours, an operator of one point.
TEST(ExactProperty, EqualsEnumerationWhereItOnceDidNot) {
  for (const std::uint64_t number : {4681U, 7344U, 15'991U, 36'070U, 87'243U}) {
    testing::SmallCases cases(77, number, 56, 1);
    ASSERT_TRUE(cases.Next());
    ASSERT_NO_FATAL_FAILURE(
        ExpectOptima(cases, Enumerate(cases.here(), cases.evaluator(), nullptr)));
  }
}

TEST(ExactProperty, EqualsEnumerationUnderConstraints) {
  for (testing::SmallCases cases = Cases(100'000, 300); cases.Next();) {
    const std::uint64_t i = cases.number();
    const Case& c = cases.here();
    const cost::Evaluator& evaluator = cases.evaluator();
    Rng rng = Rng(5).Split(i);
    std::vector<mapping::Mapping> some;
    const std::int64_t count =
        testing::ForEachMapping(c.workload, c.chain, evaluator.compiled().any_network_cost,
                                kMostMappings, [&](const mapping::Mapping& mapping) {
                                  if (rng.Below(200) == 0) {
                                    some.push_back(mapping);
                                  }
                                });
    if (count < 0 || some.empty()) {
      cases.Skip();
      continue;
    }
    const mapping::Constraints constraints = testing::ConstraintsFrom(
        some[rng.Below(static_cast<std::uint32_t>(some.size()))], c.workload.tensors.size(), rng);
    const Optima optima = Enumerate(c, evaluator, &constraints);
    for (std::size_t o = 0; o < kObjectives.size(); ++o) {
      const Result result = SolveExactly(evaluator, kObjectives[o], &constraints);
      ASSERT_TRUE(result.best) << i;
      ASSERT_EQ(LossOf(evaluator, kObjectives[o], optima.best[o], &constraints), "") << i;
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
  for (testing::SmallCases cases = Cases(400'000, 50); cases.Next();) {
    const std::uint64_t i = cases.number();
    const Case& c = cases.here();
    const cost::Evaluator& evaluator = cases.evaluator();
    if (c.chain.levels.size() < 2) {
      cases.Skip();
      continue;
    }
    const Optima optima = Enumerate(c, evaluator, nullptr);
    if (optima.mappings <= 0 || optima.best[0].levels[0].temporal.empty()) {
      cases.Skip();
      continue;
    }
    const mapping::Loop loop = optima.best[0].levels[0].temporal[0];
    mapping::Constraints forbidding;
    forbidding.levels.resize(c.chain.levels.size());
    forbidding.levels[0].loops[0].max[static_cast<std::size_t>(loop.dim)] = loop.bound - 1;
    const std::string loss =
        LossOf(evaluator, cost::Objective::kEnergy, optima.best[0], &forbidding);
    ASSERT_NE(loss.find("of level 1"), std::string::npos) << i << ": " << loss;
  }
}

TEST(ExactProperty, TheFrontEqualsEnumeration) {
  for (testing::SmallCases cases = Cases(200'000, 150); cases.Next();) {
    const std::uint64_t i = cases.number();
    const Case& c = cases.here();
    const cost::Evaluator& evaluator = cases.evaluator();
    std::vector<cost::Score> front;
    const std::int64_t count = testing::ForEachMapping(
        c.workload, c.chain, evaluator.compiled().any_network_cost, kMostMappings,
        [&](const mapping::Mapping& mapping) {
          const cost::Score score = evaluator.Evaluate(mapping);
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
      cases.Skip();
      continue;
    }
    Problem problem;
    problem.evaluator = &evaluator;
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
  int stopped = 0;
  int tighter = 0;  // than the simple bound
  testing::SmallCases cases = Cases(500'000, 200);
  while (cases.Next()) {
    const std::uint64_t i = cases.number();
    const Case& c = cases.here();
    const cost::Evaluator& evaluator = cases.evaluator();
    const Optima optima = Enumerate(c, evaluator, nullptr);
    if (optima.mappings <= 0) {
      cases.Skip();
      continue;
    }
    for (std::size_t o = 0; o < kObjectives.size(); ++o) {
      Problem problem;
      problem.evaluator = &evaluator;
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
        const double simple = cost::LowerBound(evaluator).value(kObjectives[o]);
        tighter += result.bound > simple * (1 + 1e-6) ? 1 : 0;
      }
    }
  }
  EXPECT_GT(stopped, static_cast<int>(cases.compared()));
  EXPECT_GT(tighter, 0);
}

TEST(ExactProperty, NumberingOfDimsDoesNotMatter) {
  for (testing::SmallCases cases = Cases(600'000, 70); cases.Next();) {
    const std::uint64_t i = cases.number();
    const Case& c = cases.here();
    Rng rng = Rng(6).Split(i);
    const mapping::Workload workload =
        testing::PermuteDims(c.workload, testing::RandomOrder(c.workload.bounds.size(), rng));
    const auto permuted = cost::Evaluator::Create(workload, c.chain, c.policy);
    ASSERT_TRUE(permuted) << i;
    for (const cost::Objective objective : kObjectives) {
      const Result a = SolveExactly(cases.evaluator(), objective);
      const Result b = SolveExactly(*permuted, objective);
      ASSERT_EQ(a.best.has_value(), b.best.has_value()) << i;
      if (a.best) {
        ASSERT_TRUE(Same(a.score.value(objective), b.score.value(objective))) << i;
      }
    }
  }
}

TEST(ExactProperty, OptimaObeyTheirLaws) {
  for (testing::SmallCases cases = Cases(300'000, 100); cases.Next();) {
    const std::uint64_t i = cases.number();
    Case c = cases.here();
    c.policy = cost::PhysicalPolicy();
    const auto evaluator = cost::Evaluator::Create(c.workload, c.chain, c.policy);
    if (!evaluator || c.chain.levels.size() < 2) {
      cases.Skip();
      continue;
    }
    const Result energy = SolveExactly(*evaluator, cost::Objective::kEnergy);
    if (!energy.best) {
      cases.Skip();
      continue;
    }
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
