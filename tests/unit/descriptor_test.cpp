/// Operator descriptors: what each kind means, and that every mistake is shown at its column.

#include <gtest/gtest.h>

#include "ir/network.h"

namespace sluice::ir {
namespace {

using Shape = std::vector<std::int64_t>;

Network Parse(const std::string& text) {
  auto network = ParseOperatorDescriptor(text);
  EXPECT_TRUE(network.has_value()) << network.error().Render();
  return network.value_or(Network());
}

TEST(Descriptor, ShapesAndMultiplications) {
  struct Row {
    std::string text;
    Shape input;
    Shape weight;
    Shape output;
    std::int64_t macs;
  };
  const std::vector<Row> rows = {
      {"conv K=64 C=32 P=56 Q=28 R=3 S=5",
       {1, 32, 58, 32},
       {64, 32, 3, 5},
       {1, 64, 56, 28},
       std::int64_t{64} * 32 * 56 * 28 * 15},
      {"conv N=2 K=8 C=4 P=5 Q=5 R=3 S=3 stride=2 dilation=2",
       {2, 4, 13, 13},
       {8, 4, 3, 3},
       {2, 8, 5, 5},
       2 * 8 * 4 * 25 * 9},
      {"conv K=8 C=4 P=5 Q=5 R=3 S=3 stride_h=2 dilation_w=3",
       {1, 4, 11, 11},
       {8, 4, 3, 3},
       {1, 8, 5, 5},
       8 * 4 * 25 * 9},
      {"conv K=8 C=4 P=2 Q=2 R=1 S=1 groups=2",
       {1, 4, 2, 2},
       {8, 2, 1, 1},
       {1, 8, 2, 2},
       8 * 2 * 4},
      {"depthwise C=32 P=7 Q=7 R=3 S=3", {1, 32, 9, 9}, {32, 1, 3, 3}, {1, 32, 7, 7}, 32 * 49 * 9},
      {"conv1d K=4 C=3 P=10 R=5 stride=2", {1, 3, 23}, {4, 3, 5}, {1, 4, 10}, 4 * 3 * 10 * 5},
      {"gemm M=512 N=768 K=64", {512, 64}, {64, 768}, {512, 768}, std::int64_t{512} * 768 * 64},
      {" \tbmm  B=12 M=3\nN=4 K=5 ", {12, 3, 5}, {12, 5, 4}, {12, 3, 4}, 12 * 3 * 4 * 5},
  };
  for (const Row& row : rows) {
    const Network network = Parse(row.text);
    ASSERT_EQ(network.tensors.size(), 3U) << row.text;
    EXPECT_EQ(network.tensors[0].shape, row.input) << row.text;
    EXPECT_EQ(network.tensors[1].shape, row.weight) << row.text;
    EXPECT_EQ(network.tensors[2].shape, row.output) << row.text;
    EXPECT_EQ(network.macs(), row.macs) << row.text;
    EXPECT_EQ(network.tensors[2].role, TensorRole::kOutput);
    EXPECT_TRUE(Validate(network).has_value()) << row.text;
  }
}

TEST(Descriptor, OnlyTheProductOfActivationsHasNoWeight) {
  EXPECT_EQ(Parse("gemm M=2 N=2 K=2").tensors[1].role, TensorRole::kWeight);
  EXPECT_EQ(Parse("bmm B=2 M=2 N=2 K=2").tensors[1].role, TensorRole::kInput);
}

TEST(Descriptor, DimsHaveTheNamesOfTheFormat) {
  const auto names = [](const std::string& text) {
    std::vector<std::string> result;
    const Network network = Parse(text);
    for (const Dim& dim : network.operators[0].dims) {
      result.push_back(dim.name);
    }
    return result;
  };
  EXPECT_EQ(names("conv K=2 C=2 P=2 Q=2 R=2 S=2"),
            (std::vector<std::string>{"N", "G", "K", "C", "P", "Q", "R", "S"}));
  EXPECT_EQ(names("conv1d K=2 C=2 P=2 R=2"),
            (std::vector<std::string>{"N", "G", "K", "C", "P", "R"}));
  EXPECT_EQ(names("gemm M=2 N=2 K=2"), (std::vector<std::string>{"M", "N", "K"}));
  EXPECT_EQ(names("bmm B=2 M=2 N=2 K=2"), (std::vector<std::string>{"B", "M", "N", "K"}));
}

TEST(Descriptor, MistakesAreShownAtTheirPlace) {
  struct Row {
    std::string text;
    ErrorCode code;
    int column;
    int length;
    std::string hint;  ///< a part of it
  };
  const std::vector<Row> rows = {
      {"", ErrorCode::kSyntax, 1, 1, "conv K=64"},
      {"  \t ", ErrorCode::kSyntax, 1, 1, "conv K=64"},
      {"cov K=1", ErrorCode::kUnknownName, 1, 3, "did you mean `conv`"},
      {" zebra", ErrorCode::kUnknownName, 2, 5, "conv, depthwise, conv1d, gemm, bmm"},
      {"gemm M=2 N=3", ErrorCode::kMissingKey, 1, 4, "M, N, K"},
      {"gemm M=2 N=3 k=4", ErrorCode::kUnknownKey, 14, 1, "did you mean"},
      {"gemm M=2 N=3 K=4 M=5", ErrorCode::kDuplicateKey, 18, 1, ""},
      {"gemm M=2 N=3 K=", ErrorCode::kBadValue, 16, 1, "whole number"},
      {"gemm M=2 N=3 K", ErrorCode::kSyntax, 14, 1, "K=64"},
      {"gemm M=2 N=3 K = 4", ErrorCode::kSyntax, 14, 1, "without spaces"},
      {"gemm M=0 N=3 K=4", ErrorCode::kBadValue, 8, 1, "from 1"},
      {"gemm M=-2 N=3 K=4", ErrorCode::kBadValue, 8, 2, "from 1"},
      {"gemm M=2.5 N=3 K=4", ErrorCode::kBadValue, 8, 3, "whole"},
      {"gemm M=4294967296 N=3 K=4", ErrorCode::kBadValue, 8, 10, "2147483647"},
      {"gemm M=99999999999999999999999 N=3 K=4", ErrorCode::kBadValue, 8, 23, "2147483647"},
      {"gemm M=2147483647 N=2147483647 K=2147483647", ErrorCode::kBadValue, 1, 4, "smaller"},
      {"conv K=9 C=4 P=5 Q=5 R=3 S=3 groups=2", ErrorCode::kBadValue, 6, 3, "all groups"},
      {"conv K=8 C=3 P=5 Q=5 R=3 S=3 groups=2", ErrorCode::kBadValue, 10, 3, "all groups"},
      {"conv K=8 C=4 P=5 Q=5 R=3 S=3 stride=2 stride_w=1", ErrorCode::kDuplicateKey, 39, 10,
       "stride_h"},
      {"conv K=8 C=4 P=5 Q=5 R=3 S=3 strid=2", ErrorCode::kUnknownKey, 30, 5,
       "did you mean `stride`"},
      {"depthwise K=8 C=4 P=5 Q=5 R=3 S=3", ErrorCode::kUnknownKey, 11, 1, ""},
  };
  for (const Row& row : rows) {
    const auto network = ParseOperatorDescriptor(row.text);
    ASSERT_FALSE(network.has_value()) << row.text;
    const Diagnostic& error = network.error();
    EXPECT_EQ(error.code, row.code) << row.text << "\n" << error.Render();
    EXPECT_EQ(error.span.column, row.column) << error.Render();
    EXPECT_EQ(error.span.length, row.length) << error.Render();
    EXPECT_EQ(error.span.line, 1);
    EXPECT_EQ(error.span.file, "--op");
    EXPECT_NE(error.hint.find(row.hint), std::string::npos) << error.Render();
  }
}

TEST(Descriptor, SecondLineIsCounted) {
  const auto network = ParseOperatorDescriptor("gemm M=2\n  N=3 Q=4");
  ASSERT_FALSE(network.has_value());
  EXPECT_EQ(network.error().span.line, 2);
  EXPECT_EQ(network.error().span.column, 7);
  EXPECT_EQ(network.error().span.excerpt, "  N=3 Q=4");
}

TEST(Descriptor, LongAndBinaryTextsAreRefused) {
  EXPECT_FALSE(ParseOperatorDescriptor(std::string(1 << 20, 'a')).has_value());
  EXPECT_FALSE(ParseOperatorDescriptor("conv " + std::string(1 << 20, '=')).has_value());
  EXPECT_FALSE(ParseOperatorDescriptor(std::string("\0\xff\x01=3", 5)).has_value());
}

}  // namespace
}  // namespace sluice::ir
