#include "cost/oracle/oracle.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/cpu_time.h"
#include "base/diagnostic.h"
#include "mapping/dataflow/code.h"

namespace sluice::cost {
std::string_view CodeVerdictName(CodeVerdict verdict) {
  constexpr std::array<std::string_view, 5> kNames = {"legal", "refused", "inner memory too small",
                                                      "outer memory too small", "impossible"};
  return kNames[static_cast<std::size_t>(verdict)];
}

Status CostOracle::Evaluate(std::span<const mapping::DataflowCode> codes,
                            std::span<CodeCost> costs) {
  SLUICE_CHECK(codes.size() == costs.size(), "one cost a code");
  const double before = ThreadSeconds();
  auto status = Price(codes, costs);
  counters_.cpu_seconds += ThreadSeconds() - before;
  counters_.samples += static_cast<std::int64_t>(codes.size());
  ++counters_.batches;
  return status;
}

}  // namespace sluice::cost
