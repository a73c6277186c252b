#pragma once
/// \file
/// Timeloop's `architecture_constraints` and `mapspace_constraints` as a ConstraintSpec
/// (docs/formats/constraints.md has the table of what is read). What Sluice's constraints cannot
/// express is an error at its place. Tested by tests/unit/timeloop_constraints_test.cpp.

#include "base/diagnostic.h"
#include "io/yaml/yaml.h"
#include "mapping/constraints.h"

namespace sluice::io {

/// Whether the document at `root` is such a file.
bool IsTimeloopConstraints(const Cursor& root);

/// Both sections when both are there. Errors: 1200s, kConstraints for what cannot be expressed.
Result<mapping::ConstraintSpec> ReadTimeloopConstraints(const Cursor& root);

}  // namespace sluice::io
