#pragma once
/// \file
/// Strict YAML: the only user of yaml-cpp. A document keeps its text; a Cursor knows its path and its
/// position, so that every error shows file:line:column, the source line, a caret and a hint.
///
/// Duplicate keys, unknown keys (with "did you mean"), aliases and anchors beyond a small budget (YAML
/// bombs), nesting deeper than 64 and files above 16 MiB are errors. JSON is read by the same reader.
/// Tested by tests/unit/yaml_test.cpp.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"

namespace sluice::io {

class YamlDocument;

/// What kind of quantity a scalar with a unit is.
enum class Unit : std::uint8_t {
  kBits,          ///< `16 bit`, `512 B`, `108 KiB`, `8 MiB`  -> bits
  kHertz,         ///< `200 MHz`, `1 GHz`                     -> Hz
  kEnergy,        ///< `1.2 pJ`, `200 fJ`                     -> pJ
  kEnergyPerBit,  ///< `1.2 pJ/bit`                           -> pJ/bit
  kBandwidth,     ///< `64 B/cycle`, `16 bit/cycle`           -> bits/cycle
  kBandwidthTime, ///< `25.6 GB/s`                            -> bits/s
  kPower,         ///< `1 mW`                                 -> W
};

/// A node of a document with its path. Cheap to copy; valid while the document lives.
class Cursor {
 public:
  [[nodiscard]] bool IsMap() const;
  [[nodiscard]] bool IsSequence() const;
  [[nodiscard]] bool IsScalar() const;
  [[nodiscard]] bool IsNull() const;

  /// Key of a map. Errors: kMissingKey, kWrongType.
  [[nodiscard]] Result<Cursor> At(std::string_view key) const;
  /// Key of a map if present (nullopt also when this is not a map).
  [[nodiscard]] std::optional<Cursor> Find(std::string_view key) const;
  /// Error kUnknownKey for the first key not in `allowed`, with the closest allowed one as hint.
  [[nodiscard]] Status AllowKeys(std::initializer_list<std::string_view> allowed) const;
  /// Keys in file order.
  [[nodiscard]] std::vector<std::pair<std::string, Cursor>> Items() const;
  /// Elements of a sequence. Errors: kWrongType.
  [[nodiscard]] Result<std::vector<Cursor>> Elements() const;

  [[nodiscard]] Result<std::string> AsString() const;
  [[nodiscard]] Result<std::int64_t> AsInt() const;
  [[nodiscard]] Result<std::int64_t> AsInt(std::int64_t minimum, std::int64_t maximum) const;
  [[nodiscard]] Result<double> AsDouble() const;
  [[nodiscard]] Result<bool> AsBool() const;
  /// A number with a unit; a bare number is an error (kBadUnit) that lists the units.
  [[nodiscard]] Result<double> AsQuantity(Unit unit) const;

  /// A diagnostic pointing here.
  [[nodiscard]] Diagnostic Error(ErrorCode code, std::string message, std::string hint = {}) const;
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] SourceSpan span() const;

 private:
  friend class YamlDocument;
  struct Impl;
  std::shared_ptr<const Impl> impl_;
  std::string path_;
};

class YamlDocument {
 public:
  /// Errors: kSyntax, kDuplicateKey, kTooDeep with positions.
  static Result<YamlDocument> Parse(std::string text, std::string file_name);
  static Result<YamlDocument> Load(const std::string& path);
  [[nodiscard]] Cursor root() const;
  [[nodiscard]] const std::string& text() const;

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

}  // namespace sluice::io
