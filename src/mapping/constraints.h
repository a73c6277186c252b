#pragma once
/// \file
/// Constraints: what a mapping must look like beyond being valid. A fixed dataflow (weight
/// stationary, row stationary, ...) is a set of constraints.
///
/// Two forms. `ConstraintSpec` is what a person wrote: names of levels, dims and tensor classes,
/// with their places in the file; it is independent of any operator. `Constraints` is a spec
/// resolved for one workload on one chain: plain arrays by index, so that a search can ask
/// `Satisfies` a million times a second. `ResolveConstraints` makes one of the other and reports
/// every contradiction; nothing is ever dropped silently.
///
/// Rules
///  - A factor rule bounds the iterations of the loop over a dim in one of the three loop lists of
///    a level: exactly, at most, at least, or `all` (exactly the bound of the dim). A dim without a
///    loop there has the factor 1. In a ragged loop the rule is about `bound`, not `last`.
///  - `others` is the rule of every dim that the list does not name.
///  - A dim that an operator does not have is a dim of one point: its factor is 1 everywhere.
///    `= 1`, `<= n` and `all` hold then, `= 4` is a contradiction, unless the entry is `optional`.
///  - An optional entry holds for the operators that can follow it: those whose dim has a bound
///    that the factor divides (or, with imperfect factors, does not exceed). For others it is void.
///  - `innermost: [S, R]`: of the temporal loops of the level, the innermost is over S, the next
///    over R. A named dim that has no loop there is skipped. `outermost` likewise from outside.
///  - Keeps: a tensor class must, or must never, be kept at the level.
///
/// Tested by tests/unit/constraints_test.cpp and tests/property/constraints_test.cpp.

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "arch/architecture.h"
#include "base/diagnostic.h"
#include "base/static_vector.h"
#include "ir/network.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"

namespace sluice::mapping {

/// The loop lists of a level, outermost first.
enum class LoopKind : std::uint8_t { kTemporal, kSpatialX, kSpatialY };
inline constexpr std::size_t kLoopKinds = 3;
/// `temporal`, `spatial_x`, `spatial_y`.
std::string_view LoopKindName(LoopKind kind);

/// How many iterations a loop may have.
struct FactorRule {
  enum class Kind : std::uint8_t { kExactly, kAtMost, kAtLeast, kAll };
  Kind kind = Kind::kAtMost;
  std::int64_t value = 1;  ///< at least 1; no meaning for kAll
  friend bool operator==(const FactorRule&, const FactorRule&) = default;
};
/// `4`, `<= 4`, `>= 4`, `all`.
std::string FactorRuleText(const FactorRule& rule);

struct DimRule {
  std::string dim;
  FactorRule rule;
  bool optional = false;
  SourceSpan span;
};

/// A dim by name, with its place.
struct NamedDim {
  std::string dim;
  SourceSpan span;
};

/// The rules of one loop list.
struct LoopRules {
  std::vector<DimRule> factors;
  std::vector<DimRule> others;      ///< none or one, `dim` empty: for dims not in `factors`
  std::vector<NamedDim> innermost;  ///< temporal only; the innermost loop first
  std::vector<NamedDim> outermost;  ///< temporal only; the outermost loop first
};

struct KeepRule {
  arch::TensorClass tensor_class = arch::TensorClass::kInput;
  bool must = true;  ///< false: never
  SourceSpan span;
};

struct LevelRules {
  std::string level;  ///< the name of a memory
  SourceSpan span;
  std::array<LoopRules, kLoopKinds> loops;  ///< by LoopKind; spatial: the fan-out below
  std::vector<KeepRule> keeps;
};

/// Constraints as written.
struct ConstraintSpec {
  std::string name;
  std::string description;
  /// Holds only for operators whose body has one of these classes of work; empty: for all.
  std::vector<ir::WorkClass> work;
  std::vector<LevelRules> levels;
};

/// Constraints for one workload on one chain, by index. Trivially copyable; a value-initialised one
/// with as many levels as the chain constrains nothing.
struct Constraints {
  static constexpr std::int64_t kUnlimited = std::numeric_limits<std::int64_t>::max();
  /// The factor of dim d must be in [min[d], max[d]].
  struct Loops {
    std::array<std::int64_t, kMaxDims> min;
    std::array<std::int64_t, kMaxDims> max;
    Loops() {
      min.fill(1);
      max.fill(kUnlimited);
    }
    [[nodiscard]] bool Allows(std::size_t dim, std::int64_t factor) const {
      return min[dim] <= factor && factor <= max[dim];
    }
    [[nodiscard]] bool fixed(std::size_t dim) const { return min[dim] == max[dim]; }
  };
  using DimList = StaticVector<std::uint8_t, kMaxDims>;
  struct Level {
    std::array<Loops, kLoopKinds> loops;  ///< by LoopKind
    DimList innermost;                    ///< of the temporal loops; the innermost first
    DimList outermost;                    ///< the outermost first
    std::uint32_t must_keep = 0;          ///< bit t: tensor t is kept here
    std::uint32_t never_keep = 0;         ///< bit t: tensor t is not kept here
    [[nodiscard]] const Loops& of(LoopKind kind) const {
      return loops[static_cast<std::size_t>(kind)];
    }
  };
  StaticVector<Level, arch::kMaxLevels> levels;
};

/// Whether a valid mapping satisfies the constraints. No allocation. O(levels x dims).
/// Requires: constraints resolved for this workload and a chain of as many levels.
bool Satisfies(const Constraints& constraints, const Workload& workload, const Mapping& mapping);

/// Every reason why `mapping` does not satisfy `constraints`: level, dim or tensor, what was wanted
/// and what is there. Empty exactly when Satisfies.
std::vector<Violation> CheckConstraints(const Constraints& constraints, const Workload& workload,
                                        const arch::Chain& chain, const Mapping& mapping);

struct ResolvedConstraints {
  Constraints constraints;
  /// Why no mapping of this workload on this chain can satisfy the spec, capacity aside; each with
  /// the place in the file. Empty: `constraints` is sound.
  std::vector<Diagnostic> contradictions;
};

/// Resolves names and finds contradictions: unknown levels, factors that do not divide or do not
/// multiply out to the bound of a dim, unrolling beyond the fan-out or of dims that may not be
/// unrolled, keeps that the memory forbids or bypasses that it forbids. `imperfect`: factors need
/// not divide. Levels of `other_levels` (on other chains of the architecture) are passed over.
ResolvedConstraints ResolveConstraints(const ConstraintSpec& spec, const Workload& workload,
                                       const arch::Chain& chain, bool imperfect,
                                       const std::vector<std::string>& other_levels = {});

/// The same; all contradictions in one diagnostic: the first, with the others as notes.
Result<Constraints> BindConstraints(const ConstraintSpec& spec, const Workload& workload,
                                    const arch::Chain& chain, bool imperfect,
                                    const std::vector<std::string>& other_levels = {});

}  // namespace sluice::mapping
