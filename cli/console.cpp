// See console.h. POSIX only.

#include "cli/console.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <unistd.h>

#include "base/diagnostic.h"
#include "driver/text/page.h"

namespace sluice::cli {
namespace {

// A signal handler can reach nothing but a global; this one is written by it and read by the
// searches.
std::atomic<bool> interrupted{false};  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
static_assert(std::atomic<bool>::is_always_lock_free);

void WriteError(std::string_view text) {
  static_cast<void>(std::fwrite(text.data(), 1, text.size(), stderr));
}

/// Bytes of the printable character that `text` starts with; 0 when it starts with none.
std::size_t Utf8Length(std::string_view text) {
  const auto byte = [&text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) {
    return text[0] == '\n' || text[0] == '\t' || (byte(0) >= 0x20 && byte(0) != 0x7F) ? 1 : 0;
  }
  const std::size_t length = (byte(0) & 0xE0U) == 0xC0   ? 2
                             : (byte(0) & 0xF0U) == 0xE0 ? 3
                             : (byte(0) & 0xF8U) == 0xF0 ? 4
                                                         : 0;
  if (length == 0 || text.size() < length) {
    return 0;
  }
  std::uint32_t code = byte(0) & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) {
      return 0;
    }
    code = (code << 6U) | (byte(i) & 0x3FU);
  }
  constexpr std::uint32_t kSmallest[] = {0, 0, 0xA0, 0x800, 0x10000};  // also no C1 controls
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  return code >= kSmallest[length] && code <= 0x10FFFF && !surrogate ? length : 0;
}

Status Write(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    return Fail(Diagnostic(ErrorCode::kFileUnwritable,
                           fmt::format("cannot write standard output: {}", std::strerror(errno))));
  }
  return {};
}

bool StdoutTakesColour() {
  const char* no_color = std::getenv("NO_COLOR");  // NOLINT(concurrency-mt-unsafe): one thread
  const char* term = std::getenv("TERM");          // NOLINT(concurrency-mt-unsafe): one thread
  return ::isatty(STDOUT_FILENO) == 1 && (no_color == nullptr || *no_color == '\0') &&
         term != nullptr && std::string_view(term) != "dumb";
}

/// Bold; with a colour that shows on light and dark ground alike for what costs most or binds.
std::string Escape(driver::Emphasis emphasis) {
  return emphasis == driver::Emphasis::kStrong ? "\x1b[1;35m" : "\x1b[1m";
}

void OnInterrupt(int) {
  interrupted.store(true);
}

}  // namespace

std::string Printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = Utf8Length(text.substr(i));
    if (length == 0) {
      out += '?';
      ++i;
      continue;
    }
    out += text.substr(i, length);
    i += length;
  }
  return out;
}

Status Print(std::string_view raw) {
  return Write(Printable(raw));
}

Status Print(const driver::Page& page) {
  if (!StdoutTakesColour()) {
    return Print(page.Plain());
  }
  std::string text;
  for (const driver::Page::Line& line : page.lines()) {
    // A name may hold a line break; Printable leaves it, and the line stays one line of the page.
    const std::string shown = Printable(line.text);
    const bool plain = line.emphasis == driver::Emphasis::kNone || shown.empty();
    text += plain ? shown : Escape(line.emphasis) + shown + "\x1b[0m";
    text += '\n';
  }
  return Write(text);
}

void PrintError(std::string_view text) {
  WriteError(Printable(text));
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
    WriteError("\r\x1b[K");
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
  WriteError(fmt::format("\r\x1b[K[{:#<{}}{:.<{}}] {}/{} {:.30}", "", filled, "", kWidth - filled,
                         done, total, Printable(what)));
}

}  // namespace sluice::cli
