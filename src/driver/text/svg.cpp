#include "driver/text/svg.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"

namespace sluice::driver {
namespace {

constexpr double kWidth = 560;
constexpr double kHeight = 340;
constexpr double kLeft = 64;
constexpr double kBottom = 40;
constexpr double kTop = 10;
constexpr double kRight = 12;
constexpr std::array<std::string_view, 8> kColours = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                      "#56b4e9", "#e69f00", "#000000", "#999999"};

std::string_view ColourOf(std::size_t index) {
  return kColours[index % kColours.size()];
}

Axis Decades(const std::vector<double>& values, double from, double to) {
  double low = std::numeric_limits<double>::infinity();
  double high = 0;
  for (const double value : values) {
    if (std::isfinite(value) && value > 0) {
      low = std::min(low, value);
      high = std::max(high, value);
    }
  }
  if (!(high > 0)) {
    low = high = 1;
  }
  low = std::pow(10, std::floor(std::log10(low)));
  high = std::pow(10, std::ceil(std::log10(high)));
  return {low, high > low ? high : 10 * low, from, to};
}

std::string Text(double x, double y, std::string_view anchor, std::string_view text) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", x, y, anchor,
                     EscapedMarkup(text));
}

/// From the low end to the high one, by tens.
std::vector<double> Powers(const Axis& axis) {
  constexpr double kSlack = 1.001;  // of products rounded ten times
  std::vector<double> powers = {axis.low};
  while (powers.back() * 10 <= axis.high * kSlack) {
    powers.push_back(powers.back() * 10);
  }
  return powers;
}

}  // namespace

double Axis::At(double value) const {
  const double share = std::log(std::clamp(value, low, high) / low) / std::log(high / low);
  return from + share * (to - from);
}

Drawing::Drawing(const std::vector<double>& across, const std::vector<double>& up)
    : x_(Decades(across, kLeft, kWidth - kRight)), y_(Decades(up, kHeight - kBottom, kTop)) {}

void Drawing::Grid(std::string_view across, bool percent) {
  for (const double v : Powers(x_)) {
    body_ += fmt::format("<path d=\"M{0:.1f} {1:.1f}V{2:.1f}\" class=\"grid\"/>\n", x_.At(v),
                         y_.from, y_.to);
    body_ += Text(x_.At(v), y_.from + 16, "middle", fmt::format("{:g}", v));
  }
  for (const double v : Powers(y_)) {
    body_ += fmt::format("<path d=\"M{0:.1f} {1:.1f}H{2:.1f}\" class=\"grid\"/>\n", x_.from,
                         y_.At(v), x_.to);
    body_ += Text(x_.from - 6, y_.At(v) + 4, "end",
                  percent ? fmt::format("{:g} %", 100 * v) : fmt::format("{:g}", v));
  }
  body_ += Text((x_.from + x_.to) / 2, y_.from + 34, "middle", across);
}

bool Drawing::Drawable(const Point& point) const {
  return std::isfinite(point.x) && std::isfinite(point.y) && point.x > 0 && point.y > 0;
}

void Drawing::Line(const std::vector<Point>& points, std::size_t colour, bool dashed) {
  std::string path;
  for (const Point& point : points) {
    if (Drawable(point)) {
      path +=
          fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", x_.At(point.x), y_.At(point.y));
    }
  }
  if (!path.empty()) {
    body_ += fmt::format("<path d=\"{}\" stroke=\"{}\" fill=\"none\" stroke-width=\"2\"{}/>\n",
                         path, ColourOf(colour), dashed ? " stroke-dasharray=\"5 4\"" : "");
  }
}

void Drawing::Dot(const Point& point, std::size_t colour) {
  if (Drawable(point)) {
    body_ += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\" fill=\"{}\"/>\n",
                         x_.At(point.x), y_.At(point.y), ColourOf(colour));
  }
}

void Drawing::Bar(double x, double low, double high, std::size_t colour) {
  if (Drawable({x, low})) {
    body_ += fmt::format("<path d=\"M{0:.1f} {1:.1f}V{2:.1f}\" stroke=\"{3}\"/>\n", x_.At(x),
                         y_.At(low), y_.At(std::isfinite(high) ? high : y_.high), ColourOf(colour));
  }
}

std::string Drawing::Svg() const {
  return fmt::format(
      "<svg viewBox=\"0 0 {0:g} {1:g}\" width=\"{0:g}\" height=\"{1:g}\" role=\"img\">\n{2}"
      "</svg>\n",
      kWidth, kHeight, body_);
}

std::string LegendOf(const std::vector<std::string>& names) {
  std::string legend;
  for (std::size_t i = 0; i < names.size(); ++i) {
    legend += fmt::format("<span><i style=\"background:{}\"></i>{}</span>\n", ColourOf(i),
                          EscapedMarkup(names[i]));
  }
  return "<p>" + legend + "</p>\n";
}

std::string HtmlPage(std::string_view title, std::string_view body) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\n<title>{0}</title>\n"
      "<style>body{{font:14px sans-serif;margin:2em;max-width:1200px}}"
      "svg{{font-size:11px;max-width:100%;height:auto}}.grid{{stroke:#ddd}}"
      "span{{margin-right:1.5em}}i{{display:inline-block;width:1em;height:.7em;margin-right:.4em}}"
      "pre{{overflow:auto}}</style>\n<h1>{0}</h1>\n{1}</html>\n",
      EscapedMarkup(title), body);
}

}  // namespace sluice::driver
