/// \file
/// Dataflow codes: canonical codes, dataflows, MAESTRO's text and integers correspond one to one;
/// every code is a mapping that is valid on any machine, and says what the code says where there is
/// room for it. The maestro models count the same work through a code as the layer
/// has.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "arch/architecture.h"
#include "base/rng.h"
#include "cost/evaluator.h"
#include "cost/maestro/exact.h"
#include "cost/policy.h"
#include "io/maestro/network.h"
#include "io/yaml/arch/arch.h"
#include "ir/network.h"
#include "mapping/dataflow/code.h"
#include "mapping/dataflow/nest.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"
#include "testing/maestro_cases.h"
#include "testing/nests.h"

namespace sluice {
namespace {

using mapping::CodeDim;
using mapping::DataflowCode;
using mapping::Layer;
using mapping::LayerType;
using mapping::LevelCode;

/// Anything with valid orders; not canonical.
DataflowCode RandomCode(Rng& rng, std::size_t levels, std::int64_t largest) {
  DataflowCode code;
  for (std::size_t l = 0; l < levels; ++l) {
    LevelCode level;
    level.parallel = static_cast<CodeDim>(rng.Below(mapping::kCodeDims));
    level.units = rng.Between(0, 20);
    for (std::size_t i = level.order.size(); i > 1; --i) {
      std::swap(level.order[i - 1], level.order[rng.Below(static_cast<std::uint32_t>(i))]);
    }
    for (std::int64_t& tile : level.tile) {
      tile = rng.Between(0, largest + 2);
    }
    code.levels.push_back(level);
  }
  return code;
}

Layer RandomLayer(Rng& rng) {
  return testing::RandomMaestroLayer(rng, {.largest = 40, .dividing = false});
}

RC_GTEST_PROP(DataflowCode, CanonicalCodesAreDataflowsAndBack, ()) {
  Rng rng(*rc::gen::arbitrary<std::uint64_t>());
  const Layer layer = RandomLayer(rng);
  const auto code =
      mapping::Canonical(layer, RandomCode(rng, static_cast<std::size_t>(rng.Between(1, 4)), 40));
  RC_ASSERT(ValidateCode(layer, code).has_value());
  RC_ASSERT(mapping::Canonical(layer, code) == code);
  const auto dataflow = Decode(layer, code);
  RC_ASSERT(ValidateDataflow(layer, dataflow).has_value());
  const auto again = Encode(layer, dataflow);
  RC_ASSERT(again.has_value());
  RC_ASSERT(*again == code);
}

RC_GTEST_PROP(DataflowCode, SurvivesMaestroText, ()) {
  Rng rng(*rc::gen::arbitrary<std::uint64_t>());
  const Layer layer = RandomLayer(rng);
  const auto code =
      mapping::Canonical(layer, RandomCode(rng, static_cast<std::size_t>(rng.Between(1, 4)), 40));
  const io::MaestroNetwork network{"net", {{"layer", layer, Decode(layer, code)}}};
  const std::string text = io::WriteMaestroNetwork(network);
  const auto read = io::ReadMaestroNetwork(text, "written.m");
  RC_ASSERT(read.has_value());
  RC_ASSERT(*read == network);
  const auto again = Encode(read->layers[0].layer, read->layers[0].dataflow);
  RC_ASSERT(again.has_value());
  RC_ASSERT(*again == code);
}

RC_GTEST_PROP(DataflowCode, SurvivesNumbers, ()) {
  Rng rng(*rc::gen::arbitrary<std::uint64_t>());
  const auto levels = static_cast<std::size_t>(rng.Between(1, 4));
  const DataflowCode code = RandomCode(rng, levels, 40);
  const auto numbers = ToNumbers(code);
  RC_ASSERT(numbers.size() == levels * 14);
  const auto again = mapping::FromNumbers(numbers);
  RC_ASSERT(again.has_value());
  RC_ASSERT(*again == code);
}

RC_GTEST_PROP(LayerCode, LayersAreCodesAndBack, ()) {
  Rng rng(*rc::gen::arbitrary<std::uint64_t>());
  const Layer layer = RandomLayer(rng);
  const auto again = LayerOf(mapping::CodeOf(layer));
  RC_ASSERT(again.has_value());
  RC_ASSERT(*again == layer);
}

TEST(LayerCode, PaddingIsFoldedIntoTheInput) {
  mapping::LayerCode code;
  code.k = 64;
  code.c = 3;
  code.y = code.x = 224;
  code.r = code.s = 7;
  code.stride_y = code.stride_x = 2;
  code.pad_y = code.pad_x = 6;
  const auto layer = LayerOf(code);
  ASSERT_TRUE(layer);
  EXPECT_EQ((*layer)[mapping::LayerDim::kY], 230);
  EXPECT_EQ(layer->outputs(mapping::LayerDim::kY), 112);
  EXPECT_EQ(layer->macs(), std::int64_t{64} * 3 * 112 * 112 * 7 * 7);
}

TEST(LayerCode, RefusesWhatIsNoLayer) {
  mapping::LayerCode code;
  code.type = 9;
  EXPECT_EQ(LayerOf(code).error().code, ErrorCode::kOperatorInvalid);
  code.type = 3;
  code.r = 3;
  EXPECT_EQ(LayerOf(code).error().code, ErrorCode::kOperatorInvalid);
  code = {};
  code.r = 3;
  EXPECT_EQ(LayerOf(code).error().path, "R");
}

TEST(DataflowCode, RefusesDataflowsItCannotSay) {
  const auto encode = [](const std::string& maps) {
    const auto network = io::ReadMaestroNetwork(
        "Network n { Layer l { Type: CONV Dimensions { K: 8, C: 4, R: 3, S: 3, Y: 10, X: 10 } "
        "Dataflow { " +
            maps + " } } }",
        "inline.m");
    EXPECT_TRUE(network) << network.error().Render();
    return Encode(network->layers[0].layer, network->layers[0].dataflow);
  };
  const std::string rest = "TemporalMap(4,4) C; TemporalMap(3,3) R; TemporalMap(3,3) S; ";
  EXPECT_TRUE(encode("SpatialMap(2,2) K; TemporalMap(2,2) Y'; TemporalMap(8,8) X'; " + rest));
  // Input positions, a gap, a missing map, two spatial maps.
  EXPECT_FALSE(encode("SpatialMap(2,2) K; TemporalMap(3,1) Y; TemporalMap(8,8) X'; " + rest));
  EXPECT_FALSE(encode("SpatialMap(2,3) K; TemporalMap(2,2) Y'; TemporalMap(8,8) X'; " + rest));
  EXPECT_FALSE(encode("SpatialMap(2,2) K; TemporalMap(2,2) Y'; " + rest));
  EXPECT_FALSE(encode("SpatialMap(2,2) K; SpatialMap(2,2) Y'; TemporalMap(8,8) X'; " + rest));
}

/// DRAM, a shared memory over a grid, and `inner` memories below it.
arch::Chain Machine(std::int64_t x, std::int64_t y, int inner) {
  arch::Chain chain;
  for (int m = 0; m < 2 + inner; ++m) {
    arch::Level level;
    level.memory.name = "M" + std::to_string(m);
    if (m == 1) {
      level.fan_out.x = x;
      level.fan_out.y = y;
    }
    chain.levels.push_back(level);
  }
  chain.compute.classes.push_back({});
  return chain;
}

mapping::Workload ConvNest(Rng& rng, std::int64_t stride) {
  const auto size = [&rng] { return rng.Between(2, 24); };
  const std::string row = (stride > 1 ? std::to_string(stride) : "") + "P+R";
  return testing::MakeNest({{"N", rng.Between(2, 3)},
                            {"K", size()},
                            {"C", size()},
                            {"P", size()},
                            {"Q", size()},
                            {"R", rng.Between(2, 3)},
                            {"S", rng.Between(2, 3)}},
                           {{"Input", {"N", "C", row, "Q+S"}},
                            {"Weight", {"K", "C", "R", "S"}},
                            {"Output", {"N", "K", "P", "Q"}}});
}

RC_GTEST_PROP(CodeMapper, EveryCodeCoversTheOperatorOnAnyMachine, ()) {
  Rng rng(*rc::gen::arbitrary<std::uint64_t>());
  const auto workload = ConvNest(rng, rng.Between(1, 2));
  const auto chain =
      Machine(rng.Between(1, 5), rng.Between(1, 4), static_cast<int>(rng.Between(0, 2)));
  const auto mapper = mapping::CodeMapper::Create(workload, chain);
  RC_ASSERT(mapper.has_value());
  RC_ASSERT(mapper->layer().macs() == workload.points());
  const auto code = mapping::Canonical(
      mapper->layer(), RandomCode(rng, static_cast<std::size_t>(rng.Between(1, 4)), 24));
  const auto violations = CheckMapping(workload, chain, mapper->MappingOf(code));
  RC_ASSERT(violations.empty());
}

/// Memories of random sizes and keeps, fan-outs anywhere.
arch::Chain RandomMachine(Rng& rng) {
  arch::Chain chain;
  const std::int64_t memories = rng.Between(2, 6);
  for (std::int64_t m = 0; m < memories; ++m) {
    arch::Level level;
    level.memory.name = "M" + std::to_string(m);
    level.memory.read_pj = static_cast<double>(rng.Between(0, 20));
    level.memory.fill_pj = level.memory.update_pj = level.memory.read_pj;
    if (m > 0) {
      level.memory.capacity_words = rng.Between(1, 40) * rng.Between(1, 40);
      level.memory.buffering = rng.Below(3) == 0 ? 2 : 1;
      for (arch::Keep& keep : level.memory.keep) {
        keep = rng.Below(4) == 0 ? arch::Keep::kNever : arch::Keep::kMay;
      }
    }
    level.fan_out.x = rng.Below(2) == 0 ? rng.Between(1, 6) : 1;
    level.fan_out.y = rng.Below(2) == 0 ? rng.Between(1, 6) : 1;
    chain.levels.push_back(level);
  }
  chain.compute.classes.push_back({});
  return chain;
}

RC_GTEST_PROP(CodeMapper, EveryCodeFitsWhereAnyMappingDoes, ()) {
  Rng rng(*rc::gen::arbitrary<std::uint64_t>());
  const auto workload = ConvNest(rng, rng.Between(1, 2));
  arch::Chain chain = RandomMachine(rng);
  if (rng.Below(2) == 0) {
    chain.levels.back().memory.keep[0] = arch::Keep::kMust;
  }
  const auto mapper = mapping::CodeMapper::Create(workload, chain);
  RC_ASSERT(mapper.has_value());
  const auto least = TrivialMapping(workload, chain);
  RC_PRE(CheckMapping(workload, chain, least).empty());
  const auto code = mapping::Canonical(
      mapper->layer(), RandomCode(rng, static_cast<std::size_t>(rng.Between(1, 4)), 24));
  const auto mapping = mapper->MappingOf(code);
  RC_ASSERT(CheckMapping(workload, chain, mapping).empty());
  RC_ASSERT(mapper->MappingOf(code) == mapping);
}

TEST(CodeMapper, RandomCodesAreValidOnEveryArchitecture) {
  Rng rng(7);
  for (const char* name : {"eyeriss", "nvdla-like", "simba"}) {
    const auto machine =
        io::LoadArchitecture(std::string(SLUICE_SOURCE_DIR) + "/archs/" + name + ".yaml");
    ASSERT_TRUE(machine) << machine.error().Render();
    for (const char* text : {"conv K=64 C=3 P=112 Q=112 R=7 S=7 stride=2",
                             "conv K=197 C=24 P=13 Q=13 R=3 S=3", "gemm M=128 N=768 K=768"}) {
      const auto network = ir::ParseOperatorDescriptor(text);
      ASSERT_TRUE(network);
      const auto workload = mapping::MakeWorkload(network->operators[0], *network);
      const auto chain = arch::ChainFor(*machine, network->operators[0].body);
      const auto mapper = mapping::CodeMapper::Create(*workload, *chain);
      ASSERT_TRUE(mapper);
      for (int i = 0; i < 200; ++i) {
        const auto code = mapping::Canonical(
            mapper->layer(), RandomCode(rng, static_cast<std::size_t>(rng.Between(1, 4)), 112));
        const auto mapping = mapper->MappingOf(code);
        EXPECT_TRUE(CheckMapping(*workload, *chain, mapping).empty())
            << name << ' ' << text << '\n'
            << PrintLoopNest(*workload, *chain, mapping);
      }
    }
  }
}

/// The figures of the rules against the reference model: the same where tiles do not overlap, and
/// near where windows slide.
TEST(CodeMapper, FiguresAreNearTheReferenceModel) {
  Rng rng(11);
  for (const char* name : {"eyeriss", "nvdla-like", "simba"}) {
    const auto machine =
        io::LoadArchitecture(std::string(SLUICE_SOURCE_DIR) + "/archs/" + name + ".yaml");
    ASSERT_TRUE(machine) << machine.error().Render();
    for (const char* text : {"gemm M=128 N=768 K=768", "conv K=256 C=64 P=28 Q=28 R=1 S=1",
                             "conv K=64 C=64 P=56 Q=56 R=3 S=3"}) {
      SCOPED_TRACE(std::string(name) + ' ' + text);
      const bool slides = std::string(text).ends_with("S=3");
      const auto network = ir::ParseOperatorDescriptor(text);
      const auto workload = mapping::MakeWorkload(network->operators[0], *network);
      const auto chain = arch::ChainFor(*machine, network->operators[0].body);
      const auto mapper = mapping::CodeMapper::Create(*workload, *chain);
      ASSERT_TRUE(mapper);
      const auto evaluator = cost::Evaluator::Create(*workload, *chain, cost::PhysicalPolicy());
      ASSERT_TRUE(evaluator);
      std::vector<double> off;
      for (int i = 0; i < 200; ++i) {
        const auto code = mapping::Canonical(
            mapper->layer(), RandomCode(rng, static_cast<std::size_t>(rng.Between(1, 4)), 112));
        const auto score = evaluator->Evaluate(mapper->MappingOf(code));
        const auto figures = mapper->FiguresOf(code);
        if (slides) {
          off.push_back(std::abs(std::log(figures.energy_pj / score.energy_pj)));
        } else {
          // Of what the model adds there are only roundings, to blocks and to cycles.
          EXPECT_NEAR(figures.energy_pj / score.energy_pj, 1, 1e-4);
          EXPECT_NEAR(figures.cycles / score.cycles, 1, 1e-3);
        }
      }
      if (slides) {
        std::ranges::sort(off);
        EXPECT_LT(off[off.size() / 2], 0.02);
        EXPECT_LT(off[off.size() * 9 / 10], 0.3);
      }
    }
  }
}

/// One memory inside, large enough for all: what a code says is what the mapping does.
TEST(CodeMapper, TilesUnitsAndOrdersAreThoseOfTheCode) {
  const auto nest = testing::MakeNest({{"M", 8}, {"N", 12}, {"K", 6}},
                                      {{"A", {"M", "K"}}, {"B", {"K", "N"}}, {"C", {"M", "N"}}});
  const auto chain = Machine(4, 1, 0);
  const auto mapper = mapping::CodeMapper::Create(nest, chain);
  ASSERT_TRUE(mapper);
  DataflowCode code;
  LevelCode level;  // N as K, K as C, M as Y
  level.parallel = CodeDim::kK;
  level.order = {CodeDim::kK, CodeDim::kY, CodeDim::kC, CodeDim::kX, CodeDim::kR, CodeDim::kS};
  level.tile = {6, 3, 4, 1, 1, 1};
  code.levels.push_back(level);
  const auto mapping = mapper->MappingOf(mapping::Canonical(mapper->layer(), code));
  ASSERT_EQ(mapping.levels.size(), 2U);
  const auto product = [](const mapping::LoopList& loops, int dim) {
    std::int64_t bound = 1;
    for (const auto& loop : loops) {
      bound *= loop.dim == dim ? loop.bound : 1;
    }
    return bound;
  };
  EXPECT_EQ(product(mapping.levels[1].spatial_x, 1), 4);
  // N runs outside of the parallel dim's own place, so it fills the inner memory; M and K do not.
  EXPECT_EQ(product(mapping.levels[0].temporal, 0), 2);
  EXPECT_EQ(product(mapping.levels[0].temporal, 2), 2);
  EXPECT_EQ(product(mapping.levels[1].temporal, 0), 4);
  EXPECT_EQ(product(mapping.levels[1].temporal, 2), 3);
}

TEST(CodeMapper, FindsTheRolesOfTheDims) {
  const auto gemm = testing::MakeNest({{"M", 5}, {"N", 7}, {"K", 3}},
                                      {{"A", {"M", "K"}}, {"B", {"K", "N"}}, {"C", {"M", "N"}}});
  const auto binding = BindLayer(gemm);
  ASSERT_TRUE(binding);
  EXPECT_EQ(CodeExtents(binding->layer), (mapping::CodeSizes{7, 3, 5, 1, 1, 1}));
  const auto depthwise = testing::MakeNest(
      {{"G", 6}, {"P", 5}, {"Q", 4}, {"R", 3}, {"S", 2}},
      {{"I", {"G", "2P+R", "Q+S"}}, {"W", {"G", "R", "S"}}, {"O", {"G", "P", "Q"}}});
  const auto bound = BindLayer(depthwise);
  ASSERT_TRUE(bound);
  EXPECT_EQ(bound->layer.type, LayerType::kDepthwise);
  EXPECT_EQ(bound->layer.stride_y, 2);
  EXPECT_EQ(bound->layer.macs(), depthwise.points());
  const auto pool = testing::MakeNest({{"P", 5}, {"R", 3}}, {{"I", {"P+R"}}, {"O", {"P"}}});
  EXPECT_EQ(BindLayer(pool).error().code, ErrorCode::kOperatorInvalid);
}

}  // namespace
}  // namespace sluice
