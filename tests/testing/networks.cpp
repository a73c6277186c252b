#include "testing/networks.h"

#include <utility>

namespace sluice::testing {
namespace {

/// Appends a tensor like the output of the last operator.
ir::TensorId CopyOfLastOutput(ir::Network& network, const std::string& name) {
  ir::Tensor tensor = network.tensor(network.operators.back().output().tensor);
  tensor.name = name;
  network.tensors.push_back(std::move(tensor));
  return {static_cast<std::int32_t>(network.tensors.size() - 1)};
}

/// out = f(in), element by element.
ir::Operator PointWise(ir::Network& network, const std::string& name) {
  const ir::TensorId in = network.operators.back().output().tensor;
  const ir::TensorId out = CopyOfLastOutput(network, name + ".out");
  ir::Operator op;
  op.name = name;
  ir::Access read{in, ir::AccessMode::kRead, {}};
  const std::vector<std::int64_t> shape = network.tensor(in).shape;
  for (std::size_t a = 0; a < shape.size(); ++a) {
    op.dims.push_back({"D" + std::to_string(a), shape[a], false});
    ir::AxisExpr axis;
    axis.terms.push_back({static_cast<std::int32_t>(a), 1});
    read.axes.push_back(std::move(axis));
  }
  ir::Access write = read;
  write.tensor = out;
  write.mode = ir::AccessMode::kWrite;
  op.accesses = {std::move(read), std::move(write)};
  return op;
}

}  // namespace

ir::Network MakeNetwork(const std::string& name, const std::vector<std::string>& descriptors) {
  ir::Network network;
  network.name = name;
  for (std::size_t i = 0; i < descriptors.size(); ++i) {
    const std::string op_name = "op" + std::to_string(i);
    if (descriptors[i] == "relu" || descriptors[i] == "view") {
      ir::Operator op = PointWise(network, op_name);
      op.kind = descriptors[i];
      if (descriptors[i] == "relu") {
        op.body = {{ir::WorkClass::kVector, 1}};
      } else {
        network.tensors.back().storage = op.accesses.front().tensor;
      }
      network.operators.push_back(std::move(op));
      continue;
    }
    ir::Network part = ir::ParseOperatorDescriptor(descriptors[i]).value();
    const auto offset = static_cast<std::int32_t>(network.tensors.size());
    for (ir::Tensor& tensor : part.tensors) {
      tensor.name = op_name + "." + tensor.name;
      network.tensors.push_back(std::move(tensor));
    }
    ir::Operator op = std::move(part.operators.at(0));
    op.name = op_name;
    for (ir::Access& access : op.accesses) {
      access.tensor.value += offset;
    }
    network.operators.push_back(std::move(op));
  }
  return network;
}

}  // namespace sluice::testing
