#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cost/evaluator.h"
#include "io/timeloop/reader.h"
#include "io/timeloop/writer.h"
#include "testing/generators.h"
#include "testing/same_case.h"

namespace sluice::io {
namespace {

Result<TimeloopCase> ReadBack(const TimeloopText& text) {
  std::vector<YamlDocument> documents;
  for (const std::string& part : {text.architecture, text.problem, text.mapping, text.ert}) {
    SLUICE_TRY(YamlDocument document, YamlDocument::Parse(part, "written.yaml"));
    documents.push_back(std::move(document));
  }
  return ReadTimeloop(documents);
}

bool SplitsADimTwice(const mapping::Mapping& mapping) {
  for (const mapping::LevelMapping& level : mapping.levels) {
    std::uint32_t seen = 0;
    for (const mapping::LoopList* loops : {&level.spatial_x, &level.spatial_y}) {
      for (const mapping::Loop& loop : *loops) {
        const std::uint32_t bit = loop.bound > 1 ? 1U << static_cast<unsigned>(loop.dim) : 0;
        if ((seen & bit) != 0) {
          return true;
        }
        seen |= bit;
      }
    }
  }
  return false;
}

/// Takes out what Timeloop cannot express, so that no note and no difference is left.
arch::Chain Expressible(arch::Chain chain) {
  for (arch::Level& level : chain.levels) {
    arch::Network& network = level.fan_out.network;
    network.neighbour_forwarding = false;
    network.reduction = network.multicast;
    network.bandwidth.reset();
    network.reduction_pj = 0;
    level.memory.capacity_words.reset();  // random mappings need not fit
  }
  for (arch::ComputeClass& unit : chain.compute.classes) {
    unit.operations_per_cycle = 1;
  }
  return chain;
}

mapping::Mapping WithoutUnitLoops(mapping::Mapping mapping) {
  for (mapping::LevelMapping& level : mapping.levels) {
    for (mapping::LoopList* loops : {&level.temporal, &level.spatial_x, &level.spatial_y}) {
      mapping::LoopList kept;
      for (const mapping::Loop& loop : *loops) {
        if (loop.bound > 1) {
          kept.push_back(loop);
        }
      }
      *loops = kept;
    }
  }
  return mapping;
}

TEST(TimeloopWriter, RandomCasesComeBackWithTheSameFigures) {
  int compared = 0;
  for (std::uint64_t seed = 1; seed <= 600; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    mapping::Workload workload = testing::RandomWorkload(rng);
    workload.body = {{ir::WorkClass::kMac, 1}};
    const arch::Chain chain = Expressible(testing::RandomChain(rng));
    const mapping::Mapping mapping =
        WithoutUnitLoops(testing::RandomMapping(workload, chain, rng, seed % 2 == 0));
    auto text = WriteTimeloop(workload, chain, mapping);
    if (SplitsADimTwice(mapping)) {
      ASSERT_FALSE(text);
      EXPECT_EQ(text.error().code, ErrorCode::kMappingInvalid);
      continue;
    }
    ASSERT_TRUE(text) << text.error().Render();
    EXPECT_TRUE(text->notes.empty()) << text->notes.front();
    auto back = ReadBack(*text);
    ASSERT_TRUE(back) << back.error().Render() << text->Merged();
    testing::ExpectSameShape(workload, back->workload);
    testing::ExpectSameMachine(chain, back->chain);
    const std::uint32_t all = (1U << workload.tensors.size()) - 1U;
    for (std::size_t l = 0; l < mapping.levels.size(); ++l) {
      EXPECT_TRUE(mapping.levels[l].temporal == back->mapping.levels[l].temporal);
      EXPECT_TRUE(mapping.levels[l].spatial_x == back->mapping.levels[l].spatial_x);
      EXPECT_TRUE(mapping.levels[l].spatial_y == back->mapping.levels[l].spatial_y);
      EXPECT_EQ(mapping.levels[l].keep & all, back->mapping.levels[l].keep);
    }
    auto before = cost::Evaluator::Create(workload, chain, cost::TimeloopPolicy());
    auto after = cost::Evaluator::Create(back->workload, back->chain, cost::TimeloopPolicy());
    ASSERT_TRUE(before) << before.error().Render();
    ASSERT_TRUE(after) << after.error().Render();
    const cost::Score expected = before->Evaluate(mapping);
    const cost::Score got = after->Evaluate(back->mapping);
    EXPECT_EQ(expected.energy_pj, got.energy_pj) << text->Merged();
    EXPECT_EQ(expected.cycles, got.cycles) << text->Merged();
    ++compared;
    if (HasFailure()) {
      return;
    }
  }
  EXPECT_GT(compared, 300);
}

/// Two levels, a 2 x 2 fan-out below the second, one matrix product.
struct Small {
  mapping::Workload workload;
  arch::Chain chain;
  mapping::Mapping mapping;
};

Small MakeSmall() {
  Small small;
  small.workload.name = "a \"quoted\" name";
  small.workload.dim_names = {"rows", "columns", "R"};
  small.workload.tensor_names = {"/layer:1/a", "/layer:1/a", "out\n"};
  small.workload.bounds = {8, 4, 2};
  for (const std::uint32_t dims : {0b101U, 0b110U, 0b011U}) {
    mapping::WorkloadTensor tensor;
    tensor.dims = dims;
    for (std::int32_t d = 0; d < 3; ++d) {
      if ((dims >> static_cast<unsigned>(d) & 1U) != 0) {
        mapping::WorkloadAxis axis;
        axis.push_back({d, d == 1 ? 3 : 1});
        tensor.axes.push_back(axis);
      }
    }
    tensor.is_output = dims == 0b011U;
    tensor.read_modify_write = tensor.is_output;
    small.workload.tensors.push_back(tensor);
  }
  small.workload.body = {{ir::WorkClass::kMac, 1}};
  small.chain.levels.resize(2);
  small.chain.levels[0].memory.name = "DRAM";
  small.chain.levels[1].memory.name = "DRAM";
  small.chain.levels[1].memory.capacity_words = 100;
  small.chain.levels[1].memory.read_pj = 0.1;
  small.chain.levels[1].fan_out.x = 2;
  small.chain.levels[1].fan_out.y = 2;
  small.chain.compute.name = "mac.unit";
  small.chain.compute.classes = {{ir::WorkClass::kMac, 0.3, 1.0}};
  small.mapping.levels.resize(2);
  small.mapping.levels[0].temporal = {mapping::PerfectLoop(0, 8)};
  small.mapping.levels[1].temporal = {mapping::PerfectLoop(1, 2)};
  small.mapping.levels[1].spatial_x = {mapping::PerfectLoop(1, 2)};
  small.mapping.levels[1].spatial_y = {mapping::PerfectLoop(2, 2)};
  return small;
}

TEST(TimeloopWriter, NamesBecomeWhatTimeloopCanSpell) {
  const Small small = MakeSmall();
  auto text = WriteTimeloop(small.workload, small.chain, small.mapping);
  ASSERT_TRUE(text) << text.error().Render();
  auto back = ReadBack(*text);
  ASSERT_TRUE(back) << back.error().Render() << text->Merged();
  // R keeps its letter; `rows` takes the next of its own that is free, `columns` its first.
  EXPECT_EQ(back->workload.dim_names, (std::vector<std::string>{"O", "C", "R"}));
  EXPECT_EQ(back->workload.tensor_names,
            (std::vector<std::string>{"/layer:1/a", "/layer:1/a_2", "out_"}));
  EXPECT_EQ(back->chain.levels[1].memory.name, "DRAM_2");
  EXPECT_EQ(back->chain.compute.name, "mac_unit");
  EXPECT_EQ(back->chain.compute.classes[0].pj_per_operation, 0.3);
  EXPECT_EQ(back->chain.levels[1].memory.read_pj, 0.1);
  EXPECT_EQ(back->workload.name, "a _quoted_ name");
  testing::ExpectSameShape(small.workload, back->workload);
  EXPECT_NE(text->problem.find("# dimension O is \"rows\""), std::string::npos) << text->problem;
}

TEST(TimeloopWriter, PermutationsRunInnermostFirstAndSplitCountsX) {
  const Small small = MakeSmall();
  auto text = WriteTimeloop(small.workload, small.chain, small.mapping);
  ASSERT_TRUE(text);
  EXPECT_NE(text->mapping.find("type: spatial, factors: \"O=1 C=2 R=2\", permutation: \"CRO\", "
                               "split: 1"),
            std::string::npos)
      << text->mapping;
}

TEST(TimeloopWriter, NotesNameWhatTimeloopWillNotSee) {
  Small small = MakeSmall();
  arch::Network& network = small.chain.levels[1].fan_out.network;
  network.neighbour_forwarding = true;
  network.reduction = false;
  network.bandwidth = 4;
  network.reduction_pj = 1;
  small.chain.compute.classes[0].operations_per_cycle = 2;
  auto text = WriteTimeloop(small.workload, small.chain, small.mapping);
  ASSERT_TRUE(text);
  EXPECT_EQ(text->notes.size(), 5U);
}

TEST(TimeloopWriter, RefusesWhatHasNoForm) {
  Small small = MakeSmall();
  small.mapping.levels[1].temporal = {mapping::PerfectLoop(0, 1)};
  small.mapping.levels[1].spatial_y = {mapping::PerfectLoop(1, 2)};
  auto twice = WriteTimeloop(small.workload, small.chain, small.mapping);
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().code, ErrorCode::kMappingInvalid);
  EXPECT_NE(twice.error().message.find("on both axes of the fan-out below"), std::string::npos);
  EXPECT_NE(twice.error().hint.find("`dims_x`"), std::string::npos);
  small = MakeSmall();
  small.mapping.levels[0].temporal = {mapping::PerfectLoop(0, 2), mapping::PerfectLoop(0, 2)};
  twice = WriteTimeloop(small.workload, small.chain, small.mapping);
  ASSERT_FALSE(twice);
  EXPECT_NE(twice.error().message.find("two loops at level"), std::string::npos);
  small = MakeSmall();
  small.workload.body = {{ir::WorkClass::kTranscendental, 1}};
  auto work = WriteTimeloop(small.workload, small.chain, small.mapping);
  ASSERT_FALSE(work);
  EXPECT_EQ(work.error().code, ErrorCode::kArchInvalid);
  small = MakeSmall();
  small.mapping.levels.pop_back();
  EXPECT_FALSE(WriteTimeloop(small.workload, small.chain, small.mapping));
}

TEST(TimeloopWriter, AScalarOperandGetsAnAxis) {
  Small small = MakeSmall();
  small.workload.tensors[0].axes.clear();
  small.workload.tensors[0].dims = 0;
  auto text = WriteTimeloop(small.workload, small.chain, small.mapping);
  ASSERT_TRUE(text);
  auto back = ReadBack(*text);
  ASSERT_TRUE(back) << back.error().Render() << text->problem;
  EXPECT_TRUE(back->workload.tensors[0].axes.empty());
  EXPECT_EQ(back->workload.dims(), 3);
}

}  // namespace
}  // namespace sluice::io
