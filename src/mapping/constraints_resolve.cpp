/// \file
/// From names to numbers: a spec for one workload on one chain, with every contradiction.
///
/// Everything but capacity is decided here. A dim can be covered when the factors that its rules
/// leave can multiply to its bound: perfect factors are tried exactly, divisor by divisor; for
/// imperfect ones the smallest and largest products are compared with the bound, which is necessary
/// but not sufficient when the outermost slots are fixed (the map space finds out the rest).
/// Tested by tests/unit/constraints_test.cpp, tests/property/constraints_test.cpp.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "arch/architecture.h"
#include "base/checked.h"
#include "base/diagnostic.h"
#include "base/divisors.h"
#include "base/text.h"
#include "ir/network.h"
#include "mapping/constraints.h"
#include "mapping/validity.h"
#include "mapping/workload.h"

namespace sluice::mapping {
namespace {

constexpr std::int64_t kUnlimited = Constraints::kUnlimited;

std::int64_t SaturatingMul(std::int64_t a, std::int64_t b) {
  return CheckedMul(a, b).value_or(kUnlimited);
}

/// What a rule allows for a dim of `bound` points.
struct Range {
  std::int64_t min = 1;
  std::int64_t max = kUnlimited;
};

Range RangeOf(const FactorRule& rule, std::int64_t bound) {
  switch (rule.kind) {
    case FactorRule::Kind::kExactly:
      return {rule.value, rule.value};
    case FactorRule::Kind::kAtMost:
      return {1, rule.value};
    case FactorRule::Kind::kAtLeast:
      return {rule.value, kUnlimited};
    case FactorRule::Kind::kAll:
      return {bound, bound};
  }
  return {};
}

bool Applies(const ConstraintSpec& spec, const Workload& workload) {
  return spec.work.empty() || std::ranges::any_of(workload.body, [&](const ir::Work& work) {
           return std::ranges::find(spec.work, work.work_class) != spec.work.end();
         });
}

class Resolver {
 public:
  Resolver(const ConstraintSpec& spec, const Workload& workload, const arch::Chain& chain,
           bool imperfect, const std::vector<std::string>& other_levels)
      : spec_(spec),
        workload_(workload),
        chain_(chain),
        imperfect_(imperfect),
        other_levels_(other_levels),
        dims_(workload.bounds.size()) {
    result_.constraints.levels.resize(chain.levels.size());
  }

  ResolvedConstraints Run() {
    if (!Applies(spec_, workload_)) {
      return std::move(result_);
    }
    for (const LevelRules& rules : spec_.levels) {
      ResolveLevel(rules);
    }
    if (!result_.contradictions.empty()) {
      return std::move(result_);  // the rest would only repeat it
    }
    for (std::size_t l = 0; l < chain_.levels.size(); ++l) {
      CheckFanOut(l, LoopKind::kSpatialX);
      CheckFanOut(l, LoopKind::kSpatialY);
    }
    for (std::size_t d = 0; d < dims_; ++d) {
      CheckCovering(d);
    }
    return std::move(result_);
  }

 private:
  void Contradiction(const SourceSpan& span, std::string message, std::string hint,
                     ErrorCode code = ErrorCode::kConstraints) {
    Diagnostic diagnostic(code, std::move(message));
    diagnostic.span = span;
    diagnostic.hint = std::move(hint);
    result_.contradictions.push_back(std::move(diagnostic));
  }
  [[nodiscard]] const std::string& LevelName(std::size_t l) const {
    return chain_.levels[l].memory.name;
  }
  [[nodiscard]] std::string Operator() const {
    return workload_.name.empty() ? std::string("the operator")
                                  : fmt::format("operator `{}`", workload_.name);
  }

  void ResolveLevel(const LevelRules& rules) {
    std::vector<std::string> names;
    for (std::size_t l = 0; l < chain_.levels.size(); ++l) {
      names.push_back(LevelName(l));
      if (LevelName(l) == rules.level) {
        ResolveLoops(rules, l);
        for (const KeepRule& keep : rules.keeps) {
          ResolveKeep(keep, l);
        }
        return;
      }
    }
    if (std::ranges::find(other_levels_, rules.level) != other_levels_.end()) {
      return;
    }
    const std::string closest = ClosestMatch(rules.level, names);
    Contradiction(rules.span, fmt::format("there is no memory `{}`", rules.level),
                  closest.empty() ? fmt::format("the memories are {}", fmt::join(names, ", "))
                                  : fmt::format("did you mean `{}`?", closest),
                  ErrorCode::kUnknownName);
  }

  void ResolveLoops(const LevelRules& rules, std::size_t l) {
    for (std::size_t k = 0; k < kLoopKinds; ++k) {
      const LoopRules& loops = rules.loops[k];
      std::uint32_t named = 0;
      for (const DimRule& rule : loops.factors) {
        ResolveFactor(rule, l, k, &named);
      }
      for (const DimRule& rule : loops.others) {
        for (std::size_t d = 0; d < dims_; ++d) {
          if ((named >> d & 1U) == 0U) {
            Restrict(rule, l, k, d);
          }
        }
      }
      if (k != 0 && !(loops.innermost.empty() && loops.outermost.empty())) {
        const NamedDim& first =
            loops.innermost.empty() ? loops.outermost.front() : loops.innermost.front();
        Contradiction(first.span, "the order of spatial loops cannot be constrained",
                      "constrain the order of temporal loops");
      }
    }
    std::uint32_t ordered = 0;
    Constraints::Level& level = result_.constraints.levels[l];
    ResolveOrder(rules.loops[0].innermost, l, &ordered, &level.innermost);
    ResolveOrder(rules.loops[0].outermost, l, &ordered, &level.outermost);
  }

  /// The index of a dim; -1 for a dim of one point; -2 after a contradiction.
  int FindDim(const std::string& dim, const SourceSpan& span, bool optional) {
    const auto& names = workload_.dim_names;
    const auto found = std::ranges::find(names, dim);
    if (found != names.end()) {
      return static_cast<int>(found - names.begin());
    }
    if (!optional && std::ranges::find(names, dim + "_hi") != names.end()) {
      Contradiction(
          span,
          fmt::format("{} counts dim {} in two parts, {}_hi and {}_lo", Operator(), dim, dim, dim),
          "constrain the parts, or mark the entry as optional");
      return -2;
    }
    return -1;
  }

  void ResolveFactor(const DimRule& rule, std::size_t l, std::size_t k, std::uint32_t* named) {
    const int dim = FindDim(rule.dim, rule.span, rule.optional);
    if (dim >= 0) {
      if (Restrict(rule, l, k, static_cast<std::size_t>(dim))) {
        *named |= 1U << static_cast<unsigned>(dim);
      }
      return;
    }
    if (dim == -1 && RangeOf(rule.rule, 1).min > 1 && !rule.optional) {
      Contradiction(rule.span,
                    fmt::format("{} {} at {} has to be {}, but {} has no dim {} of more than one "
                                "point",
                                LoopKindName(static_cast<LoopKind>(k)), rule.dim, LevelName(l),
                                FactorRuleText(rule.rule), Operator(), rule.dim),
                    "mark the entry as optional to pass over such operators");
    }
  }

  /// False when the rule is optional and void here.
  bool Restrict(const DimRule& rule, std::size_t l, std::size_t k, std::size_t d) {
    const std::int64_t bound = workload_.bounds[d];
    const Range range = RangeOf(rule.rule, bound);
    const bool exact = range.min == range.max;
    const bool possible = range.min <= bound && (!exact || imperfect_ || bound % range.min == 0);
    if (!possible) {
      if (rule.optional) {
        return false;
      }
      Contradiction(
          rule.span,
          fmt::format("{} {} at {} has to be {}, but {} of {} has {} points",
                      LoopKindName(static_cast<LoopKind>(k)), workload_.dim_names[d], LevelName(l),
                      FactorRuleText(rule.rule), workload_.dim_names[d], Operator(), bound),
          range.min > bound ? fmt::format("write at most {}, or mark the entry as optional", bound)
                            : fmt::format("write a factor that divides {}, or mark the entry as "
                                          "optional, or allow imperfect factors",
                                          bound));
      return true;
    }
    Constraints::Loops& loops = result_.constraints.levels[l].loops[k];
    loops.min[d] = std::max(loops.min[d], range.min);
    loops.max[d] = std::min(loops.max[d], range.max);
    if (loops.min[d] > loops.max[d]) {
      Contradiction(rule.span,
                    fmt::format("{} {} at {} has to be at least {} and at most {}",
                                LoopKindName(static_cast<LoopKind>(k)), workload_.dim_names[d],
                                LevelName(l), loops.min[d], loops.max[d]),
                    "remove one of the entries");
    }
    places_[l][k][d] = rule.span;
    return true;
  }

  void ResolveOrder(const std::vector<NamedDim>& dims, std::size_t l, std::uint32_t* ordered,
                    Constraints::DimList* out) {
    for (const NamedDim& named : dims) {
      const int dim = FindDim(named.dim, named.span, false);
      if (dim < 0) {
        continue;  // no loop, hence no place in the order
      }
      const std::uint32_t bit = 1U << static_cast<unsigned>(dim);
      if ((*ordered & bit) != 0U) {
        Contradiction(
            named.span,
            fmt::format("dim {} has two places in the order of {}", named.dim, LevelName(l)),
            "name every dim once");
        continue;
      }
      *ordered |= bit;
      out->push_back(static_cast<std::uint8_t>(dim));
    }
  }

  void ResolveKeep(const KeepRule& rule, std::size_t l) {
    std::uint32_t mask = 0;
    for (std::size_t t = 0; t < workload_.tensors.size(); ++t) {
      mask |= workload_.tensors[t].tensor_class == rule.tensor_class ? 1U << t : 0U;
    }
    Constraints::Level& level = result_.constraints.levels[l];
    (rule.must ? level.must_keep : level.never_keep) |= mask;
    const std::string_view name = arch::TensorClassName(rule.tensor_class);
    if ((level.must_keep & level.never_keep & mask) != 0U) {
      Contradiction(rule.span,
                    fmt::format("{} has to keep and to bypass the {} tensor", LevelName(l), name),
                    "remove one of the entries");
    } else if (rule.must && (mask & ~MayKeep(workload_, chain_, l)) != 0U) {
      Contradiction(rule.span,
                    fmt::format("{} has to keep the {} tensor, but the machine lets it hold no {}",
                                LevelName(l), name, name),
                    "remove the entry, or change `keep` of the memory");
    } else if (!rule.must && (mask & MustKeep(workload_, chain_, l)) != 0U) {
      Contradiction(
          rule.span,
          l == 0 ? fmt::format("{} has to bypass the {} tensor, but the outermost memory keeps "
                               "everything",
                               LevelName(l), name)
                 : fmt::format("{} has to bypass the {} tensor, but the machine makes it keep it",
                               LevelName(l), name),
          "remove the entry, or change `keep` of the memory");
    }
  }

  [[nodiscard]] std::int64_t AxisSize(std::size_t l, LoopKind kind) const {
    const arch::FanOut& fan_out = chain_.levels[l].fan_out;
    return kind == LoopKind::kSpatialX ? fan_out.x : fan_out.y;
  }
  [[nodiscard]] std::uint32_t Unrollable(std::size_t l, LoopKind kind) const {
    return MayUnroll(workload_, chain_, l, kind == LoopKind::kSpatialX ? 0 : 1);
  }

  void CheckFanOut(std::size_t l, LoopKind kind) {
    const auto k = static_cast<std::size_t>(kind);
    const Constraints::Loops& loops = result_.constraints.levels[l].loops[k];
    std::int64_t product = 1;
    std::string factors;
    SourceSpan last;
    for (std::size_t d = 0; d < dims_; ++d) {
      if (loops.min[d] == 1) {
        continue;
      }
      last = places_[l][k][d];
      product = SaturatingMul(product, loops.min[d]);
      factors += fmt::format("{}{}={}", factors.empty() ? "" : " x ", workload_.dim_names[d],
                             loops.min[d]);
      if ((Unrollable(l, kind) >> d & 1U) == 0U) {
        Contradiction(last,
                      fmt::format("{} {} below {} has to be at least {}, but dim {} may not be "
                                  "unrolled there",
                                  LoopKindName(kind), workload_.dim_names[d], LevelName(l),
                                  loops.min[d], workload_.dim_names[d]),
                      (workload_.whole >> d & 1U) != 0U
                          ? fmt::format("dim {} must stay whole", workload_.dim_names[d])
                          : "change `dims_x` or `dims_y` of the fan-out");
      }
    }
    const std::int64_t size = AxisSize(l, kind);
    if (product > size) {
      Contradiction(last,
                    fmt::format("{} below {} needs {} instances ({}), there are {}",
                                LoopKindName(kind), LevelName(l), product, factors, size),
                    "write smaller factors");
    }
  }

  /// What the loops of dim d in one list may be, the machine included.
  [[nodiscard]] Range RangeAt(std::size_t l, LoopKind kind, std::size_t d) const {
    const Constraints::Loops& loops = result_.constraints.levels[l].of(kind);
    Range range{loops.min[d], loops.max[d]};
    if (kind != LoopKind::kTemporal) {
      std::int64_t others = 1;
      for (std::size_t e = 0; e < dims_; ++e) {
        others = e == d ? others : SaturatingMul(others, loops.min[e]);
      }
      const bool may = (Unrollable(l, kind) >> d & 1U) != 0U;
      range.max =
          std::min(range.max, may ? std::max<std::int64_t>(1, AxisSize(l, kind) / others) : 1);
    }
    return range;
  }

  void CheckCovering(std::size_t d) {
    const std::int64_t bound = workload_.bounds[d];
    std::vector<Range> ranges;
    std::int64_t fixed = 1;
    bool simple = true;  // factors are fixed or start at 1
    bool free = false;   // some factor may be anything
    std::string text;
    SourceSpan last;
    for (std::size_t l = 0; l < chain_.levels.size(); ++l) {
      for (std::size_t k = 0; k < kLoopKinds; ++k) {
        const Range range = RangeAt(l, static_cast<LoopKind>(k), d);
        const Constraints::Loops& rule = result_.constraints.levels[l].loops[k];
        ranges.push_back(range);
        fixed = SaturatingMul(fixed, range.min);
        simple = simple && (range.min == 1 || range.min == range.max);
        free = free || (range.min == 1 && range.max >= bound);
        if (rule.min[d] > 1 || rule.max[d] < bound) {
          last = places_[l][k][d];
          text += fmt::format("{}{} {} {}", text.empty() ? "" : ", ", LevelName(l),
                              LoopKindName(static_cast<LoopKind>(k)), Text(range));
        }
      }
    }
    if (text.empty()) {
      return;
    }
    const std::int64_t largest =
        simple && free && fixed <= bound && (imperfect_ || bound % fixed == 0) ? bound
        : imperfect_ ? LargestImperfect(ranges, bound)
                     : LargestProduct(ranges, bound);
    if (largest == bound) {
      return;
    }
    const std::string& name = workload_.dim_names[d];
    Contradiction(last,
                  largest == 0
                      ? fmt::format("the factors of dim {} of {} cannot multiply to {}: {}", name,
                                    Operator(), bound, text)
                      : fmt::format("the factors of dim {} of {} multiply to at most {} of {}: {}",
                                    name, Operator(), largest, bound, text),
                  "leave the factor of one level free");
  }

  static std::string Text(const Range& range) {
    if (range.min == range.max) {
      return fmt::format("= {}", range.min);
    }
    if (range.max == kUnlimited) {
      return fmt::format(">= {}", range.min);
    }
    return range.min == 1 ? fmt::format("<= {}", range.max)
                          : fmt::format("{} to {}", range.min, range.max);
  }

  /// The largest divisor of `bound` that is a product of one factor from each range; 0: there is
  /// none.
  static std::int64_t LargestProduct(const std::vector<Range>& ranges, std::int64_t bound) {
    const std::vector<std::int64_t> divisors = DivisorsOf(bound);
    std::set<std::int64_t> products = {1};
    for (const Range& range : ranges) {
      if (range.min == 1 && range.max == 1) {
        continue;
      }
      std::set<std::int64_t> next;
      for (const std::int64_t product : products) {
        for (const std::int64_t factor : divisors) {
          if (range.min <= factor && factor <= range.max && bound / product % factor == 0) {
            next.insert(product * factor);
          }
        }
      }
      products = std::move(next);
    }
    return products.empty() ? 0 : *products.rbegin();
  }

  /// 0 when some loop could not run as often as it must, because those inside cover too much; else
  /// the largest product, at most `bound`.
  static std::int64_t LargestImperfect(const std::vector<Range>& ranges, std::int64_t bound) {
    std::int64_t largest = 1;
    std::int64_t inside = 1;
    for (std::size_t i = ranges.size(); i-- > 0;) {
      if (ranges[i].min - 1 > (bound - 1) / inside) {
        return 0;
      }
      inside = SaturatingMul(inside, ranges[i].min);
      largest = SaturatingMul(largest, std::min(ranges[i].max, bound));
    }
    return std::min(largest, bound);
  }

  const ConstraintSpec& spec_;
  const Workload& workload_;
  const arch::Chain& chain_;
  bool imperfect_;
  const std::vector<std::string>& other_levels_;
  std::size_t dims_;
  ResolvedConstraints result_;
  /// Where each factor was last restricted.
  std::array<std::array<std::array<SourceSpan, kMaxDims>, kLoopKinds>, arch::kMaxLevels> places_;
};

}  // namespace

ResolvedConstraints ResolveConstraints(const ConstraintSpec& spec, const Workload& workload,
                                       const arch::Chain& chain, bool imperfect,
                                       const std::vector<std::string>& other_levels) {
  return Resolver(spec, workload, chain, imperfect, other_levels).Run();
}

Result<Constraints> BindConstraints(const ConstraintSpec& spec, const Workload& workload,
                                    const arch::Chain& chain, bool imperfect,
                                    const std::vector<std::string>& other_levels) {
  ResolvedConstraints resolved = ResolveConstraints(spec, workload, chain, imperfect, other_levels);
  if (resolved.contradictions.empty()) {
    return resolved.constraints;
  }
  Diagnostic first = std::move(resolved.contradictions.front());
  for (std::size_t i = 1; i < resolved.contradictions.size(); ++i) {
    const Diagnostic& other = resolved.contradictions[i];
    first.notes.push_back(other.span.line > 0
                              ? fmt::format("line {}: {}", other.span.line, other.message)
                              : other.message);
  }
  return Fail(std::move(first));
}

}  // namespace sluice::mapping
