// Evaluates one case of evaluate_cases.h a given number of times and prints nothing but the score:
// tools/cachegrind.sh runs it twice and divides the difference of the instruction counts by the
// difference of the repetitions, so that start-up, reading of files included, cancels out.
//
//   count_evaluations             prints the names of the cases
//   count_evaluations CASE TIMES

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "evaluate_cases.h"

namespace {

int Run(const sluice::bench::EvaluationCase& one, long times) {
  const auto evaluator = sluice::bench::MakeEvaluator(one);
  const auto mapping = one.mapping(evaluator);
  if (!evaluator.IsValid(mapping)) {
    std::fprintf(stderr, "count_evaluations: the mapping of %s is not valid\n", one.name);
    for (const auto& violation :
         sluice::mapping::CheckMapping(evaluator.workload(), evaluator.chain(), mapping)) {
      std::fprintf(stderr, "  %s\n", violation.message.c_str());
    }
    return 1;
  }
  double sum = 0;
  for (long i = 0; i < times; ++i) {
    sum += evaluator.Evaluate(mapping).energy_pj;
  }
  std::printf("%s %ld %.6g\n", one.name, times, sum);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 1) {
    for (const auto& one : sluice::bench::kEvaluationCases) {
      std::puts(one.name);
    }
    return 0;
  }
  for (const auto& one : sluice::bench::kEvaluationCases) {
    if (argc == 3 && std::string_view(argv[1]) == one.name) {
      return Run(one, std::strtol(argv[2], nullptr, 10));
    }
  }
  std::fprintf(stderr, "usage: count_evaluations [CASE TIMES]\n");
  return 2;
}
