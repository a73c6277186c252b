#pragma once
/// \file
/// A certificate: what an exact search claims to have proven about one operator on one chain, as
/// plain data that an independent checker (src/verify) can judge. docs/certificates.md defines
/// every term.
///
/// The claim: `mapping` is valid and scores `score`, and no even mapping has an objective below
/// `bound`. The listed *cells* are the first decisions of a mapping (the tile that level 1 holds,
/// the spatial factors of the fan-out above it, the tensors that level 1 keeps) that the simple
/// bound of docs/certificates.md does not exclude: the part of the space that needs a search. Every
/// other cell is excluded by a bound that anyone can compute. Tested by
/// tests/property/certificate_test.cpp.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "base/static_vector.h"
#include "cost/cost.h"
#include "cost/evaluator.h"
#include "mapping/constraints.h"
#include "mapping/mapping.h"

namespace sluice::cost {

inline constexpr int kCertificateVersion = 1;
/// More cells than this are counted but not listed.
inline constexpr std::size_t kMaxListedCells = 128;

struct CertificateCell {
  StaticVector<std::int64_t, mapping::kMaxDims> tile;   ///< points of each dim in level 1
  StaticVector<std::int64_t, mapping::kMaxDims> space;  ///< spatial factors below level 0
  std::uint32_t keep = 0;                               ///< bit t: level 1 keeps tensor t
  double bound = 0;  ///< no mapping of the cell has an objective below
  friend bool operator==(const CertificateCell&, const CertificateCell&) = default;
};

struct Certificate {
  int version = kCertificateVersion;
  std::string problem;  ///< ProblemKey
  Objective objective = Objective::kEdp;
  mapping::Mapping mapping;
  Score score;
  double bound = 0;
  /// Cells with a bound below `bound`; those below `listed_below` are listed, by rising bound.
  std::int64_t open_cells = 0;
  double listed_below = 0;
  std::vector<CertificateCell> cells;
  std::int64_t evaluations = 0;  ///< that the search took; for information, nothing depends on it
};

/// A hash of everything that decides which mappings exist and what they cost: workload, chain,
/// policy and constraints (may be null), without names.
std::string ProblemKey(const Evaluator& evaluator, const mapping::Constraints* constraints);

}  // namespace sluice::cost
