/// \file
/// Tiles of a mapping and the check that says why a mapping is not valid.
///
/// CheckMapping is written for its messages, FitsQuickly (validity.cpp) for speed; they share only
/// the facts about the chain and are tested to agree. Tested by tests/unit/mapping_test.cpp,
/// tests/property/mapping_roundtrip_test.cpp.

#include "mapping/mapping.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "arch/architecture.h"
#include "base/checked.h"
#include "base/diagnostic.h"
#include "mapping/validity.h"
#include "mapping/workload.h"

namespace sluice::mapping {
namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

std::int64_t SaturatingMul(std::int64_t a, std::int64_t b) {
  return CheckedMul(a, b).value_or(kMax);
}

/// The three loop lists of a level from the innermost to the outermost.
std::array<const LoopList*, 3> ListsInwardsOut(const LevelMapping& level) {
  return {&level.spatial_y, &level.spatial_x, &level.temporal};
}

/// Points of `dim` in one tile of `level`: the product of the loops at and inside it, or the whole
/// dim.
std::int64_t TilePoints(const Workload& workload, const Mapping& mapping, std::size_t level,
                        int dim) {
  std::int64_t product = 1;
  for (std::size_t l = level; l < mapping.levels.size(); ++l) {
    for (const LoopList* list : ListsInwardsOut(mapping.levels[l])) {
      for (const Loop& loop : *list) {
        product = loop.dim == dim ? SaturatingMul(product, loop.bound) : product;
      }
    }
  }
  return std::min(product, workload.bounds[static_cast<std::size_t>(dim)]);
}

class Checker {
 public:
  Checker(const Workload& workload, const arch::Chain& chain, const Mapping& mapping)
      : workload_(workload), chain_(chain), mapping_(mapping) {}

  std::vector<Violation> Run() {
    if (mapping_.levels.size() != chain_.levels.size()) {
      Report({ErrorCode::kMappingInvalid, -1, -1, -1, 0, 0,
              fmt::format("the mapping has {} levels, the machine has {}", mapping_.levels.size(),
                          chain_.levels.size())});
      return std::move(violations_);
    }
    for (std::size_t l = 0; l < mapping_.levels.size(); ++l) {
      CheckLists(l);
    }
    if (!violations_.empty()) {
      return std::move(violations_);  // the rest needs sound loops
    }
    CheckCoverage();
    for (std::size_t l = 0; l < mapping_.levels.size(); ++l) {
      CheckFanOut(l, 0);
      CheckFanOut(l, 1);
      CheckKeep(l);
      CheckCapacity(l);
    }
    return std::move(violations_);
  }

 private:
  void Report(Violation violation, int axis = -1) {
    violation.axis = axis;
    violations_.push_back(std::move(violation));
  }
  [[nodiscard]] const std::string& LevelName(std::size_t l) const {
    return chain_.levels[l].memory.name;
  }
  [[nodiscard]] const std::string& DimName(int dim) const {
    return workload_.dim_names[static_cast<std::size_t>(dim)];
  }

  void CheckLists(std::size_t l) {
    const LevelMapping& level = mapping_.levels[l];
    CheckList(l, level.temporal, "temporal");
    CheckList(l, level.spatial_x, "spatial X");
    CheckList(l, level.spatial_y, "spatial Y");
  }

  void CheckList(std::size_t l, const LoopList& loops, std::string_view kind) {
    const int at = static_cast<int>(l);
    std::uint32_t seen = 0;
    for (const Loop& loop : loops) {
      if (loop.dim < 0 || loop.dim >= workload_.dims()) {
        Report({ErrorCode::kMappingInvalid, at, -1, -1, 0, 0,
                fmt::format("level {}: a {} loop is over dim number {}, the operator has {} dims",
                            LevelName(l), kind, loop.dim, workload_.dims())});
        continue;
      }
      if (loop.last < 1 || loop.last > loop.bound) {
        Report({ErrorCode::kMappingInvalid, at, -1, loop.dim, 0, 0,
                fmt::format("level {}: the {} loop over {} has {} iterations and {} in the last "
                            "round; both must be at least 1 and the last at most the first",
                            LevelName(l), kind, DimName(loop.dim), loop.bound, loop.last)});
      }
      const std::uint32_t bit = 1U << static_cast<unsigned>(loop.dim);
      if ((seen & bit) != 0U) {
        Report(
            {ErrorCode::kMappingInvalid, at, -1, loop.dim, 0, 0,
             fmt::format("level {}: two {} loops over {}", LevelName(l), kind, DimName(loop.dim))});
      }
      seen |= bit;
    }
  }

  /// 1 + sum (last_i - 1) * stride_i over all loops of the dim, saturated.
  [[nodiscard]] std::int64_t Covered(int dim) const {
    std::int64_t stride = 1;
    std::int64_t covered = 1;
    for (std::size_t l = mapping_.levels.size(); l-- > 0;) {
      for (const LoopList* list : ListsInwardsOut(mapping_.levels[l])) {
        for (std::size_t i = list->size(); i-- > 0;) {
          const Loop& loop = (*list)[i];
          if (loop.dim == dim) {
            covered = CheckedAdd(covered, SaturatingMul(loop.last - 1, stride)).value_or(kMax);
            stride = SaturatingMul(stride, loop.bound);
          }
        }
      }
    }
    return covered;
  }

  void CheckCoverage() {
    for (int d = 0; d < workload_.dims(); ++d) {
      const std::int64_t covered = Covered(d);
      const std::int64_t bound = workload_.bounds[static_cast<std::size_t>(d)];
      if (covered == bound) {
        continue;
      }
      std::string message =
          fmt::format("dim {}: the loops cover {} of {} points", DimName(d), covered, bound);
      if (covered < bound) {
        message += bound % covered == 0
                       ? fmt::format("; a factor of {} is missing", bound / covered)
                       : fmt::format("; {} are missing", bound - covered);
      } else {
        message += fmt::format(", {} too many", covered - bound);
      }
      Report({ErrorCode::kMappingCoverage, -1, -1, d, 0, 0, std::move(message)});
    }
  }

  void CheckFanOut(std::size_t l, int axis) {
    const arch::FanOut& fan_out = chain_.levels[l].fan_out;
    const LevelMapping& level = mapping_.levels[l];
    const LoopList& loops = axis == 0 ? level.spatial_x : level.spatial_y;
    const std::int64_t size = axis == 0 ? fan_out.x : fan_out.y;
    const char axis_name = axis == 0 ? 'X' : 'Y';
    const std::string name = fan_out.name.empty() ? std::string() : " " + fan_out.name;
    const std::uint32_t allowed = MayUnroll(workload_, chain_, l, axis);
    const int at = static_cast<int>(l);
    std::int64_t product = 1;
    std::string factors;
    for (const Loop& loop : loops) {
      product = SaturatingMul(product, loop.bound);
      factors +=
          fmt::format("{}{}={}", factors.empty() ? "" : " x ", DimName(loop.dim), loop.bound);
      const auto bit = static_cast<unsigned>(loop.dim);
      if (loop.bound == 1 || (allowed >> bit & 1U) != 0U) {
        continue;
      }
      const std::string reason =
          (workload_.whole >> bit & 1U) != 0U
              ? std::string("it must stay whole")
              : fmt::format("only {} may",
                            fmt::join(axis == 0 ? fan_out.dims_x : fan_out.dims_y, ", "));
      Report({ErrorCode::kMappingFanOut, at, -1, loop.dim, 0, 0,
              fmt::format("level {}: dim {} may not be unrolled on {} of the fan-out{}; {}",
                          LevelName(l), DimName(loop.dim), axis_name, name, reason)},
             axis);
    }
    if (product > size) {
      Report({ErrorCode::kMappingFanOut, at, -1, -1, 0, 0,
              fmt::format("level {}: {} needs {} instances on {} of the fan-out{}, there are {}",
                          LevelName(l), factors, product, axis_name, name, size)},
             axis);
    }
  }

  void CheckKeep(std::size_t l) {
    const std::uint32_t must = MustKeep(workload_, chain_, l);
    const std::uint32_t may = MayKeep(workload_, chain_, l);
    for (std::size_t t = 0; t < workload_.tensors.size(); ++t) {
      const std::uint32_t bit = 1U << t;
      const bool kept = (mapping_.levels[l].keep & bit) != 0U;
      const int at = static_cast<int>(l);
      const int tensor = static_cast<int>(t);
      if ((must & bit) != 0U && !kept) {
        Report({ErrorCode::kMappingInvalid, at, tensor, -1, 0, 0,
                fmt::format("level {}: tensor {} must be kept here{}", LevelName(l),
                            workload_.tensor_names[t],
                            l == 0 ? ", the outermost level keeps everything" : "")});
      } else if ((may & bit) == 0U && kept) {
        Report({ErrorCode::kMappingInvalid, at, tensor, -1, 0, 0,
                fmt::format("level {}: tensor {} may not be kept here", LevelName(l),
                            workload_.tensor_names[t])});
      }
    }
  }

  void CheckCapacity(std::size_t l) {
    const std::int64_t available = UsableWords(chain_.levels[l].memory);
    std::int64_t needed = 0;
    std::int64_t largest = 0;
    int largest_tensor = -1;
    std::string parts;
    for (std::size_t t = 0; t < workload_.tensors.size(); ++t) {
      if ((mapping_.levels[l].keep >> t & 1U) == 0U) {
        continue;
      }
      const std::int64_t words = TileWords(workload_, mapping_, l, t);
      needed += words;  // six tensors of at most 2^60 words (MakeWorkload)
      parts += fmt::format("{}{} {}", parts.empty() ? "" : " + ", workload_.tensor_names[t], words);
      if (words > largest) {
        largest = words;
        largest_tensor = static_cast<int>(t);
      }
    }
    if (needed <= available) {
      return;
    }
    const arch::Memory& memory = chain_.levels[l].memory;
    const double bytes_short = static_cast<double>(needed - available) * memory.word_bits / 8.0;
    Report(
        {ErrorCode::kMappingCapacity, static_cast<int>(l), largest_tensor, -1, needed, available,
         fmt::format("level {}: the tiles need {} words ({}), {} are usable{}: {:.0f} bytes short",
                     LevelName(l), needed, parts, available,
                     memory.buffering == 1.0
                         ? std::string()
                         : fmt::format(" ({} buffered {} times)", memory.capacity_words.value_or(0),
                                       memory.buffering),
                     std::ceil(bytes_short))});
  }

  const Workload& workload_;
  const arch::Chain& chain_;
  const Mapping& mapping_;
  std::vector<Violation> violations_;
};

}  // namespace

Mapping TrivialMapping(const Workload& workload, std::size_t levels) {
  Mapping mapping;
  mapping.levels.resize(levels);
  for (LevelMapping& level : mapping.levels) {
    level.keep = (1U << workload.tensors.size()) - 1U;
  }
  for (int d = 0; d < workload.dims(); ++d) {
    mapping.levels[0].temporal.push_back(
        PerfectLoop(d, workload.bounds[static_cast<std::size_t>(d)]));
  }
  return mapping;
}

Mapping TrivialMapping(const Workload& workload, const arch::Chain& chain) {
  Mapping mapping = TrivialMapping(workload, chain.levels.size());
  for (std::size_t l = 0; l < mapping.levels.size(); ++l) {
    mapping.levels[l].keep = MustKeep(workload, chain, l);
  }
  return mapping;
}

std::int64_t TileWords(const Workload& workload, const Mapping& mapping, std::size_t level,
                       std::size_t tensor) {
  std::int64_t words = 1;
  for (const WorkloadAxis& axis : workload.tensors[tensor].axes) {
    std::int64_t extent = 1;
    for (const WorkloadTerm& term : axis) {
      extent += term.coefficient * (TilePoints(workload, mapping, level, term.dim) - 1);
    }
    words *= extent;
  }
  return words;
}

std::vector<Violation> CheckMapping(const Workload& workload, const arch::Chain& chain,
                                    const Mapping& mapping) {
  return Checker(workload, chain, mapping).Run();
}

}  // namespace sluice::mapping
