// Searches on Sunstone's example machine (archs/three-level.yaml), counted as Timeloop does:
// evaluations a second, and the time until the best known energy-delay product is reached, over
// seeds.

#include <string>

#include <benchmark/benchmark.h>

#include "arch/architecture.h"
#include "cost/evaluator.h"
#include "io/yaml/arch/arch.h"
#include "ir/network.h"
#include "mapper/annealing.h"
#include "mapper/mapspace.h"
#include "mapper/walk/walker.h"
#include "mapping/workload.h"

namespace {

using namespace sluice;

struct Layer {
  const char* name;
  const char* descriptor;
  double best_edp;
};

constexpr Layer kLayers[] = {
    {"resnet18_64x64x56x56_3x3", "conv K=64 C=64 P=56 Q=56 R=3 S=3", 1.711e14},
    {"bert_512x768x768", "gemm M=512 N=768 K=768", 1.838e15},
    {"mobilenet_v3_16x64x112x112_1x1", "conv K=64 C=16 P=112 Q=112 R=1 S=1", 1.092e13},
    {"alexnet_conv2_64x192x27x27_5x5", "conv K=192 C=64 P=27 Q=27 R=5 S=5", 6.400e14},
    {"vgg_256x256x56x56_3x3", "conv K=256 C=256 P=56 Q=56 R=3 S=3", 4.626e16},
    {"resnet50_256x256x14x14_3x3", "conv K=256 C=256 P=14 Q=14 R=3 S=3", 2.001e14},
};

cost::Evaluator MakeEvaluator(const Layer& layer) {
  const arch::Architecture machine =
      io::LoadArchitecture(SLUICE_SOURCE_DIR "/archs/three-level.yaml").value();
  const ir::Network network = ir::ParseOperatorDescriptor(layer.descriptor).value();
  const auto workload = mapping::MakeWorkload(network.operators.at(0), network).value();
  const auto chain = arch::ChainFor(machine, network.operators.at(0).body).value();
  return cost::Evaluator::Create(workload, chain, cost::TimeloopPolicy()).value();
}

/// Evaluations a second of a whole search.
void AnnealingSpeed(benchmark::State& state, const Layer& layer) {
  const cost::Evaluator evaluator = MakeEvaluator(layer);
  mapper::Problem problem;
  problem.evaluator = &evaluator;
  mapper::Budget budget;
  budget.evaluations = 100'000;
  std::int64_t evaluations = 0;
  for (auto _ : state) {
    const mapper::Result result = mapper::AnnealingMapper().Solve(problem, budget);
    evaluations += result.evaluations;
    benchmark::DoNotOptimize(result.score);
  }
  state.counters["evaluations/s"] =
      benchmark::Counter(static_cast<double>(evaluations), benchmark::Counter::kIsRate);
}

/// Time until the best known result, a new seed each iteration. Searches in rising budgets and
/// counts the last one only: a search with a smaller budget is a prefix of one with a larger.
void TimeToBest(benchmark::State& state, const Layer& layer) {
  const cost::Evaluator evaluator = MakeEvaluator(layer);
  std::uint64_t seed = 0;
  std::int64_t missed = 0;
  for (auto _ : state) {
    mapper::Problem problem;
    problem.evaluator = &evaluator;
    problem.seed = ++seed;
    double seconds = 0;
    bool reached = false;
    for (std::int64_t evaluations = 12'500; evaluations <= 1'600'000 && !reached;
         evaluations *= 2) {
      mapper::Budget budget;
      budget.evaluations = evaluations;
      const mapper::Result result = mapper::AnnealingMapper().Solve(problem, budget);
      seconds = result.seconds;
      reached = result.score.edp() <= layer.best_edp * 1.001;
    }
    missed += reached ? 0 : 1;
    state.SetIterationTime(seconds);
  }
  state.counters["missed"] = static_cast<double>(missed);
}

/// One proposal, its capacity check and its undoing.
void WalkerMove(benchmark::State& state) {
  const cost::Evaluator evaluator = MakeEvaluator(kLayers[0]);
  const mapper::Mapspace space(evaluator.workload(), evaluator.chain(), false);
  Rng rng(1);
  mapper::Walker walker(space);
  walker.Set(space.Greedy(rng));
  for (auto _ : state) {
    if (walker.Propose(rng)) {
      benchmark::DoNotOptimize(walker.Fits());
      walker.Undo();
    }
  }
}
BENCHMARK(WalkerMove);

const bool kRegistered = [] {
  for (const Layer& layer : kLayers) {
    benchmark::RegisterBenchmark(
        (std::string("AnnealingSpeed/") + layer.name).c_str(),
        [&layer](benchmark::State& state) { AnnealingSpeed(state, layer); })
        ->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark((std::string("TimeToBest/") + layer.name).c_str(),
                                 [&layer](benchmark::State& state) { TimeToBest(state, layer); })
        ->Iterations(10)
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond);
  }
  return true;
}();

}  // namespace
