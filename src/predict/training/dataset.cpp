// The binary format. Sizes are checked against limits before anything is made of them, so that a
// damaged file costs no more memory than it has bytes.

#include "predict/training/dataset.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/diagnostic.h"
#include "base/file.h"
#include "base/hash.h"
#include "cost/maestro/hardware.h"
#include "mapping/dataflow/code.h"
#include "mapping/dataflow/dataflow.h"
#include "predict/bytes.h"
#include "predict/features.h"

namespace sluice::predict {
namespace {

using mapping::CodeDim;
using mapping::kCodeDims;

constexpr std::string_view kMagic = "SLUICEDS";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kHashDigits = 16;
constexpr std::uint64_t kMaxSize = std::uint64_t{1} << 48U;
constexpr std::uint64_t kMaxRecord = std::uint64_t{1} << 26U;
constexpr std::int64_t kMaxFile = std::int64_t{8} << 30;

std::string Checksum(std::string_view bytes) {
  return ContentHash(bytes).substr(0, kHashDigits);
}

void PutCode(ByteWriter& out, const mapping::DataflowCode& code) {
  out.PutNumber(code.levels.size());
  for (const auto& level : code.levels) {
    std::uint64_t order = mapping::Index(level.parallel);
    for (const CodeDim dim : level.order) {
      order = order * kCodeDims + mapping::Index(dim);
    }
    out.PutNumber(order);
    out.PutNumber(static_cast<std::uint64_t>(level.units));
    for (const std::int64_t tile : level.tile) {
      out.PutNumber(static_cast<std::uint64_t>(tile));
    }
  }
}

std::optional<mapping::DataflowCode> GetCode(ByteReader& in, const mapping::Layer& layer) {
  const auto levels = in.GetNumber(kMaxPredictLevels);
  if (!levels || *levels == 0) {
    return std::nullopt;
  }
  mapping::DataflowCode code;
  for (std::uint64_t l = 0; l < *levels; ++l) {
    mapping::LevelCode level;
    auto order = in.GetNumber(kMaxSize);
    const auto units = in.GetNumber(kMaxSize);
    if (!order || !units) {
      return std::nullopt;
    }
    for (std::size_t i = kCodeDims; i-- > 0;) {
      level.order[i] = static_cast<CodeDim>(*order % kCodeDims);
      *order /= kCodeDims;
    }
    if (*order >= kCodeDims) {
      return std::nullopt;
    }
    level.parallel = static_cast<CodeDim>(*order);
    level.units = static_cast<std::int64_t>(*units);
    for (std::int64_t& tile : level.tile) {
      const auto size = in.GetNumber(kMaxSize);
      if (!size) {
        return std::nullopt;
      }
      tile = static_cast<std::int64_t>(*size);
    }
    code.levels.push_back(level);
  }
  return mapping::ValidateCode(layer, code) ? std::optional(code) : std::nullopt;
}

std::array<std::int64_t*, 8> FieldsOf(cost::maestro::Hardware& hardware) {
  return {&hardware.pes,           &hardware.l1_words,          &hardware.l2_words,
          &hardware.noc_bandwidth, &hardware.offchip_bandwidth, &hardware.noc_hops,
          &hardware.hop_latency,   &hardware.simd_lanes};
}

bool Usable(const cost::maestro::Hardware& hardware) {
  return hardware.pes >= 1 && hardware.noc_bandwidth >= 1 && hardware.offchip_bandwidth >= 1 &&
         hardware.simd_lanes >= 1;
}

bool GetSizes(ByteReader& in, std::span<std::int64_t*> fields) {
  for (std::int64_t* field : fields) {
    const auto number = in.GetNumber(kMaxSize);
    if (!number) {
      return false;
    }
    *field = static_cast<std::int64_t>(*number);
  }
  return true;
}

std::optional<Group> GetGroup(std::string_view record, const DatasetOptions& options) {
  ByteReader in(record);
  Group group;
  const auto type = in.GetNumber(mapping::kLayerTypes - 1);
  if (!type) {
    return std::nullopt;
  }
  group.layer.type = static_cast<mapping::LayerType>(*type);
  std::vector<std::int64_t*> sizes;
  for (std::int64_t& size : group.layer.size) {
    sizes.push_back(&size);
  }
  sizes.push_back(&group.layer.stride_y);
  sizes.push_back(&group.layer.stride_x);
  auto hardware = FieldsOf(group.hardware);
  if (!GetSizes(in, sizes) || !ValidateLayer(group.layer) || !GetSizes(in, hardware) ||
      !Usable(group.hardware)) {
    return std::nullopt;
  }
  const auto count = in.GetNumber(options.codes);
  for (std::uint64_t i = 0; count && i < *count; ++i) {
    Sample sample;
    const auto random = in.GetNumber(1);
    auto code = GetCode(in, group.layer);
    if (!random || !code || code->levels.size() != static_cast<std::size_t>(options.space.levels)) {
      return std::nullopt;
    }
    sample.random = *random == 1;
    sample.code = *code;
    for (float& label : sample.label) {
      const auto value = in.Get<float>();
      if (!value || !std::isfinite(*value)) {
        return std::nullopt;
      }
      label = *value;
    }
    group.samples.push_back(sample);
  }
  return count && in.left() == 0 ? std::optional(std::move(group)) : std::nullopt;
}

Result<DatasetOptions> GetHeader(ByteReader& in, const std::string& name) {
  const auto bad = [&](ErrorCode code, const std::string& message, std::string hint) {
    return Fail(Diagnostic(code, "`" + name + "` " + message)
                    .WithHint(std::move(hint))
                    .At({.file = name, .excerpt = {}}));
  };
  const std::size_t before = in.left();
  ByteReader copy = in;
  const auto magic = in.Take(kMagic.size());
  if (!magic || *magic != kMagic) {
    return bad(ErrorCode::kSyntax, "is no data set", "sluice dataset makes one");
  }
  const auto version = in.Get<std::uint32_t>();
  if (!version || *version != kVersion) {
    return bad(ErrorCode::kVersion, "is a data set of another version",
               fmt::format("this program reads version {}; make it again", kVersion));
  }
  DatasetOptions options;
  const auto seed = in.Get<std::uint64_t>();
  const auto groups = in.Get<std::uint32_t>();
  const auto codes = in.Get<std::uint32_t>();
  const auto levels = in.Get<std::uint8_t>();
  const auto flags = in.Get<std::uint8_t>();
  cost::maestro::Hardware machine;
  const bool one_machine = flags && (*flags & 8U) != 0;
  auto fields = FieldsOf(machine);
  const bool whole = !one_machine || GetSizes(in, fields);
  const std::size_t used = before - in.left();
  const auto hash = in.Take(kHashDigits);
  if (!seed || !groups || !codes || !levels || !flags || !whole || !hash ||
      Checksum(copy.Take(used).value_or("")) != *hash) {
    return bad(ErrorCode::kSyntax, "has a damaged header", "make it again");
  }
  options.seed = *seed;
  options.groups = *groups;
  options.codes = *codes;
  options.space.levels = *levels;
  options.space.divisor_tiles = (*flags & 1U) != 0;
  options.space.whole_windows = (*flags & 2U) != 0;
  options.compatible = (*flags & 4U) != 0;
  if (one_machine) {
    options.machine = machine;
  }
  SLUICE_TRY_STATUS(ValidateDatasetOptions(options));
  return options;
}

}  // namespace

Status ValidateDatasetOptions(const DatasetOptions& options) {
  if (options.machine && !Usable(*options.machine)) {
    return Fail(Diagnostic(ErrorCode::kBadValue, "a machine without PEs, lanes or bandwidth"));
  }
  if (options.groups < 1 || options.groups > kMaxGroups || options.codes < 1 ||
      options.codes > kMaxCodes || options.space.levels < 1 ||
      options.space.levels > kMaxPredictLevels) {
    return Fail(Diagnostic(ErrorCode::kBadValue, "a data set of impossible size")
                    .WithHint(fmt::format("1 to {} layers, 1 to {} codes each, 1 to {} levels",
                                          kMaxGroups, kMaxCodes, kMaxPredictLevels)));
  }
  return {};
}

Split SplitOf(std::size_t group) {
  constexpr std::size_t kParts = 20;
  const std::size_t part = group % kParts;
  return part == kParts - 1   ? Split::kTest
         : part == kParts - 2 ? Split::kValidation
                              : Split::kTrain;
}

std::size_t Dataset::samples() const {
  std::size_t count = 0;
  for (const Group& group : groups) {
    count += group.samples.size();
  }
  return count;
}

std::string DatasetHeader(const DatasetOptions& options) {
  ByteWriter out;
  out.bytes() = kMagic;
  out.Put(kVersion);
  out.Put(options.seed);
  out.Put(options.groups);
  out.Put(options.codes);
  out.Put(static_cast<std::uint8_t>(options.space.levels));
  out.Put(static_cast<std::uint8_t>((options.space.divisor_tiles ? 1 : 0) |
                                    (options.space.whole_windows ? 2 : 0) |
                                    (options.compatible ? 4 : 0) | (options.machine ? 8 : 0)));
  if (options.machine) {
    cost::maestro::Hardware machine = *options.machine;
    for (const std::int64_t* field : FieldsOf(machine)) {
      out.PutNumber(static_cast<std::uint64_t>(*field));
    }
  }
  out.bytes() += Checksum(out.bytes());
  return std::move(out.bytes());
}

std::string GroupRecord(const Group& group) {
  ByteWriter out;
  out.PutNumber(static_cast<std::uint64_t>(group.layer.type));
  for (const std::int64_t size : group.layer.size) {
    out.PutNumber(static_cast<std::uint64_t>(size));
  }
  out.PutNumber(static_cast<std::uint64_t>(group.layer.stride_y));
  out.PutNumber(static_cast<std::uint64_t>(group.layer.stride_x));
  cost::maestro::Hardware hardware = group.hardware;
  for (const std::int64_t* field : FieldsOf(hardware)) {
    out.PutNumber(static_cast<std::uint64_t>(*field));
  }
  out.PutNumber(group.samples.size());
  for (const Sample& sample : group.samples) {
    out.PutNumber(sample.random ? 1 : 0);
    PutCode(out, sample.code);
    for (const float label : sample.label) {
      out.Put(label);
    }
  }
  ByteWriter record;
  record.PutNumber(out.bytes().size());
  record.bytes() += out.bytes();
  record.bytes() += Checksum(out.bytes());
  return std::move(record.bytes());
}

Result<ParsedDataset> ParseDataset(std::string_view bytes, const std::string& name) {
  ByteReader in(bytes);
  ParsedDataset parsed;
  SLUICE_TRY(parsed.dataset.options, GetHeader(in, name));
  parsed.good_bytes = bytes.size() - in.left();
  while (in.left() > 0 && parsed.dataset.groups.size() < parsed.dataset.options.groups) {
    const auto size = in.GetNumber(kMaxRecord);
    const auto record = size ? in.Take(*size) : std::nullopt;
    const auto hash = record ? in.Take(kHashDigits) : std::nullopt;
    if (!hash || Checksum(*record) != *hash) {
      return parsed;
    }
    auto group = GetGroup(*record, parsed.dataset.options);
    if (!group) {
      return parsed;
    }
    parsed.dataset.groups.push_back(std::move(*group));
    parsed.good_bytes = bytes.size() - in.left();
  }
  parsed.complete = in.left() == 0 && parsed.dataset.groups.size() == parsed.dataset.options.groups;
  return parsed;
}

Result<Dataset> ReadDataset(const std::string& path) {
  SLUICE_TRY(const std::string bytes, ReadFile(path, kMaxFile));
  SLUICE_TRY(ParsedDataset parsed, ParseDataset(bytes, path));
  if (!parsed.complete) {
    const std::size_t found = parsed.dataset.groups.size();
    const std::size_t of = parsed.dataset.options.groups;
    return Fail(Diagnostic(ErrorCode::kSyntax,
                           found == of ? fmt::format("`{}` goes on after its last layer", path)
                                       : fmt::format("`{}` holds {} of {} layers that are whole",
                                                     path, found, of))
                    .WithHint("sluice dataset with the same options makes it whole again")
                    .At({.file = path, .excerpt = {}}));
  }
  return std::move(parsed.dataset);
}

}  // namespace sluice::predict
