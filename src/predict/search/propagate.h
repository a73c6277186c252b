#pragma once
/// \file
/// `dcp`: codes found along the gradients of the predictor, as "Learning Accelerator Dataflow for
/// Neural Network via Propagation" (arXiv 2410.06553) does, with what makes such a search honest:
/// choices are probabilities instead of numbers, every few steps the codes are made legal again,
/// only verified codes count, and what was verified corrects the predictor where it is wrong.
///
/// 1. Starts: the best predicted of many random codes, and random ones.
/// 2. Propagation: Adam on all starts at once; hinges hold the buffers in their sizes.
/// 3. Refinement on the predictor: annealing moves on the codes that this left. The networks are
///    only asked about moves that the analytic estimate, give or take what they usually correct,
///    allows.
/// 4. Verification: the most promising codes are priced by the oracle. These are the samples.
///    Where they differ from the prediction, the ensemble is tuned on them; then again from 3.
/// 5. What is left of the budget: annealing on the oracle, while samples are scarce each step
///    chosen among several by prediction; then all codes around the best that differ in what is
///    parallel outermost and in one more decision, hot annealing, and both again.
///
/// Where rules turn codes into mappings of a machine (mapping/dataflow/nest.h), the predictor is
/// what these rules say of traffic, corrected by a linear model of the codes that this very search
/// has priced. That has no gradient in the code: step 2 is left out. Codes of one mapping count as
/// one.
///
/// `dcp-paper`: what DCP itself does, for comparison. Random starts follow the gradient of a
/// network that reads the numbers of the codes (Encoding::kScalar) and are made legal now and then;
/// what comes out is priced, and with the samples that are left it begins anew. Steps 1 and 3 to 5
/// are left out: pricing at all is ours, for DCP stops at the prediction.
/// Tested by tests/property/predict_search_test.cpp.

#include <cstdint>
#include <memory>
#include <vector>

#include "mapper/codes/search.h"
#include "predict/predictor.h"

namespace sluice::predict {

struct PropagateOptions {
  int screened = 512;  ///< random codes looked at
  int starts = 24;     ///< if samples are many
  int steps = 40;
  int compensate = 10;      ///< steps between two legal codes
  int refine = 120;         ///< moves of each chain and round on the predictor, if samples are many
  int rounds = 3;           ///< of refinement and verification
  double tune_above = 0.1;  ///< mean error of the logarithm of the objective
  int tune_steps = 60;
  /// Few-shot: so many random codes are priced before anything else, and the ensemble is tuned on
  /// them; at most half of the budget. 0: zero-shot.
  std::int64_t few_shot = 0;
  bool propagate = true;  ///< false: without step 2, to show what it brings
  bool learn = true;      ///< false: what was priced corrects nothing, to show what that brings
  /// Where the oracle has a code mapper, predict by the rules of its machine.
  bool rules = true;
  bool as_published = false;  ///< `dcp-paper`
};
/// Of `dcp-paper`, as in the runs of DCP that were published: 64 starts, 100 steps.
PropagateOptions PublishedOptions();

/// The search uses the first predictor that was trained for the problem's space of codes. Without
/// one it ends with `stopped` saying so. Requires: at least one, of scalar features for `dcp-paper`
/// and of derived ones for `dcp`.
std::unique_ptr<mapper::codes::CodeSearch> MakePropagationSearch(
    std::vector<std::shared_ptr<const Predictor>> predictors, const PropagateOptions& options);

}  // namespace sluice::predict
