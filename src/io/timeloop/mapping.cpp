/// \file
/// `mapping:` of Timeloop v0.3 as a Mapping.
///
/// A list of directives, each for a `target` level (by name, or by number counted from the
/// innermost memory): `temporal` and `spatial` ones with factors and a permutation, `datatype` /
/// `bypass` ones with `keep` and `bypass`. Rules that are Timeloop's:
///  - a permutation runs from the innermost to the outermost loop; dims it leaves out follow in the
///    order of the shape, outside the listed ones; dims without a factor have factor 1;
///  - `X=a,b` is an imperfect factor: a iterations, b in the last one; `X=0` is the whole bound;
///  - the first `split` dims of a spatial permutation lie on the X axis, the rest on Y; without a
///    split all lie on X;
///  - the spatial loops of a level are below its temporal loops;
///  - what is neither kept nor bypassed is kept.
/// `no_reuse` (all data spaces) switches multicast and spatial reduction of the fan-out off.
/// `no_link_transfer` has no effect, because neighbour links are off anyway.

#include "mapping/mapping.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "arch/architecture.h"
#include "base/diagnostic.h"
#include "io/timeloop/keys.h"
#include "io/timeloop/parts.h"
#include "io/yaml/yaml.h"

namespace sluice::io::timeloop {
namespace {

struct Factor {
  std::int64_t bound = 1;
  std::int64_t last = 1;
};

/// The loops of one level in one of space and time.
struct LoopBlock {
  std::vector<Factor> factors;     ///< by index into Problem::dim_names
  std::vector<std::size_t> order;  ///< innermost first, every dim once
  std::size_t split = 0;           ///< spatial only
  std::optional<Cursor> factors_at;
};

struct Blocks {
  std::vector<LoopBlock> temporal;  ///< by level, outermost first
  std::vector<LoopBlock> spatial;
};

class MappingReader {
 public:
  MappingReader(const Problem& problem, arch::Chain& chain) : problem_(problem), chain_(chain) {
    LoopBlock trivial;
    trivial.factors.assign(problem.dim_names.size(), Factor{});
    trivial.split = problem.dim_names.size();
    for (std::size_t d = 0; d < problem.dim_names.size(); ++d) {
      trivial.order.push_back(d);
    }
    blocks_.temporal.assign(chain.levels.size(), trivial);
    blocks_.spatial.assign(chain.levels.size(), trivial);
    keep_.assign(chain.levels.size(), ~0U);
  }

  Result<mapping::Mapping> Read(const Cursor& list) {
    SLUICE_TRY(const std::vector<Cursor> directives, list.Elements());
    for (const Cursor& directive : directives) {
      SLUICE_TRY_STATUS(ReadDirective(directive));
    }
    SLUICE_TRY_STATUS(CheckCoverage(list));
    return Build();
  }

 private:
  Status ReadDirective(const Cursor& at);
  Status ReadLoops(const Cursor& at, bool spatial);
  Status ReadKeep(const Cursor& at);
  [[nodiscard]] Result<std::size_t> ReadTarget(const KeyMap& keys) const;
  Status ReadFactors(const Cursor& at, LoopBlock& block) const;
  Status ReadFactorText(const Cursor& at, LoopBlock& block, std::vector<bool>& seen) const;
  Status SetFactor(const Cursor& at, const std::string& dim, const std::string& value,
                   LoopBlock& block, std::vector<bool>& seen) const;
  Status ReadPermutation(const Cursor& at, LoopBlock& block) const;
  [[nodiscard]] Result<std::uint32_t> ReadDataSpaces(const Cursor& at) const;
  Status ReadReuse(const KeyMap& keys, std::size_t level);
  [[nodiscard]] Status CheckCoverage(const Cursor& at) const;
  [[nodiscard]] Result<mapping::Mapping> Build() const;
  [[nodiscard]] Result<std::size_t> DimIndex(const Cursor& at, const std::string& name) const;

  const Problem& problem_;
  arch::Chain& chain_;
  Blocks blocks_;
  std::vector<std::uint32_t> keep_;
  std::set<std::string> done_;  ///< "level type" of the directives read so far
};

Status MappingReader::ReadDirective(const Cursor& at) {
  if (!at.IsMap()) {
    return Fail(at.Error(ErrorCode::kWrongType, "a directive is a map with `target` and `type`"));
  }
  SLUICE_TRY(const Cursor type_at, at.At("type"));
  SLUICE_TRY(const std::string type, type_at.AsString());
  if (type == "temporal" || type == "spatial") {
    return ReadLoops(at, type == "spatial");
  }
  if (type == "datatype" || type == "bypass") {
    return ReadKeep(at);
  }
  return Fail(UnknownWord(type_at, ErrorCode::kUnknownName, "directive type", type,
                          {"temporal", "spatial", "datatype", "bypass"}));
}

Result<std::size_t> MappingReader::ReadTarget(const KeyMap& keys) const {
  SLUICE_TRY(const Cursor at, keys.At("target"));
  SLUICE_TRY(const std::string name, at.AsString());
  std::vector<std::string> names;
  for (std::size_t l = 0; l < chain_.levels.size(); ++l) {
    if (chain_.levels[l].memory.name == name) {
      return l;
    }
    names.push_back(chain_.levels[l].memory.name);
  }
  const bool number =
      !name.empty() && name.size() < 4 &&
      std::ranges::all_of(name, [](unsigned char c) { return std::isdigit(c) != 0; });
  if (number) {
    const auto index = static_cast<std::size_t>(std::stoi(name));
    if (index < chain_.levels.size()) {
      return chain_.levels.size() - 1 - index;
    }
  }
  return Fail(UnknownWord(at, ErrorCode::kUnknownName, "level", name, names));
}

Result<std::size_t> MappingReader::DimIndex(const Cursor& at, const std::string& name) const {
  const int dim = problem_.FindDim(name);
  if (dim < 0) {
    return Fail(UnknownWord(at, ErrorCode::kUnknownName, "dimension", name, problem_.dim_names));
  }
  return static_cast<std::size_t>(dim);
}

/// `value` is `a` or `a,b`.
Status MappingReader::SetFactor(const Cursor& at, const std::string& dim, const std::string& value,
                                LoopBlock& block, std::vector<bool>& seen) const {
  SLUICE_TRY(const std::size_t d, DimIndex(at, dim));
  if (seen[d]) {
    return Fail(
        at.Error(ErrorCode::kDuplicateKey, fmt::format("dimension `{}` has two factors", dim)));
  }
  seen[d] = true;
  std::int64_t numbers[2] = {0, 0};
  std::size_t count = 0;
  bool digits = false;
  for (const char c : value + ",") {
    if (c == ',') {
      count += 1;
      if (!digits || count > 2) {
        return Fail(at.Error(ErrorCode::kBadValue, fmt::format("`{}={}` is no factor", dim, value),
                             "write X=4, or X=4,2 for 4 iterations and 2 in the last one"));
      }
      digits = false;
    } else if (c >= '0' && c <= '9' && count < 2 && numbers[count] < (1 << 30)) {
      numbers[count] = numbers[count] * 10 + (c - '0');
      digits = true;
    } else {
      return Fail(at.Error(ErrorCode::kBadValue, fmt::format("`{}={}` is no factor", dim, value),
                           "factors are whole numbers below 2^31"));
    }
  }
  Factor& factor = block.factors[d];
  factor.bound = numbers[0] == 0 ? problem_.bounds[d] : numbers[0];
  factor.last = count == 2 ? numbers[1] : factor.bound;
  if (factor.bound > problem_.bounds[d] || factor.last < 1 || factor.last > factor.bound) {
    return Fail(at.Error(
        ErrorCode::kBadValue,
        fmt::format("factor `{}={}` is outside 1 to {}", dim, value,
                    factor.bound > problem_.bounds[d] ? problem_.bounds[d] : factor.bound)));
  }
  return {};
}

/// `R=3 P=16,4`, `R3 P16`, `R = 3`.
Status MappingReader::ReadFactorText(const Cursor& at, LoopBlock& block,
                                     std::vector<bool>& seen) const {
  SLUICE_TRY(std::string text, at.AsString());
  text.erase(std::min(text.find('#'), text.size()));
  std::size_t i = 0;
  const auto skip = [&](auto&& accept) {
    const std::size_t start = i;
    while (i < text.size() && accept(static_cast<unsigned char>(text[i]))) {
      ++i;
    }
    return text.substr(start, i - start);
  };
  const auto space = [](unsigned char c) { return std::isspace(c) != 0; };
  while (true) {
    skip([&](unsigned char c) { return space(c) || c == ';'; });
    if (i >= text.size()) {
      return {};
    }
    const std::string dim = skip([](unsigned char c) { return std::isalpha(c) != 0 || c == '_'; });
    skip(space);
    if (i < text.size() && text[i] == '=') {
      ++i;
    }
    skip(space);
    const std::string value =
        skip([](unsigned char c) { return std::isdigit(c) != 0 || c == ','; });
    if (dim.empty() || value.empty()) {
      return Fail(at.Error(ErrorCode::kBadValue,
                           fmt::format("cannot read the factors `{}` at character {}", text, i + 1),
                           "write them as `R=3 P=16`"));
    }
    SLUICE_TRY_STATUS(SetFactor(at, dim, value, block, seen));
  }
}

/// `16`, and `[16,3]` as `16,3`.
Result<std::string> FactorText(const Cursor& at) {
  if (!at.IsSequence()) {
    return at.AsString();
  }
  std::string text;
  SLUICE_TRY(const std::vector<Cursor> pair, at.Elements());
  for (const Cursor& part : pair) {
    SLUICE_TRY(const std::string number, part.AsString());
    text += (text.empty() ? "" : ",") + number;
  }
  return text;
}

Status MappingReader::ReadFactors(const Cursor& at, LoopBlock& block) const {
  std::vector<bool> seen(problem_.dim_names.size(), false);
  block.factors_at = at;
  if (at.IsMap()) {
    for (const auto& [dim, value_at] : at.Items()) {
      SLUICE_TRY(const std::string text, FactorText(value_at));
      SLUICE_TRY_STATUS(SetFactor(value_at, dim, text, block, seen));
    }
    return {};
  }
  if (at.IsSequence()) {
    SLUICE_TRY(const std::vector<Cursor> items, at.Elements());
    for (const Cursor& item : items) {
      SLUICE_TRY_STATUS(ReadFactorText(item, block, seen));
    }
    return {};
  }
  return ReadFactorText(at, block, seen);
}

Status MappingReader::ReadPermutation(const Cursor& at, LoopBlock& block) const {
  std::vector<std::string> names;
  if (at.IsSequence()) {
    SLUICE_TRY(const std::vector<Cursor> items, at.Elements());
    for (const Cursor& item : items) {
      SLUICE_TRY(std::string name, item.AsString());
      names.push_back(std::move(name));
    }
  } else {
    SLUICE_TRY(const std::string text, at.AsString());
    const bool letters = std::ranges::all_of(
        problem_.dim_names, [](const std::string& name) { return name.size() == 1; });
    std::string word;
    for (const char c : text + " ") {
      const bool separator = std::isspace(static_cast<unsigned char>(c)) != 0 || c == ',';
      if (!separator) {
        word += c;
      }
      if (!word.empty() && (separator || letters)) {
        names.push_back(std::move(word));
        word.clear();
      }
    }
  }
  block.order.clear();
  const auto listed = [&](std::size_t d) {
    return std::ranges::find(block.order, d) != block.order.end();
  };
  for (const std::string& name : names) {
    SLUICE_TRY(const std::size_t d, DimIndex(at, name));
    if (listed(d)) {
      return Fail(at.Error(ErrorCode::kDuplicateKey,
                           fmt::format("dimension `{}` is twice in the permutation", name)));
    }
    block.order.push_back(d);
  }
  for (std::size_t d = 0; d < problem_.dim_names.size(); ++d) {
    if (!listed(d)) {
      block.order.push_back(d);
    }
  }
  return {};
}

Result<std::uint32_t> MappingReader::ReadDataSpaces(const Cursor& at) const {
  std::vector<Cursor> items = {at};
  if (at.IsSequence()) {
    SLUICE_TRY(items, at.Elements());
  }
  std::uint32_t mask = 0;
  const std::vector<std::string>& names = problem_.workload.tensor_names;
  for (const Cursor& item : items) {
    SLUICE_TRY(const std::string name, item.AsString());
    const auto found = std::ranges::find(names, name);
    if (found == names.end()) {
      return Fail(UnknownWord(item, ErrorCode::kUnknownName, "data space", name, names));
    }
    mask |= 1U << static_cast<unsigned>(found - names.begin());
  }
  return mask;
}

Status MappingReader::ReadReuse(const KeyMap& keys, std::size_t level) {
  if (const auto links = keys.Find("no_link_transfer")) {
    SLUICE_TRY(const std::uint32_t checked, ReadDataSpaces(*links));
    static_cast<void>(checked);
  }
  const auto at = keys.Find("no_reuse");
  if (!at) {
    return {};
  }
  SLUICE_TRY(const std::uint32_t mask, ReadDataSpaces(*at));
  const std::uint32_t all = (1U << problem_.workload.tensors.size()) - 1U;
  if (mask != 0 && mask != all) {
    return Fail(at->Error(ErrorCode::kBadValue,
                          "multicast can only be switched off for all data spaces of a fan-out",
                          "list all data spaces or none"));
  }
  if (mask == all) {
    chain_.levels[level].fan_out.network.multicast = false;
    chain_.levels[level].fan_out.network.reduction = false;
  }
  return {};
}

Status MappingReader::ReadLoops(const Cursor& at, bool spatial) {
  std::vector<KeySpellings> allowed = {{"target"}, {"type"}, {"factors"}, {"permutation"}};
  if (spatial) {
    allowed.push_back({"split"});
    allowed.push_back({"no_reuse", "no_multicast_no_reduction"});
    allowed.push_back({"no_link_transfer"});
  }
  SLUICE_TRY(const KeyMap keys, KeyMap::Read(at, allowed));
  SLUICE_TRY(const std::size_t level, ReadTarget(keys));
  const std::string& name = chain_.levels[level].memory.name;
  if (!done_.insert(fmt::format("{} {}", level, spatial ? "spatial" : "temporal")).second) {
    return Fail(at.Error(
        ErrorCode::kDuplicateKey,
        fmt::format("level `{}` has two {} directives", name, spatial ? "spatial" : "temporal")));
  }
  if (spatial && chain_.levels[level].fan_out.instances() == 1) {
    return Fail(at.Error(ErrorCode::kMappingFanOut,
                         fmt::format("there is no fan-out below `{}`", name),
                         "the next inner level has as many instances as this one"));
  }
  LoopBlock& block = (spatial ? blocks_.spatial : blocks_.temporal)[level];
  if (const auto factors = keys.Find("factors")) {
    SLUICE_TRY_STATUS(ReadFactors(*factors, block));
  }
  if (const auto permutation = keys.Find("permutation")) {
    SLUICE_TRY_STATUS(ReadPermutation(*permutation, block));
  }
  if (!spatial) {
    return {};
  }
  if (const auto split = keys.Find("split")) {
    SLUICE_TRY(const std::int64_t count, split->AsInt(0, std::numeric_limits<std::int32_t>::max()));
    block.split = static_cast<std::size_t>(count);
  }
  return ReadReuse(keys, level);
}

Status MappingReader::ReadKeep(const Cursor& at) {
  SLUICE_TRY(const KeyMap keys, KeyMap::Read(at, {{"target"}, {"type"}, {"keep"}, {"bypass"}}));
  SLUICE_TRY(const std::size_t level, ReadTarget(keys));
  std::uint32_t keep = 0;
  std::uint32_t bypass = 0;
  if (const auto list = keys.Find("keep")) {
    SLUICE_TRY(keep, ReadDataSpaces(*list));
  }
  if (const auto list = keys.Find("bypass")) {
    SLUICE_TRY(bypass, ReadDataSpaces(*list));
  }
  const std::string& name = chain_.levels[level].memory.name;
  if (!done_.insert(fmt::format("{} keep", level)).second) {
    return Fail(at.Error(ErrorCode::kDuplicateKey,
                         fmt::format("level `{}` has two bypass directives", name)));
  }
  if ((keep & bypass) != 0) {
    return Fail(at.Error(ErrorCode::kBadValue,
                         fmt::format("a data space is both kept and bypassed at `{}`", name)));
  }
  if (level == 0 && bypass != 0) {
    return Fail(at.Error(ErrorCode::kMappingInvalid,
                         fmt::format("`{}` is the outermost memory and keeps everything", name)));
  }
  keep_[level] = ~bypass;
  return {};
}

/// Every dim is covered exactly: the rule of mapping.h over all loops of the dim, innermost last.
Status MappingReader::CheckCoverage(const Cursor& at) const {
  for (std::size_t d = 0; d < problem_.dim_names.size(); ++d) {
    std::int64_t covered = 0;  // covered points minus 1, built from the outside in
    const auto add = [&](const Factor& factor) {
      // Stays below 2^62: covered < bound <= 2^31 is checked on the way.
      covered = covered * factor.bound + (factor.last - 1);
    };
    bool fits = true;
    for (std::size_t l = 0; l < chain_.levels.size() && fits; ++l) {
      add(blocks_.temporal[l].factors[d]);
      fits = covered < problem_.bounds[d];
      if (fits) {
        add(blocks_.spatial[l].factors[d]);
        fits = covered < problem_.bounds[d];
      }
    }
    if (!fits || covered + 1 != problem_.bounds[d]) {
      return Fail(at.Error(ErrorCode::kMappingCoverage,
                           fmt::format("the factors of dimension `{}` cover {}{} points, its bound "
                                       "is {}",
                                       problem_.dim_names[d], fits ? "" : "at least ", covered + 1,
                                       problem_.bounds[d]),
                           "the factors of all levels must multiply to the bound"));
    }
  }
  return {};
}

Result<mapping::Mapping> MappingReader::Build() const {
  mapping::Mapping result;
  const std::uint32_t all = (1U << problem_.workload.tensors.size()) - 1U;
  for (std::size_t l = 0; l < chain_.levels.size(); ++l) {
    mapping::LevelMapping level;
    level.keep = keep_[l] & all;
    // From outermost to innermost.
    const auto append = [&](const LoopBlock& block, std::size_t position, mapping::LoopList& to) {
      const std::size_t d = block.order[position];
      const Factor& factor = block.factors[d];
      if (factor.bound > 1) {
        to.push_back({problem_.workload_dim[d], static_cast<std::int32_t>(factor.bound),
                      static_cast<std::int32_t>(factor.last)});
      }
    };
    for (std::size_t i = problem_.dim_names.size(); i-- > 0;) {
      append(blocks_.temporal[l], i, level.temporal);
      const LoopBlock& spatial = blocks_.spatial[l];
      append(spatial, i, i < spatial.split ? level.spatial_x : level.spatial_y);
    }
    const auto check = [&](const mapping::LoopList& loops, char axis, std::int64_t size) -> Status {
      std::int64_t used = 1;
      for (const mapping::Loop& loop : loops) {
        used *= loop.bound;  // at most (2^31)^2 before the check below stops it
        if (used > size) {
          const auto& at = blocks_.spatial[l].factors_at;
          const std::string text =
              fmt::format("the spatial factors of `{}` use more than the {} instances on {}",
                          chain_.levels[l].memory.name, size, axis);
          const std::string hint = "move a dim to the other axis with `split`, or to time";
          return at ? Fail(at->Error(ErrorCode::kMappingFanOut, text, hint))
                    : Fail(ErrorCode::kMappingFanOut, text);
        }
      }
      return {};
    };
    SLUICE_TRY_STATUS(check(level.spatial_x, 'X', chain_.levels[l].fan_out.x));
    SLUICE_TRY_STATUS(check(level.spatial_y, 'Y', chain_.levels[l].fan_out.y));
    result.levels.push_back(level);
  }
  return result;
}

}  // namespace

Result<mapping::Mapping> ReadMapping(const Cursor& mapping, const Problem& problem,
                                     arch::Chain& chain) {
  return MappingReader(problem, chain).Read(mapping);
}

}  // namespace sluice::io::timeloop
