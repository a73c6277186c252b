#include "driver/maestro.h"

#include <cstdint>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/diagnostic.h"
#include "cost/maestro/compatible.h"
#include "cost/maestro/exact.h"
#include "cost/maestro/hardware.h"
#include "cost/maestro/report.h"
#include "driver/text/page.h"
#include "driver/text/table.h"
#include "io/maestro/csv.h"
#include "io/maestro/hardware.h"
#include "io/maestro/network.h"

namespace sluice::driver {
namespace {

using cost::maestro::Report;
using cost::maestro::Verdict;

Report Price(const io::MaestroLayer& layer, const cost::maestro::Hardware& hardware, bool exact) {
  if (exact) {
    return cost::maestro::ExactModel(layer.layer, hardware).Evaluate(layer.dataflow);
  }
  return cost::maestro::CompatibleModel(layer.layer, hardware).Evaluate(layer.dataflow);
}

std::string HintFor(Verdict verdict) {
  switch (verdict) {
    case Verdict::kTooFewPes:
      return "smaller clusters, or more num_pes in the hardware file";
    case Verdict::kSpatialMaps:
      return "one SpatialMap a level; two only for a diagonal such as Eyeriss' Y and R";
    case Verdict::kWindowTiled:
      return "TemporalMap(Sz(R),Sz(R)) R, or --model maestro-exact, which can tile R and S";
    case Verdict::kIncomplete:
    case Verdict::kRepeated:
      return "offset = size (along Y and X: one tile of outputs), or --model maestro for what "
             "MAESTRO says";
    case Verdict::kStuck:
      return "MAESTRO ends here without a result; --model maestro-exact may have one";
    case Verdict::kOk:
    case Verdict::kTooLarge:
    case Verdict::kTooManyTiles:
      break;
  }
  return "fewer or larger tiles";
}

std::string Nanojoules(double value) {
  return fmt::format("{:.6g}", value);
}

}  // namespace

Result<MaestroEvaluation> EvaluateMaestro(const std::string& model, const std::string& mapping,
                                          const std::string& hardware) {
  MaestroEvaluation evaluation;
  if (model != "maestro" && model != "maestro-exact") {
    return Fail(Diagnostic(ErrorCode::kUnknownName, fmt::format("unknown cost model `{}`", model))
                    .WithHint("maestro or maestro-exact"));
  }
  evaluation.exact = model == "maestro-exact";
  SLUICE_TRY(const io::MaestroNetwork network, io::LoadMaestroNetwork(mapping));
  if (!hardware.empty()) {
    SLUICE_TRY(evaluation.hardware, io::LoadMaestroHardware(hardware));
  }
  evaluation.network = network.name;
  for (const io::MaestroLayer& layer : network.layers) {
    const Report report = Price(layer, evaluation.hardware, evaluation.exact);
    if (report.verdict != Verdict::kOk) {
      return Fail(Diagnostic(ErrorCode::kMappingInvalid,
                             fmt::format("layer {} has no cost under {}: {}", layer.name, model,
                                         VerdictText(report.verdict)))
                      .WithPath(layer.name)
                      .WithHint(HintFor(report.verdict)));
    }
    evaluation.layers.push_back({layer.name, report});
  }
  return evaluation;
}

Page RenderMaestro(const MaestroEvaluation& evaluation) {
  using Align = Table::Align;
  const cost::maestro::Hardware& hardware = evaluation.hardware;
  Page page;
  page.Heading(fmt::format("{} on {} PEs ({})", evaluation.network, Grouped(hardware.pes),
                           evaluation.exact ? "maestro-exact" : "maestro, as the tool counts"));
  Table table({{"layer", Align::kLeft, 24},
               {"cycles", Align::kRight},
               {"over bound", Align::kRight},
               {"L2 nJ", Align::kRight},
               {"full nJ", Align::kRight},
               {"L1 words", Align::kRight},
               {"L2 words", Align::kRight}});
  std::int64_t cycles = 0;
  double outer = 0;
  double full = 0;
  int doubtful = 0;
  for (const auto& [name, report] : evaluation.layers) {
    const cost::maestro::Energy energy = EnergyOf(report);
    const bool fits =
        report.l1_words() <= hardware.l1_words && report.l2_words() <= hardware.l2_words;
    table.Add({name + (report.physical() ? "" : " (!)") + (fits ? "" : " (*)"),
               Grouped(report.runtime),
               fmt::format("{:.3f}", static_cast<double>(report.runtime) /
                                         static_cast<double>(report.compute_bound)),
               Nanojoules(energy.l2), Nanojoules(energy.full()), Grouped(report.l1_words()),
               Grouped(report.l2_words())});
    cycles += report.runtime;
    outer += energy.l2;
    full += energy.full();
    doubtful += report.physical() ? 0 : 1;
    if (!fits) {
      page.Add(fmt::format("  (*) {} does not fit: L1 of {}, L2 of {} words", name,
                           Grouped(hardware.l1_words), Grouped(hardware.l2_words)),
               Emphasis::kStrong);
    }
  }
  if (evaluation.layers.size() > 1) {
    table.Add({"total", Grouped(cycles), "", Nanojoules(outer), Nanojoules(full), "", ""},
              Emphasis::kStrong);
  }
  page.Add(table.Lines());
  page.Add("  L2 nJ: MAESTRO's CSV energy of one layer; full: with L1 and operations");
  if (doubtful > 0) {
    page.Add(
        fmt::format("  (!) {} of {} layers: operations missing or invented, or faster than the "
                    "array can be",
                    doubtful, evaluation.layers.size()),
        Emphasis::kStrong);
  }
  return page;
}

std::string CsvOfMaestro(const MaestroEvaluation& evaluation) {
  std::vector<io::MaestroRow> rows;
  rows.reserve(evaluation.layers.size());
  for (const auto& [name, report] : evaluation.layers) {
    rows.push_back({name, report});
  }
  return io::WriteMaestroCsv(evaluation.network, rows, evaluation.hardware,
                             {.as_tool = !evaluation.exact});
}

}  // namespace sluice::driver
