/// MakeWorkload on hand-written operators whose workloads are known: dims, axes, classes,
/// reductions, the exact split of divided axes against enumeration, and the limits.

#include "mapping/workload.h"

#include <limits>
#include <set>

#include <gtest/gtest.h>

namespace sluice::mapping {
namespace {

using arch::TensorClass;
using ir::AccessMode;
using ir::AxisExpr;
using ir::TensorRole;

AxisExpr Axis(std::vector<ir::Term> terms, std::int64_t offset = 0, std::int64_t divisor = 1,
              bool indirect = false) {
  AxisExpr axis;
  axis.terms = std::move(terms);
  axis.offset = offset;
  axis.divisor = divisor;
  axis.indirect = indirect;
  return axis;
}

/// A one-operator network; tensors get large shapes, which MakeWorkload does not look at.
struct Fixture {
  ir::Network network;
  ir::Operator op;

  explicit Fixture(std::vector<ir::Dim> dims) {
    op.name = "op";
    op.dims = std::move(dims);
    op.body = {{ir::WorkClass::kMac, 1}};
  }
  ir::TensorId Tensor(const std::string& name, TensorRole role) {
    ir::Tensor tensor;
    tensor.name = name;
    tensor.role = role;
    network.tensors.push_back(tensor);
    return {static_cast<std::int32_t>(network.tensors.size()) - 1};
  }
  Fixture& Access(const std::string& name, TensorRole role, AccessMode mode,
                  std::vector<AxisExpr> axes) {
    op.accesses.push_back({Tensor(name, role), mode, std::move(axes)});
    return *this;
  }
  Workload Make() const {
    auto workload = MakeWorkload(op, network);
    EXPECT_TRUE(workload.has_value()) << workload.error().Render();
    return workload.value_or(Workload());
  }
  ErrorCode Error() const {
    const auto workload = MakeWorkload(op, network);
    return workload.has_value() ? ErrorCode::kUsage : workload.error().code;
  }
};

std::string KeyOf(const std::string& descriptor) {
  const auto network = ir::ParseOperatorDescriptor(descriptor);
  EXPECT_TRUE(network.has_value());
  const auto workload = MakeWorkload(network->operators[0], *network);
  EXPECT_TRUE(workload.has_value());
  return WorkloadKey(*workload);
}

TEST(Workload, ConvolutionDropsUnitDimsAndKeepsCoefficients) {
  const auto network =
      ir::ParseOperatorDescriptor("conv K=64 C=3 P=112 Q=112 R=7 S=7 stride=2 dilation=3");
  ASSERT_TRUE(network.has_value());
  const auto workload = MakeWorkload(network->operators[0], *network);
  ASSERT_TRUE(workload.has_value());
  EXPECT_EQ(workload->dim_names, (std::vector<std::string>{"K", "C", "P", "Q", "R", "S"}));
  EXPECT_EQ(workload->tensor_names, (std::vector<std::string>{"Input", "Weight", "Output"}));
  EXPECT_EQ(workload->points(), std::int64_t{64} * 3 * 112 * 112 * 49);
  EXPECT_EQ(workload->footprint(0), 3 * 241 * 241);  // (112 - 1) * 2 + (7 - 1) * 3 + 1 = 241
  EXPECT_EQ(workload->footprint(1), 64 * 3 * 49);
  EXPECT_EQ(workload->footprint(2), 64 * 112 * 112);
  EXPECT_EQ(workload->tensors[0].tensor_class, TensorClass::kInput);
  EXPECT_EQ(workload->tensors[1].tensor_class, TensorClass::kWeight);
  EXPECT_EQ(workload->tensors[2].tensor_class, TensorClass::kOutput);
  EXPECT_TRUE(workload->tensors[2].is_output);
  EXPECT_TRUE(workload->tensors[2].read_modify_write);
  EXPECT_EQ(workload->tensors[0].dims, 0b111110U);
  const WorkloadAxis height = {{2, 2}, {4, 3}};  // P and R
  EXPECT_EQ(workload->tensors[0].axes[2], height);
}

TEST(Workload, KeyIgnoresNamesAndNothingElse) {
  EXPECT_EQ(KeyOf("conv K=4 C=2 P=8 Q=8 R=3 S=3"), KeyOf("conv R=3 S=3 K=4 C=2 P=8 Q=8 N=1"));
  EXPECT_NE(KeyOf("conv K=4 C=2 P=8 Q=8 R=3 S=3"), KeyOf("conv K=4 C=2 P=8 Q=8 R=3 S=3 stride=2"));
  EXPECT_NE(KeyOf("conv K=4 C=2 P=8 Q=8 R=3 S=3"), KeyOf("conv K=2 C=4 P=8 Q=8 R=3 S=3"));
  Fixture a({{"X", 4, false}, {"Y", 2, false}});
  a.Access("in", TensorRole::kInput, AccessMode::kRead, {Axis({{0, 1}}), Axis({{1, 1}})});
  a.Access("out", TensorRole::kOutput, AccessMode::kWrite, {Axis({{0, 1}}), Axis({{1, 1}})});
  const std::string key = WorkloadKey(a.Make());
  Fixture b = a;
  b.op.name = "other";
  b.network.tensors[0].name = "renamed";
  EXPECT_EQ(WorkloadKey(b.Make()), key);
  b = a;
  b.op.dims[1].whole = true;
  EXPECT_NE(WorkloadKey(b.Make()), key);
  b = a;
  b.op.dims[1].name = "Z";  // fan-outs allow dims by name
  EXPECT_NE(WorkloadKey(b.Make()), key);
  b = a;
  b.op.body[0].per_point = 2;
  EXPECT_NE(WorkloadKey(b.Make()), key);
  b = a;
  b.op.accesses[0].axes[0].terms[0].coefficient = -1;  // mirrored: same boxes
  EXPECT_EQ(WorkloadKey(b.Make()), key);
}

TEST(Workload, SecondActivationCountsAsWeightOnlyWithoutWeights) {
  const auto bmm = ir::ParseOperatorDescriptor("bmm B=2 M=3 N=4 K=5");
  ASSERT_TRUE(bmm.has_value());
  const auto workload = MakeWorkload(bmm->operators[0], *bmm);
  ASSERT_TRUE(workload.has_value());
  EXPECT_EQ(workload->tensors[0].tensor_class, TensorClass::kInput);
  EXPECT_EQ(workload->tensors[1].tensor_class, TensorClass::kWeight);

  Fixture f({{"X", 4, false}});
  f.Access("a", TensorRole::kIntermediate, AccessMode::kRead, {Axis({{0, 1}})});
  f.Access("b", TensorRole::kIntermediate, AccessMode::kRead, {Axis({{0, 1}})});
  f.Access("w", TensorRole::kWeight, AccessMode::kRead, {Axis({{0, 1}})});
  f.Access("out", TensorRole::kOutput, AccessMode::kWrite, {Axis({{0, 1}})});
  const Workload with_weight = f.Make();
  EXPECT_EQ(with_weight.tensors[1].tensor_class, TensorClass::kInput);
  EXPECT_EQ(with_weight.tensors[2].tensor_class, TensorClass::kWeight);
}

TEST(Workload, ViewOfAWeightIsAWeight) {
  Fixture f({{"X", 4, false}});
  f.Access("view", TensorRole::kIntermediate, AccessMode::kRead, {Axis({{0, 1}})});
  f.network.tensors[0].storage = f.Tensor("w", TensorRole::kWeight);
  f.Access("out", TensorRole::kOutput, AccessMode::kWrite, {Axis({{0, 1}})});
  EXPECT_EQ(f.Make().tensors[0].tensor_class, TensorClass::kWeight);
}

TEST(Workload, ReductionsAreReadModifyWrite) {
  struct Row {
    AccessMode mode;
    std::vector<AxisExpr> output;
    bool expected;
  };
  const std::vector<Row> rows = {
      {AccessMode::kAccumulate, {Axis({{0, 1}})}, true},  // Y is reduced
      {AccessMode::kAccumulate, {Axis({{0, 1}}), Axis({{1, 1}})}, false},
      {AccessMode::kWrite, {Axis({{0, 1}})}, false},               // writes only once
      {AccessMode::kAccumulate, {Axis({{0, 1}, {1, 1}})}, true},   // window
      {AccessMode::kAccumulate, {Axis({{0, 3}, {1, 1}})}, false},  // 3x + y, y < 3: no overlap
      {AccessMode::kAccumulate, {Axis({{0, 2}, {1, 1}})}, true},   // 2x + y overlaps
      {AccessMode::kAccumulate, {Axis({{0, 1}, {1, 4}})}, false},  // x + 4y, x < 4
  };
  for (const Row& row : rows) {
    Fixture f({{"X", 4, false}, {"Y", 3, false}});
    f.Access("out", TensorRole::kOutput, row.mode, row.output);
    EXPECT_EQ(f.Make().tensors[0].read_modify_write, row.expected) << &row - rows.data();
  }
}

TEST(Workload, IdenticalReadsAreMergedDifferentOnesKeptApart) {
  Fixture f({{"X", 4, false}});
  const ir::TensorId in = f.Tensor("in", TensorRole::kInput);
  f.op.accesses.push_back({in, AccessMode::kRead, {Axis({{0, 1}})}});
  f.op.accesses.push_back({in, AccessMode::kRead, {Axis({{0, 1}})}});
  f.op.accesses.push_back({in, AccessMode::kRead, {Axis({{0, 1}}, 5)}});
  f.Access("out", TensorRole::kOutput, AccessMode::kWrite, {Axis({{0, 1}})});
  EXPECT_EQ(f.Make().tensor_names, (std::vector<std::string>{"in", "in@2", "out"}));
}

/// Distinct indices that the points of a box touch on one axis of the operator.
std::size_t Touched(const AxisExpr& axis, std::int64_t begin, std::int64_t end) {
  std::set<std::int64_t> indices;
  for (std::int64_t d = begin; d < end; ++d) {
    const std::int64_t at = axis.terms[0].coefficient * d + axis.offset;
    indices.insert(at >= 0 ? at / axis.divisor : (at - axis.divisor + 1) / axis.divisor);
  }
  return indices.size();
}

TEST(Workload, DividedAxisSplitsItsDimExactly) {
  // Nearest upsampling by 4 / 2: index floor(2x / 8) = floor(x / 4), x in 0..11.
  Fixture f({{"X", 12, true}});
  const AxisExpr axis = Axis({{0, 2}}, 0, 8);
  f.Access("in", TensorRole::kInput, AccessMode::kRead, {axis});
  f.Access("out", TensorRole::kOutput, AccessMode::kWrite, {Axis({{0, 1}})});
  const Workload workload = f.Make();
  EXPECT_EQ(workload.dim_names, (std::vector<std::string>{"X_hi", "X_lo"}));
  EXPECT_EQ(workload.bounds, (StaticVector<std::int64_t, kMaxDims>{3, 4}));
  EXPECT_EQ(workload.whole, 0b11U);
  EXPECT_EQ(workload.tensors[0].axes[0], (WorkloadAxis{{0, 1}}));
  EXPECT_EQ(workload.tensors[1].axes[0], (WorkloadAxis{{0, 4}, {1, 1}}));
  EXPECT_EQ(workload.footprint(0), 3);
  EXPECT_EQ(workload.footprint(1), 12);
  EXPECT_EQ(workload.points(), 12);
  for (std::int64_t block = 0; block < 3; ++block) {
    EXPECT_EQ(Touched(axis, 4 * block, 4 * block + 4), 1U);
  }
}

TEST(Workload, DividedAxisThatDoesNotSplitIsAnUpperBound) {
  struct Row {
    std::int64_t bound;
    AxisExpr axis;
    std::int64_t coefficient;
  };
  const std::vector<Row> rows = {
      {7, Axis({{0, 1}}, 0, 2), 1},  // ragged last block
      {8, Axis({{0, 1}}, 1, 2), 1},  // blocks begin at odd points
      {9, Axis({{0, 2}}, 0, 3), 1},  // 2 does not divide 3
      {6, Axis({{0, 7}}, 0, 2), 4},  // steps of 3.5
      {6, Axis({{0, 6}}, 1, 2), 3},  // whole steps: exact
      {6, Axis({{0, -6}}, 1, 2), 3},
  };
  for (const Row& row : rows) {
    Fixture f({{"X", row.bound, false}});
    f.Access("in", TensorRole::kInput, AccessMode::kRead, {row.axis});
    f.Access("out", TensorRole::kOutput, AccessMode::kWrite, {Axis({{0, 1}})});
    const Workload workload = f.Make();
    ASSERT_EQ(workload.dims(), 1);
    EXPECT_EQ(workload.tensors[0].axes[0], (WorkloadAxis{{0, row.coefficient}}));
    for (std::int64_t tile = 1; tile <= row.bound; ++tile) {
      const auto extent = static_cast<std::size_t>(1 + row.coefficient * (tile - 1));
      for (std::int64_t begin = 0; begin + tile <= row.bound; ++begin) {
        EXPECT_LE(Touched(row.axis, begin, begin + tile), extent);
      }
    }
  }
}

TEST(Workload, AxisThatNeverMovesHasNoTerm) {
  Fixture f({{"X", 4, false}});
  f.Access("in", TensorRole::kInput, AccessMode::kRead, {Axis({{0, 1}}, 0, 4)});
  f.Access("out", TensorRole::kOutput, AccessMode::kWrite, {Axis({{0, 1}})});
  const Workload workload = f.Make();
  EXPECT_EQ(workload.dim_names, (std::vector<std::string>{"X"}));
  EXPECT_EQ(workload.footprint(0), 1);
  EXPECT_EQ(workload.footprint(1), 4);
}

TEST(Workload, AxesThatDivideOneDimDifferentlyAreRounded) {
  Fixture f({{"X", 8, false}});
  f.Access("a", TensorRole::kInput, AccessMode::kRead, {Axis({{0, 1}}, 0, 2)});
  f.Access("b", TensorRole::kInput, AccessMode::kRead, {Axis({{0, 1}}, 0, 4)});
  f.Access("out", TensorRole::kOutput, AccessMode::kWrite, {Axis({{0, 1}})});
  const Workload workload = f.Make();
  EXPECT_EQ(workload.dims(), 1);
  EXPECT_EQ(workload.footprint(0), 8);
}

TEST(Workload, GatherCountsOnePositionPerPoint) {
  // table[index[b, s], e]: 6 points of (b, s) touch 6 rows, wherever they are.
  Fixture f({{"B", 2, false}, {"S", 3, false}, {"E", 5, false}});
  f.Access("table", TensorRole::kWeight, AccessMode::kRead,
           {Axis({{0, 3}, {1, 1}}, 0, 1, true), Axis({{2, 1}})});
  f.Access("out", TensorRole::kOutput, AccessMode::kWrite,
           {Axis({{0, 1}}), Axis({{1, 1}}), Axis({{2, 1}})});
  const Workload workload = f.Make();
  EXPECT_EQ(workload.tensors[0].axes.size(), 3U);
  EXPECT_EQ(workload.footprint(0), 2 * 3 * 5);
}

TEST(Workload, ScalarOperatorHasOnePoint) {
  Fixture f({{"X", 1, false}});
  f.Access("in", TensorRole::kInput, AccessMode::kRead, {});
  f.Access("out", TensorRole::kOutput, AccessMode::kAccumulate, {Axis({{0, 1}})});
  const Workload workload = f.Make();
  EXPECT_EQ(workload.dims(), 0);
  EXPECT_EQ(workload.points(), 1);
  EXPECT_EQ(workload.footprint(0), 1);
  EXPECT_FALSE(workload.tensors[1].read_modify_write);
}

TEST(Workload, LimitsAreErrors) {
  std::vector<ir::Dim> many;
  for (int i = 0; i < 13; ++i) {
    many.push_back({"d" + std::to_string(i), 2, false});
  }
  Fixture dims(many);
  dims.Access("out", TensorRole::kOutput, AccessMode::kWrite, {Axis({{0, 1}})});
  EXPECT_EQ(dims.Error(), ErrorCode::kOperatorInvalid);

  Fixture tensors({{"X", 2, false}});
  for (int i = 0; i < 7; ++i) {
    tensors.Access("t" + std::to_string(i), TensorRole::kInput, AccessMode::kRead,
                   {Axis({{0, 1}})});
  }
  tensors.Access("out", TensorRole::kOutput, AccessMode::kWrite, {Axis({{0, 1}})});
  EXPECT_EQ(tensors.Error(), ErrorCode::kOperatorInvalid);

  Fixture terms(
      {{"A", 2, false}, {"B", 2, false}, {"C", 2, false}, {"D", 2, false}, {"E", 2, false}});
  terms.Access("out", TensorRole::kOutput, AccessMode::kWrite,
               {Axis({{0, 1}, {1, 2}, {2, 4}, {3, 8}, {4, 16}})});
  EXPECT_EQ(terms.Error(), ErrorCode::kOperatorInvalid);

  Fixture axes({{"X", 2, false}});
  axes.Access("out", TensorRole::kOutput, AccessMode::kWrite,
              std::vector<AxisExpr>(9, Axis({{0, 1}})));
  EXPECT_EQ(axes.Error(), ErrorCode::kOperatorInvalid);

  Fixture wide({{"X", std::int64_t{1} << 31, false}});
  wide.Access("out", TensorRole::kOutput, AccessMode::kWrite, {Axis({{0, 1}})});
  EXPECT_EQ(wide.Error(), ErrorCode::kOperatorInvalid);

  Fixture far({{"X", 1 << 30, false}, {"Y", 1 << 30, false}, {"Z", 1 << 30, false}});
  far.Access("out", TensorRole::kOutput, AccessMode::kWrite, {Axis({{0, 1}})});
  EXPECT_EQ(far.Error(), ErrorCode::kOperatorInvalid);

  Fixture gaps({{"X", 1 << 30, false}});
  gaps.Access("in", TensorRole::kInput, AccessMode::kRead,
              {Axis({{0, std::numeric_limits<std::int64_t>::max()}})});
  gaps.Access("out", TensorRole::kOutput, AccessMode::kWrite, {Axis({{0, 1}})});
  EXPECT_EQ(gaps.Error(), ErrorCode::kOperatorInvalid);
  gaps.op.accesses[0].axes[0].terms[0].coefficient = std::numeric_limits<std::int64_t>::min();
  EXPECT_EQ(gaps.Error(), ErrorCode::kOperatorInvalid);

  Fixture reads({{"X", 2, false}});
  reads.Access("in", TensorRole::kInput, AccessMode::kRead, {Axis({{0, 1}})});
  EXPECT_EQ(reads.Error(), ErrorCode::kOperatorInvalid);
}

}  // namespace
}  // namespace sluice::mapping
