#pragma once
/// \file
/// Internal to the report: the bundle of web/, compiled in. Its definition is written at build
/// time: by web/build.mjs when Node.js is there, else by cmake/web.cmake with no pieces at all.

#include <string_view>
#include <vector>

namespace sluice::report {

/// What stands where the data goes.
inline constexpr std::string_view kDataPlaceholder = "/*SLUICE-REPORT-DATA*/";

/// The template in order; empty when this build has no interactive report.
std::vector<std::string_view> TemplatePieces();

}  // namespace sluice::report
