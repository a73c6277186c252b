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

/// Solves of many operators: median and worst CPU time, and how far from the optimum the results
/// can be.
class Tally {
 public:
  /// `limit`: seconds for each operator; 0: what the mapper takes.
  Tally(double limit, bool imperfect) : limit_(limit), imperfect_(imperfect) {}

  void Add(const cost::Evaluator& evaluator) {
    mapper::Problem problem;
    problem.evaluator = &evaluator;
    mapper::Budget budget;
    if (limit_ > 0) {
      budget.seconds = 2 * limit_;
    }
    const double even = imperfect_ ? mapper::ExactMapper().Solve(problem, budget).score.edp() : 0;
    problem.imperfect = imperfect_;
    const double before = CpuSeconds();
    const mapper::Result result = mapper::ExactMapper().Solve(problem, budget);
    seconds_.push_back(CpuSeconds() - before);
    better_ += result.score.edp() < even ? 1 : 0;
    proven_ += result.stopped == mapper::StopReason::kProven ? 1 : 0;
    gaps_.push_back(result.score.edp() / result.bound - 1);
  }

  void Report(benchmark::State& state) {
    std::ranges::sort(seconds_);
    std::ranges::sort(gaps_);
    state.counters["operators"] = static_cast<double>(seconds_.size());
    state.counters["proven"] = static_cast<double>(proven_);
    state.counters["median_ms"] = 1e3 * seconds_[seconds_.size() / 2];
    state.counters["worst_ms"] = 1e3 * seconds_.back();
    state.counters["median_gap_%"] = 100 * gaps_[gaps_.size() / 2];
    state.counters["worst_gap_%"] = 100 * gaps_.back();
    if (imperfect_) {
      state.counters["within_1_%"] =
          static_cast<double>(std::ranges::count_if(gaps_, [](double gap) { return gap <= 0.01; }));
      state.counters["better_than_even"] = static_cast<double>(better_);
    }
  }

 private:
  double limit_;
  bool imperfect_;
  std::vector<double> seconds_;
  std::int64_t proven_ = 0;
  std::vector<double> gaps_;
  std::int64_t better_ = 0;
};

/// Every distinct operator of networks that multiplies.
void Networks(benchmark::State& state, const std::vector<const char*>& models, const char* machine,
              double limit, bool imperfect) {
  const arch::Architecture architecture = Machine(machine);
  std::set<std::string> seen;
  Tally tally(limit, imperfect);
  for (auto _ : state) {
    for (const char* model : models) {
      const ir::Network network =
          io::LoadOnnx(std::string(SLUICE_SOURCE_DIR "/models/") + model, {}).value();
      for (const ir::Operator& op : network.operators) {
        const bool multiplies = std::ranges::any_of(
            op.body, [](const ir::Work& work) { return work.work_class == ir::WorkClass::kMac; });
        if (!multiplies) {
          continue;
        }
        const cost::Evaluator evaluator =
            MakeEvaluator(network, op, architecture, cost::PhysicalPolicy());
        if (seen.insert(mapping::WorkloadKey(evaluator.workload())).second) {
          tally.Add(evaluator);
        }
      }
    }
  }
  tally.Report(state);
}

/// Sizes with few divisors: BERT with 197 tokens, products of primes, a thousand classes.
void Awkward(benchmark::State& state, const char* machine) {
  Tally tally(0, true);
  for (auto _ : state) {
    for (const char* descriptor :
         {"gemm M=197 N=768 K=768", "gemm M=197 N=3072 K=768", "gemm M=197 N=197 K=64",
          "gemm M=197 N=64 K=197", "gemm M=1000 N=1000 K=37", "gemm M=127 N=509 K=251",
          "gemm M=37 N=1000 K=2048", "conv K=37 C=37 P=37 Q=37 R=3 S=3"}) {
      tally.Add(OfLayer(descriptor, machine, cost::PhysicalPolicy()));
    }
  }
  tally.Report(state);
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
  const std::vector<const char*> models = {"resnet50.onnx", "mobilenet_v2.onnx",
                                           "bert_base_s128.onnx"};
  for (const char* model : models) {
    for (const char* machine : {"eyeriss", "nvdla-like", "three-level"}) {
      benchmark::RegisterBenchmark(("Network/" + std::string(machine) + "/" + model).c_str(),
                                   Networks, std::vector{model}, machine, 10.0, false)
          ->Iterations(1)
          ->Unit(benchmark::kMillisecond);
    }
    for (const char* machine : {"eyeriss", "nvdla-like", "simba"}) {
      benchmark::RegisterBenchmark(("Imperfect/" + std::string(machine) + "/" + model).c_str(),
                                   Networks, std::vector{model}, machine, 0.0, true)
          ->Iterations(1)
          ->Unit(benchmark::kMillisecond);
    }
  }
  for (const char* machine : {"eyeriss", "nvdla-like", "simba"}) {
    benchmark::RegisterBenchmark(("ImperfectAll/" + std::string(machine)).c_str(), Networks, models,
                                 machine, 0.0, true)
        ->Iterations(1)
        ->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark(("Imperfect/" + std::string(machine) + "/awkward").c_str(),
                                 Awkward, machine)
        ->Iterations(1)
        ->Unit(benchmark::kMillisecond);
  }
  benchmark::RegisterBenchmark("Network/simba/resnet50.onnx", Networks,
                               std::vector{"resnet50.onnx"}, "simba", 5.0, false)
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
