#include "verify/verify.h"

#include <chrono>
#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cost/certificate.h"
#include "cost/cost.h"
#include "cost/evaluator.h"
#include "mapping/constraints.h"
#include "mapping/mapping.h"
#include "verify/grid.h"
#include "verify/search.h"

namespace sluice::verify {
namespace {

/// The search adds the same figures in other orders: what differs by less is equal.
constexpr double kEqual = 1e-9;
/// Between the bound and the objective of a certified mapping.
constexpr double kGap = 1e-8;
constexpr double kMaxTiles = 1e6;

/// Everything that needs no search. Empty: nothing is wrong.
std::string CheckMapping(const cost::Evaluator& evaluator, const mapping::Constraints* constraints,
                         const Claim& claim) {
  const auto violations =
      mapping::CheckMapping(evaluator.workload(), evaluator.chain(), claim.mapping);
  if (!violations.empty()) {
    return "the mapping is not valid: " + violations.front().message;
  }
  if (constraints != nullptr && !Satisfies(*constraints, evaluator.workload(), claim.mapping)) {
    return "the mapping breaks the constraints";
  }
  const cost::Score score = evaluator.Evaluate(claim.mapping);
  if (score.energy_pj != claim.score.energy_pj || score.cycles != claim.score.cycles) {
    return fmt::format("the mapping costs {} pJ and {} cycles, not {} pJ and {} cycles",
                       score.energy_pj, score.cycles, claim.score.energy_pj, claim.score.cycles);
  }
  const double value = score.value(claim.objective);
  if (!(claim.bound <= value)) {
    return fmt::format("the bound {} is above the objective {} of its own mapping", claim.bound,
                       value);
  }
  return {};
}

Report Rejection(std::string reason) {
  Report report;
  report.verdict = Verdict::kRejected;
  report.reason = std::move(reason);
  return report;
}

Report Judge(const cost::Evaluator& evaluator, const mapping::Constraints* constraints,
             const Claim& claim, const Limits& limits) {
  std::string reason = CheckMapping(evaluator, constraints, claim);
  if (!reason.empty()) {
    return Rejection(std::move(reason));
  }
  Report report;
  if (Grid::CountTiles(evaluator) > kMaxTiles) {
    report.reason = "the operator has too many tile sizes to check";
    return report;
  }
  const Grid grid(evaluator, constraints);
  Search search(grid, claim.objective, claim.bound * (1 - kEqual), limits);
  search.Run();
  search.CountInto(report);
  if (const auto& better = search.better()) {
    report.verdict = Verdict::kRejected;
    report.reason = fmt::format("a mapping with {} pJ and {} cycles beats the bound",
                                better->energy_pj, better->cycles);
  } else if (search.late()) {
    report.reason = fmt::format("not finished within {} s", limits.seconds);
  } else {
    report.verdict = Verdict::kVerified;
  }
  return report;
}

Report Timed(const std::function<Report()>& judge) {
  const auto start = std::chrono::steady_clock::now();
  Report report = judge();
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

}  // namespace

Report CheckClaim(const cost::Evaluator& evaluator, const mapping::Constraints* constraints,
                  const Claim& claim, const Limits& limits) {
  return Timed([&] { return Judge(evaluator, constraints, claim, limits); });
}

Report Check(const cost::Evaluator& evaluator, const mapping::Constraints* constraints,
             const cost::Certificate& certificate, const Limits& limits) {
  return Timed([&] {
    if (certificate.version != cost::kCertificateVersion) {
      return Rejection(fmt::format("format version {} is not {}", certificate.version,
                                   cost::kCertificateVersion));
    }
    if (certificate.problem != cost::ProblemKey(evaluator, constraints)) {
      return Rejection("it belongs to another operator, architecture, policy or constraints");
    }
    const double value = certificate.score.value(certificate.objective);
    if (!(certificate.bound >= value * (1 - kGap))) {
      return Rejection(
          fmt::format("the bound {} leaves a gap to the objective {}", certificate.bound, value));
    }
    return Judge(evaluator, constraints,
                 {certificate.objective, certificate.mapping, certificate.score, certificate.bound},
                 limits);
  });
}

}  // namespace sluice::verify
