#include "driver/compare/cost_program.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/diagnostic.h"
#include "base/text.h"
#include "cost/maestro/hardware.h"
#include "cost/oracle/maestro_oracle.h"
#include "cost/oracle/oracle.h"
#include "mapping/dataflow/code.h"
#include "mapping/dataflow/dataflow.h"

namespace sluice::driver {
namespace {

std::vector<std::string_view> Words(std::string_view line) {
  std::vector<std::string_view> words;
  std::size_t at = 0;
  while ((at = line.find_first_not_of(" \t\r", at)) != std::string_view::npos) {
    const std::size_t end = std::min(line.find_first_of(" \t\r", at), line.size());
    words.push_back(line.substr(at, end - at));
    at = end;
  }
  return words;
}

Result<std::int64_t> Integer(std::string_view word) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size()) {
    return Fail(ErrorCode::kSyntax, fmt::format("`{}` is no integer", word));
  }
  return value;
}

struct Pair {
  std::string_view key;
  std::int64_t value = 0;
};

Result<Pair> ParsePair(std::string_view word) {
  const std::size_t sign = word.find('=');
  if (sign == std::string_view::npos) {
    return Fail(ErrorCode::kSyntax, fmt::format("`{}` is not KEY=NUMBER", word));
  }
  SLUICE_TRY(const std::int64_t value, Integer(word.substr(sign + 1)));
  return Pair{word.substr(0, sign), value};
}

Result<mapping::Layer> ParseLayer(std::string_view line) {
  const auto words = Words(line);
  if (words.size() < 2 || words[0] != "layer") {
    return Fail(ErrorCode::kSyntax, "the second line is `layer TYPE K=.. ..`");
  }
  mapping::Layer layer;
  bool known = false;
  for (int t = 0; t < mapping::kLayerTypes; ++t) {
    const auto type = static_cast<mapping::LayerType>(t);
    if (LayerTypeName(type) == words[1]) {
      layer.type = type;
      known = true;
    }
  }
  if (!known) {
    return Fail(ErrorCode::kSyntax, fmt::format("there is no layer type `{}`", words[1]));
  }
  for (const std::string_view word : std::span(words).subspan(2)) {
    SLUICE_TRY(const Pair pair, ParsePair(word));
    bool found = pair.key == "stride_y" || pair.key == "stride_x";
    if (found) {
      (pair.key == "stride_y" ? layer.stride_y : layer.stride_x) = pair.value;
    }
    for (int d = 0; d < mapping::kLayerDims; ++d) {
      const auto dim = static_cast<mapping::LayerDim>(d);
      if (LayerDimName(dim) == pair.key) {
        layer.size[Index(dim)] = pair.value;
        found = true;
      }
    }
    if (!found) {
      return Fail(ErrorCode::kSyntax, fmt::format("a layer has no `{}`", pair.key));
    }
  }
  SLUICE_TRY_STATUS(ValidateLayer(layer));
  return layer;
}

Result<cost::maestro::Hardware> ParseHardware(std::string_view line) {
  using cost::maestro::Hardware;
  struct Field {
    std::string_view key;
    std::int64_t Hardware::* member;
  };
  constexpr std::array<Field, 8> kFields = {{{"pes", &Hardware::pes},
                                             {"l1_words", &Hardware::l1_words},
                                             {"l2_words", &Hardware::l2_words},
                                             {"noc_bandwidth", &Hardware::noc_bandwidth},
                                             {"offchip_bandwidth", &Hardware::offchip_bandwidth},
                                             {"noc_hops", &Hardware::noc_hops},
                                             {"hop_latency", &Hardware::hop_latency},
                                             {"simd_lanes", &Hardware::simd_lanes}}};
  const auto words = Words(line);
  if (words.empty() || words[0] != "hardware") {
    return Fail(ErrorCode::kSyntax, "the third line is `hardware pes=.. ..`");
  }
  Hardware hardware;
  for (const std::string_view word : std::span(words).subspan(1)) {
    SLUICE_TRY(const Pair pair, ParsePair(word));
    const auto field = std::ranges::find(kFields, pair.key, &Field::key);
    if (field == kFields.end()) {
      return Fail(ErrorCode::kSyntax, fmt::format("hardware has no `{}`", pair.key));
    }
    hardware.*(field->member) = pair.value;
  }
  return hardware;
}

}  // namespace

Result<CostProgram> CostProgram::Create(const std::string& model, std::string_view version,
                                        std::string_view layer, std::string_view hardware) {
  if (model != "maestro" && model != "maestro-exact") {
    return Fail(Diagnostic(ErrorCode::kUnknownName, fmt::format("unknown cost model `{}`", model))
                    .WithHint("maestro or maestro-exact"));
  }
  if (version != "sluice-cost 1") {
    return Fail(Diagnostic(ErrorCode::kVersion, "the first line is not `sluice-cost 1`")
                    .WithHint("sluice price is to be started by --cost-command \"sluice price\""));
  }
  SLUICE_TRY(const mapping::Layer parsed, ParseLayer(layer));
  SLUICE_TRY(const cost::maestro::Hardware machine, ParseHardware(hardware));
  cost::MaestroOracleOptions options;
  options.physical_only = true;
  options.mode = model == "maestro" ? cost::MaestroMode::kCompatible : cost::MaestroMode::kExact;
  SLUICE_TRY(auto oracle, cost::MakeMaestroOracle(parsed, machine, options));
  return CostProgram(std::move(oracle));
}

Result<std::int64_t> CostProgram::ParseRequest(std::string_view line) {
  const auto words = Words(line);
  if (words.size() != 2 || words[0] != "price") {
    return Fail(ErrorCode::kSyntax, fmt::format("`{}` is not `price COUNT`", line));
  }
  return Integer(words[1]);
}

Result<std::string> CostProgram::Answer(std::string_view code) {
  std::vector<std::int64_t> numbers;
  for (const std::string_view word : Words(code)) {
    SLUICE_TRY(const std::int64_t number, Integer(word));
    numbers.push_back(number);
  }
  SLUICE_TRY(const mapping::DataflowCode parsed, mapping::FromNumbers(numbers));
  cost::CodeCost cost;
  SLUICE_TRY_STATUS(oracle_->Evaluate(std::span(&parsed, 1), std::span(&cost, 1)));
  if (!cost.legal()) {
    return fmt::format("illegal {}", CodeVerdictName(cost.verdict));
  }
  constexpr double kNanojoules = 1e-3;
  return fmt::format("{} {} {}", ShortestDouble(cost.cycles),
                     ShortestDouble(cost.energy_outer_pj * kNanojoules),
                     ShortestDouble(cost.energy_full_pj * kNanojoules));
}

}  // namespace sluice::driver
