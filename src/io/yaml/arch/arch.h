#pragma once
/// \file
/// Architectures as YAML (docs/formats/architecture.md). Strict: what is not understood is an error
/// at its place, and what arch::Validate refuses is shown at the key that it talks about. Tested by
/// tests/unit/arch_yaml_test.cpp and tests/property/arch_roundtrip_test.cpp.

#include <string>

#include "arch/architecture.h"
#include "base/diagnostic.h"
#include "io/yaml/yaml.h"

namespace sluice::io {

/// The result satisfies arch::Validate. Errors: 1200s and kArchInvalid, with positions.
Result<arch::Architecture> ReadArchitecture(const YamlDocument& document);
Result<arch::Architecture> LoadArchitecture(const std::string& path);

/// Reads back to an equal architecture. Requires a valid one.
std::string WriteArchitectureYaml(const arch::Architecture& architecture);

}  // namespace sluice::io
