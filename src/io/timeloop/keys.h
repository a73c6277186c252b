#pragma once
/// \file
/// A map of a Timeloop document with its keys resolved: `-` and `_` are the same character, every
/// key has a canonical name and any number of aliases, and a key outside the list is an error.
/// Internal to the Timeloop reader.

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/diagnostic.h"
#include "io/yaml/yaml.h"

namespace sluice::io::timeloop {

/// Accepted key: the canonical name first, then its other spellings (written with `_`).
using KeySpellings = std::vector<std::string_view>;

class KeyMap {
 public:
  /// Errors: kWrongType when `map` is no map, kUnknownKey, kDuplicateKey (two spellings of one
  /// key).
  static Result<KeyMap> Read(const Cursor& map, const std::vector<KeySpellings>& keys);

  /// The value of the key with this canonical name.
  [[nodiscard]] std::optional<Cursor> Find(std::string_view canonical) const;
  [[nodiscard]] bool Has(std::string_view canonical) const { return Find(canonical).has_value(); }
  /// Errors: kMissingKey.
  [[nodiscard]] Result<Cursor> At(std::string_view canonical) const;

 private:
  explicit KeyMap(Cursor map) : map_(std::move(map)) {}

  Cursor map_;
  std::vector<std::pair<std::string, Cursor>> values_;
};

/// `text` with every `-` replaced by `_`.
std::string Underscored(std::string_view text);

/// kUnknownKey or kUnknownName at `at`: "unknown <what> `<word>`", with the closest candidate or
/// the whole list as hint.
Diagnostic UnknownWord(const Cursor& at, ErrorCode code, std::string_view what,
                       std::string_view word, const std::vector<std::string>& candidates);

}  // namespace sluice::io::timeloop
