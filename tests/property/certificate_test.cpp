// Certificates of the exact mapper are verified, false ones are not. The sharpest lie there is: the
// second best mapping of a complete enumeration, claimed optimal, with a list of cells that fits.
// SLUICE_PROPERTY_CASES multiplies the number of cases.

#include "cost/certificate.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <limits>
#include <optional>
#include <string>
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
#include "testing/generators.h"
#include "testing/nests.h"
#include "testing/walker_case.h"
#include "verify/verify.h"

namespace sluice {
namespace {

constexpr std::array kObjectives = {cost::Objective::kEnergy, cost::Objective::kLatency,
                                    cost::Objective::kEdp};
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::int64_t kMostMappings = 10'000;
constexpr verify::Limits kLimits = {60, nullptr};

std::uint64_t Cases(std::uint64_t base) {
  const char* scale = std::getenv("SLUICE_PROPERTY_CASES");
  const double factor = scale != nullptr ? std::atof(scale) : 1.0;
  return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(static_cast<double>(base) * factor));
}

struct Case {
  mapping::Workload workload;
  arch::Chain chain;
  cost::Policy policy;
};

Case MakeCase(std::uint64_t number, std::uint32_t points) {
  Rng rng = Rng(4711).Split(number);
  Case c;
  const auto kind = static_cast<testing::WorkloadKind>(rng.Below(testing::kWorkloadKinds));
  c.workload = testing::RandomWorkload(rng, kind, 8 + static_cast<std::int64_t>(rng.Below(points)));
  c.chain = testing::RandomChain(rng);
  c.policy = testing::RandomPolicy(rng);
  return c;
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
  for (std::uint64_t i = 0; proven < Cases(300); ++i) {
    const Case c = MakeCase(i, 400);
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
  for (std::uint64_t i = 0; compared < Cases(300); ++i) {
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

}  // namespace
}  // namespace sluice
