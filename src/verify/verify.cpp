#include "verify/verify.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
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
/// The same for the bounds of listed cells.
constexpr double kNear = 1e-7;
/// Cells of nearly equal bound are listed together or not at all: no list has a longer tail.
constexpr double kTied = 1e-3;
/// Between the bound and the objective of a certified mapping.
constexpr double kGap = 1e-8;
constexpr double kMaxTiles = 1e6;

bool Near(double a, double b) {
  return std::abs(a - b) <= kNear * std::max(std::abs(a), std::abs(b));
}

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

/// Compares the list with the checker's own cells, both by rising bound.
std::string CheckCells(const Grid& grid, const cost::Certificate& certificate,
                       const std::vector<Search::Cell>& cells) {
  const auto below = [&cells](double bound) {
    return std::ranges::count_if(cells, [bound](const Search::Cell& c) { return c.bound < bound; });
  };
  const double bound = certificate.bound;
  if (certificate.open_cells < below(bound * (1 - kNear)) ||
      certificate.open_cells > static_cast<std::int64_t>(cells.size())) {
    return fmt::format("{} cells are open, not {}", below(bound), certificate.open_cells);
  }
  // A list that ends early has as many cells as are allowed, and no two of equal bound apart.
  const double end = certificate.listed_below;
  const bool all = end == bound;
  if (all ? certificate.open_cells != static_cast<std::int64_t>(certificate.cells.size())
          : below(end * (1 + kTied)) <= static_cast<std::int64_t>(cost::kMaxListedCells)) {
    return "the list of cells is shorter than it says";
  }
  std::vector<bool> found(cells.size(), false);
  for (const cost::CertificateCell& claimed : certificate.cells) {
    const auto dims = static_cast<std::size_t>(grid.dims());
    if (claimed.tile.size() != dims || claimed.space.size() != dims) {
      return "a listed cell has another number of dims";
    }
    const Code tile = grid.Find(claimed.tile);
    const Code space = grid.Find(claimed.space);
    const auto own = std::ranges::find_if(cells, [&](const Search::Cell& c) {
      return c.tile == tile && c.spread->factors == space && c.keep == claimed.keep;
    });
    if (tile < 0 || space < 0 || own == cells.end()) {
      return "a listed cell is not open or does not exist";
    }
    const auto at = static_cast<std::size_t>(own - cells.begin());
    if (found[at]) {
      return "a cell is listed twice";
    }
    found[at] = true;
    if (!all && claimed.bound >= end * (1 - kNear)) {
      return "a cell is listed beyond the end of the list";
    }
    if (!Near(claimed.bound, own->bound)) {
      return fmt::format("the bound of a cell is {}, not {}", own->bound, claimed.bound);
    }
  }
  // The first that is not listed must be where the list says that it ends.
  const auto missing = std::ranges::find(found, false);
  if (missing == found.end()) {
    return {};
  }
  const double first = cells[static_cast<std::size_t>(missing - found.begin())].bound;
  if (first < end * (1 - kNear) || (!all && !Near(first, end))) {
    return fmt::format("a cell with bound {} is missing", first);
  }
  return {};
}

Report Rejection(std::string reason) {
  Report report;
  report.verdict = Verdict::kRejected;
  report.reason = std::move(reason);
  return report;
}

/// `certificate` is null when there is no list to compare.
Report Judge(const cost::Evaluator& evaluator, const mapping::Constraints* constraints,
             const Claim& claim, const cost::Certificate* certificate, const Limits& limits) {
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
  if (grid.levels() == 1) {
    search.Open(nullptr);
  } else {
    const std::vector<Search::Cell> cells = search.ListCells(claim.bound * (1 + kNear));
    report.cells = search.nodes();
    report.opened = static_cast<std::int64_t>(cells.size());
    if (certificate != nullptr && !search.late()) {
      reason = CheckCells(grid, *certificate, cells);
      if (!reason.empty()) {
        return Rejection(std::move(reason));
      }
    }
    for (std::size_t i = 0; i < cells.size() && !search.late() && !search.better(); ++i) {
      search.Open(&cells[i]);
    }
  }
  report.nodes = search.nodes();
  report.mappings = search.mappings();
  if (search.better()) {
    report.verdict = Verdict::kRejected;
    report.reason = fmt::format("a mapping with {} pJ and {} cycles beats the bound",
                                search.better_score().energy_pj, search.better_score().cycles);
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
  return Timed([&] { return Judge(evaluator, constraints, claim, nullptr, limits); });
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
    if (evaluator.compiled().levels == 1 && !certificate.cells.empty()) {
      return Rejection("a machine of one level has no cells");
    }
    const double value = certificate.score.value(certificate.objective);
    if (!(certificate.bound >= value * (1 - kGap))) {
      return Rejection(
          fmt::format("the bound {} leaves a gap to the objective {}", certificate.bound, value));
    }
    return Judge(evaluator, constraints,
                 {certificate.objective, certificate.mapping, certificate.score, certificate.bound},
                 &certificate, limits);
  });
}

}  // namespace sluice::verify
