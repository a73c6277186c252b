/// \file
/// `ERT:`, Accelergy's energy reference table, as the energies of a chain.
///
/// One table a component, named by its path (`system.chip.PE[0..15].RF`); Timeloop matches the last
/// part only, and so do we. An action's energy is per physical access: one block of every instance
/// of a cluster. With several rows (`arguments`) the largest counts, as in Timeloop. A missing
/// `update` costs a `write`.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "arch/architecture.h"
#include "base/diagnostic.h"
#include "io/timeloop/keys.h"
#include "io/timeloop/parts.h"
#include "io/yaml/yaml.h"

namespace sluice::io::timeloop {
namespace {

/// Which energy an action gives; kNone for those a dense run never performs.
enum class Use : std::uint8_t { kRead, kFill, kUpdate, kLeak, kCompute, kNone };

struct ActionName {
  std::string_view name;
  bool memory;
  Use use;
};

constexpr ActionName kActionNames[] = {
    {"read", true, Use::kRead},
    {"random_read", true, Use::kRead},
    {"write", true, Use::kFill},
    {"random_fill", true, Use::kFill},
    {"update", true, Use::kUpdate},
    {"random_update", true, Use::kUpdate},
    {"leak", true, Use::kLeak},
    {"idle", true, Use::kNone},
    {"gated_read", true, Use::kNone},
    {"gated_fill", true, Use::kNone},
    {"gated_update", true, Use::kNone},
    {"skipped_read", true, Use::kNone},
    {"skipped_fill", true, Use::kNone},
    {"skipped_update", true, Use::kNone},
    {"compute", false, Use::kCompute},
    {"random_compute", false, Use::kCompute},
    {"mac", false, Use::kCompute},
    {"mac_random", false, Use::kCompute},
    {"multiply", false, Use::kCompute},
    {"leak", false, Use::kLeak},
    {"idle", false, Use::kNone},
    {"gated_compute", false, Use::kNone},
    {"skipped_compute", false, Use::kNone},
    {"mac_gated", false, Use::kNone},
    {"mac_reused", false, Use::kNone},
};

Result<double> ReadEnergy(const Cursor& at) {
  SLUICE_TRY(const double energy, at.AsDouble());
  if (!std::isfinite(energy) || energy < 0) {
    return Fail(at.Error(ErrorCode::kBadValue, "an energy is a number of picojoules, at least 0"));
  }
  return energy;
}

/// The energies of one component by use, -1 where there is none.
struct Energies {
  double values[5] = {-1, -1, -1, -1, -1};
  double& operator[](Use use) { return values[static_cast<std::size_t>(use)]; }
  double operator[](Use use) const { return values[static_cast<std::size_t>(use)]; }
};

Status ReadAction(const Cursor& at, bool memory, Energies& energies) {
  SLUICE_TRY(const KeyMap keys, KeyMap::Read(at, {{"name"}, {"arguments"}, {"energy"}}));
  SLUICE_TRY(const Cursor name_at, keys.At("name"));
  SLUICE_TRY(const std::string name, name_at.AsString());
  SLUICE_TRY(const Cursor energy_at, keys.At("energy"));
  SLUICE_TRY(const double energy, ReadEnergy(energy_at));
  std::vector<std::string> candidates;
  for (const ActionName& known : kActionNames) {
    if (known.memory != memory) {
      continue;
    }
    candidates.emplace_back(known.name);
    if (known.name == name) {
      if (known.use != Use::kNone) {
        energies[known.use] = std::max(energies[known.use], energy);
      }
      return {};
    }
  }
  return Fail(UnknownWord(name_at, ErrorCode::kUnknownName,
                          memory ? "action of a memory" : "action of a compute unit", name,
                          candidates));
}

/// `system.PE[0..3].RF[0..1]` -> `RF`.
std::string LastPart(const std::string& path) {
  std::string text = path;
  if (!text.empty() && text.back() == ']') {
    const auto open = text.rfind('[');
    text.resize(open == std::string::npos ? text.size() : open);
  }
  const auto dot = text.rfind('.');
  return dot == std::string::npos ? text : text.substr(dot + 1);
}

Status Require(const Cursor& at, const Energies& energies, Use use, const char* what) {
  if (energies[use] < 0) {
    return Fail(
        at.Error(ErrorCode::kMissingKey, fmt::format("the table has no `{}` action", what)));
  }
  return {};
}

Status SetMemory(const Cursor& at, const Energies& energies, std::int64_t cluster_size,
                 arch::Memory& memory) {
  SLUICE_TRY_STATUS(Require(at, energies, Use::kRead, "read"));
  SLUICE_TRY_STATUS(Require(at, energies, Use::kFill, "write"));
  const auto cluster = static_cast<double>(cluster_size);
  const double update = energies[Use::kUpdate];
  memory.read_pj = energies[Use::kRead] / cluster;
  memory.fill_pj = energies[Use::kFill] / cluster;
  memory.update_pj = (update < 0 ? energies[Use::kFill] : update) / cluster;
  memory.leakage_pj_per_cycle = std::max(0.0, energies[Use::kLeak]) / cluster;
  return {};
}

}  // namespace

Status ReadEnergyTable(const Cursor& ert, Machine& machine) {
  SLUICE_TRY(const KeyMap keys, KeyMap::Read(ert, {{"version"}, {"tables"}}));
  SLUICE_TRY_STATUS(CheckVersion(keys.Find("version")));
  SLUICE_TRY(const Cursor tables_at, keys.At("tables"));
  SLUICE_TRY(const std::vector<Cursor> tables, tables_at.Elements());

  std::vector<std::string> components = machine.chain.memory_names();
  components.push_back(machine.chain.compute.name);
  std::vector<bool> seen(components.size(), false);
  for (const Cursor& table : tables) {
    SLUICE_TRY(const KeyMap entries, KeyMap::Read(table, {{"name"}, {"actions"}}));
    SLUICE_TRY(const Cursor name_at, entries.At("name"));
    SLUICE_TRY(const std::string path, name_at.AsString());
    const std::string name = LastPart(path);
    const auto found = std::ranges::find(components, name);
    if (found == components.end()) {
      return Fail(UnknownWord(name_at, ErrorCode::kUnknownName, "component", name, components));
    }
    const auto index = static_cast<std::size_t>(found - components.begin());
    if (seen[index]) {
      return Fail(
          name_at.Error(ErrorCode::kDuplicateKey, fmt::format("two energy tables for `{}`", name)));
    }
    seen[index] = true;
    const bool memory = index < machine.chain.levels.size();
    SLUICE_TRY(const Cursor actions_at, entries.At("actions"));
    SLUICE_TRY(const std::vector<Cursor> actions, actions_at.Elements());
    Energies energies;
    for (const Cursor& action : actions) {
      SLUICE_TRY_STATUS(ReadAction(action, memory, energies));
    }
    if (memory) {
      SLUICE_TRY_STATUS(SetMemory(actions_at, energies, machine.cluster_sizes[index],
                                  machine.chain.levels[index].memory));
    } else {
      SLUICE_TRY_STATUS(Require(actions_at, energies, Use::kCompute, "compute"));
      machine.chain.compute.classes[0].pj_per_operation = energies[Use::kCompute];
      machine.chain.compute.leakage_pj_per_cycle = std::max(0.0, energies[Use::kLeak]);
    }
  }
  for (std::size_t i = 0; i < components.size(); ++i) {
    if (!seen[i]) {
      return Fail(tables_at.Error(ErrorCode::kMissingKey,
                                  fmt::format("no energy table for `{}`", components[i]),
                                  "every memory and the compute unit needs one"));
    }
  }
  return {};
}

}  // namespace sluice::io::timeloop
