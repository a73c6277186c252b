#pragma once
/// \file
/// The options that `plan` and `map` share, and those of every verb that loads a model.

#include <cstdint>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "cli/options.h"
#include "cli/verbs/verb.h"
#include "driver/requests.h"

namespace sluice::cli {

/// --objective, --policy, --mapper, --seed, --threads, --budget-*, --imperfect, --constraints,
/// --no-cache
class SearchOptions {
 public:
  void Declare(Options& options);
  /// Warnings go to standard error. Errors: kUnknownName for constraints that do not exist.
  [[nodiscard]] Result<driver::SearchRequest> Request(const Context& context,
                                                      driver::ProgressFunction progress) const;

 private:
  driver::SearchRequest defaults_;
  std::int64_t seed_ = 1;
  std::int64_t threads_ = 0;
  bool no_cache_ = false;
};

/// --batch, --dim, --skip-unknown
class ModelOptions {
 public:
  void Declare(Options& options);
  /// Errors: kUsage for a --dim that is not name=value.
  [[nodiscard]] Result<driver::ModelRequest> Request(const std::string& model) const;

 private:
  std::int64_t batch_ = 0;
  std::vector<std::string> dims_;
  bool skip_unknown_ = false;
};

}  // namespace sluice::cli
