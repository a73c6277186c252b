#pragma once
/// \file
/// A child process with lines in and lines out: /bin/sh -c in a process group of its own. Every
/// wait has a limit, and nothing that the child does can block or end the caller.
/// Tested by tests/unit/command_oracle_test.cpp.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "base/diagnostic.h"

namespace sluice::cost {

inline constexpr std::size_t kMaxAnswerLine = 4096;  ///< bytes of a line; longer ones are nonsense

class LineProcess {
 public:
  /// Errors: kProgram when no process can be made.
  static Result<std::unique_ptr<LineProcess>> Start(const std::string& command);
  LineProcess(const LineProcess&) = delete;
  LineProcess& operator=(const LineProcess&) = delete;
  /// Closes its input, and kills it if that does not end it at once.
  ~LineProcess();

  /// Queues text for the child. It is written while lines are read, so that two full pipes can not
  /// wait for one another.
  void Write(std::string_view text) { unsent_ += text; }
  /// The next line without its newline. Errors, as a sentence that goes on with "the program":
  /// it ended (how), it said nothing for `seconds`, a line that does not end.
  tl::expected<std::string, std::string> ReadLine(double seconds);

 private:
  LineProcess(pid_t child, int input, int output) : child_(child), input_(input), output_(output) {}
  std::string HowItEnded();
  void Send();
  /// Whether the child's output ended.
  bool Receive();

  pid_t child_ = -1;
  int input_ = -1;
  int output_ = -1;
  std::string unsent_;
  std::string received_;
  bool silent_ = false;  ///< did not answer in time
};

}  // namespace sluice::cost
