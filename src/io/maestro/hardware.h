#pragma once
/// \file
/// MAESTRO's hardware files: one `key: number` a line. docs/formats/maestro.md.
/// Tested by tests/unit/maestro_files_test.cpp, tests/fuzz.

#include <string>
#include <string_view>

#include "base/diagnostic.h"
#include "cost/maestro/hardware.h"

namespace sluice::io {

/// Keys of the tool's files, and of its options where it has no key (`noc_hop_latency`,
/// `num_simd_lanes`). What is left out has the tool's default. Errors: 1200s.
Result<cost::maestro::Hardware> ReadMaestroHardware(std::string_view text, const std::string& file);
Result<cost::maestro::Hardware> LoadMaestroHardware(const std::string& path);

/// Reads back to equal hardware.
std::string WriteMaestroHardware(const cost::maestro::Hardware& hardware);

}  // namespace sluice::io
