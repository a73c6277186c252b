// What callers may do from several threads: mappers on one problem, whole plans side by side, a
// progress callback without a lock, a stop from outside. Also run under ThreadSanitizer
// (tools/tsan.sh).

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "arch/architecture.h"
#include "base/parallel.h"
#include "cost/evaluator.h"
#include "driver/driver.h"
#include "ir/network.h"
#include "mapper/mapper.h"
#include "mapping/workload.h"
#include "planner/layerwise.h"
#include "planner/plan.h"

namespace sluice {
namespace {

driver::SearchPaths Shipped() {
  return {{SLUICE_SOURCE_DIR}};
}

cost::Evaluator SmallConvolution() {
  const auto machine = driver::LoadArchitecture(Shipped(), "three-level").value();
  const ir::Network network =
      ir::ParseOperatorDescriptor("conv K=16 C=8 P=14 Q=14 R=3 S=3").value();
  const ir::Operator& op = network.operators.at(0);
  return cost::Evaluator::Create(mapping::MakeWorkload(op, network).value(),
                                 arch::ChainFor(machine.architecture, op.body).value(),
                                 cost::PhysicalPolicy())
      .value();
}

driver::SearchRequest Quick(int threads) {
  driver::SearchRequest request;
  request.threads = threads;
  request.budget_evaluations = 200;
  return request;
}

driver::PlanOutcome PlanAlexnet(const driver::SearchRequest& request) {
  driver::ModelRequest model;
  model.model = "alexnet";
  return driver::PlanNetwork(Shipped(), model, "eyeriss", request, "test").value();
}

TEST(Threads, MappersShareAProblem) {
  const cost::Evaluator evaluator = SmallConvolution();
  mapper::Problem problem;
  problem.evaluator = &evaluator;
  mapper::Budget budget;
  budget.evaluations = 300;
  for (const mapper::Mapper* mapper : mapper::AllMappers()) {
    const mapper::Result alone = mapper->Solve(problem, budget);
    std::vector<mapper::Result> together(4);
    ParallelFor(4, together.size(),
                [&](std::size_t i) { together[i] = mapper->Solve(problem, budget); });
    for (const mapper::Result& result : together) {
      EXPECT_EQ(result.best, alone.best) << mapper->name();
      EXPECT_EQ(result.evaluations, alone.evaluations) << mapper->name();
    }
  }
}

TEST(Threads, AMapperIsStoppedFromOutside) {
  const cost::Evaluator evaluator = SmallConvolution();
  mapper::Problem problem;
  problem.evaluator = &evaluator;
  std::atomic<bool> stop = false;
  mapper::Budget budget;
  budget.stop = &stop;
  const mapper::Mapper* random = mapper::FindMapper("random").value();  // never ends by itself
  std::thread user([&stop] {
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    stop = true;
  });
  const mapper::Result result = random->Solve(problem, budget);
  user.join();
  EXPECT_EQ(result.stopped, mapper::StopReason::kInterrupted);
  EXPECT_TRUE(result.best.has_value());
}

TEST(Threads, ProgressOfADriverPlanNeedsNoLock) {
  std::vector<std::string> seen;  // unguarded on purpose: one thread at a time
  std::int64_t expected = 0;
  driver::SearchRequest request = Quick(4);
  request.progress = [&](std::int64_t done, std::int64_t total, std::string_view what) {
    seen.emplace_back(what);
    expected = total;
    EXPECT_EQ(done, static_cast<std::int64_t>(seen.size()));
  };
  const driver::PlanOutcome outcome = PlanAlexnet(request);
  EXPECT_EQ(static_cast<std::int64_t>(seen.size()), expected);
  EXPECT_EQ(seen.size(), outcome.plan.solutions.size());
}

TEST(Threads, ADriverPlanIsInterruptedFromOutside) {
  std::atomic<bool> stop = false;
  driver::SearchRequest request;
  request.mapper = "random";
  request.budget_evaluations = 2'000'000'000;  // only the stop ends it
  request.threads = 4;
  request.stop = &stop;
  std::thread user([&stop] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    stop = true;
  });
  const driver::PlanOutcome outcome = PlanAlexnet(request);
  user.join();
  EXPECT_FALSE(outcome.plan.complete);
  std::size_t interrupted = 0;
  for (const planner::Solution& solution : outcome.plan.solutions) {
    interrupted += solution.stopped == "interrupted" ? 1U : 0U;  // small ones may be proven by then
    EXPECT_GT(solution.cost.score.energy_pj, 0);
  }
  EXPECT_GT(interrupted, 0U);
}

TEST(Threads, PlansSideBySideAreThePlanAlone) {
  const planner::Plan alone = PlanAlexnet(Quick(1)).plan;
  std::vector<planner::Plan> plans(2);
  ParallelFor(2, plans.size(), [&](std::size_t i) { plans[i] = PlanAlexnet(Quick(2)).plan; });
  for (const planner::Plan& plan : plans) {
    EXPECT_EQ(planner::FirstDifference(alone, plan), std::nullopt);
  }
}

}  // namespace
}  // namespace sluice
