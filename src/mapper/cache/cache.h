#pragma once
/// \file
/// Results of mappers on disk, so that an operator is searched once, across runs and processes.
///
/// A result is found by everything that it depends on: workload, chain, policy, objective,
/// constraints, mapper, seed, budget of evaluations and the build of the program. All of it makes
/// one text, the key; its hash names the file, and the file repeats it, so that even equal hashes
/// are no danger. Only results that would come out the same again are stored: proven, converged or
/// out of evaluations, never those that time or a user stopped.
///
/// One file an entry, written beside its place and renamed, so that concurrent runs see all of an
/// entry or nothing. A checksum covers the content, and what is read is valid, satisfies the
/// constraints and scores exactly what it claims, or it counts as a miss with a warning. Files that
/// were not used for longest go first when the folder outgrows its limit.
///
/// The cache never fails a search: a folder that cannot be used is a warning.
/// Tested by tests/unit/cache_test.cpp and tests/cli/cache_test.py.

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "mapper/mapper.h"

namespace sluice::mapper {

inline constexpr std::int64_t kDefaultCacheBytes = std::int64_t{256} << 20U;

/// What a result depends on, as text. `build` tells apart programs that may give other results.
std::string CacheKey(const Problem& problem, std::int64_t evaluations, std::string_view mapper,
                     std::string_view build);

/// One entry as bytes.
std::string WriteCacheEntry(const std::string& key, const Result& result);
/// The result of an entry, checked against `problem` except for its place. Errors: kSyntax for a
/// damaged entry, kBadValue for one that is not what it claims.
sluice::Result<Result> ReadCacheEntry(std::string_view bytes, const std::string& key,
                                      const Problem& problem);

/// A folder of entries. Thread-safe.
class ResultCache {
 public:
  struct Counts {
    std::int64_t hits = 0;
    std::int64_t misses = 0;
    std::int64_t stored = 0;
    std::int64_t damaged = 0;  ///< misses because an entry was not sound
    std::int64_t evicted = 0;
  };

  ResultCache(std::string folder, std::string build, std::int64_t max_bytes = kDefaultCacheBytes);

  /// Solves, or recalls what solving gave before.
  Result Solve(const Mapper& mapper, const Problem& problem, const Budget& budget);

  [[nodiscard]] Counts counts() const;
  /// What went wrong since the last call, at most a few.
  std::vector<Diagnostic> TakeWarnings();

 private:
  [[nodiscard]] std::string PathOf(const std::string& key) const;
  std::optional<Result> Find(const std::string& key, const Problem& problem);
  void Store(const std::string& key, const Result& result);
  /// Removes old entries until the folder is well below its limit. Requires: the mutex.
  void Evict();
  void Warn(Diagnostic warning);

  std::string folder_;
  std::string build_;
  std::int64_t max_bytes_;
  mutable std::mutex mutex_;
  std::int64_t bytes_ = -1;  ///< in the folder, as far as known; -1: not looked yet
  std::int64_t temporaries_ = 0;
  Counts counts_;
  std::vector<Diagnostic> warnings_;
};

/// What a folder holds.
struct CacheUse {
  std::int64_t entries = 0;
  std::int64_t bytes = 0;
};
/// A folder that does not exist is empty.
CacheUse InspectCache(const std::string& folder);
/// Removes all entries, nothing else. Errors: kFileUnwritable.
sluice::Result<CacheUse> ClearCache(const std::string& folder);

}  // namespace sluice::mapper
