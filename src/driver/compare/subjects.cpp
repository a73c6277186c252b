// From the user's words to layers with oracles: who prices, on which machine, in which space.

#include <cctype>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "arch/architecture.h"
#include "base/diagnostic.h"
#include "cost/command/command_oracle.h"
#include "cost/cost.h"
#include "cost/evaluator.h"
#include "cost/maestro/hardware.h"
#include "cost/oracle/maestro_oracle.h"
#include "cost/oracle/oracle.h"
#include "cost/oracle/reference_oracle.h"
#include "cost/policy.h"
#include "driver/catalog/catalog.h"
#include "driver/compare/compare.h"
#include "driver/driver.h"
#include "driver/reproduce/dcp_set.h"
#include "driver/reproduce/networks.h"
#include "io/maestro/hardware.h"
#include "io/maestro/network.h"
#include "ir/network.h"
#include "mapper/codes/search.h"
#include "mapper/codes/shared.h"
#include "mapper/exact/exact.h"
#include "mapper/mapper.h"
#include "mapping/dataflow/code.h"
#include "mapping/dataflow/nest.h"
#include "mapping/workload.h"

namespace sluice::driver {
namespace {

using mapper::codes::CodeObjective;
using mapper::codes::EnergyKind;

/// A proof that takes longer is not waited for.
constexpr double kProofSeconds = 20;

Result<CodeObjective> ObjectiveOf(const std::string& name) {
  for (const CodeObjective objective :
       {CodeObjective::kLatency, CodeObjective::kEnergy, CodeObjective::kEdp}) {
    if (name == mapper::codes::CodeObjectiveName(objective)) {
      return objective;
    }
  }
  return Fail(Diagnostic(ErrorCode::kUnknownName, fmt::format("unknown objective `{}`", name))
                  .WithHint("latency, energy or edp"));
}

Result<EnergyKind> EnergyOf(const std::string& name, bool maestro) {
  if (name == "outer" || (name.empty() && maestro)) {
    return EnergyKind::kOuter;
  }
  if (name == "full" || name.empty()) {
    return EnergyKind::kFull;
  }
  return Fail(Diagnostic(ErrorCode::kUnknownName, fmt::format("unknown energy `{}`", name))
                  .WithHint("outer (without the innermost memory and the operations) or full"));
}

Result<mapping::Workload> WorkloadOf(const std::string& descriptor) {
  SLUICE_TRY(const ir::Network network, ir::ParseOperatorDescriptor(descriptor));
  return mapping::MakeWorkload(network.operators.front(), network);
}

Result<std::vector<NamedLayer>> LayersOf(const std::string& subject) {
  if (subject == "dcp12") {
    return TwelveLayers();
  }
  std::vector<NamedLayer> layers = LayersOfNetwork(subject);
  if (!layers.empty()) {
    return layers;
  }
  if (subject.ends_with(".m")) {
    SLUICE_TRY(const io::MaestroNetwork network, io::LoadMaestroNetwork(subject));
    for (const io::MaestroLayer& layer : network.layers) {
      layers.push_back({layer.name, layer.layer, 1});
    }
    return layers;
  }
  SLUICE_TRY(const mapping::Workload workload, WorkloadOf(subject));
  SLUICE_TRY(const mapping::LayerBinding binding, mapping::BindLayer(workload));
  layers.push_back({subject, binding.layer, 1});
  return layers;
}

std::string TextOf(const cost::maestro::Hardware& hardware) {
  const auto amount = [](std::int64_t value) {
    return value >= kUnlimitedBandwidth ? std::string("unlimited") : fmt::format("{}", value);
  };
  return fmt::format("{} PEs, L1 {} words, L2 {} words, NoC {} words/cycle", hardware.pes,
                     amount(hardware.l1_words), amount(hardware.l2_words),
                     amount(hardware.noc_bandwidth));
}

/// What every layer of a comparison shares.
struct Setting {
  std::vector<CodeSubject> subjects;
  std::string hardware;
};

std::string LabelFile(const std::string& folder, std::size_t number) {
  return folder.empty() ? folder : fmt::format("{}/layer{}.labels", folder, number);
}

Result<Setting> MaestroSetting(const std::string& subject, const CostRequest& request) {
  SLUICE_TRY(const std::vector<NamedLayer> layers, LayersOf(subject));
  cost::maestro::Hardware hardware = EdgeMachine(kFairBandwidth);
  if (!request.hardware.empty()) {
    SLUICE_TRY(hardware, io::LoadMaestroHardware(request.hardware));
  }
  if (!request.command.empty() && !request.command_options.labels.empty()) {
    std::error_code error;
    std::filesystem::create_directories(request.command_options.labels, error);
    if (error) {
      return Fail(ErrorCode::kFileUnwritable,
                  fmt::format("cannot make the folder {}: {}", request.command_options.labels,
                              error.message()));
    }
  }
  Setting setting;
  setting.hardware = TextOf(hardware);
  for (const NamedLayer& layer : layers) {
    if (!request.command.empty()) {
      cost::CommandOptions options = request.command_options;
      options.labels = LabelFile(options.labels, setting.subjects.size());
      setting.subjects.push_back(
          {layer.name,
           [layer = layer.layer, hardware, command = request.command, options] {
             return cost::MakeCommandOracle(layer, hardware, command, options);
           },
           std::nullopt, layer.count});
      continue;
    }
    cost::MaestroOracleOptions options;
    options.physical_only = true;
    options.mode =
        request.model == "maestro" ? cost::MaestroMode::kCompatible : cost::MaestroMode::kExact;
    setting.subjects.push_back({layer.name,
                                [layer = layer.layer, hardware, options] {
                                  return cost::MakeMaestroOracle(layer, hardware, options);
                                },
                                std::nullopt, layer.count});
  }
  return setting;
}

/// The optimum over all mappings, if the exact mapper proves it soon. Codes are some of them.
Result<std::optional<double>> ProvenOptimum(const mapping::Workload& workload,
                                            const arch::Chain& chain, CodeObjective objective) {
  SLUICE_TRY(const cost::Evaluator evaluator,
             cost::Evaluator::Create(workload, chain, cost::PhysicalPolicy()));
  mapper::Problem problem;
  problem.evaluator = &evaluator;
  problem.objective = objective == CodeObjective::kLatency  ? cost::Objective::kLatency
                      : objective == CodeObjective::kEnergy ? cost::Objective::kEnergy
                                                            : cost::Objective::kEdp;
  const mapper::Result result = mapper::ExactMapper().Solve(problem, {.seconds = kProofSeconds});
  if (!result.best || result.stopped != mapper::StopReason::kProven) {
    return std::optional<double>();
  }
  constexpr double kNanojoules = 1e-3;
  const double unit = objective == CodeObjective::kLatency ? 1.0 : kNanojoules;
  return std::optional<double>(unit * result.score.value(problem.objective));
}

Result<Setting> ReferenceSetting(const SearchPaths& paths, const std::string& subject,
                                 const CostRequest& request, const CompareOptions& options) {
  if (request.architecture.empty() || !request.hardware.empty()) {
    return Fail(Diagnostic(ErrorCode::kUsage, "--model reference needs --arch, and no --hw")
                    .WithHint("for example --arch eyeriss; sluice archs lists the shipped ones"));
  }
  if (subject == "dcp12" || subject.ends_with(".m") || !LayersOfNetwork(subject).empty()) {
    return Fail(Diagnostic(ErrorCode::kUsage, "--model reference takes one operator")
                    .WithHint("\"conv K=64 C=64 P=56 Q=56 R=3 S=3\""));
  }
  SLUICE_TRY(const LoadedArchitecture machine, LoadArchitecture(paths, request.architecture));
  SLUICE_TRY(const ir::Network network, ir::ParseOperatorDescriptor(subject));
  const ir::Operator& op = network.operators.front();
  SLUICE_TRY(const mapping::Workload workload, mapping::MakeWorkload(op, network));
  SLUICE_TRY(const arch::Chain chain, arch::ChainFor(machine.architecture, op.body));
  CodeSubject one;
  one.name = subject;
  one.make_oracle = [workload, chain] {
    return cost::MakeReferenceOracle(workload, chain, cost::PhysicalPolicy());
  };
  SLUICE_TRY_STATUS(mapping::BindLayer(workload).map([](const auto&) {}));
  if (options.energy == EnergyKind::kFull || options.objective == CodeObjective::kLatency) {
    SLUICE_TRY(one.proven, ProvenOptimum(workload, chain, options.objective));
  }
  Setting setting;
  setting.hardware = machine.architecture.name;
  setting.subjects.push_back(std::move(one));
  return setting;
}

/// All subjects as one that they share a code for.
std::vector<CodeSubject> Shared(std::vector<CodeSubject> subjects,
                                const mapper::codes::SpaceOptions& space) {
  CodeSubject all;
  all.name = fmt::format("one code for {} layers", subjects.size());
  all.make_oracle = [subjects = std::move(subjects),
                     space]() -> Result<std::unique_ptr<cost::CostOracle>> {
    std::vector<mapper::codes::SharingLayer> layers;
    for (const CodeSubject& subject : subjects) {
      SLUICE_TRY(auto oracle, subject.make_oracle());
      layers.push_back({std::move(oracle), subject.count});
    }
    return mapper::codes::MakeSharedOracle(std::move(layers), space);
  };
  std::vector<CodeSubject> one;
  one.push_back(std::move(all));
  return one;
}

}  // namespace

Result<RequestedComparison> ParseComparison(const SearchPaths& paths, const std::string& subject,
                                            const CostRequest& request, CompareOptions options) {
  const bool reference = request.model == "reference";
  if (!reference && request.model != "maestro" && request.model != "maestro-exact") {
    return Fail(
        Diagnostic(ErrorCode::kUnknownName, fmt::format("unknown cost model `{}`", request.model))
            .WithHint("maestro, maestro-exact or reference"));
  }
  if (!request.architecture.empty() && !reference) {
    return Fail(Diagnostic(ErrorCode::kUsage, "--arch belongs to --model reference")
                    .WithHint("--hw FILE describes a machine of MAESTRO's model"));
  }
  if (!request.command.empty() && reference) {
    return Fail(Diagnostic(ErrorCode::kUsage, "--cost-command takes the place of the model")
                    .WithHint("leave --model out; --hw is what the program is told"));
  }
  if (request.levels < 1 || request.levels > mapping::kMaxCodeLevels) {
    return Fail(ErrorCode::kBadValue, fmt::format("{} levels; codes have 1 to 4", request.levels));
  }
  SLUICE_TRY(options.objective, ObjectiveOf(request.objective));
  SLUICE_TRY(options.energy, EnergyOf(request.energy, request.model == "maestro"));
  options.space.levels = static_cast<int>(request.levels);
  // MAESTRO refuses to cut windows; what a strange program does is not known, so it is spared.
  options.space.whole_windows = request.model == "maestro" || !request.command.empty();
  if (!request.command.empty()) {
    options.best_known_samples = 0;
    options.threads = request.command_options.labels.empty() ? options.threads : 1;
  }
  SLUICE_TRY(Setting setting, reference ? ReferenceSetting(paths, subject, request, options)
                                        : MaestroSetting(subject, request));
  if (request.shared) {
    setting.subjects = Shared(std::move(setting.subjects), options.space);
  }
  return RequestedComparison{std::move(setting.subjects), std::move(options), subject,
                             request.command.empty() ? request.model : "`" + request.command + "`",
                             std::move(setting.hardware)};
}

Result<Comparison> CompareRequested(const SearchPaths& paths, const std::string& subject,
                                    const CostRequest& request, CompareOptions options) {
  SLUICE_TRY(const RequestedComparison requested,
             ParseComparison(paths, subject, request, std::move(options)));
  SLUICE_TRY(Comparison comparison, Compare(requested.subjects, requested.options));
  comparison.title = requested.title;
  comparison.hardware = requested.hardware;
  comparison.model = requested.model;
  return comparison;
}

}  // namespace sluice::driver
