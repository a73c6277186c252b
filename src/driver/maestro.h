#pragma once
/// \file
/// MAESTRO's files under its cost model, as the tool itself counts or exactly.
/// Tested by tests/cli/maestro_test.py.

#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "cost/maestro/hardware.h"
#include "cost/maestro/report.h"
#include "driver/text/page.h"

namespace sluice::driver {

struct MaestroEvaluation {
  struct Entry {
    std::string layer;
    cost::maestro::Report report;
  };
  std::string network;
  bool exact = true;
  cost::maestro::Hardware hardware;
  std::vector<Entry> layers;
};

/// `model`: `maestro`, which repeats the tool's mistakes, or `maestro-exact`. `hardware`: a file,
/// or empty for the tool's defaults. Errors: those of the readers; kUnknownName for the model;
/// kMappingInvalid naming the first layer whose dataflow has no cost.
Result<MaestroEvaluation> EvaluateMaestro(const std::string& model, const std::string& mapping,
                                          const std::string& hardware);

Page RenderMaestro(const MaestroEvaluation& evaluation);
/// The columns of MAESTRO's own CSV.
std::string CsvOfMaestro(const MaestroEvaluation& evaluation);
std::string JsonOfMaestro(const MaestroEvaluation& evaluation);

}  // namespace sluice::driver
