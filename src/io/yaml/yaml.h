#pragma once
/// \file
/// Strict YAML: the only user of yaml-cpp. A document keeps its text; a Cursor knows its path and
/// its position, so that every error shows file:line:column, the source line, a caret and a hint.
///
/// Duplicate keys, unknown keys (with "did you mean"), aliases that expand a document beyond a
/// small budget (YAML bombs), nesting deeper than 64, files above 16 MiB, custom tags and several
/// documents in one file are errors. Merge keys (`<<: *base`) are applied. JSON is read by the same
/// reader. Tested by tests/unit/yaml_test.cpp.

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/diagnostic.h"
#include "io/yaml/units.h"

namespace sluice::io {

inline constexpr std::int64_t kMaxYamlBytes = std::int64_t{16} << 20U;
inline constexpr int kMaxYamlDepth = 64;

struct YamlTree;

/// A node of a document with its path. Cheap to copy; valid while the document lives (also when the
/// document is moved).
class Cursor {
 public:
  [[nodiscard]] bool IsMap() const;
  [[nodiscard]] bool IsSequence() const;
  [[nodiscard]] bool IsScalar() const;
  [[nodiscard]] bool IsNull() const;
  /// A scalar written in quotes: text, never a number.
  [[nodiscard]] bool IsQuoted() const;
  /// `a map`, `a list`, `text`, `nothing`: for messages.
  [[nodiscard]] std::string_view KindName() const;

  /// Key of a map. Errors: kMissingKey, kWrongType.
  [[nodiscard]] Result<Cursor> At(std::string_view key) const;
  /// Key of a map if present (nullopt also when this is not a map).
  [[nodiscard]] std::optional<Cursor> Find(std::string_view key) const;
  /// The key itself, as a place to point at; this cursor when there is no such key.
  [[nodiscard]] Cursor KeyOf(std::string_view key) const;
  /// Error kUnknownKey for the first key not in `allowed`, with the closest allowed one as hint;
  /// kWrongType when this is not a map.
  [[nodiscard]] Status AllowKeys(std::initializer_list<std::string_view> allowed) const;
  [[nodiscard]] Status AllowKeys(std::span<const std::string> allowed) const;
  /// Keys in file order; empty when this is not a map.
  [[nodiscard]] std::vector<std::pair<std::string, Cursor>> Items() const;
  /// Elements of a sequence. Errors: kWrongType.
  [[nodiscard]] Result<std::vector<Cursor>> Elements() const;

  [[nodiscard]] Result<std::string> AsString() const;
  /// Decimal integers only: `1e3`, `0x10` and `"5"` are errors with a hint.
  [[nodiscard]] Result<std::int64_t> AsInt() const;
  [[nodiscard]] Result<std::int64_t> AsInt(std::int64_t minimum, std::int64_t maximum) const;
  /// A finite decimal number.
  [[nodiscard]] Result<double> AsDouble() const;
  /// `true` or `false`, in the three capitalisations of YAML.
  [[nodiscard]] Result<bool> AsBool() const;
  /// A number with a unit; a bare number is an error (kBadUnit) that lists the units.
  [[nodiscard]] Result<double> AsQuantity(Unit unit) const;
  /// The same where several kinds of unit are possible.
  [[nodiscard]] Result<Quantity> AsQuantity(std::span<const Unit> allowed) const;
  [[nodiscard]] Result<Quantity> AsQuantity(std::initializer_list<Unit> allowed) const;

  /// A diagnostic pointing here.
  [[nodiscard]] Diagnostic Error(ErrorCode code, std::string message, std::string hint = {}) const;
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] SourceSpan span() const;

 private:
  friend class YamlDocument;
  Cursor(const YamlTree* tree, std::uint32_t node, std::string path)
      : tree_(tree), node_(node), path_(std::move(path)) {}
  [[nodiscard]] Diagnostic WrongType(std::string_view wanted) const;

  const YamlTree* tree_;
  std::uint32_t node_;
  std::string path_;
};

class YamlDocument {
 public:
  /// Errors: kSyntax, kDuplicateKey, kTooDeep, kFileTooLarge, with positions. An empty text is a
  /// null root.
  static Result<YamlDocument> Parse(std::string text, std::string file_name);
  static Result<YamlDocument> Load(const std::string& path);
  ~YamlDocument();
  YamlDocument(YamlDocument&&) noexcept;
  YamlDocument& operator=(YamlDocument&&) noexcept;

  [[nodiscard]] Cursor root() const;
  [[nodiscard]] const std::string& text() const;
  [[nodiscard]] const std::string& file_name() const;

 private:
  explicit YamlDocument(std::unique_ptr<YamlTree> tree);
  std::unique_ptr<YamlTree> tree_;
};

}  // namespace sluice::io
