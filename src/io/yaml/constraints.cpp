/// \file
/// Reader and writer of constraints. Factors are words, `K=4`, `C<=16`, `P>=2`, `R=all`,
/// `others=1`; a question mark at the end makes an entry optional.

#include "io/yaml/constraints.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "arch/architecture.h"
#include "base/diagnostic.h"
#include "base/file.h"
#include "io/timeloop/constraints.h"
#include "io/yaml/words.h"
#include "io/yaml/yaml.h"
#include "ir/network.h"
#include "mapping/constraints.h"

namespace sluice::io {
namespace {

using mapping::ConstraintSpec;
using mapping::DimRule;
using mapping::FactorRule;
using mapping::LevelRules;
using mapping::LoopKind;
using mapping::LoopRules;
using mapping::NamedDim;

constexpr std::int64_t kMaxFactor = std::numeric_limits<std::int32_t>::max();
constexpr std::string_view kOthers = "others";
constexpr std::array<ir::WorkClass, 4> kWorkClasses = {ir::WorkClass::kMac, ir::WorkClass::kVector,
                                                       ir::WorkClass::kTranscendental,
                                                       ir::WorkClass::kMove};

bool IsName(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return c == '_' || c == '.' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z');
  });
}

/// `4`, `<=4`, `>=4` or `all` after the name of a dim.
Result<FactorRule> ReadRule(const Word& word, std::string_view relation, std::string_view value) {
  FactorRule rule;
  rule.kind = relation == "="    ? FactorRule::Kind::kExactly
              : relation == "<=" ? FactorRule::Kind::kAtMost
                                 : FactorRule::Kind::kAtLeast;
  if (value == "all" && relation == "=") {
    return FactorRule{FactorRule::Kind::kAll, 1};
  }
  const std::string digits(value);
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, rule.value);
  if (error != std::errc() || stop != end || rule.value < 1 || rule.value > kMaxFactor) {
    return Fail(word.Error(ErrorCode::kBadValue, fmt::format("`{}` is no factor", value),
                           fmt::format("a whole number from 1 to {}, or `=all`", kMaxFactor)));
  }
  return rule;
}

Result<DimRule> ReadFactor(const Word& word) {
  std::string_view text = word.text;
  DimRule rule;
  rule.span = word.span();
  if (text.ends_with('?')) {
    rule.optional = true;
    text.remove_suffix(1);
  }
  const std::size_t begin = text.find_first_of("<>=");
  const std::size_t end = text.find_first_not_of("<>=", begin);
  const std::string_view relation =
      begin == std::string_view::npos ? std::string_view() : text.substr(begin, end - begin);
  if (end == std::string_view::npos || !IsName(text.substr(0, begin)) ||
      (relation != "=" && relation != "<=" && relation != ">=")) {
    return Fail(word.Error(ErrorCode::kSyntax,
                           fmt::format("`{}` is not of the form DIM=FACTOR", word.text),
                           "for example `K=4`, `K<=4`, `K>=4`, `K=all`, `others=1`, without "
                           "blanks; a `?` at the end makes it optional"));
  }
  rule.dim = std::string(text.substr(0, begin));
  SLUICE_TRY(rule.rule, ReadRule(word, relation, text.substr(end)));
  return rule;
}

Status ReadFactors(const Cursor& level, std::string_view key, LoopRules& rules) {
  const auto at = level.Find(key);
  if (!at || at->IsNull()) {
    return {};
  }
  SLUICE_TRY(const std::string text, at->AsString());
  for (const Word& word : SplitWords(*at, text)) {
    SLUICE_TRY(DimRule rule, ReadFactor(word));
    const bool others = rule.dim == kOthers;
    const bool repeated =
        others ? !rules.others.empty() : std::ranges::any_of(rules.factors, [&](const DimRule& r) {
          return r.dim == rule.dim && r.rule.kind == rule.rule.kind;
        });
    if (repeated) {
      return Fail(word.Error(ErrorCode::kDuplicateKey,
                             fmt::format("a second rule of this kind for {}", rule.dim)));
    }
    if (others) {
      rule.dim.clear();
    }
    (others ? rules.others : rules.factors).push_back(std::move(rule));
  }
  return {};
}

Result<std::vector<NamedDim>> ReadOrder(const Cursor& level, std::string_view key) {
  std::vector<NamedDim> dims;
  const auto at = level.Find(key);
  if (!at) {
    return dims;
  }
  SLUICE_TRY(const std::vector<Cursor> elements, at->Elements());
  for (const Cursor& element : elements) {
    SLUICE_TRY(std::string name, element.AsString());
    if (!IsName(name)) {
      return Fail(element.Error(ErrorCode::kBadValue, fmt::format("`{}` is no name of a dim", name),
                                "for example `innermost: [Q, P]`"));
    }
    if (std::ranges::any_of(dims, [&](const NamedDim& d) { return d.dim == name; })) {
      return Fail(
          element.Error(ErrorCode::kDuplicateKey, fmt::format("dim {} is listed twice", name)));
    }
    dims.push_back({std::move(name), element.span()});
  }
  return dims;
}

Status ReadKeeps(const Cursor& level, std::string_view key, bool must, LevelRules& rules) {
  const auto at = level.Find(key);
  if (!at) {
    return {};
  }
  SLUICE_TRY(const std::vector<Cursor> elements, at->Elements());
  for (const Cursor& element : elements) {
    SLUICE_TRY(const std::string name, element.AsString());
    std::vector<std::string> names;
    int index = -1;
    for (int c = 0; c < arch::kTensorClasses; ++c) {
      names.emplace_back(arch::TensorClassName(static_cast<arch::TensorClass>(c)));
      index = names.back() == name ? c : index;
    }
    if (index < 0) {
      return Fail(element.Error(ErrorCode::kUnknownName,
                                fmt::format("there is no class of tensors `{}`", name),
                                DidYouMean(name, names)));
    }
    const auto tensor_class = static_cast<arch::TensorClass>(index);
    if (std::ranges::any_of(rules.keeps, [&](const mapping::KeepRule& r) {
          return r.tensor_class == tensor_class;
        })) {
      return Fail(element.Error(ErrorCode::kDuplicateKey,
                                fmt::format("a second rule for the {} tensor", name)));
    }
    rules.keeps.push_back({tensor_class, must, element.span()});
  }
  return {};
}

Result<LevelRules> ReadLevel(const Cursor& at) {
  SLUICE_TRY_STATUS(at.AllowKeys({"memory", "temporal", "spatial_x", "spatial_y", "innermost",
                                  "outermost", "keep", "bypass"}));
  LevelRules rules;
  SLUICE_TRY(const Cursor name_at, at.At("memory"));
  SLUICE_TRY(rules.level, name_at.AsString());
  rules.span = name_at.span();
  for (std::size_t k = 0; k < mapping::kLoopKinds; ++k) {
    SLUICE_TRY_STATUS(
        ReadFactors(at, mapping::LoopKindName(static_cast<LoopKind>(k)), rules.loops[k]));
  }
  SLUICE_TRY(rules.loops[0].innermost, ReadOrder(at, "innermost"));
  SLUICE_TRY(rules.loops[0].outermost, ReadOrder(at, "outermost"));
  SLUICE_TRY_STATUS(ReadKeeps(at, "keep", true, rules));
  SLUICE_TRY_STATUS(ReadKeeps(at, "bypass", false, rules));
  return rules;
}

Status ReadWork(const Cursor& root, ConstraintSpec& spec) {
  const auto at = root.Find("work");
  if (!at) {
    return {};
  }
  SLUICE_TRY(const std::vector<Cursor> elements, at->Elements());
  for (const Cursor& element : elements) {
    SLUICE_TRY(const std::string name, element.AsString());
    std::vector<std::string> names;
    bool found = false;
    for (const ir::WorkClass work_class : kWorkClasses) {
      names.emplace_back(arch::WorkClassName(work_class));
      if (names.back() == name) {
        spec.work.push_back(work_class);
        found = true;
      }
    }
    if (!found) {
      return Fail(element.Error(ErrorCode::kUnknownName,
                                fmt::format("there is no class of work `{}`", name),
                                DidYouMean(name, names)));
    }
  }
  return {};
}

std::string Quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      out += fmt::format("\\x{:02x}", c);
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string FactorWord(const DimRule& rule) {
  std::string text = rule.dim.empty() ? std::string(kOthers) : rule.dim;
  switch (rule.rule.kind) {
    case FactorRule::Kind::kExactly:
      text += fmt::format("={}", rule.rule.value);
      break;
    case FactorRule::Kind::kAtMost:
      text += fmt::format("<={}", rule.rule.value);
      break;
    case FactorRule::Kind::kAtLeast:
      text += fmt::format(">={}", rule.rule.value);
      break;
    case FactorRule::Kind::kAll:
      text += "=all";
      break;
  }
  return text + (rule.optional ? "?" : "");
}

void WriteList(std::string& out, std::string_view key, const std::vector<std::string>& items) {
  if (!items.empty()) {
    out += fmt::format("    {}: [{}]\n", key, fmt::join(items, ", "));
  }
}

std::vector<std::string> Names(const std::vector<NamedDim>& dims) {
  std::vector<std::string> names;
  names.reserve(dims.size());
  for (const NamedDim& dim : dims) {
    names.push_back(Quoted(dim.dim));
  }
  return names;
}

}  // namespace

Result<ConstraintSpec> ReadConstraints(const Cursor& at) {
  SLUICE_TRY_STATUS(at.AllowKeys({"version", "name", "description", "work", "levels"}));
  SLUICE_TRY(const Cursor version_at, at.At("version"));
  SLUICE_TRY(const std::int64_t version, version_at.AsInt());
  if (version != kConstraintsFormatVersion) {
    return Fail(
        version_at.Error(ErrorCode::kVersion,
                         fmt::format("version {} of the constraints format is unknown", version),
                         fmt::format("this program reads version {}", kConstraintsFormatVersion)));
  }
  ConstraintSpec spec;
  SLUICE_TRY(const Cursor name_at, at.At("name"));
  SLUICE_TRY(spec.name, name_at.AsString());
  if (const auto description = at.Find("description")) {
    SLUICE_TRY(spec.description, description->AsString());
  }
  SLUICE_TRY_STATUS(ReadWork(at, spec));
  SLUICE_TRY(const Cursor levels_at, at.At("levels"));
  SLUICE_TRY(const std::vector<Cursor> levels, levels_at.Elements());
  for (const Cursor& level : levels) {
    SLUICE_TRY(LevelRules rules, ReadLevel(level));
    if (std::ranges::any_of(spec.levels,
                            [&](const LevelRules& r) { return r.level == rules.level; })) {
      return Fail(level.Error(ErrorCode::kDuplicateKey,
                              fmt::format("a second entry for memory {}", rules.level)));
    }
    spec.levels.push_back(std::move(rules));
  }
  return spec;
}

Result<ConstraintSpec> ParseConstraints(std::string text, const std::string& file_name) {
  SLUICE_TRY(const YamlDocument document, YamlDocument::Parse(std::move(text), file_name));
  const Cursor root = document.root();
  return IsTimeloopConstraints(root) ? ReadTimeloopConstraints(root) : ReadConstraints(root);
}

Result<ConstraintSpec> LoadConstraints(const std::string& path) {
  SLUICE_TRY(std::string text, ReadFile(path, kMaxYamlBytes));
  return ParseConstraints(std::move(text), path);
}

std::string WriteConstraintsYaml(const ConstraintSpec& spec) {
  std::string out =
      fmt::format("version: {}\nname: {}\n", kConstraintsFormatVersion, Quoted(spec.name));
  if (!spec.description.empty()) {
    out += fmt::format("description: {}\n", Quoted(spec.description));
  }
  if (!spec.work.empty()) {
    std::vector<std::string_view> names;
    names.reserve(spec.work.size());
    for (const ir::WorkClass work_class : spec.work) {
      names.push_back(arch::WorkClassName(work_class));
    }
    out += fmt::format("work: [{}]\n", fmt::join(names, ", "));
  }
  out += spec.levels.empty() ? "levels: []\n" : "levels:\n";
  for (const LevelRules& level : spec.levels) {
    out += fmt::format("  - memory: {}\n", Quoted(level.level));
    for (std::size_t k = 0; k < mapping::kLoopKinds; ++k) {
      std::vector<std::string> words;
      for (const DimRule& rule : level.loops[k].factors) {
        words.push_back(FactorWord(rule));
      }
      for (const DimRule& rule : level.loops[k].others) {
        words.push_back(FactorWord(rule));
      }
      if (!words.empty()) {
        out += fmt::format("    {}: {}\n", mapping::LoopKindName(static_cast<LoopKind>(k)),
                           fmt::join(words, " "));
      }
    }
    WriteList(out, "innermost", Names(level.loops[0].innermost));
    WriteList(out, "outermost", Names(level.loops[0].outermost));
    for (const bool must : {true, false}) {
      std::vector<std::string> classes;
      for (const mapping::KeepRule& keep : level.keeps) {
        if (keep.must == must) {
          classes.emplace_back(arch::TensorClassName(keep.tensor_class));
        }
      }
      WriteList(out, must ? "keep" : "bypass", classes);
    }
  }
  return out;
}

}  // namespace sluice::io
