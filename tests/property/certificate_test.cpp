// Certificates of the exact mapper are verified, false ones are not. The sharpest lie there is: the
// second best mapping of a complete enumeration, claimed optimal.
// SLUICE_PROPERTY_CASES multiplies the number of cases.

#include "cost/certificate.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/rng.h"
#include "cost/compiled.h"
#include "cost/cost.h"
#include "cost/evaluator.h"
#include "mapper/annealing.h"
#include "mapper/exact/certify.h"
#include "mapper/exact/exact.h"
#include "mapper/mapper.h"
#include "mapping/constraints.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"
#include "testing/enumerate.h"
#include "testing/nests.h"
#include "testing/small_case.h"
#include "verify/verify.h"

namespace sluice {
namespace {

constexpr std::array kObjectives = {cost::Objective::kEnergy, cost::Objective::kLatency,
                                    cost::Objective::kEdp};
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::int64_t kMostMappings = 10'000;
constexpr verify::Limits kLimits = {60, nullptr};

using Case = testing::SmallCase;

Case MakeCase(std::uint64_t number, std::uint32_t points) {
  return testing::MakeSmallCase(4711, number, points);
}

std::optional<cost::Certificate> Prove(const cost::Evaluator& evaluator, cost::Objective objective,
                                       const mapper::Budget& budget = {}) {
  mapper::Problem problem;
  problem.evaluator = &evaluator;
  problem.objective = objective;
  return mapper::Certify(problem, mapper::ExactMapper().Solve(problem, budget));
}

/// What Certify would write if `mapping` were the best there is.
cost::Certificate Pretend(const cost::Evaluator& evaluator, cost::Objective objective,
                          const mapping::Mapping& mapping,
                          const mapping::Constraints* constraints = nullptr) {
  mapper::Problem problem;
  problem.constraints = constraints;
  problem.evaluator = &evaluator;
  problem.objective = objective;
  mapper::Result result;
  result.best = mapping;
  result.score = evaluator.Evaluate(mapping);
  result.bound = result.score.value(objective) * (1 - 1e-9);
  result.stopped = mapper::StopReason::kProven;
  return mapper::Certify(problem, result).value();
}

TEST(CertificateProperty, ProofsAreVerified) {
  std::uint64_t proven = 0;
  for (std::uint64_t i = 0; proven < testing::AtLeastOneScaled(300); ++i) {
    const Case c = MakeCase(i, 64);
    const auto evaluator = cost::Evaluator::Create(c.workload, c.chain, c.policy);
    if (!evaluator) {
      continue;
    }
    for (const cost::Objective objective : kObjectives) {
      const auto certificate = Prove(*evaluator, objective);
      if (!certificate) {
        break;  // no valid mapping
      }
      proven += objective == cost::Objective::kEdp ? 1 : 0;
      const verify::Report report = verify::Check(*evaluator, nullptr, *certificate, kLimits);
      ASSERT_EQ(report.verdict, verify::Verdict::kVerified)
          << "case " << i << ", " << cost::ObjectiveName(objective) << ": " << report.reason << "\n"
          << testing::Describe(c.workload, c.chain, certificate->mapping, c.policy);
    }
  }
}

/// The best mapping and the next one that costs more, by complete enumeration.
struct Ranking {
  double best = kInfinity;
  double second = kInfinity;
  mapping::Mapping best_mapping;
  mapping::Mapping second_mapping;
};

/// Nothing when there is no mapping, or there are too many.
std::optional<Ranking> Rank(const Case& c, const cost::Evaluator& evaluator,
                            cost::Objective objective, const mapping::Constraints* constraints) {
  Ranking r;
  const std::int64_t mappings = testing::ForEachMapping(
      c.workload, c.chain, evaluator.compiled().any_network_cost, kMostMappings,
      [&](const mapping::Mapping& mapping) {
        if (constraints != nullptr && !Satisfies(*constraints, c.workload, mapping)) {
          return;
        }
        const double value = evaluator.Evaluate(mapping).value(objective);
        if (value < r.best * (1 - 1e-7)) {
          r = {value, r.best, mapping, r.best_mapping};
        } else if (value > r.best * (1 + 1e-7) && value < r.second) {
          r.second = value;
          r.second_mapping = mapping;
        }
      });
  return mappings > 0 && r.best < kInfinity ? std::optional(r) : std::nullopt;
}

/// The truth is verified, the lie is not. Adds the lies told.
void ExpectOnlyTheBest(const Case& c, const cost::Evaluator& evaluator,
                       const mapping::Constraints* constraints, std::uint64_t& lies) {
  for (const cost::Objective objective : kObjectives) {
    const auto ranking = Rank(c, evaluator, objective, constraints);
    if (!ranking) {
      return;
    }
    const auto check = [&](const mapping::Mapping& mapping) {
      return verify::Check(evaluator, constraints,
                           Pretend(evaluator, objective, mapping, constraints), kLimits);
    };
    const auto detail = [&](const verify::Report& report) {
      return std::string(cost::ObjectiveName(objective)) + ": " + report.reason + "\n" +
             testing::Describe(c.workload, c.chain, ranking->best_mapping, c.policy);
    };
    const verify::Report truth = check(ranking->best_mapping);
    ASSERT_EQ(truth.verdict, verify::Verdict::kVerified) << detail(truth);
    if (ranking->second < kInfinity) {
      ++lies;
      const verify::Report lie = check(ranking->second_mapping);
      ASSERT_EQ(lie.verdict, verify::Verdict::kRejected) << detail(lie);
      ASSERT_NE(lie.reason.find("beats the bound"), std::string::npos) << detail(lie);
    }
  }
}

TEST(CertificateProperty, TheSecondBestIsRejected) {
  std::uint64_t lies = 0;
  for (std::uint64_t i = 0; lies < testing::AtLeastOneScaled(300); ++i) {
    const Case c = MakeCase(1'000'000 + i, 48);
    const auto evaluator = cost::Evaluator::Create(c.workload, c.chain, c.policy);
    if (evaluator) {
      ASSERT_NO_FATAL_FAILURE(ExpectOnlyTheBest(c, *evaluator, nullptr, lies)) << "case " << i;
    }
  }
}

/// Whether copies of several dims of one window share words on their way through a fan-out.
bool MergesDiagonals(const cost::Evaluator& evaluator, const mapping::Mapping& mapping) {
  const cost::Compiled& c = evaluator.compiled();
  for (int l = 0; l < c.levels; ++l) {
    std::uint32_t unrolled = 0;
    for (const auto& loops :
         {mapping.levels[cost::Index(l)].spatial_x, mapping.levels[cost::Index(l)].spatial_y}) {
      for (const mapping::Loop& loop : loops) {
        unrolled |= 1U << static_cast<unsigned>(loop.dim);
      }
    }
    for (int t = 0; t < c.tensors; ++t) {
      const cost::CompiledTensor& tensor = c.tensor[cost::Index(t)];
      const cost::CompiledLevel& level = c.level[cost::Index(l)];
      for (int a = 0; a < tensor.axes; ++a) {
        const auto terms = std::ranges::count_if(
            tensor.axis[cost::Index(a)],
            [&](const mapping::WorkloadTerm& term) { return cost::HasBit(unrolled, term.dim); });
        if (terms > 1 && (tensor.is_output ? level.reduction : level.multicast)) {
          return true;
        }
      }
    }
  }
  return false;
}

// The best there is, where that rests on a merge that depends on the tile.
TEST(CertificateProperty, BestByDiagonalsIsVerifiedAndTheNextRejected) {
  std::uint64_t lies = 0;
  testing::SmallCases cases(4711, 8'000'000, 24, 30);
  while (cases.Next()) {
    const auto best = Rank(cases.here(), cases.evaluator(), cost::Objective::kEnergy, nullptr);
    if (!best || !MergesDiagonals(cases.evaluator(), best->best_mapping)) {
      cases.Skip();
      continue;
    }
    ASSERT_NO_FATAL_FAILURE(ExpectOnlyTheBest(cases.here(), cases.evaluator(), nullptr, lies))
        << "case " << cases.number();
  }
}

TEST(CertificateProperty, TheSecondBestUnderConstraintsIsRejected) {
  std::uint64_t lies = 0;
  for (std::uint64_t i = 0; lies < testing::AtLeastOneScaled(300); ++i) {
    const Case c = MakeCase(5'000'000 + i, 48);
    const auto evaluator = cost::Evaluator::Create(c.workload, c.chain, c.policy);
    if (!evaluator) {
      continue;
    }
    Rng rng = Rng(7).Split(i);
    std::optional<mapping::Mapping> any;
    testing::ForEachMapping(c.workload, c.chain, evaluator->compiled().any_network_cost,
                            kMostMappings, [&](const mapping::Mapping& mapping) {
                              if (!any || rng.Below(50) == 0) {
                                any = mapping;
                              }
                            });
    if (any) {
      const mapping::Constraints constraints =
          testing::ConstraintsFrom(*any, c.workload.tensors.size(), rng);
      ASSERT_NO_FATAL_FAILURE(ExpectOnlyTheBest(c, *evaluator, &constraints, lies)) << "case " << i;
    }
  }
}

// On problems too large to enumerate: a mapping that annealing stopped at, claimed optimal, though
// the exact mapper knows a better one.
TEST(CertificateProperty, NearMissesAreRejected) {
  std::uint64_t compared = 0;
  for (std::uint64_t i = 0; compared < testing::AtLeastOneScaled(150); ++i) {
    const Case c = MakeCase(4'000'000 + i, 4'000);
    const auto evaluator = cost::Evaluator::Create(c.workload, c.chain, c.policy);
    const cost::Objective objective = kObjectives[i % 3];
    mapper::Budget proof;
    proof.evaluations = 100'000;
    const auto certificate = evaluator ? Prove(*evaluator, objective, proof) : std::nullopt;
    if (!certificate) {
      continue;
    }
    mapper::Problem problem;
    problem.evaluator = &*evaluator;
    problem.objective = objective;
    std::optional<mapper::Result> nearest;
    for (problem.seed = 1; problem.seed <= 8; ++problem.seed) {
      mapper::Budget budget;
      budget.evaluations = std::int64_t{8} << problem.seed;
      mapper::Result result = mapper::AnnealingMapper().Solve(problem, budget);
      if (result.best &&
          result.score.value(objective) > certificate->score.value(objective) * (1 + 1e-7) &&
          (!nearest || result.score.value(objective) < nearest->score.value(objective))) {
        nearest = std::move(result);
      }
    }
    if (!nearest) {
      continue;
    }
    ++compared;
    const verify::Report report =
        verify::Check(*evaluator, nullptr, Pretend(*evaluator, objective, *nearest->best), kLimits);
    ASSERT_EQ(report.verdict, verify::Verdict::kRejected)
        << "case " << i << ", " << cost::ObjectiveName(objective) << ": " << report.reason << "\n"
        << testing::Describe(c.workload, c.chain, certificate->mapping, c.policy);
  }
}

struct Mutation {
  std::string what;
  cost::Certificate certificate;
};

/// Every small change of a certificate that makes it claim something else.
std::vector<Mutation> Mutations(const cost::Certificate& original, int tensors) {
  std::vector<Mutation> all;
  const auto add = [&](const std::string& what,
                       const std::function<void(cost::Certificate&)>& change) {
    Mutation mutation{what, original};
    change(mutation.certificate);
    all.push_back(std::move(mutation));
  };
  add("version", [](auto& c) { ++c.version; });
  add("problem", [](auto& c) { c.problem[0] = c.problem[0] == '0' ? '1' : '0'; });
  add("energy up", [](auto& c) { c.score.energy_pj *= 1 + 1e-12; });
  add("energy down", [](auto& c) { c.score.energy_pj *= 0.5; });
  add("cycles up", [](auto& c) { c.score.cycles += 1; });
  add("cycles down", [](auto& c) { c.score.cycles -= 1; });
  add("bound up", [](auto& c) { c.bound *= 1 + 1e-6; });
  add("bound down", [](auto& c) { c.bound *= 0.999; });
  for (std::size_t l = 0; l < original.mapping.levels.size(); ++l) {
    for (int t = 0; t < tensors; ++t) {
      add("keep", [l, t](auto& c) { c.mapping.levels[l].keep ^= 1U << static_cast<unsigned>(t); });
    }
    for (const auto list : {&mapping::LevelMapping::temporal, &mapping::LevelMapping::spatial_x,
                            &mapping::LevelMapping::spatial_y}) {
      const mapping::LoopList& loops = original.mapping.levels[l].*list;
      for (std::size_t i = 0; i < loops.size(); ++i) {
        add("loop longer", [l, list, i](auto& c) {
          mapping::Loop& loop = (c.mapping.levels[l].*list)[i];
          loop = mapping::PerfectLoop(loop.dim, loop.bound + 1);
        });
        add("loop shorter", [l, list, i](auto& c) {
          mapping::Loop& loop = (c.mapping.levels[l].*list)[i];
          loop = mapping::PerfectLoop(loop.dim, loop.bound - 1);
        });
        add("loop ragged", [l, list, i](auto& c) { --(c.mapping.levels[l].*list)[i].last; });
        add("loop gone", [l, list, i](auto& c) { (c.mapping.levels[l].*list).erase(i); });
        add("loop elsewhere", [l, list, i](auto& c) {
          const mapping::Loop loop = (c.mapping.levels[l].*list)[i];
          (c.mapping.levels[l].*list).erase(i);
          const std::size_t other = (l + 1) % c.mapping.levels.size();
          if (!c.mapping.levels[other].temporal.full()) {
            c.mapping.levels[other].temporal.push_back(loop);
          }
        });
        if (i > 0) {
          add("loops swapped", [l, list, i](auto& c) {
            std::swap((c.mapping.levels[l].*list)[i - 1], (c.mapping.levels[l].*list)[i]);
          });
        }
      }
    }
  }
  return all;
}

// A change may leave a true certificate only where it changes a mapping into another of equal cost.
TEST(CertificateProperty, AlteredOnesAreRejected) {
  std::uint64_t altered = 0;
  std::uint64_t harmless = 0;
  for (std::uint64_t i = 0; altered < testing::AtLeastOneScaled(10'000); ++i) {
    const Case c = MakeCase(2'000'000 + i, 100);
    const auto evaluator = cost::Evaluator::Create(c.workload, c.chain, c.policy);
    if (!evaluator || c.chain.levels.size() < 2) {
      continue;
    }
    const auto certificate = Prove(*evaluator, kObjectives[i % 3]);
    if (!certificate || certificate->score.value(kObjectives[i % 3]) <= 0) {
      continue;
    }
    for (const Mutation& mutation :
         Mutations(*certificate, static_cast<int>(c.workload.tensors.size()))) {
      ++altered;
      const verify::Report report =
          verify::Check(*evaluator, nullptr, mutation.certificate, kLimits);
      if (report.verdict == verify::Verdict::kRejected) {
        ASSERT_FALSE(report.reason.empty());
        continue;
      }
      ++harmless;
      const mapping::Mapping& mapping = mutation.certificate.mapping;
      ASSERT_FALSE(mapping == certificate->mapping)
          << "case " << i << ": " << mutation.what << "\n"
          << testing::Describe(c.workload, c.chain, mapping, c.policy);
      ASSERT_TRUE(mapping::CheckMapping(c.workload, c.chain, mapping).empty());
      ASSERT_EQ(evaluator->Evaluate(mapping).energy_pj, certificate->score.energy_pj);
      ASSERT_EQ(evaluator->Evaluate(mapping).cycles, certificate->score.cycles);
    }
  }
  EXPECT_LT(harmless, altered / 10);
}

TEST(CertificateProperty, OtherProblemsAreRejected) {
  for (std::uint64_t i = 0, compared = 0; compared < testing::AtLeastOneScaled(200); ++i) {
    const Case c = MakeCase(3'000'000 + i, 100);
    const auto evaluator = cost::Evaluator::Create(c.workload, c.chain, c.policy);
    const auto certificate = evaluator ? Prove(*evaluator, kObjectives[i % 3]) : std::nullopt;
    if (!certificate) {
      continue;
    }
    ++compared;
    std::vector<Case> others(6, c);
    others[0].chain.levels[0].memory.read_pj += 1;
    others[1].chain.levels.back().memory.capacity_words = 1'000'000'007;
    others[2].chain.levels.back().fan_out.x += 1;
    others[3].workload.bounds[0] *= 2;
    others[4].policy.first_read_elision = !c.policy.first_read_elision;
    others[5].chain.compute.leakage_pj_per_cycle += 1;
    for (const Case& other : others) {
      const auto elsewhere = cost::Evaluator::Create(other.workload, other.chain, other.policy);
      ASSERT_TRUE(elsewhere);
      const verify::Report report = verify::Check(*elsewhere, nullptr, *certificate, kLimits);
      ASSERT_EQ(report.verdict, verify::Verdict::kRejected) << "case " << i;
    }
    cost::Certificate renamed = *certificate;
    renamed.objective = kObjectives[(i + 1) % 3];
    const verify::Report report = verify::Check(*evaluator, nullptr, renamed, kLimits);
    // Cycles of one make energy and EDP the same.
    EXPECT_TRUE(report.verdict == verify::Verdict::kRejected ||
                renamed.score.value(renamed.objective) ==
                    certificate->score.value(certificate->objective))
        << "case " << i;
  }
}

}  // namespace
}  // namespace sluice
