// See search.h.

#include "driver/search.h"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "arch/architecture.h"
#include "base/diagnostic.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/parallel.h"
#include "base/text.h"
#include "cost/cost.h"
#include "cost/policy.h"
#include "driver/catalog/mappers.h"
#include "driver/catalog/version.h"
#include "driver/requests.h"
#include "io/yaml/constraints.h"
#include "io/yaml/yaml.h"
#include "ir/network.h"
#include "mapper/cache/cache.h"
#include "mapping/constraints.h"
#include "planner/layerwise.h"
#include "planner/plan.h"

namespace sluice::driver {
namespace {

namespace fs = std::filesystem;

Result<LoadedConstraints> Load(const std::string& path) {
  LoadedConstraints loaded;
  loaded.path = path;
  SLUICE_TRY(std::string text, ReadFile(path, io::kMaxYamlBytes));
  loaded.hash = ContentHash(text);
  SLUICE_TRY(loaded.spec, io::ParseConstraints(std::move(text), path));
  return loaded;
}

/// Names of dims in the spec, in its order.
std::vector<std::string> DimsOf(const mapping::ConstraintSpec& spec) {
  std::vector<std::string> dims;
  const auto add = [&](const std::string& dim) {
    if (std::ranges::find(dims, dim) == dims.end()) {
      dims.push_back(dim);
    }
  };
  for (const mapping::LevelRules& level : spec.levels) {
    for (const mapping::LoopRules& loops : level.loops) {
      std::ranges::for_each(loops.factors, add, &mapping::DimRule::dim);
      std::ranges::for_each(loops.innermost, add, &mapping::NamedDim::dim);
      std::ranges::for_each(loops.outermost, add, &mapping::NamedDim::dim);
    }
  }
  return dims;
}

/// Equal but for upper and lower case.
bool SameLetters(const std::string& a, const std::string& b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

/// Dims that no operator has, but one like them. (A dim that an operator does not have counts as a
/// dim of one point; files for convolutions are good for products, too.)
std::vector<std::string> UnknownDims(const mapping::ConstraintSpec& spec,
                                     const ir::Network& network) {
  std::vector<std::string> known;
  for (const ir::Operator& op : network.operators) {
    for (const ir::Dim& dim : op.dims) {
      for (const char* part : {"", "_hi", "_lo"}) {  // mapping::MakeWorkload may split dims
        known.push_back(dim.name + part);
      }
    }
  }
  std::vector<std::string> warnings;
  for (const std::string& dim : DimsOf(spec)) {
    if (std::ranges::find(known, dim) != known.end()) {
      continue;
    }
    const auto same = std::ranges::find_if(
        known, [&](const std::string& other) { return SameLetters(other, dim); });
    // Between names of one letter nothing is close.
    const std::string closest = same != known.end() ? *same
                                : dim.size() > 1    ? ClosestMatch(dim, known)
                                                    : std::string();
    if (!closest.empty()) {
      warnings.push_back(fmt::format(
          "the constraints name dim {}, which no operator here has; is it {}?", dim, closest));
    }
  }
  return warnings;
}

/// The first few of them.
std::string ShortList(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 3;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kShown); ++i) {
    text += (i == 0 ? "" : ", ") + names[i];
  }
  return names.size() > kShown ? text + ", ..." : text;
}

}  // namespace

Result<SearchSetup> MakeSearch(const SearchRequest& request) {
  SearchSetup setup;
  planner::PlanOptions& options = setup.options;
  SLUICE_TRY(setup.mapper, FindNamedMapper(request.mapper));
  options.mapper = setup.mapper.mapper;
  if (setup.mapper.coded && (request.imperfect || !request.constraints.empty())) {
    return Fail(Diagnostic(ErrorCode::kUsage,
                           fmt::format("{} searches dataflow codes: it takes no {}", request.mapper,
                                       request.imperfect ? "--imperfect" : "constraints"))
                    .WithHint("--mapper exact or annealing"));
  }
  SLUICE_TRY(options.policy, cost::ParsePolicy(request.policy));
  SLUICE_TRY(options.objective, cost::ParseObjective(request.objective));
  options.seed = request.seed;
  options.imperfect = request.imperfect;
  options.evaluations = request.budget_evaluations;
  options.seconds = request.budget_seconds;
  options.stop = request.stop;
  options.threads = request.threads > 0 ? request.threads : HardwareThreads();
  if (request.progress) {
    options.progress = [report = request.progress](std::size_t done, std::size_t total,
                                                   std::string_view name) {
      report(static_cast<std::int64_t>(done), static_cast<std::int64_t>(total), name);
    };
  }
  if (!request.constraints.empty()) {
    SLUICE_TRY(LoadedConstraints loaded, Load(request.constraints));
    setup.constraints = std::make_unique<const LoadedConstraints>(std::move(loaded));
    options.constraints = &setup.constraints->spec;
  }
  if (!request.cache_folder.empty()) {
    setup.cache = std::make_unique<mapper::ResultCache>(request.cache_folder, BuildIdentity(),
                                                        request.cache_bytes);
    options.cache = setup.cache.get();
  }
  return setup;
}

Result<planner::Plan> RunSearch(const SearchRequest& request, const SearchSetup& setup,
                                const ir::Network& network,
                                const arch::Architecture& architecture) {
  if (request.warn && setup.constraints != nullptr) {
    for (const std::string& warning : UnknownDims(setup.constraints->spec, network)) {
      request.warn(warning);
    }
  }
  planner::PlanOptions options = setup.options;
  if (request.warn) {
    options.substituted = [&](const std::vector<std::string>& names, const Diagnostic& why) {
      request.warn(
          fmt::format("the exact mapper solved {} of the distinct operators ({}), which "
                      "{} cannot: {}",
                      names.size(), ShortList(names), request.mapper, why.message));
    };
  }
  Result<planner::Plan> plan = planner::PlanLayerwise(network, architecture, options);
  if (request.warn && setup.cache != nullptr) {
    for (const Diagnostic& warning : setup.cache->TakeWarnings()) {
      request.warn(warning.message + (warning.hint.empty() ? "" : "; " + warning.hint));
    }
  }
  if (plan && setup.constraints != nullptr) {
    plan->provenance.constraints_path = setup.constraints->path;
    plan->provenance.constraints_hash = setup.constraints->hash;
  }
  return plan;
}

std::string BuildIdentity() {
  const BuildInfo& info = GetBuildInfo();
  std::error_code error;
  // Two builds of one commit may differ: in options, or in changes that are not committed.
  const fs::path program = fs::canonical("/proc/self/exe", error);
  const auto size = error ? 0 : fs::file_size(program, error);
  const auto time = fs::last_write_time(program, error);
  return fmt::format("{} {} {} {} {}", ToolVersion(), info.compiler, info.build_type, size,
                     error ? 0 : time.time_since_epoch().count());
}

}  // namespace sluice::driver
