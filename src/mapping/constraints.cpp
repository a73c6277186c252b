/// \file
/// Whether a mapping satisfies constraints, quickly and with reasons.
///
/// Satisfies is written for speed, CheckConstraints for its messages; they share the walk over the
/// loop lists and are tested to agree. Tested by tests/unit/constraints_test.cpp,
/// tests/property/constraints_test.cpp.

#include "mapping/constraints.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "arch/architecture.h"
#include "base/diagnostic.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"

namespace sluice::mapping {
namespace {

using Factors = std::array<std::int64_t, kMaxDims>;

std::array<const LoopList*, kLoopKinds> Lists(const LevelMapping& level) {
  return {&level.temporal, &level.spatial_x, &level.spatial_y};
}

Factors FactorsOf(const LoopList& loops) {
  Factors factors;
  factors.fill(1);
  for (const Loop& loop : loops) {
    factors[static_cast<std::size_t>(loop.dim)] = loop.bound;
  }
  return factors;
}

/// The place of the first loop that is not where `wanted` says, or -1. `loops` may hold loops of
/// one iteration, which are nowhere.
template <class Loops>
int FirstMisplaced(const Constraints::DimList& wanted, const Factors& factors, const Loops& loops) {
  auto at = loops.begin();
  for (const std::uint8_t dim : wanted) {
    if (factors[dim] == 1) {
      continue;
    }
    while (at != loops.end() && at->bound == 1) {
      ++at;
    }
    if (at == loops.end() || at->dim != static_cast<int>(dim)) {
      return static_cast<int>(dim);
    }
    ++at;
  }
  return -1;
}

struct Reversed {
  const LoopList& loops;
  struct Iterator {
    const Loop* next;  ///< one past the loop this stands for
    const Loop* operator->() const { return next - 1; }
    Iterator& operator++() {
      --next;
      return *this;
    }
    bool operator==(const Iterator&) const = default;
  };
  [[nodiscard]] Iterator begin() const { return {loops.end()}; }
  [[nodiscard]] Iterator end() const { return {loops.begin()}; }
};

/// Misplaced dims, -1 when there are none.
struct OrderVerdict {
  int innermost = -1;
  int outermost = -1;
  [[nodiscard]] bool good() const { return innermost < 0 && outermost < 0; }
};

OrderVerdict CheckOrder(const Constraints::Level& rules, const LoopList& temporal,
                        const Factors& factors) {
  return {FirstMisplaced(rules.innermost, factors, Reversed{temporal}),
          FirstMisplaced(rules.outermost, factors, temporal)};
}

std::string Wanted(std::int64_t min, std::int64_t max) {
  if (min == max) {
    return fmt::format("exactly {}", min);
  }
  if (max == Constraints::kUnlimited) {
    return fmt::format("at least {}", min);
  }
  return min == 1 ? fmt::format("at most {}", max) : fmt::format("{} to {}", min, max);
}

class Explainer {
 public:
  Explainer(const Constraints& constraints, const Workload& workload, const arch::Chain& chain,
            const Mapping& mapping)
      : constraints_(constraints), workload_(workload), chain_(chain), mapping_(mapping) {}

  std::vector<Violation> Run() {
    if (mapping_.levels.size() != constraints_.levels.size()) {
      Report(-1, -1, -1,
             fmt::format("the mapping has {} levels, the constraints are for {}",
                         mapping_.levels.size(), constraints_.levels.size()));
      return std::move(violations_);
    }
    for (std::size_t l = 0; l < mapping_.levels.size(); ++l) {
      const std::array<const LoopList*, kLoopKinds> lists = Lists(mapping_.levels[l]);
      for (std::size_t k = 0; k < kLoopKinds; ++k) {
        CheckFactors(l, static_cast<LoopKind>(k), *lists[k]);
      }
      CheckLoopOrder(l);
      CheckKeeps(l);
    }
    return std::move(violations_);
  }

 private:
  void Report(int level, int tensor, int dim, std::string message, int axis = -1) {
    Violation violation;
    violation.code = ErrorCode::kConstraints;
    violation.level = level;
    violation.tensor = tensor;
    violation.dim = dim;
    violation.message = std::move(message);
    violation.axis = axis;
    violations_.push_back(std::move(violation));
  }
  [[nodiscard]] const std::string& LevelName(std::size_t l) const {
    return chain_.levels[l].memory.name;
  }
  [[nodiscard]] std::string Names(const Constraints::DimList& dims) const {
    std::string text;
    for (const std::uint8_t d : dims) {
      text += (text.empty() ? "" : ", ") + workload_.dim_names[d];
    }
    return text;
  }

  void CheckFactors(std::size_t l, LoopKind kind, const LoopList& loops) {
    const Constraints::Loops& rules = constraints_.levels[l].of(kind);
    const Factors factors = FactorsOf(loops);
    for (std::size_t d = 0; d < workload_.bounds.size(); ++d) {
      if (!rules.Allows(d, factors[d])) {
        Report(static_cast<int>(l), -1, static_cast<int>(d),
               fmt::format("level {}: the {} factor of {} is {}, wanted {}", LevelName(l),
                           LoopKindName(kind), workload_.dim_names[d], factors[d],
                           Wanted(rules.min[d], rules.max[d])),
               static_cast<int>(kind) - 1);
      }
    }
  }

  void CheckLoopOrder(std::size_t l) {
    const Constraints::Level& rules = constraints_.levels[l];
    const LoopList& temporal = mapping_.levels[l].temporal;
    const OrderVerdict verdict = CheckOrder(rules, temporal, FactorsOf(temporal));
    if (verdict.innermost >= 0) {
      Report(static_cast<int>(l), -1, verdict.innermost,
             fmt::format("level {}: the innermost loops must be over {} (innermost first); the one "
                         "over {} is elsewhere",
                         LevelName(l), Names(rules.innermost), DimName(verdict.innermost)));
    }
    if (verdict.outermost >= 0) {
      Report(static_cast<int>(l), -1, verdict.outermost,
             fmt::format("level {}: the outermost loops must be over {} (outermost first); the one "
                         "over {} is elsewhere",
                         LevelName(l), Names(rules.outermost), DimName(verdict.outermost)));
    }
  }
  [[nodiscard]] const std::string& DimName(int dim) const {
    return workload_.dim_names[static_cast<std::size_t>(dim)];
  }

  void CheckKeeps(std::size_t l) {
    const Constraints::Level& rules = constraints_.levels[l];
    for (std::size_t t = 0; t < workload_.tensors.size(); ++t) {
      const bool kept = (mapping_.levels[l].keep >> t & 1U) != 0U;
      const bool must = (rules.must_keep >> t & 1U) != 0U;
      const bool never = (rules.never_keep >> t & 1U) != 0U;
      if ((must && !kept) || (never && kept)) {
        Report(static_cast<int>(l), static_cast<int>(t), -1,
               fmt::format("level {}: tensor {} is {}, wanted {}", LevelName(l),
                           workload_.tensor_names[t], kept ? "kept" : "bypassed",
                           must ? "kept" : "bypassed"));
      }
    }
  }

  const Constraints& constraints_;
  const Workload& workload_;
  const arch::Chain& chain_;
  const Mapping& mapping_;
  std::vector<Violation> violations_;
};

}  // namespace

std::string_view LoopKindName(LoopKind kind) {
  switch (kind) {
    case LoopKind::kTemporal:
      return "temporal";
    case LoopKind::kSpatialX:
      return "spatial_x";
    case LoopKind::kSpatialY:
      return "spatial_y";
  }
  return "unknown";
}

std::string FactorRuleText(const FactorRule& rule) {
  switch (rule.kind) {
    case FactorRule::Kind::kExactly:
      return fmt::format("{}", rule.value);
    case FactorRule::Kind::kAtMost:
      return fmt::format("<= {}", rule.value);
    case FactorRule::Kind::kAtLeast:
      return fmt::format(">= {}", rule.value);
    case FactorRule::Kind::kAll:
      return "all";
  }
  return "unknown";
}

bool Satisfies(const Constraints& constraints, const Workload& workload, const Mapping& mapping) {
  if (mapping.levels.size() != constraints.levels.size()) {
    return false;
  }
  const std::size_t dims = workload.bounds.size();
  const std::uint32_t all = (1U << workload.tensors.size()) - 1U;
  for (std::size_t l = 0; l < mapping.levels.size(); ++l) {
    const LevelMapping& level = mapping.levels[l];
    const Constraints::Level& rules = constraints.levels[l];
    const std::array<const LoopList*, kLoopKinds> lists = Lists(level);
    for (std::size_t k = kLoopKinds; k-- > 0;) {
      const Factors factors = FactorsOf(*lists[k]);
      for (std::size_t d = 0; d < dims; ++d) {
        if (!rules.loops[k].Allows(d, factors[d])) {
          return false;
        }
      }
      if (k == 0 && !CheckOrder(rules, level.temporal, factors).good()) {
        return false;
      }
    }
    const std::uint32_t keep = level.keep & all;
    if ((rules.must_keep & all & ~keep) != 0U || (rules.never_keep & keep) != 0U) {
      return false;
    }
  }
  return true;
}

std::vector<Violation> CheckConstraints(const Constraints& constraints, const Workload& workload,
                                        const arch::Chain& chain, const Mapping& mapping) {
  return Explainer(constraints, workload, chain, mapping).Run();
}

}  // namespace sluice::mapping
