// Comparisons as HTML pages with drawings: quality by samples and by processor time, or fronts.
// Quality is drawn as what is missing, value over best known less 1.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "driver/compare/compare.h"
#include "driver/compare/front.h"
#include "driver/text/page.h"
#include "driver/text/svg.h"
#include "mapper/codes/front.h"
#include "mapper/codes/search.h"

namespace sluice::driver {
namespace {

constexpr double kFloor = 1e-4;  ///< less is drawn on the axis

double Missing(double quality) {
  return std::isfinite(quality) ? std::max(quality - 1, kFloor) : quality;
}

std::string DrawingOf(const Comparison& comparison, bool by_time) {
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
  Drawing drawing(across, up);
  drawing.Grid(by_time ? "CPU seconds a layer" : "samples a layer", true);
  for (std::size_t s = 0; s < comparison.cells.size(); ++s) {
    std::vector<Drawing::Point> line;
    for (const CompareCell& cell : comparison.cells[s]) {
      line.push_back({place(cell), Missing(cell.quality.median)});
      drawing.Bar(place(cell), Missing(cell.quality.low), Missing(cell.quality.high), s);
      drawing.Dot(line.back(), s);
    }
    drawing.Line(line, s);
  }
  return drawing.Svg();
}

std::string Preformatted(const Page& page) {
  return "<pre>" + EscapedMarkup(page.Plain()) + "</pre>\n";
}

}  // namespace

std::string HtmlOfComparison(const Comparison& comparison) {
  const CompareOptions& options = comparison.options;
  const std::string body =
      fmt::format(
          "<p>What is missing to the best known, median over seeds with quartiles; both "
          "axes logarithmic; {0:g} % and less is drawn at {0:g} %.</p>\n",
          100 * kFloor) +
      LegendOf(options.searches) + DrawingOf(comparison, false) + DrawingOf(comparison, true) +
      Preformatted(RenderComparison(comparison));
  return HtmlPage(fmt::format("{} under {}: {}", comparison.title, comparison.model,
                              CodeObjectiveName(options.objective)),
                  body);
}

std::string HtmlOfFronts(const FrontComparison& comparison) {
  constexpr double kNanojoules = 1e-3;
  std::vector<double> across;
  std::vector<double> up;
  for (const auto& network : comparison.networks) {
    for (const mapper::codes::NetworkPoint& point : network) {
      across.push_back(point.cycles);
      up.push_back(point.energy_pj * kNanojoules);
    }
  }
  Drawing drawing(across, up);
  drawing.Grid("cycles (across), nanojoules (upright)", false);
  for (std::size_t s = 0; s < comparison.networks.size(); ++s) {
    std::vector<Drawing::Point> line;
    for (const mapper::codes::NetworkPoint& point : comparison.networks[s]) {
      line.push_back({point.cycles, point.energy_pj * kNanojoules});
    }
    drawing.Line(line, s);
  }
  const std::string body =
      "<p>Cycles and energy of all layers together, one code a layer, every code priced.</p>\n" +
      LegendOf(comparison.options.searches) + drawing.Svg() +
      Preformatted(RenderFronts(comparison));
  return HtmlPage(
      fmt::format("{} under {}: latency and energy", comparison.title, comparison.model), body);
}

}  // namespace sluice::driver
