#pragma once
/// \file
/// A program of the user's as an oracle: it reads dataflow codes as lines of text and writes costs.
/// docs/formats/cost-command.md is the protocol.
///
/// The program may be slow, crash or talk nonsense. Answers count one by one: after a failure the
/// program is started again and asked only for what it has not answered. When it fails too often in
/// a row, Evaluate fails and says how, with every answer so far in `costs`. Answers can be kept in
/// a file; codes found there are not asked again.
/// Tested by tests/unit/command_oracle_test.cpp.

#include <cstdint>
#include <memory>
#include <string>

#include "base/diagnostic.h"
#include "cost/maestro/hardware.h"
#include "cost/oracle/oracle.h"
#include "mapping/dataflow/dataflow.h"

namespace sluice::cost {

struct CommandOptions {
  std::int64_t batch = 100;     ///< codes a request, at most
  double timeout_seconds = 60;  ///< without a line from the program
  int retries = 2;              ///< failures in a row that are forgiven
  std::string labels;           ///< file in which answers are kept; empty: none
};

/// `command` is run by /bin/sh -c, once, and again after each failure. Errors: kUsage for an empty
/// command or bad options; kProgram when it does not answer the greeting; kSyntax and kPlanMismatch
/// for a file of labels that is none, or of another layer or machine.
Result<std::unique_ptr<CostOracle>> MakeCommandOracle(const mapping::Layer& layer,
                                                      const maestro::Hardware& hardware,
                                                      const std::string& command,
                                                      const CommandOptions& options);

}  // namespace sluice::cost
