// Rows on the predictor: how well it ranks and scales the codes of layers that it was not trained
// on, what its training costs, and machines that nothing was trained on.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/cpu_time.h"
#include "base/diagnostic.h"
#include "base/rng.h"
#include "cost/maestro/hardware.h"
#include "driver/compare/compare.h"
#include "driver/learn.h"
#include "driver/reproduce/dcp_set.h"
#include "driver/reproduce/reproduce.h"
#include "driver/reproduce/session.h"
#include "driver/text/table.h"
#include "mapper/codes/search.h"
#include "predict/features.h"
#include "predict/mlp.h"
#include "predict/predictor.h"
#include "predict/search/propagate.h"
#include "predict/training/dataset.h"
#include "predict/training/train.h"

namespace sluice::driver {
namespace {

using mapper::codes::CodeObjective;
using mapper::codes::CodeSearch;
using predict::Component;
using predict::Metrics;
using predict::Predictor;

constexpr std::size_t kLatency = predict::Index(Component::kLatency);
constexpr std::size_t kEnergy = predict::Index(Component::kOuterEnergy);
/// Far from the seed of the shipped predictor's data and from those that a user counts from 1.
constexpr std::uint64_t kUnseenSeed = 0xD0C5;

predict::PredictFunction PredictWith(const Predictor& predictor) {
  return [&predictor](const predict::Context& context, auto codes, auto predictions) {
    predictor.Predict(context, codes, predictions);
  };
}

ReproducedRow QualityRow(std::string what, std::vector<std::string> published,
                         const Metrics& metrics) {
  ReproducedRow row;
  row.what = std::move(what);
  row.samples = Grouped(static_cast<std::int64_t>(metrics.samples));
  row.published = std::move(published);
  const auto& latency = metrics.components[kLatency];
  const auto& energy = metrics.components[kEnergy];
  row.ours = {fmt::format("{:.4f}", latency.rank_correlation),
              fmt::format("{:.4f}", energy.rank_correlation),
              fmt::format("{:.3f}", latency.best_ratio), fmt::format("{:.3f}", energy.best_ratio),
              fmt::format("{:.2f} %", 100 * latency.median_error)};
  return row;
}

std::vector<predict::Group> Labelled(const std::vector<NamedLayer>& layers,
                                     const cost::maestro::Hardware& hardware, std::uint32_t codes) {
  predict::DatasetOptions options;
  options.codes = codes;
  Rng rng(kUnseenSeed);
  std::vector<predict::Group> groups;
  groups.reserve(layers.size());
  for (const NamedLayer& layer : layers) {
    groups.push_back(predict::LabelGroup(layer.layer, hardware, options, rng));
  }
  return groups;
}

/// What the shipped predictor took to make, by making it, or by making a slice of it.
Result<double> TrainingSeconds(Session& session, const Predictor& shipped, std::string& note) {
  predict::DatasetOptions data = DefaultDataset(predict::Encoding::kDerived);
  predict::TrainOptions train = DefaultTraining(predict::Encoding::kDerived);
  constexpr std::uint32_t kSlice = 20;
  const double epochs = static_cast<double>(train.epochs) * train.members;
  if (!session.options.full) {
    data.groups /= kSlice;
    train.epochs = 2;
    train.members = 1;
  }
  train.stop = session.options.stop;
  const double start = ThreadSeconds();
  const predict::Dataset dataset = predict::SampleDataset(data, 1, session.options.stop, {});
  const double labelling = ThreadSeconds() - start;
  if (session.stopped()) {
    session.result.complete = false;
    return 0.0;
  }
  SLUICE_TRY(const predict::TrainOutcome outcome, predict::Train(dataset, train));
  session.result.cpu_seconds += outcome.cpu_seconds + labelling;
  if (session.options.full) {
    note = fmt::format(
        "training: {:.0f} CPU s, data included; {} the shipped predictor",
        outcome.cpu_seconds + labelling,
        outcome.predictor.Write() == shipped.Write() ? "the same bytes as" : "NOT the same as");
    return outcome.cpu_seconds + labelling;
  }
  const auto& curves = outcome.curves;
  if (curves.size() < 2) {
    session.result.complete = false;  // interrupted
    return 0.0;
  }
  // What an epoch takes is what the second took; features are computed once.
  const double epoch = curves[1].cpu_seconds - curves[0].cpu_seconds;
  const double once = labelling + outcome.cpu_seconds - 2 * epoch;
  const double seconds = kSlice * (once + epochs * epoch);
  note =
      fmt::format("training: about {:.0f} CPU s, data included, scaled up from a slice", seconds);
  return seconds;
}

}  // namespace

Predictor EstimateOnly(const Predictor& predictor) {
  Predictor estimate = predictor;
  for (auto& member : estimate.members()) {
    std::ranges::fill(member.weights(), 0.0F);
  }
  return estimate;
}

Status PredictionQuality(Session& session) {
  SLUICE_TRY(const auto shipped, ShippedPredictor());
  std::string training;
  SLUICE_TRY(session.training_seconds, TrainingSeconds(session, *shipped, training));
  const Predictor estimate = EstimateOnly(*shipped);
  const std::uint32_t codes = session.options.full ? 2000 : 400;
  const auto twelve = Labelled(TwelveLayers(), EdgeMachine(kFairBandwidth), codes);
  std::vector<predict::Group> unseen;
  predict::DatasetOptions options;
  options.seed = kUnseenSeed;
  options.codes = codes;
  const std::size_t layers = session.options.full ? 300 : 60;
  unseen.reserve(layers);
  for (std::size_t i = 0; i < layers; ++i) {
    unseen.push_back(predict::SampleGroup(options, i));
  }
  ReproducedTable table;
  table.title = "Prediction within layers that were not trained on";
  table.columns = {"rank lat", "rank en", "best lat", "best en", "error"};
  const std::vector<std::string> scalar = {"0.76", "0.85", "3.1", "1.26", "46 %"};
  const std::vector<std::string> one_hot = {"0.96", "0.87", "1.19", "1.22", "17 %"};
  const std::vector<std::string> none(table.columns.size(), std::string(kNone));
  const Metrics main = predict::MeasureGroups(PredictWith(*shipped), twelve, true);
  table.rows.push_back(QualityRow("twelve layers, random codes", one_hot, main));
  table.rows.push_back(QualityRow("the same, the analytic estimate alone", none,
                                  predict::MeasureGroups(PredictWith(estimate), twelve, true)));
  table.rows.push_back(QualityRow("the same, with codes that follow the cost", none,
                                  predict::MeasureGroups(PredictWith(*shipped), twelve, false)));
  SLUICE_TRY(const auto paper, ShippedPredictor("paper"));
  table.rows.push_back(QualityRow("dcp-paper, twelve layers, random codes", scalar,
                                  predict::MeasureGroups(PredictWith(*paper), twelve, true)));
  const Metrics wide = predict::MeasureGroups(PredictWith(*shipped), unseen, true);
  table.rows.push_back(
      QualityRow(fmt::format("{} layers on machines of their own", layers), none, wide));
  table.rows.push_back(QualityRow("the same, with codes that follow the cost", none,
                                  predict::MeasureGroups(PredictWith(*shipped), unseen, false)));
  table.notes = {
      "maestro-exact; rank: Spearman's correlation within a layer, median over layers; best: "
      "predicted / true over each layer's best 5 % of codes; energy: L2 only",
      "published: a re-run of DCP with parallel dims one-hot, and (dcp-paper) as numbers",
      training};
  session.result.tables.push_back(std::move(table));
  for (const auto& [name, metrics] :
       {std::pair{"twelve layers", &main}, {"unseen layers", &wide}}) {
    const auto& latency = metrics->components[kLatency];
    const auto& energy = metrics->components[kEnergy];
    session.Aim(fmt::format("rank correlation, latency, {}", name), latency.rank_correlation, 0.99,
                Aiming::kAtLeast);
    session.Aim(fmt::format("rank correlation, energy, {}", name), energy.rank_correlation, 0.95,
                Aiming::kAtLeast);
    const auto off = [](double ratio) { return std::max(ratio, 1 / ratio); };
    session.Aim(fmt::format("predicted / true, best 5 %, {}", name),
                std::max(off(latency.best_ratio), off(energy.best_ratio)), 1.1);
  }
  return {};
}

namespace {

constexpr std::string_view kZeroShot = "zero-shot";
constexpr std::string_view kFewShot = "few-shot";
constexpr std::string_view kNative = "native";
constexpr std::int64_t kFewSamples = 64;

struct UnseenResult {
  Metrics metrics;
  Metrics native_metrics;
  std::array<double, 3> quality{};  ///< zero-shot, few-shot, native; EDP over the best of all runs
  double cpu_seconds = 0;
  double native_seconds = 0;
};

/// A predictor for this machine alone.
Result<predict::TrainOutcome> TrainNative(const Session& session,
                                          const cost::maestro::Hardware& machine) {
  predict::DatasetOptions data = DefaultDataset(predict::Encoding::kDerived);
  data.machine = machine;
  predict::TrainOptions train = DefaultTraining(predict::Encoding::kDerived);
  data.groups = session.options.full ? 3000 : 400;
  train.epochs = session.options.full ? 8 : 4;
  train.members = session.options.full ? 3 : 2;
  train.stop = session.options.stop;
  const predict::Dataset dataset = predict::SampleDataset(data, 1, session.options.stop, {});
  return predict::Train(dataset, train);
}

Result<UnseenResult> OnMachine(Session& session, const std::shared_ptr<const Predictor>& shipped,
                               const cost::maestro::Hardware& machine,
                               const std::vector<NamedLayer>& layers) {
  UnseenResult result;
  const auto groups = Labelled(layers, machine, session.options.full ? 1000 : 300);
  result.metrics = predict::MeasureGroups(PredictWith(*shipped), groups, true);
  SLUICE_TRY(predict::TrainOutcome outcome, TrainNative(session, machine));
  result.native_seconds = outcome.cpu_seconds;
  session.result.cpu_seconds += outcome.cpu_seconds;
  const auto native = std::make_shared<const Predictor>(std::move(outcome.predictor));
  result.native_metrics = predict::MeasureGroups(PredictWith(*native), groups, true);
  std::vector<CodeSubject> subjects;
  subjects.reserve(layers.size());
  for (const NamedLayer& layer : layers) {
    subjects.push_back(SubjectOf(layer, machine, kExactModel));
  }
  CompareOptions options = session.Options(CodeObjective::kEdp, session.options.full ? 5 : 2);
  options.searches = {std::string(kZeroShot), std::string(kFewShot), std::string(kNative)};
  options.budgets = {300};
  options.find = [&](const std::string& name) -> Result<std::shared_ptr<const CodeSearch>> {
    predict::PropagateOptions propagate;
    propagate.few_shot = name == kFewShot ? kFewSamples : 0;
    return std::shared_ptr<const CodeSearch>(
        predict::MakePropagationSearch({name == kNative ? native : shipped}, propagate));
  };
  SLUICE_TRY(const Comparison comparison, session.Measure(subjects, options));
  for (std::size_t s = 0; s < result.quality.size(); ++s) {
    result.quality[s] = comparison.cells[s][0].quality.median;
    result.cpu_seconds += comparison.cells[s][0].cpu_seconds / 3;
  }
  return result;
}

double OffBy(const Metrics& metrics) {
  return std::max(metrics.components[kLatency].median_error,
                  metrics.components[kEnergy].median_error);
}

std::string TextOf(const cost::maestro::Hardware& machine) {
  return fmt::format("{} PEs, L1 {}, L2 {}, NoC {}, off-chip {}", machine.pes, machine.l1_words,
                     machine.l2_words, machine.noc_bandwidth, machine.offchip_bandwidth);
}

}  // namespace

Status UnseenMachines(Session& session) {
  SLUICE_TRY(const auto shipped, ShippedPredictor());
  const std::vector<NamedLayer> all = TwelveLayers();
  std::vector<NamedLayer> layers;
  for (std::size_t i = 0; i < all.size(); i += session.options.full ? 1 : 4) {
    layers.push_back(all[i]);
  }
  ReproducedTable table;
  table.title = "Machines that no predictor was trained on";
  table.columns = {"rank lat", "rank en", "scale", "0-shot", fmt::format("{}-shot", kFewSamples),
                   "native",   "train s"};
  double least_latency = 1;
  double least_energy = 1;
  double scale = 0;
  double apart = 0;
  double tuned = 0;
  for (const cost::maestro::Hardware& machine : UnseenHardware()) {
    SLUICE_TRY(const UnseenResult found, OnMachine(session, shipped, machine, layers));
    const auto& latency = found.metrics.components[kLatency];
    const auto& energy = found.metrics.components[kEnergy];
    ReproducedRow row;
    row.what = TextOf(machine);
    row.samples = "300";
    row.published = {"0.69-0.72", "0.82-0.84", "0.5-3.3", "-", "-", "-", "-"};
    row.ours = {fmt::format("{:.4f}", latency.rank_correlation),
                fmt::format("{:.4f}", energy.rank_correlation),
                fmt::format("{:.1e}", OffBy(found.metrics)),
                fmt::format("{:.3f}", found.quality[0]),
                fmt::format("{:.3f}", found.quality[1]),
                fmt::format("{:.3f}", found.quality[2]),
                fmt::format("{:.1f}", found.native_seconds)};
    row.cpu_seconds = found.cpu_seconds;
    table.rows.push_back(std::move(row));
    least_latency = std::min(least_latency, latency.rank_correlation);
    least_energy = std::min(least_energy, energy.rank_correlation);
    scale = std::max(scale, OffBy(found.metrics));
    apart = std::max(apart, found.quality[0] / found.quality[2]);
    tuned = std::max(tuned, found.quality[1] / found.quality[2]);
  }
  table.notes = {
      fmt::format("maestro-exact, {} of the 12 layers, random codes for rank and scale (median "
                  "error); EDP of "
                  "300 samples over the best of all three, seeds from {}; few-shot: {} of the 300 "
                  "tune the ensemble first",
                  layers.size(), session.options.seed, kFewSamples),
      "native: trained on this machine alone (its CPU seconds in the last column); the last "
      "machine "
      "lies outside of everything that was trained on, the others between",
      "published: a re-run of DCP with scalar codes, no samples"};
  session.result.tables.push_back(std::move(table));
  session.Aim("zero-shot: rank correlation, latency, worst", least_latency, 0.99, Aiming::kAtLeast);
  session.Aim("zero-shot: rank correlation, energy, worst", least_energy, 0.95, Aiming::kAtLeast);
  session.Aim("zero-shot: scale error, worst machine", scale, 0.10);
  session.Aim("zero-shot: EDP over native, worst machine", apart, 1.05);
  session.Aim(fmt::format("{}-shot: EDP over native, worst machine", kFewSamples), tuned, 1.05);
  return {};
}

}  // namespace sluice::driver
