// See network_summary.h. Doubles, because sums of many large tensors are for reading only.

#include "driver/explain/network_summary.h"

#include "ir/network.h"

namespace sluice::driver {
namespace {

double Bytes(const ir::Tensor& tensor) {
  return static_cast<double>(ir::TensorBytes(tensor));
}

}  // namespace

NetworkSummary Summarize(const ir::Network& network) {
  NetworkSummary summary;
  for (const ir::Operator& op : network.operators) {
    summary.views += op.is_view() ? 1 : 0;
    summary.operator_bytes.push_back(static_cast<double>(ir::OperatorBytes(network, op)));
    summary.vector_operations += static_cast<double>(op.operations(ir::WorkClass::kVector)) +
                                 static_cast<double>(op.operations(ir::WorkClass::kTranscendental));
  }
  for (const ir::Tensor& tensor : network.tensors) {
    switch (tensor.role) {
      case ir::TensorRole::kInput:
        summary.input_bytes += Bytes(tensor);
        break;
      case ir::TensorRole::kWeight:
        summary.weight_bytes += Bytes(tensor);
        break;
      case ir::TensorRole::kOutput:
        summary.output_bytes += Bytes(tensor);
        break;
      case ir::TensorRole::kIntermediate:
        break;
    }
  }
  return summary;
}

}  // namespace sluice::driver
