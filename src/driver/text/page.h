#pragma once
/// \file
/// Text for people, line by line, with what deserves an eye. Whether that becomes colour is the
/// terminal's business (cli/console.h): the words alone say everything. Tested by tests/cli.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::driver {

enum class Emphasis : std::uint8_t {
  kNone,
  kHeading,  ///< starts a part
  kStrong,   ///< what costs most, or what binds
};

class Page {
 public:
  struct Line {
    std::string text;  ///< without a newline
    Emphasis emphasis = Emphasis::kNone;
  };

  /// One line or several; a final newline is not a line of its own.
  void Add(std::string_view text, Emphasis emphasis = Emphasis::kNone);
  void Add(const Page& page);
  /// After an empty line, unless it is the first.
  void Heading(std::string_view text);

  [[nodiscard]] const std::vector<Line>& lines() const { return lines_; }
  /// All lines, each with its newline.
  [[nodiscard]] std::string Plain() const;

 private:
  std::vector<Line> lines_;
};

}  // namespace sluice::driver
