// Speed of the reference cost model on one thread: evaluations per second of fixed mappings on the
// three-level machine. `items_per_second` is the figure to quote. Allocation after set-up is
// counted and reported as `allocations` (must be 0).

#include <cstddef>

#include <benchmark/benchmark.h>

#include "allocations.h"
#include "evaluate_cases.h"

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
