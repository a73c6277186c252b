#pragma once
/// \file
/// A verb of the command line: declares its options, then runs. One file a verb; the table of all
/// verbs is in main.cpp. Verbs hold no logic of their own: they call the driver and print what it
/// renders.

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include "base/diagnostic.h"
#include "cli/options.h"

namespace sluice::cli {

/// Documented in docs/cli.md.
enum ExitCode : int {
  kExitOk = 0,
  kExitNoMapping = 1,
  kExitUnverified = 1,
  kExitBadInput = 2,
  kExitInternalError = 70,
  kExitInterrupted = 130,
};

/// What main gives to every verb.
struct Context {
  std::string command_line;                 ///< for provenance
  const std::atomic<bool>* stop = nullptr;  ///< becomes true on the first Ctrl-C
  bool progress = false;                    ///< stderr is a terminal
};

class Verb {
 public:
  Verb() = default;
  Verb(const Verb&) = delete;
  Verb& operator=(const Verb&) = delete;
  virtual ~Verb() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// One line for `sluice --help`.
  [[nodiscard]] virtual std::string_view summary() const = 0;
  /// Example command lines, one a line, indented by two spaces.
  [[nodiscard]] virtual std::string_view examples() const = 0;
  virtual void Declare(Options& options) = 0;
  /// The process's exit code, or the reason why it failed.
  virtual Result<int> Run(const Context& context) = 0;
};

std::unique_ptr<Verb> MakePlanVerb();
std::unique_ptr<Verb> MakeMapVerb();
std::unique_ptr<Verb> MakeEvaluateVerb();
std::unique_ptr<Verb> MakeExplainVerb();
std::unique_ptr<Verb> MakeVerifyVerb();
std::unique_ptr<Verb> MakeReportVerb();
std::unique_ptr<Verb> MakeShowVerb();
std::unique_ptr<Verb> MakeArchsVerb();
std::unique_ptr<Verb> MakeModelsVerb();
std::unique_ptr<Verb> MakeConstraintsVerb();
std::unique_ptr<Verb> MakeMappersVerb();
std::unique_ptr<Verb> MakeCompareVerb();
std::unique_ptr<Verb> MakePriceVerb();
std::unique_ptr<Verb> MakeReproduceVerb();
std::unique_ptr<Verb> MakeDatasetVerb();
std::unique_ptr<Verb> MakeTrainVerb();
std::unique_ptr<Verb> MakeCacheVerb();
std::unique_ptr<Verb> MakeDoctorVerb();
std::unique_ptr<Verb> MakeVersionVerb();

}  // namespace sluice::cli
