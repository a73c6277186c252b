#pragma once
/// \file
/// What `plan` and `report` say about a report they wrote.

#include <string>

#include "driver/report.h"

namespace sluice::cli {

/// Where it is and how large; and, in a build without the front end, why it has no charts.
std::string ReportLine(const driver::WrittenReport& written);

}  // namespace sluice::cli
