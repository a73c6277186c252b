#pragma once
/// \file
/// Internal to the report: the form without a script, tables and bars drawn here.

#include <string>

#include "report/payload.h"

namespace sluice::report {

/// A whole HTML file from the payload. `reason` stands at the top: why there are no charts.
std::string PlainReport(const Json& payload, const std::string& reason);

}  // namespace sluice::report
