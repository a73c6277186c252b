// The exact mapper: time to a proven optimum, what the proof looked at, and how long the baselines
// need to come within 1 % of it. One core, CPU time. `tools/bench.sh` prints the table.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include "arch/architecture.h"
#include "cost/evaluator.h"
#include "io/onnx/onnx.h"
#include "io/yaml/arch/arch.h"
#include "ir/network.h"
#include "mapper/annealing.h"
#include "mapper/exact/exact.h"
#include "mapper/mapper.h"
#include "mapper/random.h"
#include "mapping/workload.h"

namespace {

using namespace sluice;

struct Layer {
  const char* name;
  const char* descriptor;
};

constexpr Layer kLayers[] = {
    {"bert_512x768x768", "gemm M=512 N=768 K=768"},
    {"mobilenet_v3_16x64x112x112_1x1", "conv K=64 C=16 P=112 Q=112 R=1 S=1"},
    {"resnet18_64x64x56x56_3x3", "conv K=64 C=64 P=56 Q=56 R=3 S=3"},
    {"alexnet_conv2_64x192x27x27_5x5", "conv K=192 C=64 P=27 Q=27 R=5 S=5"},
    {"vgg_256x256x56x56_3x3", "conv K=256 C=256 P=56 Q=56 R=3 S=3"},
    {"resnet50_256x256x14x14_3x3", "conv K=256 C=256 P=14 Q=14 R=3 S=3"},
};

arch::Architecture Machine(const std::string& name) {
  return io::LoadArchitecture(SLUICE_SOURCE_DIR "/archs/" + name + ".yaml").value();
}

cost::Evaluator MakeEvaluator(const ir::Network& network, const ir::Operator& op,
                              const arch::Architecture& machine, const cost::Policy& policy) {
  const auto workload = mapping::MakeWorkload(op, network).value();
  return cost::Evaluator::Create(workload, arch::ChainFor(machine, op.body).value(), policy)
      .value();
}

cost::Evaluator OfLayer(const char* descriptor, const std::string& machine,
                        const cost::Policy& policy) {
  const ir::Network network = ir::ParseOperatorDescriptor(descriptor).value();
  return MakeEvaluator(network, network.operators.at(0), Machine(machine), policy);
}

double CpuSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

void Report(benchmark::State& state, const mapper::ExactMapper::Counts& counts,
            const mapper::Result& result) {
  const auto made = static_cast<double>(counts.labels.made + counts.tree.nodes);
  const auto pruned =
      static_cast<double>(counts.labels.pruned + counts.labels.dominated + counts.tree.pruned);
  state.counters["labels"] = static_cast<double>(counts.labels.made);
  state.counters["nodes"] = static_cast<double>(counts.tree.nodes);
  state.counters["leaves"] = static_cast<double>(counts.tree.leaves);
  state.counters["seed_ms"] = 1e3 * counts.seed_seconds;
  state.counters["label_ms"] = 1e3 * counts.label_seconds;
  state.counters["tree_ms"] = 1e3 * counts.tree_seconds;
  state.counters["pruned_%"] = 100 * pruned / std::max(1.0, made);
  state.counters["objective"] = result.score.edp();
  state.counters["proven"] = result.stopped == mapper::StopReason::kProven ? 1 : 0;
}

void Exact(benchmark::State& state, const Layer& layer, const char* machine,
           const cost::Policy& policy) {
  const cost::Evaluator evaluator = OfLayer(layer.descriptor, machine, policy);
  mapper::Problem problem;
  problem.evaluator = &evaluator;
  mapper::Budget budget;
  budget.seconds = 120;  // the proof may take half
  mapper::ExactMapper::Counts counts;
  mapper::Result result;
  for (auto _ : state) {
    counts = {};
    result = mapper::ExactMapper().Solve(problem, budget, counts);
  }
  Report(state, counts, result);
}

/// CPU time until a search without proof is within 1 % of the optimum, over seeds; searches in
/// rising budgets, counting the last one. Missed: not within 1.6 million evaluations.
template <class Mapper>
void WithinOnePercent(benchmark::State& state, const Layer& layer) {
  const cost::Evaluator evaluator =
      OfLayer(layer.descriptor, "three-level", cost::TimeloopPolicy());
  mapper::Problem problem;
  problem.evaluator = &evaluator;
  const double optimum =
      mapper::ExactMapper().Solve(problem, mapper::Budget{}).score.value(problem.objective);
  std::int64_t missed = 0;
  problem.seed = 0;
  for (auto _ : state) {
    ++problem.seed;
    double seconds = 0;
    bool reached = false;
    for (std::int64_t n = 1000; n <= 1'600'000 && !reached; n *= 2) {
      mapper::Budget budget;
      budget.evaluations = n;
      const double before = CpuSeconds();
      const mapper::Result result = Mapper().Solve(problem, budget);
      seconds = CpuSeconds() - before;
      reached = result.best && result.score.value(problem.objective) <= 1.01 * optimum;
    }
    missed += reached ? 0 : 1;
    state.SetIterationTime(seconds);
  }
  state.counters["missed"] = static_cast<double>(missed);
}

/// Every distinct operator of a network that multiplies: median and worst CPU time of a proof, and
/// how far from the optimum the results can be. `limit`: seconds for each; 0: what the mapper
/// takes.
void Network(benchmark::State& state, const char* model, const char* machine, double limit,
             bool imperfect) {
  const arch::Architecture architecture = Machine(machine);
  const ir::Network network =
      io::LoadOnnx(std::string(SLUICE_SOURCE_DIR "/models/") + model, {}).value();
  std::set<std::string> seen;
  std::vector<double> seconds;
  std::int64_t proven = 0;
  std::vector<double> gaps;
  std::int64_t better = 0;
  for (auto _ : state) {
    for (const ir::Operator& op : network.operators) {
      const bool multiplies = std::ranges::any_of(
          op.body, [](const ir::Work& work) { return work.work_class == ir::WorkClass::kMac; });
      if (!multiplies) {
        continue;
      }
      const cost::Evaluator evaluator =
          MakeEvaluator(network, op, architecture, cost::PhysicalPolicy());
      if (!seen.insert(mapping::WorkloadKey(evaluator.workload())).second) {
        continue;
      }
      mapper::Problem problem;
      problem.evaluator = &evaluator;
      mapper::Budget budget;
      if (limit > 0) {
        budget.seconds = 2 * limit;
      }
      const double even = imperfect ? mapper::ExactMapper().Solve(problem, budget).score.edp() : 0;
      problem.imperfect = imperfect;
      const double before = CpuSeconds();
      const mapper::Result result = mapper::ExactMapper().Solve(problem, budget);
      better += result.score.edp() < even ? 1 : 0;
      seconds.push_back(CpuSeconds() - before);
      proven += result.stopped == mapper::StopReason::kProven ? 1 : 0;
      gaps.push_back(result.score.edp() / result.bound - 1);
    }
  }
  std::ranges::sort(seconds);
  std::ranges::sort(gaps);
  state.counters["operators"] = static_cast<double>(seconds.size());
  state.counters["proven"] = static_cast<double>(proven);
  state.counters["median_ms"] = 1e3 * seconds[seconds.size() / 2];
  state.counters["worst_ms"] = 1e3 * seconds.back();
  state.counters["median_gap_%"] = 100 * gaps[gaps.size() / 2];
  state.counters["worst_gap_%"] = 100 * gaps.back();
  if (imperfect) {
    state.counters["within_1_%"] =
        static_cast<double>(std::ranges::count_if(gaps, [](double gap) { return gap <= 0.01; }));
    state.counters["better_than_even"] = static_cast<double>(better);
  }
}

void Register() {
  for (const Layer& layer : kLayers) {
    const std::string name = layer.name;
    benchmark::RegisterBenchmark(("Exact/three-level/" + name).c_str(), Exact, layer, "three-level",
                                 cost::TimeloopPolicy())
        ->Unit(benchmark::kMillisecond);
    for (const char* machine : {"eyeriss", "nvdla-like", "simba"}) {
      benchmark::RegisterBenchmark(("Exact/" + std::string(machine) + "/" + name).c_str(), Exact,
                                   layer, machine, cost::PhysicalPolicy())
          ->Unit(benchmark::kMillisecond);
    }
    benchmark::RegisterBenchmark(("AnnealingWithin1Percent/" + name).c_str(),
                                 WithinOnePercent<mapper::AnnealingMapper>, layer)
        ->UseManualTime()
        ->Iterations(10)
        ->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark(("RandomWithin1Percent/" + name).c_str(),
                                 WithinOnePercent<mapper::RandomMapper>, layer)
        ->UseManualTime()
        ->Iterations(3)
        ->Unit(benchmark::kMillisecond);
  }
  for (const char* model : {"resnet50.onnx", "mobilenet_v2.onnx", "bert_base_s128.onnx"}) {
    for (const char* machine : {"eyeriss", "nvdla-like", "three-level"}) {
      benchmark::RegisterBenchmark(("Network/" + std::string(machine) + "/" + model).c_str(),
                                   Network, model, machine, 10.0, false)
          ->Iterations(1)
          ->Unit(benchmark::kMillisecond);
    }
    for (const char* machine : {"eyeriss", "nvdla-like"}) {
      benchmark::RegisterBenchmark(("Imperfect/" + std::string(machine) + "/" + model).c_str(),
                                   Network, model, machine, 0.0, true)
          ->Iterations(1)
          ->Unit(benchmark::kMillisecond);
    }
  }
  benchmark::RegisterBenchmark("Network/simba/resnet50.onnx", Network, "resnet50.onnx", "simba",
                               5.0, false)
      ->Iterations(1)
      ->Unit(benchmark::kMillisecond);
}

}  // namespace

int main(int argc, char** argv) {
  Register();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
