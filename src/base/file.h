#pragma once
/// \file
/// Files: bounded reads, atomic writes. Nothing half-written is ever left behind: content goes to a
/// temporary file in the same directory, is flushed, and is renamed over the target.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/diagnostic.h"

namespace sluice {

/// Reads a whole file. Errors: kFileUnreadable, or kFileTooLarge above `max_bytes`.
Result<std::string> ReadFile(const std::string& path, std::int64_t max_bytes);

/// Replaces `path` by `content`, atomically. Errors: kFileUnwritable (also for a full disk).
Status WriteFileAtomic(const std::string& path, std::string_view content);

/// Whether WriteFileAtomic could begin, for who works long for what goes there. Changes nothing.
/// Errors: kFileUnwritable.
Status CheckWritable(const std::string& path);

}  // namespace sluice
