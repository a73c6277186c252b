// Files of constraints: strict reading, places, the shipped dataflows on ResNet-50, and what of
// Timeloop's constraints is read and refused.

#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "arch/architecture.h"
#include "cost/evaluator.h"
#include "io/onnx/onnx.h"
#include "io/timeloop/constraints.h"
#include "io/yaml/arch/arch.h"
#include "io/yaml/constraints.h"
#include "io/yaml/yaml.h"
#include "ir/network.h"
#include "mapper/mapper.h"
#include "mapping/constraints.h"
#include "mapping/workload.h"

namespace sluice::io {
namespace {

using mapping::ConstraintSpec;
using mapping::FactorRule;

Result<ConstraintSpec> Read(const std::string& text) {
  SLUICE_TRY(const YamlDocument document, YamlDocument::Parse(text, "c.yaml"));
  return IsTimeloopConstraints(document.root()) ? ReadTimeloopConstraints(document.root())
                                                : ReadConstraints(document.root());
}

/// Where and why a text is refused: `line:column code message`.
std::string Refusal(const std::string& text) {
  const auto spec = Read(text);
  if (spec) {
    return "read";
  }
  const Diagnostic& error = spec.error();
  return std::to_string(error.span.line) + ":" + std::to_string(error.span.column) + " " +
         error.CodeName() + " " + error.message;
}

std::string Level(const std::string& lines) {
  return "version: 1\nname: x\nlevels:\n  - memory: L2\n    " + lines + "\n";
}

TEST(ConstraintsYaml, ReadsEveryKey) {
  const auto spec = Read(
      "version: 1\nname: all\ndescription: keys\nwork: [mac, move]\nlevels:\n  - memory: L2\n"
      "    temporal: K=4 C<=8? P>=2 Q=all others=1\n    spatial_x: K=2\n    spatial_y: C=2\n"
      "    innermost: [S, R]\n    outermost: [N]\n    keep: [weight]\n    bypass: [output]\n");
  ASSERT_TRUE(spec.has_value()) << spec.error().Render();
  EXPECT_EQ(spec->name, "all");
  EXPECT_EQ(spec->work, (std::vector{ir::WorkClass::kMac, ir::WorkClass::kMove}));
  ASSERT_EQ(spec->levels.size(), 1U);
  const mapping::LevelRules& level = spec->levels[0];
  ASSERT_EQ(level.loops[0].factors.size(), 4U);
  EXPECT_EQ(level.loops[0].factors[0].rule, (FactorRule{FactorRule::Kind::kExactly, 4}));
  EXPECT_FALSE(level.loops[0].factors[0].optional);
  EXPECT_EQ(level.loops[0].factors[1].rule, (FactorRule{FactorRule::Kind::kAtMost, 8}));
  EXPECT_TRUE(level.loops[0].factors[1].optional);
  EXPECT_EQ(level.loops[0].factors[1].span.line, 7);
  EXPECT_EQ(level.loops[0].factors[1].span.column, 19);
  EXPECT_EQ(level.loops[0].factors[2].rule, (FactorRule{FactorRule::Kind::kAtLeast, 2}));
  EXPECT_EQ(level.loops[0].factors[3].rule.kind, FactorRule::Kind::kAll);
  ASSERT_EQ(level.loops[0].others.size(), 1U);
  EXPECT_EQ(level.loops[1].factors[0].dim, "K");
  EXPECT_EQ(level.loops[2].factors[0].dim, "C");
  EXPECT_EQ(level.loops[0].innermost[0].dim, "S");
  EXPECT_EQ(level.loops[0].outermost[0].dim, "N");
  ASSERT_EQ(level.keeps.size(), 2U);
  EXPECT_TRUE(level.keeps[0].must);
  EXPECT_EQ(level.keeps[1].tensor_class, arch::TensorClass::kOutput);
  const std::string written = WriteConstraintsYaml(*spec);
  const auto again = Read(written);
  ASSERT_TRUE(again.has_value()) << again.error().Render() << written;
  EXPECT_EQ(WriteConstraintsYaml(*again), written);
}

TEST(ConstraintsYaml, IsStrict) {
  EXPECT_EQ(Refusal("name: x\nlevels: []\n"), "1:1 E1204 the key `version` is missing");
  EXPECT_EQ(Refusal("version: 2\nname: x\nlevels: []\n"),
            "1:10 E1209 version 2 of the constraints format is unknown");
  EXPECT_EQ(Refusal(Level("temporl: K=4")).substr(0, 10), "5:5 E1202 ");
  EXPECT_EQ(Refusal(Level("temporal: K=4 C")), "5:19 E1201 `C` is not of the form DIM=FACTOR");
  EXPECT_EQ(Refusal(Level("temporal: K<4")), "5:15 E1201 `K<4` is not of the form DIM=FACTOR");
  EXPECT_EQ(Refusal(Level("temporal: K=0")), "5:15 E1206 `0` is no factor");
  EXPECT_EQ(Refusal(Level("temporal: K<=all")), "5:15 E1206 `all` is no factor");
  EXPECT_EQ(Refusal(Level("temporal: K=2147483648")), "5:15 E1206 `2147483648` is no factor");
  EXPECT_EQ(Refusal(Level("temporal: K=4 K=2")), "5:19 E1203 a second rule of this kind for K");
  EXPECT_EQ(Refusal(Level("innermost: [K, K]")), "5:20 E1203 dim K is listed twice");
  EXPECT_EQ(Refusal(Level("keep: [weights]")), "5:12 E1102 there is no class of tensors `weights`");
  EXPECT_EQ(Refusal(Level("keep: [weight]\n    bypass: [weight]")),
            "6:14 E1203 a second rule for the weight tensor");
  EXPECT_EQ(Refusal(Level("keep: []\n  - memory: L2")), "6:5 E1203 a second entry for memory L2");
  EXPECT_EQ(Refusal("version: 1\nname: x\nwork: [macs]\nlevels: []\n"),
            "3:8 E1102 there is no class of work `macs`");
}

/// All distinct convolutions and products of ResNet-50 as shipped, with the chain they run on.
std::vector<std::pair<mapping::Workload, arch::Chain>> ResNet50(const arch::Architecture& machine) {
  OnnxOptions options;
  const auto imported = LoadOnnx(SLUICE_SOURCE_DIR "/models/resnet50.onnx", options).value();
  std::vector<std::pair<mapping::Workload, arch::Chain>> layers;
  std::set<std::string> seen;
  for (const ir::Operator& op : imported.operators) {
    const bool mac =
        !op.is_view() && !op.body.empty() && op.body.front().work_class == ir::WorkClass::kMac;
    if (mac) {
      auto workload = mapping::MakeWorkload(op, imported).value();
      if (seen.insert(mapping::WorkloadKey(workload)).second) {
        layers.emplace_back(std::move(workload), arch::ChainFor(machine, op.body).value());
      }
    }
  }
  return layers;
}

class ShippedConstraints : public ::testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(ShippedConstraints, EveryLayerOfResNet50HasAMappingThatObeys) {
  const auto& [file, machine_name] = GetParam();
  const auto spec =
      LoadConstraints(std::string(SLUICE_SOURCE_DIR "/constraints/") + file + ".yaml");
  ASSERT_TRUE(spec.has_value()) << spec.error().Render();
  EXPECT_EQ(spec->name, file);
  const auto machine =
      LoadArchitecture(std::string(SLUICE_SOURCE_DIR "/archs/") + machine_name + ".yaml").value();
  const auto layers = ResNet50(machine);
  EXPECT_GT(layers.size(), 15U);
  for (const auto& [workload, chain] : layers) {
    const auto bound = BindConstraints(*spec, workload, chain, false);
    ASSERT_TRUE(bound.has_value()) << WorkloadKey(workload) << "\n" << bound.error().Render();
    const auto evaluator = cost::Evaluator::Create(workload, chain, cost::PhysicalPolicy()).value();
    mapper::Problem problem;
    problem.evaluator = &evaluator;
    mapper::Budget budget;
    budget.evaluations = 3000;
    const auto annealing = mapper::FindMapper("annealing").value();
    problem.constraints = &*bound;
    const mapper::Result result = annealing->Solve(problem, budget);
    ASSERT_TRUE(result.best.has_value())
        << WorkloadKey(workload) << "\n"
        << (result.reasons.empty() ? "" : result.reasons.front().message);
    EXPECT_TRUE(CheckConstraints(*bound, workload, chain, *result.best).empty());
    EXPECT_TRUE(evaluator.IsValid(*result.best));
  }
}

INSTANTIATE_TEST_SUITE_P(Dataflows, ShippedConstraints,
                         ::testing::Values(std::pair{"nvdla-weight-stationary", "nvdla-like"},
                                           std::pair{"shidiannao-output-stationary", "three-level"},
                                           std::pair{"eyeriss-row-stationary", "eyeriss"}),
                         [](const auto& test) {
                           std::string name = test.param.first;
                           std::erase_if(name, [](char c) { return c == '-'; });
                           return name;
                         });

// A file that is not in the list above is not tried on anything.
TEST(ConstraintsYaml, EveryShippedFileIsTried) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(SLUICE_SOURCE_DIR "/constraints")) {
    names.insert(entry.path().stem().string());
  }
  EXPECT_EQ(names, (std::set<std::string>{"nvdla-weight-stationary", "shidiannao-output-stationary",
                                          "eyeriss-row-stationary"}));
}

// Timeloop.

std::string Target(const std::string& keys) {
  return "mapspace_constraints:\n  targets:\n    - {target: GLB, " + keys + "}\n";
}

/// The rules of the only level, as Sluice writes them.
std::string Read1(const std::string& keys) {
  const auto spec = Read(Target(keys));
  if (!spec) {
    return spec.error().Render();
  }
  const std::string text = WriteConstraintsYaml(*spec);
  const std::string head = "  - memory: \"GLB\"\n";
  return text.substr(text.find(head) + head.size());
}

TEST(TimeloopConstraints, ReadsFactorsOrdersAndKeeps) {
  EXPECT_EQ(Read1("type: temporal, factors: 'K=4 C<=8, P>=2 R0 S=0'"),
            "    temporal: K=4 C<=8 P>=2 R=all S=all\n");
  EXPECT_EQ(Read1("type: temporal, factors: [K=4, C=2]"), "    temporal: K=4 C=2\n");
  EXPECT_EQ(Read1("type: temporal, permutation: SRC"), "    innermost: [\"S\", \"R\", \"C\"]\n");
  EXPECT_EQ(Read1("type: temporal, permutation: [S, R]"), "    innermost: [\"S\", \"R\"]\n");
  EXPECT_EQ(Read1("type: temporal, permutation: S*CN"),
            "    innermost: [\"S\"]\n    outermost: [\"N\", \"C\"]\n");
  EXPECT_EQ(Read1("type: bypass, keep: [Weights], bypass: [Inputs, Outputs]"),
            "    keep: [weight]\n    bypass: [input, output]\n");
  EXPECT_EQ(Read1("type: datatype, keep: [Weight]"), "    keep: [weight]\n");
}

TEST(TimeloopConstraints, SpatialFactorsLieWhereTheSplitSays) {
  EXPECT_EQ(Read1("type: spatial, factors: 'K=4 C<=2 N=1', permutation: KNC, split: 2"),
            "    spatial_x: K=4 C<=1 N=1 others<=1\n    spatial_y: K<=1 C<=2 N=1\n");
  EXPECT_EQ(Read1("type: spatial, factors: 'K=4', split: 7"),
            "    spatial_x: K=4\n    spatial_y: K<=1 others<=1\n");
  EXPECT_EQ(Read1("type: spatial, factors: 'K=4', split: 0"),
            "    spatial_x: K<=1 others<=1\n    spatial_y: K=4\n");
  EXPECT_EQ(Read1("type: spatial, factors: 'R=1 S=1'"),
            "    spatial_x: R=1 S=1\n    spatial_y: R=1 S=1\n");
}

TEST(TimeloopConstraints, RefusesWhatItCannotSay) {
  const auto refusal = [](const std::string& keys) { return Refusal(Target(keys)).substr(5); };
  EXPECT_EQ(refusal("type: spatial, factors: 'K=4'"),
            "E1507 the factor of K does not say on which axis it is")
      << Refusal(Target("type: spatial, factors: 'K=4'"));
  EXPECT_NE(Refusal(Target("type: utilization, min: 0.5")).find("E1507 limits on utilization"),
            std::string::npos);
  EXPECT_NE(Refusal(Target("type: spatial, no_reuse: [Inputs]")).find("E1507 `no_reuse` is no"),
            std::string::npos);
  EXPECT_NE(Refusal(Target("type: temporal, factors: 'K='")).find("E1206 cannot read the factors"),
            std::string::npos);
  EXPECT_NE(Refusal(Target("type: temporal, factors: 'K=1 K=2'")).find("E1203"), std::string::npos);
  EXPECT_NE(Refusal(Target("type: temporal, permutation: SS")).find("E1203"), std::string::npos);
  EXPECT_NE(Refusal(Target("type: temporal, factor: 'K=1'")).find("E1202"), std::string::npos);
  EXPECT_NE(Refusal(Target("type: bypass, keep: [Wights]")).find("E1102"), std::string::npos);
  EXPECT_NE(Refusal("mapspace_constraints:\n  - {target: 2, type: temporal}\n").find("E1507"),
            std::string::npos);
  EXPECT_NE(Refusal("mapspace_constraints: []\nmapper: {}\n").find("E1202"), std::string::npos);
  EXPECT_EQ(Refusal("architecture_constraints: {targets: []}\n"), "read");
}

// As in Timeloop's examples for Eyeriss: the rules hold for what a mapper then finds.
TEST(TimeloopConstraints, ARowStationaryFileIsObeyed) {
  const auto spec = Read(
      "architecture_constraints:\n  targets:\n"
      "    - {target: GLB, type: spatial, factors: N=1 P=1 R=1 S=1, permutation: QKNPRSC, "
      "split: 6}\n"
      "    - {target: psum_spad, type: temporal, factors: N=1 C=1 R=1 S=1 P=1 Q=1, permutation: "
      "KNCPQRS}\n"
      "    - {target: psum_spad, type: bypass, keep: [Outputs], bypass: [Inputs, Weights]}\n"
      "mapspace_constraints:\n  targets:\n"
      "    - {target: GLB, type: bypass, bypass: [Weights]}\n"
      "    - {target: DRAM, type: temporal, factors: R=1 S=1 Q=1}\n");
  ASSERT_TRUE(spec.has_value()) << spec.error().Render();
  const auto machine = LoadArchitecture(SLUICE_SOURCE_DIR "/archs/eyeriss.yaml").value();
  const ir::Network network =
      ir::ParseOperatorDescriptor("conv K=64 C=64 P=56 Q=56 R=3 S=3").value();
  const auto workload = mapping::MakeWorkload(network.operators[0], network).value();
  const auto chain = arch::ChainFor(machine, network.operators[0].body).value();
  const auto bound = BindConstraints(*spec, workload, chain, false);
  ASSERT_TRUE(bound.has_value()) << bound.error().Render();
  const auto evaluator = cost::Evaluator::Create(workload, chain, cost::TimeloopPolicy()).value();
  mapper::Problem problem;
  problem.evaluator = &evaluator;
  problem.constraints = &*bound;
  mapper::Budget budget;
  budget.evaluations = 2000;
  const auto result = mapper::FindMapper("annealing").value()->Solve(problem, budget);
  ASSERT_TRUE(result.best.has_value());
  EXPECT_TRUE(CheckConstraints(*bound, workload, chain, *result.best).empty());
}

}  // namespace
}  // namespace sluice::io
