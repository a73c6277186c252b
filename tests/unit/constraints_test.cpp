// Constraints: what each rule means, what contradicts what and where it is reported.

#include "mapping/constraints.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "arch/architecture.h"
#include "io/yaml/arch/arch.h"
#include "io/yaml/constraints.h"
#include "io/yaml/yaml.h"
#include "ir/network.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"

namespace sluice::mapping {
namespace {

struct Subject {
  Workload workload;
  arch::Chain chain;
};

/// An operator on a shipped machine.
Subject Make(const std::string& descriptor, const std::string& machine) {
  const auto architecture =
      io::LoadArchitecture(SLUICE_SOURCE_DIR "/archs/" + machine + ".yaml").value();
  const ir::Network network = ir::ParseOperatorDescriptor(descriptor).value();
  const ir::Operator& op = network.operators.at(0);
  return {MakeWorkload(op, network).value(), arch::ChainFor(architecture, op.body).value()};
}

/// Levels of a spec, below the header.
ConstraintSpec Spec(const std::string& levels, const std::string& head = "") {
  const auto document =
      io::YamlDocument::Parse("version: 1\nname: test\n" + head + "levels:\n" + levels, "c.yaml");
  const auto spec = io::ReadConstraints(document.value().root());
  EXPECT_TRUE(spec.has_value()) << spec.error().Render();
  return spec.value_or(ConstraintSpec{});
}

/// The first contradiction of a spec, as code and message.
std::string Contradiction(const std::string& levels, const std::string& descriptor,
                          const std::string& machine, bool imperfect = false) {
  const Subject s = Make(descriptor, machine);
  const auto bound = BindConstraints(Spec(levels), s.workload, s.chain, imperfect);
  return bound ? "" : bound.error().CodeName() + " " + bound.error().message;
}

constexpr char kGemm[] = "gemm M=16 N=8 K=12";

Mapping GemmMapping(const Subject& s) {
  // M=16 N=8 K=12: L2 [K=3 M=4], X: M=4, Y: N=4; L1 [K=4 N=2]
  Mapping m = TrivialMapping(s.workload, s.chain);
  m.levels[0].temporal.clear();
  m.levels[1].temporal = {PerfectLoop(2, 3), PerfectLoop(0, 4)};
  m.levels[1].spatial_x = {PerfectLoop(0, 4)};
  m.levels[1].spatial_y = {PerfectLoop(1, 4)};
  m.levels[2].temporal = {PerfectLoop(2, 4), PerfectLoop(1, 2)};
  return m;
}

/// Whether that mapping satisfies a spec; both checks.
bool Holds(const std::string& levels) {
  const Subject s = Make(kGemm, "three-level");
  const Mapping mapping = GemmMapping(s);
  EXPECT_TRUE(CheckMapping(s.workload, s.chain, mapping).empty());
  const auto bound = BindConstraints(Spec(levels), s.workload, s.chain, false);
  EXPECT_TRUE(bound.has_value()) << bound.error().Render();
  const bool quick = Satisfies(*bound, s.workload, mapping);
  EXPECT_EQ(quick, CheckConstraints(*bound, s.workload, s.chain, mapping).empty());
  return quick;
}

TEST(Constraints, FactorRules) {
  EXPECT_TRUE(Holds("  - {memory: L2, temporal: K=3 M=4 N=1}\n"));
  EXPECT_FALSE(Holds("  - {memory: L2, temporal: K=6}\n"));
  EXPECT_TRUE(Holds("  - {memory: L2, temporal: K<=3 M<=8}\n"));
  EXPECT_FALSE(Holds("  - {memory: L2, temporal: M<=3}\n"));
  EXPECT_TRUE(Holds("  - {memory: L2, spatial_x: M>=4}\n"));
  EXPECT_FALSE(Holds("  - {memory: L2, spatial_x: M>=5}\n"));
  EXPECT_TRUE(Holds("  - {memory: L2, temporal: K>=1 M>=1 others=1}\n"));
  EXPECT_FALSE(Holds("  - {memory: L2, temporal: K>=1 others=1}\n"));
  EXPECT_TRUE(Holds("  - {memory: DRAM, temporal: others=1}\n"));
  EXPECT_FALSE(Holds("  - {memory: L1, temporal: K=all}\n"));
}

TEST(Constraints, Orders) {
  EXPECT_TRUE(Holds("  - {memory: L2, innermost: [M]}\n"));
  EXPECT_TRUE(Holds("  - {memory: L2, innermost: [M, K]}\n"));
  EXPECT_FALSE(Holds("  - {memory: L2, innermost: [K]}\n"));
  EXPECT_TRUE(Holds("  - {memory: L2, innermost: [N, M]}\n")) << "no loop over N: skipped";
  EXPECT_TRUE(Holds("  - {memory: L2, outermost: [K]}\n"));
  EXPECT_FALSE(Holds("  - {memory: L2, outermost: [M]}\n"));
  EXPECT_TRUE(Holds("  - {memory: L2, outermost: [K], innermost: [M]}\n"));
}

TEST(Constraints, Keeps) {
  const Subject s = Make(kGemm, "eyeriss");
  const Mapping m = TrivialMapping(s.workload, s.chain);
  const auto holds = [&](const std::string& levels) {
    const auto bound = BindConstraints(Spec(levels), s.workload, s.chain, false);
    EXPECT_TRUE(bound.has_value()) << bound.error().Render();
    const bool quick = Satisfies(*bound, s.workload, m);
    EXPECT_EQ(quick, CheckConstraints(*bound, s.workload, s.chain, m).empty());
    return quick;
  };
  EXPECT_TRUE(holds("  - {memory: GLB, bypass: [input, output]}\n"));
  EXPECT_FALSE(holds("  - {memory: GLB, keep: [output]}\n"));
  EXPECT_TRUE(holds("  - {memory: psum_spad, keep: [output]}\n"));
}

TEST(Constraints, ReasonsNameLevelDimAndWhatWasWanted) {
  const Subject s = Make(kGemm, "three-level");
  const auto bound =
      BindConstraints(Spec("  - {memory: L2, temporal: M<=2, innermost: [K], spatial_y: N=1}\n"),
                      s.workload, s.chain, false);
  ASSERT_TRUE(bound.has_value());
  const auto reasons = CheckConstraints(*bound, s.workload, s.chain, GemmMapping(s));
  ASSERT_EQ(reasons.size(), 3U);
  EXPECT_EQ(reasons[0].code, ErrorCode::kConstraints);
  EXPECT_EQ(reasons[0].level, 1);
  EXPECT_EQ(reasons[0].dim, 0);
  EXPECT_EQ(reasons[0].message, "level L2: the temporal factor of M is 4, wanted at most 2");
  EXPECT_EQ(reasons[1].message, "level L2: the spatial_y factor of N is 4, wanted exactly 1");
  EXPECT_EQ(reasons[1].axis, 1);
  EXPECT_EQ(reasons[2].message,
            "level L2: the innermost loops must be over K (innermost first); the one over K is "
            "elsewhere");
}

TEST(Constraints, ContradictionsWithTheOperator) {
  EXPECT_EQ(Contradiction("  - {memory: L2, temporal: K=5}\n", kGemm, "three-level"),
            "E1507 temporal K at L2 has to be 5, but K of operator `gemm` has 12 points");
  EXPECT_EQ(Contradiction("  - {memory: L2, temporal: K=5}\n", kGemm, "three-level", true), "");
  EXPECT_EQ(Contradiction("  - {memory: L2, temporal: K=24}\n", kGemm, "three-level", true),
            "E1507 temporal K at L2 has to be 24, but K of operator `gemm` has 12 points");
  EXPECT_EQ(Contradiction("  - {memory: L2, temporal: C=4}\n", kGemm, "three-level"),
            "E1507 temporal C at L2 has to be 4, but operator `gemm` has no dim C of more than one "
            "point");
  EXPECT_EQ(Contradiction("  - {memory: L2, temporal: C=1 R<=4 S=all}\n", kGemm, "three-level"),
            "");
  EXPECT_EQ(Contradiction("  - memory: L2\n    temporal: C=4? K=5?\n", kGemm, "three-level"), "");
  EXPECT_EQ(Contradiction("  - {memory: DRAM, temporal: K=3}\n"
                          "  - {memory: L2, temporal: K=2}\n"
                          "  - {memory: L1, temporal: K=1}\n",
                          kGemm, "three-level"),
            "")
      << "2 are left for the fan-out";
  EXPECT_EQ(Contradiction("  - {memory: DRAM, temporal: K=3}\n"
                          "  - {memory: L2, temporal: K=2, spatial_x: K=1, spatial_y: K=1}\n"
                          "  - {memory: L1, temporal: K=1}\n",
                          kGemm, "three-level"),
            "E1507 the factors of dim K of operator `gemm` multiply to at most 6 of 12: DRAM "
            "temporal = 3, L2 temporal = 2, L2 spatial_x = 1, L2 spatial_y = 1, L1 temporal = 1");
  EXPECT_EQ(Contradiction("  - {memory: L2, temporal: K>=4 K<=3}\n", kGemm, "three-level"),
            "E1507 temporal K at L2 has to be at least 4 and at most 3");
}

TEST(Constraints, ContradictionsWithTheMachine) {
  EXPECT_EQ(Contradiction("  - {memory: L3, temporal: K=1}\n", kGemm, "three-level"),
            "E1102 there is no memory `L3`");
  EXPECT_EQ(Contradiction("  - {memory: L2, spatial_x: M=16 N=2}\n", kGemm, "three-level"),
            "E1507 spatial_x below L2 needs 32 instances (M=16 x N=2), there are 16");
  EXPECT_EQ(Contradiction("  - {memory: L1, spatial_x: M=2}\n", kGemm, "three-level"),
            "E1507 spatial_x below L1 needs 2 instances (M=2), there are 1");
  EXPECT_EQ(Contradiction("  - {memory: L2, bypass: [output]}\n", kGemm, "three-level"),
            "E1507 L2 has to bypass the output tensor, but the machine makes it keep it");
  EXPECT_EQ(Contradiction("  - {memory: GLB, keep: [weight]}\n", kGemm, "eyeriss"),
            "E1507 GLB has to keep the weight tensor, but the machine lets it hold no weight");
  EXPECT_EQ(Contradiction("  - {memory: DRAM, bypass: [input]}\n", kGemm, "eyeriss"),
            "E1507 DRAM has to bypass the input tensor, but the outermost memory keeps everything");
  EXPECT_EQ(
      Contradiction("  - {memory: L2, innermost: [K], outermost: [K]}\n", kGemm, "three-level"),
      "E1507 dim K has two places in the order of L2");
}

TEST(Constraints, DimsThatMayNotBeUnrolled) {
  Subject s = Make(kGemm, "three-level");
  s.chain.levels[1].fan_out.dims_x = {"M"};
  const auto named =
      BindConstraints(Spec("  - {memory: L2, spatial_x: N=2}\n"), s.workload, s.chain, false);
  ASSERT_FALSE(named.has_value());
  EXPECT_NE(named.error().message.find("dim N may not be unrolled there"), std::string::npos);
  s.workload.whole = 1U;  // M
  const auto whole =
      BindConstraints(Spec("  - {memory: L2, spatial_x: M=2}\n"), s.workload, s.chain, false);
  ASSERT_FALSE(whole.has_value());
  EXPECT_EQ(whole.error().hint, "dim M must stay whole");
}

TEST(Constraints, AllContradictionsAreReportedWithPlaces) {
  const Subject s = Make(kGemm, "three-level");
  const auto bound = BindConstraints(
      Spec("  - memory: L2\n    temporal: K=5 M=3\n  - memory: L4\n"), s.workload, s.chain, false);
  ASSERT_FALSE(bound.has_value());
  EXPECT_EQ(bound.error().span.line, 5);
  EXPECT_EQ(bound.error().span.column, 15);
  ASSERT_EQ(bound.error().notes.size(), 2U);
  EXPECT_EQ(bound.error().notes[0],
            "line 5: temporal M at L2 has to be 3, but M of operator `gemm` has 16 points");
  EXPECT_EQ(bound.error().notes[1], "line 6: there is no memory `L4`");
}

TEST(Constraints, WorkAndOtherChains) {
  const Subject s = Make(kGemm, "three-level");
  const ConstraintSpec vector_only =
      Spec("  - {memory: nowhere, temporal: K=5}\n", "work: [vector]\n");
  EXPECT_TRUE(BindConstraints(vector_only, s.workload, s.chain, false).has_value());
  const ConstraintSpec elsewhere = Spec("  - {memory: other, temporal: K=5}\n");
  EXPECT_TRUE(BindConstraints(elsewhere, s.workload, s.chain, false, {"other"}).has_value());
  EXPECT_FALSE(BindConstraints(elsewhere, s.workload, s.chain, false).has_value());
}

TEST(Constraints, SplitDimsAreNamedByTheirParts) {
  Subject s = Make(kGemm, "three-level");
  s.workload.dim_names[0] = "M_hi";
  const auto bound =
      BindConstraints(Spec("  - {memory: L2, temporal: M<=2}\n"), s.workload, s.chain, false);
  ASSERT_FALSE(bound.has_value());
  EXPECT_NE(bound.error().message.find("in two parts, M_hi and M_lo"), std::string::npos);
}

}  // namespace
}  // namespace sluice::mapping
