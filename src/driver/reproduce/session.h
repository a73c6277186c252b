#pragma once
/// \file
/// Internal to reproduce: what the parts of a reproduction share, and the parts.

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "cost/maestro/hardware.h"
#include "cost/oracle/maestro_oracle.h"
#include "driver/compare/compare.h"
#include "driver/reproduce/dcp_set.h"
#include "driver/reproduce/reproduce.h"
#include "mapper/codes/search.h"
#include "predict/predictor.h"

namespace sluice::driver {

inline constexpr std::array<mapper::codes::CodeObjective, 3> kObjectives = {
    mapper::codes::CodeObjective::kLatency, mapper::codes::CodeObjective::kEnergy,
    mapper::codes::CodeObjective::kEdp};

/// Bug-compatible, and only what is physically possible: the setting of the published figures on
/// the twelve layers.
inline constexpr cost::MaestroOracleOptions kPublishedModel = {cost::MaestroMode::kCompatible, true,
                                                               false};
inline constexpr cost::MaestroOracleOptions kExactModel = {cost::MaestroMode::kExact, true, false};

struct Session {
  ReproduceOptions options;
  Reproduction result;
  /// Processor seconds that the shipped predictor took, data included, and whether that was
  /// measured whole or scaled up from a slice.
  double training_seconds = 0;

  [[nodiscard]] CompareOptions Options(mapper::codes::CodeObjective objective, int seeds) const;
  /// Counts the processor time; notes interruptions. Errors: those of Compare and of the oracles.
  Result<Comparison> Measure(const std::vector<CodeSubject>& subjects,
                             const CompareOptions& compare);
  void Aim(std::string what, double ours, double target, Aiming aiming = Aiming::kAtMost,
           std::string reason = {});
  [[nodiscard]] bool stopped() const { return options.stop != nullptr && options.stop->load(); }
};

CodeSubject SubjectOf(const NamedLayer& layer, const cost::maestro::Hardware& hardware,
                      const cost::MaestroOracleOptions& options);
std::string Quartered(const Quartiles& quartiles);
/// A shipped predictor; without a name that of the default space.
Result<std::shared_ptr<const predict::Predictor>> ShippedPredictor(
    const std::string& name = "default");

/// The analytic estimate alone: networks that correct nothing. Requires: derived features.
predict::Predictor EstimateOnly(const predict::Predictor& predictor);

/// Quality by samples on the twelve layers, and how soon GAMMA's quality is reached.
Status TwelveLayerSet(Session& session);
Status FirstLayer(Session& session);
Status NetworkTotals(Session& session);
/// What the predictor says of layers that it was not trained on; what its training costs.
Status PredictionQuality(Session& session);
/// Machines that no predictor was trained on.
Status UnseenMachines(Session& session);

}  // namespace sluice::driver
