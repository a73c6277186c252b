#include "io/certificate_json.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "arch/architecture.h"
#include "base/diagnostic.h"
#include "cost/certificate.h"
#include "cost/cost.h"
#include "io/yaml/yaml.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"

namespace sluice::io {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kMaxInt = std::numeric_limits<std::int64_t>::max();
constexpr std::int32_t kMaxInt32 = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kAllTensors = (std::int64_t{1} << mapping::kMaxTensors) - 1;

std::string Text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json Loops(const mapping::LoopList& loops) {
  Json json = Json::array();
  for (const mapping::Loop& loop : loops) {
    json.push_back({loop.dim, loop.bound});
  }
  return json;
}

Status Fields(const Cursor& at, std::initializer_list<std::string_view> keys) {
  SLUICE_TRY_STATUS(at.AllowKeys(keys));
  for (const std::string_view key : keys) {
    SLUICE_TRY(const Cursor unused, at.At(key));
    static_cast<void>(unused);
  }
  return {};
}

Status Read(const Cursor& parent, std::string_view key, std::string& out) {
  SLUICE_TRY(const Cursor at, parent.At(key));
  if (at.IsScalar() && !at.IsQuoted()) {
    return Fail(at.Error(ErrorCode::kWrongType, "expected text in quotes"));
  }
  SLUICE_TRY(out, at.AsString());
  return {};
}

Result<double> Figure(const Cursor& at) {
  SLUICE_TRY(const double value, at.AsDouble());
  if (!(value >= 0) || !std::isfinite(value)) {
    return Fail(at.Error(ErrorCode::kBadValue, "expected a finite number that is not negative"));
  }
  return value;
}

Status Read(const Cursor& parent, std::string_view key, double& out) {
  SLUICE_TRY(const Cursor at, parent.At(key));
  SLUICE_TRY(out, Figure(at));
  return {};
}

Status Read(const Cursor& parent, std::string_view key, std::int64_t& out) {
  SLUICE_TRY(const Cursor at, parent.At(key));
  SLUICE_TRY(out, at.AsInt(0, kMaxInt));
  return {};
}

/// Elements of a list, at most `most`.
Result<std::vector<Cursor>> List(const Cursor& at, std::size_t most) {
  SLUICE_TRY(std::vector<Cursor> elements, at.Elements());
  if (elements.size() > most) {
    return Fail(at.Error(ErrorCode::kBadValue, fmt::format("{} elements are too many; at most {}",
                                                           elements.size(), most)));
  }
  return elements;
}

/// A list of exactly `size` elements.
Result<std::vector<Cursor>> Tuple(const Cursor& at, std::size_t size, std::string_view what) {
  SLUICE_TRY(std::vector<Cursor> elements, at.Elements());
  if (elements.size() != size) {
    return Fail(at.Error(ErrorCode::kBadValue,
                         fmt::format("expected {}, found {} elements", what, elements.size())));
  }
  return elements;
}

Status ReadLoops(const Cursor& level, std::string_view key, mapping::LoopList& out) {
  SLUICE_TRY(const Cursor at, level.At(key));
  SLUICE_TRY(const std::vector<Cursor> loops,
             List(at, static_cast<std::size_t>(mapping::kMaxDims)));
  for (const Cursor& entry : loops) {
    SLUICE_TRY(const std::vector<Cursor> pair, Tuple(entry, 2, "a dim and a factor"));
    SLUICE_TRY(const std::int64_t dim, pair[0].AsInt(0, mapping::kMaxDims - 1));
    SLUICE_TRY(const std::int64_t factor, pair[1].AsInt(1, kMaxInt32));
    out.push_back(mapping::PerfectLoop(static_cast<int>(dim), factor));
  }
  return {};
}

Status ReadMapping(const Cursor& root, mapping::Mapping& out) {
  SLUICE_TRY(const Cursor at, root.At("mapping"));
  SLUICE_TRY(const std::vector<Cursor> levels, List(at, arch::kMaxLevels));
  for (const Cursor& entry : levels) {
    SLUICE_TRY_STATUS(Fields(entry, {"keep", "temporal", "spatial_x", "spatial_y"}));
    mapping::LevelMapping level;
    SLUICE_TRY(const Cursor keep_at, entry.At("keep"));
    SLUICE_TRY(const std::int64_t keep, keep_at.AsInt(0, kAllTensors));
    level.keep = static_cast<std::uint32_t>(keep);
    SLUICE_TRY_STATUS(ReadLoops(entry, "temporal", level.temporal));
    SLUICE_TRY_STATUS(ReadLoops(entry, "spatial_x", level.spatial_x));
    SLUICE_TRY_STATUS(ReadLoops(entry, "spatial_y", level.spatial_y));
    out.levels.push_back(level);
  }
  return {};
}

Status ReadHeader(const Cursor& root, CertificateFile& file) {
  std::string format;
  SLUICE_TRY_STATUS(Read(root, "format", format));
  if (format != kCertificateFormatName) {
    return Fail(root.Error(
        ErrorCode::kVersion, "this is not a certificate",
        fmt::format("a certificate starts with \"format\": \"{}\"", kCertificateFormatName)));
  }
  std::int64_t version = 0;
  SLUICE_TRY_STATUS(Read(root, "version", version));
  if (version != cost::kCertificateVersion) {
    SLUICE_TRY(const Cursor at, root.At("version"));
    return Fail(at.Error(
        ErrorCode::kVersion,
        fmt::format("certificate format version {} is not readable by this "
                    "program",
                    version),
        fmt::format("it reads version {}; map the operator again", cost::kCertificateVersion)));
  }
  SLUICE_TRY_STATUS(Fields(root, {"format", "version", "operator", "architecture", "policy",
                                  "constraints", "problem", "objective", "energy_pj", "cycles",
                                  "bound", "evaluations", "candidates", "ruled_out", "mapping"}));
  SLUICE_TRY_STATUS(Read(root, "operator", file.descriptor));
  SLUICE_TRY_STATUS(Read(root, "architecture", file.architecture));
  SLUICE_TRY_STATUS(Read(root, "policy", file.policy));
  return Read(root, "constraints", file.constraints);
}

}  // namespace

std::string CertificateToJson(const CertificateFile& file) {
  const cost::Certificate& c = file.certificate;
  const Json head = {{"format", kCertificateFormatName},
                     {"version", c.version},
                     {"operator", file.descriptor},
                     {"architecture", file.architecture},
                     {"policy", file.policy},
                     {"constraints", file.constraints},
                     {"problem", c.problem},
                     {"objective", cost::ObjectiveName(c.objective)},
                     {"energy_pj", c.score.energy_pj},
                     {"cycles", c.score.cycles},
                     {"bound", c.bound},
                     {"evaluations", c.evaluations},
                     {"candidates", c.candidates},
                     {"ruled_out", c.ruled_out}};
  std::string out = "{\n";
  for (const auto& item : head.items()) {
    out += fmt::format("  {}: {},\n", Text(Json(item.key())), Text(item.value()));
  }
  // One line a level.
  out += "  \"mapping\": [";
  for (std::size_t l = 0; l < c.mapping.levels.size(); ++l) {
    const mapping::LevelMapping& level = c.mapping.levels[l];
    const Json json = {{"keep", level.keep},
                       {"temporal", Loops(level.temporal)},
                       {"spatial_x", Loops(level.spatial_x)},
                       {"spatial_y", Loops(level.spatial_y)}};
    out += fmt::format("{}\n    {}", l == 0 ? "" : ",", Text(json));
  }
  out += "\n  ]\n}\n";
  return out;
}

Result<CertificateFile> CertificateFromJson(const std::string& text, const std::string& file_name) {
  SLUICE_TRY(const YamlDocument document, YamlDocument::Parse(text, file_name));
  const Cursor root = document.root();
  CertificateFile file;
  SLUICE_TRY_STATUS(ReadHeader(root, file));
  cost::Certificate& c = file.certificate;
  SLUICE_TRY_STATUS(Read(root, "problem", c.problem));
  SLUICE_TRY(const Cursor objective_at, root.At("objective"));
  SLUICE_TRY(const std::string objective, objective_at.AsString());
  const auto known = cost::ParseObjective(objective);
  if (!known) {
    return Fail(
        objective_at.Error(ErrorCode::kBadValue, known.error().message, known.error().hint));
  }
  c.objective = *known;
  SLUICE_TRY_STATUS(Read(root, "energy_pj", c.score.energy_pj));
  SLUICE_TRY_STATUS(Read(root, "cycles", c.score.cycles));
  SLUICE_TRY_STATUS(Read(root, "bound", c.bound));
  SLUICE_TRY_STATUS(Read(root, "evaluations", c.evaluations));
  SLUICE_TRY_STATUS(Read(root, "candidates", c.candidates));
  SLUICE_TRY_STATUS(Read(root, "ruled_out", c.ruled_out));
  SLUICE_TRY_STATUS(ReadMapping(root, c.mapping));
  return file;
}

}  // namespace sluice::io
