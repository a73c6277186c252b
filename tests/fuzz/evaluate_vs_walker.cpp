/// Bytes choose a small workload, machine, mapping and policy; the closed form must count what the
/// walk counts. The parts have seeds of their own, so that the fuzzer can keep one and vary
/// another. Workloads stay far below the points of the property tests: a walk takes time by the
/// square of the points, and most differences show on a few.

#include <array>

#include "fuzz/targets.h"
#include "testing/generators.h"
#include "testing/nests.h"
#include "testing/walker_case.h"

namespace sluice::fuzz {
namespace {

constexpr std::array<std::int64_t, 4> kSizes = {64, 32, 16, 128};

/// Takes bytes from the front; zeros when there are no more.
class Choices {
 public:
  explicit Choices(std::string_view bytes) : bytes_(bytes) {}
  std::uint8_t Byte() {
    if (bytes_.empty()) {
      return 0;
    }
    const auto byte = static_cast<std::uint8_t>(bytes_.front());
    bytes_.remove_prefix(1);
    return byte;
  }
  Rng Seeded() {
    std::uint64_t seed = Byte();
    seed |= std::uint64_t{Byte()} << 8U;
    seed |= std::uint64_t{Byte()} << 16U;
    return Rng(seed);
  }

 private:
  std::string_view bytes_;
};

}  // namespace

void EvaluateVsWalker(std::string_view bytes) {
  Choices choices(bytes);
  const auto kind = static_cast<testing::WorkloadKind>(choices.Byte() % testing::kWorkloadKinds);
  const bool imperfect = choices.Byte() % 2 == 1;
  Rng policy = choices.Seeded();
  Rng workload = choices.Seeded();
  Rng chain = choices.Seeded();
  Rng mapping = choices.Seeded();
  const std::int64_t max_points = kSizes[choices.Byte() % kSizes.size()];
  testing::WalkerCase c;
  c.policy = testing::RandomPolicy(policy);
  c.workload = testing::RandomWorkload(workload, kind, max_points);
  c.chain = testing::RandomChain(chain);
  c.mapping = testing::RandomMapping(c.workload, c.chain, mapping, imperfect);
  const auto differences = testing::Differences(c);
  if (!differences.empty()) {
    Require(false, differences.front().text + "\n" +
                       testing::Describe(c.workload, c.chain, c.mapping, c.policy));
  }
}

}  // namespace sluice::fuzz
