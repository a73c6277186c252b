#include "base/cpu_time.h"

#include <time.h>  // POSIX: clock_gettime is not in <ctime>

namespace sluice {
namespace {

double Seconds(clockid_t clock) {
  timespec now{};
  if (clock_gettime(clock, &now) != 0) {
    return 0;
  }
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace

double ThreadSeconds() {
  return Seconds(CLOCK_THREAD_CPUTIME_ID);
}

double ProcessSeconds() {
  return Seconds(CLOCK_PROCESS_CPUTIME_ID);
}

}  // namespace sluice
