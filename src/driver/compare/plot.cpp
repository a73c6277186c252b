// A comparison as one HTML page with two drawings: quality by samples, quality by processor time.
// Both axes are logarithmic; quality is drawn as what is missing, value over best known less 1.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "driver/compare/compare.h"
#include "mapper/codes/search.h"

namespace sluice::driver {
namespace {

constexpr double kWidth = 560;
constexpr double kHeight = 340;
constexpr double kLeft = 64;
constexpr double kBottom = 40;
constexpr double kTop = 10;
constexpr double kFloor = 1e-4;  ///< less is drawn on the axis
constexpr std::array<std::string_view, 8> kColours = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                      "#56b4e9", "#e69f00", "#000000", "#999999"};

std::string Escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '&':
        result += "&amp;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

struct Axis {
  double low = 1;
  double high = 10;
  double from = 0;
  double to = 1;
  [[nodiscard]] double At(double value) const {
    const double share = std::log(std::clamp(value, low, high) / low) / std::log(high / low);
    return from + share * (to - from);
  }
};

/// Whole decades around what is to be drawn.
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

double Missing(double quality) {
  return std::isfinite(quality) ? std::max(quality - 1, kFloor) : quality;
}

std::string Text(double x, double y, std::string_view anchor, std::string_view text) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", x, y, anchor,
                     Escaped(text));
}

std::string Grid(const Axis& x, const Axis& y, std::string_view title) {
  std::string svg;
  constexpr double kStep = 10;
  constexpr double kSlack = 1.001;
  for (double v = x.low; v <= x.high * kSlack; v *= kStep) {
    svg += fmt::format("<path d=\"M{0:.1f} {1:.1f}V{2:.1f}\" class=\"grid\"/>\n", x.At(v), y.from,
                       y.to);
    svg += Text(x.At(v), y.from + 16, "middle", fmt::format("{:g}", v));
  }
  for (double v = y.low; v <= y.high * kSlack; v *= kStep) {
    svg += fmt::format("<path d=\"M{0:.1f} {1:.1f}H{2:.1f}\" class=\"grid\"/>\n", x.from, y.At(v),
                       x.to);
    svg += Text(x.from - 6, y.At(v) + 4, "end", fmt::format("{:g} %", 100 * v));
  }
  return svg + Text((x.from + x.to) / 2, y.from + 34, "middle", title);
}

std::string Drawing(const Comparison& comparison, bool by_time) {
  const CompareOptions& options = comparison.options;
  std::vector<double> across;
  std::vector<double> up;
  const auto place = [&](const CompareCell& cell) {
    return by_time ? cell.cpu_seconds : cell.samples;
  };
  for (const auto& row : comparison.cells) {
    for (const CompareCell& cell : row) {
      across.push_back(place(cell));
      up.push_back(Missing(cell.quality.low));
      up.push_back(Missing(cell.quality.high));
    }
  }
  const Axis x = Decades(across, kLeft, kWidth - 12);
  const Axis y = Decades(up, kHeight - kBottom, kTop);
  std::string svg = fmt::format(
      "<svg viewBox=\"0 0 {0:g} {1:g}\" width=\"{0:g}\" height=\"{1:g}\" role=\"img\">\n", kWidth,
      kHeight);
  svg += Grid(x, y, by_time ? "CPU seconds a layer" : "samples a layer");
  for (std::size_t s = 0; s < options.searches.size(); ++s) {
    const std::string_view colour = kColours[s % kColours.size()];
    std::string path;
    for (const CompareCell& cell : comparison.cells[s]) {
      if (!std::isfinite(cell.quality.median) || !(place(cell) > 0)) {
        continue;
      }
      const double px = x.At(place(cell));
      path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", px,
                          y.At(Missing(cell.quality.median)));
      svg += fmt::format(
          "<path d=\"M{0:.1f} {1:.1f}V{2:.1f}\" stroke=\"{3}\"/>\n", px,
          y.At(Missing(cell.quality.low)),
          y.At(std::isfinite(cell.quality.high) ? Missing(cell.quality.high) : y.high), colour);
      svg += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\" fill=\"{}\"/>\n", px,
                         y.At(Missing(cell.quality.median)), colour);
    }
    svg += fmt::format("<path d=\"{}\" stroke=\"{}\" fill=\"none\" stroke-width=\"2\"/>\n",
                       path.empty() ? "M0 0" : path, colour);
  }
  return svg + "</svg>\n";
}

}  // namespace

std::string HtmlOfComparison(const Comparison& comparison) {
  const CompareOptions& options = comparison.options;
  std::string legend;
  for (std::size_t s = 0; s < options.searches.size(); ++s) {
    legend += fmt::format("<span><i style=\"background:{}\"></i>{}</span>\n",
                          kColours[s % kColours.size()], Escaped(options.searches[s]));
  }
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\n<title>{0}</title>\n"
      "<style>body{{font:14px sans-serif;margin:2em;max-width:1200px}}"
      "svg{{font-size:11px;max-width:100%;height:auto}}.grid{{stroke:#ddd}}"
      "span{{margin-right:1.5em}}i{{display:inline-block;width:1em;height:.7em;margin-right:.4em}}"
      "pre{{overflow:auto}}</style>\n"
      "<h1>{0}</h1>\n<p>What is missing to the best known, median over seeds with quartiles; both "
      "axes logarithmic; {1:g} % and less is drawn at {1:g} %.</p>\n<p>{2}</p>\n{3}{4}"
      "<pre>{5}</pre>\n</html>\n",
      Escaped(fmt::format("{} under {}: {}", comparison.title, comparison.model,
                          CodeObjectiveName(options.objective))),
      100 * kFloor, legend, Drawing(comparison, false), Drawing(comparison, true),
      Escaped(RenderComparison(comparison).Plain()));
}

}  // namespace sluice::driver
