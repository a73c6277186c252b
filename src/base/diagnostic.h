#pragma once
/// \file
/// Errors as values. Every fallible function of the library returns `Result<T>`; a `Diagnostic`
/// says what is wrong, where, and what would be right. The library never prints and never exits.
///
/// Three classes (user input, environment, bug):
///  - user input and environment failures are `Diagnostic`s;
///  - a violated invariant of our own is `InternalError`, thrown by SLUICE_CHECK and caught in
///  main.
/// Tested by tests/unit/diagnostic_test.cpp.

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

namespace sluice {

/// Stable error codes, printed as `E1203`. The table of all codes with one sentence each is
/// `AllErrorCodes()` in error_codes.cpp; docs/errors.md is generated from it.
enum class ErrorCode : std::uint16_t {
  // 1000: files and environment
  kFileUnreadable = 1001,
  kFileUnwritable = 1002,
  kFileTooLarge = 1003,
  kProgram = 1004,
  // 1100: command line
  kUsage = 1101,
  kUnknownName = 1102,
  // 1200: text formats (YAML, JSON, descriptors, directives)
  kSyntax = 1201,
  kUnknownKey = 1202,
  kDuplicateKey = 1203,
  kMissingKey = 1204,
  kWrongType = 1205,
  kBadValue = 1206,
  kBadUnit = 1207,
  kTooDeep = 1208,
  kVersion = 1209,
  // 1300: ONNX and network
  kOnnxMalformed = 1301,
  kOnnxUnsupportedOp = 1302,
  kOnnxUnsupportedOpset = 1303,
  kOnnxMissingTensor = 1304,
  kOnnxCycle = 1305,
  kOnnxShape = 1306,
  kOnnxDynamicDim = 1307,
  kOnnxOverflow = 1308,
  kOnnxControlFlow = 1309,
  // 1400: architecture
  kArchInvalid = 1401,
  // 1500: mapping and plan
  kMappingInvalid = 1501,
  kMappingCoverage = 1502,
  kMappingCapacity = 1503,
  kMappingFanOut = 1504,
  kNoValidMapping = 1505,
  kPlanMismatch = 1506,
  kConstraints = 1507,
  // 1600: operator
  kOperatorInvalid = 1601,
};

/// One row of the error table: the code, its short name and a one-sentence explanation.
struct ErrorCodeInfo {
  ErrorCode code;
  std::string_view name;
  std::string_view explanation;
};

/// All codes in ascending order. Complete: tested against the enumerators.
const std::vector<ErrorCodeInfo>& AllErrorCodes();

/// Where in a user's file the problem is. Lines and columns count from 1; 0 means unknown.
struct SourceSpan {
  std::string file;
  int line = 0;
  int column = 0;
  int length = 1;       ///< characters to underline, at least 1
  std::string excerpt;  ///< the source line, without its newline; empty if not a text file
};

struct [[nodiscard]] Diagnostic {
  ErrorCode code = ErrorCode::kUsage;
  std::string message;  ///< one sentence, no trailing period, no code
  SourceSpan span;
  std::string path;                ///< for example `arch.levels[2].size`; may be empty
  std::vector<std::string> notes;  ///< further facts, one line each
  std::string hint;                ///< what would be right; may be empty

  Diagnostic() = default;
  Diagnostic(ErrorCode c, std::string m) : code(c), message(std::move(m)) {}

  Diagnostic&& WithHint(std::string h) &&;
  Diagnostic&& WithNote(std::string n) &&;
  Diagnostic&& WithPath(std::string p) &&;
  Diagnostic&& At(SourceSpan s) &&;

  /// `file:line:col: error E1202: message` + source line + caret + notes + hint,
  /// newline-terminated.
  [[nodiscard]] std::string Render() const;
  /// `E1202`
  [[nodiscard]] std::string CodeName() const;
};

template <class T>
using Result = tl::expected<T, Diagnostic>;
using Status = tl::expected<void, Diagnostic>;

/// `return Fail(ErrorCode::kBadValue, "...")` in a function returning any Result.
inline tl::unexpected<Diagnostic> Fail(ErrorCode code, std::string message) {
  return tl::unexpected<Diagnostic>(Diagnostic(code, std::move(message)));
}
inline tl::unexpected<Diagnostic> Fail(Diagnostic diagnostic) {
  return tl::unexpected<Diagnostic>(std::move(diagnostic));
}

/// A bug in Sluice, never a user's mistake.
class InternalError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// Throws InternalError naming the expression and the place.
[[noreturn]] void CheckFailed(const char* expression, const char* file, int line,
                              const std::string& detail);

}  // namespace sluice

// The two macros of the code base, for checks only. SLUICE_TRY unwraps a Result or returns its
// error.
#define SLUICE_CHECK(condition, detail)                                \
  do {                                                                 \
    if (!(condition)) [[unlikely]] {                                   \
      ::sluice::CheckFailed(#condition, __FILE__, __LINE__, (detail)); \
    }                                                                  \
  } while (false)

#define SLUICE_CONCAT_INNER(a, b) a##b
#define SLUICE_CONCAT(a, b) SLUICE_CONCAT_INNER(a, b)
#define SLUICE_TRY(declaration, expression) \
  SLUICE_TRY_IMPL(SLUICE_CONCAT(sluice_result_, __LINE__), declaration, expression)
#define SLUICE_TRY_IMPL(temporary, declaration, expression)                      \
  auto temporary = (expression);                                                 \
  if (!temporary) {                                                              \
    return ::tl::unexpected<::sluice::Diagnostic>(std::move(temporary).error()); \
  }                                                                              \
  declaration = std::move(*temporary)
/// For a Status (no value).
#define SLUICE_TRY_STATUS(expression)                                                  \
  do {                                                                                 \
    if (auto sluice_status = (expression); !sluice_status) {                           \
      return ::tl::unexpected<::sluice::Diagnostic>(std::move(sluice_status).error()); \
    }                                                                                  \
  } while (false)
