/// \file
/// Reader of mappings. Structure and names are checked while reading; then mapping::CheckMapping
/// judges the whole, and what it finds is shown at the loop, list or level that it talks about.

#include "io/yaml/mapping.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "arch/architecture.h"
#include "base/diagnostic.h"
#include "io/yaml/words.h"
#include "io/yaml/yaml.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"

namespace sluice::io {
namespace {

using mapping::Loop;
using mapping::LoopList;
using mapping::Violation;

constexpr std::int64_t kMaxFactor = std::numeric_limits<std::int32_t>::max();

class Reader {
 public:
  Reader(const mapping::Workload& workload, const arch::Chain& chain)
      : workload_(workload), chain_(chain) {}

  Result<mapping::Mapping> Read(const Cursor& root) {
    SLUICE_TRY_STATUS(root.AllowKeys({"version", "levels"}));
    SLUICE_TRY(const Cursor version_at, root.At("version"));
    SLUICE_TRY(const std::int64_t version, version_at.AsInt());
    if (version != kMappingFormatVersion) {
      return Fail(version_at.Error(
          ErrorCode::kVersion, fmt::format("version {} of the mapping format is unknown", version),
          fmt::format("this program reads version {}", kMappingFormatVersion)));
    }
    SLUICE_TRY(const Cursor levels_at, root.At("levels"));
    SLUICE_TRY(const std::vector<Cursor> levels, levels_at.Elements());
    for (const Cursor& level : levels) {
      SLUICE_TRY_STATUS(ReadLevel(level));
    }
    if (mapping_.levels.size() < chain_.levels.size()) {
      return Fail(levels_at.Error(
          ErrorCode::kMissingKey,
          fmt::format("level {} is missing", chain_.levels[mapping_.levels.size()].memory.name),
          fmt::format("every memory has an entry, outermost first: {}",
                      fmt::join(chain_.memory_names(), ", "))));
    }
    for (const Violation& violation : CheckMapping(workload_, chain_, mapping_)) {
      if (violation.code != ErrorCode::kMappingCapacity) {
        return Fail(Locate(violation, levels_at, levels));
      }
    }
    return mapping_;
  }

 private:
  Status ReadLevel(const Cursor& at) {
    SLUICE_TRY_STATUS(at.AllowKeys({"memory", "keep", "temporal", "spatial_x", "spatial_y"}));
    SLUICE_TRY(const Cursor name_at, at.At("memory"));
    SLUICE_TRY(const std::string name, name_at.AsString());
    const std::vector<std::string> names = chain_.memory_names();
    const std::size_t l = mapping_.levels.size();
    if (l == names.size()) {
      return Fail(at.Error(ErrorCode::kBadValue,
                           fmt::format("the machine has only {} levels", names.size()),
                           fmt::format("outermost first: {}", fmt::join(names, ", "))));
    }
    if (name != names[l]) {
      const bool known = std::ranges::find(names, name) != names.end();
      return Fail(known ? name_at.Error(ErrorCode::kBadValue,
                                        fmt::format("level {} is out of order", name),
                                        fmt::format("outermost first: {}", fmt::join(names, ", ")))
                        : name_at.Error(ErrorCode::kUnknownName,
                                        fmt::format("the machine has no memory `{}`", name),
                                        DidYouMean(name, names)));
    }
    mapping::LevelMapping level;
    SLUICE_TRY(level.keep, ReadKeep(at, l));
    SLUICE_TRY_STATUS(ReadLoops(at, "temporal", level.temporal));
    SLUICE_TRY_STATUS(ReadLoops(at, "spatial_x", level.spatial_x));
    SLUICE_TRY_STATUS(ReadLoops(at, "spatial_y", level.spatial_y));
    mapping_.levels.push_back(level);
    return {};
  }

  /// Without the key, a level keeps every tensor that it may hold.
  Result<std::uint32_t> ReadKeep(const Cursor& at, std::size_t l) {
    std::uint32_t keep = 0;
    const auto list = at.Find("keep");
    if (!list) {
      for (std::size_t t = 0; t < workload_.tensors.size(); ++t) {
        const auto c = static_cast<std::size_t>(workload_.tensors[t].tensor_class);
        const bool never = l > 0 && chain_.levels[l].memory.keep[c] == arch::Keep::kNever;
        keep |= never ? 0U : 1U << t;
      }
      return keep;
    }
    SLUICE_TRY(const std::vector<Cursor> names, list->Elements());
    for (const Cursor& name_at : names) {
      SLUICE_TRY(const std::string name, name_at.AsString());
      const auto it = std::ranges::find(workload_.tensor_names, name);
      if (it == workload_.tensor_names.end()) {
        return Fail(name_at.Error(ErrorCode::kUnknownName,
                                  fmt::format("the operator has no tensor `{}`", name),
                                  DidYouMean(name, workload_.tensor_names)));
      }
      const std::uint32_t bit = 1U << static_cast<unsigned>(it - workload_.tensor_names.begin());
      if ((keep & bit) != 0U) {
        return Fail(name_at.Error(ErrorCode::kDuplicateKey,
                                  fmt::format("tensor {} is listed twice", name)));
      }
      keep |= bit;
    }
    return keep;
  }

  Status ReadLoops(const Cursor& level, std::string_view key, LoopList& loops) {
    const auto at = level.Find(key);
    if (!at || at->IsNull()) {
      return {};
    }
    if (at->IsScalar()) {
      SLUICE_TRY(const std::string text, at->AsString());
      for (const Word& part : SplitWords(*at, text)) {
        SLUICE_TRY_STATUS(ReadCompact(part, loops));
      }
      return {};
    }
    if (!at->IsSequence()) {
      return Fail(at->Error(ErrorCode::kWrongType, "loops are text or a list",
                            "for example \"K=4 C=2\" or [{dim: K, factor: 4}]"));
    }
    SLUICE_TRY(const std::vector<Cursor> entries, at->Elements());
    for (const Cursor& entry : entries) {
      SLUICE_TRY_STATUS(ReadEntry(entry, loops));
    }
    return {};
  }

  /// `{dim: K, factor: 4, last: 3}`
  Status ReadEntry(const Cursor& entry, LoopList& loops) {
    SLUICE_TRY_STATUS(entry.AllowKeys({"dim", "factor", "last"}));
    SLUICE_TRY(const Cursor dim_at, entry.At("dim"));
    SLUICE_TRY(const std::string dim, dim_at.AsString());
    const int index = FindDim(dim);
    if (index < 0) {
      return Fail(dim_at.Error(ErrorCode::kUnknownName, UnknownDim(dim),
                               DidYouMean(dim, workload_.dim_names)));
    }
    if (Contains(loops, index)) {
      return Fail(dim_at.Error(ErrorCode::kDuplicateKey, SecondLoop(dim)));
    }
    SLUICE_TRY(const Cursor factor_at, entry.At("factor"));
    SLUICE_TRY(const std::int64_t factor, factor_at.AsInt(1, kMaxFactor));
    Loop loop = mapping::PerfectLoop(index, factor);
    if (const auto last_at = entry.Find("last")) {
      SLUICE_TRY(const std::int64_t last, last_at->AsInt(1, factor));
      loop.last = static_cast<std::int32_t>(last);
    }
    loops.push_back(loop);
    return {};
  }

  /// `K=4` or `P=7,3`
  Status ReadCompact(const Word& part, LoopList& loops) {
    const std::size_t equals = part.text.find('=');
    if (equals == std::string::npos) {
      return Fail(part.Error(ErrorCode::kSyntax,
                             fmt::format("`{}` is not of the form DIM=FACTOR", part.text),
                             "for example `K=4`, or `P=7,3` when the last round has 3"));
    }
    const Word dim{part.scalar, part.offset, part.text.substr(0, equals)};
    const int index = FindDim(dim.text);
    if (index < 0) {
      return Fail(dim.Error(ErrorCode::kUnknownName, UnknownDim(dim.text),
                            DidYouMean(dim.text, workload_.dim_names)));
    }
    if (Contains(loops, index)) {
      return Fail(dim.Error(ErrorCode::kDuplicateKey, SecondLoop(dim.text)));
    }
    const std::size_t comma = std::min(part.text.find(',', equals), part.text.size());
    const Word factor{part.scalar, part.offset + equals + 1,
                      part.text.substr(equals + 1, comma - equals - 1)};
    SLUICE_TRY(const std::int64_t bound, ReadNumber(factor, kMaxFactor));
    Loop loop = mapping::PerfectLoop(index, bound);
    if (comma < part.text.size()) {
      const Word last{part.scalar, part.offset + comma + 1, part.text.substr(comma + 1)};
      SLUICE_TRY(const std::int64_t number, ReadNumber(last, bound));
      loop.last = static_cast<std::int32_t>(number);
    }
    loops.push_back(loop);
    return {};
  }

  static Result<std::int64_t> ReadNumber(const Word& part, std::int64_t largest) {
    std::int64_t number = 0;
    const char* end = part.text.data() + part.text.size();
    const auto [stop, error] = std::from_chars(part.text.data(), end, number);
    if (error != std::errc() || stop != end || number < 1 || number > largest) {
      return Fail(part.Error(ErrorCode::kBadValue,
                             fmt::format("`{}` is not a number of iterations", part.text),
                             fmt::format("a whole number from 1 to {}", largest)));
    }
    return number;
  }

  [[nodiscard]] int FindDim(const std::string& name) const {
    const auto it = std::ranges::find(workload_.dim_names, name);
    return it == workload_.dim_names.end() ? -1
                                           : static_cast<int>(it - workload_.dim_names.begin());
  }
  static std::string UnknownDim(const std::string& name) {
    return fmt::format("the operator has no dim `{}` with more than one point", name);
  }
  static std::string SecondLoop(const std::string& name) {
    return fmt::format("a second loop over {} in one list", name);
  }
  static bool Contains(const LoopList& loops, int dim) {
    return std::ranges::any_of(loops, [&](const Loop& l) { return l.dim == dim; });
  }

  /// The violation as a diagnostic at the part of the document that it is about.
  Diagnostic Locate(const Violation& violation, const Cursor& levels_at,
                    const std::vector<Cursor>& levels) const {
    if (violation.code == ErrorCode::kMappingCoverage) {
      return LocateCoverage(violation, levels_at, levels);
    }
    if (violation.level < 0) {
      return levels_at.Error(violation.code, violation.message);
    }
    const Cursor& level = levels[static_cast<std::size_t>(violation.level)];
    if (violation.tensor >= 0) {
      const auto keep = level.Find("keep");
      return (keep ? *keep : level).Error(violation.code, violation.message);
    }
    const auto list = violation.axis < 0
                          ? std::nullopt
                          : level.Find(violation.axis == 0 ? "spatial_x" : "spatial_y");
    return (list ? *list : level).Error(violation.code, violation.message);
  }

  /// At the outermost list with a loop over the dim; without one, at the list of levels.
  Diagnostic LocateCoverage(const Violation& violation, const Cursor& levels_at,
                            const std::vector<Cursor>& levels) const {
    constexpr std::string_view kHint = "the factors of a dim multiply to its bound";
    for (std::size_t l = 0; l < levels.size(); ++l) {
      const mapping::LevelMapping& level = mapping_.levels[l];
      const std::pair<const char*, const LoopList*> lists[] = {{"temporal", &level.temporal},
                                                               {"spatial_x", &level.spatial_x},
                                                               {"spatial_y", &level.spatial_y}};
      for (const auto& [key, loops] : lists) {
        const auto list = Contains(*loops, violation.dim) ? levels[l].Find(key) : std::nullopt;
        if (list) {
          return list->Error(violation.code, violation.message, std::string(kHint));
        }
      }
    }
    return levels_at.Error(violation.code, violation.message, std::string(kHint));
  }

  const mapping::Workload& workload_;
  const arch::Chain& chain_;
  mapping::Mapping mapping_;
};

}  // namespace

Result<mapping::Mapping> ReadMapping(const Cursor& at, const mapping::Workload& workload,
                                     const arch::Chain& chain) {
  return Reader(workload, chain).Read(at);
}

Result<mapping::Mapping> LoadMapping(const std::string& path, const mapping::Workload& workload,
                                     const arch::Chain& chain) {
  SLUICE_TRY(const YamlDocument document, YamlDocument::Load(path));
  return ReadMapping(document.root(), workload, chain);
}

}  // namespace sluice::io
