// Certificates of the exact mapper are verified, false ones are not. The sharpest lie there is: the
// second best mapping of a complete enumeration, claimed optimal, with a list of cells that fits.
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
#include "cost/cost.h"
#include "cost/evaluator.h"
#include "mapper/exact/certify.h"
#include "mapper/exact/exact.h"
#include "mapper/mapper.h"
#include "mapping/mapping.h"
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

std::optional<cost::Certificate> Prove(const cost::Evaluator& evaluator,
                                       cost::Objective objective) {
  mapper::Problem problem;
  problem.evaluator = &evaluator;
  problem.objective = objective;
  return mapper::Certify(problem, mapper::ExactMapper().Solve(problem, mapper::Budget{}));
}

/// What Certify would write if `mapping` were the best there is.
cost::Certificate Pretend(const cost::Evaluator& evaluator, cost::Objective objective,
                          const mapping::Mapping& mapping) {
  mapper::Problem problem;
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

TEST(CertificateProperty, TheSecondBestIsRejected) {
  std::uint64_t compared = 0;
  for (std::uint64_t i = 0; compared < testing::AtLeastOneScaled(300); ++i) {
    const Case c = MakeCase(1'000'000 + i, 48);
    const auto evaluator = cost::Evaluator::Create(c.workload, c.chain, c.policy);
    if (!evaluator) {
      continue;
    }
    for (const cost::Objective objective : kObjectives) {
      double best = kInfinity;
      double second = kInfinity;
      mapping::Mapping best_mapping;
      mapping::Mapping second_mapping;
      const std::int64_t mappings = testing::ForEachMapping(
          c.workload, c.chain, evaluator->compiled().any_network_cost, kMostMappings,
          [&](const mapping::Mapping& mapping) {
            const double value = evaluator->Evaluate(mapping).value(objective);
            if (value < best * (1 - 1e-7)) {
              second = best;
              second_mapping = best_mapping;
              best = value;
              best_mapping = mapping;
            } else if (value > best * (1 + 1e-7) && value < second) {
              second = value;
              second_mapping = mapping;
            }
          });
      if (mappings <= 0) {
        break;
      }
      const auto detail = [&](const verify::Report& report) {
        return "case " + std::to_string(i) + ", " + std::string(cost::ObjectiveName(objective)) +
               ": " + report.reason + "\n" +
               testing::Describe(c.workload, c.chain, best_mapping, c.policy);
      };
      const verify::Report truth =
          verify::Check(*evaluator, nullptr, Pretend(*evaluator, objective, best_mapping), kLimits);
      ASSERT_EQ(truth.verdict, verify::Verdict::kVerified) << detail(truth);
      if (second == kInfinity) {
        continue;
      }
      ++compared;
      const verify::Report lie = verify::Check(
          *evaluator, nullptr, Pretend(*evaluator, objective, second_mapping), kLimits);
      ASSERT_EQ(lie.verdict, verify::Verdict::kRejected) << detail(lie);
      ASSERT_NE(lie.reason.find("beats the bound"), std::string::npos) << detail(lie);
    }
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
  add("bound up, list too", [](auto& c) { c.listed_below = c.bound *= 1 + 1e-6; });
  add("bound down", [](auto& c) { c.bound *= 0.999; });
  add("listed below up", [](auto& c) { c.listed_below *= 1.001; });
  add("listed below down", [](auto& c) { c.listed_below *= 0.999; });
  add("open cells up", [](auto& c) { ++c.open_cells; });
  add("open cells down", [](auto& c) { --c.open_cells; });
  for (std::size_t i = 0; i < original.cells.size(); i += 1 + original.cells.size() / 8) {
    add("cell dropped", [i](auto& c) { c.cells.erase(c.cells.begin() + static_cast<long>(i)); });
    add("cell twice", [i](auto& c) { c.cells.push_back(c.cells[i]); });
    add("cell bound up", [i](auto& c) { c.cells[i].bound = c.cells[i].bound * 1.0001 + 1e-9; });
    add("cell bound down", [i](auto& c) { c.cells[i].bound = c.cells[i].bound * 0.9999 - 1e-9; });
    add("cell keep", [i](auto& c) { c.cells[i].keep ^= 1U << 7U; });
    add("cell shorter", [i](auto& c) { c.cells[i].tile.pop_back(); });
    for (std::size_t d = 0; d < original.cells[i].tile.size(); ++d) {
      add("cell tile", [i, d](auto& c) { ++c.cells[i].tile[d]; });
      add("cell space", [i, d](auto& c) { ++c.cells[i].space[d]; });
    }
  }
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
