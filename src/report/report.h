#pragma once
/// \file
/// One or two plans as one HTML file that needs nothing else: no network, no server, no other file.
/// The interactive form is the bundle of web/ with the data in it; it exists when the build found
/// Node.js. The plain form has tables and drawn bars, no script, and always exists. Both show the
/// same payload, so neither can disagree with the plan. docs/report.md describes what is shown.
/// Tested by tests/unit/report_test.cpp and tests/web.

#include <cstdint>
#include <span>
#include <string>

#include "arch/architecture.h"
#include "base/diagnostic.h"
#include "ir/network.h"
#include "planner/plan.h"

namespace sluice::report {

/// A plan with what it was made from; all three outlive the call. The network gives the edges of
/// the graph, the architecture the tree and the roofs.
struct Subject {
  const planner::Plan* plan = nullptr;
  const ir::Network* network = nullptr;
  const arch::Architecture* architecture = nullptr;
};

enum class Style : std::uint8_t { kInteractive, kPlain };

/// Whether this build carries the interactive form.
[[nodiscard]] bool InteractiveAvailable();

/// The data of the report as one line of JSON, `format` "sluice-report". Requires one subject or
/// two. Errors: kPlanMismatch when a plan, its network and its architecture do not belong together.
Result<std::string> Payload(std::span<const Subject> subjects);

/// The whole HTML file. Errors: those of Payload; kUsage for kInteractive when this build has none.
Result<std::string> Render(std::span<const Subject> subjects, Style style);

}  // namespace sluice::report
