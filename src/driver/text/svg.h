#pragma once
/// \file
/// Drawings with logarithmic axes as SVG, and the page around them: no script, nothing to load.
/// Tested by tests/unit/compare_test.cpp, tests/cli/learn_test.py.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::driver {

/// Maps the logarithm of a number to a coordinate; numbers outside are drawn at the ends.
struct Axis {
  double low = 1;
  double high = 10;
  double from = 0;
  double to = 1;
  [[nodiscard]] double At(double value) const;
};

class Drawing {
 public:
  /// Whole decades around what is to be drawn; what is not positive and finite is left out.
  Drawing(const std::vector<double>& across, const std::vector<double>& up);
  /// Grid and labels. `percent`: of the upright axis.
  void Grid(std::string_view across, bool percent);
  /// A line through the points in their order. Colours repeat after eight.
  struct Point {
    double x = 0;
    double y = 0;
  };
  void Line(const std::vector<Point>& points, std::size_t colour, bool dashed = false);
  void Dot(const Point& point, std::size_t colour);
  /// From `low` to `high` at `x`.
  void Bar(double x, double low, double high, std::size_t colour);
  [[nodiscard]] std::string Svg() const;

 private:
  [[nodiscard]] bool Drawable(const Point& point) const;
  Axis x_;
  Axis y_;
  std::string body_;
};

/// Coloured names.
std::string LegendOf(const std::vector<std::string>& names);
/// `title` is escaped, `body` is markup.
std::string HtmlPage(std::string_view title, std::string_view body);

}  // namespace sluice::driver
