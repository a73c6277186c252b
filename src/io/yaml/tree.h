#pragma once
/// \file
/// Inside of YamlDocument: an arena of nodes. Aliases share their target's node, so that even a
/// bomb takes only the memory of its text; what it would expand to is counted and bounded by the
/// builder.

#include <cstdint>
#include <string>
#include <vector>

#include "base/diagnostic.h"

namespace sluice::io {

struct YamlNode {
  enum class Kind : std::uint8_t { kNull, kScalar, kSequence, kMap };
  Kind kind = Kind::kNull;
  bool quoted = false;
  std::uint8_t height = 0;    ///< levels of collections, this one included
  std::int32_t line = 0;      ///< from 0
  std::int32_t column = 0;    ///< from 0, in bytes
  std::int32_t length = 1;    ///< bytes to underline
  std::int64_t expanded = 1;  ///< nodes when aliases are written out, saturating
  std::string scalar;
  std::vector<std::uint32_t> children;  ///< of a map: key, value, key, value ...
};

struct YamlTree {
  std::string text;
  std::string file;
  std::vector<std::uint32_t> line_begin;  ///< offset of each line in `text`
  std::vector<YamlNode> nodes;
  std::uint32_t root = 0;

  [[nodiscard]] SourceSpan Span(int line, int column, int length) const;
  [[nodiscard]] SourceSpan Span(const YamlNode& node) const {
    return Span(node.line, node.column, node.length);
  }
};

/// Checks the text for what yaml-cpp must never see (size, encoding, control characters, nesting
/// that would make its scanner queue without bound, tabs in indentation). Fills `line_begin`.
Status CheckYamlText(YamlTree& tree);

/// Parses `tree.text` into `tree.nodes`. Requires CheckYamlText to have succeeded.
Status BuildYamlTree(YamlTree& tree);

}  // namespace sluice::io
