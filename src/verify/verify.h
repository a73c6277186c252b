#pragma once
/// \file
/// The independent checker of certificates (cost/certificate.h). It shares no code with the search:
/// what a mapping costs comes from cost::Evaluator, everything else (divisors, spatial factors,
/// bounds, orders of loops) is written here a second time, from docs/cost-model.md alone.
///
/// `Check` re-establishes (a) that the mapping is valid and costs what is claimed and (b) that no
/// even mapping beats the claimed bound, by a branch and bound of its own with that bound as limit.
/// Slower than the search, since it may not use what the search found out.
/// Tested by tests/property/certificate_test.cpp.

#include <atomic>
#include <cstdint>
#include <limits>
#include <string>

#include "cost/certificate.h"
#include "cost/evaluator.h"
#include "mapping/constraints.h"
#include "mapping/mapping.h"

namespace sluice::verify {

enum class Verdict : std::uint8_t {
  kVerified,
  kRejected,    ///< something claimed is not true
  kUnfinished,  ///< neither: out of time, or too large to check
};

struct Limits {
  double seconds = std::numeric_limits<double>::infinity();
  const std::atomic<bool>* stop = nullptr;  ///< polled; not owned
};

struct Report {
  Verdict verdict = Verdict::kUnfinished;
  std::string reason;  ///< of a rejection or of giving up
  double seconds = 0;
  std::int64_t choices = 0;   ///< kept tensors and spatial factors looked at, level by level
  std::int64_t opened = 0;    ///< not closed by what lies outside
  std::int64_t nodes = 0;     ///< states bounded, and partial mappings followed
  std::int64_t mappings = 0;  ///< whole ones evaluated
};

/// What a plan claims of an operator: a certificate without its list of cells.
struct Claim {
  cost::Objective objective = cost::Objective::kEdp;
  mapping::Mapping mapping;
  cost::Score score;
  double bound = 0;
};
/// Whether all of a claim is true. `constraints` may be null.
Report CheckClaim(const cost::Evaluator& evaluator, const mapping::Constraints* constraints,
                  const Claim& claim, const Limits& limits);

/// Of a certificate the cells must be right, too. It may come from anywhere.
Report Check(const cost::Evaluator& evaluator, const mapping::Constraints* constraints,
             const cost::Certificate& certificate, const Limits& limits);

}  // namespace sluice::verify
