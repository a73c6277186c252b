#include "cost/command/process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/diagnostic.h"

extern char** environ;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables): POSIX's own

namespace sluice::cost {
namespace {

using Clock = std::chrono::steady_clock;

struct Pair {
  int ours = -1;
  int theirs = -1;
};

/// Sockets, not pipes: a write to a dead child is then an error and not a signal.
bool Connect(Pair& pair) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return false;
  }
  pair = {ends[0], ends[1]};
  return fcntl(pair.ours, F_SETFL, O_NONBLOCK) == 0;
}

void Close(int& descriptor) {
  if (descriptor >= 0) {
    close(descriptor);
    descriptor = -1;
  }
}

}  // namespace

Result<std::unique_ptr<LineProcess>> LineProcess::Start(const std::string& command) {
  Pair in;
  Pair out;
  pid_t child = -1;
  int error = 0;
  if (!Connect(in) || !Connect(out)) {
    error = errno;
  } else {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, in.theirs, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out.theirs, STDOUT_FILENO);
    // Its own group: what it starts dies with it, and Ctrl-C ends the search, not the program.
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setpgroup(&attributes, 0);
    std::string shell = "sh";
    std::string option = "-c";
    std::string text = command;
    const std::array<char*, 4> arguments = {shell.data(), option.data(), text.data(), nullptr};
    error = posix_spawn(&child, "/bin/sh", &actions, &attributes, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  Close(in.theirs);
  Close(out.theirs);
  if (error != 0) {
    Close(in.ours);
    Close(out.ours);
    return Fail(ErrorCode::kProgram,
                fmt::format("cannot start `{}`: {}", command, std::strerror(error)));
  }
  return std::unique_ptr<LineProcess>(new LineProcess(child, in.ours, out.ours));
}

LineProcess::~LineProcess() {
  Close(input_);
  // Time to finish what it does at its end; none for one that did not answer.
  constexpr int kPolls = 400;
  for (int i = 0; i < kPolls && child_ > 0 && !silent_; ++i) {
    if (waitpid(child_, nullptr, WNOHANG) == child_) {
      child_ = -1;
      break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  if (child_ > 0) {
    kill(-child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }
  Close(output_);
}

tl::expected<std::string, std::string> LineProcess::ReadLine(double seconds) {
  const auto deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                           std::chrono::duration<double>(seconds));
  while (true) {
    if (const std::size_t end = received_.find('\n'); end != std::string::npos) {
      std::string line = received_.substr(0, end);
      received_.erase(0, end + 1);
      if (!line.empty() && line.back() == '\r') {
        line.pop_back();
      }
      return line;
    }
    if (received_.size() > kMaxAnswerLine) {
      return tl::unexpected(fmt::format("wrote {} bytes without a newline", received_.size()));
    }
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) {
      silent_ = true;
      return tl::unexpected(fmt::format("said nothing for {} s", seconds));
    }
    std::array<pollfd, 2> wait = {pollfd{output_, POLLIN, 0},
                                  pollfd{unsent_.empty() ? -1 : input_, POLLOUT, 0}};
    constexpr std::int64_t kPollLimit = 1000;
    poll(wait.data(), wait.size(), static_cast<int>(std::min(left, kPollLimit)));
    Send();
    if (Receive() && received_.find('\n') == std::string::npos) {
      return tl::unexpected(HowItEnded());
    }
  }
}

void LineProcess::Send() {
  while (!unsent_.empty()) {
    const ssize_t sent = send(input_, unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      return;  // full, or a dead child: reading tells which
    }
    unsent_.erase(0, static_cast<std::size_t>(sent));
  }
}

bool LineProcess::Receive() {
  std::array<char, 4096> buffer{};
  while (received_.size() <= kMaxAnswerLine) {
    const ssize_t got = read(output_, buffer.data(), buffer.size());
    if (got > 0) {
      received_.append(buffer.data(), static_cast<std::size_t>(got));
      continue;
    }
    return got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
  }
  return false;
}

std::string LineProcess::HowItEnded() {
  int status = 0;
  constexpr int kPolls = 100;
  for (int i = 0; i < kPolls; ++i) {
    if (waitpid(child_, &status, WNOHANG) == child_) {
      kill(-child_, SIGKILL);  // what it may have left behind
      child_ = -1;
      if (WIFSIGNALED(status)) {
        return fmt::format("was ended by signal {}", WTERMSIG(status));
      }
      return fmt::format("ended with exit code {}", WEXITSTATUS(status));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return "closed its output";
}

}  // namespace sluice::cost
