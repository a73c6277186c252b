#pragma once
/// \file
/// The other end of `--cost-command`: our own `maestro` models as a program that speaks the
/// protocol (docs/formats/cost-command.md). For trying it, for wrappers around it, and to price
/// codes on another computer. Tested by tests/unit/cost_program_test.cpp.

#include <memory>
#include <string>
#include <string_view>

#include "base/diagnostic.h"
#include "cost/oracle/oracle.h"

namespace sluice::driver {

class CostProgram {
 public:
  /// `model`: maestro or maestro-exact; then the three lines of the greeting. Errors: kUnknownName,
  /// kVersion, kSyntax, kOperatorInvalid, kBadValue.
  static Result<CostProgram> Create(const std::string& model, std::string_view version,
                                    std::string_view layer, std::string_view hardware);
  /// The number behind `price`. Errors: kSyntax.
  static Result<std::int64_t> ParseRequest(std::string_view line);
  /// The answer to one code, without newline. Errors: kSyntax for what is no code.
  Result<std::string> Answer(std::string_view code);

 private:
  explicit CostProgram(std::unique_ptr<cost::CostOracle> oracle) : oracle_(std::move(oracle)) {}
  std::unique_ptr<cost::CostOracle> oracle_;
};

}  // namespace sluice::driver
