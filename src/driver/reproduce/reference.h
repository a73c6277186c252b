#pragma once
/// \file
/// Searches over dataflow codes under the reference model, against the exact mapper: how far from
/// the proven optimum of EDP they end on eyeriss, simba and nvdla-like. Nobody has published that.
/// Tested by tests/slow/reproduce_test.py.

#include <vector>

#include "base/diagnostic.h"
#include "driver/reproduce/reproduce.h"

namespace sluice::driver {

/// Quick: four layers; full: every distinct product of ResNet-50 and BERT-base. Where the exact
/// mapper has no proof within its budget, its best mapping is the measure, and a note says how
/// often. Errors: those of the readers of shipped files and of the oracles.
struct ReferenceTable {
  ReproducedTable table;
  std::vector<ReproducedTarget> targets;
  double cpu_seconds = 0;  ///< of the searches over codes
  bool complete = true;
};
Result<ReferenceTable> MeasureAgainstExact(const ReproduceOptions& options);

}  // namespace sluice::driver
