// Speed of the reference cost model on one thread: evaluations per second of fixed mappings on the
// three-level machine. `items_per_second` is the figure to quote. Allocation after set-up is
// counted and reported as `allocations` (must be 0).

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

#include <benchmark/benchmark.h>

#include "evaluate_cases.h"

namespace {

std::atomic<long> allocations{0};

}  // namespace

// GCC 12 does not see that operator new is replaced as well when it inlines one of the two.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
void* operator new(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* p = std::malloc(size)) {
    return p;
  }
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept {
  std::free(p);
}
void operator delete(void* p, std::size_t) noexcept {
  std::free(p);
}
#pragma GCC diagnostic pop

namespace {

void Evaluate(benchmark::State& state) {
  const auto& one = sluice::bench::kEvaluationCases[static_cast<std::size_t>(state.range(0))];
  const auto evaluator = sluice::bench::MakeEvaluator(one);
  const auto mapping = one.mapping(evaluator);
  state.SetLabel(one.name);
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
BENCHMARK(Evaluate)->DenseRange(0, sluice::bench::kEvaluationCases.size() - 1);

}  // namespace
