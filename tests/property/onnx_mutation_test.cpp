/// \file
/// Structured mutation of ONNX models: the wire format stays intact, so that the mistakes reach
/// shape functions, folding and handlers. Attributes, extents, inputs, operator types, opsets and
/// constants are replaced by hostile ones; the import must end in a network that satisfies its
/// invariants or in a diagnostic, quickly. (Byte mutations, which mostly end in the wire check, are
/// in the unit tests.)

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include "base/rng.h"
#include "io/onnx/onnx.h"
#include "testing/onnx_model.h"

namespace sluice::io {
namespace {

using ::sluice::testing::OnnxModel;

constexpr std::int64_t kHostile[] = {-1,
                                     0,
                                     1,
                                     2,
                                     3,
                                     7,
                                     -2,
                                     -3,
                                     std::numeric_limits<std::int64_t>::max(),
                                     std::numeric_limits<std::int64_t>::min(),
                                     std::int64_t{1} << 20,
                                     std::int64_t{1} << 31,
                                     (std::int64_t{1} << 39) - 1,
                                     std::int64_t{1} << 40,
                                     std::int64_t{1} << 62};

/// One small model per kind of handler.
std::vector<onnx::ModelProto> Seeds() {
  std::vector<OnnxModel> models(10);
  models[0].Input("x", {1, 4, 9, 9}).Weight("w", {6, 2, 3, 3}).Weight("b", {6}).Output("y");
  models[0]
      .Node("Conv", {"x", "w", "b"}, {"c"})
      .Ints("pads", {1, 0, 1, 2})
      .Int("group", 2)
      .Ints("strides", {2, 1});
  models[0].Node("MaxPool", {"c"}, {"y"}).Ints("kernel_shape", {2, 2}).Int("ceil_mode", 1);
  models[1].Input("x", {1, 4, 5, 5}).Weight("w", {4, 3, 3, 3}).Output("y");
  models[1]
      .Node("ConvTranspose", {"x", "w"}, {"t"})
      .Ints("strides", {2, 2})
      .Ints("output_padding", {1, 1});
  models[1].Integers("sizes", {1, 3, 20, 7}).Node("Resize", {"t", "", "", "sizes"}, {"y"});
  models[2].Input("a", {2, 3, 4}).Input("b", {4, 5}).Output("y");
  models[2].Node("MatMul", {"a", "b"}, {"m"});
  models[2].Node("Einsum", {"m", "m"}, {"e"}).Text("equation", "bij,bkj->bik");
  models[2].Node("Softmax", {"e"}, {"y"}).Int("axis", -1);
  models[3].Input("x", {2, 12, 6}).Integers("s", {0, 3, 4, -1}).Output("y");
  models[3].Node("Reshape", {"x", "s"}, {"r"});
  models[3].Node("Transpose", {"r"}, {"t"}).Ints("perm", {0, 2, 1, 3});
  models[3].Integers("a", {1}).Integers("e", {9}).Integers("d", {1}).Integers("st", {2});
  models[3].Node("Slice", {"t", "a", "e", "d", "st"}, {"l"});
  models[3].Node("Split", {"l"}, {"p", "q"}).Int("axis", 3);
  models[3].Node("Concat", {"q", "p"}, {"y"}).Int("axis", 1);
  models[4].Input("x", {5, 2, 4}).Weight("w", {2, 12, 4}).Weight("r", {2, 12, 3}).Output("y");
  models[4]
      .Output("h")
      .Node("LSTM", {"x", "w", "r"}, {"y", "h"})
      .Text("direction", "bidirectional");
  models[5].Input("x", {4, 6}).Input("i", {3, 1}, 7).Input("u", {3, 6}).Output("y");
  models[5].Node("ScatterND", {"x", "i", "u"}, {"s"});
  models[5].Node("GatherND", {"s", "i"}, {"g"});
  models[5].Scalar("k", 2).Integers("kk", {2}).Node("TopK", {"g", "kk"}, {"y", "z"}).Int("axis", 1);
  models[6].Input("x", {3, 8}).Output("y");
  models[6].Node("Shape", {"x"}, {"s"});
  models[6].Scalar("one", 1).Scalar("zero", 0).Node("Gather", {"s", "one"}, {"n"});
  models[6].Node("Range", {"zero", "n", "one"}, {"r"});
  models[6].Integers("c", {3}).Node("Mod", {"r", "c"}, {"m"});
  models[6].Node("Equal", {"m", "one"}, {"q"});
  models[6].Node("Where", {"q", "r", "m"}, {"w"}).Int("axis", 0);
  models[6].Node("ReduceMax", {"w"}, {"t"}).Int("keepdims", 1);
  models[6].Node("Expand", {"x", "t"}, {"f"}).Int("axis", 0);
  models[6].Node("Tile", {"x", "s"}, {"y"});
  models[7].Input("x", {1, 8, 4, 4}).Weight("g", {8}).Output("y").Output("z");
  models[7].Node("BatchNormalization", {"x", "g", "g", "g", "g"}, {"n"});
  models[7].Node("DepthToSpace", {"n"}, {"d"}).Int("blocksize", 2);
  models[7].Integers("p", {0, 0, 1, 1, 0, 0, 1, 2}).Node("Pad", {"d", "p"}, {"y"});
  models[7].Node("ReduceMean", {"n"}, {"z"}).Ints("axes", {2, 3}).Int("keepdims", 0);
  models[8].Input("x", {4, 6}).Input("t", {4}, 7).Output("y");
  models[8].Node("SoftmaxCrossEntropyLoss", {"x", "t"}, {"l", "p"});
  models[8].Node("LayerNormalization", {"p", "w"}, {"n"}).Int("axis", 1);
  models[8].Weight("w", {6}).Node("Add", {"n", "l"}, {"y"});
  models[9].Input("x", {2, 3}).Output("y");
  models[9].Node("DynamicQuantizeLinear", {"x"}, {"q", "s", "z"});
  models[9].Node("DequantizeLinear", {"q", "s", "z"}, {"d"});
  models[9].Node("Cast", {"d"}, {"c"}).Int("to", 10);
  models[9].Integers("a", {0}).Node("Unsqueeze", {"c", "a"}, {"u"});
  models[9].Node("CumSum", {"u", "a"}, {"y"});
  std::vector<onnx::ModelProto> protos;
  for (OnnxModel& model : models) {
    protos.push_back(model.proto());
  }
  return protos;
}

class Mutator {
 public:
  Mutator(Rng* rng, std::vector<std::string> operators)
      : rng_(*rng), operators_(std::move(operators)) {}

  void Mutate(onnx::ModelProto* model) {
    onnx::GraphProto* graph = model->mutable_graph();
    if (Below(3) == 0) {
      model->mutable_opset_import(0)->set_version(11 + Below(13));
    }
    for (int count = Below(4); count >= 0; --count) {
      onnx::NodeProto* node = graph->mutable_node(Below(graph->node_size()));
      switch (Below(6)) {
        case 0:
          MutateAttribute(node);
          break;
        case 1:
          node->set_op_type(
              operators_[static_cast<std::size_t>(Below(static_cast<int>(operators_.size())))]);
          break;
        case 2:
          MutateInputs(*graph, node);
          break;
        case 3:
          MutateShape(graph);
          break;
        default:
          MutateConstant(graph);
          break;
      }
    }
  }

 private:
  int Below(int n) { return static_cast<int>(rng_.Below(static_cast<std::uint32_t>(n))); }
  std::int64_t Hostile() { return kHostile[Below(static_cast<int>(std::size(kHostile)))]; }

  void MutateAttribute(onnx::NodeProto* node) {
    if (node->attribute_size() == 0) {
      return;
    }
    auto* attribute = node->mutable_attribute(Below(node->attribute_size()));
    if (attribute->ints_size() > 0 && Below(3) == 0) {
      attribute->mutable_ints()->RemoveLast();
    } else if (attribute->ints_size() > 0) {
      attribute->set_ints(Below(attribute->ints_size()), Hostile());
    } else {
      attribute->set_i(Hostile());
    }
  }
  void MutateInputs(const onnx::GraphProto& graph, onnx::NodeProto* node) {
    const onnx::NodeProto& other = graph.node(Below(graph.node_size()));
    const std::string name = Below(5) == 0   ? ""
                             : Below(2) == 0 ? graph.input(Below(graph.input_size())).name()
                                             : other.output(0);
    if (node->input_size() > 0 && Below(3) > 0) {
      node->set_input(Below(node->input_size()), name);
    } else if (node->input_size() > 0 && Below(2) == 0) {
      node->mutable_input()->RemoveLast();
    } else {
      node->add_input(name);
    }
  }
  void MutateShape(onnx::GraphProto* graph) {
    auto* shape = graph->mutable_input(Below(graph->input_size()))
                      ->mutable_type()
                      ->mutable_tensor_type()
                      ->mutable_shape();
    if (shape->dim_size() > 0 && Below(3) > 0) {
      shape->mutable_dim(Below(shape->dim_size()))
          ->set_dim_value(Below(2) == 0 ? 1 + Below(9) : Hostile());
    } else if (shape->dim_size() > 0 && Below(2) == 0) {
      shape->mutable_dim()->RemoveLast();
    } else {
      shape->add_dim()->set_dim_value(1 + Below(5));
    }
  }
  void MutateConstant(onnx::GraphProto* graph) {
    if (graph->initializer_size() == 0) {
      return;
    }
    auto* tensor = graph->mutable_initializer(Below(graph->initializer_size()));
    if (tensor->int64_data_size() > 0 && Below(4) > 0) {
      tensor->set_int64_data(Below(tensor->int64_data_size()),
                             Below(2) == 0 ? Below(9) : Hostile());
    } else if (tensor->dims_size() > 0 && Below(2) == 0) {
      tensor->set_dims(Below(tensor->dims_size()), Below(2) == 0 ? 1 + Below(8) : Hostile());
    } else {
      tensor->set_data_type(Below(26));
    }
  }

  Rng& rng_;
  std::vector<std::string> operators_;
};

TEST(OnnxMutation, EndsInAValidNetworkOrADiagnostic) {
  const std::vector<onnx::ModelProto> seeds = Seeds();
  std::vector<std::string> operators{"Loop",     "NonZero", "Compress", "GridSample",
                                     "RoiAlign", "Gather",  "Squeeze",  "Flatten",
                                     "OneHot",   "GRU",     "Unknown"};
  for (const onnx::ModelProto& seed : seeds) {
    ASSERT_TRUE(ImportOnnx(seed.SerializeAsString(), "seed", {}))
        << ImportOnnx(seed.SerializeAsString(), "seed", {}).error().Render();
    for (const auto& node : seed.graph().node()) {
      operators.push_back(node.op_type());
    }
  }
  Rng rng(20);
  Mutator mutator(&rng, operators);
  int imported = 0;
  constexpr int kRounds = 6000;
  for (int round = 0; round < kRounds; ++round) {
    onnx::ModelProto model = seeds[rng.Below(static_cast<std::uint32_t>(seeds.size()))];
    mutator.Mutate(&model);
    OnnxOptions options;
    options.skip_unknown = rng.Below(3) == 0;
    options.batch = rng.Below(4) == 0 ? 1 + rng.Below(9) : 0;
    const auto start = std::chrono::steady_clock::now();
    const Result<ir::Network> network = ImportOnnx(model.SerializeAsString(), "mutant", options);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    ASSERT_LT(took.count(), 5.0) << model.ShortDebugString();
    if (!network) {
      ASSERT_FALSE(network.error().message.empty());
      continue;
    }
    ++imported;
    ASSERT_TRUE(ir::Validate(*network)) << model.ShortDebugString();
    ASSERT_GE(ir::TotalBytes(*network), 0);
  }
  // Both outcomes are common, so neither the mutations nor the checks are idle.
  EXPECT_GT(imported, kRounds / 10);
  EXPECT_LT(imported, kRounds * 9 / 10);
}

}  // namespace
}  // namespace sluice::io
