#include "cost/policy.h"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/diagnostic.h"
#include "base/text.h"
#include "cost/cost.h"

namespace sluice::cost {
namespace {

/// One on/off bit by name; the two enumerations are listed apart.
struct Bit {
  const char* name;
  bool Policy::* member;
};
constexpr std::array<Bit, 8> kBits = {{
    {"first_read_elision", &Policy::first_read_elision},
    {"child_read_on_drain", &Policy::child_read_on_drain},
    {"dram_accumulates", &Policy::dram_accumulates},
    {"parent_accumulates", &Policy::parent_accumulates},
    {"neighbour_forwarding", &Policy::neighbour_forwarding},
    {"multicast", &Policy::multicast},
    {"network_read_back", &Policy::network_read_back},
    {"gap_words", &Policy::gap_words},
}};

std::vector<std::string> KnownWords() {
  std::vector<std::string> words = {"physical", "timeloop", "window", "vector_rounding"};
  for (const Bit& bit : kBits) {
    words.emplace_back(bit.name);
  }
  return words;
}

Status ApplyChange(std::string_view key, std::string_view value, Policy& policy) {
  for (const Bit& bit : kBits) {
    if (key == bit.name) {
      if (value != "on" && value != "off") {
        return Fail(Diagnostic(ErrorCode::kBadValue,
                               fmt::format("policy bit `{}` cannot be `{}`", key, value))
                        .WithHint(fmt::format("write `{}=on` or `{}=off`", key, key)));
      }
      policy.*bit.member = value == "on";
      return {};
    }
  }
  if (key == "window" && (value == "exact" || value == "same_direction")) {
    policy.window = value == "exact" ? WindowRule::kExact : WindowRule::kSameDirection;
    return {};
  }
  if (key == "vector_rounding" && (value == "total" || value == "per_tile")) {
    policy.vector_rounding = value == "total" ? VectorRounding::kTotal : VectorRounding::kPerTile;
    return {};
  }
  if (key == "window" || key == "vector_rounding") {
    return Fail(
        Diagnostic(ErrorCode::kBadValue, fmt::format("policy `{}` cannot be `{}`", key, value))
            .WithHint(key == "window" ? "write `window=exact` or `window=same_direction`"
                                      : "write `vector_rounding=total` or "
                                        "`vector_rounding=per_tile`"));
  }
  const std::vector<std::string> words = KnownWords();
  const std::string closest = ClosestMatch(key, words);
  return Fail(Diagnostic(ErrorCode::kUnknownName, fmt::format("no policy bit is called `{}`", key))
                  .WithHint(closest.empty() ? "see docs/cost-model.md for the bits"
                                            : fmt::format("did you mean `{}`?", closest)));
}

}  // namespace

Policy PhysicalPolicy() {
  return {};
}

Policy TimeloopPolicy() {
  Policy p;
  p.child_read_on_drain = false;
  p.neighbour_forwarding = false;
  p.network_read_back = false;
  p.gap_words = true;
  p.window = WindowRule::kSameDirection;
  return p;
}

Result<Policy> ParsePolicy(std::string_view text) {
  Policy policy;
  bool first = true;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view word = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) {
      if (first && word == "physical") {
        policy = PhysicalPolicy();
      } else if (first && word == "timeloop") {
        policy = TimeloopPolicy();
      } else {
        return Fail(
            Diagnostic(ErrorCode::kUnknownName, fmt::format("no cost policy is called `{}`", word))
                .WithHint("`physical` or `timeloop`, then changes: `timeloop,multicast=off`"));
      }
    } else {
      SLUICE_TRY_STATUS(ApplyChange(word.substr(0, equals), word.substr(equals + 1), policy));
    }
    first = false;
  }
  return policy;
}

std::string PolicyText(const Policy& policy) {
  // The preset that needs fewer changes.
  const auto changes = [&policy](const Policy& base) {
    std::vector<std::string> list;
    for (const Bit& bit : kBits) {
      if (policy.*bit.member != base.*bit.member) {
        list.push_back(fmt::format("{}={}", bit.name, policy.*bit.member ? "on" : "off"));
      }
    }
    if (policy.window != base.window) {
      list.emplace_back(policy.window == WindowRule::kExact ? "window=exact"
                                                            : "window=same_direction");
    }
    if (policy.vector_rounding != base.vector_rounding) {
      list.emplace_back(policy.vector_rounding == VectorRounding::kTotal
                            ? "vector_rounding=total"
                            : "vector_rounding=per_tile");
    }
    return list;
  };
  const std::vector<std::string> physical = changes(PhysicalPolicy());
  const std::vector<std::string> timeloop = changes(TimeloopPolicy());
  const bool use_physical = physical.size() <= timeloop.size();
  std::string text = use_physical ? "physical" : "timeloop";
  for (const std::string& change : use_physical ? physical : timeloop) {
    text += "," + change;
  }
  return text;
}

Result<Objective> ParseObjective(std::string_view text) {
  for (const Objective o : {Objective::kEnergy, Objective::kLatency, Objective::kEdp}) {
    if (text == ObjectiveName(o)) {
      return o;
    }
  }
  return Fail(Diagnostic(ErrorCode::kUnknownName, fmt::format("no objective is called `{}`", text))
                  .WithHint("choose energy, latency or edp"));
}

std::string_view ObjectiveName(Objective objective) {
  switch (objective) {
    case Objective::kEnergy:
      return "energy";
    case Objective::kLatency:
      return "latency";
    case Objective::kEdp:
      break;
  }
  return "edp";
}

}  // namespace sluice::cost
