// One operator with a mapping: what it costs and what the mapping is.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include <fmt/format.h>

#include "base/diagnostic.h"
#include "base/text.h"
#include "cost/cost.h"
#include "cost/policy.h"
#include "driver/driver.h"
#include "driver/explain/explain.h"
#include "driver/text/page.h"
#include "driver/text/parts.h"
#include "driver/text/render.h"
#include "driver/text/table.h"

namespace sluice::driver {

Page EvaluationSummary(const Evaluation& evaluation) {
  const cost::Cost& cost = evaluation.cost;
  Page page;
  page.Add(fmt::format("  energy       {}  (no mapping needs less than {})",
                       HumanEnergy(cost.score.energy_pj), HumanEnergy(evaluation.bound_energy_pj)));
  page.Add(fmt::format("  cycles       {}  (no mapping needs less than {})",
                       Grouped(static_cast<std::int64_t>(cost.score.cycles)),
                       Grouped(static_cast<std::int64_t>(evaluation.bound_cycles))));
  page.Add(fmt::format("  EDP          {:.6g} pJ x cycles", cost.score.edp()));
  page.Add(fmt::format("  utilization  {}  ({} of {} compute units)", Percent(cost.utilization),
                       Grouped(cost.instances_used),
                       Grouped(evaluation.chain.compute_instances())));
  return page;
}

Page TrafficTable(const Explanation& explanation) {
  Table table({{"level", Table::Align::kLeft, 11},
               {"tensor", Table::Align::kLeft, 10},
               {"tile", Table::Align::kRight},
               {"reads", Table::Align::kRight},
               {"fills", Table::Align::kRight},
               {"updates", Table::Align::kRight},
               {"energy", Table::Align::kRight},
               {"", Table::Align::kRight}});
  const auto count = [](std::int64_t value) { return HumanCount(static_cast<double>(value)); };
  const double total = explanation.cost.score.energy_pj;
  const double compute = explanation.cost.compute_energy_pj;
  const double leakage = explanation.cost.leakage_pj;
  double most = std::max(compute, leakage);
  for (const TrafficTerm& term : explanation.traffic) {
    most = std::max(most, term.access_energy_pj + term.network_energy_pj);
  }
  const auto emphasis = [most](double energy) {
    return energy == most ? Emphasis::kStrong : Emphasis::kNone;
  };
  for (const TrafficTerm& term : explanation.traffic) {
    const double energy = term.access_energy_pj + term.network_energy_pj;
    table.Add({explanation.level_names[static_cast<std::size_t>(term.level)],
               explanation.tensor_labels[static_cast<std::size_t>(term.tensor)],
               count(term.tile_words), count(term.reads), count(term.fills), count(term.updates),
               HumanEnergy(energy), Percent(term.share)},
              emphasis(energy));
  }
  const auto rest = [&](const std::string& name, double energy) {
    if (energy > 0) {
      table.Add({name, "", "", "", "", "", HumanEnergy(energy), Percent(energy / total)},
                emphasis(energy));
    }
  };
  rest("compute", compute);
  rest("leakage", leakage);
  return table.Lines();
}

Page LatencyTable(const Explanation& explanation) {
  Table table({{"resource", Table::Align::kLeft, 40},
               {"cycles", Table::Align::kRight},
               {"", Table::Align::kLeft}});
  for (const LatencyTerm& term : explanation.latency) {
    table.Add({term.resource, Grouped(static_cast<std::int64_t>(term.cycles)),
               term.binds ? "<- binds" : ""},
              term.binds ? Emphasis::kStrong : Emphasis::kNone);
  }
  return table.Lines();
}

Page RenderEvaluation(const Evaluation& evaluation) {
  Page page;
  page.Heading(fmt::format("{} on {}, {} policy", evaluation.workload.name,
                           evaluation.architecture_name, cost::PolicyText(evaluation.policy)));
  page.Add(EvaluationSummary(evaluation));
  page.Add("");
  page.Add(evaluation.explanation.loop_nest);
  page.Add("");
  page.Add(TrafficTable(evaluation.explanation));
  page.Add("");
  page.Add(LatencyTable(evaluation.explanation));
  return page;
}

namespace {

/// How good the mapping is known to be.
std::string Verdict(const MapOutcome& outcome) {
  if (outcome.stopped == "proven") {
    return "proven optimal";
  }
  const cost::Score& score = outcome.evaluation.cost.score;
  const Result<cost::Objective> objective = cost::ParseObjective(outcome.objective);
  if (!objective || outcome.bound <= 0) {
    return "no bound";
  }
  return fmt::format("at most {:.3g} % above the optimum",
                     100.0 * (score.value(*objective) / outcome.bound - 1));
}

}  // namespace

Page RenderSearch(const MapOutcome& outcome) {
  Page page = RenderEvaluation(outcome.evaluation);
  page.Add("");
  page.Add(fmt::format("  {} mapper, {} objective, seed {}: {}", outcome.mapper, outcome.objective,
                       outcome.seed, Verdict(outcome)));
  page.Add(fmt::format("  {} evaluations in {:.2f} s, stopped: {}", Grouped(outcome.evaluations),
                       outcome.seconds, outcome.stopped));
  if (outcome.ruled_out > 0) {
    page.Add(fmt::format("  {} partial mappings looked at, {:.1f} % ruled out by a bound",
                         Grouped(outcome.candidates),
                         100.0 * static_cast<double>(outcome.ruled_out) /
                             static_cast<double>(std::max<std::int64_t>(1, outcome.candidates))));
  }
  if (!outcome.constraints.empty()) {
    page.Add("  constraints satisfied: " + outcome.constraints);
  }
  return page;
}

Page RenderFront(const FrontOutcome& outcome) {
  Page page;
  page.Heading(fmt::format("{} on {}, {} policy", outcome.workload.name, outcome.architecture_name,
                           cost::PolicyText(outcome.policy)));
  const cost::Score& least = outcome.points.front().score;
  const cost::Score& fastest = outcome.points.back().score;
  Table table({{"energy", Table::Align::kRight},
               {"of least", Table::Align::kRight},
               {"cycles", Table::Align::kRight},
               {"of least", Table::Align::kRight},
               {"EDP", Table::Align::kRight}});
  for (const FrontOutcome::Point& point : outcome.points) {
    table.Add({HumanEnergy(point.score.energy_pj),
               fmt::format("{:.3f}", point.score.energy_pj / least.energy_pj),
               Grouped(static_cast<std::int64_t>(point.score.cycles)),
               fmt::format("{:.3f}", point.score.cycles / fastest.cycles),
               fmt::format("{:.4g}", point.score.edp())});
  }
  page.Add(table.Lines());
  page.Add("");
  page.Add(fmt::format(
      "  {} mappings that none beats in both, {} ({:.2f} s)", outcome.points.size(),
      outcome.proven ? "proven complete" : "stopped by " + outcome.stopped + ": there may be more",
      outcome.seconds));
  return page;
}

}  // namespace sluice::driver
