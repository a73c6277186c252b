// Data sets and training as JSON. See learn.h.

#include "driver/learn.h"

#include <cstddef>
#include <string>

#include <nlohmann/json.hpp>

#include "predict/features.h"
#include "predict/training/dataset.h"
#include "predict/training/train.h"

namespace sluice::driver {
namespace {

using Json = nlohmann::ordered_json;

std::string Text(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json MetricsOf(const predict::Metrics& metrics) {
  Json json;
  json["layers"] = metrics.layers;
  json["samples"] = metrics.samples;
  for (std::size_t c = 0; c < predict::kComponents; ++c) {
    const auto& one = metrics.components[c];
    Json& to = json["components"].emplace_back();
    to["name"] = predict::ComponentName(static_cast<predict::Component>(c));
    to["rank_correlation"] = one.rank_correlation;
    to["mean_rank_correlation"] = one.mean_rank_correlation;
    to["best_ratio"] = one.best_ratio;
    to["median_error"] = one.median_error;
  }
  return json;
}

Json CurvesOf(const Trained& trained) {
  Json curves = Json::array();
  for (const auto& point : trained.curves) {
    curves.push_back({{"member", point.member},
                      {"epoch", point.epoch},
                      {"train_loss", point.train_loss},
                      {"validation_loss", point.validation_loss},
                      {"cpu_seconds", point.cpu_seconds}});
  }
  return curves;
}

}  // namespace

std::string JsonOfDatasetRun(const std::string& path, const predict::DatasetRun& run) {
  Json json;
  json["dataset"] = path;
  json["layers"] = run.groups;
  json["resumed_layers"] = run.resumed;
  json["samples_labelled"] = run.samples;
  json["seconds"] = run.seconds;
  json["cpu_seconds"] = run.cpu_seconds;
  json["complete"] = run.complete;
  return Text(json);
}

std::string JsonOfCurves(const Trained& trained) {
  Json json;
  json["format"] = "sluice training curves";
  json["predictor"] = trained.hash;
  json["curves"] = CurvesOf(trained);
  return Text(json);
}

std::string JsonOfTrained(const Trained& trained) {
  Json json;
  json["predictor"] = trained.output;
  json["bytes"] = trained.bytes;
  json["hash"] = trained.hash;
  json["trained_on"] = trained.trained_on;
  json["seed"] = trained.seed;
  json["data_cpu_seconds"] = trained.data_cpu_seconds;
  json["train_cpu_seconds"] = trained.train_cpu_seconds;
  json["complete"] = trained.complete;
  json["random_codes"] = MetricsOf(trained.random);
  json["all_codes"] = MetricsOf(trained.all);
  json["curves"] = CurvesOf(trained);
  return Text(json);
}

}  // namespace sluice::driver
