// See console.h. POSIX only.

#include "cli/console.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstring>

#include <fmt/format.h>
#include <unistd.h>

namespace sluice::cli {
namespace {

// A signal handler can reach nothing but a global; this one is written by it and read by the
// searches.
std::atomic<bool> interrupted{false};  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
static_assert(std::atomic<bool>::is_always_lock_free);

void OnInterrupt(int) {
  interrupted.store(true);
}

}  // namespace

Status Print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    return Fail(Diagnostic(ErrorCode::kFileUnwritable,
                           fmt::format("cannot write standard output: {}", std::strerror(errno))));
  }
  return {};
}

void PrintError(std::string_view text) {
  static_cast<void>(std::fwrite(text.data(), 1, text.size(), stderr));
}

bool StderrIsTerminal() {
  return ::isatty(STDERR_FILENO) == 1;
}

const std::atomic<bool>* CatchInterrupt() {
  struct sigaction action = {};
  action.sa_handler = OnInterrupt;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  sigaction(SIGINT, &action, nullptr);
  return &interrupted;
}

ProgressLine::ProgressLine(bool enabled)
    : enabled_(enabled), next_(Clock::now() + std::chrono::seconds(1)) {}

ProgressLine::~ProgressLine() {
  Clear();
}

void ProgressLine::Clear() {
  if (drawn_) {
    PrintError("\r\x1b[K");
    drawn_ = false;
  }
}

void ProgressLine::Update(std::int64_t done, std::int64_t total, std::string_view what) {
  if (!enabled_ || total <= 0 || Clock::now() < next_) {
    return;
  }
  next_ = Clock::now() + std::chrono::milliseconds(100);
  drawn_ = true;
  constexpr std::int64_t kWidth = 30;
  const std::int64_t filled = std::clamp<std::int64_t>(done * kWidth / total, 0, kWidth);
  PrintError(fmt::format("\r\x1b[K[{:#<{}}{:.<{}}] {}/{} {:.30}", "", filled, "", kWidth - filled,
                         done, total, what));
}

}  // namespace sluice::cli
