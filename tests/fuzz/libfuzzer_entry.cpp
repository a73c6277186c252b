/// The entry of one fuzzer. CMake compiles this file once per target, with SLUICE_FUZZ_TARGET set
/// to its function.

#include <cstddef>
#include <cstdint>

#include "fuzz/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // An exception that leaves here ends the process: libFuzzer reports it as a crash.
  sluice::fuzz::SLUICE_FUZZ_TARGET({reinterpret_cast<const char*>(data), size});
  return 0;
}
