#pragma once
/// \file
/// Small networks for planner tests, without a model file.

#include <string>
#include <vector>

#include "ir/network.h"

namespace sluice::testing {

/// Descriptors such as `conv K=8 C=4 P=6 Q=6 R=3 S=3` side by side, as operators `op0`, `op1` ...
/// with tensors of their own; `view` is an operator that only renames the tensor before it and
/// `relu` works on it element by element.
ir::Network MakeNetwork(const std::string& name, const std::vector<std::string>& descriptors);

}  // namespace sluice::testing
