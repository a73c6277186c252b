#pragma once
/// \file
/// The one way to use several cores. Work items are numbered; a result belongs into a slot of its
/// number, so that output is the same for any number of threads.

#include <cstddef>
#include <functional>

namespace sluice {

/// Calls `body(i)` once for every i in [0, count) on at most `threads` threads (1 or less: in the
/// calling thread, in order). Returns when all calls have returned. When calls throw, no new items
/// are started and the exception of the lowest number that threw is rethrown.
void ParallelFor(int threads, std::size_t count, const std::function<void(std::size_t)>& body);

/// Cores this process may use, at least 1.
int HardwareThreads();

}  // namespace sluice
