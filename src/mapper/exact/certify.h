#pragma once
/// \file
/// Writes down what an exact solve proved, for the independent checker (src/verify). Tested by
/// tests/property/certificate_test.cpp.

#include <optional>

#include "cost/certificate.h"
#include "mapper/mapper.h"

namespace sluice::mapper {

/// Empty unless `result` is proven for even mappings: nothing is certified of a search that was
/// stopped, nor of imperfect factors.
std::optional<cost::Certificate> Certify(const Problem& problem, const Result& result);

}  // namespace sluice::mapper
