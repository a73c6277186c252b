#pragma once
/// \file
/// Results as the CSV that MAESTRO writes: the same columns, the same six digits.
/// Tested by tests/golden/maestro_test.cpp.

#include <span>
#include <string>

#include "cost/maestro/hardware.h"
#include "cost/maestro/report.h"

namespace sluice::io {

struct MaestroRow {
  std::string layer;
  cost::maestro::Report report;
};

/// Energy column: `as_tool` writes what the tool writes (the L2 part, with the L1 part of the layer
/// *before* unless the dataflow has one level); otherwise L2 + L1 + MACs of the layer itself.
struct MaestroCsvOptions {
  bool as_tool = false;
};

/// A header and one line a layer, in order. Rows whose verdict is not kOk are left out, as the tool
/// ends before it writes them.
std::string WriteMaestroCsv(const std::string& network, std::span<const MaestroRow> rows,
                            const cost::maestro::Hardware& hardware,
                            const MaestroCsvOptions& options);

}  // namespace sluice::io
