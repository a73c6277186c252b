#pragma once
/// \file
/// The JSON value of a mapping, for documents that embed one. Internal to io/ and driver/: the only
/// header here that mentions the JSON library, by its forward declarations.
/// Tested by tests/unit/mapping_yaml_test.cpp.

#include <nlohmann/json_fwd.hpp>

#include "arch/architecture.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"

namespace sluice::io {

/// `{"version": 1, "levels": [{"memory", "keep", "temporal", "spatial_x", "spatial_y"} ...]}` with
/// loops as `{"dim", "factor", "last"}`; `last` only when it differs, empty lists left out.
nlohmann::ordered_json MappingToJson(const mapping::Mapping& mapping,
                                     const mapping::Workload& workload, const arch::Chain& chain);

}  // namespace sluice::io
