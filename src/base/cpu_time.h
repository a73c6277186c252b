#pragma once
/// \file
/// Processor time, for reports. Never for decisions: it differs from run to run.
/// Tested by tests/unit/parallel_test.cpp.

namespace sluice {

/// Seconds that the calling thread, or all threads of the process, have computed.
double ThreadSeconds();
double ProcessSeconds();

}  // namespace sluice
