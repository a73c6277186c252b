#include "io/maestro/hardware.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/diagnostic.h"
#include "base/file.h"
#include "base/text.h"
#include "cost/maestro/hardware.h"
#include "io/maestro/tokens.h"

namespace sluice::io {
namespace {

using cost::maestro::Hardware;

struct Key {
  std::string_view name;
  std::int64_t Hardware::* field;
  std::int64_t least;
};

constexpr std::array<Key, 8> kKeys = {{
    {"num_pes", &Hardware::pes, 1},
    {"l1_size_cstr", &Hardware::l1_words, 1},
    {"l2_size_cstr", &Hardware::l2_words, 1},
    {"noc_bw_cstr", &Hardware::noc_bandwidth, 1},
    {"offchip_bw_cstr", &Hardware::offchip_bandwidth, 1},
    {"NoC_NumHops", &Hardware::noc_hops, 0},
    {"noc_hop_latency", &Hardware::hop_latency, 0},
    {"num_simd_lanes", &Hardware::simd_lanes, 1},
}};

}  // namespace

Result<Hardware> ReadMaestroHardware(std::string_view text, const std::string& file) {
  constexpr std::size_t kMaxBytes = std::size_t{1} << 20U;
  if (text.size() > kMaxBytes) {
    return Fail(ErrorCode::kFileTooLarge, "the text is larger than 1 MiB");
  }
  SLUICE_TRY(MaestroTokens tokens, MaestroTokens::Split(text, file));
  Hardware hardware;
  hardware.hop_latency = 1;  // with a hardware file the latency is the number of hops
  std::array<bool, kKeys.size()> seen{};
  while (!tokens.Peek().end()) {
    const MaestroToken at = tokens.Take();
    std::size_t i = 0;
    while (i < kKeys.size() && kKeys[i].name != at.text) {
      ++i;
    }
    if (i == kKeys.size()) {
      std::vector<std::string> names;
      names.reserve(kKeys.size());
      for (const Key& key : kKeys) {
        names.emplace_back(key.name);
      }
      const std::string close = ClosestMatch(at.text, names);
      return Fail(tokens.Error(ErrorCode::kUnknownKey, fmt::format("unknown key `{}`", at.text), at)
                      .WithHint(close.empty() ? fmt::format("known are {}", fmt::join(names, ", "))
                                              : fmt::format("did you mean {}?", close)));
    }
    if (seen[i]) {
      return Fail(
          tokens.Error(ErrorCode::kDuplicateKey, fmt::format("{} is given twice", at.text), at));
    }
    seen[i] = true;
    const MaestroToken value_token = tokens.Take();
    SLUICE_TRY(const std::int64_t value, tokens.Integer(value_token));
    if (value < kKeys[i].least) {
      return Fail(tokens.Error(ErrorCode::kBadValue,
                               fmt::format("{} is at least {}", at.text, kKeys[i].least),
                               value_token));
    }
    hardware.*kKeys[i].field = value;
  }
  return hardware;
}

Result<Hardware> LoadMaestroHardware(const std::string& path) {
  SLUICE_TRY(const std::string text, ReadFile(path, std::int64_t{1} << 20U));
  return ReadMaestroHardware(text, path);
}

std::string WriteMaestroHardware(const Hardware& hardware) {
  std::string text;
  for (const Key& key : kKeys) {
    text += fmt::format("{}: {}\n", key.name, hardware.*key.field);
  }
  return text;
}

}  // namespace sluice::io
