#pragma once
/// \file
/// The terms behind a number: which loops make a tensor cross a level how often. For `sluice
/// explain` and the report. Perfect factors are explained loop by loop; with imperfect ones the
/// per-loop counts are replaced by totals (`exact_terms` is false).

#include <cstdint>
#include <string>
#include <vector>

#include "cost/evaluator.h"

namespace sluice::cost {

/// One loop above a tile.
struct MoveTerm {
  int level = 0;  ///< level whose loop it is
  int dim = 0;
  std::int64_t bound = 1;
  std::int64_t moves = 0;      ///< how often this loop steps over the run
  std::int64_t new_words = 0;  ///< new words at each step, one instance; 0 = the tile stays
};

/// How tensor t gets from `parent` to `child` (`child` == levels: the compute units).
struct EdgeExplanation {
  int tensor = 0;
  int parent = 0;
  int child = 0;
  std::int64_t tile_words = 0;      ///< first delivery
  std::vector<MoveTerm> moves;      ///< innermost first; empty for the compute units
  std::int64_t delivered_each = 0;  ///< tile_words + sum of moves * new_words
  std::int64_t children = 0;        ///< instances of the child in use
  std::int64_t distinct = 0;        ///< tiles that differ, over all parents: what the parent serves
  bool exact_terms = true;
};

/// All edges of all tensors, outermost first per tensor. Requires a covering mapping; `cost` is
/// evaluator.EvaluateFull(mapping).
std::vector<EdgeExplanation> ExplainEdges(const Evaluator& evaluator,
                                          const mapping::Mapping& mapping, const Cost& cost);

/// One line: `tile 1296 + P: 3 x 1008 + ... = 17280 words to each of 16 GLB`.
std::string EdgeText(const Evaluator& evaluator, const EdgeExplanation& edge);

}  // namespace sluice::cost
