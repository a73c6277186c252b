// Fronts as tables.

#include <algorithm>
#include <cstddef>
#include <vector>

#include <fmt/format.h>

#include "driver/compare/compare.h"
#include "driver/compare/front.h"
#include "driver/text/page.h"
#include "driver/text/table.h"
#include "mapper/codes/front.h"

namespace sluice::driver {
namespace {

using Align = Table::Align;
constexpr double kNanojoules = 1e-3;

/// At most that many points of a front are printed, spread evenly; JSON has all.
constexpr std::size_t kPrinted = 12;

Page NetworkLines(const std::vector<mapper::codes::NetworkPoint>& front, double compute_bound) {
  Table table({{"cycles", Align::kRight},
               {"of bound", Align::kRight},
               {"nJ", Align::kRight},
               {"cycles x nJ", Align::kRight}});
  const std::size_t count = std::min(front.size(), kPrinted);
  for (std::size_t i = 0; i < count; ++i) {
    const auto& point = front[count > 1 ? i * (front.size() - 1) / (count - 1) : 0];
    const double energy = point.energy_pj * kNanojoules;
    table.Add({fmt::format("{:.5g}", point.cycles),
               fmt::format("{:.3f}", point.cycles / compute_bound), fmt::format("{:.5g}", energy),
               fmt::format("{:.4g}", point.cycles * energy)});
  }
  return table.Lines();
}

}  // namespace

Page RenderFronts(const FrontComparison& comparison) {
  const CompareOptions& options = comparison.options;
  Page page;
  page.Heading(fmt::format("{} under {}: latency and energy", comparison.title, comparison.model));
  page.Add("  " + comparison.hardware);
  page.Add(EnergyNote(options));
  page.Add(
      fmt::format("  share: of the area that the best known front dominates (logarithmic), "
                  "mean of {} {}",
                  comparison.layers.size(), comparison.layers.size() == 1 ? "layer" : "layers"));
  page.Add(fmt::format("  {} runs a front; {}", comparison.runs_per_front, SeedsNote(options)));
  Table table({{"search", Align::kLeft},
               {"budget", Align::kRight},
               {"lower", Align::kRight},
               {"median", Align::kRight},
               {"upper", Align::kRight},
               {"points", Align::kRight},
               {"samples", Align::kRight},
               {"CPU s/layer", Align::kRight}});
  for (std::size_t s = 0; s < options.searches.size(); ++s) {
    for (std::size_t b = 0; b < options.budgets.size(); ++b) {
      const FrontCell& cell = comparison.cells[s][b];
      table.Add({options.searches[s], Grouped(options.budgets[b]),
                 fmt::format("{:.3f}", cell.share.low), fmt::format("{:.3f}", cell.share.median),
                 fmt::format("{:.3f}", cell.share.high), fmt::format("{:.1f}", cell.points),
                 fmt::format("{:.0f}", cell.samples), fmt::format("{:.3f}", cell.cpu_seconds)});
    }
  }
  page.Add(table.Lines());
  for (std::size_t s = 0; s < options.searches.size(); ++s) {
    page.Heading(fmt::format("{}: all layers together, {} points, seed {}", options.searches[s],
                             comparison.networks[s].size(), options.first_seed));
    page.Add(comparison.networks[s].empty()
                 ? Page()
                 : NetworkLines(comparison.networks[s], comparison.compute_bound));
  }
  if (!comparison.complete) {
    page.Add("  not all runs were made: cells lack seeds", Emphasis::kStrong);
  }
  return page;
}

}  // namespace sluice::driver
