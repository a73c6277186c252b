// Laws of constraints, over random workloads, machines and specs: what searches return satisfies
// them, contradictions and empty spaces are found exactly when there is no mapping, and the
// explanation of an empty space is the smallest cure.

#include "mapping/constraints.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "arch/architecture.h"
#include "base/rng.h"
#include "cost/evaluator.h"
#include "mapper/feasible.h"
#include "mapper/mapper.h"
#include "mapper/mapspace.h"
#include "mapper/walk/walker.h"
#include "mapping/mapping.h"
#include "mapping/validity.h"
#include "testing/generators.h"
#include "testing/nests.h"

namespace sluice::mapper {
namespace {

using mapping::Constraints;
using mapping::ConstraintSpec;
using mapping::FactorRule;
using mapping::LoopKind;

struct Case {
  mapping::Workload workload;
  arch::Chain chain;
  bool imperfect = false;
  ConstraintSpec spec;

  [[nodiscard]] std::string Text(const mapping::Mapping& mapping) const {
    return testing::Describe(workload, chain, mapping, cost::PhysicalPolicy()) + SpecText();
  }
  [[nodiscard]] std::string SpecText() const {
    std::string text = imperfect ? "imperfect\n" : "perfect\n";
    for (const mapping::LevelRules& level : spec.levels) {
      for (std::size_t k = 0; k < mapping::kLoopKinds; ++k) {
        for (const mapping::DimRule& rule : level.loops[k].factors) {
          text += level.level + " " + std::string(LoopKindName(static_cast<LoopKind>(k))) + " " +
                  rule.dim + " " + FactorRuleText(rule.rule) +
                  (rule.optional ? " optional\n" : "\n");
        }
        for (const mapping::DimRule& rule : level.loops[k].others) {
          text += level.level + " others " + FactorRuleText(rule.rule) + "\n";
        }
      }
    }
    return text;
  }
};

Case MakeCase(std::uint64_t number, Rng& rng) {
  rng = Rng(777).Split(number);
  Case c;
  c.workload = testing::RandomWorkload(rng);
  c.chain = testing::RandomChain(rng);
  c.imperfect = rng.Below(3) == 0;
  return c;
}

std::array<const mapping::LoopList*, 3> Lists(const mapping::LevelMapping& level) {
  return {&level.temporal, &level.spatial_x, &level.spatial_y};
}

std::int64_t FactorOf(const mapping::LoopList& loops, int dim) {
  for (const mapping::Loop& loop : loops) {
    if (loop.dim == dim) {
      return loop.bound;
    }
  }
  return 1;
}

/// A random rule that a factor of a dim of `bound` points obeys.
FactorRule RuleFor(std::int64_t factor, std::int64_t bound, Rng& rng) {
  switch (rng.Below(4)) {
    case 0:
      return {FactorRule::Kind::kAtMost, factor + rng.Between(0, 3)};
    case 1:
      return {FactorRule::Kind::kAtLeast, rng.Between(1, factor)};
    case 2:
      if (factor == bound) {
        return {FactorRule::Kind::kAll, 1};
      }
      [[fallthrough]];
    default:
      return {FactorRule::Kind::kExactly, factor};
  }
}

/// Rules that `mapping` obeys, each with a chance of `percent`.
ConstraintSpec SpecOf(const Case& c, const mapping::Mapping& mapping, std::uint32_t percent,
                      Rng& rng) {
  ConstraintSpec spec;
  for (std::size_t l = 0; l < mapping.levels.size(); ++l) {
    const mapping::LevelMapping& level = mapping.levels[l];
    mapping::LevelRules rules;
    rules.level = c.chain.levels[l].memory.name;
    for (std::size_t k = 0; k < mapping::kLoopKinds; ++k) {
      for (int d = 0; d < c.workload.dims(); ++d) {
        const auto i = static_cast<std::size_t>(d);
        if (rng.Below(100) < percent) {
          rules.loops[k].factors.push_back(
              {c.workload.dim_names[i],
               RuleFor(FactorOf(*Lists(level)[k], d), c.workload.bounds[i], rng),
               false,
               {}});
        }
      }
    }
    const std::size_t loops = level.temporal.size();
    const std::size_t inner = rng.Below(static_cast<std::uint32_t>(loops + 1));
    const std::size_t outer = rng.Below(static_cast<std::uint32_t>(loops - inner + 1));
    for (std::size_t i = 0; i < inner && rng.Below(100) < percent; ++i) {
      const mapping::Loop& loop = level.temporal[loops - 1 - i];
      rules.loops[0].innermost.push_back(
          {c.workload.dim_names[static_cast<std::size_t>(loop.dim)], {}});
    }
    for (std::size_t i = 0; i < outer && rng.Below(100) < percent; ++i) {
      rules.loops[0].outermost.push_back(
          {c.workload.dim_names[static_cast<std::size_t>(level.temporal[i].dim)], {}});
    }
    for (int cls = 0; cls < arch::kTensorClasses; ++cls) {
      bool kept = true;
      bool bypassed = true;
      for (std::size_t t = 0; t < c.workload.tensors.size(); ++t) {
        if (static_cast<int>(c.workload.tensors[t].tensor_class) == cls) {
          ((level.keep >> t & 1U) != 0U ? bypassed : kept) = false;
        }
      }
      if (kept != bypassed && rng.Below(100) < percent) {
        rules.keeps.push_back({static_cast<arch::TensorClass>(cls), kept, {}});
      }
    }
    spec.levels.push_back(rules);
  }
  return spec;
}

constexpr std::uint64_t kCases = 400;

TEST(ConstraintsProperty, EveryMappingSatisfiesRulesMadeFromItAndSearchesObeyThem) {
  int solved = 0;
  for (std::uint64_t i = 0; i < kCases; ++i) {
    Rng rng(0);
    Case c = MakeCase(i, rng);
    const Mapspace all(c.workload, c.chain, c.imperfect);
    if (!all.Infeasible().empty()) {
      continue;
    }
    const mapping::Mapping witness = all.ToMapping(all.Greedy(rng));
    c.spec = SpecOf(c, witness, 10 + rng.Below(90), rng);
    const auto resolved = mapping::ResolveConstraints(c.spec, c.workload, c.chain, c.imperfect);
    ASSERT_TRUE(resolved.contradictions.empty())
        << resolved.contradictions.front().Render() << c.Text(witness);
    const Constraints& rules = resolved.constraints;
    ASSERT_TRUE(Satisfies(rules, c.workload, witness)) << c.Text(witness);

    const Mapspace space(c.workload, c.chain, c.imperfect, &rules);
    const auto reasons = space.Infeasible();
    if (!reasons.empty()) {
      FAIL() << reasons.front().message << "\n" << c.Text(witness);
    }
    ASSERT_EQ(space.ToMapping(space.FromMapping(witness)), witness) << c.Text(witness);
    for (int k = 0; k < 10; ++k) {
      Point point = space.Random(rng);
      space.Repair(point, rng);
      for (const Point& p : {point, space.Greedy(rng), space.Outermost()}) {
        const auto mapping = space.ToMapping(p);
        ASSERT_TRUE(space.Fits(p));
        ASSERT_TRUE(mapping::CheckMapping(c.workload, c.chain, mapping).empty()) << c.Text(mapping);
        const auto broken = CheckConstraints(rules, c.workload, c.chain, mapping);
        ASSERT_TRUE(broken.empty()) << broken.front().message << "\n" << c.Text(mapping);
        ASSERT_TRUE(Satisfies(rules, c.workload, mapping));
      }
    }
    const auto evaluator = cost::Evaluator::Create(c.workload, c.chain, cost::PhysicalPolicy());
    ASSERT_TRUE(evaluator.has_value());
    const bool perfect_empty = !Mapspace(c.workload, c.chain, false, &rules).Infeasible().empty();
    for (const Mapper* mapper : AllMappers()) {
      if (perfect_empty && mapper->name() == "exact") {
        continue;  // it searches perfect factors first, and ends when there are none
      }
      Problem problem;
      problem.evaluator = &*evaluator;
      problem.seed = i;
      problem.imperfect = c.imperfect;
      problem.constraints = &rules;
      Budget budget;
      budget.evaluations = 200;
      const Result result = mapper->Solve(problem, budget);
      ASSERT_TRUE(result.best.has_value()) << mapper->name() << c.Text(witness);
      const auto broken = CheckConstraints(rules, c.workload, c.chain, *result.best);
      ASSERT_TRUE(broken.empty()) << mapper->name() << ": " << broken.front().message << "\n"
                                  << c.Text(*result.best);
      ASSERT_TRUE(evaluator->IsValid(*result.best));
    }
    ++solved;
  }
  EXPECT_GT(solved, static_cast<int>(kCases / 3));
}

TEST(ConstraintsProperty, QuickAndExplainingChecksAgree) {
  int broken = 0;
  for (std::uint64_t i = 0; i < kCases; ++i) {
    Rng rng(0);
    Case c = MakeCase(i, rng);
    const auto a = testing::RandomMapping(c.workload, c.chain, rng, c.imperfect);
    const auto b = testing::RandomMapping(c.workload, c.chain, rng, c.imperfect);
    c.spec = SpecOf(c, a, 10, rng);
    const auto resolved = mapping::ResolveConstraints(c.spec, c.workload, c.chain, c.imperfect);
    for (const auto& mapping : {a, b}) {
      const bool quick = Satisfies(resolved.constraints, c.workload, mapping);
      ASSERT_EQ(quick,
                CheckConstraints(resolved.constraints, c.workload, c.chain, mapping).empty());
      broken += quick ? 0 : 1;
    }
  }
  EXPECT_GT(broken, static_cast<int>(kCases / 4));
}

TEST(ConstraintsProperty, MovesUndoUnderConstraints) {
  std::int64_t moves = 0;
  for (std::uint64_t i = 0; i < kCases; ++i) {
    Rng rng(0);
    Case c = MakeCase(i, rng);
    const Mapspace all(c.workload, c.chain, c.imperfect);
    if (!all.Infeasible().empty()) {
      continue;
    }
    c.spec = SpecOf(c, all.ToMapping(all.Greedy(rng)), 15, rng);
    const auto resolved = mapping::ResolveConstraints(c.spec, c.workload, c.chain, c.imperfect);
    const Mapspace space(c.workload, c.chain, c.imperfect, &resolved.constraints);
    if (!space.Infeasible().empty()) {
      continue;
    }
    Walker walker(space);
    walker.Set(space.Outermost());
    for (int k = 0; k < 100; ++k) {
      const mapping::Mapping before = walker.mapping();
      if (!walker.Propose(rng)) {
        ASSERT_EQ(walker.mapping(), before);
        continue;
      }
      const bool fits = walker.Fits();
      if (fits) {
        ASSERT_TRUE(Satisfies(resolved.constraints, c.workload, walker.mapping()))
            << c.Text(walker.mapping());
        ASSERT_TRUE(mapping::CheckMapping(c.workload, c.chain, walker.mapping()).empty());
      }
      if (!fits || rng.Below(2) == 0) {
        walker.Undo();
        ASSERT_EQ(walker.mapping(), before) << c.Text(before);
      } else {
        ++moves;
      }
    }
  }
  EXPECT_GT(moves, static_cast<std::int64_t>(kCases));
}

/// Whether any perfect mapping satisfies `rules` and fits, by brute force over all factors.
class BruteForce {
 public:
  BruteForce(const Case& c, const Constraints& rules)
      : c_(c), rules_(rules), table_(mapping::MakeValidityTable(c.workload, c.chain)) {
    mapping_.levels.resize(c.chain.levels.size());
    for (std::size_t l = 0; l < mapping_.levels.size(); ++l) {
      mapping_.levels[l].keep =
          table_.levels[l].must_keep | (rules.levels[l].must_keep & table_.levels[l].may_keep);
    }
  }
  /// Gives up (false) after many mappings.
  bool Run(bool& found) {
    Dim(0);
    found = found_;
    return tried_ < kMost;
  }

 private:
  static constexpr int kMost = 60'000;

  void Dim(int d) {
    if (found_ || tried_ >= kMost) {
      return;
    }
    if (d == c_.workload.dims()) {
      ++tried_;
      mapping::Mapping ordered = mapping_;
      for (std::size_t l = 0; l < ordered.levels.size(); ++l) {
        Order(l, ordered.levels[l].temporal);
      }
      found_ = mapping::FitsQuickly(c_.workload, table_, ordered) &&
               Satisfies(rules_, c_.workload, ordered);
      return;
    }
    Slot(d, 0, c_.workload.bounds[static_cast<std::size_t>(d)]);
  }
  void Order(std::size_t l, mapping::LoopList& loops) const {
    const auto rank = [&](const mapping::Loop& loop) {
      const auto& rules = rules_.levels[l];
      for (std::size_t i = 0; i < rules.outermost.size(); ++i) {
        if (rules.outermost[i] == loop.dim) {
          return static_cast<int>(i) - 100;
        }
      }
      for (std::size_t i = 0; i < rules.innermost.size(); ++i) {
        if (rules.innermost[i] == loop.dim) {
          return 100 - static_cast<int>(i);
        }
      }
      return 0;
    };
    std::stable_sort(loops.begin(), loops.end(),
                     [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  }
  void Slot(int d, std::size_t slot, std::int64_t rest) {
    if (slot == 3 * mapping_.levels.size()) {
      if (rest == 1) {
        Dim(d + 1);
      } else {
        ++tried_;
      }
      return;
    }
    mapping::LevelMapping& level = mapping_.levels[slot / 3];
    mapping::LoopList& list = slot % 3 == 0   ? level.temporal
                              : slot % 3 == 1 ? level.spatial_x
                                              : level.spatial_y;
    const auto& limits = table_.levels[slot / 3];
    for (std::int64_t f = 1; f <= rest; ++f) {
      if (rest % f != 0 || (slot % 3 == 1 && f > limits.x) || (slot % 3 == 2 && f > limits.y)) {
        continue;
      }
      if (f > 1) {
        list.push_back(mapping::PerfectLoop(d, f));
      }
      Slot(d, slot + 1, rest / f);
      if (f > 1) {
        list.pop_back();
      }
    }
  }

  const Case& c_;
  const Constraints& rules_;
  mapping::ValidityTable table_;
  mapping::Mapping mapping_;
  bool found_ = false;
  int tried_ = 0;
};

/// Arbitrary rules: most of them contradict something.
ConstraintSpec WildSpec(const Case& c, Rng& rng) {
  ConstraintSpec spec;
  const std::uint32_t entries = 1 + rng.Below(6);
  for (std::uint32_t e = 0; e < entries; ++e) {
    mapping::LevelRules rules;
    const std::size_t l = rng.Below(static_cast<std::uint32_t>(c.chain.levels.size()));
    rules.level = c.chain.levels[l].memory.name;
    const std::size_t d = rng.Below(static_cast<std::uint32_t>(c.workload.dims()));
    const std::size_t k = rng.Below(3) == 0 ? 1 + rng.Below(2) : 0;
    FactorRule rule;
    rule.kind = static_cast<FactorRule::Kind>(rng.Below(4));
    rule.value = rng.Between(1, 4);
    rules.loops[k].factors.push_back({c.workload.dim_names[d], rule, rng.Below(4) == 0, {}});
    if (rng.Below(4) == 0) {
      rules.loops[k].others.push_back(
          {"", {FactorRule::Kind::kAtMost, rng.Between(1, 3)}, false, {}});
    }
    if (rng.Below(6) == 0) {
      rules.keeps.push_back({static_cast<arch::TensorClass>(rng.Below(3)), rng.Below(2) == 0, {}});
    }
    spec.levels.push_back(rules);
  }
  return spec;
}

TEST(ConstraintsProperty, SpacesAreEmptyExactlyWhenBruteForceFindsNothing) {
  int possible = 0;
  int contradicted = 0;
  int cured = 0;
  for (std::uint64_t i = 0; i < 12 * kCases; ++i) {
    Rng rng(0);
    Case c = MakeCase(i + 10'000, rng);
    c.imperfect = false;
    if (c.workload.dims() > 3 || c.workload.dims() == 0 || c.chain.levels.size() > 3) {
      continue;
    }
    if (rng.Below(2) == 0) {
      c.chain.levels.back().memory.capacity_words = 1 + rng.Below(6);
    }
    c.spec = WildSpec(c, rng);
    const auto resolved = mapping::ResolveConstraints(c.spec, c.workload, c.chain, false);
    bool found = false;
    if (!BruteForce(c, resolved.constraints).Run(found)) {
      continue;
    }
    if (!resolved.contradictions.empty()) {
      ++contradicted;
      // Rules met before the first contradiction are in force; a contradiction that is none would
      // leave mappings.
      bool conflict = false;
      for (const Diagnostic& diagnostic : resolved.contradictions) {
        conflict = conflict || diagnostic.code == ErrorCode::kConstraints;
      }
      EXPECT_TRUE(conflict);
      continue;
    }
    const Mapspace space(c.workload, c.chain, false, &resolved.constraints);
    const auto reasons = space.Infeasible();
    ASSERT_EQ(found, reasons.empty()) << (reasons.empty() ? "" : reasons.front().message) << "\n"
                                      << c.SpecText();
    possible += found ? 1 : 0;
    const bool capacity = std::ranges::all_of(
        reasons, [](const auto& v) { return v.code == ErrorCode::kMappingCapacity; });
    if (found || !capacity) {
      continue;
    }
    // The cure: exactly the capacities named, and not a word less in any of them.
    Case larger = c;
    for (const mapping::Violation& v : reasons) {
      larger.chain.levels[static_cast<std::size_t>(v.level)].memory.capacity_words =
          v.capacity_wanted;
    }
    ASSERT_TRUE(BruteForce(larger, resolved.constraints).Run(found));
    ASSERT_TRUE(found) << reasons.front().message << "\n" << c.SpecText();
    EXPECT_TRUE(
        Mapspace(c.workload, larger.chain, false, &resolved.constraints).Infeasible().empty());
    for (const mapping::Violation& v : reasons) {
      Case smaller = larger;
      smaller.chain.levels[static_cast<std::size_t>(v.level)].memory.capacity_words =
          v.capacity_wanted - 1;
      ASSERT_TRUE(BruteForce(smaller, resolved.constraints).Run(found));
      ASSERT_FALSE(found) << v.message << "\n" << c.SpecText();
    }
    ++cured;
  }
  EXPECT_GT(possible, 100);
  EXPECT_GT(contradicted, 100);
  EXPECT_GT(cured, 30);
}

// A contradiction is reported only where relaxing nothing helps: rules that a mapping obeys, plus
// one that it does not, are reported exactly when no mapping obeys all.
TEST(ConstraintsProperty, ContradictionsAreReal) {
  int reported = 0;
  for (std::uint64_t i = 0; i < 4 * kCases; ++i) {
    Rng rng(0);
    Case c = MakeCase(i + 50'000, rng);
    c.imperfect = false;
    if (c.workload.dims() > 3 || c.workload.dims() == 0 || c.chain.levels.size() > 3) {
      continue;
    }
    // Factor rules alone, so that every rule can be put into force by hand.
    c.spec = WildSpec(c, rng);
    Constraints rules;
    rules.levels.resize(c.chain.levels.size());
    bool by_hand = true;
    for (mapping::LevelRules& level : c.spec.levels) {
      level.keeps.clear();
      for (std::size_t l = 0; l < c.chain.levels.size(); ++l) {
        for (std::size_t k = 0; k < 3; ++k) {
          level.loops[k].others.clear();
          for (mapping::DimRule& rule : level.loops[k].factors) {
            rule.optional = false;
            by_hand = by_hand && rule.rule.kind != FactorRule::Kind::kAll;
            if (c.chain.levels[l].memory.name != level.level) {
              continue;
            }
            for (std::size_t d = 0; d < c.workload.bounds.size(); ++d) {
              auto& loops = rules.levels[l].loops[k];
              if (c.workload.dim_names[d] != rule.dim) {
                continue;
              }
              const bool exact = rule.rule.kind == FactorRule::Kind::kExactly;
              if (exact || rule.rule.kind == FactorRule::Kind::kAtLeast) {
                loops.min[d] = std::max(loops.min[d], rule.rule.value);
              }
              if (exact || rule.rule.kind == FactorRule::Kind::kAtMost) {
                loops.max[d] = std::min(loops.max[d], rule.rule.value);
              }
            }
          }
        }
      }
    }
    for (arch::Level& level : c.chain.levels) {
      level.memory.capacity_words.reset();
    }
    bool found = false;
    if (!by_hand || !BruteForce(c, rules).Run(found)) {
      continue;
    }
    const auto resolved = mapping::ResolveConstraints(c.spec, c.workload, c.chain, false);
    if (found) {
      ASSERT_TRUE(resolved.contradictions.empty())
          << resolved.contradictions.front().Render() << c.SpecText();
    } else {
      // What is left to the map space: dims that compete for one fan-out.
      const bool known =
          !resolved.contradictions.empty() ||
          !Mapspace(c.workload, c.chain, false, &resolved.constraints).Infeasible().empty();
      ASSERT_TRUE(known) << c.SpecText();
      ++reported;
    }
  }
  EXPECT_GT(reported, 100);
}

}  // namespace
}  // namespace sluice::mapper
