#pragma once
/// \file
/// Tensor-centric directives: a mapping as text, in the sense of KAPLA (arXiv 2306.15676, sec. 3).
///
///   compute:                     # inside-out: the compute unit, then the memories up to level 1
///     stack(R+=1, 3, Y)          # spatial: 3 copies, displaced by 1 along R
///     update(C+=1)               # temporal: innermost first
///   RF:
///     tensor{Weight}(C=4, R=3)   # the box that one instance of RF holds; sizes of 1 are left out
///     stack(K+=1, 8, X)
///     update(P+=1)
///     update(K+=8)
///
/// A block's stacks and updates place and replace *its* tiles; so they are the spatial and temporal
/// loops of the level above, and level 0, which holds everything, has no block. The trip count of
/// an update is implied: up to the next step of its dim, the outermost up to the bound of the dim.
/// Ragged tiles need no notation: an imperfect nest is determined by its steps and the dim's bound.
/// The grammar and the two extensions (axis letter, explicit count) are in
/// docs/formats/directives.md. Tested by tests/unit/directives_test.cpp,
/// tests/property/mapping_roundtrip_test.cpp.

#include <string>
#include <string_view>

#include "arch/architecture.h"
#include "base/diagnostic.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"

namespace sluice::mapping {

/// Directives of a mapping that covers the workload (others have none: kMappingInvalid or
/// kMappingCoverage). ParseDirectives gives the same mapping back, with keep bits beyond the
/// tensors cleared and level 0 keeping everything.
Result<std::string> PrintDirectives(const Workload& workload, const arch::Chain& chain,
                                    const Mapping& mapping);

/// The inverse. `file` names the text in errors. The mapping covers the workload; whether it is
/// valid on the chain is CheckMapping's business. Errors: kSyntax, kUnknownName, kBadValue,
/// kDuplicateKey, kMissingKey, kMappingCoverage, all with line and column.
Result<Mapping> ParseDirectives(const Workload& workload, const arch::Chain& chain,
                                std::string_view text, const std::string& file);

}  // namespace sluice::mapping
