#pragma once
/// \file
/// Problems small enough to enumerate every mapping: any workload, machine and policy.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "arch/architecture.h"
#include "base/rng.h"
#include "cost/evaluator.h"
#include "cost/policy.h"
#include "mapping/constraints.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"

namespace sluice::testing {

/// `cases` times SLUICE_PROPERTY_CASES, at least one.
std::uint64_t AtLeastOneScaled(std::uint64_t cases);

struct SmallCase {
  mapping::Workload workload;
  arch::Chain chain;
  cost::Policy policy;
};

/// The same for the same seed and number. Workloads of at most `points` + 7 points.
SmallCase MakeSmallCase(std::uint64_t seed, std::uint64_t number, std::uint32_t points);

/// The cases that have an evaluator, one after another, until enough of them were compared:
///
///     for (SmallCases cases(seed, first, points, wanted); cases.Next();) {
///       if (!suits(cases.evaluator())) { cases.Skip(); continue; }
///       ...
///
/// `wanted` is scaled by SLUICE_PROPERTY_CASES; SLUICE_PROPERTY_FIRST moves `first`, to look at
/// other cases than every day's.
class SmallCases {
 public:
  SmallCases(std::uint64_t seed, std::uint64_t first, std::uint32_t points, std::uint64_t wanted);
  bool Next();
  /// The case at hand does not count.
  void Skip() { --compared_; }

  [[nodiscard]] std::uint64_t number() const { return number_; }
  [[nodiscard]] const SmallCase& here() const { return case_; }
  [[nodiscard]] const cost::Evaluator& evaluator() const { return *evaluator_; }
  [[nodiscard]] std::uint64_t compared() const { return compared_; }

 private:
  std::uint64_t seed_;
  std::uint64_t next_;
  std::uint32_t points_;
  std::uint64_t wanted_;
  std::uint64_t number_ = 0;
  std::uint64_t compared_ = 0;
  SmallCase case_;
  std::optional<cost::Evaluator> evaluator_;
};

/// Constraints that the mapping satisfies: a random part of what it does.
mapping::Constraints ConstraintsFrom(const mapping::Mapping& mapping, std::size_t tensors,
                                     Rng& rng);

/// The same operator with dim d at place order[d], names along with it.
mapping::Workload PermuteDims(const mapping::Workload& workload,
                              const std::vector<std::size_t>& order);
/// A random permutation of 0 .. count - 1.
std::vector<std::size_t> RandomOrder(std::size_t count, Rng& rng);

}  // namespace sluice::testing
