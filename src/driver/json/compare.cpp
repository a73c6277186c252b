// JSON of `sluice compare`. Field names are documented in docs/guide/compare-searches.md and are an
// interface: add, never rename.

#include "driver/compare/compare.h"

#include <cmath>
#include <cstddef>
#include <string>

#include <nlohmann/json.hpp>

#include "driver/compare/front.h"
#include "mapper/codes/front.h"
#include "mapper/codes/search.h"
#include "mapping/dataflow/code.h"

namespace sluice::driver {
namespace {

using Json = nlohmann::ordered_json;

/// null where there is none: JSON has no infinity.
Json Finite(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

Json RunJson(const Comparison& comparison, const CompareRun& run) {
  const mapper::codes::CodeResult& result = run.result;
  Json json;
  json["search"] = comparison.options.searches[run.search];
  json["layer"] = comparison.layers[run.layer].name;
  json["budget"] = comparison.options.budgets[run.budget];
  json["seed"] = run.seed;
  json["samples"] = result.samples;
  json["legal"] = result.legal;
  json["cpu_seconds"] = result.cpu_seconds;
  json["value"] = Finite(result.value);
  json["quality"] = Finite(result.value / comparison.layers[run.layer].best_known);
  json["trace"] = Json::array();
  for (const mapper::codes::TracePoint& point : result.trace) {
    json["trace"].push_back({{"samples", point.samples},
                             {"value", Finite(point.value)},
                             {"cpu_seconds", point.cpu_seconds}});
  }
  json["code"] = result.best ? Json(ToNumbers(*result.best)) : Json(nullptr);
  return json;
}

Json FrontJson(const mapper::codes::FrontPoint& point) {
  constexpr double kNanojoules = 1e-3;
  return {{"cycles", point.cost.cycles},
          {"energy_outer_nj", point.cost.energy_outer_pj * kNanojoules},
          {"energy_full_nj", point.cost.energy_full_pj * kNanojoules},
          {"code", ToNumbers(point.code)}};
}

}  // namespace

std::string JsonOfFronts(const FrontComparison& comparison) {
  constexpr double kNanojoules = 1e-3;
  const CompareOptions& options = comparison.options;
  Json json;
  json["subject"] = comparison.title;
  json["model"] = comparison.model;
  json["hardware"] = comparison.hardware;
  json["energy"] = EnergyKindName(options.energy);
  json["levels"] = options.space.levels;
  json["runs_per_front"] = comparison.runs_per_front;
  json["compute_bound_cycles"] = comparison.compute_bound;
  json["complete"] = comparison.complete;
  json["layers"] = Json::array();
  for (std::size_t l = 0; l < comparison.layers.size(); ++l) {
    json["layers"].push_back({{"layer", comparison.layers[l]}, {"count", comparison.counts[l]}});
  }
  json["cells"] = Json::array();
  json["networks"] = Json::array();
  for (std::size_t s = 0; s < options.searches.size(); ++s) {
    for (std::size_t b = 0; b < options.budgets.size(); ++b) {
      const FrontCell& cell = comparison.cells[s][b];
      json["cells"].push_back(
          {{"search", options.searches[s]},
           {"budget", options.budgets[b]},
           {"share",
            {{"lower", cell.share.low}, {"median", cell.share.median}, {"upper", cell.share.high}}},
           {"points", cell.points},
           {"samples", cell.samples},
           {"cpu_seconds", cell.cpu_seconds}});
    }
    Json& network = json["networks"].emplace_back();
    network["search"] = options.searches[s];
    network["points"] = Json::array();
    for (const auto& point : comparison.networks[s]) {
      network["points"].push_back({{"cycles", point.cycles},
                                   {"energy_nj", point.energy_pj * kNanojoules},
                                   {"choice", point.choice}});
    }
  }
  json["runs"] = Json::array();
  for (const FrontRun& run : comparison.runs) {
    Json& one = json["runs"].emplace_back();
    one["search"] = options.searches[run.search];
    one["layer"] = comparison.layers[run.layer];
    one["budget"] = options.budgets[run.budget];
    one["seed"] = run.seed;
    one["samples"] = run.result.samples;
    one["cpu_seconds"] = run.result.cpu_seconds;
    one["front"] = Json::array();
    for (const auto& point : run.result.front) {
      one["front"].push_back(FrontJson(point));
    }
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string JsonOfComparison(const Comparison& comparison) {
  const CompareOptions& options = comparison.options;
  Json json;
  json["subject"] = comparison.title;
  json["model"] = comparison.model;
  json["hardware"] = comparison.hardware;
  json["objective"] = CodeObjectiveName(options.objective);
  json["energy"] = EnergyKindName(options.energy);
  json["levels"] = options.space.levels;
  json["best_known_samples"] = options.best_known_samples;
  json["complete"] = comparison.complete;
  json["layers"] = Json::array();
  for (const Comparison::Layer& layer : comparison.layers) {
    json["layers"].push_back({{"layer", layer.name},
                              {"best_known", Finite(layer.best_known)},
                              {"proven", layer.proven},
                              {"best_by", layer.best_by},
                              {"compute_bound_cycles", layer.compute_bound},
                              {"cycles", layer.cycles},
                              {"energy_nj", layer.energy_nj}});
  }
  json["cells"] = Json::array();
  for (std::size_t s = 0; s < options.searches.size(); ++s) {
    for (std::size_t b = 0; b < options.budgets.size(); ++b) {
      const CompareCell& cell = comparison.cells[s][b];
      json["cells"].push_back({{"search", options.searches[s]},
                               {"budget", options.budgets[b]},
                               {"quality",
                                {{"lower", Finite(cell.quality.low)},
                                 {"median", Finite(cell.quality.median)},
                                 {"upper", Finite(cell.quality.high)}}},
                               {"samples", cell.samples},
                               {"cpu_seconds", cell.cpu_seconds},
                               {"failures", cell.failures}});
    }
  }
  json["runs"] = Json::array();
  for (const CompareRun& run : comparison.runs) {
    json["runs"].push_back(RunJson(comparison, run));
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace sluice::driver
