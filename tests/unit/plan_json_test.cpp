// The plan format: round trip, stable bytes, and a reader that trusts nothing.

#include "io/plan_json.h"

#include <ostream>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "arch/architecture.h"
#include "io/yaml/arch/arch.h"
#include "io/yaml/mapping.h"
#include "mapper/mapper.h"
#include "planner/layerwise.h"
#include "testing/networks.h"

namespace sluice::io {
namespace {

arch::Architecture Machine() {
  return LoadArchitecture(SLUICE_SOURCE_DIR "/archs/three-level.yaml").value();
}

planner::Plan SamplePlan(bool imperfect = false) {
  planner::PlanOptions options;
  options.evaluations = imperfect ? 10 : 200;
  options.imperfect = imperfect;
  options.mapper = mapper::FindMapper("annealing").value();
  const ir::Network network = testing::MakeNetwork(
      "sample \"net\"\n", {"conv K=16 C=8 P=13 Q=13 R=3 S=3 stride=2", "relu", "view"});
  planner::Plan plan = planner::PlanLayerwise(network, Machine(), options).value();
  plan.provenance.tool_version = "0.1.0";
  plan.provenance.command = "sluice plan \\ \"x\"";
  plan.provenance.model_path = "models/\xC3\xA9.onnx";
  plan.provenance.model_hash = "00ff";
  plan.provenance.architecture_path = "archs/three-level.yaml";
  plan.provenance.architecture_hash = "abcd";
  plan.provenance.batch = 4;
  plan.provenance.dims = {{"seq", 128}, {"true", 1}};
  plan.seconds = 0.125;
  return plan;
}

const std::string& SampleText() {
  static const std::string text = PlanToJson(SamplePlan());
  return text;
}

/// The sample with the first `from` after `anchor` replaced. The test fails if there is none.
std::string Edited(const std::string& anchor, const std::string& from, const std::string& to) {
  std::string text = SampleText();
  const std::size_t start = text.find(anchor);
  const std::size_t at = start == std::string::npos ? start : text.find(from, start);
  EXPECT_NE(at, std::string::npos) << anchor << " / " << from;
  if (at != std::string::npos) {
    text.replace(at, from.size(), to);
  }
  return text;
}

Diagnostic ErrorOf(const std::string& text) {
  const auto plan = PlanFromJson(text, "plan.json");
  EXPECT_FALSE(plan.has_value()) << text.substr(0, 200);
  return plan ? Diagnostic{} : plan.error();
}

void ExpectError(const std::string& text) {
  EXPECT_FALSE(ErrorOf(text).message.empty());
}

TEST(PlanJson, RoundTripsToTheSameBytesAndFigures) {
  for (const bool imperfect : {false, true}) {
    const planner::Plan plan = SamplePlan(imperfect);
    const std::string text = PlanToJson(plan);
    const auto again = PlanFromJson(text, "plan.json");
    ASSERT_TRUE(again.has_value()) << again.error().Render();
    EXPECT_EQ(PlanToJson(*again), text);
    EXPECT_EQ(planner::FirstDifference(plan, *again), std::nullopt);
    EXPECT_EQ(again->provenance.dims, plan.provenance.dims);
    EXPECT_EQ(again->provenance.command, plan.provenance.command);
    EXPECT_EQ(again->network_name, plan.network_name);
    EXPECT_EQ(again->seconds, 0.125);
    EXPECT_EQ(again->operators[2].solution, -1);
    for (std::size_t i = 0; i < plan.solutions.size(); ++i) {
      EXPECT_EQ(again->solutions[i].mapping, plan.solutions[i].mapping);
      EXPECT_EQ(mapping::WorkloadKey(again->solutions[i].workload),
                mapping::WorkloadKey(plan.solutions[i].workload));
    }
  }
}

TEST(PlanJson, NamesItsConstraintsWhenThereAreAny) {
  planner::Plan plan = SamplePlan();
  EXPECT_EQ(PlanToJson(plan).find("constraints"), std::string::npos);
  plan.provenance.constraints_path = "rows.yaml";
  plan.provenance.constraints_hash = "0123";
  const std::string text = PlanToJson(plan);
  const auto again = PlanFromJson(text, "plan.json");
  ASSERT_TRUE(again.has_value()) << again.error().Render();
  EXPECT_EQ(again->provenance.constraints_path, "rows.yaml");
  EXPECT_EQ(again->provenance.constraints_hash, "0123");
  EXPECT_EQ(PlanToJson(*again), text);
  std::string half = text;
  const std::size_t hash = half.find(R"("constraints_hash")");
  half.erase(hash, half.find(R"("batch")") - hash);
  EXPECT_EQ(ErrorOf(half).code, ErrorCode::kMissingKey);
  std::string empty = text;
  empty.replace(empty.find("rows.yaml"), 9, "");
  EXPECT_EQ(ErrorOf(empty).code, ErrorCode::kBadValue);
}

// The architecture alone is enough to score a plan that was read.
TEST(PlanJson, AReadPlanReevaluatesToTheLastDigit) {
  const auto plan = PlanFromJson(SampleText(), "plan.json");
  ASSERT_TRUE(plan.has_value()) << plan.error().Render();
  const auto again = planner::Reevaluate(*plan, nullptr, Machine());
  ASSERT_TRUE(again.has_value()) << again.error().Render();
  EXPECT_EQ(planner::FirstDifference(*plan, *again), std::nullopt);
  EXPECT_EQ(PlanToJson(*again), SampleText());
}

TEST(PlanJson, OnlyTheRunObjectDependsOnTheRun) {
  planner::Plan plan = SamplePlan();
  plan.seconds = 7;
  plan.provenance.command = "other";
  const std::string text = PlanToJson(plan);
  const std::size_t run = text.find("\"run\"");
  EXPECT_EQ(text.substr(0, run), SampleText().substr(0, run));
  EXPECT_NE(text, SampleText());
}

TEST(PlanJson, HasTheDocumentedKeys) {
  for (const char* key : {"energy_pj", "cycles", "edp", "macs", "utilization", "evaluations",
                          "seed", "seconds", "complete", "bound", "solutions", "operators"}) {
    EXPECT_NE(SampleText().find("\"" + std::string(key) + "\": "), std::string::npos) << key;
  }
  EXPECT_EQ(SampleText().back(), '\n');
}

// The mapping inside a plan is the mapping format, so it can be cut out and evaluated on its own.
TEST(PlanJson, MappingsAreReadableByTheMappingReader) {
  const planner::Plan plan = SamplePlan(true);
  const auto document = YamlDocument::Parse(PlanToJson(plan), "plan.json");
  ASSERT_TRUE(document.has_value());
  const auto solutions = document->root().At("solutions")->Elements().value();
  const auto chains = arch::Chains(Machine());
  for (std::size_t i = 0; i < solutions.size(); ++i) {
    const planner::Solution& solution = plan.solutions[i];
    const auto mapping = ReadMapping(solutions[i].At("mapping").value(), solution.workload,
                                     chains[static_cast<std::size_t>(solution.chain)]);
    ASSERT_TRUE(mapping.has_value()) << mapping.error().Render();
    EXPECT_EQ(*mapping, solution.mapping);
  }
}

/// gtest prints parameters; a name is enough.
struct BadEdit {
  const char* what;
  const char* anchor;
  const char* from;
  const char* to;
  ErrorCode code;
  const char* path;
};

std::ostream& operator<<(std::ostream& out, const BadEdit& edit) {
  return out << edit.what;
}

class BadPlans : public ::testing::TestWithParam<BadEdit> {};

TEST_P(BadPlans, AreErrorsAtTheirPlace) {
  const BadEdit& edit = GetParam();
  const Diagnostic error = ErrorOf(Edited(edit.anchor, edit.from, edit.to));
  EXPECT_EQ(error.code, edit.code) << error.Render();
  EXPECT_EQ(error.path, edit.path) << error.Render();
  EXPECT_EQ(error.span.file, "plan.json");
  EXPECT_GT(error.span.line, 0);
}

INSTANTIATE_TEST_SUITE_P(
    Edits, BadPlans,
    ::testing::Values(
        BadEdit{"version", "\"version\"", "1", "2", ErrorCode::kVersion, "version"},
        BadEdit{"not_a_plan", "sluice-plan", "plan", "other", ErrorCode::kVersion, ""},
        BadEdit{"unknown_key", "\"network\"", "\"network\"", "\"networks\"", ErrorCode::kUnknownKey,
                ""},
        BadEdit{"duplicate", "\"mapper\"", "\"mapper\"", "\"network\"", ErrorCode::kDuplicateKey,
                ""},
        BadEdit{"missing", "\"complete\"", "\"complete\": true,", "", ErrorCode::kMissingKey, ""},
        BadEdit{"text_for_number", "\"macs\"", ": ", ": \"7\", \"x\": ", ErrorCode::kUnknownKey,
                ""},
        BadEdit{"quoted_number", "\"seed\"", ": 1", ": \"1\"", ErrorCode::kWrongType, "seed"},
        BadEdit{"bare_text", "\"network\"", "\"sample \\\"net\\\"\\n\"", "sample",
                ErrorCode::kWrongType, "network"},
        BadEdit{"negative", "\"utilization\"", ": ", ": -", ErrorCode::kBadValue, "utilization"},
        BadEdit{"number_for_bool", "\"imperfect\"", "false", "0", ErrorCode::kWrongType,
                "imperfect"},
        BadEdit{"edp", "\"edp\": ", ": ", ": 1", ErrorCode::kBadValue, "edp"},
        BadEdit{"solution_index", "\"solution\"", "0", "99", ErrorCode::kBadValue,
                "operators[0].solution"},
        BadEdit{"chain_index", "\"chain\"", "0", "99", ErrorCode::kBadValue, "solutions[0].chain"},
        BadEdit{"unknown_dim", "\"coefficient\": 1", "\"dim\": \"", "\"dim\": \"zz",
                ErrorCode::kBadValue, "solutions[0].workload.tensors[0].axes[2][0].dim"},
        BadEdit{"huge_bound", "\"bound\": 16", "16", "999999999999", ErrorCode::kBadValue,
                "solutions[0].workload.dims[0].bound"},
        BadEdit{"zero_factor", "\"factor\"", ": ", ": -", ErrorCode::kBadValue,
                "solutions[0].mapping.levels[0].temporal[0].factor"},
        BadEdit{"tensor_class", "\"class\"", "\"input\"", "\"imput\"", ErrorCode::kBadValue,
                "solutions[0].workload.tensors[0].class"},
        BadEdit{"resource", "\"resource\"", ": \"", ": \"x", ErrorCode::kBadValue,
                "solutions[0].cost.binding.resource"},
        BadEdit{"memory_name", "\"memory\"", "DRAM", "DRUM", ErrorCode::kBadValue,
                "solutions[0].mapping.levels[0]"}),
    [](const auto& p) { return std::string(p.param.what); });

TEST(PlanJson, SizesThatOverflowAreRefused) {
  std::string text = SampleText();
  // five dims of 2^31 - 1 points: the product has 155 bits
  for (int i = 0; i < 5; ++i) {
    const std::size_t at =
        text.find("\"bound\": 1", text.find("\"dims\": [", text.find("workload")));
    ASSERT_NE(at, std::string::npos);
    const std::size_t end = text.find(',', at);
    text.replace(at, end - at, "\"bound\": 2147483647");
    if (text.find("\"bound\": 1", at) > text.find("\"tensors\"", at)) {
      break;
    }
  }
  EXPECT_EQ(ErrorOf(text).code, ErrorCode::kBadValue);
}

TEST(PlanJson, DamagedTextsAreErrorsNotCrashes) {
  const std::string& text = SampleText();
  EXPECT_EQ(ErrorOf("").code, ErrorCode::kWrongType);
  ExpectError("[]");
  ExpectError("{}");
  ExpectError("null");
  ExpectError(std::string(100'000, '['));
  for (std::size_t cut = 1; cut < text.size(); cut += 1 + text.size() / 150) {
    ExpectError(text.substr(0, cut));
  }
  // one character replaced: an error, or another plan that still has the right shape
  for (std::size_t at = 0; at < text.size(); at += 1 + text.size() / 300) {
    for (const char c : {'9', '"', '-', '}'}) {
      std::string damaged = text;
      damaged[at] = c;
      const auto plan = PlanFromJson(damaged, "plan.json");
      if (plan) {
        static_cast<void>(planner::Reevaluate(*plan, nullptr, Machine()));
      }
    }
  }
}

}  // namespace
}  // namespace sluice::io
