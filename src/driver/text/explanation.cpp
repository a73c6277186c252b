// An operator taken apart: the text twin of the report's page of one operator.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "arch/architecture.h"
#include "base/text.h"
#include "cost/cost.h"
#include "cost/policy.h"
#include "driver/driver.h"
#include "driver/explain/explain.h"
#include "driver/sorting.h"
#include "driver/text/page.h"
#include "driver/text/parts.h"
#include "driver/text/render.h"
#include "driver/text/table.h"

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

/// Block accesses times their prices, which are those of the architecture file.
std::string PriceText(const Evaluation& evaluation, const TrafficTerm& term) {
  const auto level = static_cast<std::size_t>(term.level);
  const arch::Memory& memory = evaluation.chain.levels[level].memory;
  const cost::TensorTraffic& traffic =
      evaluation.cost.level[level].tensors[static_cast<std::size_t>(term.tensor)];
  std::string text;
  const auto add = [&text](std::int64_t blocks, std::string_view what, double price) {
    if (blocks > 0) {
      text += fmt::format("{}{} {} x {} pJ", text.empty() ? "" : " + ", Grouped(blocks), what,
                          ShortestDouble(price));
    }
  };
  add(traffic.read_blocks, "reads", memory.read_pj);
  add(traffic.fill_blocks, "fills", memory.fill_pj);
  add(traffic.update_blocks, "updates", memory.update_pj);
  if (memory.block_words > 1) {
    text += fmt::format(" (blocks of {} words)", memory.block_words);
  }
  if (term.network_energy_pj > 0) {
    text += fmt::format(" + {} in the network below", HumanEnergy(term.network_energy_pj));
  }
  return text;
}

Page RenderTerm(const Evaluation& evaluation, const TrafficTerm& term, std::size_t rank) {
  const Explanation& explanation = evaluation.explanation;
  const std::string& level = explanation.level_names[static_cast<std::size_t>(term.level)];
  const std::string& tensor = explanation.tensor_labels[static_cast<std::size_t>(term.tensor)];
  const std::string inner = term.inner < 0
                                ? "the compute unit"
                                : explanation.level_names[static_cast<std::size_t>(term.inner)];
  Page page;
  page.Add(fmt::format("  {}. {} of the energy: {} at {}, {}", rank, Percent(term.share), tensor,
                       level, HumanEnergy(term.access_energy_pj + term.network_energy_pj)),
           rank == 1 ? Emphasis::kStrong : Emphasis::kNone);
  const auto line = [&page](const std::string& label, const std::string& text) {
    constexpr std::size_t kIndent = 23;
    page.Add(Wrapped("     " + label, text, kIndent));
  };
  const std::int64_t words = term.is_output ? term.updates : term.reads;
  const double product = static_cast<double>(term.inner_tile_words) *
                         static_cast<double>(term.deliveries) * static_cast<double>(term.places);
  line(term.is_output ? "updates" : "reads",
       fmt::format("{} words {} {}", Grouped(words), term.is_output ? "from" : "to", inner));
  line("",
       fmt::format("tile of {} words, x {} times, x {} places = {}", Grouped(term.inner_tile_words),
                   Grouped(term.deliveries), Grouped(term.places), HumanCount(product)));
  if (!term.exact.empty()) {
    line("exactly", term.exact);
  } else if (product != static_cast<double>(words)) {
    line("", "(the count is exact: overlap, ragged edges, first visits differ)");
  }
  const auto list = [&](const char* label, const std::vector<LoopNote>& loops) {
    if (!loops.empty()) {
      line(label, Loops(loops, explanation));
    }
  };
  list("another tile for", term.moving);
  list("again for", term.repeating);
  list("kept during", term.reusing);
  list("spread over", term.spreading);
  list(term.is_output ? "summed over" : "shared by", term.sharing);
  if (term.is_output && term.reads > 0) {
    line("reads",
         fmt::format("{} words of partial sums and results on the way out", Grouped(term.reads)));
  }
  if (term.fills > 0) {
    line("fills", Grouped(term.fills) + " words from outside");
  }
  line("energy", PriceText(evaluation, term));
  return page;
}

/// Four significant digits.
std::string Digits(double value) {
  return fmt::format("{:.4g}", value);
}

Page RoofTable(const Explanation& explanation) {
  Table table({{"port", Table::Align::kLeft, 28},
               {"words", Table::Align::kRight},
               {"op/word", Table::Align::kRight},
               {"roof", Table::Align::kRight},
               {"of roof", Table::Align::kRight},
               {"the roof is", Table::Align::kLeft}});
  for (const RoofTerm& term : explanation.roofs) {
    table.Add({term.port, HumanCount(static_cast<double>(term.words)), Digits(term.intensity),
               Digits(term.roof), Percent(term.share), term.bandwidth ? "the port" : "the units"});
  }
  return table.Lines();
}

Page MemoryTable(const Explanation& explanation) {
  Table table({{"memory", Table::Align::kLeft, 28},
               {"used", Table::Align::kRight},
               {"of", Table::Align::kRight},
               {"tiles (words)", Table::Align::kRight},
               {"full", Table::Align::kRight}});
  for (const MemoryTerm& term : explanation.memories) {
    table.Add({explanation.level_names[static_cast<std::size_t>(term.level)],
               Grouped(term.instances_used), Grouped(term.instances), Grouped(term.tile_words),
               term.full > 0 ? Percent(term.full) : "-"});
  }
  return table.Lines();
}

}  // namespace

Page RenderExplanation(const Evaluation& evaluation, int top) {
  const Explanation& explanation = evaluation.explanation;
  const cost::Cost& cost = explanation.cost;
  Page page;
  page.Heading(explanation.title);
  for (std::size_t t = 0; t < explanation.tensor_names.size(); ++t) {
    if (explanation.tensor_labels[t] != explanation.tensor_names[t]) {
      page.Add(Wrapped("  " + explanation.tensor_labels[t], explanation.tensor_names[t], 15));
    }
  }
  page.Add(EvaluationSummary(evaluation));
  page.Add(fmt::format("  on           {}, {} policy", evaluation.architecture_name,
                       cost::PolicyText(evaluation.policy)));
  page.Heading("Loop nest");
  page.Add(explanation.loop_nest);
  page.Heading("Directives (the same mapping, tile by tile, from the inside out)");
  for (std::size_t begin = 0; begin < explanation.directives.size();) {
    const std::size_t end =
        std::min(explanation.directives.find('\n', begin), explanation.directives.size());
    const std::string_view all =
        std::string_view(explanation.directives).substr(begin, end - begin);
    const std::size_t indent = std::min(all.find_first_not_of(' '), all.size());
    page.Add(Wrapped("", std::string(all.substr(indent)), 4 + indent));
    begin = end + 1;
  }
  page.Heading("Where the energy goes (words, energy, share)");
  page.Add(TrafficTable(explanation));
  page.Heading("What binds the latency (cycles that each resource alone would need)");
  page.Add(LatencyTable(explanation));
  page.Heading("How near the roof");
  page.Add(fmt::format("  {} operations a cycle; all units together could do {}",
                       Digits(static_cast<double>(cost.operations) / cost.score.cycles),
                       Digits(explanation.peak)));
  page.Add(explanation.roofs.empty() ? Page() : RoofTable(explanation));
  page.Heading("How busy the units are, how full the memories");
  page.Add(fmt::format(
      "  in space {} ({} of {} units), in space and time {}",
      Percent(static_cast<double>(cost.instances_used) / static_cast<double>(explanation.units)),
      Grouped(cost.instances_used), Grouped(explanation.units), Percent(cost.utilization)));
  page.Add(MemoryTable(explanation));
  std::vector<const TrafficTerm*> terms;
  terms.reserve(explanation.traffic.size());
  for (const TrafficTerm& term : explanation.traffic) {
    terms.push_back(&term);
  }
  SortLargestFirst(terms, [](const TrafficTerm* term) { return term->share; });
  terms.resize(std::min(terms.size(), static_cast<std::size_t>(top)));
  page.Heading("How the largest terms come about");
  for (std::size_t i = 0; i < terms.size(); ++i) {
    page.Add(RenderTerm(evaluation, *terms[i], i + 1));
  }
  return page;
}

}  // namespace sluice::driver
