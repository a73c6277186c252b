/// \file
/// Counting and validation of the network IR.

#include "ir/network.h"

#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::ir {
namespace {

using ::testing::HasSubstr;

AxisExpr Along(std::int32_t dim, std::int64_t coefficient = 1, std::int64_t offset = 0) {
  return {{{dim, coefficient}}, offset, 1, false};
}

Tensor Make(const std::string& name, std::vector<std::int64_t> shape, TensorRole role,
            int bits = 32) {
  Tensor tensor;
  tensor.name = name;
  tensor.shape = std::move(shape);
  tensor.role = role;
  tensor.element_bits = bits;
  return tensor;
}

/// y[m, n] += a[m, k] * b[k, n], then z = relu(y).
Network GemmRelu() {
  Network network;
  network.tensors = {
      Make("a", {4, 6}, TensorRole::kInput), Make("b", {6, 5}, TensorRole::kWeight, 8),
      Make("y", {4, 5}, TensorRole::kIntermediate), Make("z", {4, 5}, TensorRole::kOutput)};
  Operator gemm;
  gemm.name = "gemm";
  gemm.kind = "Gemm";
  gemm.dims = {{"M", 4, false}, {"N", 5, false}, {"K", 6, false}};
  gemm.accesses = {{{0}, AccessMode::kRead, {Along(0), Along(2)}},
                   {{1}, AccessMode::kRead, {Along(2), Along(1)}},
                   {{2}, AccessMode::kAccumulate, {Along(0), Along(1)}}};
  gemm.body = {{WorkClass::kMac, 1}};
  Operator relu;
  relu.name = "relu";
  relu.kind = "Relu";
  relu.dims = {{"M", 4, false}, {"N", 5, false}};
  relu.accesses = {{{2}, AccessMode::kRead, {Along(0), Along(1)}},
                   {{3}, AccessMode::kWrite, {Along(0), Along(1)}}};
  relu.body = {{WorkClass::kVector, 2}};
  network.operators = {gemm, relu};
  return network;
}

TEST(Network, CountsOperationsAndBytes) {
  const Network network = GemmRelu();
  ASSERT_TRUE(Validate(network));
  EXPECT_EQ(network.macs(), 4 * 5 * 6);
  EXPECT_EQ(network.operators[0].points(), 120);
  EXPECT_EQ(network.operators[1].operations(WorkClass::kVector), 40);
  EXPECT_EQ(network.operators[1].operations(WorkClass::kMove), 0);
  EXPECT_EQ(network.operators[0].FindDim("K"), 2);
  EXPECT_EQ(network.operators[0].FindDim("Q"), -1);
  EXPECT_EQ(AccessBytes(network, network.operators[0]), (std::vector<std::int64_t>{96, 30, 80}));
  EXPECT_EQ(OperatorBytes(network, network.operators[0]), 206);
  EXPECT_EQ(TotalBytes(network), 206 + 160);
}

TEST(Network, CountsRepeatedReadsOnceAndParameters) {
  Network network = GemmRelu();
  Operator& relu = network.operators[1];
  relu.accesses.insert(relu.accesses.begin(), relu.accesses[0]);  // y + y
  relu.parameters = {{1}};
  ASSERT_TRUE(Validate(network));
  EXPECT_EQ(OperatorBytes(network, relu), 80 + 80 + 30);
}

TEST(Network, BytesOfPackedElementsRoundUp) {
  EXPECT_EQ(TensorBytes(Make("int4", {3}, TensorRole::kWeight, 4)), 2);
  EXPECT_EQ(TensorBytes(Make("scalar", {}, TensorRole::kInput, 64)), 8);
}

TEST(Network, PaddingMovesNoBytes) {
  Network network;
  network.tensors = {Make("x", {8}, TensorRole::kInput), Make("y", {10}, TensorRole::kOutput)};
  Operator pad;
  pad.name = "pad";
  pad.dims = {{"P", 10, false}};
  pad.accesses = {{{0}, AccessMode::kRead, {Along(0, 1, -1)}},
                  {{1}, AccessMode::kWrite, {Along(0)}}};
  pad.body = {{WorkClass::kMove, 1}};
  network.operators = {pad};
  ASSERT_TRUE(Validate(network));
  EXPECT_EQ(AccessBytes(network, pad), (std::vector<std::int64_t>{32, 40}));
}

TEST(Network, IndirectAxisCountsOnePositionPerPoint) {
  Network network;
  network.tensors = {Make("table", {1000, 16}, TensorRole::kWeight),
                     Make("rows", {3, 16}, TensorRole::kOutput)};
  Operator gather;
  gather.name = "gather";
  gather.dims = {{"I", 3, false}, {"E", 16, false}};
  gather.accesses = {{{0}, AccessMode::kRead, {{{{0, 1}}, 0, 1, true}, Along(1)}},
                     {{1}, AccessMode::kWrite, {Along(0), Along(1)}}};
  gather.body = {{WorkClass::kMove, 1}};
  network.operators = {gather};
  ASSERT_TRUE(Validate(network));
  EXPECT_EQ(AccessBytes(network, gather), (std::vector<std::int64_t>{3 * 16 * 4, 3 * 16 * 4}));
  // ... but any row may be the one that is needed.
  const Slice slice = SliceOutput(gather, network.tensors, {{0, 1}, {0, 16}});
  EXPECT_EQ(slice.accesses[0], (Box{{0, 1000}, {0, 16}}));
}

TEST(Network, VolumeOfBoxes) {
  EXPECT_EQ(Volume({}), 1);
  EXPECT_EQ(Volume({{0, 3}, {2, 4}}), 6);
  EXPECT_EQ(Volume({{0, 3}, {4, 4}}), 0);
  EXPECT_EQ(Volume({{5, 2}}), 0);
}

TEST(Network, UnvalidatedOverflowIsCaught) {
  Network network = GemmRelu();
  network.operators[0].dims[0].bound = std::int64_t{1} << 62;
  EXPECT_THROW(static_cast<void>(network.operators[0].points()), InternalError);
}

struct Breakage {
  const char* name;
  std::function<void(Network&)> apply;
  ErrorCode code;
  const char* says;
};

TEST(Network, ValidateRefuses) {
  const std::vector<Breakage> breakages = {
      {"bound 0", [](Network& n) { n.operators[0].dims[0].bound = 0; }, ErrorCode::kOperatorInvalid,
       "bound 0"},
      {"same dim name", [](Network& n) { n.operators[0].dims[1].name = "M"; },
       ErrorCode::kOperatorInvalid, "used twice"},
      {"too many points", [](Network& n) { n.operators[0].dims[0].bound = std::int64_t{1} << 61; },
       ErrorCode::kOnnxOverflow, "points"},
      {"work 0", [](Network& n) { n.operators[0].body[0].per_point = 0; },
       ErrorCode::kOperatorInvalid, "at least 1"},
      {"unknown tensor", [](Network& n) { n.operators[0].accesses[0].tensor = {9}; },
       ErrorCode::kOperatorInvalid, "no tensor"},
      {"axis count", [](Network& n) { n.operators[0].accesses[0].axes.pop_back(); },
       ErrorCode::kOperatorInvalid, "axes"},
      {"unknown dim", [](Network& n) { n.operators[0].accesses[0].axes[0].terms[0].dim = 7; },
       ErrorCode::kOperatorInvalid, "names dim 7"},
      {"coefficient 0",
       [](Network& n) { n.operators[0].accesses[0].axes[0].terms[0].coefficient = 0; },
       ErrorCode::kOperatorInvalid, "coefficient 0"},
      {"divisor 0", [](Network& n) { n.operators[0].accesses[0].axes[0].divisor = 0; },
       ErrorCode::kOperatorInvalid, "divisor"},
      {"huge offset", [](Network& n) { n.operators[0].accesses[0].axes[0].offset = INT64_MIN; },
       ErrorCode::kOnnxOverflow, "index"},
      {"read last", [](Network& n) { n.operators[0].accesses.pop_back(); },
       ErrorCode::kOperatorInvalid, "exactly one write"},
      {"write instead of accumulate",
       [](Network& n) { n.operators[0].accesses[2].mode = AccessMode::kWrite; },
       ErrorCode::kOperatorInvalid, "must accumulate"},
      {"wrong order", [](Network& n) { std::swap(n.operators[0], n.operators[1]); },
       ErrorCode::kOnnxCycle, "writes later"},
      {"nothing writes", [](Network& n) { n.operators.erase(n.operators.begin()); },
       ErrorCode::kOperatorInvalid, "nothing writes"},
      {"writes an input", [](Network& n) { n.tensors[2].role = TensorRole::kInput; },
       ErrorCode::kOperatorInvalid, "an input or a weight"},
      {"two writers",
       [](Network& n) {
         n.operators.push_back(n.operators[1]);
         n.operators.back().name = "again";
       },
       ErrorCode::kOperatorInvalid, "`relu` writes too"},
      {"same operator name", [](Network& n) { n.operators[1].name = "gemm"; },
       ErrorCode::kOperatorInvalid, "two operators"},
      {"same tensor name", [](Network& n) { n.tensors[1].name = "a"; }, ErrorCode::kOperatorInvalid,
       "two tensors"},
      {"extent 0", [](Network& n) { n.tensors[1].shape[0] = 0; }, ErrorCode::kOperatorInvalid,
       "not positive"},
      {"huge tensor", [](Network& n) { n.tensors[1].shape = {std::int64_t{1} << 61, 4}; },
       ErrorCode::kOnnxOverflow, "`b`"},
      {"view of itself", [](Network& n) { n.tensors[3].storage = {3}; }, ErrorCode::kOnnxCycle,
       "view of itself"},
      {"view of another size", [](Network& n) { n.tensors[3].storage = {0}; },
       ErrorCode::kOperatorInvalid, "another size"},
      {"parameter that is no weight", [](Network& n) { n.operators[1].parameters = {{0}}; },
       ErrorCode::kOperatorInvalid, "not a weight"},
  };
  for (const Breakage& breakage : breakages) {
    Network network = GemmRelu();
    breakage.apply(network);
    const Status status = Validate(network);
    ASSERT_FALSE(status) << breakage.name;
    EXPECT_EQ(status.error().code, breakage.code) << breakage.name << status.error().Render();
    EXPECT_THAT(status.error().message, HasSubstr(breakage.says)) << breakage.name;
  }
}

/// A tensor written in parts, as a concat or a tiled resize does.
Network Parts(const std::vector<std::pair<std::int64_t, std::int64_t>>& corners,
              std::int64_t edge) {
  Network network;
  network.tensors = {Make("x", {edge, edge}, TensorRole::kInput),
                     Make("y", {64, 64}, TensorRole::kOutput)};
  for (const auto& [row, column] : corners) {
    Operator part;
    part.name = "part" + std::to_string(network.operators.size());
    part.dims = {{"H", edge, false}, {"W", edge, false}};
    part.accesses = {{{0}, AccessMode::kRead, {Along(0), Along(1)}},
                     {{1}, AccessMode::kWrite, {Along(0, 1, row), Along(1, 1, column)}}};
    part.body = {{WorkClass::kMove, 1}};
    network.operators.push_back(part);
  }
  return network;
}

TEST(Network, SeveralWritersMustBeDisjoint) {
  EXPECT_TRUE(Validate(Parts({{0, 0}, {4, 0}, {8, 0}}, 4)));
  EXPECT_FALSE(Validate(Parts({{0, 0}, {3, 0}}, 4)));
  // A grid: no single axis separates the parts.
  std::vector<std::pair<std::int64_t, std::int64_t>> grid;
  for (std::int64_t i = 0; i < 8; ++i) {
    for (std::int64_t j = 0; j < 8; ++j) {
      grid.emplace_back(4 * i, 4 * j);
    }
  }
  EXPECT_TRUE(Validate(Parts(grid, 4)));
  grid.emplace_back(5, 6);
  EXPECT_FALSE(Validate(Parts(grid, 4)));
}

TEST(Network, CarriedTensorsMakeNoCycle) {
  // h[t] += h[t - 1]: the previous state is a tensor that only renames storage.
  Network network;
  network.tensors = {Make("h", {8, 2}, TensorRole::kOutput),
                     Make("previous", {8, 2}, TensorRole::kIntermediate)};
  network.tensors[1].storage = {0};
  Operator step;
  step.name = "step";
  step.dims = {{"T", 8, true}, {"H", 2, false}};
  step.accesses = {{{1}, AccessMode::kRead, {Along(0, 1, -1), Along(1)}},
                   {{0}, AccessMode::kWrite, {Along(0), Along(1)}}};
  step.body = {{WorkClass::kVector, 1}};
  network.operators = {step};
  EXPECT_TRUE(Validate(network));
  network.tensors[1].storage = {};
  EXPECT_FALSE(Validate(network));
}

TEST(Network, WholeDimsAreNeverCut) {
  Network network = GemmRelu();
  network.operators[1].dims[1].whole = true;
  const Slice slice = SliceOutput(network.operators[1], network.tensors, {{1, 2}, {2, 3}});
  EXPECT_EQ(slice.dims, (Box{{1, 2}, {0, 5}}));
  EXPECT_EQ(slice.accesses[0], (Box{{1, 2}, {0, 5}}));
  EXPECT_EQ(slice.accesses[1], (Box{{1, 2}, {2, 3}}));
}

}  // namespace
}  // namespace sluice::ir
