#pragma once
/// \file
/// The searches over codes that come with Sluice. They are small on purpose: a baseline that can be
/// read in one sitting. Tested by tests/property/code_search_test.cpp.

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/rng.h"
#include "mapper/codes/judge.h"
#include "mapper/codes/search.h"
#include "mapper/codes/space.h"
#include "mapping/dataflow/code.h"

namespace sluice::mapper::codes {

/// GAMMA ("Automating the HW Mapping of DNN Models on Accelerators via Genetic Algorithm", ICCAD
/// 2020) with the rates of its published code.
struct GeneticOptions {
  std::size_t population = 100;
  /// Also the operators that GAMMA's code disables by itself as soon as windows must be whole:
  /// exchange the parallel dims of two levels, grow a level, drop a level.
  bool all_operators = false;
  std::size_t max_levels = 3;  ///< to which a code may grow
};
std::unique_ptr<CodeSearch> MakeGeneticSearch(const GeneticOptions& options);

/// Independent random codes.
std::unique_ptr<CodeSearch> MakeRandomSearch();

struct AnnealingOptions {
  std::int64_t random_starts = 200;  ///< at most a fifth of the budget
  double hot = 0.3;                  ///< temperatures, on the logarithm of the objective
  double cold = 0.002;
  int restarts = 8;             ///< returns to the best so far
  std::int64_t leave_over = 0;  ///< samples that are not spent
};
/// Spends what is left of the judge's budget, but for `leave_over`, from `start`, whose value is
/// given.
void Anneal(Judge& judge, const CodeSpace& space, const AnnealingOptions& options,
            const mapping::DataflowCode& start, double value, Rng& rng);
std::unique_ptr<CodeSearch> MakeAnnealingSearch(const AnnealingOptions& options);

/// Searches over the unit cube of CodeSpace::FromPoint.
std::unique_ptr<CodeSearch> MakeEvolutionStrategy();      ///< (1+1), one-fifth rule
std::unique_ptr<CodeSearch> MakeDifferentialEvolution();  ///< rand/1/bin
std::unique_ptr<CodeSearch> MakeParticleSwarm();          ///< constriction coefficients of Clerc
std::unique_ptr<CodeSearch> MakeCovarianceAdaptation();   ///< (mu/mu_w, lambda) CMA-ES

/// One code, priced once: a fixed dataflow of the literature as far as a code can say it.
enum class FixedDataflow : std::uint8_t { kDla, kShi, kEye };
mapping::DataflowCode FixedCode(FixedDataflow dataflow, const CodeSpace& space);
std::unique_ptr<CodeSearch> MakeFixedSearch(FixedDataflow dataflow);

/// Prices the starts of the problem; then random codes until one is legal, at most half of the
/// budget. Returns the best so far, or the last random code.
mapping::DataflowCode FirstCode(Judge& judge, const CodeSpace& space, Rng& rng);

}  // namespace sluice::mapper::codes
