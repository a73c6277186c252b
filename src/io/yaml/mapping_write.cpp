/// \file
/// Writer of mappings: YAML for people (compact loops, names in quotes only where needed).

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "arch/architecture.h"
#include "io/yaml/mapping.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"

namespace sluice::io {
namespace {

bool IsPlain(const std::string& name) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !name.empty() && letter(name[0]) && std::ranges::all_of(name, [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '.';
  });
}

/// A YAML scalar that reads back as this text. Words that other readers take for something else
/// (`no`, `null`, `N` ...) get quotes as well.
std::string Quote(const std::string& name) {
  std::string lower = name;
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  constexpr std::array<std::string_view, 9> kWords = {"y",   "n",    "yes",   "no",  "on",
                                                      "off", "true", "false", "null"};
  if (IsPlain(name) && std::ranges::find(kWords, lower) == kWords.end()) {
    return name;
  }
  // A JSON string is a double-quoted YAML scalar. Names come from model files: bytes that are not
  // UTF-8 are replaced, never an exception.
  using Json = nlohmann::json;
  return Json(name).dump(-1, ' ', false, Json::error_handler_t::replace);
}

const std::string& DimName(const mapping::Workload& workload, const mapping::Loop& loop) {
  return workload.dim_names[static_cast<std::size_t>(loop.dim)];
}

std::string LoopsToYaml(const mapping::LoopList& loops, const mapping::Workload& workload) {
  const bool compact = std::ranges::all_of(
      loops, [&](const mapping::Loop& loop) { return IsPlain(DimName(workload, loop)); });
  std::string text;
  for (const mapping::Loop& loop : loops) {
    const bool ragged = loop.last != loop.bound;
    if (compact) {
      text += fmt::format("{}{}={}{}", text.empty() ? "" : " ", DimName(workload, loop), loop.bound,
                          ragged ? fmt::format(",{}", loop.last) : std::string());
    } else {
      text += fmt::format("{}{{dim: {}, factor: {}{}}}", text.empty() ? "" : ", ",
                          Quote(DimName(workload, loop)), loop.bound,
                          ragged ? fmt::format(", last: {}", loop.last) : std::string());
    }
  }
  return compact ? text : '[' + text + ']';
}

struct NamedList {
  const char* key;
  const mapping::LoopList* loops;
};
std::array<NamedList, 3> Lists(const mapping::LevelMapping& level) {
  return {{{"temporal", &level.temporal},
           {"spatial_x", &level.spatial_x},
           {"spatial_y", &level.spatial_y}}};
}

}  // namespace

std::string WriteMappingYaml(const mapping::Mapping& mapping, const mapping::Workload& workload,
                             const arch::Chain& chain) {
  std::string out = fmt::format("version: {}\nlevels:\n", kMappingFormatVersion);
  for (std::size_t l = 0; l < mapping.levels.size(); ++l) {
    const mapping::LevelMapping& level = mapping.levels[l];
    std::string keep;
    for (std::size_t t = 0; t < workload.tensors.size(); ++t) {
      if ((level.keep >> t & 1U) != 0U) {
        keep += (keep.empty() ? "" : ", ") + Quote(workload.tensor_names[t]);
      }
    }
    out +=
        fmt::format("  - memory: {}\n    keep: [{}]\n", Quote(chain.levels[l].memory.name), keep);
    for (const NamedList& list : Lists(level)) {
      if (!list.loops->empty()) {
        out += fmt::format("    {}: {}\n", list.key, LoopsToYaml(*list.loops, workload));
      }
    }
  }
  return out;
}

}  // namespace sluice::io
