#include "io/timeloop/keys.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/diagnostic.h"
#include "base/text.h"
#include "io/yaml/yaml.h"

namespace sluice::io::timeloop {

std::string Underscored(std::string_view text) {
  std::string result(text);
  std::ranges::replace(result, '-', '_');
  return result;
}

Diagnostic UnknownWord(const Cursor& at, ErrorCode code, std::string_view what,
                       std::string_view word, const std::vector<std::string>& candidates) {
  const std::string closest = ClosestMatch(word, candidates);
  std::string hint;
  if (!closest.empty()) {
    hint = fmt::format("did you mean `{}`?", closest);
  } else if (!candidates.empty()) {
    hint = fmt::format("known here: {}", fmt::join(candidates, ", "));
  }
  return at.Error(code, fmt::format("unknown {} `{}`", what, word), hint);
}

Result<KeyMap> KeyMap::Read(const Cursor& map, const std::vector<KeySpellings>& keys) {
  if (!map.IsMap()) {
    return Fail(map.Error(ErrorCode::kWrongType, "expected a map of keys to values"));
  }
  KeyMap result(map);
  for (auto& [key, value] : map.Items()) {
    const std::string spelled = Underscored(key);
    const auto known = std::ranges::find_if(keys, [&](const KeySpellings& spellings) {
      return std::ranges::find(spellings, spelled) != spellings.end();
    });
    if (known == keys.end()) {
      std::vector<std::string> candidates;
      for (const KeySpellings& spellings : keys) {
        candidates.insert(candidates.end(), spellings.begin(), spellings.end());
      }
      return Fail(UnknownWord(map.KeyOf(key), ErrorCode::kUnknownKey, "key", key, candidates));
    }
    const std::string canonical(known->front());
    if (result.Has(canonical)) {
      return Fail(map.KeyOf(key).Error(
          ErrorCode::kDuplicateKey,
          fmt::format("key `{}` is given twice (as `{}` and in another spelling)", canonical, key),
          "keep one of them"));
    }
    result.values_.emplace_back(canonical, value);
  }
  return result;
}

std::optional<Cursor> KeyMap::Find(std::string_view canonical) const {
  for (const auto& [key, value] : values_) {
    if (key == canonical) {
      return value;
    }
  }
  return std::nullopt;
}

Result<Cursor> KeyMap::At(std::string_view canonical) const {
  if (auto value = Find(canonical)) {
    return *value;
  }
  return Fail(map_.Error(ErrorCode::kMissingKey, fmt::format("missing key `{}`", canonical)));
}

}  // namespace sluice::io::timeloop
