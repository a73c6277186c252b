/// \file
/// Operators as iteration spaces: the dims, work and access ranges each ONNX operator becomes, and
/// the differences between opsets.

#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/onnx/onnx.h"
#include "testing/onnx_model.h"

namespace sluice::io {
namespace {

using ir::Box;
using ir::WorkClass;
using ::sluice::testing::Extents;
using ::sluice::testing::OnnxModel;

ir::Network Import(const OnnxModel& model) {
  Result<ir::Network> network = ImportOnnx(model.Bytes(), "test", {});
  if (!network) {
    ADD_FAILURE() << network.error().Render();
    return {};
  }
  return *network;
}

const ir::Operator& Find(const ir::Network& network, const std::string& name) {
  for (const ir::Operator& op : network.operators) {
    if (op.name == name) {
      return op;
    }
  }
  ADD_FAILURE() << "no operator " << name;
  static const ir::Operator kNone;
  return kNone;
}

const ir::Tensor& FindTensor(const ir::Network& network, const std::string& name) {
  for (const ir::Tensor& tensor : network.tensors) {
    if (tensor.name == name) {
      return tensor;
    }
  }
  ADD_FAILURE() << "no tensor " << name;
  static const ir::Tensor kNone;
  return kNone;
}

std::string DimText(const ir::Operator& op) {
  std::string text;
  for (const ir::Dim& dim : op.dims) {
    text += (text.empty() ? "" : " ") + std::string(dim.whole ? "*" : "") + dim.name + "=" +
            std::to_string(dim.bound);
  }
  return text;
}

/// What read `a` of the first operator touches for a part of the output.
Box Needs(const ir::Network& network, std::size_t a, const Box& output) {
  return ir::SliceOutput(network.operators.front(), network.tensors, output).accesses[a];
}

TEST(OnnxConv, PaddingIsClippedAndAsymmetric) {
  OnnxModel model;
  model.Input("x", {1, 3, 10, 12}).Weight("w", {8, 3, 3, 5}).Weight("b", {8}).Output("y");
  model.Node("Conv", {"x", "w", "b"}, {"y"}).Ints("pads", {1, 0, 0, 2}).Ints("strides", {2, 1});
  const ir::Network network = Import(model);
  const ir::Operator& conv = network.operators.front();
  EXPECT_EQ(DimText(conv), "N=1 K=8 C=3 P=5 Q=10 R=3 S=5");
  EXPECT_EQ(conv.macs(), 8 * 3 * 5 * 10 * 3 * 5);
  EXPECT_EQ(conv.accesses.size(), 3U);
  EXPECT_EQ(conv.parameters.size(), 1U);
  // Row 0 starts one row above the image; the last column ends two to the right of it.
  EXPECT_EQ(Needs(network, 0, {{0, 1}, {0, 8}, {0, 1}, {0, 1}}),
            (Box{{0, 1}, {0, 3}, {0, 2}, {0, 5}}));
  EXPECT_EQ(Needs(network, 0, {{0, 1}, {0, 8}, {4, 5}, {9, 10}}),
            (Box{{0, 1}, {0, 3}, {7, 10}, {9, 12}}));
  EXPECT_EQ(Needs(network, 1, {{0, 1}, {2, 4}, {4, 5}, {9, 10}}),
            (Box{{2, 4}, {0, 3}, {0, 3}, {0, 5}}));
}

TEST(OnnxConv, AutoPadding) {
  // 5 wide, kernel 4, stride 2: 3 outputs need 8, so 3 columns of padding.
  const auto first_column = [](const std::string& mode) {
    OnnxModel model;
    model.Input("x", {1, 1, 5}).Weight("w", {1, 1, 4}).Output("y");
    model.Node("Conv", {"x", "w"}, {"y"}).Text("auto_pad", mode).Ints("strides", {2});
    const ir::Network network = Import(model);
    return std::pair(FindTensor(network, "y").shape,
                     Needs(network, 0, {{0, 1}, {0, 1}, {0, 1}})[2]);
  };
  EXPECT_EQ(first_column("SAME_UPPER"), std::pair(Extents({1, 1, 3}), ir::Range({0, 3})));
  EXPECT_EQ(first_column("SAME_LOWER"), std::pair(Extents({1, 1, 3}), ir::Range({0, 2})));
  EXPECT_EQ(first_column("VALID"), std::pair(Extents({1, 1, 1}), ir::Range({0, 4})));
}

TEST(OnnxConv, GroupsAndDepthwise) {
  OnnxModel grouped;
  grouped.Input("x", {1, 12, 8, 8}).Weight("w", {6, 4, 3, 3}).Output("y");
  grouped.Node("Conv", {"x", "w"}, {"y"}).Int("group", 3).Ints("dilations", {2, 2});
  const ir::Network network = Import(grouped);
  EXPECT_EQ(DimText(network.operators.front()), "N=1 G=3 K=2 C=4 P=4 Q=4 R=3 S=3");
  // Output channels 2 and 3 are group 1: input channels 4 to 7.
  EXPECT_EQ(Needs(network, 0, {{0, 1}, {2, 4}, {0, 1}, {0, 4}}),
            (Box{{0, 1}, {4, 8}, {0, 5}, {0, 8}}));

  OnnxModel depthwise;
  depthwise.Input("x", {1, 16, 8, 8}).Weight("w", {16, 1, 3, 3}).Output("y");
  depthwise.Node("Conv", {"x", "w"}, {"y"}).Int("group", 16).Ints("pads", {1, 1, 1, 1});
  const ir::Network deep = Import(depthwise);
  EXPECT_EQ(DimText(deep.operators.front()), "N=1 G=16 K=1 C=1 P=8 Q=8 R=3 S=3");
  EXPECT_EQ(deep.macs(), 16 * 64 * 9);
  EXPECT_EQ(Needs(deep, 0, {{0, 1}, {5, 6}, {0, 1}, {7, 8}}),
            (Box{{0, 1}, {5, 6}, {0, 2}, {6, 8}}));
}

TEST(OnnxConv, OneAndThreeDimensions) {
  OnnxModel one;
  one.Input("x", {1, 2, 9}).Weight("w", {4, 2, 3}).Output("y").Node("Conv", {"x", "w"}, {"y"});
  EXPECT_EQ(DimText(Import(one).operators.front()), "N=1 K=4 C=2 Q=7 S=3");
  OnnxModel three;
  three.Input("x", {1, 2, 5, 6, 7}).Weight("w", {4, 2, 3, 2, 1}).Output("y");
  three.Node("Conv", {"x", "w"}, {"y"});
  EXPECT_EQ(DimText(Import(three).operators.front()), "N=1 K=4 C=2 O=3 P=5 Q=7 T=3 R=2 S=1");
}

TEST(OnnxConv, TransposedReadsTheInputsThatReachTheOutput) {
  OnnxModel model;
  model.Input("x", {1, 4, 5, 5}).Weight("w", {4, 6, 3, 3}).Output("y");
  model.Node("ConvTranspose", {"x", "w"}, {"y"})
      .Ints("strides", {2, 2})
      .Ints("pads", {1, 1, 1, 1})
      .Ints("output_padding", {1, 1});
  const ir::Network network = Import(model);
  EXPECT_EQ(FindTensor(network, "y").shape, (Extents{1, 6, 10, 10}));
  EXPECT_EQ(network.macs(), 4 * 6 * 25 * 9);
  // Row 4 = 2h + r - 1 with r in 0..2: only h = 2 (r = 1). Row 3: h = 1 (r = 2) and h = 2 (r = 0).
  EXPECT_EQ(Needs(network, 0, {{0, 1}, {0, 6}, {4, 5}, {3, 4}}),
            (Box{{0, 1}, {0, 4}, {2, 3}, {1, 3}}));
}

TEST(OnnxConv, ComputedBiasIsAnAddition) {
  OnnxModel model;
  model.Input("x", {1, 2, 4, 4}).Input("w", {3, 2, 1, 1}).Input("b", {3}).Output("y");
  model.Node("Conv", {"x", "w", "b"}, {"y"}).Name("conv");
  const ir::Network network = Import(model);
  ASSERT_EQ(network.operators.size(), 2U);
  EXPECT_EQ(Find(network, "conv.bias").operations(WorkClass::kVector), 3 * 16);
}

TEST(OnnxPool, WindowsAndCeilMode) {
  const auto output = [](std::int64_t opset, std::int64_t ceil) {
    OnnxModel model(opset);
    model.Input("x", {1, 1, 5}).Output("y");
    model.Node("MaxPool", {"x"}, {"y"})
        .Ints("kernel_shape", {1})
        .Ints("strides", {3})
        .Ints("pads", {0, 1})
        .Int("ceil_mode", ceil);
    return FindTensor(Import(model), "y").shape;
  };
  EXPECT_EQ(output(17, 0), (Extents{1, 1, 2}));
  EXPECT_EQ(output(17, 1), (Extents{1, 1, 3}));
  OnnxModel global;
  global.Input("x", {2, 8, 7, 7}).Output("y").Node("GlobalAveragePool", {"x"}, {"y"});
  const ir::Network network = Import(global);
  EXPECT_EQ(DimText(network.operators.front()), "N=2 C=8 P=1 Q=1 R=7 S=7");
  EXPECT_EQ(network.operators.front().operations(WorkClass::kVector), 2 * 8 * 49);
}

TEST(OnnxPool, DilatedAverageOfOpset19) {
  OnnxModel model(19);
  model.Input("x", {1, 1, 8, 8}).Output("y");
  model.Node("AveragePool", {"x"}, {"y"}).Ints("kernel_shape", {3, 3}).Ints("dilations", {2, 2});
  const ir::Network network = Import(model);
  EXPECT_EQ(FindTensor(network, "y").shape, (Extents{1, 1, 4, 4}));
  EXPECT_EQ(Needs(network, 0, {{0, 1}, {0, 1}, {3, 4}, {0, 1}}),
            (Box{{0, 1}, {0, 1}, {3, 8}, {0, 5}}));
}

TEST(OnnxMatmul, BroadcastsBatches) {
  OnnxModel model;
  model.Input("a", {2, 1, 5, 8}).Input("b", {3, 8, 7}).Output("y");
  model.Node("MatMul", {"a", "b"}, {"y"});
  const ir::Network network = Import(model);
  EXPECT_EQ(DimText(network.operators.front()), "B0=2 B1=3 M=5 N=7 K=8");
  EXPECT_EQ(Needs(network, 0, {{1, 2}, {0, 3}, {2, 3}, {0, 7}}),
            (Box{{1, 2}, {0, 1}, {2, 3}, {0, 8}}));
  EXPECT_EQ(Needs(network, 1, {{1, 2}, {2, 3}, {2, 3}, {0, 7}}), (Box{{2, 3}, {0, 8}, {0, 7}}));
}

TEST(OnnxMatmul, VectorsGemmAndEinsum) {
  OnnxModel vector;
  vector.Input("a", {8}).Input("b", {4, 8, 3}).Output("y").Node("MatMul", {"a", "b"}, {"y"});
  EXPECT_EQ(FindTensor(Import(vector), "y").shape, (Extents{4, 3}));
  OnnxModel gemm;
  gemm.Input("a", {8, 5}).Weight("b", {7, 8}).Weight("c", {7}).Output("y");
  gemm.Node("Gemm", {"a", "b", "c"}, {"y"}).Int("transA", 1).Int("transB", 1);
  const ir::Network network = Import(gemm);
  EXPECT_EQ(DimText(network.operators.front()), "M=5 N=7 K=8");
  EXPECT_EQ(network.operators.front().parameters.size(), 1U);
  OnnxModel einsum;
  einsum.Input("q", {2, 4, 16, 8}).Input("k", {2, 4, 32, 8}).Output("y");
  einsum.Node("Einsum", {"q", "k"}, {"y"}).Text("equation", "bhqd, bhkd -> bhqk");
  const ir::Network attention = Import(einsum);
  EXPECT_EQ(FindTensor(attention, "y").shape, (Extents{2, 4, 16, 32}));
  EXPECT_EQ(attention.macs(), 2 * 4 * 16 * 32 * 8);
}

TEST(OnnxAttention, GroupedHeadsInBothLayouts) {
  OnnxModel apart(23);
  apart.Input("q", {2, 8, 16, 32}).Input("k", {2, 4, 24, 32}).Input("v", {2, 4, 24, 20});
  apart.Input("mask", {16, 24}).Output("y");
  apart.Node("Attention", {"q", "k", "v", "mask"}, {"y"}).Name("a");
  OnnxModel packed(23);
  packed.Input("q", {2, 16, 8 * 32}).Input("k", {2, 24, 4 * 32}).Input("v", {2, 24, 4 * 20});
  packed.Output("y");
  packed.Node("Attention", {"q", "k", "v"}, {"y"})
      .Name("a")
      .Int("q_num_heads", 8)
      .Int("kv_num_heads", 4);
  const ir::Network four = Import(apart);
  const ir::Network three = Import(packed);
  EXPECT_EQ(FindTensor(four, "y").shape, (Extents{2, 8, 16, 20}));
  EXPECT_EQ(FindTensor(three, "y").shape, (Extents{2, 16, 160}));
  const std::int64_t macs = 2 * 8 * 16 * 24 * (32 + 20);
  EXPECT_EQ(four.macs(), macs);
  EXPECT_EQ(three.macs(), macs);
  EXPECT_EQ(DimText(Find(four, "a.softmax")), "N=2 C=8 H=16 *W=24");
  // Query head 5 is the second of the two that share head 2 of keys and values.
  const ir::Operator& values = Find(four, "a.values");
  EXPECT_EQ(ir::SliceOutput(values, four.tensors, {{0, 1}, {5, 6}, {0, 1}, {0, 20}}).accesses[1],
            (Box{{0, 1}, {2, 3}, {0, 24}, {0, 20}}));
  const ir::Operator& packed_values = Find(three, "a.values");
  EXPECT_EQ(ir::SliceOutput(packed_values, three.tensors, {{0, 1}, {0, 1}, {100, 120}}).accesses[1],
            (Box{{0, 1}, {0, 24}, {40, 60}}));
}

TEST(OnnxElementwise, BroadcastAxesDoNotMove) {
  OnnxModel model;
  model.Input("x", {4, 16, 8}).Weight("b", {16, 1}).Output("y").Node("Add", {"x", "b"}, {"y"});
  const ir::Network network = Import(model);
  EXPECT_EQ(Needs(network, 1, {{0, 4}, {3, 5}, {0, 8}}), (Box{{3, 5}, {0, 1}}));
  OnnxModel scalar;
  scalar.Input("x", {4}).Floats("two", {2.0F}).Output("y").Node("Mul", {"x", "two"}, {"y"});
  EXPECT_EQ(Import(scalar).operators.front().accesses.size(), 2U);  // an immediate
}

TEST(OnnxElementwise, ManyOperandsAreAddedInGroups) {
  OnnxModel model;
  std::vector<std::string> names;
  for (int i = 0; i < 12; ++i) {
    names.push_back("x" + std::to_string(i));
    model.Input(names.back(), {8});
  }
  model.Output("y").Node("Sum", names, {"y"});
  const ir::Network network = Import(model);
  std::int64_t additions = 0;
  for (const ir::Operator& op : network.operators) {
    EXPECT_LE(op.accesses.size(), 6U);
    additions += op.operations(WorkClass::kVector);
  }
  EXPECT_EQ(additions, 11 * 8);
}

TEST(OnnxElementwise, KindsOfWork) {
  struct Case {
    const char* op;
    std::int64_t opset;
    std::int64_t vector;
    std::int64_t transcendental;
  };
  for (const Case& c : {Case{"Relu", 17, 1, 0}, Case{"Sigmoid", 17, 1, 1}, Case{"Tanh", 17, 0, 1},
                        Case{"HardSwish", 17, 4, 0}, Case{"Mish", 18, 1, 3}, Case{"Gelu", 20, 3, 1},
                        Case{"Erf", 17, 0, 1}, Case{"Clip", 11, 2, 0}}) {
    OnnxModel model(c.opset);
    model.Input("x", {10}).Output("y").Node(c.op, {"x"}, {"y"});
    const ir::Network network = Import(model);
    EXPECT_EQ(network.operators.front().operations(WorkClass::kVector), 10 * c.vector) << c.op;
    EXPECT_EQ(network.operators.front().operations(WorkClass::kTranscendental),
              10 * c.transcendental)
        << c.op;
  }
}

TEST(OnnxNormalization, SoftmaxChangesWithOpset13) {
  const auto dims = [](std::int64_t opset) {
    OnnxModel model(opset);
    model.Input("x", {2, 3, 4}).Output("y").Node("Softmax", {"x"}, {"y"});
    return DimText(Import(model).operators.front());
  };
  EXPECT_EQ(dims(11), "B=2 *M=3 *N=4");  // flattened from axis 1
  EXPECT_EQ(dims(13), "B=2 M=3 *N=4");   // the last axis
}

TEST(OnnxNormalization, WholeDims) {
  OnnxModel layer;
  layer.Input("x", {2, 5, 16}).Weight("s", {16}).Weight("b", {16}).Output("y");
  layer.Node("LayerNormalization", {"x", "s", "b"}, {"y"});
  const ir::Network network = Import(layer);
  EXPECT_EQ(DimText(network.operators.front()), "B=2 M=5 *N=16");
  EXPECT_EQ(network.operators.front().parameters.size(), 2U);
  EXPECT_EQ(Needs(network, 0, {{0, 1}, {2, 3}, {4, 5}}), (Box{{0, 1}, {2, 3}, {0, 16}}));

  OnnxModel instance;
  instance.Input("x", {2, 6, 4, 4}).Weight("s", {6}).Weight("b", {6}).Output("y");
  instance.Node("InstanceNormalization", {"x", "s", "b"}, {"y"});
  EXPECT_EQ(DimText(Import(instance).operators.front()), "N=2 C=6 *H=4 *W=4");

  for (const std::int64_t opset : {18, 21}) {
    OnnxModel group(opset);
    const std::int64_t scales = opset < 21 ? 3 : 6;  // per group, then per channel
    group.Input("x", {2, 6, 4, 4}).Weight("s", {scales}).Weight("b", {scales}).Output("y");
    group.Node("GroupNormalization", {"x", "s", "b"}, {"y"}).Int("num_groups", 3);
    EXPECT_EQ(DimText(Import(group).operators.front()), "N=2 G=3 *C=2 *H=4 *W=4") << opset;
  }
}

TEST(OnnxReduce, AxesAsAttributeAndAsInput) {
  for (const std::int64_t opset : {11, 13, 17, 18}) {
    for (const std::string op : {"ReduceSum", "ReduceMean"}) {
      OnnxModel model(opset);
      model.Input("x", {2, 3, 4}).Integers("axes", {-1}).Output("y");
      if (opset >= (op == "ReduceSum" ? 13 : 18)) {
        model.Node(op, {"x", "axes"}, {"y"}).Int("keepdims", 0);
      } else {
        model.Node(op, {"x"}, {"y"}).Ints("axes", {-1}).Int("keepdims", 0);
      }
      const ir::Network network = Import(model);
      EXPECT_EQ(FindTensor(network, "y").shape, (Extents{2, 3})) << op << opset;
      EXPECT_EQ(network.operators.front().output().mode, ir::AccessMode::kAccumulate);
    }
  }
}

TEST(OnnxView, CostsNothingAndSlicesExactly) {
  OnnxModel model;
  model.Input("x", {1, 128, 768}).Integers("s", {1, 128, 12, 64}).Output("y");
  model.Node("Reshape", {"x", "s"}, {"y"});
  const ir::Network network = Import(model);
  EXPECT_TRUE(network.operators.front().is_view());
  EXPECT_EQ(FindTensor(network, "y").storage, network.operators.front().accesses[0].tensor);
  EXPECT_EQ(ir::TotalBytes(network), 0);
  // Head 3 is columns 192 to 255.
  EXPECT_EQ(Needs(network, 0, {{0, 1}, {10, 12}, {3, 4}, {0, 64}}),
            (Box{{0, 1}, {10, 12}, {192, 256}}));
}

TEST(OnnxView, FactorsThatDoNotNestCannotBeCut) {
  for (const auto& [from, to] : std::vector<std::pair<Extents, Extents>>{
           {{4, 6}, {6, 4}}, {{3, 4, 6}, {4, 18}}, {{2, 6, 5}, {4, 3, 5}}, {{6, 35}, {10, 21}}}) {
    OnnxModel model;
    model.Input("x", from).Integers("s", to).Output("y").Node("Reshape", {"x", "s"}, {"y"});
    const ir::Network network = Import(model);
    Box first;
    Box all;
    for (const std::int64_t extent : to) {
      first.push_back({0, 1});
      all.push_back({0, extent});
    }
    const ir::Slice slice = ir::FullSlice(network.operators.front(), network.tensors);
    EXPECT_EQ(slice.accesses.back(), all);
    EXPECT_EQ(ir::Volume(slice.accesses.front()), FindTensor(network, "x").elements());
    EXPECT_GE(ir::Volume(Needs(network, 0, first)), 1);
  }
}

TEST(OnnxView, SqueezeAndUnsqueezeAxes) {
  for (const std::int64_t opset : {11, 13}) {
    OnnxModel model(opset);
    model.Input("x", {1, 3, 1}).Integers("a", {0, 4}).Output("y");
    if (opset < 13) {
      model.Node("Squeeze", {"x"}, {"s"}).Ints("axes", {2});
      model.Node("Unsqueeze", {"s"}, {"y"}).Ints("axes", {0, 3});
    } else {
      model.Integers("two", {2}).Node("Squeeze", {"x", "two"}, {"s"});
      model.Integers("out", {0, 3}).Node("Unsqueeze", {"s", "out"}, {"y"});
    }
    EXPECT_EQ(FindTensor(Import(model), "y").shape, (Extents{1, 1, 3, 1})) << opset;
  }
}

TEST(OnnxMove, ConcatAndSplitAreMovesToTheirPlaces) {
  OnnxModel model;
  model.Input("a", {2, 3}).Input("b", {2, 5}).Output("y");
  model.Node("Concat", {"a", "b"}, {"c"}).Int("axis", 1).Name("join");
  model.Node("Relu", {"c"}, {"y"});
  const ir::Network network = Import(model);
  const ir::Operator& second = Find(network, "join.part1");
  EXPECT_EQ(second.operations(WorkClass::kMove), 10);
  // The second part has nothing to do with the first three columns.
  EXPECT_EQ(ir::SliceOutput(second, network.tensors, {{0, 2}, {0, 3}}).dims, (Box{{0, 0}, {0, 0}}));
  EXPECT_EQ(ir::SliceOutput(second, network.tensors, {{0, 1}, {2, 5}}).accesses[0],
            (Box{{0, 1}, {0, 2}}));

  for (const std::int64_t opset : {11, 13, 18}) {
    OnnxModel split(opset);
    split.Input("x", {7, 2}).Integers("sizes", {4, 3}).Output("a").Output("b");
    if (opset < 13) {
      split.Node("Split", {"x"}, {"a", "b"}).Ints("split", {4, 3});
    } else if (opset < 18) {
      split.Node("Split", {"x", "sizes"}, {"a", "b"});
    } else {
      split.Node("Split", {"x"}, {"a", "b"}).Int("num_outputs", 2);
    }
    const ir::Network parts = Import(split);
    EXPECT_EQ(FindTensor(parts, "b").shape, (Extents{3, 2})) << opset;
    EXPECT_EQ(ir::FullSlice(parts.operators[1], parts.tensors).accesses[0], (Box{{4, 7}, {0, 2}}));
  }
}

TEST(OnnxMove, PadWithAxesOfOpset18) {
  OnnxModel model(18);
  model.Input("x", {2, 3}).Integers("pads", {1, 2}).Integers("axes", {1}).Output("y");
  model.Node("Pad", {"x", "pads", "", "axes"}, {"y"});
  const ir::Network network = Import(model);
  EXPECT_EQ(FindTensor(network, "y").shape, (Extents{2, 6}));
  EXPECT_EQ(Needs(network, 0, {{0, 2}, {0, 2}}), (Box{{0, 2}, {0, 1}}));
  EXPECT_EQ(Needs(network, 0, {{0, 2}, {4, 6}}), (Box{{0, 0}, {0, 0}}));  // padding only
}

TEST(OnnxMove, SliceWithSteps) {
  OnnxModel model;
  model.Input("x", {20}).Integers("a", {-2}).Integers("b", {1}).Integers("c", {0});
  model.Integers("d", {-3}).Output("y");
  model.Node("Slice", {"x", "a", "b", "c", "d"}, {"y"});  // 18 15 12 9 6 3
  const ir::Network network = Import(model);
  EXPECT_EQ(FindTensor(network, "y").shape, (Extents{6}));
  EXPECT_EQ(Needs(network, 0, {{1, 3}}), (Box{{12, 16}}));
}

TEST(OnnxMove, TransposingUnitAxesIsAView) {
  OnnxModel model;
  model.Input("x", {1, 8, 1, 4})
      .Output("y")
      .Node("Transpose", {"x"}, {"y"})
      .Ints("perm", {2, 1, 0, 3});
  EXPECT_TRUE(Import(model).operators.front().is_view());
}

TEST(OnnxIndex, GatherByDataAndByConstant) {
  OnnxModel model;
  model.Weight("table", {30522, 768}).Input("tokens", {1, 128}, 7).Output("y");
  model.Node("Gather", {"table", "tokens"}, {"y"});
  const ir::Network network = Import(model);
  EXPECT_EQ(DimText(network.operators.front()), "B=1 M=128 N=768");
  const auto bytes = ir::AccessBytes(network, network.operators.front());
  EXPECT_EQ(bytes[0], 128 * 768 * 4);  // not the whole table
  EXPECT_EQ(bytes[1], 128 * 8);

  OnnxModel known;
  known.Input("x", {1, 197, 768}).Scalar("first", 0).Output("y");
  known.Node("Gather", {"x", "first"}, {"y"}).Int("axis", 1);
  const ir::Network token = Import(known);
  EXPECT_EQ(token.operators.front().accesses.size(), 2U);
  EXPECT_EQ(Needs(token, 0, {{0, 1}, {0, 768}}), (Box{{0, 1}, {0, 1}, {0, 768}}));
}

TEST(OnnxIndex, ScatterCopiesThenUpdates) {
  OnnxModel model;
  model.Input("x", {8, 4}).Input("i", {2, 1}, 7).Input("u", {2, 4}).Output("y");
  model.Node("ScatterND", {"x", "i", "u"}, {"y"}).Name("scatter");
  const ir::Network network = Import(model);
  ASSERT_EQ(network.operators.size(), 2U);
  EXPECT_EQ(network.operators[0].operations(WorkClass::kMove), 32);
  EXPECT_EQ(network.operators[1].operations(WorkClass::kMove), 8);
}

TEST(OnnxResize, WholeMultiplesAndOtherRatios) {
  const auto resize = [](const Extents& sizes, const std::string& mode) {
    OnnxModel model;
    model.Input("x", {1, 4, 6, 6}).Integers("sizes", sizes).Output("y");
    model.Node("Resize", {"x", "", "", "sizes"}, {"y"})
        .Text("mode", mode)
        .Text("coordinate_transformation_mode", "asymmetric")
        .Text("nearest_mode", "floor");
    return Import(model);
  };
  const ir::Network twice = resize({1, 4, 12, 12}, "nearest");
  EXPECT_EQ(DimText(twice.operators.front()), "N=1 C=4 H=6 Hi=2 W=6 Wi=2");
  EXPECT_EQ(Needs(twice, 0, {{0, 1}, {0, 4}, {3, 6}, {0, 1}}),
            (Box{{0, 1}, {0, 4}, {1, 3}, {0, 1}}));
  const ir::Network odd = resize({1, 4, 9, 4}, "nearest");  // rows by 2/3: 0 0 1 2 2 3 4 4 5
  EXPECT_EQ(Needs(odd, 0, {{0, 1}, {0, 4}, {3, 6}, {0, 4}}), (Box{{0, 1}, {0, 4}, {2, 4}, {0, 5}}));
  const ir::Network linear = resize({1, 4, 9, 6}, "linear");  // row 3 lies on 2 and reads 2 and 3
  EXPECT_EQ(Needs(linear, 0, {{0, 1}, {0, 4}, {3, 4}, {0, 6}}),
            (Box{{0, 1}, {0, 4}, {2, 4}, {0, 6}}));
}

OnnxModel Lstm(const std::string& direction, std::int64_t directions) {
  OnnxModel model;
  model.Input("x", {10, 2, 8}).Weight("w", {directions, 24, 8}).Weight("r", {directions, 24, 6});
  model.Weight("b", {directions, 48}).Output("y").Output("h").Output("c");
  model.Node("LSTM", {"x", "w", "r", "b"}, {"y", "h", "c"})
      .Name("lstm")
      .Text("direction", direction)
      .Int("hidden_size", 6);
  return model;
}

TEST(OnnxRecurrent, LstmIsGemmsAndGates) {
  const ir::Network network = Import(Lstm("forward", 1));
  EXPECT_EQ(FindTensor(network, "y").shape, (Extents{10, 1, 2, 6}));
  EXPECT_EQ(DimText(Find(network, "lstm.input")), "T=10 B=2 N=24 K=8");
  const ir::Operator& recurrent = Find(network, "lstm.recurrent");
  EXPECT_EQ(DimText(recurrent), "*T=10 B=2 N=24 K=6");
  EXPECT_EQ(network.macs(), 10 * 2 * 24 * (8 + 6));
  // The state of the step before, of the same tensor.
  const ir::Tensor& previous = network.tensor(recurrent.accesses[0].tensor);
  EXPECT_EQ(network.tensor(previous.storage).name, "y");
  EXPECT_EQ(recurrent.accesses[0].axes[0].offset, -1);
  EXPECT_EQ(Find(network, "lstm.hidden").operations(WorkClass::kTranscendental), 10 * 2 * 6);
  // The last step's state is row 9 of y.
  const ir::Operator& last = Find(network, "lstm.last");
  EXPECT_EQ(ir::FullSlice(last, network.tensors).accesses[0],
            (Box{{9, 10}, {0, 1}, {0, 2}, {0, 6}}));
}

TEST(OnnxRecurrent, DirectionsRunBothWays) {
  const ir::Network network = Import(Lstm("bidirectional", 2));
  EXPECT_EQ(FindTensor(network, "y").shape, (Extents{10, 2, 2, 6}));
  EXPECT_EQ(network.macs(), 2 * 10 * 2 * 24 * (8 + 6));
  EXPECT_EQ(Find(network, "lstm.reverse.recurrent").accesses[0].axes[0].offset, 1);
  EXPECT_EQ(ir::FullSlice(Find(network, "lstm.reverse.last"), network.tensors).accesses[0],
            (Box{{0, 1}, {1, 2}, {0, 2}, {0, 6}}));
}

TEST(OnnxRecurrent, GruAndRnn) {
  for (const auto& [op, gates] :
       std::vector<std::pair<std::string, std::int64_t>>{{"GRU", 3}, {"RNN", 1}}) {
    OnnxModel model;
    model.Input("x", {5, 2, 8}).Weight("w", {1, gates * 6, 8}).Weight("r", {1, gates * 6, 6});
    model.Output("y").Node(op, {"x", "w", "r"}, {"y"}).Int("hidden_size", 6);
    EXPECT_EQ(Import(model).macs(), 5 * 2 * gates * 6 * (8 + 6)) << op;
  }
}

TEST(OnnxQuantization, IntegerConvolutionAndMatmul) {
  OnnxModel conv;
  conv.Input("x", {1, 4, 6, 6}, 2)
      .Weight("xs", {})
      .Weight("xz", {}, 2)
      .Weight("w", {8, 4, 3, 3}, 3);
  conv.Weight("ws", {8}).Weight("wz", {8}, 3).Weight("ys", {}).Weight("yz", {}, 2).Output("y");
  conv.Node("QLinearConv", {"x", "xs", "xz", "w", "ws", "wz", "ys", "yz"}, {"y"});
  const ir::Network network = Import(conv);
  EXPECT_EQ(network.macs(), 8 * 4 * 16 * 9);
  EXPECT_EQ(FindTensor(network, "y").element_bits, 8);
  EXPECT_EQ(network.operators.front().accesses.size(), 3U);
  EXPECT_EQ(network.operators.front().parameters.size(), 6U);
  OnnxModel matmul;
  matmul.Input("a", {4, 8}, 2).Weight("b", {8, 3}, 3).Output("y");
  matmul.Node("MatMulInteger", {"a", "b"}, {"y"});
  EXPECT_EQ(FindTensor(Import(matmul), "y").element_bits, 32);
}

}  // namespace
}  // namespace sluice::io
