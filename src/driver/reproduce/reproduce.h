#pragma once
/// \file
/// `sluice reproduce dcp`: the published comparisons of searches over dataflow codes, run again,
/// our figures beside the published ones. Published: DCP's public figures (arXiv 2410.06553 and its
/// supplement pages), GAMMA (ICCAD 2020) as re-run with MAESTRO and a filter for results that are
/// physically impossible. Tested by tests/slow/reproduce_test.py.

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "driver/requests.h"
#include "driver/text/page.h"

namespace sluice::driver {

struct ReproduceOptions {
  bool full = false;  ///< more seeds, layers and machines; training is run, not estimated
  std::string part;   ///< of PartsOfDcp(); empty: all
  std::uint64_t seed = 1;
  int threads = 0;  ///< 0 = every core
  const std::atomic<bool>* stop = nullptr;
  ProgressFunction progress;
};

/// One row: a method, and latency, energy and EDP as far as they were measured (text, so that
/// ranges and `>` can be said).
inline constexpr std::string_view kNone = "none";  ///< nobody has published that

struct ReproducedRow {
  std::string what;
  std::string samples;  ///< a layer and objective
  std::vector<std::string> published;
  std::vector<std::string> ours;
  double cpu_seconds = 0;  ///< a layer and objective, mean
};

struct ReproducedTable {
  std::string title;
  std::vector<std::string> notes;  ///< hardware, energy, bound, seeds
  std::vector<std::string> columns;
  std::vector<ReproducedRow> rows;
};

/// What a target asks of a figure. Of logarithms: at most, and by how much is said of the numbers.
enum class Aiming : std::uint8_t { kAtMost, kAtLeast, kLogarithm };

/// One figure of ours against what it should be.
struct ReproducedTarget {
  std::string what;
  double ours = 0;
  double target = 0;
  Aiming aiming = Aiming::kAtMost;
  std::string reason;  ///< why it is missed, if that is known
  [[nodiscard]] bool reached() const;
  /// Relative: how far beyond the target (positive), or short of it (negative).
  [[nodiscard]] double margin() const;
};

struct Reproduction {
  std::vector<ReproducedTable> tables;
  std::vector<ReproducedTarget> targets;
  std::vector<std::string> missing;  ///< what the published work has and this run does not
  double cpu_seconds = 0;
  bool complete = true;  ///< false when interrupted: the tables so far
};

/// "a, b, c".
std::string PartsOfDcp();

Result<Reproduction> ReproduceDcp(const ReproduceOptions& options);

Page RenderReproduction(const Reproduction& reproduction);
std::string JsonOfReproduction(const Reproduction& reproduction);

}  // namespace sluice::driver
