// One operator: its cost, its mapping, and the explanation of both.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "cost/cost.h"
#include "cost/policy.h"
#include "driver/driver.h"
#include "driver/explain.h"
#include "driver/render.h"
#include "driver/sorting.h"
#include "driver/table.h"

namespace sluice::driver {
namespace {

std::string Loops(const std::vector<LoopNote>& loops, const Explanation& explanation) {
  std::string text;
  for (const LoopNote& loop : loops) {
    const std::string_view where = loop.axis == LoopAxis::kTime ? "at"
                                   : loop.axis == LoopAxis::kX  ? "on X of"
                                                                : "on Y of";
    text += fmt::format("{}{}:{} {} {}", text.empty() ? "" : ", ", loop.dim, loop.bound, where,
                        explanation.level_names[static_cast<std::size_t>(loop.level)]);
  }
  return text;
}

/// Breaks at blanks so that no line exceeds 80 columns.
std::string Wrapped(const std::string& label, const std::string& text) {
  constexpr std::size_t kWidth = 80;
  const std::string indent(23, ' ');
  std::string out = fmt::format("     {:<18}", label);
  std::size_t column = out.size();
  std::size_t begin = 0;
  while (begin < text.size()) {
    std::size_t end = text.find(' ', begin);
    end = end == std::string::npos ? text.size() : end + 1;
    const std::string piece = text.substr(begin, end - begin);
    if (column + piece.size() > kWidth && column > indent.size()) {
      out.erase(out.find_last_not_of(' ') + 1);
      out += "\n" + indent;
      column = indent.size();
    }
    out += piece;
    column += piece.size();
    begin = end;
  }
  out.erase(out.find_last_not_of(' ') + 1);
  return out + "\n";
}

std::string RenderTerm(const Explanation& explanation, const TrafficTerm& term, std::size_t rank) {
  const std::string& level = explanation.level_names[static_cast<std::size_t>(term.level)];
  const std::string& tensor = explanation.tensor_labels[static_cast<std::size_t>(term.tensor)];
  const std::string inner = term.inner < 0
                                ? "the compute unit"
                                : explanation.level_names[static_cast<std::size_t>(term.inner)];
  std::string text =
      fmt::format("  {}. {} of the energy: {} at {}, {}\n", rank, Percent(term.share), tensor,
                  level, HumanEnergy(term.access_energy_pj + term.network_energy_pj));
  const std::int64_t words = term.is_output ? term.updates : term.reads;
  const double product = static_cast<double>(term.inner_tile_words) *
                         static_cast<double>(term.deliveries) * static_cast<double>(term.places);
  text +=
      Wrapped(term.is_output ? "updates" : "reads",
              fmt::format("{} words {} {}", Grouped(words), term.is_output ? "from" : "to", inner));
  text += Wrapped("", fmt::format("tile of {} words, x {} times, x {} places = {}",
                                  Grouped(term.inner_tile_words), Grouped(term.deliveries),
                                  Grouped(term.places), HumanCount(product)));
  if (!term.exact.empty()) {
    text += Wrapped("exactly", term.exact);
  } else if (product != static_cast<double>(words)) {
    text += Wrapped("", "(the count is exact: overlap, ragged edges, first visits differ)");
  }
  const auto list = [&](const char* label, const std::vector<LoopNote>& loops) {
    text += loops.empty() ? "" : Wrapped(label, Loops(loops, explanation));
  };
  list("another tile for", term.moving);
  list("again for", term.repeating);
  list("kept during", term.reusing);
  list("spread over", term.spreading);
  list(term.is_output ? "summed over" : "shared by", term.sharing);
  if (term.is_output && term.reads > 0) {
    text += Wrapped("reads", fmt::format("{} words of partial sums and results on the way out",
                                         Grouped(term.reads)));
  }
  if (term.fills > 0) {
    text += Wrapped("fills", Grouped(term.fills) + " words from outside");
  }
  return text;
}

std::string TrafficTable(const Explanation& explanation) {
  Table table({{"level", Table::Align::kLeft, 11},
               {"tensor", Table::Align::kLeft, 10},
               {"tile", Table::Align::kRight},
               {"reads", Table::Align::kRight},
               {"fills", Table::Align::kRight},
               {"updates", Table::Align::kRight},
               {"energy", Table::Align::kRight},
               {"", Table::Align::kRight}});
  const auto count = [](std::int64_t value) { return HumanCount(static_cast<double>(value)); };
  for (const TrafficTerm& term : explanation.traffic) {
    table.Add({explanation.level_names[static_cast<std::size_t>(term.level)],
               explanation.tensor_labels[static_cast<std::size_t>(term.tensor)],
               count(term.tile_words), count(term.reads), count(term.fills), count(term.updates),
               HumanEnergy(term.access_energy_pj + term.network_energy_pj), Percent(term.share)});
  }
  const double total = explanation.cost.score.energy_pj;
  const auto rest = [&](const std::string& name, double energy) {
    if (energy > 0) {
      table.Add({name, "", "", "", "", "", HumanEnergy(energy), Percent(energy / total)});
    }
  };
  rest("compute", explanation.cost.compute_energy_pj);
  rest("leakage", explanation.cost.leakage_pj);
  return table.Render();
}

std::string LatencyTable(const Explanation& explanation) {
  Table table({{"resource", Table::Align::kLeft, 40},
               {"cycles", Table::Align::kRight},
               {"", Table::Align::kLeft}});
  for (const LatencyTerm& term : explanation.latency) {
    table.Add({term.resource, Grouped(static_cast<std::int64_t>(term.cycles)),
               term.binds ? "<- binds" : ""});
  }
  return table.Render();
}

}  // namespace

std::string RenderEvaluation(const Evaluation& evaluation) {
  const cost::Cost& cost = evaluation.cost;
  std::string text = fmt::format("{} on {}, {} policy\n", evaluation.workload.name,
                                 evaluation.architecture_name, cost::PolicyText(evaluation.policy));
  text += fmt::format("  energy       {}  (no mapping needs less than {})\n",
                      HumanEnergy(cost.score.energy_pj), HumanEnergy(evaluation.bound_energy_pj));
  text += fmt::format("  cycles       {}  (no mapping needs less than {})\n",
                      Grouped(static_cast<std::int64_t>(cost.score.cycles)),
                      Grouped(static_cast<std::int64_t>(evaluation.bound_cycles)));
  text += fmt::format("  EDP          {:.6g} pJ x cycles\n", cost.score.edp());
  text += fmt::format("  utilization  {}  ({} of {} compute units)\n", Percent(cost.utilization),
                      Grouped(cost.instances_used), Grouped(evaluation.chain.compute_instances()));
  const Explanation& explanation = evaluation.explanation;
  text += "\n" + explanation.loop_nest;
  text += "\n" + TrafficTable(explanation);
  text += "\n" + LatencyTable(explanation);
  return text;
}

std::string RenderSearch(const MapOutcome& outcome) {
  std::string text = RenderEvaluation(outcome.evaluation);
  text += fmt::format(
      "\n  {} mapper, {} objective, seed {}:\n  {} evaluations in {:.2f} s, stopped: {}\n",
      outcome.mapper, outcome.objective, outcome.seed, Grouped(outcome.evaluations),
      outcome.seconds, outcome.stopped);
  return text;
}

std::string RenderExplanation(const Explanation& explanation, int top) {
  const cost::Cost& cost = explanation.cost;
  std::string text =
      fmt::format("{}: {}, {} cycles\n", explanation.title, HumanEnergy(cost.score.energy_pj),
                  Grouped(static_cast<std::int64_t>(cost.score.cycles)));
  for (std::size_t t = 0; t < explanation.tensor_names.size(); ++t) {
    if (explanation.tensor_labels[t] != explanation.tensor_names[t]) {
      text += fmt::format("  {:<8} {}\n", explanation.tensor_labels[t],
                          Shorten(explanation.tensor_names[t], 68));
    }
  }
  text += "\n" + explanation.loop_nest;
  text += "\nWhere the energy goes (words, energy, share)\n" + TrafficTable(explanation);
  text += "\nWhat binds the latency (cycles that each resource alone would need)\n" +
          LatencyTable(explanation);
  std::vector<const TrafficTerm*> terms;
  for (const TrafficTerm& term : explanation.traffic) {
    terms.push_back(&term);
  }
  SortLargestFirst(terms, [](const TrafficTerm* term) { return term->share; });
  terms.resize(std::min(terms.size(), static_cast<std::size_t>(top)));
  text += "\nHow the largest terms come about\n";
  for (std::size_t i = 0; i < terms.size(); ++i) {
    text += RenderTerm(explanation, *terms[i], i + 1);
  }
  return text;
}

}  // namespace sluice::driver
