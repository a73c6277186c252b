// Totals of three networks: fixed dataflows, and each layer with a code of its own.

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/diagnostic.h"
#include "cost/maestro/compatible.h"
#include "cost/maestro/report.h"
#include "cost/oracle/maestro_oracle.h"
#include "driver/compare/compare.h"
#include "driver/reproduce/dcp_set.h"
#include "driver/reproduce/networks.h"
#include "driver/reproduce/reproduce.h"
#include "driver/reproduce/session.h"
#include "driver/text/table.h"
#include "mapper/codes/search.h"

namespace sluice::driver {
namespace {

constexpr double kNanojoules = 1e-3;

/// Totals of the published runs: cycles, L2 nJ, sum of EDP, full nJ.
struct PublishedTotals {
  std::string_view network;
  std::array<std::array<std::string_view, 4>, 6> rows;  ///< dla shi eye, by latency energy EDP
};
constexpr std::array<PublishedTotals, 3> kPublishedTotals = {{
    {"MobileNet-v2",
     {{{"8.61M", "0.812M", "2.17e11", "1.373M"},
       {">9.53M", ">2.47M", ">6.43e11", ">3.13M"},
       {"23.1M", "1.418M", "1.10e12", "1.970M"},
       {"1.794M", "0.136M", "5.45e9", "0.734M"},
       {"79.6M", "0.0904M", "1.6e11", "0.634M"},
       {"1.814M", "0.122M", "4.69e9", "0.678M"}}}},
    {"ResNet-101",
     {{{"113.6M", "12.40M", "1.33e13", "27.3M"},
       {">150.7M", ">44.8M", ">1.03e14", ">61.8M"},
       {"367.3M", "21.2M", "8.57e13", "35.3M"},
       {"47.29M", "1.405M", "6.63e11", "17.1M"},
       {"2131M", "0.548M", "1.06e13", "15.1M"},
       {"50.0M", "0.678M", "3.39e11", "15.4M"}}}},
    {"ViT-B/16",
     {{{"293.7M", "39.8M", "2.4e14", "74.5M"},
       {"1781M", "150.7M", "6.0e15", "188.7M"},
       {"190.3M", "76.1M", "3.2e14", "107.4M"},
       {"104.2M", "10.7M", "1.71e13", "42.3M"},
       {"2438M", "1.24M", "5.1e13", "32.3M"},
       {"119.1M", "1.30M", "3.29e12", "32.3M"}}}},
}};

struct Totals {
  double cycles = 0;
  double outer_nj = 0;
  double edp = 0;
  double full_nj = 0;
  std::int64_t left_out = 0;  ///< layers that have no cost
  void Add(double count, double layer_cycles, double layer_outer, double layer_full) {
    cycles += count * layer_cycles;
    outer_nj += count * layer_outer;
    full_nj += count * layer_full;
    edp += count * layer_cycles * layer_outer;
  }
  [[nodiscard]] std::vector<std::string> Texts() const {
    const std::string more = left_out > 0 ? ">" : "";
    return {more + fmt::format("{:.4g}", cycles), more + fmt::format("{:.4g}", outer_nj),
            more + fmt::format("{:.3g}", edp), more + fmt::format("{:.4g}", full_nj)};
  }
};

Totals Classic(const PublishedNetwork& network, ClassicDataflow which) {
  Totals totals;
  for (const CountedLayer& one : network.layers) {
    const cost::maestro::CompatibleModel model(one.layer, EdgeMachine(kUnlimitedBandwidth));
    const auto report = model.Evaluate(ClassicFor(which, one.layer));
    if (report.verdict != cost::maestro::Verdict::kOk || report.runtime <= 0) {
      totals.left_out += one.count;
      continue;
    }
    const auto energy = EnergyOf(report);
    totals.Add(static_cast<double>(one.count), static_cast<double>(report.runtime), energy.l2,
               energy.full());
  }
  return totals;
}

/// `1.794M`, `>2.47M`, `5.45e9`.
double NumberOf(std::string_view text) {
  text.remove_prefix(text.starts_with('>') ? 1 : 0);
  const bool millions = text.ends_with('M');
  text.remove_suffix(millions ? 1 : 0);
  double number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return millions ? 1e6 * number : number;
}

/// As the published runs: every operation at least once. MAESTRO counts some of strided layers
/// twice, and the published totals hold such codes.
constexpr cost::MaestroOracleOptions kTotalsModel = {cost::MaestroMode::kCompatible, true, true};

/// A layer and objective, as in the published runs.
constexpr std::int64_t kSamples = 5000;

struct SearchedTotals {
  Totals totals;
  double cpu_seconds = 0;  ///< a layer
};

/// Every distinct layer with a code of its own.
Result<SearchedTotals> SearchNetwork(Session& session, const PublishedNetwork& network,
                                     std::string_view search, std::size_t objective) {
  CompareOptions options = session.Options(kObjectives[objective], 1);
  options.searches = {std::string(search)};
  options.budgets = {kSamples};
  std::vector<CodeSubject> subjects;
  subjects.reserve(network.layers.size());
  for (const CountedLayer& one : network.layers) {
    subjects.push_back(
        SubjectOf({"layer", one.layer, one.count}, EdgeMachine(kUnlimitedBandwidth), kTotalsModel));
  }
  SLUICE_TRY(const Comparison comparison, session.Measure(subjects, options));
  SearchedTotals found;
  for (const CompareRun& run : comparison.runs) {
    const std::int64_t count = network.layers[run.layer].count;
    const auto& cost = run.result.cost;
    if (run.result.best) {
      found.totals.Add(static_cast<double>(count), cost.cycles, cost.energy_outer_pj * kNanojoules,
                       cost.energy_full_pj * kNanojoules);
    } else {
      found.totals.left_out += count;
    }
  }
  found.cpu_seconds = comparison.cells[0][0].cpu_seconds;
  return found;
}

Status Network(Session& session, const PublishedNetwork& network) {
  const auto published =
      std::ranges::find(kPublishedTotals, network.name, &PublishedTotals::network);
  SLUICE_CHECK(published != kPublishedTotals.end(), "every network has published figures");
  const auto texts = [&](std::size_t row) {
    return std::vector<std::string>(published->rows[row].begin(), published->rows[row].end());
  };
  ReproducedTable table;
  table.title = fmt::format("{}: totals of {} layers ({} distinct), {:.4g} MACs", network.name,
                            network.size(), network.layers.size(), network.macs());
  table.columns = {"cycles", "L2 nJ", "sum of EDP", "full nJ"};
  constexpr std::array<std::string_view, 3> kClassic = {"dla", "shi", "eye"};
  for (std::size_t c = 0; c < kClassic.size(); ++c) {
    const Totals totals = Classic(network, static_cast<ClassicDataflow>(c));
    table.rows.push_back(
        {std::string(kClassic[c]) +
             (totals.left_out > 0 ? fmt::format(" (without {} of its layers)", totals.left_out)
                                  : ""),
         "1", texts(c), totals.Texts(), 0});
  }
  for (const std::string_view search : {"dcp", "annealing"}) {
    for (std::size_t o = 0; o < kObjectives.size(); ++o) {
      SLUICE_TRY(const SearchedTotals found, SearchNetwork(session, network, search, o));
      const auto [totals, seconds] = found;
      table.rows.push_back(
          {fmt::format("{} for {}{}", search, CodeObjectiveName(kObjectives[o]),
                       totals.left_out > 0
                           ? fmt::format(" (without {} of its layers)", totals.left_out)
                           : ""),
           Grouped(kSamples), texts(3 + o), totals.Texts(), seconds});
      if (search == "dcp") {
        const std::array<double, 3> values = {totals.cycles, totals.outer_nj, totals.edp};
        session.Aim(fmt::format("{} for {}, over published", network.name,
                                CodeObjectiveName(kObjectives[o])),
                    values[o] / NumberOf(published->rows[3 + o][o]), 1);
      }
    }
  }
  table.notes = {fmt::format("168 PEs, L1 512, L2 108,000 words, NoC unlimited; compute bound "
                             "{:.4g} cycles; seed {}",
                             network.macs() / 168, session.options.seed),
                 "work complete or counted twice (strided layers), as in the published runs",
                 "fixed dataflows as MAESTRO counts them, whether they fit L1 and L2 or not"};
  session.result.tables.push_back(std::move(table));
  return {};
}

}  // namespace

Status NetworkTotals(Session& session) {
  for (const PublishedNetwork& network : {MobileNetV2(), ResNet101(), VitB16()}) {
    SLUICE_TRY_STATUS(Network(session, network));
  }
  return {};
}

}  // namespace sluice::driver
