// See table.h.

#include "driver/text/table.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/diagnostic.h"
#include "driver/text/page.h"

namespace sluice::driver {

std::string Shorten(const std::string& text, std::size_t limit) {
  if (text.size() <= limit) {
    return text;
  }
  const std::size_t head = (limit - 2) / 3;
  return text.substr(0, head) + ".." + text.substr(text.size() - (limit - 2 - head));
}

std::string Wrapped(const std::string& label, const std::string& text, std::size_t indent) {
  constexpr std::size_t kWidth = 80;
  SLUICE_CHECK(label.size() < indent && indent < kWidth, "a label needs room behind it");
  std::string out;
  std::string line = label + std::string(indent - label.size(), ' ');
  const auto finish = [&] {
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
    line = std::string(indent, ' ');
  };
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t blank = text.find(' ', begin);
    const std::size_t end = blank == std::string::npos ? text.size() : blank;
    if (line.size() + (end - begin) > kWidth && line.size() > indent) {
      finish();
    }
    const std::size_t taken = std::min(end - begin, kWidth - line.size());
    line += text.substr(begin, taken);
    begin += taken;
    if (begin < end) {
      finish();
    } else if (begin < text.size()) {
      line += line.size() < kWidth ? " " : "";
      ++begin;
    }
  }
  finish();
  return out;
}

void Table::Add(std::vector<std::string> cells, Emphasis emphasis) {
  SLUICE_CHECK(cells.size() == columns_.size(), "a table row needs one cell per column");
  for (std::size_t c = 0; c < cells.size(); ++c) {
    cells[c] = Shorten(cells[c], columns_[c].limit);
  }
  rows_.push_back({std::move(cells), emphasis, {}});
}

void Table::Span(std::string text) {
  rows_.push_back({{}, Emphasis::kNone, std::move(text)});
}

Page Table::Lines(std::size_t indent) const {
  std::vector<std::size_t> widths;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    std::size_t width = columns_[c].title.size();
    for (const Row& row : rows_) {
      width = row.cells.empty() ? width : std::max(width, row.cells[c].size());
    }
    widths.push_back(width);
  }
  Page page;
  const auto line = [&](auto&& cell, Emphasis emphasis) {
    std::string out(indent, ' ');
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      out += columns_[c].align == Align::kLeft ? fmt::format("{:<{}}", cell(c), widths[c])
                                               : fmt::format("{:>{}}", cell(c), widths[c]);
      out += "  ";
    }
    out.erase(out.find_last_not_of(' ') + 1);
    page.Add(out, emphasis);
  };
  line([&](std::size_t c) -> const std::string& { return columns_[c].title; }, Emphasis::kNone);
  for (const Row& row : rows_) {
    if (row.cells.empty()) {
      page.Add(Wrapped("", row.span, indent));
      continue;
    }
    line([&](std::size_t c) -> const std::string& { return row.cells[c]; }, row.emphasis);
  }
  return page;
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

}  // namespace sluice::driver
