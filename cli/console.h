#pragma once
/// \file
/// The terminal: output, the progress line, and Ctrl-C.

#include <atomic>
#include <chrono>
#include <string>
#include <string_view>

#include "base/diagnostic.h"
#include "driver/text/page.h"

namespace sluice::cli {

/// Names and excerpts come from files of strangers: control characters and bytes that are not UTF-8
/// are replaced by `?`, so that no file can steer the terminal. Both functions below do this.
std::string Printable(std::string_view text);

/// Writes to stdout. Errors: kFileUnwritable (a full disk, a closed pipe).
Status Print(std::string_view text);
/// The same; on a terminal what stands out on the page does so in bold and colour, unless NO_COLOR
/// is set (https://no-color.org) or TERM is `dumb`.
Status Print(const driver::Page& page);
/// Writes to stderr; failures are ignored, there is nobody left to tell.
void PrintError(std::string_view text);

/// Whether stderr is a terminal.
bool StderrIsTerminal();

/// Installs the SIGINT handler and returns the flag it sets. The first Ctrl-C sets the flag, the
/// second ends the process at once.
const std::atomic<bool>* CatchInterrupt();

/// One line on stderr, redrawn at most ten times a second and only after the first second. Draws
/// nothing when switched off. Not thread-safe.
class ProgressLine {
 public:
  explicit ProgressLine(bool enabled);
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine();
  void Update(std::int64_t done, std::int64_t total, std::string_view what);
  /// Removes the line; the destructor does too.
  void Clear();

 private:
  using Clock = std::chrono::steady_clock;
  bool enabled_;
  bool drawn_ = false;
  Clock::time_point next_;
};

}  // namespace sluice::cli
