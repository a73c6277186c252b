// Training as an HTML page: losses over epochs of every member, and what the predictor is worth.

#include <cstddef>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "driver/learn.h"
#include "driver/text/page.h"
#include "driver/text/svg.h"

namespace sluice::driver {

std::string HtmlOfCurves(const Trained& trained) {
  std::vector<double> across;
  std::vector<double> up;
  std::vector<std::string> names;
  for (const predict::CurvePoint& point : trained.curves) {
    across.push_back(point.epoch);
    up.push_back(point.train_loss);
    up.push_back(point.validation_loss);
    if (static_cast<int>(names.size()) <= point.member) {
      names.push_back(fmt::format("network {}", point.member + 1));
    }
  }
  Drawing drawing(across, up);
  drawing.Grid("epoch", false);
  for (std::size_t member = 0; member < names.size(); ++member) {
    std::vector<Drawing::Point> training;
    std::vector<Drawing::Point> validation;
    for (const predict::CurvePoint& point : trained.curves) {
      if (static_cast<std::size_t>(point.member) == member) {
        const auto epoch = static_cast<double>(point.epoch);
        training.push_back({epoch, point.train_loss});
        validation.push_back({epoch, point.validation_loss});
        drawing.Dot(validation.back(), member);
      }
    }
    drawing.Line(training, member, true);
    drawing.Line(validation, member);
  }
  return HtmlPage(
      "Training of " + trained.output,
      "<p>Losses by epoch, of layers that validate (lines) and layers that train "
      "(dashed): Huber loss of what the analytic estimate misses, in logarithms.</p>\n" +
          LegendOf(names) + drawing.Svg() + "<pre>" +
          EscapedMarkup(RenderTrained(trained).Plain()) + "</pre>\n");
}

}  // namespace sluice::driver
