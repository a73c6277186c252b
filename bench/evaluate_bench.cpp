// Speed of the reference cost model on one thread: evaluations per second of fixed mappings on the
// three-level machine. `items_per_second` is the figure to quote. Allocation after set-up is counted and
// reported as `allocations` (must be 0).

#include <benchmark/benchmark.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "cost/evaluator.h"
#include "io/arch_yaml.h"
#include "ir/network.h"

namespace {

std::atomic<long> allocations{0};

}  // namespace

void* operator new(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* p = std::malloc(size)) {
    return p;
  }
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }

namespace {

using sluice::mapping::Mapping;
using sluice::mapping::PerfectLoop;

sluice::cost::Evaluator MakeEvaluator(const char* descriptor, const sluice::cost::Policy& policy) {
  const auto architecture =
      sluice::io::LoadArchitecture(SLUICE_SOURCE_DIR "/archs/three-level.yaml");
  const auto network = sluice::ir::ParseOperatorDescriptor(descriptor);
  const auto workload = sluice::mapping::MakeWorkload(network->operators[0], *network);
  const auto chain = sluice::arch::ChainFor(*architecture, workload->body);
  return *sluice::cost::Evaluator::Create(*workload, *chain, policy);
}

void Run(benchmark::State& state, const sluice::cost::Evaluator& evaluator,
         const Mapping& mapping) {
  if (!evaluator.IsValid(mapping)) {
    state.SkipWithError("the benchmark's mapping is not valid");
    return;
  }
  const long before = allocations.load();
  for (auto _ : state) {
    benchmark::DoNotOptimize(evaluator.Evaluate(mapping));
  }
  state.SetItemsProcessed(state.iterations());
  state.counters["allocations"] = static_cast<double>(allocations.load() - before);
}

int Dim(const sluice::cost::Evaluator& evaluator, const char* name) {
  const auto& names = evaluator.workload().dim_names;
  return static_cast<int>(std::find(names.begin(), names.end(), name) - names.begin());
}

Mapping GemmMapping(const sluice::cost::Evaluator& e) {
  const int m = Dim(e, "M");
  const int n = Dim(e, "N");
  const int k = Dim(e, "K");
  Mapping mapping;
  mapping.levels.resize(3);
  mapping.levels[0].temporal = {PerfectLoop(m, 4), PerfectLoop(n, 6), PerfectLoop(k, 4)};
  mapping.levels[1].temporal = {PerfectLoop(n, 8), PerfectLoop(m, 8), PerfectLoop(k, 24)};
  mapping.levels[1].spatial_x = {PerfectLoop(m, 16)};
  mapping.levels[1].spatial_y = {PerfectLoop(n, 16)};
  mapping.levels[2].temporal = {PerfectLoop(k, 8)};
  return mapping;
}

Mapping ConvMapping(const sluice::cost::Evaluator& e) {
  const int k = Dim(e, "K");
  const int c = Dim(e, "C");
  const int p = Dim(e, "P");
  const int q = Dim(e, "Q");
  const int r = Dim(e, "R");
  const int s = Dim(e, "S");
  Mapping mapping;
  mapping.levels.resize(3);
  mapping.levels[0].temporal = {PerfectLoop(p, 7), PerfectLoop(q, 7), PerfectLoop(k, 2)};
  mapping.levels[1].temporal = {PerfectLoop(k, 2), PerfectLoop(c, 4), PerfectLoop(p, 8),
                                PerfectLoop(q, 8), PerfectLoop(r, 3)};
  mapping.levels[1].spatial_x = {PerfectLoop(k, 16)};
  mapping.levels[1].spatial_y = {PerfectLoop(c, 16)};
  mapping.levels[2].temporal = {PerfectLoop(s, 3)};
  return mapping;
}

void BM_GemmThreeLevels(benchmark::State& state) {
  const auto evaluator = MakeEvaluator(
      "gemm M=512 N=768 K=768", state.range(0) == 0 ? sluice::cost::PhysicalPolicy()
                                                    : sluice::cost::TimeloopPolicy());
  Run(state, evaluator, GemmMapping(evaluator));
}
BENCHMARK(BM_GemmThreeLevels)->ArgName("timeloop")->Arg(0)->Arg(1);

void BM_Conv3x3ThreeLevels(benchmark::State& state) {
  const auto evaluator =
      MakeEvaluator("conv K=64 C=64 P=56 Q=56 R=3 S=3",
                    state.range(0) == 0 ? sluice::cost::PhysicalPolicy()
                                        : sluice::cost::TimeloopPolicy());
  Run(state, evaluator, ConvMapping(evaluator));
}
BENCHMARK(BM_Conv3x3ThreeLevels)->ArgName("timeloop")->Arg(0)->Arg(1);

}  // namespace
