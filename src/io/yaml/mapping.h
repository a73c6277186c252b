#pragma once
/// \file
/// A mapping as YAML, or JSON when read (docs/formats/mapping.md): levels outermost first, each
/// with the tensors it keeps and its loops, as `"K=4 P=7,3"` or as a list of `{dim, factor, last}`.
/// Strict, like every format here: an unknown key, a name that neither operator nor machine has,
/// and loops that do not cover the operator are errors at their place. Tested by
/// tests/unit/mapping_yaml_test.cpp and tests/property/mapping_yaml_roundtrip_test.cpp.

#include <string>

#include "arch/architecture.h"
#include "base/diagnostic.h"
#include "io/yaml/yaml.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"

namespace sluice::io {

inline constexpr int kMappingFormatVersion = 1;

/// The mapping at `at`, for this operator and machine. It covers the operator, and its fan-outs and
/// keep rules hold; only the capacity is left to mapping::CheckMapping (a mapping that does not fit
/// is a result, not a malformed file). Errors: 1200s, kMappingInvalid, kMappingCoverage,
/// kMappingFanOut.
Result<mapping::Mapping> ReadMapping(const Cursor& at, const mapping::Workload& workload,
                                     const arch::Chain& chain);
Result<mapping::Mapping> LoadMapping(const std::string& path, const mapping::Workload& workload,
                                     const arch::Chain& chain);

/// Reads back to an equal mapping (keep bits beyond the tensors cleared) when `mapping` is one that
/// ReadMapping accepts. Requires: one level per level of the chain, loops over dims of the
/// workload.
std::string WriteMappingYaml(const mapping::Mapping& mapping, const mapping::Workload& workload,
                             const arch::Chain& chain);

}  // namespace sluice::io
