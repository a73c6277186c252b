/// \file
/// Fronts of latency and energy: what is inserted point by point is what a comparison of all pairs
/// gives; what a search returns was priced and is not dominated; totals of layers are what trying
/// all choices gives; and both ends are as good as searches for one objective with the same share
/// of the budget.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include "base/rng.h"
#include "cost/oracle/maestro_oracle.h"
#include "driver/reproduce/dcp_set.h"
#include "mapper/codes/front.h"
#include "mapper/codes/search.h"
#include "mapper/codes/searches.h"

namespace sluice::mapper::codes {
namespace {

FrontPoint Point(double cycles, double energy) {
  FrontPoint point;
  point.cost.cycles = cycles;
  point.cost.energy_outer_pj = energy;
  return point;
}

bool Dominates(const cost::CodeCost& a, const cost::CodeCost& b) {
  return a.cycles <= b.cycles && a.energy_outer_pj <= b.energy_outer_pj &&
         (a.cycles < b.cycles || a.energy_outer_pj < b.energy_outer_pj);
}

TEST(Front, InsertingKeepsWhatNothingDominates) {
  Rng rng(3);
  for (int round = 0; round < 200; ++round) {
    std::vector<FrontPoint> all;
    std::vector<FrontPoint> front;
    for (int i = 0; i < 40; ++i) {
      // Few values, so that ties are common.
      all.push_back(
          Point(static_cast<double>(rng.Between(1, 12)), static_cast<double>(rng.Between(1, 12))));
      InsertIntoFront(front, all.back(), EnergyKind::kOuter);
    }
    for (std::size_t i = 1; i < front.size(); ++i) {
      EXPECT_LT(front[i - 1].cost.cycles, front[i].cost.cycles);
      EXPECT_GT(front[i - 1].cost.energy_outer_pj, front[i].cost.energy_outer_pj);
    }
    for (const FrontPoint& point : all) {
      const bool kept = std::ranges::any_of(front, [&](const FrontPoint& f) {
        return f.cost.cycles == point.cost.cycles &&
               f.cost.energy_outer_pj == point.cost.energy_outer_pj;
      });
      const bool dominated = std::ranges::any_of(
          all, [&](const FrontPoint& other) { return Dominates(other.cost, point.cost); });
      EXPECT_NE(kept, dominated);
    }
  }
}

TEST(Front, TotalsAreTheBestOfAllChoices) {
  Rng rng(5);
  for (int round = 0; round < 50; ++round) {
    std::vector<std::vector<FrontPoint>> fronts(3);
    for (auto& front : fronts) {
      for (int i = 0; i < 6; ++i) {
        InsertIntoFront(front, Point(std::exp(5 * rng.Uniform()), std::exp(5 * rng.Uniform())),
                        EnergyKind::kOuter);
      }
    }
    const std::vector<LayerFront> layers = {{fronts[0], 1}, {fronts[1], 4}, {fronts[2], 2}};
    const auto merged = MergeFronts(layers, EnergyKind::kOuter);
    ASSERT_FALSE(merged.empty());
    for (const NetworkPoint& point : merged) {
      double cycles = 0;
      double energy = 0;
      for (std::size_t l = 0; l < layers.size(); ++l) {
        const auto& chosen = layers[l].points[point.choice[l]].cost;
        cycles += layers[l].count * chosen.cycles;
        energy += layers[l].count * chosen.energy_outer_pj;
      }
      EXPECT_DOUBLE_EQ(cycles, point.cycles);
      EXPECT_DOUBLE_EQ(energy, point.energy_pj);
    }
    for (const FrontPoint& a : fronts[0]) {
      for (const FrontPoint& b : fronts[1]) {
        for (const FrontPoint& c : fronts[2]) {
          const double cycles = a.cost.cycles + 4 * b.cost.cycles + 2 * c.cost.cycles;
          const double energy =
              a.cost.energy_outer_pj + 4 * b.cost.energy_outer_pj + 2 * c.cost.energy_outer_pj;
          constexpr double kThinned = 1.0031;  // three times 0.1 %
          EXPECT_TRUE(std::ranges::any_of(merged, [&](const NetworkPoint& point) {
            return point.cycles <= kThinned * cycles && point.energy_pj <= energy * (1 + 1e-12);
          }));
        }
      }
    }
  }
  EXPECT_TRUE(MergeFronts({}, EnergyKind::kOuter).empty());
  const std::vector<LayerFront> none = {{{}, 1}};
  EXPECT_TRUE(MergeFronts(none, EnergyKind::kOuter).empty());
}

TEST(Front, DominatedShareIsAnArea) {
  const double e = std::exp(1.0);
  const FrontCorner best = {1, 1};
  const FrontCorner worst = {e * e, e * e};
  EXPECT_EQ(DominatedShare({}, best, worst), 0);
  const std::vector<FrontCorner> ideal = {{1, 1}};
  EXPECT_NEAR(DominatedShare(ideal, best, worst), 1, 1e-12);
  const std::vector<FrontCorner> middle = {{e, e}};
  EXPECT_NEAR(DominatedShare(middle, best, worst), 0.25, 1e-12);
  const std::vector<FrontCorner> two = {{e, 1}, {1, e}};
  EXPECT_NEAR(DominatedShare(two, best, worst), 0.75, 1e-12);
  const std::vector<FrontCorner> beyond = {{3 * e * e, 1}};
  EXPECT_EQ(DominatedShare(beyond, best, worst), 0);
}

TEST(Front, ASearchReturnsPricedPointsThatNothingDominates) {
  const auto layer = driver::TwelveLayers()[3].layer;
  const auto oracle = *cost::MakeMaestroOracle(layer, driver::EdgeMachine(32), {});
  for (const CodeSearch* search : AllCodeSearches()) {
    CodeProblem problem;
    problem.oracle = oracle.get();
    problem.samples = 600;
    const auto before = oracle->counters().samples;
    const FrontResult result = SearchFront(*search, problem, 6);
    EXPECT_LE(result.samples, 600) << search->name();
    EXPECT_EQ(oracle->counters().samples - before, result.samples);
    for (std::size_t i = 0; i < result.front.size(); ++i) {
      cost::CodeCost cost;
      ASSERT_TRUE(
          oracle->Evaluate(std::span(&result.front[i].code, 1), std::span(&cost, 1)).has_value());
      EXPECT_TRUE(cost.legal());
      EXPECT_EQ(cost.cycles, result.front[i].cost.cycles);
      EXPECT_EQ(cost.energy_outer_pj, result.front[i].cost.energy_outer_pj);
      if (i > 0) {
        EXPECT_LT(result.front[i - 1].cost.cycles, cost.cycles);
        EXPECT_GT(result.front[i - 1].cost.energy_outer_pj, cost.energy_outer_pj);
      }
    }
    const FrontResult again = SearchFront(*search, problem, 6);
    EXPECT_EQ(again.front.size(), result.front.size());
  }
}

TEST(Front, AnnealingFillsItBetweenTheEnds) {
  const auto layer = driver::TwelveLayers()[4].layer;
  const auto oracle = *cost::MakeMaestroOracle(layer, driver::EdgeMachine(32), {});
  CodeProblem problem;
  problem.oracle = oracle.get();
  problem.samples = 6000;
  const auto annealing = MakeAnnealingSearch({});
  const FrontResult found = SearchFront(*annealing, problem, 6);
  ASSERT_GE(found.front.size(), 4U);
  problem.samples = 1000;
  problem.objective = CodeObjective::kEdp;
  const CodeResult edp = annealing->Run(problem);
  double best = std::numeric_limits<double>::infinity();
  for (const FrontPoint& point : found.front) {
    best = std::min(best, ValueOf(point.cost, CodeObjective::kEdp, EnergyKind::kOuter));
  }
  EXPECT_LT(best, 1.1 * edp.value);
}

}  // namespace
}  // namespace sluice::mapper::codes
