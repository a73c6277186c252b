#include "mapper/cache/cache.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <ios>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "base/diagnostic.h"
#include "base/file.h"
#include "base/hash.h"
#include "mapper/mapper.h"

namespace sluice::mapper {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kExtension = ".result";
constexpr std::string_view kTemporary = ".partial";
constexpr std::int64_t kMaxEntryBytes = 1 << 20;
/// What a run that died left behind is removed after this time.
constexpr auto kStale = std::chrono::hours(1);
/// Evicting goes on to this share of the limit, so that it is rare.
constexpr double kAfterEviction = 0.8;
constexpr std::size_t kMostWarnings = 3;
/// How often a file that is there may be gone when it is read.
constexpr int kMostTries = 5;

struct Entry {
  fs::path path;
  std::int64_t bytes = 0;
  fs::file_time_type used;
};

/// All entries of a folder; with `stale`, also what died runs left behind.
std::vector<Entry> List(const std::string& folder, std::vector<fs::path>* stale) {
  std::vector<Entry> entries;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;  // another process may remove a file at any time
    const fs::path& path = it->path();
    if (!it->is_regular_file(ignored)) {
      continue;
    }
    const auto used = it->last_write_time(ignored);
    if (path.extension() == kExtension) {
      const auto size = it->file_size(ignored);
      if (!ignored) {
        entries.push_back({path, static_cast<std::int64_t>(size), used});
      }
    } else if (path.extension() == kTemporary && stale != nullptr && !ignored &&
               fs::file_time_type::clock::now() - used > kStale) {
      stale->push_back(path);
    }
  }
  return entries;
}

bool WorthKeeping(const Result& result) {
  return result.best.has_value() &&
         (result.stopped == StopReason::kProven || result.stopped == StopReason::kConverged ||
          result.stopped == StopReason::kEvaluations);
}

}  // namespace

ResultCache::ResultCache(std::string folder, std::string build, std::int64_t max_bytes)
    : folder_(std::move(folder)), build_(std::move(build)), max_bytes_(max_bytes) {}

Result ResultCache::Solve(const Mapper& mapper, const Problem& problem, const Budget& budget) {
  const auto start = std::chrono::steady_clock::now();
  const std::string key = CacheKey(problem, budget.evaluations, mapper.name(), build_);
  if (std::optional<Result> found = Find(key, problem)) {
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
    found->seconds = spent.count();
    return std::move(*found);
  }
  Result result = mapper.Solve(problem, budget);
  if (WorthKeeping(result)) {
    Store(key, result);
  }
  return result;
}

ResultCache::Counts ResultCache::counts() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return counts_;
}

std::vector<Diagnostic> ResultCache::TakeWarnings() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(warnings_, {});
}

std::string ResultCache::PathOf(const std::string& key) const {
  return (fs::path(folder_) / (ContentHash(key) + std::string(kExtension))).string();
}

std::optional<Result> ResultCache::Find(const std::string& key, const Problem& problem) {
  const std::string path = PathOf(key);
  std::error_code error;
  auto bytes = ReadFile(path, kMaxEntryBytes);
  for (int tries = 0; !bytes && tries < kMostTries; ++tries) {
    if (!fs::exists(path, error)) {
      const std::lock_guard<std::mutex> lock(mutex_);
      ++counts_.misses;
      return std::nullopt;
    }
    bytes = ReadFile(path, kMaxEntryBytes);  // evicted and stored again meanwhile
  }
  sluice::Result<Result> result =
      bytes ? ReadCacheEntry(*bytes, key, problem) : Fail(bytes.error());
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!result) {
    ++counts_.misses;
    ++counts_.damaged;
    Warn(Diagnostic(
             ErrorCode::kFileUnreadable,
             fmt::format("an entry of the mapping cache is not used: {}", result.error().message))
             .WithNote(path)
             .WithHint("it is searched again and replaced; `sluice cache clear` removes all"));
    return std::nullopt;
  }
  ++counts_.hits;
  fs::last_write_time(path, fs::file_time_type::clock::now(), error);  // used last
  return std::move(*result);
}

void ResultCache::Store(const std::string& key, const Result& result) {
  const std::string content = WriteCacheEntry(key, result);
  std::int64_t number = 0;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    number = temporaries_++;
  }
  const std::string path = PathOf(key);
  // No other process, cache of this process, or thread of this cache has this name.
  const std::string temporary =
      fmt::format("{}.{}.{}.{}{}", path, ::getpid(), fmt::ptr(this), number, kTemporary);
  std::error_code error;
  fs::create_directories(folder_, error);
  bool written = false;
  {
    std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
    file << content;
    file.close();
    written = file.good();
  }
  // Not flushed to the disk: a file that a power failure cut short does not pass its checksum.
  if (written) {
    fs::rename(temporary, path, error);
    written = !error;
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!written) {
    std::error_code ignored;
    fs::remove(temporary, ignored);
    Warn(Diagnostic(ErrorCode::kFileUnwritable,
                    fmt::format("the mapping cache `{}` cannot be written", folder_))
             .WithHint("set SLUICE_CACHE_DIR to a folder that this user may write, or use "
                       "--no-cache"));
    return;
  }
  ++counts_.stored;
  if (bytes_ < 0) {
    Evict();  // counts what is there
  } else {
    bytes_ += static_cast<std::int64_t>(content.size());
  }
  if (bytes_ > max_bytes_) {
    Evict();
  }
}

void ResultCache::Evict() {
  std::vector<fs::path> stale;
  std::vector<Entry> entries = List(folder_, &stale);
  std::error_code ignored;
  for (const fs::path& path : stale) {
    fs::remove(path, ignored);
  }
  bytes_ = 0;
  for (const Entry& entry : entries) {
    bytes_ += entry.bytes;
  }
  if (bytes_ <= max_bytes_) {
    return;
  }
  std::ranges::sort(entries, [](const Entry& a, const Entry& b) {
    return a.used != b.used ? a.used < b.used : a.path < b.path;
  });
  const double wanted = kAfterEviction * static_cast<double>(max_bytes_);
  for (const Entry& entry : entries) {
    if (static_cast<double>(bytes_) <= wanted) {
      break;
    }
    if (fs::remove(entry.path, ignored)) {
      ++counts_.evicted;
    }
    bytes_ -= entry.bytes;
  }
}

void ResultCache::Warn(Diagnostic warning) {
  const bool known = std::ranges::any_of(
      warnings_, [&](const Diagnostic& other) { return other.message == warning.message; });
  if (!known && warnings_.size() < kMostWarnings) {
    warnings_.push_back(std::move(warning));
  }
}

CacheUse InspectCache(const std::string& folder) {
  CacheUse use;
  for (const Entry& entry : List(folder, nullptr)) {
    ++use.entries;
    use.bytes += entry.bytes;
  }
  return use;
}

sluice::Result<CacheUse> ClearCache(const std::string& folder) {
  CacheUse removed;
  for (const Entry& entry : List(folder, nullptr)) {
    std::error_code error;
    fs::remove(entry.path, error);
    if (error) {
      return Fail(
          Diagnostic(ErrorCode::kFileUnwritable,
                     fmt::format("cannot remove `{}`: {}", entry.path.string(), error.message())));
    }
    ++removed.entries;
    removed.bytes += entry.bytes;
  }
  return removed;
}

}  // namespace sluice::mapper
