#pragma once
/// \file
/// The architecture format, defined once: sections, keys, kinds, units and one sentence each. The
/// reader takes allowed and required keys and units from it, the JSON Schema and the tables of
/// docs/formats/architecture.md are printed from it. A new attribute is a row here, a line in the
/// reader and one in the writer.
/// Tested by tests/unit/arch_yaml_test.cpp.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "io/yaml/units.h"

namespace sluice::io {

inline constexpr int kArchitectureVersion = 1;

enum class ValueKind : std::uint8_t {
  kVersion,
  kText,
  kCount,        ///< an integer of at least 1
  kNumber,       ///< a plain number of at least 1
  kFlag,         ///< true or false
  kQuantity,     ///< a number with one of `units`
  kSize,         ///< the same, or `unbounded`
  kNames,        ///< a list of texts
  kChoice,       ///< one of `choices`
  kKeep,         ///< one of `choices`, or a map of the section
  kSection,      ///< a map of the section
  kSectionList,  ///< a list of such maps, at least one
};

struct KeySpec {
  std::string_view key;
  ValueKind kind = ValueKind::kText;
  bool required = false;
  std::vector<Unit> units;
  std::vector<std::string_view> choices;
  std::string_view section;  ///< for kSection, kSectionList, kKeep
  std::string_view doc;
};

struct SectionSpec {
  std::string_view name;
  std::string_view doc;
  std::vector<KeySpec> keys;
  /// Exactly one of these keys is given (branches); empty elsewhere.
  std::vector<std::string_view> one_of;
};

/// All sections, the root section first.
const std::vector<SectionSpec>& ArchitectureFormat();
/// Requires: both exist.
const SectionSpec& FormatSection(std::string_view section);
const KeySpec& FormatKey(std::string_view section, std::string_view key);

/// The JSON Schema (draft 2020-12) of the format; ends with a newline.
std::string ArchitectureSchema();
/// A Markdown table of one section's keys, for the documentation.
std::string FormatTable(const SectionSpec& section);

}  // namespace sluice::io
