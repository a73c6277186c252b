/// \file
/// Searches over dataflow codes as mappers: valid mappings of every shipped architecture, the
/// budget to the sample, the same for the same seed, and something in hand when interrupted.

#include "mapper/coded/coded_mapper.h"

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "arch/architecture.h"
#include "base/diagnostic.h"
#include "cost/cost.h"
#include "cost/evaluator.h"
#include "cost/policy.h"
#include "io/yaml/arch/arch.h"
#include "ir/network.h"
#include "mapper/codes/search.h"
#include "mapper/mapper.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"

namespace sluice {
namespace {

using mapper::CodedMapper;

CodedMapper Make(const std::string& name) {
  return CodedMapper(std::shared_ptr<const mapper::codes::CodeSearch>(
                         std::shared_ptr<const mapper::codes::CodeSearch>(),
                         mapper::codes::FindCodeSearch(name).value()),
                     3);
}

cost::Evaluator On(const std::string& path, const std::string& descriptor) {
  const auto machine = io::LoadArchitecture(path);
  const auto network = ir::ParseOperatorDescriptor(descriptor);
  const ir::Operator& op = network->operators.front();
  return cost::Evaluator::Create(mapping::MakeWorkload(op, *network).value(),
                                 arch::ChainFor(*machine, op.body).value(), cost::PhysicalPolicy())
      .value();
}

std::string Arch(const std::string& name) {
  return std::string(SLUICE_SOURCE_DIR) + "/archs/" + name + ".yaml";
}

TEST(CodedMapper, MapsOnEveryArchitecture) {
  const CodedMapper mapper = Make("es");
  int machines = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(SLUICE_SOURCE_DIR) + "/archs")) {
    if (entry.path().extension() != ".yaml") {
      continue;
    }
    SCOPED_TRACE(entry.path());
    const auto evaluator = On(entry.path().string(), "conv K=32 C=16 P=14 Q=14 R=3 S=3");
    mapper::Problem problem;
    problem.evaluator = &evaluator;
    mapper::Budget budget;
    budget.evaluations = 40;
    const mapper::Result first = mapper.Solve(problem, budget);
    ASSERT_TRUE(first.best);
    EXPECT_TRUE(CheckMapping(evaluator.workload(), evaluator.chain(), *first.best).empty());
    EXPECT_EQ(first.evaluations, 40);
    EXPECT_EQ(first.stopped, mapper::StopReason::kEvaluations);
    EXPECT_EQ(first.score.edp(), evaluator.Evaluate(*first.best).edp());
    EXPECT_GE(first.score.edp(), first.bound);
    const mapper::Result again = mapper.Solve(problem, budget);
    EXPECT_EQ(*again.best, *first.best);
    ++machines;
  }
  EXPECT_GE(machines, 10);
}

TEST(CodedMapper, MinimisesWhatItIsAskedTo) {
  const auto evaluator = On(Arch("eyeriss"), "gemm M=64 N=96 K=128");
  mapper::Problem problem;
  problem.evaluator = &evaluator;
  mapper::Budget budget;
  budget.evaluations = 2000;
  const CodedMapper mapper = Make("genetic");
  problem.objective = cost::Objective::kEnergy;
  const auto energy = mapper.Solve(problem, budget);
  problem.objective = cost::Objective::kLatency;
  const auto latency = mapper.Solve(problem, budget);
  EXPECT_LE(energy.score.energy_pj, latency.score.energy_pj);
  EXPECT_LE(latency.score.cycles, energy.score.cycles);
}

TEST(CodedMapper, EndsByItselfAndKeepsWhatItHas) {
  const auto evaluator = On(Arch("simba"), "conv K=32 C=16 P=14 Q=14 R=3 S=3");
  mapper::Problem problem;
  problem.evaluator = &evaluator;
  const auto converged = Make("annealing").Solve(problem, {});
  ASSERT_TRUE(converged.best);
  EXPECT_EQ(converged.stopped, mapper::StopReason::kConverged);
  EXPECT_GE(converged.evaluations, 15'000);
  EXPECT_EQ(Make("dla").Solve(problem, {}).evaluations, 1);

  mapper::Budget budget;
  budget.seconds = 0.02;
  const auto hurried = Make("annealing").Solve(problem, budget);
  EXPECT_EQ(hurried.stopped, mapper::StopReason::kSeconds);

  std::atomic<bool> stop = true;
  const auto stopped = Make("annealing").Solve(problem, {.stop = &stop});
  EXPECT_EQ(stopped.stopped, mapper::StopReason::kInterrupted);
  EXPECT_FALSE(stopped.best);
}

TEST(CodedMapper, SaysWhichOperatorsCodesCannotDescribe) {
  ir::Network network = ir::ParseOperatorDescriptor("gemm M=4 N=4 K=4").value();
  auto workload = mapping::MakeWorkload(network.operators.front(), network).value();
  const auto product = On(Arch("eyeriss"), "gemm M=4 N=4 K=4");
  mapper::Problem problem;
  problem.evaluator = &product;
  EXPECT_TRUE(Make("es").Supports(problem).has_value());
  workload.tensors.erase(1);  // a sum over one tensor
  workload.tensor_names.erase(workload.tensor_names.begin() + 1);
  const auto sum =
      cost::Evaluator::Create(workload, product.chain(), cost::PhysicalPolicy()).value();
  problem.evaluator = &sum;
  EXPECT_EQ(Make("es").Supports(problem).error().code, ErrorCode::kOperatorInvalid);
}

}  // namespace
}  // namespace sluice
