#include <cstdio>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/file.h"
#include "io/timeloop/reader.h"
#include "testing/same_case.h"

namespace sluice::io {
namespace {

// A strided 1-d convolution on DRAM - GLB - 2 x 4 PEs.
constexpr const char* kCase = R"(architecture:
  version: 0.3
  subtree:
  - name: system
    local:
    - name: DRAM
      class: DRAM
      attributes: {word_bits: 16, block_size: 4, width: 64}
    subtree:
    - name: chip
      attributes: {technology: 45nm}
      local:
      - name: GLB
        class: SRAM
        attributes:
          entries: 4096
          word_bits: 16
          block_size: 2
          read_bandwidth: 8
          write_bandwidth: 4
          multiple_buffering: 2
          energy_per_hop: 0.25
          router_energy: 0.5
      subtree:
      - name: PE[0..7]
        local:
        - name: RF
          class: regfile
          attributes: {entries: 64, word_bits: 16, meshX: 2}
        - name: MAC
          class: intmac
          attributes: {datawidth: 16, meshX: 2}
problem:
  version: 0.3
  shape:
    name: conv1d
    dimensions: [C, M, R, P, N]
    coefficients:
    - {name: Wstride, default: 1}
    - {name: Hstride, default: 1}
    data_spaces:
    - {name: Weights, projection: [[[C]], [[M]], [[R]]]}
    - {name: Outputs, projection: [[[N]], [[M]], [[P]]], read_write: true}
    - {name: Inputs, projection: [[[N]], [[C]], [[R], [P, Wstride]]]}
  instance: {C: 4, M: 8, R: 3, P: 16, N: 1, Wstride: 2}
mapping:
- {target: DRAM, type: temporal, factors: C=1 M=2 R=1 P=2 N=1, permutation: PMCRN}
- {target: GLB, type: datatype, keep: [Inputs, Outputs], bypass: [Weights]}
- {target: GLB, type: temporal, factors: C=2 M=1 R=1 P=4 N=1, permutation: CPMRN}
- {target: GLB, type: spatial, factors: C=2 M=4 R=1 P=1 N=1, permutation: CMRPN, split: 1}
- {target: RF, type: temporal, factors: "C=1 M=1 R=3 P=2 N=1", permutation: RPCMN}
ERT:
  version: 0.3
  tables:
  - name: system.DRAM
    actions: [{name: read, energy: 200}, {name: write, energy: 210}, {name: update, energy: 220}]
  - name: system.chip.GLB
    actions: [{name: read, energy: 6}, {name: write, energy: 7}, {name: leak, energy: 0.5}]
  - name: system.chip.PE[0..7].RF
    actions:
    - {name: read, energy: 1, arguments: {address_delta: 0}}
    - {name: read, energy: 1.5, arguments: {address_delta: 1}}
    - {name: write, energy: 2}
    - {name: update, energy: 2.5}
  - name: system.chip.PE[0..7].MAC
    actions: [{name: compute, energy: 0.75}]
)";

Result<TimeloopCase> ReadText(std::string text) {
  std::vector<YamlDocument> documents;
  SLUICE_TRY(YamlDocument document, YamlDocument::Parse(std::move(text), "case.yaml"));
  documents.push_back(std::move(document));
  return ReadTimeloop(documents);
}

/// kCase with `from`, which must occur, replaced by `to`.
std::string Changed(const std::string& from, const std::string& to, std::string text = kCase) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

TimeloopCase Good(const std::string& text) {
  auto result = ReadText(text);
  EXPECT_TRUE(result) << result.error().Render();
  return result ? *result : TimeloopCase{};
}

void ExpectSame(const TimeloopCase& a, const TimeloopCase& b) {
  testing::ExpectSameShape(a.workload, b.workload);
  testing::ExpectSameMachine(a.chain, b.chain);
  EXPECT_EQ(a.workload.dim_names, b.workload.dim_names);
  EXPECT_TRUE(a.mapping == b.mapping);
}

TEST(TimeloopReader, ReadsTheProblem) {
  const TimeloopCase sample = Good(kCase);
  const mapping::Workload& workload = sample.workload;
  EXPECT_EQ(workload.name, "conv1d");
  // N has bound 1 and is dropped; the output comes last whatever the order in the file.
  EXPECT_EQ(workload.dim_names, (std::vector<std::string>{"C", "M", "R", "P"}));
  EXPECT_EQ(workload.tensor_names, (std::vector<std::string>{"Weights", "Inputs", "Outputs"}));
  EXPECT_EQ(workload.points(), 4 * 8 * 3 * 16);
  EXPECT_EQ(workload.tensors[0].tensor_class, arch::TensorClass::kWeight);
  EXPECT_EQ(workload.tensors[1].tensor_class, arch::TensorClass::kInput);
  EXPECT_EQ(workload.footprint(1), 4 * (1 + 2 + 2 * 15));
  EXPECT_TRUE(workload.tensors[2].is_output);
  EXPECT_TRUE(workload.tensors[2].read_modify_write);
  EXPECT_TRUE(sample.warnings.empty());
}

TEST(TimeloopReader, ReadsTheArchitectureAndItsEnergies) {
  const TimeloopCase sample = Good(kCase);
  const arch::Chain& chain = sample.chain;
  ASSERT_EQ(chain.levels.size(), 3U);
  EXPECT_EQ(chain.levels[0].memory.name, "DRAM");
  EXPECT_FALSE(chain.levels[0].memory.capacity_words.has_value());
  EXPECT_EQ(chain.levels[0].memory.block_words, 4);
  EXPECT_EQ(chain.levels[0].memory.fill_pj, 210);
  EXPECT_EQ(chain.levels[0].memory.update_pj, 220);
  const arch::Memory& glb = chain.levels[1].memory;
  EXPECT_EQ(glb.capacity_words, 4096);
  EXPECT_EQ(glb.block_words, 2);
  EXPECT_EQ(glb.buffering, 2);
  EXPECT_EQ(glb.read_bandwidth, 8);
  EXPECT_EQ(glb.write_bandwidth, 4);
  EXPECT_EQ(glb.update_pj, 7) << "a missing update costs a write";
  EXPECT_EQ(glb.leakage_pj_per_cycle, 0.5);
  EXPECT_EQ(chain.levels[0].fan_out.instances(), 1);
  EXPECT_EQ(chain.levels[1].fan_out.x, 2);
  EXPECT_EQ(chain.levels[1].fan_out.y, 4);
  EXPECT_EQ(chain.levels[1].fan_out.network.hop_pj, 0.25);
  EXPECT_EQ(chain.levels[1].fan_out.network.router_pj, 0.5);
  EXPECT_EQ(chain.levels[2].memory.read_pj, 1.5) << "the largest row of an action counts";
  EXPECT_EQ(chain.levels[2].fan_out.instances(), 1);
  EXPECT_EQ(chain.compute.classes[0].pj_per_operation, 0.75);
  EXPECT_EQ(chain.compute_instances(), 8);
}

TEST(TimeloopReader, ReadsTheMappingOutermostFirst) {
  const mapping::Mapping mapping = Good(kCase).mapping;
  const int c = 0;
  const int m = 1;
  const int r = 2;
  const int p = 3;
  using mapping::PerfectLoop;
  ASSERT_EQ(mapping.levels.size(), 3U);
  EXPECT_TRUE(mapping.levels[0].temporal ==
              (mapping::LoopList{PerfectLoop(m, 2), PerfectLoop(p, 2)}));
  EXPECT_TRUE(mapping.levels[1].temporal ==
              (mapping::LoopList{PerfectLoop(p, 4), PerfectLoop(c, 2)}));
  EXPECT_TRUE(mapping.levels[1].spatial_x == (mapping::LoopList{PerfectLoop(c, 2)}));
  EXPECT_TRUE(mapping.levels[1].spatial_y == (mapping::LoopList{PerfectLoop(m, 4)}));
  EXPECT_TRUE(mapping.levels[2].temporal ==
              (mapping::LoopList{PerfectLoop(p, 2), PerfectLoop(r, 3)}));
  EXPECT_EQ(mapping.levels[1].keep, 0b110U);
  EXPECT_EQ(mapping.levels[2].keep, 0b111U) << "kept unless bypassed";
}

TEST(TimeloopReader, SpellingsMeanTheSame) {
  const TimeloopCase sample = Good(kCase);
  const std::vector<std::pair<std::string, std::string>> spellings = {
      {"data_spaces:", "data-spaces:"},
      {"read_write: true", "read-write: true"},
      {"projection: [[[C]], [[M]], [[R]]]", "projection: [C, M, R]"},
      {"word_bits: 16, block_size: 4", "word-bits: 16, block-size: 4"},
      {"word_bits: 16, block_size: 4", "datawidth: 16, n_words: 4"},
      {"block_size: 4, width: 64", "block_size: 4"},
      {"block_size: 4, width: 64", "block_size: 4, cluster-size: 1"},
      {"entries: 4096", "depth: 2048"},
      {"entries: 4096", "memory_depth: 2048"},
      {"entries: 4096", "sizeKB: 8"},
      {"multiple_buffering", "multiple-buffering"},
      {"read_bandwidth", "read-bandwidth"},
      {"energy_per_hop", "energy-per-hop"},
      {"meshX: 2}\n        - name: MAC", "meshY: 4}\n        - name: MAC"},
      {"meshX: 2}\n        - name: MAC", "meshX: 2, meshY: 4, instances: 8}\n        - name: MAC"},
      {"name: PE[0..7]", "name: PE[8..15]"},
      {"type: datatype, keep: [Inputs, Outputs]", "type: bypass, keep: [Inputs, Outputs]"},
      {"keep: [Inputs, Outputs], bypass: [Weights]", "bypass: Weights"},
      {"factors: C=1 M=2 R=1 P=2 N=1", "factors: C1 M2 R1 P2 N1"},
      {"factors: C=1 M=2 R=1 P=2 N=1", "factors: \"C = 1 M = 2 R=1 P=2 # the rest is 1\""},
      {"factors: C=1 M=2 R=1 P=2 N=1", "factors: [C=1, M=2, P=2]"},
      {"factors: C=1 M=2 R=1 P=2 N=1", "factors: {M: 2, P: 2}"},
      {"factors: C=1 M=2 R=1 P=2 N=1", "factors: P=2 M=2"},
      {"factors: \"C=1 M=1 R=3 P=2 N=1\"", "factors: R=0 P=2"},
      {"permutation: PMCRN", "permutation: [P, M, C, R, N]"},
      {"permutation: PMCRN", "permutation: P M C R N"},
      {"permutation: PMCRN", "permutation: PM"},
      {"target: GLB, type: temporal", "target: 1, type: temporal"},
      {"split: 1}", "split: 1, no_link_transfer: [Weights]}"},
      {"instance: {C: 4, M: 8, R: 3, P: 16, N: 1, Wstride: 2}",
       "C: 4\n  M: 8\n  R: 3\n  P: 16\n  N: 1\n  Wstride: 2"},
      {"version: 0.3\n  shape", "version: \"0.3\"\n  shape"},
  };
  for (const auto& [from, to] : spellings) {
    SCOPED_TRACE(to);
    ExpectSame(sample, Good(Changed(from, to)));
  }
}

TEST(TimeloopReader, CnnLayerIsBuiltIn) {
  std::string text = kCase;
  const auto shape = text.find("  shape:");
  const auto mapping = text.find("mapping:");
  const auto ert = text.find("ERT:");
  const std::string problem =
      "  shape: cnn-layer\n"
      "  instance: {C: 2, M: 4, R: 3, S: 3, P: 8, Q: 8, N: 1, Hstride: 2, Wdilation: 2}\n";
  const std::string loops =
      "mapping:\n- {target: RF, type: temporal, factors: R=3 S=3}\n"
      "- {target: DRAM, type: temporal, factors: C=2 M=4 P=8 Q=8}\n";
  const TimeloopCase sample = Good(text.substr(0, shape) + problem + loops + text.substr(ert));
  EXPECT_LT(mapping, ert);
  EXPECT_EQ(sample.workload.points(), 2 * 4 * 9 * 64);
  EXPECT_EQ(sample.workload.footprint(1), 2 * (1 + 2 * 2 + 7) * (1 + 2 + 2 * 7));
}

TEST(TimeloopReader, SplitBeyondTheDimsPutsAllOnX) {
  const std::string text =
      Changed("C=2 M=4 R=1 P=1 N=1, permutation: CMRPN, split: 1", "C=2, permutation: CMRPN",
              Changed("C=1 M=2 R=1 P=2 N=1", "M=8 P=2"));
  const mapping::Mapping mapping = Good(text).mapping;
  EXPECT_TRUE(mapping.levels[1].spatial_x == (mapping::LoopList{mapping::PerfectLoop(0, 2)}));
  EXPECT_TRUE(mapping.levels[1].spatial_y.empty());
}

TEST(TimeloopReader, ImperfectFactors) {
  // P = 13: 7 tiles of 2, the last one of 1.
  const std::string text = Changed(
      "P: 16", "P: 13",
      Changed("C=2 M=1 R=1 P=4", "C=2 M=1 R=1 P=7",
              Changed("C=1 M=2 R=1 P=2", "C=1 M=2 R=1 P=1", Changed("R=3 P=2", "R=3 P=2,1"))));
  const mapping::Mapping mapping = Good(text).mapping;
  EXPECT_TRUE(mapping.levels[2].temporal[0] == (mapping::Loop{3, 2, 1}));
}

TEST(TimeloopReader, NoReuseSwitchesTheFanOutOff) {
  const TimeloopCase sample =
      Good(Changed("split: 1}", "split: 1, no_reuse: [Weights, Inputs, Outputs]}"));
  EXPECT_FALSE(sample.chain.levels[1].fan_out.network.multicast);
  EXPECT_FALSE(sample.chain.levels[1].fan_out.network.reduction);
  EXPECT_TRUE(sample.chain.levels[0].fan_out.network.multicast);
}

TEST(TimeloopReader, ClusteredAccessesAreShared) {
  const TimeloopCase sample =
      Good(Changed("{entries: 64, word_bits: 16, meshX: 2}",
                   "{entries: 64, word_bits: 16, meshX: 2, cluster_size: 4}"));
  EXPECT_EQ(sample.chain.levels[2].memory.read_pj, 1.5 / 4);
  ASSERT_EQ(sample.warnings.size(), 1U);
  EXPECT_NE(sample.warnings[0].find("RF"), std::string::npos);
}

struct Mistake {
  std::string from;
  std::string to;
  ErrorCode code;
  std::string says;  ///< in the rendered diagnostic
};

std::ostream& operator<<(std::ostream& out, const Mistake& mistake) {
  return out << mistake.to;
}

class TimeloopMistakes : public ::testing::TestWithParam<Mistake> {};

TEST_P(TimeloopMistakes, IsReportedWhereItIs) {
  const Mistake& mistake = GetParam();
  const std::string text = Changed(mistake.from, mistake.to);
  const auto result = ReadText(text);
  ASSERT_FALSE(result) << mistake.to;
  const Diagnostic& error = result.error();
  EXPECT_EQ(error.code, mistake.code) << error.Render();
  EXPECT_NE(error.Render().find(mistake.says), std::string::npos) << error.Render();
  EXPECT_EQ(error.span.file, "case.yaml") << error.Render();
  EXPECT_GT(error.span.line, 0) << error.Render();
  EXPECT_GT(error.span.column, 0) << error.Render();
}

INSTANTIATE_TEST_SUITE_P(
    Problem, TimeloopMistakes,
    ::testing::Values(
        Mistake{"Wstride: 2}", "WStride: 2}", ErrorCode::kUnknownKey, "did you mean `Wstride`?"},
        Mistake{"N: 1, Wstride: 2}", "N: 1, HStride: 2}", ErrorCode::kUnknownKey,
                "did you mean `Hstride`?"},
        Mistake{"[R], [P, Wstride]", "[R], [P, WStride]", ErrorCode::kUnknownName,
                "unknown coefficient `WStride`"},
        Mistake{"[[[C]], [[M]], [[R]]]", "[[[C]], [[K]], [[R]]]", ErrorCode::kUnknownName,
                "unknown dimension `K`"},
        Mistake{"P: 16, N: 1", "P: 16", ErrorCode::kMissingKey, "no bound for dimension `N`"},
        Mistake{"P: 16", "P: 0", ErrorCode::kBadValue, "P"},
        Mistake{"P: 16", "P: 16.5", ErrorCode::kWrongType, ""},
        Mistake{"P: 16", "P: 99999999999999999999", ErrorCode::kBadValue, ""},
        Mistake{", read_write: true", "", ErrorCode::kBadValue, "0 data spaces are read_write"},
        Mistake{"[[[C]], [[M]], [[R]]]", "[[[C]], [[M]], [[R]]], read_write: true",
                ErrorCode::kBadValue, "2 data spaces are read_write"},
        Mistake{"read_write: true", "read_writ: true", ErrorCode::kUnknownKey,
                "did you mean `read_write`?"},
        Mistake{"name: Inputs, p", "name: Weights, p", ErrorCode::kDuplicateKey, "defined twice"},
        Mistake{"[C, M, R, P, N]", "[C, M, R, P, N, C]", ErrorCode::kDuplicateKey, "listed twice"},
        Mistake{"version: 0.3\n  shape", "version: 0.4\n  shape", ErrorCode::kVersion, "0.4"},
        Mistake{"default: 1}", "default: 0}", ErrorCode::kBadValue, ""},
        Mistake{"instance: {", "instance: {densities: 0.5, ", ErrorCode::kUnknownKey,
                "`densities`"}));

INSTANTIATE_TEST_SUITE_P(
    Architecture, TimeloopMistakes,
    ::testing::Values(
        Mistake{"entries: 4096", "entires: 4096", ErrorCode::kUnknownKey,
                "did you mean `entries`?"},
        Mistake{"entries: 4096", "entries: 0", ErrorCode::kBadValue, ""},
        Mistake{"entries: 4096", "technology: 45nm", ErrorCode::kMissingKey, "has no size"},
        Mistake{"entries: 4096", "entries: 4096\n          depth: 2048", ErrorCode::kDuplicateKey,
                "more than one size"},
        Mistake{"block_size: 4, width: 64", "block_size: 4, width: 63", ErrorCode::kBadValue,
                "width 63"},
        Mistake{"class: intmac", "class: noc", ErrorCode::kBadValue, "stores or computes"},
        Mistake{"class: intmac", "class: regfile, foo: 1", ErrorCode::kSyntax, ""},
        Mistake{"meshX: 2}\n        - name: MAC", "meshX: 3}\n        - name: MAC",
                ErrorCode::kArchInvalid, "8 instances"},
        Mistake{"datawidth: 16, meshX: 2", "datawidth: 16, meshX: 8", ErrorCode::kArchInvalid,
                "no multiple"},
        Mistake{"name: PE[0..7]", "name: PE[7..0]", ErrorCode::kBadValue, "PE[7..0]"},
        Mistake{"name: PE[0..7]", "name: PE[0..9999999999]", ErrorCode::kBadValue,
                "PE[0..9999999999]"},
        Mistake{"name: RF\n", "name: GLB\n", ErrorCode::kDuplicateKey, "GLB"},
        Mistake{"write_bandwidth: 4", "shared_bandwidth: 4", ErrorCode::kBadValue,
                "read_bandwidth and write_bandwidth"},
        Mistake{"read_bandwidth: 8", "read_bandwidth: -8", ErrorCode::kBadValue, ""},
        Mistake{"multiple_buffering: 2", "multiple_buffering: 0.5", ErrorCode::kBadValue, ""},
        Mistake{"word_bits: 16, block_size: 4", "word_bits: 16, word-bits: 16, block_size: 4",
                ErrorCode::kDuplicateKey, "given twice"},
        Mistake{"  subtree:\n  - name: system", "  nodes:\n  - name: system", ErrorCode::kVersion,
                "v0.4"}));

INSTANTIATE_TEST_SUITE_P(
    Mapping, TimeloopMistakes,
    ::testing::Values(
        Mistake{"type: spatial", "type: spacial", ErrorCode::kUnknownName,
                "did you mean `spatial`?"},
        Mistake{"target: RF", "target: Rf", ErrorCode::kUnknownName, "did you mean `RF`?"},
        Mistake{"target: RF", "target: 3", ErrorCode::kUnknownName, "unknown level `3`"},
        Mistake{"C=1 M=1 R=3", "C=1 K=1 R=3", ErrorCode::kUnknownName, "unknown dimension `K`"},
        Mistake{"C=1 M=1 R=3", "C=1 M= R=3", ErrorCode::kBadValue, ""},
        Mistake{"C=1 M=1 R=3", "C=1 C=1 R=3", ErrorCode::kDuplicateKey, "two factors"},
        Mistake{"C=1 M=1 R=3", "C=1 M=1 R=3,4", ErrorCode::kBadValue, "R=3,4"},
        Mistake{"C=1 M=1 R=3", "C=1 M=1 R=3,1,1", ErrorCode::kBadValue, ""},
        Mistake{"C=1 M=1 R=3", "C=1 M=1 R=99999999999", ErrorCode::kBadValue, ""},
        Mistake{"C=1 M=1 R=3", "C=1 M=1 R=1", ErrorCode::kMappingCoverage,
                "dimension `R` cover 1 points, its bound is 3"},
        Mistake{"C=1 M=1 R=3", "C=1 M=2 R=3", ErrorCode::kMappingCoverage, "dimension `M`"},
        Mistake{"RPCMN", "RPCMR", ErrorCode::kDuplicateKey, "twice in the permutation"},
        Mistake{"RPCMN", "RPCMX", ErrorCode::kUnknownName, "unknown dimension `X`"},
        Mistake{"bypass: [Weights]", "bypass: [Weight]", ErrorCode::kUnknownName,
                "did you mean `Weights`?"},
        Mistake{"bypass: [Weights]", "bypass: [Inputs]", ErrorCode::kBadValue, "both kept"},
        Mistake{"target: GLB, type: datatype", "target: DRAM, type: datatype",
                ErrorCode::kMappingInvalid, "outermost"},
        Mistake{"target: RF, type: temporal", "target: GLB, type: temporal",
                ErrorCode::kDuplicateKey, "two temporal"},
        Mistake{"target: RF, type: temporal", "target: RF, type: spatial",
                ErrorCode::kMappingFanOut, "no fan-out below `RF`"},
        Mistake{"split: 1}", "split: 2}", ErrorCode::kMappingFanOut, "`GLB`"},
        Mistake{"split: 1}", "split: 1, no_reuse: [Weights]}", ErrorCode::kBadValue,
                "all data spaces"},
        Mistake{"split: 1}", "split: 1, no_temporal_reuse: [Weights]}", ErrorCode::kUnknownKey,
                "no_temporal_reuse"},
        Mistake{"mapping:\n", "mapper: {}\nmapping:\n", ErrorCode::kUnknownKey, "`mapper`"}));

INSTANTIATE_TEST_SUITE_P(
    EnergyTable, TimeloopMistakes,
    ::testing::Values(
        Mistake{"name: system.DRAM", "name: system.DRM", ErrorCode::kUnknownName,
                "did you mean `DRAM`?"},
        Mistake{"name: system.DRAM", "name: system.GLB", ErrorCode::kDuplicateKey, "two energy"},
        Mistake{"{name: read, energy: 200}", "{name: read, energy: -1}", ErrorCode::kBadValue, ""},
        Mistake{"{name: read, energy: 200}", "{name: reed, energy: 1}", ErrorCode::kUnknownName,
                "did you mean `read`?"},
        Mistake{"{name: read, energy: 200}, ", "", ErrorCode::kMissingKey, "`read`"},
        Mistake{
            "  - name: system.chip.PE[0..7].MAC\n    actions: [{name: compute, energy: 0.75}]\n",
            "", ErrorCode::kMissingKey, "no energy table for `MAC`"}));

TEST(TimeloopReader, MissingSectionsAreNamed) {
  const std::string text = kCase;
  const auto result = ReadText(text.substr(0, text.find("ERT:")));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kMissingKey);
  EXPECT_NE(result.error().Render().find("`ERT`"), std::string::npos);
  EXPECT_FALSE(ReadText(""));
  EXPECT_FALSE(ReadTimeloop({}));
}

TEST(TimeloopReader, CapacityIsChecked) {
  const auto result = ReadText(Changed("{entries: 64,", "{entries: 4,"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kMappingCapacity) << result.error().Render();
}

TEST(TimeloopReader, SectionsMayBeSpreadOverFiles) {
  const std::string text = kCase;
  const std::size_t cuts[] = {0, text.find("problem:"), text.find("mapping:"), text.find("ERT:"),
                              text.size()};
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < 4; ++i) {
    paths.push_back(::testing::TempDir() + "/timeloop_reader_" + std::to_string(i) + ".yaml");
    ASSERT_TRUE(WriteFileAtomic(paths[i], text.substr(cuts[i], cuts[i + 1] - cuts[i])));
  }
  auto sample = LoadTimeloop({paths[3], paths[1], paths[0], paths[2]});
  ASSERT_TRUE(sample) << sample.error().Render();
  ExpectSame(Good(kCase), *sample);
  auto twice = LoadTimeloop({paths[0], paths[0]});
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().code, ErrorCode::kDuplicateKey);
  for (const std::string& path : paths) {
    std::remove(path.c_str());
  }
  auto missing = LoadTimeloop({paths[0]});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kFileUnreadable);
}

TEST(TimeloopReader, DamagedTextNeverCrashes) {
  const std::string text = kCase;
  int errors = 0;
  for (std::size_t length = 0; length < text.size(); length += 3) {
    errors += ReadText(text.substr(0, length)) ? 0 : 1;
    std::string cut = text;
    cut.erase(length, 2);
    errors += ReadText(cut) ? 0 : 1;
    std::string swapped = text;
    swapped[length] = "[]{}:,0-x#\"\n"[length % 12];
    errors += ReadText(swapped) ? 0 : 1;
  }
  EXPECT_GT(errors, 1000);
}

}  // namespace
}  // namespace sluice::io
