/// \file
/// Constant folding, seen from outside: a chain of shape arithmetic ends in a Reshape or
/// ConstantOfShape whose shape says what was computed.

#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "io/onnx/onnx.h"
#include "testing/onnx_model.h"

namespace sluice::io {
namespace {

using ::sluice::testing::Extents;
using ::sluice::testing::OnnxModel;

/// The elements of the constant `s` that `build` computes from integers, read as a shape: x is
/// expanded to it.
Extents Folded(const std::function<void(OnnxModel&)>& build, std::int64_t opset = 17) {
  OnnxModel model(opset);
  model.Input("x", {1}).Output("y");
  build(model);
  model.Node("Expand", {"x", "s"}, {"y"});
  const auto network = ImportOnnx(model.Bytes(), "fold", {});
  if (!network) {
    ADD_FAILURE() << network.error().Render();
    return {};
  }
  EXPECT_EQ(network->operators.size(), 1U);  // nothing of the arithmetic is left
  for (const ir::Tensor& tensor : network->tensors) {
    if (tensor.name == "y") {
      return tensor.shape;
    }
  }
  return {};
}

TEST(OnnxFold, Arithmetic) {
  struct Case {
    const char* op;
    Extents expected;
  };
  for (const Case& c : std::vector<Case>{{"Add", {9, 10}},
                                         {"Sub", {5, 4}},
                                         {"Mul", {14, 21}},
                                         {"Div", {3, 2}},
                                         {"Pow", {49, 343}},
                                         {"Max", {7, 7}},
                                         {"Min", {2, 3}}}) {
    EXPECT_EQ(Folded([&](OnnxModel& m) {
                m.Integers("a", {7}).Integers("b", {2, 3});
                m.Node(c.op, {"a", "b"}, {"s"});
              }),
              c.expected)
        << c.op;
  }
  EXPECT_EQ(Folded([](OnnxModel& m) {
              m.Integers("a", {-7, 7}).Integers("b", {4});
              m.Node("Mod", {"a", "b"}, {"s"});
            }),
            (Extents{1, 3}));
}

TEST(OnnxFold, IntegersAreExact) {
  // 2^60 + 3 - 2^60: a double would lose the 3.
  EXPECT_EQ(Folded([](OnnxModel& m) {
              m.Integers("a", {(std::int64_t{1} << 60) + 3}).Integers("b", {std::int64_t{1} << 60});
              m.Node("Sub", {"a", "b"}, {"s"});
            }),
            (Extents{3}));
}

TEST(OnnxFold, ComparisonsAndWhere) {
  EXPECT_EQ(Folded([](OnnxModel& m) {
              m.Integers("a", {1, 5, 3}).Integers("b", {3, 3, 3});
              m.Node("Equal", {"a", "b"}, {"same"});
              m.Node("Not", {"same"}, {"differ"});
              m.Node("Where", {"differ", "a", "b"}, {"w"});
              m.Node("Greater", {"w", "b"}, {"more"});
              m.Integers("two", {2}).Integers("four", {4});
              m.Node("Where", {"more", "two", "four"}, {"s"});
            }),
            (Extents{4, 2, 4}));
}

TEST(OnnxFold, ShapeOfATensor) {
  EXPECT_EQ(Folded([](OnnxModel& m) {
              m.Input("t", {2, 3, 5, 7});
              m.Node("Shape", {"t"}, {"all"});
              m.Integers("index", {3, -3}).Node("Gather", {"all", "index"}, {"s"});
            }),
            (Extents{7, 3}));
  EXPECT_EQ(Folded([](OnnxModel& m) {
              m.Input("t", {2, 3, 5, 7});
              m.Node("Shape", {"t"}, {"s"}).Int("start", -3).Int("end", 3);
            }),
            (Extents{3, 5}));
  EXPECT_EQ(Folded([](OnnxModel& m) {
              m.Input("t", {2, 3, 5});
              m.Node("Size", {"t"}, {"n"});
              m.Integers("axes", {0}).Node("Unsqueeze", {"n", "axes"}, {"s"});
            }),
            (Extents{30}));
}

TEST(OnnxFold, SliceConcatSqueeze) {
  EXPECT_EQ(Folded([](OnnxModel& m) {
              m.Integers("v", {1, 2, 3, 4, 5, 6});
              m.Integers("a", {-1}).Integers("b", {INT64_MIN}).Integers("zero", {0});
              m.Integers("step", {-2});
              m.Node("Slice", {"v", "a", "b", "zero", "step"}, {"back"});  // 6 4 2
              m.Scalar("one", 1);
              m.Node("Unsqueeze", {"one", "zero"}, {"row"});
              m.Node("Squeeze", {"row"}, {"scalar"});
              m.Node("Unsqueeze", {"scalar", "zero"}, {"again"});
              m.Node("Concat", {"back", "again"}, {"s"}).Int("axis", 0);
            }),
            (Extents{6, 4, 2, 1}));
}

TEST(OnnxFold, RangeExpandScatter) {
  EXPECT_EQ(Folded([](OnnxModel& m) {
              m.Scalar("from", 2).Scalar("to", 11).Scalar("by", 3);
              m.Node("Range", {"from", "to", "by"}, {"r"});  // 2 5 8
              m.Weight("at", {1, 1}, 7);
              m.last_initializer()->add_int64_data(1);
              m.Integers("value", {9}).Node("ScatterND", {"r", "at", "value"}, {"s"});
            }),
            (Extents{2, 9, 8}));
  EXPECT_EQ(Folded([](OnnxModel& m) {
              m.Integers("n", {3});
              m.Node("ConstantOfShape", {"n"}, {"zeros"});  // float zeros
              m.Integers("four", {4}).Node("Cast", {"zeros"}, {"z"}).Int("to", 7);
              m.Node("Add", {"z", "four"}, {"s"});
            }),
            (Extents{4, 4, 4}));
}

TEST(OnnxFold, TransposeReshapeTileSplit) {
  EXPECT_EQ(Folded([](OnnxModel& m) {
              m.Integers("v", {1, 2, 3, 4, 5, 6}).Integers("to", {2, 3}).Integers("flat", {-1});
              m.Node("Reshape", {"v", "to"}, {"matrix"});
              m.Node("Transpose", {"matrix"}, {"turned"});
              m.Node("Reshape", {"turned", "flat"}, {"s"});
            }),
            (Extents{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(Folded([](OnnxModel& m) {
              m.Integers("v", {2, 3}).Integers("twice", {2}).Integers("sizes", {1, 3});
              m.Node("Tile", {"v", "twice"}, {"four"});  // 2 3 2 3
              m.Node("Split", {"four", "sizes"}, {"head", "tail"});
              m.Node("Concat", {"tail", "head"}, {"s"}).Int("axis", 0);
            }),
            (Extents{3, 2, 3, 2}));
}

TEST(OnnxFold, ReduceAndNonZero) {
  EXPECT_EQ(Folded([](OnnxModel& m) {
              m.Integers("v", {2, 3, 4});
              m.Node("ReduceProd", {"v"}, {"product"}).Int("keepdims", 1);
              m.Node("ReduceMax", {"v"}, {"most"}).Int("keepdims", 1);
              m.Node("Concat", {"product", "most"}, {"s"}).Int("axis", 0);
            }),
            (Extents{24, 4}));
  EXPECT_EQ(Folded([](OnnxModel& m) {
              m.Integers("v", {0, 5, 0, 7});
              m.Node("NonZero", {"v"}, {"at"});  // [[1, 3]]
              m.Integers("flat", {-1}).Node("Reshape", {"at", "flat"}, {"s"});
            }),
            (Extents{1, 3}));
}

TEST(OnnxFold, FloatsAreRoundedToTheirType) {
  // 0.1 in single precision times 10 rounds to 1 exactly; in double it would be 1.0000000149.
  EXPECT_EQ(Folded([](OnnxModel& m) {
              m.Floats("tenth", {0.1F}).Floats("ten", {10.0F}).Floats("size", {3.0F});
              m.Node("Mul", {"tenth", "ten"}, {"one"});
              m.Node("Mul", {"one", "size"}, {"f"});
              m.Node("Ceil", {"f"}, {"up"});
              m.Node("Cast", {"up"}, {"s"}).Int("to", 7);
            }),
            (Extents{3}));
}

TEST(OnnxFold, LargeConstantsKeepTheirShapeOnly) {
  // A causal mask of 1024 x 1024 is a weight, not an operator.
  OnnxModel model;
  model.Input("x", {1024, 1024}).Integers("n", {1024, 1024}).Output("y");
  model.Node("ConstantOfShape", {"n"}, {"zeros"});
  model.Node("Trilu", {"zeros"}, {"mask"});
  model.Node("Add", {"x", "mask"}, {"y"});
  const auto network = ImportOnnx(model.Bytes(), "mask", {});
  ASSERT_TRUE(network) << network.error().Render();
  ASSERT_EQ(network->operators.size(), 1U);
  EXPECT_EQ(network->operators[0].accesses.size(), 3U);
  EXPECT_EQ(network->tensor(network->operators[0].accesses[1].tensor).role,
            ir::TensorRole::kWeight);
}

TEST(OnnxFold, WeightArithmeticLeavesNoOperators) {
  OnnxModel model;
  model.Input("x", {4, 8}).Weight("w", {16, 8}).Output("y");
  model.Node("Transpose", {"w"}, {"t"});
  model.Node("Mul", {"t", "t"}, {"u"});
  model.Node("MatMul", {"x", "u"}, {"y"});
  const auto network = ImportOnnx(model.Bytes(), "weights", {});
  ASSERT_TRUE(network) << network.error().Render();
  ASSERT_EQ(network->operators.size(), 1U);
  EXPECT_EQ(network->macs(), 4 * 8 * 16);
}

TEST(OnnxFold, RandomTensorsAreNotConstants) {
  OnnxModel model;
  model.Output("y");
  model.Node("RandomNormal", {}, {"y"}).Ints("shape", {2, 3});
  const auto network = ImportOnnx(model.Bytes(), "random", {});
  ASSERT_TRUE(network) << network.error().Render();
  EXPECT_EQ(network->operators.size(), 1U);
}

}  // namespace
}  // namespace sluice::io
