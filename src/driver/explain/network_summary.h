#pragma once
/// \file
/// Totals of a network for `sluice show`. Bytes follow the ONNX element types.

#include <vector>

#include "ir/network.h"

namespace sluice::driver {

struct NetworkSummary {
  std::vector<double> operator_bytes;  ///< what an operator touches of its tensors, 0 for views
  int views = 0;
  double vector_operations = 0;  ///< including transcendental ones
  double weight_bytes = 0;
  double input_bytes = 0;
  double output_bytes = 0;
};

NetworkSummary Summarize(const ir::Network& network);

}  // namespace sluice::driver
