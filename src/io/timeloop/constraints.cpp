/// \file
/// Timeloop's constraints. Rules that are Timeloop's:
///  - a list of directives, each for a `target` level, of type `temporal`, `spatial`, or `datatype`
///    (also called `bypass`); sections may wrap the list in `targets`;
///  - factors are `K=4`, `K<=4`, `K>=4`; 0 is the whole bound; dims not named are free;
///  - a permutation runs from the innermost loop outwards, as far as it goes; after a `*` it fixes
///    the outermost loops;
///  - the first `split` dims of a spatial permutation lie on X, the rest on Y.
/// A spatial factor of Timeloop is over both axes together, so that one above 1 needs a `split` to
/// say which axis it is on. Utilisation limits and reuse switches are not about the mapping alone
/// and are refused.

#include "io/timeloop/constraints.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "arch/architecture.h"
#include "base/diagnostic.h"
#include "io/timeloop/keys.h"
#include "io/timeloop/parts.h"
#include "io/yaml/yaml.h"
#include "mapping/constraints.h"

namespace sluice::io {
namespace timeloop {
namespace {

using mapping::DimRule;
using mapping::FactorRule;
using mapping::LevelRules;
using mapping::LoopKind;
using mapping::NamedDim;

constexpr std::int64_t kMaxFactor = std::numeric_limits<std::int32_t>::max();
/// A split that takes every dim of a convolution, whatever the permutation names.
constexpr std::size_t kAllOnX = 7;

bool IsSpace(char c) {
  return std::isspace(static_cast<unsigned char>(c)) != 0;
}
bool IsDimLetter(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_';
}

/// `R=3 P<=16, K=0`, `R3 P16`.
class FactorText {
 public:
  FactorText(const Cursor& at, std::string text) : at_(at), text_(std::move(text)) {
    text_.erase(std::min(text_.find('#'), text_.size()));
  }

  Status Read(std::vector<DimRule>& rules) {
    for (Skip(); i_ < text_.size(); Skip()) {
      SLUICE_TRY(DimRule rule, Next());
      if (std::ranges::any_of(rules, [&](const DimRule& r) { return r.dim == rule.dim; })) {
        return Fail(at_.Error(ErrorCode::kDuplicateKey,
                              fmt::format("dimension `{}` has two factors", rule.dim)));
      }
      rules.push_back(std::move(rule));
    }
    return {};
  }

 private:
  void Skip() {
    while (i_ < text_.size() && (IsSpace(text_[i_]) || text_[i_] == ',' || text_[i_] == ';')) {
      ++i_;
    }
  }
  template <class Accept>
  std::string Take(Accept accept) {
    const std::size_t begin = i_;
    while (i_ < text_.size() && accept(text_[i_])) {
      ++i_;
    }
    return text_.substr(begin, i_ - begin);
  }

  Result<DimRule> Next() {
    const std::size_t begin = i_;
    DimRule rule;
    rule.span = at_.span();
    rule.dim = Take(IsDimLetter);
    Take(IsSpace);
    const std::string relation = Take([](char c) { return c == '<' || c == '>' || c == '='; });
    Take(IsSpace);
    const std::string digits = Take([](char c) { return c >= '0' && c <= '9'; });
    const bool known = relation.empty() || relation == "=" || relation == "<=" || relation == ">=";
    if (rule.dim.empty() || digits.empty() || digits.size() > 10 || !known) {
      return Fail(
          at_.Error(ErrorCode::kBadValue,
                    fmt::format("cannot read the factors `{}` at character {}", text_, begin + 1),
                    "write them as `R=3 P<=16`"));
    }
    const std::int64_t value = std::stoll(digits);
    if (value > kMaxFactor) {
      return Fail(at_.Error(ErrorCode::kBadValue, fmt::format("factor {} is too large", value)));
    }
    rule.rule.kind = relation == "<="   ? FactorRule::Kind::kAtMost
                     : relation == ">=" ? FactorRule::Kind::kAtLeast
                                        : FactorRule::Kind::kExactly;
    rule.rule.value = value;
    if (value == 0) {
      if (rule.rule.kind != FactorRule::Kind::kExactly) {
        return Fail(at_.Error(ErrorCode::kBadValue,
                              fmt::format("`{}{}0` is no limit", rule.dim, relation),
                              "0 stands for the whole bound and goes with `=` only"));
      }
      rule.rule = {FactorRule::Kind::kAll, 1};
    }
    return rule;
  }

  const Cursor& at_;
  std::string text_;
  std::size_t i_ = 0;
};

Result<std::vector<DimRule>> ReadFactors(const Cursor& at) {
  std::vector<DimRule> rules;
  std::vector<Cursor> items = {at};
  if (at.IsSequence()) {
    SLUICE_TRY(items, at.Elements());
  }
  for (const Cursor& item : items) {
    SLUICE_TRY(std::string text, item.AsString());
    SLUICE_TRY_STATUS(FactorText(item, std::move(text)).Read(rules));
  }
  return rules;
}

/// The dims named from inside and, after a `*`, from outside (outermost first).
struct Order {
  std::vector<NamedDim> innermost;
  std::vector<NamedDim> outermost;
};

Result<Order> ReadPermutation(const Cursor& at) {
  std::vector<std::string> names;
  if (at.IsSequence()) {
    SLUICE_TRY(const std::vector<Cursor> items, at.Elements());
    for (const Cursor& item : items) {
      SLUICE_TRY(std::string name, item.AsString());
      names.push_back(std::move(name));
    }
  } else {
    // Without separators every letter is a dim, as in `RSPQ`.
    SLUICE_TRY(const std::string text, at.AsString());
    const bool words = std::ranges::any_of(text, [](char c) { return IsSpace(c) || c == ','; });
    std::string word;
    for (const char c : text + " ") {
      const bool separator = IsSpace(c) || c == ',';
      if (!word.empty() && (separator || !words || c == '*')) {
        names.push_back(std::move(word));
        word.clear();
      }
      if (c == '*') {
        names.emplace_back("*");
      } else if (!separator) {
        word += c;
      }
    }
  }
  Order order;
  bool outside = false;
  std::vector<std::string> seen;
  for (std::string& name : names) {
    if (name == "*" && !outside) {
      outside = true;
      continue;
    }
    if (name.empty() || !std::ranges::all_of(name, IsDimLetter)) {
      return Fail(at.Error(ErrorCode::kBadValue, fmt::format("`{}` is no dimension", name),
                           "write the permutation as `RSP`, or as a list of dimensions"));
    }
    if (std::ranges::find(seen, name) != seen.end()) {
      return Fail(at.Error(ErrorCode::kDuplicateKey,
                           fmt::format("dimension `{}` is twice in the permutation", name)));
    }
    seen.push_back(name);
    if (outside) {
      order.outermost.insert(order.outermost.begin(), {std::move(name), at.span()});
    } else {
      order.innermost.push_back({std::move(name), at.span()});
    }
  }
  return order;
}

Result<std::vector<arch::TensorClass>> ReadDataSpaces(const Cursor& at) {
  std::vector<Cursor> items = {at};
  if (at.IsSequence()) {
    SLUICE_TRY(items, at.Elements());
  }
  std::vector<arch::TensorClass> classes;
  for (const Cursor& item : items) {
    SLUICE_TRY(const std::string name, item.AsString());
    if (name == "Inputs" || name == "Input") {
      classes.push_back(arch::TensorClass::kInput);
    } else if (name == "Weights" || name == "Weight") {
      classes.push_back(arch::TensorClass::kWeight);
    } else if (name == "Outputs" || name == "Output") {
      classes.push_back(arch::TensorClass::kOutput);
    } else {
      return Fail(UnknownWord(item, ErrorCode::kUnknownName, "data space", name,
                              {"Inputs", "Weights", "Outputs"}));
    }
  }
  return classes;
}

Diagnostic NotExpressible(const Cursor& at, std::string message, std::string hint) {
  return at.Error(ErrorCode::kConstraints, std::move(message), std::move(hint));
}

Result<LevelRules> ReadTarget(const KeyMap& keys) {
  LevelRules rules;
  SLUICE_TRY(const Cursor at, keys.At("target"));
  SLUICE_TRY(rules.level, at.AsString());
  rules.span = at.span();
  const bool number = !rules.level.empty() && std::ranges::all_of(rules.level, [](unsigned char c) {
    return std::isdigit(c) != 0;
  });
  if (number) {
    return Fail(NotExpressible(at, fmt::format("level {} is given by its number", rules.level),
                               "write the name of the memory"));
  }
  return rules;
}

Result<LevelRules> ReadTemporal(const Cursor& at) {
  SLUICE_TRY(const KeyMap keys,
             KeyMap::Read(at, {{"target"}, {"type"}, {"factors"}, {"permutation"}}));
  SLUICE_TRY(LevelRules rules, ReadTarget(keys));
  if (const auto factors = keys.Find("factors")) {
    SLUICE_TRY(rules.loops[0].factors, ReadFactors(*factors));
  }
  if (const auto permutation = keys.Find("permutation")) {
    SLUICE_TRY(Order order, ReadPermutation(*permutation));
    rules.loops[0].innermost = std::move(order.innermost);
    rules.loops[0].outermost = std::move(order.outermost);
  }
  return rules;
}

/// Which axis each dim of a spatial directive is on.
struct Axes {
  bool known = false;  ///< there is a split
  std::vector<std::string> listed;
  std::size_t split = 0;
  [[nodiscard]] bool OnX(const std::string& dim) const {
    const auto found = std::ranges::find(listed, dim);
    return static_cast<std::size_t>(found - listed.begin()) < split;
  }
};

Result<Axes> ReadAxes(const KeyMap& keys) {
  Axes axes;
  const auto split = keys.Find("split");
  if (const auto permutation = keys.Find("permutation")) {
    SLUICE_TRY(const Order order, ReadPermutation(*permutation));
    if (!order.outermost.empty() || !split) {
      return Fail(NotExpressible(*permutation,
                                 "a spatial permutation says which dims are on which axis, and "
                                 "needs a `split` for it and no `*`",
                                 "add `split`: how many of its dims lie on X"));
    }
    for (const NamedDim& dim : order.innermost) {
      axes.listed.push_back(dim.dim);
    }
  }
  if (split) {
    SLUICE_TRY(const std::int64_t count, split->AsInt(0, kMaxFactor));
    axes.known = true;
    axes.split = static_cast<std::size_t>(count);
    if (axes.split > axes.listed.size()) {
      // Everything listed is on X, and so may be others: only a split beyond all dims is clear.
      if (axes.split < kAllOnX) {
        return Fail(NotExpressible(
            *split,
            fmt::format("the split is after {} dims, the permutation names {}", axes.split,
                        axes.listed.size()),
            "name the dims on X in the permutation, or write a split of at least 7 for all"));
      }
    }
  }
  return axes;
}

Result<LevelRules> ReadSpatial(const Cursor& at) {
  for (const std::string_view key : {"no_reuse", "no_multicast_no_reduction", "no_link_transfer",
                                     "no-reuse", "no-multicast-no-reduction", "no-link-transfer"}) {
    if (at.Find(key)) {
      return Fail(NotExpressible(at.KeyOf(key),
                                 fmt::format("`{}` is no constraint on the mapping", key),
                                 "set `multicast`, `reduction` or `neighbour_forwarding` of the "
                                 "fan-out in the architecture"));
    }
  }
  SLUICE_TRY(const KeyMap keys,
             KeyMap::Read(at, {{"target"}, {"type"}, {"factors"}, {"permutation"}, {"split"}}));
  SLUICE_TRY(LevelRules rules, ReadTarget(keys));
  SLUICE_TRY(const Axes axes, ReadAxes(keys));
  std::vector<DimRule> factors;
  const Cursor factors_at = keys.Find("factors").value_or(at);
  if (keys.Has("factors")) {
    SLUICE_TRY(factors, ReadFactors(factors_at));
  }
  std::vector<DimRule>& x = rules.loops[static_cast<std::size_t>(LoopKind::kSpatialX)].factors;
  std::vector<DimRule>& y = rules.loops[static_cast<std::size_t>(LoopKind::kSpatialY)].factors;
  const auto one = [](DimRule rule) {
    rule.rule = {FactorRule::Kind::kAtMost, 1};
    return rule;
  };
  const bool all_on_x = axes.known && axes.split > axes.listed.size();
  std::vector<std::string> done;
  for (const DimRule& rule : factors) {
    done.push_back(rule.dim);
    const bool single = rule.rule.value == 1 && (rule.rule.kind == FactorRule::Kind::kExactly ||
                                                 rule.rule.kind == FactorRule::Kind::kAtMost);
    if (single) {
      x.push_back(rule);
      y.push_back(rule);
    } else if (!axes.known) {
      return Fail(NotExpressible(
          factors_at, fmt::format("the factor of {} does not say on which axis it is", rule.dim),
          "add a `permutation` and a `split`: how many of its dims lie on X"));
    } else {
      const bool on_x = all_on_x || axes.OnX(rule.dim);
      (on_x ? x : y).push_back(rule);
      (on_x ? y : x).push_back(one(rule));
    }
  }
  if (!axes.known) {
    return rules;
  }
  // Dims without a factor are free, but only on their axis.
  for (const std::string& dim : axes.listed) {
    if (std::ranges::find(done, dim) == done.end()) {
      DimRule rule;
      rule.dim = dim;
      rule.span = rules.span;
      const bool on_x = all_on_x || axes.OnX(dim);
      (on_x ? y : x).push_back(one(rule));
      (on_x ? x : y).push_back({dim, {FactorRule::Kind::kAtLeast, 1}, false, rules.span});
    }
  }
  DimRule rest;
  rest.span = rules.span;
  rules.loops[static_cast<std::size_t>(all_on_x ? LoopKind::kSpatialY : LoopKind::kSpatialX)]
      .others.push_back(one(rest));
  return rules;
}

Result<LevelRules> ReadKeep(const Cursor& at) {
  SLUICE_TRY(const KeyMap keys, KeyMap::Read(at, {{"target"}, {"type"}, {"keep"}, {"bypass"}}));
  SLUICE_TRY(LevelRules rules, ReadTarget(keys));
  for (const bool must : {true, false}) {
    const auto list = keys.Find(must ? "keep" : "bypass");
    if (!list) {
      continue;
    }
    SLUICE_TRY(const std::vector<arch::TensorClass> classes, ReadDataSpaces(*list));
    for (const arch::TensorClass tensor_class : classes) {
      rules.keeps.push_back({tensor_class, must, list->span()});
    }
  }
  return rules;
}

Result<LevelRules> ReadDirective(const Cursor& at) {
  if (!at.IsMap()) {
    return Fail(at.Error(ErrorCode::kWrongType, "a constraint is a map with `target` and `type`"));
  }
  SLUICE_TRY(const Cursor type_at, at.At("type"));
  SLUICE_TRY(const std::string type, type_at.AsString());
  if (type == "temporal") {
    return ReadTemporal(at);
  }
  if (type == "spatial") {
    return ReadSpatial(at);
  }
  if (type == "datatype" || type == "bypass") {
    return ReadKeep(at);
  }
  if (type == "utilization" || type == "parallelism" || type == "max_overbooked_proportion") {
    return Fail(NotExpressible(type_at, fmt::format("limits on {} are not read", type),
                               "bound the spatial factors instead, for example `K>=16`"));
  }
  return Fail(UnknownWord(type_at, ErrorCode::kUnknownName, "type of constraint", type,
                          {"temporal", "spatial", "datatype", "bypass"}));
}

Status ReadSection(const Cursor& section, mapping::ConstraintSpec& spec) {
  std::optional<Cursor> list = section;
  if (section.IsMap()) {
    SLUICE_TRY(const KeyMap keys, KeyMap::Read(section, {{"version"}, {"targets", "constraints"}}));
    SLUICE_TRY_STATUS(CheckVersion(keys.Find("version")));
    list = keys.Find("targets");
  }
  if (!list || list->IsNull()) {
    return {};
  }
  SLUICE_TRY(const std::vector<Cursor> directives, list->Elements());
  for (const Cursor& directive : directives) {
    SLUICE_TRY(LevelRules rules, ReadDirective(directive));
    spec.levels.push_back(std::move(rules));
  }
  return {};
}

}  // namespace
}  // namespace timeloop

bool IsTimeloopConstraints(const Cursor& root) {
  return std::ranges::any_of(root.Items(), [](const auto& item) {
    const std::string key = timeloop::Underscored(item.first);
    return key == "architecture_constraints" || key == "mapspace_constraints" || key == "mapspace";
  });
}

Result<mapping::ConstraintSpec> ReadTimeloopConstraints(const Cursor& root) {
  SLUICE_TRY(const timeloop::KeyMap keys,
             timeloop::KeyMap::Read(
                 root, {{"architecture_constraints"}, {"mapspace_constraints", "mapspace"}}));
  mapping::ConstraintSpec spec;
  spec.name = "Timeloop constraints";
  for (const char* section : {"architecture_constraints", "mapspace_constraints"}) {
    if (const auto at = keys.Find(section)) {
      SLUICE_TRY_STATUS(timeloop::ReadSection(*at, spec));
    }
  }
  return spec;
}

}  // namespace sluice::io
