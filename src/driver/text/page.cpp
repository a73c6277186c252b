// See page.h.

#include "driver/text/page.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace sluice::driver {

void Page::Add(std::string_view text, Emphasis emphasis) {
  for (;;) {
    const std::size_t end = text.find('\n');
    lines_.push_back({std::string(text.substr(0, end)), emphasis});
    if (end == std::string_view::npos || end + 1 == text.size()) {
      return;
    }
    text.remove_prefix(end + 1);
  }
}

void Page::Add(const Page& page) {
  lines_.insert(lines_.end(), page.lines_.begin(), page.lines_.end());
}

void Page::Heading(std::string_view text) {
  if (!lines_.empty()) {
    Add("");
  }
  Add(text, Emphasis::kHeading);
}

std::string Page::Plain() const {
  std::string text;
  for (const Line& line : lines_) {
    text += line.text + '\n';
  }
  return text;
}

}  // namespace sluice::driver
