#pragma once
/// \file
/// A certificate: what an exact search claims to have proven about one operator on one chain, as
/// plain data that an independent checker (src/verify) can judge. docs/certificates.md defines
/// every term.
///
/// The claim: `mapping` is valid and scores `score`, and no even mapping has an objective below
/// `bound`. Nothing else is needed: the checker proves it again. Tested by
/// tests/property/certificate_test.cpp.

#include <cstdint>
#include <string>

#include "cost/cost.h"
#include "cost/evaluator.h"
#include "mapping/constraints.h"
#include "mapping/mapping.h"

namespace sluice::cost {

inline constexpr int kCertificateVersion = 2;

struct Certificate {
  int version = kCertificateVersion;
  std::string problem;  ///< ProblemKey
  Objective objective = Objective::kEdp;
  mapping::Mapping mapping;
  Score score;
  double bound = 0;
  // What the search did; for information, nothing depends on it.
  std::int64_t evaluations = 0;  ///< whole mappings priced
  std::int64_t candidates = 0;   ///< whole and partial mappings looked at
  std::int64_t ruled_out = 0;    ///< of these, by a bound
};

/// A hash of everything that decides which mappings exist and what they cost: workload, chain,
/// policy and constraints (may be null), without names.
std::string ProblemKey(const Evaluator& evaluator, const mapping::Constraints* constraints);

}  // namespace sluice::cost
