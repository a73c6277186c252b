/// \file
/// Shape arithmetic at its edges: numbers a hostile model may contain, and ONNX's own rules for
/// slices, reshapes and automatic padding.

#include <cstdint>
#include <limits>

#include <gtest/gtest.h>

#include "io/onnx/shapes.h"

namespace sluice::io::onnx_import {
namespace {

constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

Node WithInts(const std::string& name, std::vector<std::int64_t> values) {
  Node node;
  Attribute attribute;
  attribute.ints = std::move(values);
  attribute.has_ints = true;
  node.attributes[name] = attribute;
  return node;
}

TEST(OnnxShapeMath, SliceAgreesWithEnumeration) {
  // Against the definition: walk from start by step while before end.
  for (std::int64_t extent = 1; extent <= 6; ++extent) {
    for (std::int64_t start = -8; start <= 8; ++start) {
      for (std::int64_t end = -8; end <= 8; ++end) {
        for (const std::int64_t step : {-7, -3, -2, -1, 1, 2, 3, 7}) {
          const auto wrap = [extent](std::int64_t v) { return v < 0 ? v + extent : v; };
          std::int64_t at = wrap(start);
          std::int64_t stop = wrap(end);
          if (step > 0) {
            at = std::clamp<std::int64_t>(at, 0, extent);
            stop = std::clamp<std::int64_t>(stop, 0, extent);
          } else {
            at = std::clamp<std::int64_t>(at, 0, extent - 1);
            stop = std::clamp<std::int64_t>(stop, -1, extent - 1);
          }
          std::int64_t count = 0;
          const std::int64_t first = at;
          for (; step > 0 ? at < stop : at > stop; at += step) {
            ++count;
          }
          const auto range = PlanSlice(extent, start, end, step);
          ASSERT_TRUE(range);
          EXPECT_EQ(range->count, count) << extent << " " << start << " " << end << " " << step;
          if (count > 0) {
            EXPECT_EQ(range->start, first);
          }
        }
      }
    }
  }
}

TEST(OnnxShapeMath, SliceOfExtremeNumbers) {
  EXPECT_EQ(PlanSlice(10, kMin, kMax, 1)->count, 10);
  EXPECT_EQ(PlanSlice(10, kMax, kMin, -1)->count, 10);
  EXPECT_EQ(PlanSlice(10, 0, kMax, kMax)->count, 1);
  EXPECT_EQ(PlanSlice(10, kMax, kMin, kMin)->count, 1);
  EXPECT_EQ(PlanSlice(0, 0, 5, -1)->count, 0);
  EXPECT_FALSE(PlanSlice(10, 0, 5, 0));
}

TEST(OnnxShapeMath, Reshape) {
  EXPECT_EQ(*PlanReshape({2, 3, 4}, {0, -1}, false), (Shape{2, 12}));
  EXPECT_EQ(*PlanReshape({2, 3, 4}, {-1}, false), (Shape{24}));
  EXPECT_FALSE(PlanReshape({2, 3, 4}, {-1, -1}, false));
  EXPECT_FALSE(PlanReshape({2, 3, 4}, {5, -1}, false));
  EXPECT_FALSE(PlanReshape({2, 3, 4}, {-2, 12}, false));
  EXPECT_FALSE(PlanReshape({2}, {2, 0}, false));
  EXPECT_FALSE(PlanReshape({2, 3}, {kMax, kMax}, false));
  EXPECT_FALSE(PlanReshape({2, 3}, {0, 6}, true));  // with allow_zero a zero is a zero
}

TEST(OnnxShapeMath, BroadcastAndAxes) {
  EXPECT_EQ(*Broadcast({3, 1, 5}, {4, 1}), (Shape{3, 4, 5}));
  EXPECT_EQ(*Broadcast({}, {2}), (Shape{2}));
  EXPECT_FALSE(Broadcast({2, 3}, {2, 4}));
  EXPECT_EQ(*NormalizeAxis(-1, 3), 2);
  EXPECT_FALSE(NormalizeAxis(3, 3));
  EXPECT_FALSE(NormalizeAxis(kMin, 3));
  EXPECT_FALSE(NormalizeAxes({0, -3}, 3));
  EXPECT_FALSE(ElementCount({kMax, 2}));
}

TEST(OnnxShapeMath, WindowsRefuseHostileAttributes) {
  for (const std::int64_t bad : {std::int64_t{0}, std::int64_t{-1}, kMin, kMax}) {
    EXPECT_FALSE(PlanWindows(WithInts("strides", {bad}), {8}, {3}, false)) << bad;
    EXPECT_FALSE(PlanWindows(WithInts("dilations", {bad}), {8}, {3}, false)) << bad;
    EXPECT_FALSE(PlanWindows(Node(), {8}, {bad}, false)) << bad;
  }
  EXPECT_FALSE(PlanWindows(WithInts("pads", {-1, 0}), {8}, {3}, false));
  EXPECT_FALSE(PlanWindows(WithInts("pads", {kMax, kMax}), {8}, {3}, false));
  EXPECT_FALSE(PlanWindows(WithInts("pads", {1}), {8}, {3}, false));
  EXPECT_FALSE(PlanWindows(Node(), {8}, {3, 3}, false));
  EXPECT_FALSE(PlanWindows(Node(), {2}, {3}, false));
  EXPECT_FALSE(PlanTransposedWindows(WithInts("pads", {50, 50}), {8}, {3}));
}

TEST(OnnxShapeMath, LastWindowMustStartInsideSinceOpset18) {
  Node node = WithInts("strides", {3});
  Attribute pads;
  pads.ints = {0, 1};
  pads.has_ints = true;
  node.attributes["pads"] = pads;
  Attribute ceil;
  ceil.i = 1;
  node.attributes["ceil_mode"] = ceil;
  EXPECT_EQ((*PlanWindows(node, {6}, {1}, false))[0].output, 3);
  EXPECT_EQ((*PlanWindows(node, {6}, {1}, true))[0].output, 2);
}

TEST(OnnxShapeMath, TransposedOutputShapeDecidesThePadding) {
  const auto windows = PlanTransposedWindows(WithInts("output_shape", {10}), {4}, {3});
  ASSERT_TRUE(windows);
  EXPECT_EQ((*windows)[0].output, 10);
}

}  // namespace
}  // namespace sluice::io::onnx_import
