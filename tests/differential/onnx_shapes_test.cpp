/// \file
/// Our shape functions and MAC counts against libonnx, an independent implementation, on every
/// shipped model and on the models of libonnx-testdata (Debian package; skipped visibly without
/// it).
///
/// libonnx 1.12 is trusted up to opset 17 and where it states a complete shape. Wherever both state
/// one for a tensor, they must agree; a model we refuse must be refused with a diagnostic. MAC
/// counts are compared with a second count from libonnx's shapes and the textbook formula of each
/// operator.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <onnx/defs/schema.h>
#include <onnx/onnx_pb.h>
#include <onnx/shape_inference/implementation.h>

#include "io/onnx/onnx.h"

namespace sluice::io {
namespace {

namespace fs = std::filesystem;
using Shape = std::vector<std::int64_t>;
using Shapes = std::map<std::string, Shape>;

constexpr const char* kTestData = "/usr/share/libonnx-testdata/data";

std::string ReadBytes(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::vector<fs::path> Models(const fs::path& root) {
  std::vector<fs::path> found;
  if (fs::exists(root)) {
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
      if (entry.path().extension() == ".onnx") {
        found.push_back(entry.path());
      }
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::optional<Shape> StaticShape(const onnx::TypeProto& type) {
  if (!type.has_tensor_type() || !type.tensor_type().has_shape()) {
    return std::nullopt;
  }
  Shape shape;
  for (const auto& dim : type.tensor_type().shape().dim()) {
    if (!dim.has_dim_value()) {
      return std::nullopt;
    }
    shape.push_back(dim.dim_value());
  }
  return shape;
}

/// All complete shapes libonnx knows or infers; nullopt if it cannot read or infer the model.
std::optional<Shapes> OracleShapes(onnx::ModelProto* model) {
  try {
    const onnx::ShapeInferenceOptions options(/*check_type=*/false, /*strict_mode=*/0,
                                              /*data_prop=*/true);
    onnx::shape_inference::InferShapes(*model, onnx::OpSchemaRegistry::Instance(), options);
  } catch (const std::exception&) {
    return std::nullopt;
  }
  Shapes shapes;
  const auto add = [&](const auto& infos) {
    for (const auto& info : infos) {
      if (const auto shape = StaticShape(info.type())) {
        shapes[info.name()] = *shape;
      }
    }
  };
  add(model->graph().input());
  add(model->graph().value_info());
  add(model->graph().output());
  for (const auto& tensor : model->graph().initializer()) {
    shapes[tensor.name()] = Shape(tensor.dims().begin(), tensor.dims().end());
  }
  return shapes;
}

struct Tally {
  int models = 0;
  int imported = 0;
  int refused = 0;
  int without_oracle = 0;
  int tensors = 0;
  std::vector<std::string> mismatches;
};

std::string Text(const Shape& shape) {
  std::string text = "[";
  for (const std::int64_t extent : shape) {
    text += std::to_string(extent) + " ";
  }
  return text + "]";
}

void Compare(const fs::path& path, Tally* tally) {
  ++tally->models;
  const std::string bytes = ReadBytes(path);
  const Result<ir::Network> network = ImportOnnx(bytes, path.string(), {});
  if (!network) {
    ++tally->refused;
    EXPECT_FALSE(network.error().message.empty()) << path;
    EXPECT_EQ(network.error().span.file, path.string());
    return;
  }
  ++tally->imported;
  onnx::ModelProto model;
  const auto shapes = model.ParseFromString(bytes) ? OracleShapes(&model) : std::optional<Shapes>();
  if (!shapes) {
    ++tally->without_oracle;
    return;
  }
  for (const ir::Tensor& tensor : network->tensors) {
    const auto it = shapes->find(tensor.name);
    if (it == shapes->end()) {
      continue;
    }
    ++tally->tensors;
    if (it->second != tensor.shape) {
      tally->mismatches.push_back(path.string() + " " + tensor.name + ": ours " +
                                  Text(tensor.shape) + ", libonnx " + Text(it->second));
    }
  }
}

void Report(const std::string& what, const Tally& tally) {
  std::cout << what << ": " << tally.models << " models, " << tally.imported << " imported, "
            << tally.refused << " refused with a diagnostic, " << tally.without_oracle
            << " without oracle, " << tally.tensors << " shapes compared, "
            << tally.mismatches.size() << " mismatches\n";
  for (const std::string& mismatch : tally.mismatches) {
    ADD_FAILURE() << mismatch;
  }
}

TEST(OnnxShapes, ShippedModelsAgreeWithLibonnx) {
  Tally tally;
  for (const fs::path& path : Models(fs::path(SLUICE_SOURCE_DIR) / "models")) {
    Compare(path, &tally);
  }
  Report("shipped models", tally);
  EXPECT_GE(tally.models, 23);
  EXPECT_EQ(tally.refused, 0);
  EXPECT_EQ(tally.without_oracle, 0);
  EXPECT_GT(tally.tensors, 3000);
}

TEST(OnnxShapes, TestDataAgreesWithLibonnx) {
  if (!fs::exists(kTestData)) {
    GTEST_SKIP() << "install libonnx-testdata to compare with its models";
  }
  Tally tally;
  for (const fs::path& path : Models(kTestData)) {
    Compare(path, &tally);
  }
  Report("libonnx-testdata", tally);
  EXPECT_GE(tally.imported, 740);
  EXPECT_GT(tally.tensors, 2000);
}

/// Multiply-accumulates by the textbook, from libonnx's shapes.
std::int64_t CountMacs(const onnx::NodeProto& node, const Shapes& shapes) {
  const auto elements = [&](const std::string& name) {
    std::int64_t product = 1;
    for (const std::int64_t extent : shapes.at(name)) {
      product *= extent;
    }
    return product;
  };
  const std::string& type = node.op_type();
  if (type == "Conv") {  // every output is the sum of one filter's worth of products
    const Shape& w = shapes.at(node.input(1));
    return elements(node.output(0)) * elements(node.input(1)) / w[0];
  }
  if (type == "ConvTranspose") {  // every input meets all weights of its channel
    const Shape& w = shapes.at(node.input(1));
    return elements(node.input(0)) * elements(node.input(1)) / w[0];
  }
  if (type == "MatMul") {
    return elements(node.output(0)) * shapes.at(node.input(0)).back();
  }
  if (type == "Gemm") {
    bool transposed = false;
    for (const auto& attribute : node.attribute()) {
      transposed = transposed || (attribute.name() == "transA" && attribute.i() != 0);
    }
    return elements(node.output(0)) * shapes.at(node.input(0))[transposed ? 0 : 1];
  }
  if (type == "LSTM") {  // input and recurrent weights, once per step and batch entry
    const Shape& x = shapes.at(node.input(0));
    return x[0] * x[1] * (elements(node.input(1)) + elements(node.input(2)));
  }
  return 0;
}

TEST(OnnxShapes, MacsAgreeWithTheTextbook) {
  for (const fs::path& path : Models(fs::path(SLUICE_SOURCE_DIR) / "models")) {
    if (path.parent_path().filename() == "unfolded") {
      continue;  // libonnx cannot see through the shape arithmetic
    }
    const std::string bytes = ReadBytes(path);
    const Result<ir::Network> network = ImportOnnx(bytes, path.string(), {});
    ASSERT_TRUE(network) << network.error().Render();
    onnx::ModelProto model;
    ASSERT_TRUE(model.ParseFromString(bytes));
    const auto shapes = OracleShapes(&model);
    ASSERT_TRUE(shapes);
    std::int64_t macs = 0;
    for (const auto& node : model.graph().node()) {
      macs += CountMacs(node, *shapes);
    }
    EXPECT_EQ(network->macs(), macs) << path;
  }
}

}  // namespace
}  // namespace sluice::io
