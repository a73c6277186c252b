// Every item once, any number of threads, exceptions arrive.

#include "base/parallel.h"

#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/cpu_time.h"

namespace sluice {
namespace {

TEST(ParallelFor, CallsEveryItemOnce) {
  for (const int threads : {-1, 0, 1, 2, 8, 100}) {
    for (const std::size_t count : {0U, 1U, 2U, 7U, 1000U}) {
      std::vector<std::atomic<int>> calls(count);
      ParallelFor(threads, count, [&](std::size_t i) { ++calls[i]; });
      for (const auto& c : calls) {
        EXPECT_EQ(c.load(), 1);
      }
    }
  }
}

TEST(CpuTime, GrowsWithWorkAndAThreadIsPartOfTheProcess) {
  const double thread = ThreadSeconds();
  const double process = ProcessSeconds();
  while (ThreadSeconds() - thread < 0.01) {
  }
  EXPECT_GE(ProcessSeconds() - process, 0.005);
  // The two clocks are not read at once, nor updated together.
  EXPECT_LE(ThreadSeconds() - thread, ProcessSeconds() - process + 0.01);
}

TEST(ParallelFor, OneThreadRunsInOrder) {
  std::vector<std::size_t> order;
  ParallelFor(1, 5, [&](std::size_t i) { order.push_back(i); });
  EXPECT_EQ(order, (std::vector<std::size_t>{0, 1, 2, 3, 4}));
}

TEST(ParallelFor, RethrowsAndStopsEarly) {
  for (const int threads : {1, 4}) {
    std::atomic<int> calls = 0;
    try {
      ParallelFor(threads, 1000000, [&](std::size_t i) {
        ++calls;
        if (i == 3) {
          throw std::runtime_error("item 3");
        }
      });
      FAIL();
    } catch (const std::runtime_error& error) {
      EXPECT_EQ(std::string(error.what()), "item 3");
    }
    EXPECT_LT(calls.load(), 1000000);
  }
}

TEST(HardwareThreads, IsAtLeastOne) {
  EXPECT_GE(HardwareThreads(), 1);
}

}  // namespace
}  // namespace sluice
