/// \file
/// Bounded reads and atomic writes on plain POSIX calls, because `std::ofstream` hides errno and
/// cannot fsync. Every failure removes the temporary file and reports what the system said. Tested
/// by tests/unit/file_test.cpp.

#include "base/file.h"

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/diagnostic.h"

namespace sluice {

namespace {

/// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  [[nodiscard]] int get() const { return fd_; }
  /// Closes now; false with errno when the system reports a late write error.
  [[nodiscard]] bool Close() {
    const int fd = fd_;
    fd_ = -1;
    return ::close(fd) == 0;
  }

 private:
  int fd_;
};

Diagnostic FileError(ErrorCode code, const char* verb, const std::string& path, std::string reason,
                     std::string hint) {
  return Diagnostic(code, fmt::format("cannot {} `{}`: {}", verb, path, reason))
      .WithHint(std::move(hint))
      .At({.file = path, .excerpt = {}});
}

std::string Reason(int error) {
  return std::strerror(error);
}

Diagnostic Unreadable(const std::string& path, int error) {
  const char* hint = error == ENOENT   ? "check the path; it is relative to the current directory"
                     : error == EACCES ? "make the file readable for this user"
                                       : "";
  return FileError(ErrorCode::kFileUnreadable, "read", path, Reason(error), hint);
}

Diagnostic Unwritable(const std::string& path, int error) {
  const char* hint = error == ENOSPC || error == EDQUOT ? "free some space, or write elsewhere"
                     : error == ENOENT                  ? "create the directory first"
                     : error == EACCES || error == EROFS
                         ? "choose a directory that this user may write"
                         : "";
  return FileError(ErrorCode::kFileUnwritable, "write", path, Reason(error), hint);
}

Diagnostic TooLarge(const std::string& path, std::int64_t max_bytes) {
  return FileError(ErrorCode::kFileTooLarge, "read", path,
                   fmt::format("it is larger than {} bytes", max_bytes),
                   "is this the file you meant?");
}

/// Writes everything; returns 0 or the errno.
int WriteAll(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t n = ::write(fd, content.data(), content.size());
    if (n < 0) {
      if (errno == EINTR) {
        continue;
      }
      return errno;
    }
    content.remove_prefix(static_cast<std::size_t>(n));
  }
  return 0;
}

/// A device or pipe cannot be replaced by rename: it is written in place.
Status WriteInPlace(const std::string& path, std::string_view content) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (file.get() < 0) {
    return Fail(Unwritable(path, errno));
  }
  if (const int error = WriteAll(file.get(), content); error != 0) {
    return Fail(Unwritable(path, error));
  }
  if (!file.Close()) {
    return Fail(Unwritable(path, errno));
  }
  return {};
}

/// Follows symbolic links, so that the link survives and its target is replaced.
std::string ResolveTarget(const std::string& path) {
  char* resolved = ::realpath(path.c_str(), nullptr);
  if (resolved == nullptr) {
    return path;
  }
  std::string target = resolved;
  std::free(resolved);  // NOLINT(cppcoreguidelines-no-malloc): realpath allocates with malloc
  return target;
}

}  // namespace

Result<std::string> ReadFile(const std::string& path, std::int64_t max_bytes) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) {
    return Fail(Unreadable(path, errno));
  }
  struct stat info = {};
  if (::fstat(file.get(), &info) != 0) {
    return Fail(Unreadable(path, errno));
  }
  if (S_ISDIR(info.st_mode)) {
    return Fail(Unreadable(path, EISDIR));
  }
  if (S_ISREG(info.st_mode) && info.st_size > max_bytes) {
    return Fail(TooLarge(path, max_bytes));
  }
  std::string content;
  constexpr std::size_t kChunk = std::size_t{1} << 18U;
  std::size_t used = 0;
  while (true) {
    content.resize(used + kChunk);
    const ssize_t n = ::read(file.get(), content.data() + used, kChunk);
    if (n < 0) {
      if (errno == EINTR) {
        continue;
      }
      return Fail(Unreadable(path, errno));
    }
    if (n == 0) {
      break;
    }
    used += static_cast<std::size_t>(n);
    if (static_cast<std::int64_t>(used) >
        max_bytes) {  // pipes and growing files have no honest size
      return Fail(TooLarge(path, max_bytes));
    }
  }
  content.resize(used);
  return content;
}

Status CheckWritable(const std::string& path) {
  struct stat info = {};
  const bool exists = ::stat(path.c_str(), &info) == 0;
  if (exists && S_ISDIR(info.st_mode)) {
    return Fail(Unwritable(path, EISDIR));
  }
  if (exists && !S_ISREG(info.st_mode)) {
    return {};
  }
  std::string temporary = (exists ? ResolveTarget(path) : path) + ".XXXXXX";
  const Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (file.get() < 0) {
    return Fail(Unwritable(path, errno));
  }
  ::unlink(temporary.c_str());
  return {};
}

Status WriteFileAtomic(const std::string& path, std::string_view content) {
  struct stat info = {};
  const bool exists = ::stat(path.c_str(), &info) == 0;
  if (exists && S_ISDIR(info.st_mode)) {
    return Fail(Unwritable(path, EISDIR));
  }
  if (exists && !S_ISREG(info.st_mode)) {
    return WriteInPlace(path, content);
  }
  const std::string target = exists ? ResolveTarget(path) : path;
  std::string temporary = target + ".XXXXXX";
  Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (file.get() < 0) {
    return Fail(Unwritable(path, errno));
  }
  int error = WriteAll(file.get(), content);
  // mkostemp makes the file private; a replaced file keeps its mode, a new one is readable by
  // others.
  const mode_t mode = exists ? (info.st_mode & 0777U) : 0644U;
  if (error == 0 && (::fchmod(file.get(), mode) != 0 || ::fsync(file.get()) != 0)) {
    error = errno;
  }
  if (!file.Close() && error == 0) {
    error = errno;
  }
  if (error == 0 && ::rename(temporary.c_str(), target.c_str()) != 0) {
    error = errno;
  }
  if (error != 0) {
    ::unlink(temporary.c_str());
    return Fail(Unwritable(path, error));
  }
  return {};
}

}  // namespace sluice
