/// \file
/// The shipped models: multiply-accumulates, limits of a machine's workload, the folded and
/// unfolded variants, the batch, batch normalisations, speed.

#include "io/onnx/onnx.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/onnx/importer.h"
#include "mapping/workload.h"
#include "testing/onnx_model.h"

namespace sluice::io {
namespace {

using ::sluice::testing::OnnxModel;
using ::testing::HasSubstr;

std::string ModelPath(const std::string& name) {
  return std::string(SLUICE_SOURCE_DIR) + "/models/" + name + ".onnx";
}

ir::Network Load(const std::string& name, const OnnxOptions& options = {}) {
  Result<ir::Network> network = LoadOnnx(ModelPath(name), options);
  if (!network) {
    ADD_FAILURE() << network.error().Render();
    return {};
  }
  return *network;
}

std::vector<std::string> AllModels() {
  std::vector<std::string> names;
  const std::filesystem::path root = std::string(SLUICE_SOURCE_DIR) + "/models";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (entry.path().extension() == ".onnx") {
      names.push_back(std::filesystem::relative(entry.path(), root).replace_extension().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

struct Reference {
  const char* model;
  double published;   ///< GMAC as the models' table gives it, two digits after the point
  std::int64_t macs;  ///< counted from libonnx's shapes (tests/differential/onnx_shapes_test.cpp)
};

constexpr Reference kReferences[] = {
    {"alexnet", 0.71, 714188480},
    {"vgg16", 15.47, 15470264320},
    {"resnet18", 1.81, 1814073344},
    {"resnet50", 4.09, 4089184256},
    {"squeezenet1_1", 0.35, 349151936},
    {"googlenet", 1.50, 1498376192},
    {"mobilenet_v2", 0.30, 300774272},
    {"densenet121", 2.83, 2834161664},
    {"efficientnet_b0", 0.39, 385814752},
    {"vit_b_16", 17.56, 17563828224},
    {"unet", 48.17, 48171581440},
    {"bert_base_s128", 11.17, 11174215680},
    {"bert_base_s384_l1", 2.94, 2944991232},
    {"gpt2_block_s1024", 8.86, 8858370048},
    {"dlrm_small_b128", 0.30, 298229760},
    {"conformer_s_t256", 0.77, 767451024},
    {"lstm_tagger_s64", 0.24, 236978176},
    {"opset13/bert_base_s384_l1", 2.94, 2944991232},
    {"opset13/gpt2_block_s1024", 8.86, 8858370048},
    {"opset13/mobilenet_v2", 0.30, 300774272},
    {"opset13/resnet50", 4.09, 4089184256},
    {"unfolded/dlrm_small_b128", 0.30, 298229760},
    {"unfolded/vit_b_16", 17.56, 17563828224},
};

TEST(OnnxModels, MacsMatchTheTable) {
  std::set<std::string> listed;
  for (const Reference& reference : kReferences) {
    const ir::Network network = Load(reference.model);
    EXPECT_EQ(network.macs(), reference.macs) << reference.model;
    EXPECT_NEAR(static_cast<double>(network.macs()) * 1e-9, reference.published, 0.005)
        << reference.model;
    listed.insert(reference.model);
  }
  for (const std::string& name : AllModels()) {
    EXPECT_TRUE(listed.contains(name)) << name << " has no reference";
  }
}

TEST(OnnxModels, FitAMachinesWorkload) {
  for (const std::string& name : AllModels()) {
    const ir::Network network = Load(name);
    for (const ir::Operator& op : network.operators) {
      if (op.is_view()) {
        continue;
      }
      const auto moving = std::count_if(op.dims.begin(), op.dims.end(),
                                        [](const ir::Dim& dim) { return dim.bound > 1; });
      EXPECT_LE(moving, 12) << name << " " << op.name;
      EXPECT_LE(op.accesses.size(), 6U) << name << " " << op.name;
      const auto workload = mapping::MakeWorkload(op, network);
      EXPECT_TRUE(workload) << name << " " << workload.error().Render();
      for (const ir::Access& access : op.accesses) {
        EXPECT_LE(access.axes.size(), 8U) << name << " " << op.name;
        for (const ir::AxisExpr& axis : access.axes) {
          EXPECT_LE(axis.terms.size(), 4U) << name << " " << op.name;
        }
      }
    }
  }
}

TEST(OnnxModels, HaveNoWarnings) {
  for (const std::string& name : AllModels()) {
    EXPECT_THAT(Load(name).warnings, ::testing::IsEmpty()) << name;
  }
}

/// The exporter's shape arithmetic leaves no trace: kinds, dims and work are those of the folded
/// graph.
TEST(OnnxModels, UnfoldedVariantsBecomeTheSameOperators) {
  for (const std::string name : {"vit_b_16", "dlrm_small_b128"}) {
    const ir::Network folded = Load(name);
    const ir::Network unfolded = Load("unfolded/" + name);
    ASSERT_EQ(folded.operators.size(), unfolded.operators.size()) << name;
    for (std::size_t i = 0; i < folded.operators.size(); ++i) {
      EXPECT_EQ(folded.operators[i].kind, unfolded.operators[i].kind) << name << " " << i;
      EXPECT_EQ(folded.operators[i].dims, unfolded.operators[i].dims) << name << " " << i;
    }
    EXPECT_EQ(ir::TotalBytes(folded), ir::TotalBytes(unfolded)) << name;
  }
}

TEST(OnnxModels, BatchScalesEverything) {
  for (const char* name : {"resnet50", "vgg16", "mobilenet_v2", "densenet121", "unet"}) {
    OnnxOptions options;
    options.batch = 8;
    const ir::Network one = Load(name);
    const ir::Network eight = Load(name, options);
    EXPECT_EQ(eight.macs(), 8 * one.macs()) << name;
    EXPECT_EQ(eight.tensors[0].shape[0], 8) << name;
    EXPECT_GT(ir::TotalBytes(eight), ir::TotalBytes(one)) << name;
  }
}

TEST(OnnxModels, BatchInConstantsIsAnError) {
  for (const char* name : {"bert_base_s128", "vit_b_16", "gpt2_block_s1024"}) {
    OnnxOptions options;
    options.batch = 4;
    const auto network = LoadOnnx(ModelPath(name), options);
    ASSERT_FALSE(network) << name;
    EXPECT_EQ(network.error().code, ErrorCode::kOnnxShape) << name;
    EXPECT_THAT(network.error().Render(), HasSubstr("batch")) << name;
    options.batch = 1;
    EXPECT_TRUE(LoadOnnx(ModelPath(name), options)) << name;
  }
}

TEST(OnnxModels, BatchBehindAnInferredExtentIsAnError) {
  // [1, -1, 4] swallows any batch into the middle axis: attention over all samples at once.
  OnnxModel model;
  model.SymbolicInput("x", {"N", "16", "4"}).Integers("s", {1, -1, 4}).Output("y");
  model.Node("Reshape", {"x", "s"}, {"r"});
  model.Node("Transpose", {"r"}, {"t"}).Ints("perm", {0, 2, 1});
  model.Node("MatMul", {"r", "t"}, {"y"});
  OnnxOptions options;
  options.batch = 3;
  const auto network = ImportOnnx(model.Bytes(), "m", options);
  ASSERT_FALSE(network);
  EXPECT_EQ(network.error().code, ErrorCode::kOnnxShape);
  EXPECT_THAT(network.error().hint, HasSubstr("dynamic batch axis"));
}

TEST(OnnxModels, BatchWithoutAnAxisIsAnError) {
  OnnxModel model;
  model.Input("x", {}).Output("y").Node("Relu", {"x"}, {"y"});
  OnnxOptions options;
  options.batch = 3;
  const auto network = ImportOnnx(model.Bytes(), "m", options);
  ASSERT_FALSE(network);
  EXPECT_EQ(network.error().code, ErrorCode::kBadValue);

  OnnxModel mixed;
  mixed.Input("a", {4, 8}).Input("b", {8, 2}).Output("y").Node("MatMul", {"a", "b"}, {"y"});
  const auto ambiguous = ImportOnnx(mixed.Bytes(), "m", options);
  ASSERT_FALSE(ambiguous);
  EXPECT_THAT(ambiguous.error().hint, HasSubstr("--dim a:0=3"));
  OnnxOptions exact;
  exact.dims["a:0"] = 3;
  const auto network3 = ImportOnnx(mixed.Bytes(), "m", exact);
  ASSERT_TRUE(network3) << network3.error().Render();
  EXPECT_EQ(network3->macs(), 3 * 8 * 2);
}

TEST(OnnxModels, SymbolicDims) {
  OnnxModel model;
  model.SymbolicInput("x", {"N", "L", "64"}).Weight("w", {64, 32}).Output("y");
  model.Node("MatMul", {"x", "w"}, {"y"});
  OnnxOptions options;
  options.batch = 2;
  options.dims["L"] = 10;
  const auto network = ImportOnnx(model.Bytes(), "m", options);
  ASSERT_TRUE(network) << network.error().Render();
  EXPECT_EQ(network->macs(), 2 * 10 * 64 * 32);
  options.batch = 0;
  options.dims["N"] = 5;
  const auto named = ImportOnnx(model.Bytes(), "m", options);
  ASSERT_TRUE(named) << named.error().Render();
  EXPECT_EQ(named->macs(), 5 * 10 * 64 * 32);
}

OnnxModel ConvThenNorm() {
  OnnxModel model;
  model.Input("x", {1, 3, 8, 8}).Weight("w", {4, 3, 3, 3});
  for (const char* name : {"scale", "shift", "mean", "variance"}) {
    model.Weight(name, {4});
  }
  model.Node("Conv", {"x", "w"}, {"c"}).Name("conv");
  model.Node("BatchNormalization", {"c", "scale", "shift", "mean", "variance"}, {"n"}).Name("norm");
  return model;
}

TEST(OnnxModels, BatchNormalizationFoldsIntoItsConvolution) {
  OnnxModel model = ConvThenNorm();
  model.Output("n");
  const auto network = ImportOnnx(model.Bytes(), "m", {});
  ASSERT_TRUE(network) << network.error().Render();
  ASSERT_EQ(network->operators.size(), 1U);
  const ir::Operator& conv = network->operators[0];
  EXPECT_EQ(network->tensor(conv.output().tensor).name, "n");
  ASSERT_EQ(conv.parameters.size(), 1U);  // the shift has become the bias
  EXPECT_EQ(network->tensor(conv.parameters[0]).name, "shift");
  ASSERT_EQ(network->warnings.size(), 1U);
  EXPECT_THAT(network->warnings[0], HasSubstr("1 batch normalisation folded"));
}

TEST(OnnxModels, BatchNormalizationStaysIfTheConvolutionIsSeen) {
  OnnxModel model = ConvThenNorm();
  model.Output("n").Output("c");
  const auto network = ImportOnnx(model.Bytes(), "m", {});
  ASSERT_TRUE(network) << network.error().Render();
  EXPECT_EQ(network->operators.size(), 2U);
  OnnxModel shared = ConvThenNorm();
  shared.Node("Add", {"n", "c"}, {"y"});
  shared.Output("y");
  const auto residual = ImportOnnx(shared.Bytes(), "m", {});
  ASSERT_TRUE(residual) << residual.error().Render();
  EXPECT_EQ(residual->operators.size(), 3U);
}

TEST(OnnxModels, UnusedNodesAndOutputsAreLeftOut) {
  OnnxModel model;
  model.Input("x", {1, 3, 8, 8}).Output("y");
  model.Node("MaxPool", {"x"}, {"y", "indices"}).Ints("kernel_shape", {2, 2});
  model.Node("Mystery", {"x"}, {"dead"}).Domain("acme");
  const auto network = ImportOnnx(model.Bytes(), "m", {});
  ASSERT_TRUE(network) << network.error().Render();
  EXPECT_EQ(network->operators.size(), 1U);
}

TEST(OnnxModels, NodesMayComeInAnyOrder) {
  OnnxModel model;
  model.Input("x", {4}).Output("c");
  model.Node("Relu", {"b"}, {"c"});
  model.Node("Abs", {"a"}, {"b"});
  model.Node("Neg", {"x"}, {"a"});
  const auto network = ImportOnnx(model.Bytes(), "m", {});
  ASSERT_TRUE(network) << network.error().Render();
  ASSERT_EQ(network->operators.size(), 3U);
  EXPECT_EQ(network->operators[0].kind, "Neg");
  EXPECT_EQ(network->operators[2].kind, "Relu");
}

TEST(OnnxModels, EmbeddedWeightsAreNeverParsed) {
  // 32 MiB of weights in the file: the import must not hold a second copy, and need not care.
  OnnxModel model;
  model.Input("x", {1, 2048}).Weight("w", {2048, 4096}).Output("y");
  model.last_initializer()->set_raw_data(std::string(2048 * 4096 * 4, '\x7f'));
  model.Node("MatMul", {"x", "w"}, {"y"});
  const auto network = ImportOnnx(model.Bytes(), "m", {});
  ASSERT_TRUE(network) << network.error().Render();
  EXPECT_EQ(network->macs(), 2048 * 4096);
}

TEST(OnnxModels, DocumentationListsEveryOperator) {
  std::ifstream in(std::string(SLUICE_SOURCE_DIR) + "/docs/formats/onnx.md");
  std::set<std::string> words;
  for (std::string word; in >> word;) {
    while (!word.empty() && word.back() == ',') {
      word.pop_back();
    }
    words.insert(word);
  }
  using namespace onnx_import;  // NOLINT: a test of internals
  for (const auto rows : {ConvolutionRows(), MatmulRows(), ElementwiseRows(), ReductionRows(),
                          NormalizationRows(), ViewRows(), MovementRows(), IndexingRows(),
                          ResizeRows(), RecurrentRows(), QuantizationRows(), ConstantRows()}) {
    for (const OpRow& row : rows) {
      EXPECT_TRUE(words.contains(std::string(row.op_type))) << row.op_type;
    }
  }
}

TEST(OnnxModels, ImportIsFast) {
  for (const char* name : {"densenet121", "bert_base_s128"}) {
    double best = 1e9;
    for (int repeat = 0; repeat < 5; ++repeat) {
      const auto start = std::chrono::steady_clock::now();
      const ir::Network network = Load(name);
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
      best = std::min(best, took.count());
    }
#if defined(NDEBUG) && !defined(__SANITIZE_ADDRESS__)
    EXPECT_LT(best, 0.1) << name;
#else
    EXPECT_LT(best, 2.0) << name;  // unoptimised or with sanitizers
#endif
  }
}

}  // namespace
}  // namespace sluice::io
