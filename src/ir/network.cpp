/// \file
/// Counting on the network IR: points, operations, bytes. Sizes of a validated network fit int64; a
/// product that does not is a bug of the caller and checked.
/// Tested by tests/unit/network_test.cpp.

#include "ir/network.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/checked.h"
#include "base/diagnostic.h"

namespace sluice::ir {

namespace {

std::int64_t MulOrThrow(std::int64_t a, std::int64_t b) {
  const auto product = CheckedMul(a, b);
  SLUICE_CHECK(product.has_value(), "size does not fit 64 bits: network not validated");
  return *product;
}

std::int64_t AddOrThrow(std::int64_t a, std::int64_t b) {
  const auto sum = CheckedAdd(a, b);
  SLUICE_CHECK(sum.has_value(), "size does not fit 64 bits: network not validated");
  return *sum;
}

std::int64_t BitsToBytes(std::int64_t elements, int bits) {
  return CeilDiv(MulOrThrow(elements, bits), 8);
}

}  // namespace

std::int64_t Tensor::elements() const {
  std::int64_t product = 1;
  for (const std::int64_t extent : shape) {
    product = MulOrThrow(product, extent);
  }
  return product;
}

std::int64_t Operator::points() const {
  std::int64_t product = 1;
  for (const Dim& dim : dims) {
    product = MulOrThrow(product, dim.bound);
  }
  return product;
}

std::int64_t Operator::operations(WorkClass c) const {
  std::int64_t per_point = 0;
  for (const Work& work : body) {
    if (work.work_class == c) {
      per_point = AddOrThrow(per_point, work.per_point);
    }
  }
  return per_point == 0 ? 0 : MulOrThrow(points(), per_point);
}

int Operator::FindDim(const std::string& dim_name) const {
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (dims[i].name == dim_name) {
      return static_cast<int>(i);
    }
  }
  return -1;
}

std::int64_t Network::macs() const {
  std::int64_t sum = 0;
  for (const Operator& op : operators) {
    sum = AddOrThrow(sum, op.macs());
  }
  return sum;
}

std::int64_t Volume(const Box& box) {
  std::int64_t product = 1;
  for (const Range& range : box) {
    product = MulOrThrow(product, range.size());
  }
  return product;
}

std::int64_t TensorBytes(const Tensor& tensor) {
  return BitsToBytes(tensor.elements(), tensor.element_bits);
}

std::vector<std::int64_t> AccessBytes(const Network& network, const Operator& op) {
  std::vector<std::int64_t> bytes(op.accesses.size(), 0);
  if (op.is_view()) {
    return bytes;
  }
  const Slice slice = FullSlice(op, network.tensors);
  for (std::size_t a = 0; a < op.accesses.size(); ++a) {
    const Access& access = op.accesses[a];
    std::int64_t elements = 1;
    for (std::size_t x = 0; x < access.axes.size(); ++x) {
      std::int64_t extent = slice.accesses[a][x].size();
      if (access.axes[x].indirect) {
        std::int64_t positions = 1;
        for (const Term& term : access.axes[x].terms) {
          positions = MulOrThrow(positions, op.dims[static_cast<std::size_t>(term.dim)].bound);
        }
        extent = std::min(extent, positions);
      }
      elements = MulOrThrow(elements, extent);
    }
    bytes[a] = BitsToBytes(elements, network.tensor(access.tensor).element_bits);
  }
  return bytes;
}

std::int64_t OperatorBytes(const Network& network, const Operator& op) {
  const std::vector<std::int64_t> bytes = AccessBytes(network, op);
  std::int64_t sum = 0;
  for (std::size_t a = 0; a < bytes.size(); ++a) {
    const bool repeated =
        std::any_of(op.accesses.begin(), op.accesses.begin() + static_cast<std::ptrdiff_t>(a),
                    [&](const Access& earlier) { return earlier == op.accesses[a]; });
    if (!repeated) {
      sum = AddOrThrow(sum, bytes[a]);
    }
  }
  for (const TensorId parameter : op.parameters) {
    sum = AddOrThrow(sum, TensorBytes(network.tensor(parameter)));
  }
  return sum;
}

std::int64_t TotalBytes(const Network& network) {
  std::int64_t sum = 0;
  for (const Operator& op : network.operators) {
    sum = AddOrThrow(sum, OperatorBytes(network, op));
  }
  return sum;
}

}  // namespace sluice::ir
