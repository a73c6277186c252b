#include "cost/maestro/report.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "cost/maestro/hardware.h"

namespace sluice::cost::maestro {
namespace {

constexpr double kMacNanojoules = 0.00023;
constexpr double kL2Macs = 18.61;
constexpr double kL1Macs = 1.68;

constexpr std::array<std::string_view, 9> kVerdictTexts = {
    "ok",
    "the clusters need more PEs than the machine has",
    "every level needs one spatial map, or two",
    "R and S cannot be tiled in time",
    "a step brings no new data or takes no time",
    "some operations are left out",
    "some operations are done twice",
    "the counts are too large",
    "the tiles are ragged in too many ways",
};

}  // namespace

std::string_view VerdictText(Verdict verdict) {
  return kVerdictTexts[static_cast<std::size_t>(verdict)];
}

std::string_view TensorRoleName(TensorRole role) {
  constexpr std::array<std::string_view, kTensorRoles> kNames = {"input", "filter", "output"};
  return kNames[static_cast<std::size_t>(role)];
}

std::int64_t Report::l2_words() const {
  return tensors[0].l2_words + tensors[1].l2_words + tensors[2].l2_words;
}

std::int64_t Report::l1_words() const {
  return tensors[0].l1_words + tensors[1].l1_words + tensors[2].l1_words;
}

Energy EnergyOf(const Report& report) {
  const TensorCounts& input = report.tensor(TensorRole::kInput);
  const TensorCounts& weight = report.tensor(TensorRole::kWeight);
  const TensorCounts& output = report.tensor(TensorRole::kOutput);
  const auto l2 = static_cast<double>(input.l2_reads + input.l2_writes + weight.l2_reads +
                                      weight.l2_writes + output.l2_writes);
  double l1 = 0;
  for (const TensorCounts& tensor : report.tensors) {
    l1 += static_cast<double>(tensor.l1_reads + tensor.l1_writes);
  }
  return {kL2Macs * l2 * kMacNanojoules, kL1Macs * l1 * kMacNanojoules,
          static_cast<double>(report.macs) * kMacNanojoules,
          kL2Macs * static_cast<double>(output.l2_reads) * kMacNanojoules};
}

Physical PhysicalOf(const Report& report, const Hardware& hardware) {
  const auto pes = static_cast<double>(hardware.pes);
  const auto simd = static_cast<double>(hardware.simd_lanes);
  const auto l1 = static_cast<double>(report.l1_words());
  const auto l2 = static_cast<double>(report.l2_words());
  const double bus = (14.662 * pes + 28.895) * static_cast<double>(hardware.noc_bandwidth);
  const double arbiter = std::max(1.0, 1.2886 * pes * pes + 5.5814 * pes - 23.711);
  Physical physical;
  physical.area = pes * (283 * simd + 0.104 * l1) + 0.104 * l2 + 101.7938 * bus + 395.473 * arbiter;
  physical.pe_power = pes * 1.2223 * simd;
  physical.l1_power = pes * 0.00345 * l1;
  physical.l2_power = 0.00345 * l2;
  physical.noc_power = 0.8 / 1000 * bus + 0.34 * arbiter / 1000;
  physical.power = physical.pe_power + physical.l1_power + physical.l2_power + physical.noc_power;
  return physical;
}

}  // namespace sluice::cost::maestro
