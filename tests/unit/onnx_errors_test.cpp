/// \file
/// Bad ONNX input: every way a model can be wrong ends in a diagnostic with the right code, that
/// names the culprit and, where something would help, says what. Nothing crashes or allocates
/// without bound.

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rng.h"
#include "io/onnx/onnx.h"
#include "testing/onnx_model.h"

namespace sluice::io {
namespace {

using ::sluice::testing::OnnxModel;
using ::testing::HasSubstr;

Diagnostic ImportError(const std::string& bytes, const OnnxOptions& options = {}) {
  const Result<ir::Network> network = ImportOnnx(bytes, "bad.onnx", options);
  if (network) {
    ADD_FAILURE() << "imported, although it should not";
    return {};
  }
  EXPECT_EQ(network.error().span.file, "bad.onnx");
  return network.error();
}

Diagnostic ImportError(const OnnxModel& model, const OnnxOptions& options = {}) {
  return ImportError(model.Bytes(), options);
}

OnnxModel Relu() {
  OnnxModel model;
  model.Input("x", {1, 8}).Output("y");
  model.Node("Relu", {"x"}, {"y"}).Name("relu");
  return model;
}

TEST(OnnxErrors, EmptyFile) {
  EXPECT_EQ(ImportError(std::string()).code, ErrorCode::kOnnxMalformed);
}

TEST(OnnxErrors, MissingFile) {
  const auto network = LoadOnnx("/nonexistent/model.onnx", {});
  ASSERT_FALSE(network);
  EXPECT_EQ(network.error().code, ErrorCode::kFileUnreadable);
}

TEST(OnnxErrors, TruncatedAtEveryByte) {
  const std::string bytes = Relu().Bytes();
  int refused = 0;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    refused += ImportOnnx(bytes.substr(0, size), "bad.onnx", {}) ? 0 : 1;
  }
  // Protobuf cannot tell a cut between two top-level fields; the model then lacks its opset.
  EXPECT_EQ(refused, static_cast<int>(bytes.size()));
}

TEST(OnnxErrors, TruncationNamesTheByte) {
  const std::string bytes = Relu().Bytes();
  const Diagnostic error = ImportError(bytes.substr(0, bytes.size() / 2));
  EXPECT_EQ(error.code, ErrorCode::kOnnxMalformed);
  EXPECT_THAT(error.message, HasSubstr("at byte"));
}

TEST(OnnxErrors, RandomBytes) {
  Rng rng(7);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(1 + rng.Below(200), '\0');
    for (char& byte : bytes) {
      byte = static_cast<char>(rng.Next());
    }
    EXPECT_FALSE(ImportOnnx(bytes, "bad.onnx", {}));
  }
}

TEST(OnnxErrors, MutatedModelsNeverCrash) {
  const std::string original = Relu().Bytes();
  Rng rng(11);
  int imported = 0;
  for (int round = 0; round < 5000; ++round) {
    std::string bytes = original;
    for (std::uint32_t flips = 1 + rng.Below(4); flips > 0; --flips) {
      bytes[rng.Below(static_cast<std::uint32_t>(bytes.size()))] = static_cast<char>(rng.Next());
    }
    imported += ImportOnnx(bytes, "bad.onnx", {}) ? 1 : 0;
  }
  EXPECT_GT(imported, 0);
}

TEST(OnnxErrors, DeepNesting) {
  // A graph in an attribute of a node in a graph ..., written inside out.
  std::string graph;
  const auto field = [](int number, const std::string& payload) {
    std::string out(1, static_cast<char>(number << 3 | 2));
    std::size_t size = payload.size();
    while (size >= 128) {
      out.push_back(static_cast<char>(size % 128 + 128));
      size /= 128;
    }
    out.push_back(static_cast<char>(size));
    return out + payload;
  };
  for (int depth = 0; depth < 1000; ++depth) {
    graph = field(1, field(5, field(6, graph)));  // node { attribute { g } }
  }
  const Diagnostic error = ImportError(field(7, graph));
  EXPECT_EQ(error.code, ErrorCode::kOnnxMalformed);
  EXPECT_THAT(error.message, HasSubstr("nest deeper"));
}

TEST(OnnxErrors, TooManyNodes) {
  // A million and one empty nodes are two bytes each.
  std::string graph;
  for (int i = 0; i <= 1'000'000; ++i) {
    graph += std::string("\x0a\x00", 2);
  }
  std::string bytes("\x3a", 1);
  for (std::size_t size = graph.size(); true; size /= 128) {
    bytes.push_back(static_cast<char>(size >= 128 ? size % 128 + 128 : size));
    if (size < 128) {
      break;
    }
  }
  EXPECT_EQ(ImportError(bytes + graph).code, ErrorCode::kFileTooLarge);
}

TEST(OnnxErrors, NoGraph) {
  OnnxModel model;
  model.proto().clear_graph();
  EXPECT_EQ(ImportError(model).code, ErrorCode::kOnnxMalformed);
}

TEST(OnnxErrors, NoOutputs) {
  OnnxModel model;
  model.Input("x", {1});
  EXPECT_EQ(ImportError(model).code, ErrorCode::kOnnxMalformed);
}

TEST(OnnxErrors, Opsets) {
  for (const std::int64_t opset : {-1, 0, 1, 10, 24, 1000}) {
    OnnxModel model(opset);
    model.Input("x", {1}).Output("y").Node("Relu", {"x"}, {"y"});
    const Diagnostic error = ImportError(model);
    EXPECT_EQ(error.code, ErrorCode::kOnnxUnsupportedOpset) << opset;
    EXPECT_THAT(error.message, HasSubstr("opsets 11 to 23"));
  }
  for (const std::int64_t opset : {11, 17, 18, 23}) {
    OnnxModel model(opset);
    model.Input("x", {1}).Output("y").Node("Relu", {"x"}, {"y"});
    EXPECT_TRUE(ImportOnnx(model.Bytes(), "m", {})) << opset;
  }
}

TEST(OnnxErrors, Cycle) {
  OnnxModel model;
  model.Input("x", {4}).Output("b");
  model.Node("Add", {"x", "b"}, {"a"}).Name("first");
  model.Node("Relu", {"a"}, {"b"}).Name("second");
  const Diagnostic error = ImportError(model);
  EXPECT_EQ(error.code, ErrorCode::kOnnxCycle);
  EXPECT_THAT(error.message, HasSubstr("`first`"));
  EXPECT_THAT(error.message, HasSubstr("`second`"));
}

TEST(OnnxErrors, NodeReadsItself) {
  OnnxModel model;
  model.Input("x", {4}).Output("a");
  model.Node("Add", {"x", "a"}, {"a"});
  EXPECT_EQ(ImportError(model).code, ErrorCode::kOnnxCycle);
}

TEST(OnnxErrors, MissingTensor) {
  OnnxModel model;
  model.Input("x", {4}).Output("y");
  model.Node("Add", {"x", "ghost"}, {"y"}).Name("sum");
  const Diagnostic error = ImportError(model);
  EXPECT_EQ(error.code, ErrorCode::kOnnxMissingTensor);
  EXPECT_THAT(error.message, HasSubstr("`ghost`"));
  EXPECT_THAT(error.message, HasSubstr("`sum`"));
}

TEST(OnnxErrors, MissingOutput) {
  OnnxModel model;
  model.Input("x", {4}).Output("nowhere");
  model.Node("Relu", {"x"}, {"y"});
  EXPECT_EQ(ImportError(model).code, ErrorCode::kOnnxMissingTensor);
}

TEST(OnnxErrors, MissingInput) {
  OnnxModel model;
  model.Input("x", {4}).Output("y");
  model.Node("Add", {"x"}, {"y"});
  EXPECT_EQ(ImportError(model).code, ErrorCode::kOnnxMalformed);
}

TEST(OnnxErrors, DuplicateNames) {
  OnnxModel twice;
  twice.Input("x", {4}).Output("y");
  twice.Node("Relu", {"x"}, {"y"});
  twice.Node("Abs", {"x"}, {"y"});
  const Diagnostic error = ImportError(twice);
  EXPECT_EQ(error.code, ErrorCode::kOnnxMalformed);
  EXPECT_THAT(error.message, HasSubstr("`y`"));

  OnnxModel inputs;
  inputs.Input("x", {4}).Input("x", {4}).Output("x");
  EXPECT_EQ(ImportError(inputs).code, ErrorCode::kOnnxMalformed);

  OnnxModel weights;
  weights.Weight("w", {4}).Weight("w", {4}).Output("w");
  EXPECT_EQ(ImportError(weights).code, ErrorCode::kOnnxMalformed);
}

TEST(OnnxErrors, ImpossibleExtents) {
  for (const std::int64_t extent : {std::int64_t{0}, std::int64_t{-5}}) {
    OnnxModel model;
    model.Input("x", {1, extent}).Output("y").Node("Relu", {"x"}, {"y"});
    EXPECT_EQ(ImportError(model).code, ErrorCode::kOnnxDynamicDim) << extent;
  }
  OnnxModel weight;
  weight.Input("x", {4}).Weight("w", {-4}).Output("y");
  weight.Node("Add", {"x", "w"}, {"y"});
  EXPECT_EQ(ImportError(weight).code, ErrorCode::kOnnxMalformed);
}

TEST(OnnxErrors, OverflowingExtents) {
  for (const sluice::testing::Extents& shape :
       {sluice::testing::Extents{std::int64_t{1} << 40},
        sluice::testing::Extents{std::int64_t{1} << 20, std::int64_t{1} << 20},
        sluice::testing::Extents{std::int64_t{1} << 62},
        sluice::testing::Extents{std::int64_t{1} << 39, std::int64_t{1} << 39,
                                 std::int64_t{1} << 39}}) {
    OnnxModel model;
    model.Input("x", shape).Output("y").Node("Relu", {"x"}, {"y"});
    EXPECT_EQ(ImportError(model).code, ErrorCode::kOnnxOverflow);
    OnnxModel weight;
    weight.Input("x", {1}).Weight("w", shape).Output("y").Node("Add", {"x", "w"}, {"y"});
    EXPECT_EQ(ImportError(weight).code, ErrorCode::kOnnxOverflow);
  }
}

TEST(OnnxErrors, ComputedTensorTooLarge) {
  OnnxModel model;
  model.Input("a", {1 << 20, 1}).Input("b", {1, 1 << 20}).Output("y");
  model.Node("Add", {"a", "b"}, {"y"}).Name("outer");
  const Diagnostic error = ImportError(model);
  EXPECT_EQ(error.code, ErrorCode::kOnnxOverflow);
  EXPECT_THAT(error.message, HasSubstr("`outer`"));
}

TEST(OnnxErrors, ConstantTooLarge) {
  OnnxModel model;
  model.Integers("shape", {1 << 30, 1 << 30}).Output("y");
  model.Node("ConstantOfShape", {"shape"}, {"y"});
  EXPECT_EQ(ImportError(model).code, ErrorCode::kOnnxOverflow);
}

TEST(OnnxErrors, ResizedExtentTooLarge) {
  // One scale for both axes, the larger: 2^29 times 2^38.
  OnnxModel model(18);
  model.Input("x", {1, std::int64_t{1} << 38}).Output("y");
  model.Integers("sizes", {std::int64_t{1} << 29, 1});
  model.Node("Resize", {"x", "", "", "sizes"}, {"y"})
      .Name("resize")
      .Text("keep_aspect_ratio_policy", "not_smaller");
  const Diagnostic error = ImportError(model);
  EXPECT_EQ(error.code, ErrorCode::kOnnxShape);
  EXPECT_THAT(error.message, HasSubstr("out of range"));
}

TEST(OnnxErrors, WholeNumbersStoredAsRealOnes) {
  // Numbers in a field that is not the one of the tensor's type are none of its own.
  OnnxModel model;
  model.Input("x", {4, 6}).Weight("shape", {2}, 7).Output("y");
  model.last_initializer()->add_float_data(6.2e22F);
  model.last_initializer()->add_double_data(-1e300);
  model.Node("Reshape", {"x", "shape"}, {"y"}).Name("reshape");
  const Diagnostic error = ImportError(model);
  EXPECT_THAT(error.message, HasSubstr("shape"));
}

TEST(OnnxErrors, TooManyPoints) {
  OnnxModel model;
  model.Input("a", {1 << 19, 1 << 20}).Input("b", {1 << 20, 1 << 19}).Output("y");
  model.Node("MatMul", {"a", "b"}, {"y"});
  EXPECT_TRUE(ImportOnnx(model.Bytes(), "m", {}));  // 2^58 multiply-accumulates still fit
  OnnxModel batched;
  batched.Input("a", {32, 1 << 15, 1 << 19}).Input("b", {32, 1 << 19, 1 << 15}).Output("y");
  batched.Node("Einsum", {"a", "b"}, {"y"}).Text("equation", "bij,ckl->bc");
  EXPECT_EQ(ImportError(batched).code, ErrorCode::kOnnxOverflow);
}

TEST(OnnxErrors, UnknownOperator) {
  OnnxModel model;
  model.Input("x", {4}).Output("y");
  model.Node("Reluu", {"x"}, {"y"}).Name("typo");
  const Diagnostic error = ImportError(model);
  EXPECT_EQ(error.code, ErrorCode::kOnnxUnsupportedOp);
  EXPECT_THAT(error.message, HasSubstr("`typo`"));
  EXPECT_THAT(error.message, HasSubstr("did you mean `Relu`"));
  EXPECT_THAT(error.hint, HasSubstr("--skip-unknown"));
}

TEST(OnnxErrors, UnknownDomain) {
  OnnxModel model;
  model.Input("x", {4}).Output("y");
  model.Node("FastGelu", {"x"}, {"y"}).Name("gelu").Domain("com.microsoft");
  const Diagnostic error = ImportError(model);
  EXPECT_EQ(error.code, ErrorCode::kOnnxUnsupportedOp);
  EXPECT_THAT(error.message, HasSubstr("com.microsoft"));
}

TEST(OnnxErrors, SkipUnknownNeedsShapes) {
  OnnxModel model;
  model.Input("x", {4}).Output("y");
  model.Node("Mystery", {"x"}, {"y"}).Domain("acme");
  OnnxOptions skip;
  skip.skip_unknown = true;
  EXPECT_EQ(ImportError(model, skip).code, ErrorCode::kOnnxUnsupportedOp);

  OnnxModel stated;
  stated.Input("x", {4}).Output("y", {2, 3});
  stated.Node("Mystery", {"x"}, {"y"}).Domain("acme").Name("opaque");
  const auto network = ImportOnnx(stated.Bytes(), "m", skip);
  ASSERT_TRUE(network) << network.error().Render();
  ASSERT_EQ(network->operators.size(), 1U);
  EXPECT_EQ(network->operators[0].operations(ir::WorkClass::kVector), 6);
  ASSERT_EQ(network->warnings.size(), 1U);
  EXPECT_THAT(network->warnings[0], HasSubstr("`opaque`"));
}

TEST(OnnxErrors, ControlFlow) {
  for (const char* op : {"If", "Loop", "Scan"}) {
    OnnxModel model;
    model.Input("x", {1}).Output("y");
    model.Node(op, {"x"}, {"y"}).Name("branch");
    const Diagnostic error = ImportError(model);
    EXPECT_EQ(error.code, ErrorCode::kOnnxControlFlow) << op;
    EXPECT_THAT(error.message, HasSubstr("`branch`"));
  }
}

TEST(OnnxErrors, SymbolicDimNamesTheFlag) {
  OnnxModel model;
  model.SymbolicInput("tokens", {"N", "sequence"}).Output("y").Node("Relu", {"tokens"}, {"y"});
  OnnxOptions options;
  options.batch = 2;
  const Diagnostic error = ImportError(model, options);
  EXPECT_EQ(error.code, ErrorCode::kOnnxDynamicDim);
  EXPECT_THAT(error.message, HasSubstr("axis 1"));
  EXPECT_THAT(error.message, HasSubstr("`tokens`"));
  EXPECT_THAT(error.hint, HasSubstr("--dim sequence="));
}

TEST(OnnxErrors, UnnamedDimNamesTheFlag) {
  OnnxModel model;
  model.SymbolicInput("x", {"1", ""}).Output("y").Node("Relu", {"x"}, {"y"});
  EXPECT_THAT(ImportError(model).hint, HasSubstr("--dim x:1="));
  OnnxOptions options;
  options.dims["x:1"] = 5;
  const auto network = ImportOnnx(model.Bytes(), "m", options);
  ASSERT_TRUE(network) << network.error().Render();
  EXPECT_EQ(network->tensors[0].shape, (std::vector<std::int64_t>{1, 5}));
}

TEST(OnnxErrors, UnknownAndBadDimOptions) {
  OnnxModel model;
  model.SymbolicInput("x", {"batch", "length"}).Output("y").Node("Relu", {"x"}, {"y"});
  OnnxOptions options;
  options.dims = {{"batch", 1}, {"length", 4}, {"lenght", 4}};
  const Diagnostic error = ImportError(model, options);
  EXPECT_EQ(error.code, ErrorCode::kUnknownName);
  EXPECT_THAT(error.hint, HasSubstr("`length`"));
  options.dims = {{"batch", 0}, {"length", 4}};
  EXPECT_EQ(ImportError(model, options).code, ErrorCode::kBadValue);
  options.dims = {{"batch", 1}, {"length", 4}};
  options.batch = -3;
  EXPECT_EQ(ImportError(model, options).code, ErrorCode::kBadValue);
}

TEST(OnnxErrors, ShapeThatDependsOnData) {
  OnnxModel model;
  model.Input("x", {4}).Input("shape", {2}, 7).Output("y");
  model.Node("Reshape", {"x", "shape"}, {"y"}).Name("reshape");
  const Diagnostic error = ImportError(model);
  EXPECT_EQ(error.code, ErrorCode::kOnnxDynamicDim);
  EXPECT_THAT(error.message, HasSubstr("`shape`"));
}

TEST(OnnxErrors, ShapesThatDoNotFit) {
  struct Case {
    const char* name;
    OnnxModel model;
  };
  std::vector<Case> cases;
  const auto add = [&](const char* name) -> OnnxModel& {
    cases.push_back({name, OnnxModel()});
    return cases.back().model.Output("y");
  };
  add("matmul").Input("a", {2, 3}).Input("b", {4, 5}).Node("MatMul", {"a", "b"}, {"y"});
  add("gemm").Input("a", {2, 3}).Input("b", {4, 5}).Node("Gemm", {"a", "b"}, {"y"});
  add("channels")
      .Input("x", {1, 3, 8, 8})
      .Weight("w", {4, 2, 3, 3})
      .Node("Conv", {"x", "w"}, {"y"});
  add("kernel").Input("x", {1, 3, 2, 2}).Weight("w", {4, 3, 5, 5}).Node("Conv", {"x", "w"}, {"y"});
  add("stride")
      .Input("x", {1, 3, 8, 8})
      .Weight("w", {4, 3, 3, 3})
      .Node("Conv", {"x", "w"}, {"y"})
      .Ints("strides", {0, 1});
  add("dilation")
      .Input("x", {1, 3, 8, 8})
      .Weight("w", {4, 3, 3, 3})
      .Node("Conv", {"x", "w"}, {"y"})
      .Ints("dilations", {1, INT64_MAX});
  add("broadcast").Input("a", {2, 3}).Input("b", {2, 4}).Node("Add", {"a", "b"}, {"y"});
  add("axis").Input("x", {2, 3}).Node("Softmax", {"x"}, {"y"}).Int("axis", 5);
  add("reshape").Input("x", {2, 3}).Integers("s", {4, 2}).Node("Reshape", {"x", "s"}, {"y"});
  add("concat")
      .Input("a", {2, 3})
      .Input("b", {3, 3})
      .Node("Concat", {"a", "b"}, {"y"})
      .Int("axis", 1);
  add("empty slice")
      .Input("x", {4})
      .Integers("a", {3})
      .Integers("b", {1})
      .Node("Slice", {"x", "a", "b"}, {"y"});
  add("squeeze").Input("x", {2, 3}).Integers("a", {0}).Node("Squeeze", {"x", "a"}, {"y"});
  add("perm").Input("x", {2, 3}).Node("Transpose", {"x"}, {"y"}).Ints("perm", {0, 0});
  add("equation")
      .Input("a", {2, 3})
      .Input("b", {4, 5})
      .Node("Einsum", {"a", "b"}, {"y"})
      .Text("equation", "ij,jk->ik");
  add("groups").Input("x", {1, 3, 4}).Node("LSTM", {"x", "x", "x"}, {"y"});
  for (const Case& c : cases) {
    const Diagnostic error = ImportError(c.model);
    EXPECT_EQ(error.code, ErrorCode::kOnnxShape) << c.name << ": " << error.Render();
    EXPECT_THAT(error.message, HasSubstr("node `y`")) << c.name;
    EXPECT_THAT(error.path, HasSubstr("graph.node[0]")) << c.name;
  }
}

TEST(OnnxErrors, DivisionByZeroInShapeArithmetic) {
  OnnxModel model;
  model.Input("x", {4}).Integers("a", {4}).Integers("b", {0}).Output("y");
  model.Node("Div", {"a", "b"}, {"s"});
  model.Node("Reshape", {"x", "s"}, {"y"});
  EXPECT_EQ(ImportError(model).code, ErrorCode::kOnnxShape);
}

TEST(OnnxErrors, Strings) {
  OnnxModel model;
  model.Input("x", {4}, 8).Output("y").Node("Identity", {"x"}, {"y"});
  EXPECT_EQ(ImportError(model).code, ErrorCode::kOnnxUnsupportedOp);
}

}  // namespace
}  // namespace sluice::io
