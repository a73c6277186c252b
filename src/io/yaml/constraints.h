#pragma once
/// \file
/// Constraints on mappings as YAML (docs/formats/constraints.md). Strict, like every format here.
/// Files with Timeloop's `architecture_constraints` or `mapspace_constraints` are read too
/// (io/timeloop/constraints.h). Tested by tests/unit/constraints_yaml_test.cpp.

#include <string>

#include "base/diagnostic.h"
#include "io/yaml/yaml.h"
#include "mapping/constraints.h"

namespace sluice::io {

inline constexpr int kConstraintsFormatVersion = 1;

/// The constraints at `at`, in Sluice's format. Names of levels and dims are only known when they
/// are resolved (mapping/constraints.h). Errors: 1200s, with positions.
Result<mapping::ConstraintSpec> ReadConstraints(const Cursor& at);

/// The text of a file of either format; `file_name` stands in errors.
Result<mapping::ConstraintSpec> ParseConstraints(std::string text, const std::string& file_name);
/// A file of either format. Errors: also kFileUnreadable.
Result<mapping::ConstraintSpec> LoadConstraints(const std::string& path);

/// Reads back to an equal spec, places aside.
std::string WriteConstraintsYaml(const mapping::ConstraintSpec& spec);

}  // namespace sluice::io
