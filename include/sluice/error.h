#pragma once
/// \file
/// Errors as values. A fallible function returns `Expected<T>`: a `T` or an `Error` that says what
/// is wrong, where, and what would be right. The library never prints, never exits and lets no
/// exception out; only a caller's mistake throws: to read a value that is not there.

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <sluice/export.h>

namespace sluice {

/// Who can do something about an error.
enum class ErrorKind : std::uint8_t {
  kInput,        ///< a file, a name or an option is wrong: the user can
  kNoMapping,    ///< the input is fine, but the operator fits the machine in no way
  kEnvironment,  ///< files that cannot be read or written, memory
  kInternal,     ///< a bug in Sluice: please report it
};

/// What went wrong. Plain data; `text` is all of it, laid out for people.
struct Error {
  ErrorKind kind = ErrorKind::kInput;  ///< who can do something about it
  std::string code;                    ///< stable, for example `E1202`; listed in docs/errors.md
  std::string message;                 ///< one sentence, without the code and a final period
  std::string file;  ///< as it was named by the caller; empty when no file is to blame
  int line = 0;      ///< counts from 1; 0 = unknown
  int column = 0;    ///< counts from 1; 0 = unknown
  std::string path;  ///< inside a structured file, for example `arch.levels[2].size`
  std::vector<std::string> notes;  ///< further facts, one line each
  std::string hint;                ///< what would be right; may be empty
  std::string text;  ///< `file:line:column: error E1202: ...`, source line, notes, hint
};

/// Throws std::logic_error with `error.text`. For Expected; of no other use.
[[noreturn]] SLUICE_API void ThrowBadAccess(const Error& error);

/// A value or the reason why there is none. As thread-safe as `T`. An access to the side that is
/// not there is a mistake of the caller: for a missing value it throws std::logic_error with the
/// error's text, for a missing error std::bad_variant_access.
template <class T>
class [[nodiscard]] Expected {
 public:
  /// Holds a value.
  // NOLINTNEXTLINE(google-explicit-constructor): functions return a value or an error as it is
  Expected(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  /// Holds an error.
  // NOLINTNEXTLINE(google-explicit-constructor): as above
  Expected(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  /// Whether there is a value.
  [[nodiscard]] bool ok() const noexcept { return state_.index() == 0; }
  /// The same as ok().
  explicit operator bool() const noexcept { return ok(); }

  /// The value. Requires ok().
  [[nodiscard]] T& value() & { return Checked(*this); }
  /// The value. Requires ok().
  [[nodiscard]] const T& value() const& { return Checked(*this); }
  /// The value, moved out. Requires ok().
  [[nodiscard]] T&& value() && { return std::move(Checked(*this)); }
  /// The value. Requires ok().
  T& operator*() { return value(); }
  /// The value. Requires ok().
  const T& operator*() const { return value(); }
  /// Member of the value. Requires ok().
  T* operator->() { return &value(); }
  /// Member of the value. Requires ok().
  const T* operator->() const { return &value(); }

  /// The error. Requires !ok().
  [[nodiscard]] const Error& error() const { return std::get<1>(state_); }

 private:
  template <class Self>
  static auto& Checked(Self& self) {
    if (!self.ok()) {
      ThrowBadAccess(std::get<1>(self.state_));
    }
    return std::get<0>(self.state_);
  }

  std::variant<T, Error> state_;
};

/// Success, or the reason why not.
template <>
class [[nodiscard]] Expected<void> {
 public:
  /// Success.
  Expected() = default;
  /// Failure.
  // NOLINTNEXTLINE(google-explicit-constructor): as above
  Expected(Error error) : error_(std::in_place_index<1>, std::move(error)) {}

  /// Whether it succeeded.
  [[nodiscard]] bool ok() const noexcept { return error_.index() == 0; }
  /// The same as ok().
  explicit operator bool() const noexcept { return ok(); }
  /// The error. Requires !ok().
  [[nodiscard]] const Error& error() const { return std::get<1>(error_); }

 private:
  std::variant<std::monostate, Error> error_;
};

}  // namespace sluice
