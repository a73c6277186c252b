#pragma once
/// \file
/// What a user may ask for, in words: the strings and numbers of the command line (and later of
/// other front ends), not yet looked up or checked. The functions of driver.h do that.

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::driver {

/// A network by path or shipped name.
struct ModelRequest {
  std::string model;
  std::int64_t batch = 0;                                  ///< 0 = as in the model
  std::vector<std::pair<std::string, std::int64_t>> dims;  ///< values of symbolic dims
  bool skip_unknown = false;  ///< unknown operators become opaque vector operators, with a warning
};

/// Called between pieces of work; `total` is 0 when unknown.
using ProgressFunction =
    std::function<void(std::int64_t done, std::int64_t total, std::string_view what)>;

using WarningFunction = std::function<void(const std::string& warning)>;

/// How to search and how to score.
struct SearchRequest {
  std::string objective = "edp";
  std::string policy = "physical";
  std::string mapper = "exact";
  std::uint64_t seed = 1;
  int threads = 0;  ///< 0 = every core
  /// Of each distinct operator. 0 = with `budget_seconds`, until that is used up or the mapper
  /// converges; without, what the mapper grants itself for an operator of a network, and for a
  /// single operator until it converges or proves, up to 30 million evaluations.
  std::int64_t budget_evaluations = 0;
  /// Wall time of the search, shared among the distinct operators; 0 = no limit. Reading files is
  /// not counted, and an operator whose share is used up before its first valid mapping still gets
  /// a short random search, so a command may take a little longer.
  double budget_seconds = 0;
  bool imperfect = false;    ///< allow factors that do not divide
  std::string constraints;   ///< path of a file of constraints; empty: none
  std::string cache_folder;  ///< where results are recalled from and stored; empty: nowhere
  std::int64_t cache_bytes = std::int64_t{256} << 20U;
  const std::atomic<bool>* stop = nullptr;
  ProgressFunction progress;  ///< may be empty; called from one thread at a time
  WarningFunction warn;       ///< may be empty; a sentence that is worth showing
};

}  // namespace sluice::driver
