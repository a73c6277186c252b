// See loaded.h.

#include "driver/load/loaded.h"

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "arch/architecture.h"
#include "base/diagnostic.h"
#include "base/hash.h"
#include "cost/cost.h"
#include "cost/evaluator.h"
#include "cost/policy.h"
#include "driver/catalog/version.h"
#include "driver/driver.h"
#include "driver/explain/explain.h"
#include "driver/requests.h"
#include "driver/search.h"
#include "io/onnx/onnx.h"
#include "io/yaml/arch/arch.h"
#include "io/yaml/mapping.h"
#include "io/yaml/yaml.h"
#include "ir/network.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"
#include "planner/plan.h"

namespace sluice::driver {
namespace {

/// The violations as one diagnostic: the first is the message, the others are notes.
Diagnostic InvalidMapping(const std::vector<mapping::Violation>& violations,
                          const arch::Chain& chain, const std::string& file) {
  const mapping::Violation& first = violations.front();
  Diagnostic diagnostic(first.code, first.message);
  diagnostic.span.file = file;
  for (const mapping::Violation& violation : violations) {
    if (violation.level >= 0 && violation.words_needed > violation.words_available) {
      const arch::Memory& memory = chain.levels[static_cast<std::size_t>(violation.level)].memory;
      const auto words = static_cast<double>(violation.words_needed) -
                         static_cast<double>(violation.words_available);
      diagnostic.notes.push_back(fmt::format("{} is {:.0f} words ({:.0f} bytes) short", memory.name,
                                             words, words * memory.word_bits / 8));
    }
    if (&violation != &first) {
      diagnostic.notes.push_back(violation.message);
    }
  }
  diagnostic.hint = first.code == ErrorCode::kMappingCapacity
                        ? "make the tiles smaller, or let a tensor bypass the level"
                        : "docs/formats/mapping.md says what a mapping must fulfil";
  return diagnostic;
}

}  // namespace

Result<LoadedNetwork> ParseNetwork(std::string_view bytes, const std::string& path,
                                   const ModelRequest& request) {
  LoadedNetwork loaded;
  loaded.path = path;
  loaded.hash = ContentHash(bytes);
  io::OnnxOptions options;
  options.batch = request.batch;
  options.dims = {request.dims.begin(), request.dims.end()};
  options.skip_unknown = request.skip_unknown;
  SLUICE_TRY(loaded.network, io::ImportOnnx(bytes, path, options));
  loaded.network.name = std::filesystem::path(path).stem().string();
  return loaded;
}

Result<LoadedArchitecture> ParseArchitecture(std::string text, const std::string& path) {
  LoadedArchitecture loaded;
  loaded.path = path;
  loaded.hash = ContentHash(text);
  SLUICE_TRY(const io::YamlDocument document, io::YamlDocument::Parse(std::move(text), path));
  SLUICE_TRY(loaded.architecture, io::ReadArchitecture(document));
  return loaded;
}

Result<planner::Plan> PlanLoaded(const LoadedNetwork& network,
                                 const LoadedArchitecture& architecture, const ModelRequest& model,
                                 const SearchRequest& search, const std::string& command_line) {
  SLUICE_TRY(const SearchSetup setup, MakeSearch(search));
  SLUICE_TRY(planner::Plan plan,
             RunSearch(search, setup, network.network, architecture.architecture));
  planner::Provenance& provenance = plan.provenance;
  provenance.tool_version = ToolVersion();
  provenance.command = command_line;
  provenance.model_path = network.path;
  provenance.model_hash = network.hash;
  provenance.architecture_path = architecture.path;
  provenance.architecture_hash = architecture.hash;
  provenance.batch = model.batch;
  provenance.dims = model.dims;
  return plan;
}

Result<Evaluation> ScoreMapping(const std::string& architecture_name,
                                const mapping::Workload& workload, const arch::Chain& chain,
                                const mapping::Mapping& mapping, const cost::Policy& policy) {
  SLUICE_TRY(const cost::Evaluator evaluator, cost::Evaluator::Create(workload, chain, policy));
  Evaluation evaluation;
  evaluation.architecture_name = architecture_name;
  evaluation.chain = chain;
  evaluation.workload = workload;
  evaluation.mapping = mapping;
  evaluation.policy = policy;
  evaluation.explanation = Explain(evaluator, mapping);
  evaluation.cost = evaluation.explanation.cost;
  const cost::Score bound = cost::LowerBound(evaluator);
  evaluation.bound_energy_pj = bound.energy_pj;
  evaluation.bound_cycles = bound.cycles;
  return evaluation;
}

Result<Evaluation> EvaluateLoaded(const ir::Network& network, const ir::Operator& op,
                                  const LoadedArchitecture& architecture, std::string mapping_text,
                                  const std::string& file, const cost::Policy& policy) {
  if (op.is_view()) {
    return Fail(ErrorCode::kUsage,
                fmt::format("{} is a view: it moves no bytes and has no mapping", op.name));
  }
  SLUICE_TRY(const mapping::Workload workload, mapping::MakeWorkload(op, network));
  SLUICE_TRY(const arch::Chain chain, arch::ChainFor(architecture.architecture, op.body));
  SLUICE_TRY(const io::YamlDocument document,
             io::YamlDocument::Parse(std::move(mapping_text), file));
  SLUICE_TRY(const mapping::Mapping mapping, io::ReadMapping(document.root(), workload, chain));
  const auto violations = mapping::CheckMapping(workload, chain, mapping);
  if (!violations.empty()) {
    return Fail(InvalidMapping(violations, chain, file));
  }
  return ScoreMapping(architecture.architecture.name, workload, chain, mapping, policy);
}

}  // namespace sluice::driver
