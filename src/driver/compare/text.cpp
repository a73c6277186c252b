// A comparison as tables.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "driver/compare/compare.h"
#include "driver/text/page.h"
#include "driver/text/table.h"
#include "mapper/codes/search.h"

namespace sluice::driver {
namespace {

using Align = Table::Align;

std::string Ratio(double value) {
  return std::isfinite(value) ? fmt::format("{:.3f}", value) : "none";
}

std::string Figure(double value) {
  return std::isfinite(value) ? fmt::format("{:.5g}", value) : "none";
}

}  // namespace

std::string EnergyNote(const CompareOptions& options) {
  return options.energy == mapper::codes::EnergyKind::kOuter
             ? "  energy: without the innermost memory and the operations (L2 only)"
             : "  energy: all of it";
}

std::string SeedsNote(const CompareOptions& options) {
  return fmt::format("quartiles over seeds {} to {}", options.first_seed,
                     options.first_seed + static_cast<std::uint64_t>(options.seeds) - 1);
}

Page RenderComparison(const Comparison& comparison) {
  const CompareOptions& options = comparison.options;
  Page page;
  page.Heading(fmt::format("{} under {}: {} by samples", comparison.title, comparison.model,
                           CodeObjectiveName(options.objective)));
  page.Add("  " + comparison.hardware);
  const bool latency = options.objective == mapper::codes::CodeObjective::kLatency;
  if (!latency) {
    page.Add(EnergyNote(options));
  }
  const bool proven = std::ranges::all_of(comparison.layers, &Comparison::Layer::proven);
  page.Add(fmt::format("  quality: {} over the {}, geometric mean of {} {}",
                       CodeObjectiveName(options.objective),
                       proven ? "proven optimum" : "best known", comparison.layers.size(),
                       comparison.layers.size() == 1 ? "layer" : "layers"));
  page.Add("  " + SeedsNote(options));
  Table table({{"search", Align::kLeft},
               {"budget", Align::kRight},
               {"lower", Align::kRight},
               {"median", Align::kRight},
               {"upper", Align::kRight},
               {"samples", Align::kRight},
               {"CPU s/layer", Align::kRight},
               {"no code", Align::kRight}});
  for (std::size_t s = 0; s < options.searches.size(); ++s) {
    for (std::size_t b = 0; b < options.budgets.size(); ++b) {
      const CompareCell& cell = comparison.cells[s][b];
      table.Add({options.searches[s], Grouped(options.budgets[b]), Ratio(cell.quality.low),
                 Ratio(cell.quality.median), Ratio(cell.quality.high),
                 fmt::format("{:.0f}", cell.samples), fmt::format("{:.3f}", cell.cpu_seconds),
                 fmt::format("{}", cell.failures)});
    }
  }
  page.Add(table.Lines());
  page.Heading("The best that is known");
  Table layers({{"layer", Align::kLeft, 28},
                {std::string(CodeObjectiveName(options.objective)), Align::kRight},
                {"cycles", Align::kRight},
                {"compute bound", Align::kRight},
                {"nJ", Align::kRight},
                {"by", Align::kLeft}});
  for (const Comparison::Layer& layer : comparison.layers) {
    layers.Add({layer.name, Figure(layer.best_known), Figure(layer.cycles),
                Figure(layer.compute_bound), Figure(layer.energy_nj),
                layer.proven ? "proven" : layer.best_by});
  }
  page.Add(layers.Lines());
  if (!comparison.complete) {
    page.Add("  not all runs were made: cells lack seeds", Emphasis::kStrong);
  }
  return page;
}

}  // namespace sluice::driver
