// See maestro_options.h.

#include "cli/maestro_options.h"

#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "cli/console.h"
#include "cli/options.h"
#include "cli/verbs/verb.h"
#include "driver/maestro.h"

namespace sluice::cli {

void MaestroOptions::Declare(Options& options) {
  options.Text("--model", "NAME", "price MAESTRO's files: maestro, maestro-exact", &model_);
  options.Text("--hw", "FILE", "MAESTRO's hardware file, else defaults", &hardware_);
  options.Flag("--csv", "print the columns that MAESTRO writes", &csv_);
}

Result<int> MaestroOptions::Run(const std::vector<std::string>& files, bool json) const {
  if (model_.empty()) {
    return Fail(Diagnostic(ErrorCode::kUsage, "--hw and --csv belong to --model")
                    .WithHint("--model maestro-exact FILE.m --hw HW.m"));
  }
  if (files.size() != 1) {
    return Fail(Diagnostic(ErrorCode::kUsage, "--model takes one mapping file")
                    .WithHint("--model maestro-exact FILE.m --hw HW.m"));
  }
  if (json && csv_) {
    return Fail(Diagnostic(ErrorCode::kUsage, "--json and --csv exclude each other")
                    .WithHint("leave one of them out"));
  }
  SLUICE_TRY(const driver::MaestroEvaluation evaluation,
             driver::EvaluateMaestro(model_, files[0], hardware_));
  SLUICE_TRY_STATUS(json   ? Print(driver::JsonOfMaestro(evaluation))
                    : csv_ ? Print(driver::CsvOfMaestro(evaluation))
                           : Print(driver::RenderMaestro(evaluation)));
  return kExitOk;
}

}  // namespace sluice::cli
