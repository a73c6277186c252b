// A bound that holds for every valid mapping, perfect or imperfect, under every policy: each
// operand word leaves the outermost memory at least once, each operation is fed from some memory
// that may keep the tensor (shared at most by all compute units below it), the machine runs at
// peak, and the ports of the outermost memory pass at least the compulsory words.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "cost/axis/axis_set.h"
#include "cost/compiled.h"
#include "cost/cost.h"
#include "cost/evaluator.h"
#include "mapping/workload.h"

namespace sluice::cost {
namespace {

/// Distinct words of a tensor that the iteration space touches. 1 when that is not a product of
/// axes.
std::int64_t TouchedWords(const Compiled& compiled, const CompiledTensor& tensor) {
  if (tensor.joint) {
    return 1;
  }
  std::int64_t words = 1;
  for (int a = 0; a < tensor.axes; ++a) {
    GeneratorList generators;
    for (const mapping::WorkloadTerm& term : tensor.axis[Index(a)]) {
      generators.push_back({term.coefficient, compiled.bound[Index(term.dim)]});
    }
    words *= AxisSet::Build(generators, false).size();
  }
  return words;
}

/// Least energy of moving tensor t between the outermost memory and the compute units.
double TensorEnergy(const Evaluator& evaluator, int t, double words) {
  const Compiled& compiled = evaluator.compiled();
  const bool output = compiled.tensor[Index(t)].is_output;
  const auto per_word = [&](int l, bool fill) {
    const CompiledLevel& level = compiled.level[Index(l)];
    const double pj = fill ? level.fill_pj : output ? level.update_pj : level.read_pj;
    return pj / static_cast<double>(level.block_words);
  };
  double best = std::numeric_limits<double>::infinity();
  std::int64_t below = 1;  // compute units under one instance of level l
  for (int l = compiled.levels - 1; l >= 0; --l) {
    below *= compiled.level[Index(l)].fan_x * compiled.level[Index(l)].fan_y;
    if (!HasBit(evaluator.validity().levels[Index(l)].may_keep, t)) {
      continue;
    }
    const double feeds = static_cast<double>(compiled.points) / static_cast<double>(below);
    const double candidate = l == 0 ? std::max(feeds, words) * per_word(0, false)
                                    : feeds * per_word(l, false) + words * per_word(0, false) +
                                          (output ? 0.0 : words * per_word(l, true));
    best = std::min(best, candidate);
  }
  return best;
}

}  // namespace

Score LowerBound(const Evaluator& evaluator) {
  const Compiled& compiled = evaluator.compiled();
  const CompiledLevel& outer = compiled.level[0];
  double cycles = std::ceil(static_cast<double>(compiled.points) * compiled.cycles_per_point /
                            static_cast<double>(compiled.compute_units));
  double energy = static_cast<double>(compiled.points) * compiled.compute_pj_per_point;
  double reads = 0;
  double writes = 0;
  for (int t = 0; t < compiled.tensors; ++t) {
    const CompiledTensor& tensor = compiled.tensor[Index(t)];
    const auto words = static_cast<double>(TouchedWords(compiled, tensor));
    energy += TensorEnergy(evaluator, t, words);
    (tensor.is_output ? writes : reads) += words;
  }
  if (outer.read_bandwidth > 0) {
    cycles = std::max(cycles, std::ceil(reads / outer.read_bandwidth));
  }
  if (outer.write_bandwidth > 0) {
    cycles = std::max(cycles, std::ceil(writes / outer.write_bandwidth));
  }
  double leakage = compiled.compute_leakage_pj;
  for (int l = 0; l < compiled.levels; ++l) {
    leakage += compiled.level[Index(l)].leakage_pj;
  }
  return {energy + leakage * cycles, cycles};
}

}  // namespace sluice::cost
