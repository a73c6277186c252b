#pragma once
/// \file
/// Internal to features.cpp: what a network sees that reads codes as DCP has them (arXiv
/// 2410.06553, the encoding after GAMMA's genome), kept for comparison.
///
/// Of the layer seven numbers, K C Y X R S and its type (Y and X count outputs), with the strides
/// and the steps over batch and groups, which DCP leaves out; sizes as logarithms. Of the code the
/// (levels, 7, 2) numbers: per level the parallel dim, as a number, and its units, then for each
/// dim its place in the order and its tile. Nothing of the machine, no estimate, no bounds.
/// Tested by tests/unit/predict_features_test.cpp.

#include <cstddef>
#include <span>

#include "mapping/dataflow/code.h"
#include "predict/features.h"

namespace sluice::predict {

std::size_t ScalarFeatureCount(int levels);
void ScalarFeatures(const Context& context, const mapping::DataflowCode& code,
                    std::span<float> features, Components& estimate);
void RelaxedScalarFeatures(const Context& context, int levels, std::span<const double> variables,
                           RelaxedFeatures& result);

/// The variables that stand for a code under scalar features.
void ScalarVariables(const mapping::DataflowCode& code, std::span<double> variables);

}  // namespace sluice::predict
