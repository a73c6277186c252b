// See table.h.

#include "driver/table.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/diagnostic.h"

namespace sluice::driver {
std::string Shorten(const std::string& text, std::size_t limit) {
  if (text.size() <= limit) {
    return text;
  }
  const std::size_t head = (limit - 2) / 3;
  return text.substr(0, head) + ".." + text.substr(text.size() - (limit - 2 - head));
}

void Table::Add(std::vector<std::string> cells) {
  SLUICE_CHECK(cells.size() == columns_.size(), "a table row needs one cell per column");
  for (std::size_t c = 0; c < cells.size(); ++c) {
    cells[c] = Shorten(cells[c], columns_[c].limit);
  }
  rows_.push_back(std::move(cells));
}

std::string Table::Render(std::size_t indent) const {
  std::vector<std::size_t> widths;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    std::size_t width = columns_[c].title.size();
    for (const auto& row : rows_) {
      width = std::max(width, row[c].size());
    }
    widths.push_back(width);
  }
  std::string text;
  const auto line = [&](auto&& cell) {
    std::string out(indent, ' ');
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      out += columns_[c].align == Align::kLeft ? fmt::format("{:<{}}", cell(c), widths[c])
                                               : fmt::format("{:>{}}", cell(c), widths[c]);
      out += "  ";
    }
    out.erase(out.find_last_not_of(' ') + 1);
    text += out + "\n";
  };
  line([&](std::size_t c) -> const std::string& { return columns_[c].title; });
  for (const auto& row : rows_) {
    line([&](std::size_t c) -> const std::string& { return row[c]; });
  }
  return text;
}

std::string Grouped(std::int64_t value) {
  std::string digits = std::to_string(value);
  const std::size_t first = value < 0 ? 1 : 0;
  for (std::size_t i = digits.size(); i > first + 3; i -= 3) {
    digits.insert(i - 3, ",");
  }
  return digits;
}

std::string Percent(double share) {
  return fmt::format("{:.1f} %", 100.0 * share);
}

std::string Bar(double share) {
  constexpr double kWidth = 12;
  const double clamped = std::isfinite(share) ? std::clamp(share, 0.0, 1.0) : 0.0;
  return std::string(static_cast<std::size_t>(std::lround(clamped * kWidth)), '#');
}

}  // namespace sluice::driver
