/// \file
/// Layers and dataflows as plain data: what is valid, and what the numbers of a layer are.

#include "mapping/dataflow/dataflow.h"

#include <string>

#include <gtest/gtest.h>

namespace sluice::mapping {
namespace {

using enum LayerDim;

Layer Conv() {
  Layer layer;
  layer.size[Index(kK)] = 64;
  layer.size[Index(kC)] = 3;
  layer.size[Index(kR)] = layer.size[Index(kS)] = 7;
  layer.size[Index(kY)] = layer.size[Index(kX)] = 230;
  layer.stride_y = layer.stride_x = 2;
  return layer;
}

TEST(Layer, CountsOutputsAndOperations) {
  const Layer layer = Conv();
  ASSERT_TRUE(ValidateLayer(layer));
  EXPECT_EQ(layer.outputs(kY), 112);
  EXPECT_EQ(layer.outputs(kK), 64);
  EXPECT_EQ(layer.macs(), std::int64_t{64} * 3 * 7 * 7 * 112 * 112);
}

TEST(Layer, DepthwiseWorkDoesNotCountChannelsTwice) {
  Layer layer = Conv();
  layer.type = LayerType::kDepthwise;
  EXPECT_EQ(layer.macs(), std::int64_t{3} * 7 * 7 * 112 * 112);
}

std::string PathOf(const Layer& layer) {
  const auto valid = ValidateLayer(layer);
  return valid ? "valid" : valid.error().path;
}

TEST(Layer, NamesTheDimThatIsWrong) {
  Layer layer = Conv();
  layer.size[Index(kC)] = 0;
  EXPECT_EQ(PathOf(layer), "C");
  layer = Conv();
  layer.size[Index(kM)] = 4;
  EXPECT_EQ(PathOf(layer), "M");
  layer = Conv();
  layer.size[Index(kS)] = 231;
  EXPECT_EQ(PathOf(layer), "S");
  layer = Conv();
  layer.size[Index(kK)] = std::int64_t{1} << 31U;
  EXPECT_EQ(PathOf(layer), "K");
  layer = Conv();
  layer.stride_x = 0;
  EXPECT_FALSE(ValidateLayer(layer));
  layer = Conv();
  layer.size[Index(kK)] = layer.size[Index(kC)] = 2000000000;
  EXPECT_FALSE(ValidateLayer(layer));  // 2^48 words are enough for everybody
}

Dataflow OneLevel(const MapList& maps) {
  Dataflow dataflow;
  dataflow.levels.push_back(maps);
  return dataflow;
}

TEST(Dataflow, StructureIsChecked) {
  const auto valid = [](const Dataflow& dataflow) {
    return ValidateDataflow(Conv(), dataflow).has_value();
  };
  EXPECT_TRUE(valid(OneLevel({{kK, true, false, 1, 1}})));
  EXPECT_TRUE(valid(OneLevel({{kY, true, true, 1, 1}})));
  EXPECT_FALSE(valid({}));
  EXPECT_FALSE(valid(OneLevel({{kG, true, false, 1, 1}})));  // no such dim
  EXPECT_FALSE(valid(OneLevel({{kK, true, false, 1, 1}, {kK, false, false, 1, 1}})));  // twice
  EXPECT_FALSE(valid(OneLevel({{kK, true, true, 1, 1}})));                             // K'
  EXPECT_FALSE(valid(OneLevel({{kK, true, false, 0, 1}})));
  EXPECT_FALSE(valid(OneLevel({{kK, true, false, 1, -1}})));
  Dataflow clusters = OneLevel({{kK, true, false, 1, 1}});
  clusters.clusters.push_back(4);
  EXPECT_FALSE(valid(clusters));
  clusters.levels.push_back({});
  EXPECT_TRUE(valid(clusters));
  clusters.clusters[0] = 0;
  EXPECT_FALSE(valid(clusters));
}

}  // namespace
}  // namespace sluice::mapping
