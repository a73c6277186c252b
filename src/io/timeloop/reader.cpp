#include "io/timeloop/reader.h"

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/diagnostic.h"
#include "io/timeloop/keys.h"
#include "io/timeloop/parts.h"
#include "io/yaml/yaml.h"
#include "mapping/mapping.h"

namespace sluice::io {
namespace timeloop {

Status CheckVersion(const std::optional<Cursor>& version) {
  if (!version) {
    return {};
  }
  SLUICE_TRY(const std::string text, version->AsString());
  for (const char* known : {"0.1", "0.2", "0.3"}) {
    if (text == known) {
      return {};
    }
  }
  return Fail(version->Error(ErrorCode::kVersion,
                             fmt::format("Timeloop format version {} is not read", text),
                             "versions 0.1 to 0.3 are"));
}

namespace {

/// The four sections, wherever they were found.
struct Sections {
  std::optional<Cursor> architecture;
  std::optional<Cursor> problem;
  std::optional<Cursor> mapping;
  std::optional<Cursor> ert;
};

Status Collect(const Cursor& root, Sections& sections) {
  // Areas and compound components only serve the estimator that made the energy table.
  SLUICE_TRY(
      const KeyMap keys,
      KeyMap::Read(
          root,
          {{"architecture"}, {"problem"}, {"mapping"}, {"ERT"}, {"ART"}, {"compound_components"}}));
  const std::array<std::pair<const char*, std::optional<Cursor>*>, 4> slots = {{
      {"architecture", &sections.architecture},
      {"problem", &sections.problem},
      {"mapping", &sections.mapping},
      {"ERT", &sections.ert},
  }};
  for (const auto& [name, slot] : slots) {
    const auto found = keys.Find(name);
    if (!found) {
      continue;
    }
    if (slot->has_value()) {
      return Fail(found->Error(ErrorCode::kDuplicateKey, fmt::format("a second `{}`", name),
                               "give each section once over all files"));
    }
    *slot = *found;
  }
  return {};
}

Result<Cursor> Required(const std::optional<Cursor>& section, const char* name, const char* hint) {
  if (section) {
    return *section;
  }
  return Fail(Diagnostic(ErrorCode::kMissingKey, fmt::format("no file has a `{}` section", name))
                  .WithHint(hint));
}

Diagnostic FromViolation(const mapping::Violation& violation) {
  return Diagnostic(violation.code, violation.message).WithPath("mapping");
}

}  // namespace
}  // namespace timeloop

Result<TimeloopCase> ReadTimeloop(const std::vector<YamlDocument>& documents) {
  timeloop::Sections sections;
  for (const YamlDocument& document : documents) {
    SLUICE_TRY_STATUS(timeloop::Collect(document.root(), sections));
  }
  SLUICE_TRY(const Cursor architecture_at, timeloop::Required(sections.architecture, "architecture",
                                                              "add the architecture file"));
  SLUICE_TRY(const Cursor problem_at,
             timeloop::Required(sections.problem, "problem", "add the problem file"));
  SLUICE_TRY(const Cursor mapping_at,
             timeloop::Required(sections.mapping, "mapping", "add the mapping file"));
  SLUICE_TRY(const Cursor ert_at,
             timeloop::Required(sections.ert, "ERT",
                                "add the energy reference table that Accelergy writes"));
  TimeloopCase result;
  SLUICE_TRY(timeloop::Machine machine,
             timeloop::ReadArchitecture(architecture_at, result.warnings));
  SLUICE_TRY_STATUS(timeloop::ReadEnergyTable(ert_at, machine));
  SLUICE_TRY(const timeloop::Problem problem, timeloop::ReadProblem(problem_at));
  SLUICE_TRY(result.mapping, timeloop::ReadMapping(mapping_at, problem, machine.chain));
  result.workload = problem.workload;
  result.chain = std::move(machine.chain);
  const auto violations = mapping::CheckMapping(result.workload, result.chain, result.mapping);
  if (!violations.empty()) {
    return Fail(timeloop::FromViolation(violations.front()));
  }
  return result;
}

Result<TimeloopCase> LoadTimeloop(const std::vector<std::string>& paths) {
  std::vector<YamlDocument> documents;
  for (const std::string& path : paths) {
    SLUICE_TRY(YamlDocument document, YamlDocument::Load(path));
    documents.push_back(std::move(document));
  }
  return ReadTimeloop(documents);
}

}  // namespace sluice::io
