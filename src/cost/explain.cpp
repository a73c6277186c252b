#include "cost/explain.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "arch/architecture.h"
#include "cost/axis/moves.h"
#include "cost/compiled.h"
#include "cost/cost.h"
#include "cost/evaluator.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"

namespace sluice::cost {
std::vector<EdgeExplanation> ExplainEdges(const Evaluator& evaluator,
                                          const mapping::Mapping& mapping, const Cost& cost) {
  const Compiled& compiled = evaluator.compiled();
  Nest nest;
  BuildNest(compiled, mapping, nest);
  std::vector<EdgeExplanation> edges;
  for (int t = 0; t < compiled.tensors; ++t) {
    int parent = 0;
    for (int child = 1; child <= compiled.levels; ++child) {
      if (child < compiled.levels && !HasBit(mapping.levels[Index(child)].keep, t)) {
        continue;
      }
      EdgeExplanation edge;
      edge.tensor = t;
      edge.parent = parent;
      edge.child = child;
      edge.exact_terms = !nest.ragged;
      const bool compute = child == compiled.levels;
      edge.children = compute ? cost.instances_used : cost.level[Index(child)].instances_used;
      edge.tile_words = compute ? 1 : cost.level[Index(child)].tensors[Index(t)].tile_words;
      const TensorTraffic& at_parent = cost.level[Index(parent)].tensors[Index(t)];
      const std::int64_t served =
          compiled.tensor[Index(t)].is_output ? at_parent.updates : at_parent.reads;
      if (!nest.ragged && !compute) {
        AxisSets sets;
        for (int a = 0; a < compiled.tensor[Index(t)].axes; ++a) {
          sets[Index(a)] = TileAxis(compiled.tensor[Index(t)].axis[Index(a)],
                                    nest.tile[Index(child)], evaluator.policy().gap_words);
        }
        std::array<std::int64_t, kMaxLoops> new_words{};
        const int count = nest.end[Index(child)];
        edge.delivered_each = CountMoves(compiled.tensor[Index(t)], sets, LoopsAbove(nest, child),
                                         evaluator.policy().window, {}, new_words.data())
                                  .words;
        std::int64_t outer = 1;
        for (int i = 0; i < count; ++i) {
          const FlatLoop& loop = nest.temporal[Index(i)];
          edge.moves.insert(edge.moves.begin(), {loop.level, loop.dim, loop.bound,
                                                 outer * (loop.bound - 1), new_words[Index(i)]});
          outer *= loop.bound;
        }
      } else if (compute) {
        edge.delivered_each = compiled.points / std::max<std::int64_t>(1, edge.children);
      }
      edge.distinct = edge.delivered_each == 0 ? 0 : served / edge.delivered_each;
      edges.push_back(std::move(edge));
      parent = child;
    }
  }
  return edges;
}

std::string EdgeText(const Evaluator& evaluator, const EdgeExplanation& edge) {
  const mapping::Workload& workload = evaluator.workload();
  const std::vector<arch::Level>& levels = evaluator.chain().levels;
  const bool compute = edge.child == evaluator.compiled().levels;
  std::string text =
      fmt::format("{}: {} -> {}: ", workload.tensor_names[Index(edge.tensor)],
                  levels[Index(edge.parent)].memory.name,
                  compute ? evaluator.chain().compute.name : levels[Index(edge.child)].memory.name);
  if (compute) {
    return text + fmt::format("one word an operation, {} operations on each of {} units",
                              edge.delivered_each, edge.children);
  }
  text += fmt::format("tile {}", edge.tile_words);
  for (const MoveTerm& term : edge.moves) {
    if (term.new_words > 0 && term.moves > 0) {
      text += fmt::format(" + {}@{}: {} x {}", workload.dim_names[Index(term.dim)],
                          levels[Index(term.level)].memory.name, term.moves, term.new_words);
    }
  }
  if (edge.exact_terms) {
    text += fmt::format(" = {} words to each of {}, {} distinct", edge.delivered_each,
                        edge.children, edge.distinct);
  }
  return text;
}

}  // namespace sluice::cost
