// Laws of the map space and of searches in it, over random workloads and machines.

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/rng.h"
#include "cost/evaluator.h"
#include "mapper/annealing.h"
#include "mapper/mapspace.h"
#include "mapper/random.h"
#include "mapper/walk/walker.h"
#include "testing/generators.h"
#include "testing/nests.h"

namespace sluice::mapper {
namespace {

struct Case {
  mapping::Workload workload;
  arch::Chain chain;
  bool imperfect = false;

  [[nodiscard]] std::string Text(const mapping::Mapping& mapping) const {
    return testing::Describe(workload, chain, mapping, cost::PhysicalPolicy());
  }
};

Case MakeCase(std::uint64_t number, Rng& rng) {
  rng = Rng(20240611).Split(number);
  Case c;
  c.workload = testing::RandomWorkload(rng);
  c.chain = testing::RandomChain(rng);
  c.imperfect = rng.Below(2) == 0;
  return c;
}

bool OnlyCapacity(const std::vector<mapping::Violation>& violations) {
  for (const mapping::Violation& v : violations) {
    if (v.code != ErrorCode::kMappingCapacity) {
      return false;
    }
  }
  return true;
}

constexpr std::uint64_t kCases = 400;

TEST(MapspaceProperty, PointsAreValidMappings) {
  int feasible = 0;
  for (std::uint64_t i = 0; i < kCases; ++i) {
    Rng rng(0);
    const Case c = MakeCase(i, rng);
    const Mapspace space(c.workload, c.chain, c.imperfect);
    const bool empty = !space.Infeasible().empty();
    for (int k = 0; k < 10; ++k) {
      Point point = space.Random(rng);
      const auto random = space.ToMapping(point);
      const auto violations = mapping::CheckMapping(c.workload, c.chain, random);
      ASSERT_TRUE(OnlyCapacity(violations)) << violations.front().message << "\n" << c.Text(random);
      ASSERT_EQ(space.Fits(point), violations.empty()) << c.Text(random);
      ASSERT_FALSE(empty && violations.empty()) << "an empty space has a point\n" << c.Text(random);
      if (empty) {
        continue;
      }
      space.Repair(point, rng);
      for (const Point& p : {point, space.Greedy(rng), space.Outermost()}) {
        const auto fitting = space.ToMapping(p);
        const auto reasons = mapping::CheckMapping(c.workload, c.chain, fitting);
        ASSERT_TRUE(reasons.empty()) << reasons.front().message << "\n" << c.Text(fitting);
        ASSERT_TRUE(space.Fits(p));
        ASSERT_EQ(space.ToMapping(space.FromMapping(fitting)), fitting) << c.Text(fitting);
      }
    }
    feasible += empty ? 0 : 1;
  }
  EXPECT_GT(feasible, static_cast<int>(kCases / 4));
}

TEST(MapspaceProperty, InfeasibleSpacesRefuseEveryMapping) {
  int infeasible = 0;
  for (std::uint64_t i = 0; i < kCases; ++i) {
    Rng rng(0);
    Case c = MakeCase(i, rng);
    if (i % 2 == 0) {
      c.chain.levels.back().memory.capacity_words = 1;
      c.chain.levels.back().memory.keep = {arch::Keep::kMust, arch::Keep::kMust, arch::Keep::kMust};
    }
    const Mapspace space(c.workload, c.chain, c.imperfect);
    const auto reasons = space.Infeasible();
    if (reasons.empty()) {
      continue;
    }
    ++infeasible;
    EXPECT_GE(reasons.front().level, 0);
    EXPECT_GE(reasons.front().tensor, 0);
    EXPECT_GT(reasons.front().words_needed, reasons.front().words_available);
    for (int k = 0; k < 20; ++k) {
      const auto mapping = testing::RandomMapping(c.workload, c.chain, rng, c.imperfect);
      ASSERT_FALSE(mapping::CheckMapping(c.workload, c.chain, mapping).empty()) << c.Text(mapping);
    }
  }
  EXPECT_GT(infeasible, static_cast<int>(kCases / 8));
}

TEST(WalkerProperty, MovesStayInTheSpaceAndUndo) {
  std::int64_t moves = 0;
  for (std::uint64_t i = 0; i < kCases; ++i) {
    Rng rng(0);
    const Case c = MakeCase(i, rng);
    const Mapspace space(c.workload, c.chain, c.imperfect);
    Walker walker(space);
    walker.Set(space.Random(rng));
    for (int k = 0; k < 100; ++k) {
      const mapping::Mapping before = walker.mapping();
      if (!walker.Propose(rng)) {
        ASSERT_EQ(walker.mapping(), before);
        ASSERT_EQ(space.ToMapping(walker.point()), before);
        continue;
      }
      ++moves;
      const mapping::Mapping after = walker.mapping();
      const auto violations = mapping::CheckMapping(c.workload, c.chain, after);
      ASSERT_TRUE(OnlyCapacity(violations)) << violations.front().message << "\n"
                                            << c.Text(before) << c.Text(after);
      ASSERT_EQ(walker.Fits(), violations.empty()) << c.Text(after);
      ASSERT_EQ(space.ToMapping(walker.point()), after);
      if (rng.Below(2) == 0) {
        walker.Undo();
        ASSERT_EQ(walker.mapping(), before) << c.Text(after);
        ASSERT_EQ(space.ToMapping(walker.point()), before);
      }
    }
  }
  EXPECT_GT(moves, static_cast<std::int64_t>(20 * kCases));
}

// The walker never reorders the innermost level; this is why it may.
TEST(WalkerProperty, OrderOfTheInnermostLevelCostsNothing) {
  for (std::uint64_t i = 0; i < kCases; ++i) {
    Rng rng(0);
    const Case c = MakeCase(i, rng);
    const auto evaluator = cost::Evaluator::Create(
        c.workload, c.chain, rng.Below(2) == 0 ? cost::PhysicalPolicy() : cost::TimeloopPolicy());
    ASSERT_TRUE(evaluator.has_value()) << evaluator.error().Render();
    mapping::Mapping mapping = testing::RandomMapping(c.workload, c.chain, rng, false);
    const cost::Score before = evaluator->Evaluate(mapping);
    mapping::LoopList& loops = mapping.levels.back().temporal;
    for (std::size_t k = loops.size(); k > 1; --k) {
      std::swap(loops[k - 1], loops[rng.Below(static_cast<std::uint32_t>(k))]);
    }
    const cost::Score after = evaluator->Evaluate(mapping);
    ASSERT_EQ(before.energy_pj, after.energy_pj) << c.Text(mapping);
    ASSERT_EQ(before.cycles, after.cycles) << c.Text(mapping);
  }
}

TEST(MapperProperty, ResultsAreValidScoredRightAndAboveTheirBound) {
  const AnnealingMapper annealing;
  const RandomMapper random;
  for (std::uint64_t i = 0; i < 60; ++i) {
    Rng rng(0);
    const Case c = MakeCase(i, rng);
    const auto evaluator = cost::Evaluator::Create(c.workload, c.chain, cost::PhysicalPolicy());
    ASSERT_TRUE(evaluator.has_value()) << evaluator.error().Render();
    const bool empty = !Mapspace(c.workload, c.chain, c.imperfect).Infeasible().empty();
    for (const Mapper* mapper :
         {static_cast<const Mapper*>(&annealing), static_cast<const Mapper*>(&random)}) {
      Problem problem;
      problem.evaluator = &*evaluator;
      problem.seed = i;
      problem.imperfect = c.imperfect;
      problem.objective = static_cast<cost::Objective>(i % 3);
      Budget budget;
      budget.evaluations = 300;
      const Result result = mapper->Solve(problem, budget);
      ASSERT_EQ(result.best.has_value(), !empty);
      if (empty) {
        EXPECT_EQ(result.stopped, StopReason::kInfeasible);
        EXPECT_FALSE(result.reasons.empty());
        continue;
      }
      EXPECT_LE(result.evaluations, 300);
      EXPECT_GE(result.candidates, result.evaluations);
      ASSERT_TRUE(mapping::CheckMapping(c.workload, c.chain, *result.best).empty());
      const cost::Score score = evaluator->Evaluate(*result.best);
      EXPECT_EQ(score.energy_pj, result.score.energy_pj);
      EXPECT_EQ(score.cycles, result.score.cycles);
      EXPECT_LE(result.bound, score.value(problem.objective) * (1 + 1e-12)) << c.Text(*result.best);
    }
  }
}

/// Every point of a perfect space, by brute force over factors, orders and keeps.
class Enumeration {
 public:
  Enumeration(const Mapspace& space, const cost::Evaluator& evaluator, cost::Objective objective)
      : space_(space), evaluator_(evaluator), objective_(objective), point_(space.Outermost()) {}
  double Best() {
    Dim(0);
    return best_;
  }

 private:
  void Dim(std::size_t d) {
    if (d == space_.dims()) {
      Keeps(0);
      return;
    }
    for (std::size_t s = 0; s < kMaxSlots; ++s) {
      point_.factor[s][d] = 1;
    }
    Factor(d, 0, space_.bound(d));
  }
  void Factor(std::size_t d, std::size_t i, std::int64_t rest) {
    if (i == space_.slots(d).size()) {
      if (rest == 1) {
        Dim(d + 1);
      }
      return;
    }
    const std::size_t s = space_.slots(d)[i];
    for (std::int64_t f = 1; f <= rest; ++f) {
      if (rest % f == 0) {
        point_.factor[s][d] = static_cast<std::int32_t>(f);
        if (space_.SlotProduct(point_, s) <= space_.slot_limit(s)) {
          Factor(d, i + 1, rest / f);
        }
      }
    }
    point_.factor[s][d] = 1;
  }
  void Keeps(std::size_t level) {
    if (level == space_.levels()) {
      if (space_.Fits(point_)) {
        Orders(0);
      }
      return;
    }
    const std::uint32_t must = point_.keep[level] & ~space_.free_keeps(level);
    const std::uint32_t free = space_.free_keeps(level);
    for (std::uint32_t sub = free;; sub = (sub - 1) & free) {
      point_.keep[level] = must | sub;
      Keeps(level + 1);
      if (sub == 0) {
        break;
      }
    }
  }
  void Orders(std::size_t level) {
    if (level + 1 >= space_.levels()) {
      best_ = std::min(best_, evaluator_.Evaluate(space_.ToMapping(point_)).value(objective_));
      return;
    }
    auto& order = point_.order[level];
    const auto end = order.begin() + static_cast<std::ptrdiff_t>(space_.dims());
    std::sort(order.begin(), end);
    do {
      Orders(level + 1);
    } while (std::next_permutation(order.begin(), end));
  }

  const Mapspace& space_;
  const cost::Evaluator& evaluator_;
  cost::Objective objective_;
  Point point_;
  double best_ = std::numeric_limits<double>::infinity();
};

TEST(MapperProperty, AnnealingFindsTheOptimumOfSmallSpaces) {
  const auto gemm = testing::MakeNest({{"M", 4}, {"N", 3}, {"K", 4}},
                                      {{"A", {"M", "K"}}, {"B", {"K", "N"}}, {"C", {"M", "N"}}});
  const auto conv = testing::MakeNest({{"K", 4}, {"P", 6}, {"R", 3}},
                                      {{"W", {"K", "R"}}, {"I", {"P+R"}}, {"O", {"K", "P"}}});
  for (std::uint64_t i = 0; i < 8; ++i) {
    Rng rng = Rng(77).Split(i);
    const mapping::Workload& workload = i % 2 == 0 ? gemm : conv;
    arch::Chain chain;
    do {
      chain = testing::RandomChain(rng);
    } while (chain.levels.size() != 2 || chain.compute_instances() == 1);
    chain.levels[1].memory.capacity_words = 8 + rng.Below(20);
    const auto evaluator = cost::Evaluator::Create(workload, chain, cost::PhysicalPolicy());
    ASSERT_TRUE(evaluator.has_value()) << evaluator.error().Render();
    const Mapspace space(workload, chain, false);
    if (!space.Infeasible().empty()) {
      continue;
    }
    for (const auto objective :
         {cost::Objective::kEnergy, cost::Objective::kLatency, cost::Objective::kEdp}) {
      Problem problem;
      problem.evaluator = &*evaluator;
      problem.objective = objective;
      Budget budget;
      budget.evaluations = 30'000;
      const Result result = AnnealingMapper().Solve(problem, budget);
      const double optimum = Enumeration(space, *evaluator, objective).Best();
      ASSERT_TRUE(result.best.has_value());
      EXPECT_NEAR(result.score.value(objective) / optimum, 1.0, 1e-12)
          << cost::ObjectiveName(objective) << "\n"
          << testing::Describe(workload, chain, *result.best, cost::PhysicalPolicy());
    }
  }
}

}  // namespace
}  // namespace sluice::mapper
