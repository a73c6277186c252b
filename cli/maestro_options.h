#pragma once
/// \file
/// `sluice evaluate --model maestro[-exact] FILE.m --hw HW.m`: MAESTRO's files under its cost
/// model.

#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "cli/options.h"

namespace sluice::cli {

class MaestroOptions {
 public:
  void Declare(Options& options);
  /// Whether any of the options was given.
  [[nodiscard]] bool asked() const { return !model_.empty() || !hardware_.empty() || csv_; }
  /// Prices the one file and prints. Errors: kUsage; those of driver::EvaluateMaestro.
  [[nodiscard]] Result<int> Run(const std::vector<std::string>& files, bool json) const;

 private:
  std::string model_;
  std::string hardware_;
  bool csv_ = false;
};

}  // namespace sluice::cli
