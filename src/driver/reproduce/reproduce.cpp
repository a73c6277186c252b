#include "driver/reproduce/reproduce.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/diagnostic.h"
#include "cost/maestro/hardware.h"
#include "cost/oracle/maestro_oracle.h"
#include "driver/catalog/catalog.h"
#include "driver/compare/compare.h"
#include "driver/learn.h"
#include "driver/reproduce/dcp_set.h"
#include "driver/reproduce/reference.h"
#include "driver/reproduce/session.h"
#include "driver/text/page.h"
#include "driver/text/table.h"
#include "mapper/codes/search.h"
#include "predict/predictor.h"

namespace sluice::driver {

CodeSubject SubjectOf(const NamedLayer& layer, const cost::maestro::Hardware& hardware,
                      const cost::MaestroOracleOptions& options) {
  return {layer.name,
          [layer = layer.layer, hardware, options] {
            return cost::MakeMaestroOracle(layer, hardware, options);
          },
          std::nullopt, layer.count};
}

std::string Quartered(const Quartiles& quartiles) {
  return fmt::format("{:.3f} ({:.3f}-{:.3f})", quartiles.median, quartiles.low, quartiles.high);
}

Result<std::shared_ptr<const predict::Predictor>> ShippedPredictor(const std::string& name) {
  SLUICE_TRY(const std::string path, FindPredictor(DefaultSearchPaths(), name));
  SLUICE_TRY(predict::Predictor predictor, predict::Predictor::Load(path));
  return std::make_shared<const predict::Predictor>(std::move(predictor));
}

CompareOptions Session::Options(mapper::codes::CodeObjective objective, int seeds) const {
  CompareOptions compare;
  compare.objective = objective;
  compare.energy = mapper::codes::EnergyKind::kOuter;
  compare.seeds = seeds;
  compare.first_seed = options.seed;
  compare.threads = options.threads;
  compare.stop = options.stop;
  compare.progress = options.progress;
  return compare;
}

Result<Comparison> Session::Measure(const std::vector<CodeSubject>& subjects,
                                    const CompareOptions& compare) {
  SLUICE_TRY(Comparison comparison, Compare(subjects, compare));
  if (comparison.failed) {
    return Fail(*comparison.failed);
  }
  result.complete = result.complete && comparison.complete;
  for (const CompareRun& run : comparison.runs) {
    result.cpu_seconds += run.result.cpu_seconds;
  }
  return comparison;
}

void Session::Aim(std::string what, double ours, double target, Aiming aiming, std::string reason) {
  result.targets.push_back({std::move(what), ours, target, aiming, std::move(reason)});
}

bool ReproducedTarget::reached() const {
  // Figures are compared as they are printed.
  constexpr double kPrinted = 5e-4;
  return aiming == Aiming::kAtLeast ? ours >= target : ours <= target + kPrinted;
}

double ReproducedTarget::margin() const {
  switch (aiming) {
    case Aiming::kAtLeast:
      return ours / target - 1;
    case Aiming::kLogarithm:
      return 1 - std::exp(ours - target);
    case Aiming::kAtMost:
      break;
  }
  return 1 - ours / target;
}

namespace {

Status AgainstExact(Session& session) {
  SLUICE_TRY(ReferenceTable reference, MeasureAgainstExact(session.options));
  session.result.cpu_seconds += reference.cpu_seconds;
  session.result.complete = session.result.complete && reference.complete;
  session.result.tables.push_back(std::move(reference.table));
  std::ranges::move(reference.targets, std::back_inserter(session.result.targets));
  return {};
}

struct Part {
  std::string_view name;
  Status (*run)(Session&);
};
constexpr std::array<Part, 6> kParts = {{{"prediction", PredictionQuality},
                                         {"twelve layers", TwelveLayerSet},
                                         {"ResNet-101 conv1", FirstLayer},
                                         {"unseen machines", UnseenMachines},
                                         {"network totals", NetworkTotals},
                                         {"against the exact mapper", AgainstExact}}};

}  // namespace

std::string PartsOfDcp() {
  std::string names;
  for (const Part& part : kParts) {
    names += names.empty() ? "" : ", ";
    names += part.name;
  }
  return names;
}

Result<Reproduction> ReproduceDcp(const ReproduceOptions& options) {
  Session session;
  session.options = options;
  session.result.missing = {"DCP's own tables: only its public figures could be read"};
  if (!options.part.empty() &&
      !std::ranges::any_of(kParts, [&](const Part& part) { return part.name == options.part; })) {
    return Fail(
        Diagnostic(ErrorCode::kUnknownName, fmt::format("no part is called `{}`", options.part))
            .WithHint("one of: " + PartsOfDcp()));
  }
  for (const Part& part : kParts) {
    if (!options.part.empty() && part.name != options.part) {
      continue;
    }
    const std::size_t tables = session.result.tables.size();
    const std::size_t targets = session.result.targets.size();
    const Status status = session.stopped() ? Status() : part.run(session);
    if (session.stopped()) {
      // Half a part would show figures that mean nothing, whether it calls that an error or not.
      session.result.complete = false;
      session.result.tables.resize(tables);
      session.result.targets.erase(
          session.result.targets.begin() + static_cast<std::ptrdiff_t>(targets),
          session.result.targets.end());
      session.result.missing.push_back(fmt::format("{}: interrupted", part.name));
    } else {
      SLUICE_TRY_STATUS(status);
    }
  }
  return std::move(session.result);
}

namespace {

std::vector<std::string> Labelled(std::string label, const std::vector<std::string>& cells) {
  std::vector<std::string> all = {std::move(label)};
  all.insert(all.end(), cells.begin(), cells.end());
  return all;
}

/// Whether anybody has published figures of this row.
bool IsPublished(const ReproducedRow& row) {
  return std::ranges::any_of(row.published, [](const std::string& cell) { return cell != kNone; });
}

/// Smaller figures are all the same to a target.
constexpr double kTiny = 1e-4;

void AddTargets(Page& page, const Reproduction& reproduction) {
  page.Heading("Targets");
  Table table({{"", Table::Align::kLeft, 46},
               {"ours", Table::Align::kRight},
               {"target", Table::Align::kRight},
               {"", Table::Align::kLeft}});
  for (const ReproducedTarget& target : reproduction.targets) {
    table.Add(
        {target.what,
         target.ours >= 0 && target.ours < kTiny ? fmt::format("<{:g}", kTiny)
                                                 : fmt::format("{:.4g}", target.ours),
         fmt::format("{}{:g}", target.aiming == Aiming::kAtLeast ? ">=" : "<=", target.target),
         fmt::format("{} {:.1f} %", target.reached() ? "reached" : "MISSED",
                     100 * std::abs(target.margin()))},
        target.reached() ? Emphasis::kNone : Emphasis::kStrong);
    if (!target.reached() && !target.reason.empty()) {
      table.Span("  " + target.reason);
    }
  }
  page.Add(table.Lines());
}

}  // namespace

Page RenderReproduction(const Reproduction& reproduction) {
  using Align = Table::Align;
  Page page;
  for (const ReproducedTable& part : reproduction.tables) {
    page.Heading(part.title);
    for (const std::string& note : part.notes) {
      page.Add(Wrapped("", note, 2));
    }
    std::vector<Table::Column> columns = {{"", Align::kLeft}};
    for (const std::string& column : part.columns) {
      columns.push_back({column, Align::kRight});
    }
    Table table(columns);
    for (const ReproducedRow& row : part.rows) {
      table.Span(fmt::format(
          "{}, {} {}{}", row.what, row.samples, row.samples == "1" ? "sample" : "samples",
          row.cpu_seconds > 0 ? fmt::format(", {:.3f} CPU s", row.cpu_seconds) : std::string()));
      if (IsPublished(row)) {
        table.Add(Labelled("published", row.published));
      }
      table.Add(Labelled("ours", row.ours));
    }
    page.Add(table.Lines());
  }
  AddTargets(page, reproduction);
  page.Heading("Not in this run");
  for (const std::string& one : reproduction.missing) {
    page.Add(Wrapped("", one, 2));
  }
  page.Add(fmt::format("  {:.1f} CPU seconds in searches{}", reproduction.cpu_seconds,
                       reproduction.complete ? "" : "; interrupted"));
  return page;
}

}  // namespace sluice::driver
