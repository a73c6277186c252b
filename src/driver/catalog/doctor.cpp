// `sluice doctor`: is this installation sound? Files found, all of them readable, and one known
// answer.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/parallel.h"
#include "cost/cost.h"
#include "driver/catalog/catalog.h"
#include "driver/catalog/version.h"
#include "driver/driver.h"
#include "driver/requests.h"

namespace sluice::driver {
namespace {

/// Loads everything that `entries` lists; the detail names the first that fails.
template <class Load>
HealthCheck CheckAll(std::string name, const std::vector<CatalogEntry>& entries, Load load) {
  HealthCheck check{std::move(name), !entries.empty(), fmt::format("{} found", entries.size())};
  for (const CatalogEntry& entry : entries) {
    if (const auto loaded = load(entry.path); !loaded) {
      check.ok = false;
      check.detail = fmt::format("{}: {}", entry.path, loaded.error().message);
      break;
    }
  }
  if (entries.empty()) {
    check.detail = "none found; run in a directory that has them, or install Sluice";
  }
  return check;
}

/// A 64-cube matrix product has 64^3 multiplications on every machine and under every mapping.
HealthCheck CheckKnownAnswer(const SearchPaths& paths) {
  HealthCheck check{"known answer", false, ""};
  SearchRequest search;
  search.budget_evaluations = 100;
  search.threads = 1;
  const auto outcome = MapOperator(paths, "gemm M=64 N=64 K=64", "eyeriss", search);
  if (!outcome) {
    check.detail = outcome.error().message;
    return check;
  }
  const cost::Cost& cost = outcome->evaluation.cost;
  constexpr std::int64_t kExpected = std::int64_t{64} * 64 * 64;
  check.ok = cost.operations == kExpected &&
             cost.score.energy_pj >= outcome->evaluation.bound_energy_pj &&
             cost.score.cycles >= outcome->evaluation.bound_cycles;
  check.detail = fmt::format("gemm 64x64x64 on eyeriss: {} multiply-accumulates, costs {} bounds",
                             cost.operations, check.ok ? "above their" : "BELOW their");
  return check;
}

}  // namespace

std::vector<HealthCheck> CheckInstallation(const SearchPaths& paths) {
  std::vector<HealthCheck> checks;
  const BuildInfo& info = GetBuildInfo();
  checks.push_back(
      {"version", true,
       fmt::format("{}, {} build by {}", ToolVersion(), info.build_type, info.compiler)});
  checks.push_back({"threads", true, fmt::format("{} cores", HardwareThreads())});
  checks.push_back(
      CheckAll("architectures", ListArchitectures(paths),
               [&](const std::string& path) { return LoadArchitecture(paths, path); }));
  checks.push_back(CheckAll("models", ListModels(paths), [&](const std::string& path) {
    ModelRequest request;
    request.model = path;
    return LoadNetwork(paths, request);
  }));
  checks.push_back(CheckKnownAnswer(paths));
  return checks;
}

}  // namespace sluice::driver
