// The bound for imperfect mappings against complete enumeration with the evaluator: never above the
// optimum over every ragged mapping, whatever the incumbent; and what the exact mapper says of
// imperfect problems. SLUICE_PROPERTY_CASES multiplies the number of cases.

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "cost/cost.h"
#include "cost/evaluator.h"
#include "mapper/exact/exact.h"
#include "mapper/exact/goal.h"
#include "mapper/exact/model/model.h"
#include "mapper/exact/ragged/bound.h"
#include "mapper/mapper.h"
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
constexpr double kRounding = 1e-8;

struct Optimum {
  double value = kInfinity;
  mapping::Mapping mapping;
};

struct Optima {
  std::array<Optimum, 3> of;
  std::int64_t mappings = 0;  ///< -1: too many
};

Optima Enumerate(const testing::SmallCase& c, const cost::Evaluator& evaluator) {
  Optima optima;
  optima.mappings =
      testing::ForEachImperfectMapping(c.workload, c.chain, evaluator.compiled().any_network_cost,
                                       kMostMappings, [&](const mapping::Mapping& mapping) {
                                         const cost::Score score = evaluator.Evaluate(mapping);
                                         for (std::size_t o = 0; o < kObjectives.size(); ++o) {
                                           const double value = score.value(kObjectives[o]);
                                           if (value < optima.of[o].value) {
                                             optima.of[o] = {value, mapping};
                                           }
                                         }
                                       });
  return optima;
}

/// Of the next case with few mappings, and one at least.
std::optional<Optima> NextOptima(testing::SmallCases& cases) {
  while (cases.Next()) {
    const Optima optima = Enumerate(cases.here(), cases.evaluator());
    if (optima.mappings > 0) {
      return optima;
    }
    cases.Skip();
  }
  return std::nullopt;
}

/// The number of objectives under which the bound is the optimum; it must never be above.
std::uint64_t CheckBounds(testing::SmallCases& cases, const Optima& optima) {
  std::uint64_t tight = 0;
  const testing::SmallCase& c = cases.here();
  const cost::Evaluator& evaluator = cases.evaluator();
  const exact::Model model(evaluator, nullptr);
  const cost::Score least = cost::LowerBound(evaluator);
  for (std::size_t o = 0; o < kObjectives.size(); ++o) {
    const auto detail = [&] {
      return "case " + std::to_string(cases.number()) + ", " +
             std::string(cost::ObjectiveName(kObjectives[o])) + "\n" +
             testing::Describe(c.workload, c.chain, optima.of[o].mapping, c.policy);
    };
    exact::Goal goal(kObjectives[o], model.LeakagePerCycle(), least.cycles);
    goal.Improve(1e3 * optima.of[o].value);
    exact::RaggedBound ragged(model, goal, nullptr);
    ragged.Run([] { return false; }, std::int64_t{1} << 40);
    EXPECT_LE(ragged.bound(), optima.of[o].value * (1 + kRounding)) << detail();
    const double bound = std::max(ragged.bound(), least.value(kObjectives[o]));
    tight += bound >= optima.of[o].value * (1 - kRounding) ? 1 : 0;
  }
  return tight;
}

TEST(RaggedProperty, NeverAboveTheEnumeratedOptimum) {
  std::uint64_t tight = 0;
  testing::SmallCases cases(78, 500'000, 24, 300);
  while (const std::optional<Optima> optima = NextOptima(cases)) {
    tight += CheckBounds(cases, *optima);
    ASSERT_FALSE(HasFailure());
  }
  // A bound that says nothing would pass, too.
  EXPECT_GE(tight, cases.compared() / 2);
}

// 2,508,257: copies of a window that together skip words between them, under a policy that counts
// what a tile skips.
TEST(RaggedProperty, CasesThatFailedOnce) {
  for (const std::uint64_t number : {std::uint64_t{2'508'257}}) {
    testing::SmallCases cases(78, number, 24, 1);
    const std::optional<Optima> optima = NextOptima(cases);
    ASSERT_TRUE(optima);
    CheckBounds(cases, *optima);
  }
}

Result SolveImperfectly(const cost::Evaluator& evaluator, cost::Objective objective,
                        const Budget& budget) {
  Problem problem;
  problem.evaluator = &evaluator;
  problem.objective = objective;
  problem.imperfect = true;
  return ExactMapper(false).Solve(problem, budget);
}

// What the mapper says of imperfect problems: the optimum where it claims one, otherwise something
// between the optimum and its bound.
TEST(RaggedProperty, TheMapperKeepsItsWord) {
  std::uint64_t proven = 0;
  testing::SmallCases cases(79, 600'000, 24, 60);
  while (const std::optional<Optima> optima = NextOptima(cases)) {
    const std::uint64_t i = cases.number();
    const testing::SmallCase& c = cases.here();
    const cost::Evaluator& evaluator = cases.evaluator();
    for (std::size_t o = 0; o < kObjectives.size(); ++o) {
      Budget budget;
      budget.evaluations = 2000;
      const Result result = SolveImperfectly(evaluator, kObjectives[o], budget);
      ASSERT_TRUE(result.best) << i;
      const double value = result.score.value(kObjectives[o]);
      const double optimum = optima->of[o].value;
      EXPECT_GE(value, optimum * (1 - kRounding)) << i;
      EXPECT_LE(result.bound, optimum * (1 + kRounding)) << i;
      EXPECT_TRUE(mapping::CheckMapping(c.workload, c.chain, *result.best).empty()) << i;
      if (result.stopped == StopReason::kProven) {
        ++proven;
        EXPECT_LE(value, optimum * (1 + kRounding)) << i;
      }
    }
  }
  EXPECT_GT(proven, 0U);
}

// Stopped at any moment the bound holds, and more budget never loosens it.
TEST(RaggedProperty, TheGapNeverGrows) {
  testing::SmallCases cases(80, 700'000, 24, 20);
  while (const std::optional<Optima> optima = NextOptima(cases)) {
    const std::uint64_t i = cases.number();
    const cost::Evaluator& evaluator = cases.evaluator();
    const exact::Model model(evaluator, nullptr);
    const cost::Score least = cost::LowerBound(evaluator);
    double before = 0;
    for (int looks = 0; looks < 40; ++looks) {
      exact::Goal goal(cost::Objective::kEdp, model.LeakagePerCycle(), least.cycles);
      goal.Improve(2 * optima->of[2].value);
      exact::RaggedBound ragged(model, goal, nullptr);
      int asked = 0;
      ragged.Run([&] { return asked++ == looks; }, std::int64_t{1} << 40);
      EXPECT_GE(ragged.bound(), before) << i;
      EXPECT_LE(ragged.bound(), optima->of[2].value * (1 + kRounding)) << i;
      before = ragged.bound();
    }
  }
}

}  // namespace
}  // namespace sluice::mapper
