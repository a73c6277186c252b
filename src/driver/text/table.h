#pragma once
/// \file
/// Plain text tables with aligned columns. Widths count bytes, so cells are ASCII.

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "driver/text/page.h"

namespace sluice::driver {

class Table {
 public:
  enum class Align : std::uint8_t { kLeft, kRight };
  struct Column {
    std::string title;
    Align align = Align::kLeft;
    std::size_t limit = 80;  ///< longer cells keep their ends: `resnet/..../conv3`
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  /// Requires one cell per column.
  void Add(std::vector<std::string> cells, Emphasis emphasis = Emphasis::kNone);
  /// A line across all columns, which makes none of them wider; at most 80 columns, then broken.
  void Span(std::string text);
  /// Title row, then the rows, each line indented by `indent` blanks, without trailing blanks.
  [[nodiscard]] Page Lines(std::size_t indent = 2) const;
  [[nodiscard]] std::string Render(std::size_t indent = 2) const { return Lines(indent).Plain(); }

 private:
  struct Row {
    std::vector<std::string> cells;  ///< of a line across all columns: empty
    Emphasis emphasis = Emphasis::kNone;
    std::string span;
  };
  std::vector<Column> columns_;
  std::vector<Row> rows_;
};

/// At most `limit` characters, the middle left out: `/feat..conv3`. Requires limit >= 4.
std::string Shorten(const std::string& text, std::size_t limit);
/// `label text`, the text from column `indent` on, broken at blanks (within a word only where it
/// fits no line) so that no line exceeds 80 columns. Requires a label shorter than `indent`.
std::string Wrapped(const std::string& label, const std::string& text, std::size_t indent);
/// `1,234,567`
std::string Grouped(std::int64_t value);
/// `43.2 %`
std::string Percent(double share);

}  // namespace sluice::driver
