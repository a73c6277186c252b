#pragma once
/// \file
/// Plain text tables with aligned columns. Widths count bytes, so cells are ASCII.

#include <cstddef>
#include <string>
#include <vector>

namespace sluice::driver {

class Table {
 public:
  enum class Align { kLeft, kRight };
  struct Column {
    std::string title;
    Align align = Align::kLeft;
    std::size_t limit = 80;  ///< longer cells keep their ends: `resnet/..../conv3`
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  /// Requires one cell per column.
  void Add(std::vector<std::string> cells);
  /// Title row, then the rows, each line indented by `indent` blanks, without trailing blanks.
  [[nodiscard]] std::string Render(std::size_t indent = 2) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// At most `limit` characters, the middle left out: `/feat..conv3`. Requires limit >= 4.
std::string Shorten(const std::string& text, std::size_t limit);
/// `1,234,567`
std::string Grouped(std::int64_t value);
/// `43.2 %`
std::string Percent(double share);
/// 12 ASCII characters showing a share of 1.
std::string Bar(double share);

}  // namespace sluice::driver
