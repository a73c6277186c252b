// Diagnostics and exceptions as the errors of the public API.

#include <stdexcept>
#include <string>

#include <sluice/error.h>

#include "api/internals.h"
#include "base/diagnostic.h"

namespace sluice {
namespace {

ErrorKind KindOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kFileUnreadable:
    case ErrorCode::kFileUnwritable:
      return ErrorKind::kEnvironment;
    case ErrorCode::kNoValidMapping:
      return ErrorKind::kNoMapping;
    default:
      return ErrorKind::kInput;
  }
}

}  // namespace

void ThrowBadAccess(const Error& error) {
  throw std::logic_error(error.text);
}

Error ToError(const Diagnostic& diagnostic) {
  Error error;
  error.kind = KindOf(diagnostic.code);
  error.code = diagnostic.CodeName();
  error.message = diagnostic.message;
  error.file = diagnostic.span.file;
  error.line = diagnostic.span.line;
  error.column = diagnostic.span.column;
  error.path = diagnostic.path;
  error.notes = diagnostic.notes;
  error.hint = diagnostic.hint;
  error.text = diagnostic.Render();
  return error;
}

Error BugError(const std::string& what) {
  Error error;
  error.kind = ErrorKind::kInternal;
  error.code = "E0000";
  error.message = what;
  error.hint = "this is a bug in Sluice: please report it with the input files";
  error.text = "internal error: " + what + "\n  hint: " + error.hint + "\n";
  return error;
}

Error OutOfMemoryError() {
  Error error;
  error.kind = ErrorKind::kEnvironment;
  error.code = "E0000";
  error.message = "out of memory";
  error.text = "error: out of memory\n";
  return error;
}

}  // namespace sluice
