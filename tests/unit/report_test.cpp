// The report's data against the plan it is made from, escaping, the plain form, and plans that do
// not belong to their network or architecture. The page itself is tested by tests/web.

#include "report/report.h"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "arch/architecture.h"
#include "base/text.h"
#include "cost/evaluator.h"
#include "io/yaml/arch/arch.h"
#include "mapping/directives.h"
#include "planner/layerwise.h"
#include "testing/networks.h"

namespace sluice::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

arch::Architecture Machine(const std::string& name) {
  return io::LoadArchitecture(SLUICE_SOURCE_DIR "/archs/" + name + ".yaml").value();
}

ir::Network Sample() {
  return testing::MakeNetwork(
      "sample", {"conv K=16 C=8 P=14 Q=14 R=3 S=3", "relu", "view", "relu", "gemm M=32 N=24 K=40"});
}

/// A plan with what it was made from.
struct Case {
  ir::Network network = Sample();
  arch::Architecture architecture = Machine("eyeriss");
  planner::Plan plan;

  Case() {
    planner::PlanOptions options;
    options.evaluations = 300;
    plan = planner::PlanLayerwise(network, architecture, options).value();
  }
  [[nodiscard]] Subject subject() const { return {&plan, &network, &architecture}; }
  [[nodiscard]] Json payload() const {
    const Subject one = subject();
    return Json::parse(Payload({&one, 1}).value());
  }
  [[nodiscard]] std::string render(Style style) const {
    const Subject one = subject();
    return Render({&one, 1}, style).value();
  }
  [[nodiscard]] ErrorCode error() const {
    const Subject one = subject();
    const auto text = Payload({&one, 1});
    EXPECT_FALSE(text.has_value());
    return text ? ErrorCode::kUsage : text.error().code;
  }
};

TEST(ReportPayload, TotalsAndOperatorsAreThoseOfThePlan) {
  const Case c;
  const Json report = c.payload()["reports"][0];
  EXPECT_EQ(report["plan"]["energy_pj"], c.plan.totals.energy_pj);
  EXPECT_EQ(report["plan"]["cycles"], c.plan.totals.cycles);
  EXPECT_EQ(report["plan"]["macs"], c.plan.totals.macs);
  EXPECT_EQ(report["plan"]["provenance"]["mapper"], "exact");
  ASSERT_EQ(report["operators"].size(), 5U);
  EXPECT_EQ(report["operators"][2][2], -1) << "the view has no solution";
  ASSERT_EQ(report["solutions"].size(), c.plan.solutions.size());
  for (std::size_t i = 0; i < c.plan.solutions.size(); ++i) {
    const cost::Cost& cost = c.plan.solutions[i].cost;
    const Json& solution = report["solutions"][i];
    EXPECT_EQ(solution["energy_pj"], cost.score.energy_pj);
    EXPECT_EQ(solution["cycles"], cost.score.cycles);
    EXPECT_EQ(solution["bound"], c.plan.solutions[i].bound);
    double sum = cost.compute_energy_pj + cost.leakage_pj;
    for (const Json& row : solution["traffic"]) {
      const cost::TensorTraffic& traffic =
          cost.level[row[0].get<std::size_t>()].tensors[row[1].get<std::size_t>()];
      EXPECT_EQ(row[3], traffic.reads);
      EXPECT_EQ(row[12], traffic.read_blocks);
      sum += row[6].get<double>() + row[10].get<double>();
    }
    EXPECT_NEAR(sum, cost.score.energy_pj, 1e-9 * sum) << "the rows left out cost nothing";
  }
}

TEST(ReportPayload, OperatorsThatShareASolutionKeepTheNamesOfTheirTensors) {
  const Case c;
  const Json report = c.payload()["reports"][0];
  const auto written = [&](std::size_t i) { return report["operators"][i][6].back(); };
  ASSERT_EQ(report["operators"][1][2], report["operators"][3][2]) << "the two relus share theirs";
  for (const std::size_t i : {1U, 3U}) {
    const ir::Operator& op = c.network.operators[i];
    EXPECT_EQ(written(i), c.network.tensor(op.output().tensor).name);
  }
  EXPECT_NE(written(1), written(3));
  EXPECT_EQ(report["operators"][2][6], Json::array()) << "a view has no mapping to name them in";
}

TEST(ReportPayload, TheGraphHasTheEdgesOfTheNetwork) {
  const Json operators = Case().payload()["reports"][0]["operators"];
  EXPECT_EQ(operators[0][3], Json::array()) << "the convolution reads the input";
  EXPECT_EQ(operators[1][3], Json::array({0}));
  EXPECT_EQ(operators[2][3], Json::array({1})) << "a view reads what it renames";
  EXPECT_EQ(operators[3][3], Json::array({2}));
  for (std::size_t i = 0; i < operators.size(); ++i) {
    EXPECT_EQ(operators[i][5], i) << "every operator writes its tensor alone";
  }
}

TEST(ReportPayload, NestDirectivesAndPeakAreThoseOfTheMapping) {
  const Case c;
  const Json payload = c.payload();
  const Json& report = payload["reports"][0];
  const auto text = [&payload](const Json& numbers) {
    std::string out;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      out +=
          (i == 0 ? "" : "\n") + payload["lines"][numbers[i].get<std::size_t>()].get<std::string>();
    }
    return out;
  };
  const auto chains = arch::Chains(c.architecture);
  for (std::size_t i = 0; i < c.plan.solutions.size(); ++i) {
    const planner::Solution& solution = c.plan.solutions[i];
    const arch::Chain& chain = chains[static_cast<std::size_t>(solution.chain)];
    const Json& item = report["solutions"][i];
    EXPECT_EQ(text(item["nest"]),
              mapping::PrintLoopNest(solution.workload, chain, solution.mapping));
    EXPECT_EQ(mapping::ParseDirectives(solution.workload, chain, text(item["directives"]), "report")
                  .value()
                  .levels.size(),
              solution.mapping.levels.size());
    EXPECT_LE(static_cast<double>(solution.cost.operations) / solution.cost.score.cycles,
              item["peak"].get<double>() * (1 + 1e-12));
    EXPECT_LE(item["bound_energy_pj"], item["energy_pj"]);
    EXPECT_LE(item["bound_cycles"], item["cycles"]);
  }
}

TEST(ReportPayload, RefusesWhatDoesNotBelongTogether) {
  Case other_machine;
  other_machine.architecture = Machine("three-level");
  EXPECT_EQ(other_machine.error(), ErrorCode::kPlanMismatch);

  Case shorter;
  shorter.plan.operators.pop_back();
  EXPECT_EQ(shorter.error(), ErrorCode::kPlanMismatch);

  Case renamed;
  renamed.plan.operators[0].name = "another";
  EXPECT_EQ(renamed.error(), ErrorCode::kPlanMismatch);

  Case wild;
  wild.plan.operators[0].solution = 99;
  EXPECT_EQ(wild.error(), ErrorCode::kPlanMismatch);

  Case chainless;
  chainless.plan.solutions[0].chain = 7;
  EXPECT_EQ(chainless.error(), ErrorCode::kPlanMismatch);

  Case uncovered;
  for (mapping::LevelMapping& level : uncovered.plan.solutions[0].mapping.levels) {
    level.temporal = {};
  }
  EXPECT_EQ(uncovered.error(), ErrorCode::kPlanMismatch);
}

TEST(ReportRender, NamesFromFilesCannotLeaveTheirPlace) {
  const std::string hostile =
      "</script><script>alert(1)</script>\"&\xE2\x80\xA8\xE2\x80\xA9 \xFF <!--";
  Case c;
  c.network.operators[0].name = hostile;
  c.plan.operators[0].name = hostile;
  c.plan.network_name = hostile;
  const std::string plain = c.render(Style::kPlain);
  EXPECT_THAT(plain, Not(HasSubstr("<script")));
  EXPECT_THAT(plain, Not(HasSubstr("<!--")));
  EXPECT_THAT(plain, HasSubstr("&lt;/script&gt;"));
  if (!InteractiveAvailable()) {
    GTEST_SKIP() << "built without Node.js";
  }
  const std::string html = c.render(Style::kInteractive);
  const std::string open = "id=\"report-data\">";
  const std::size_t begin = html.find(open) + open.size();
  const std::string data = html.substr(begin, html.find("</script>", begin) - begin);
  EXPECT_THAT(data, Not(HasSubstr("<")));
  EXPECT_THAT(data, Not(HasSubstr("\xE2\x80\xA8")));
  EXPECT_EQ(Json::parse(data), c.payload()) << "escaping changes nothing that JSON means";
  EXPECT_THAT(html, Not(HasSubstr("alert(1)</script>")));
}

TEST(ReportRender, ThePlainFormShowsExactNumbersAndEveryOperator) {
  const Case c;
  const std::string html = c.render(Style::kPlain);
  EXPECT_THAT(html, HasSubstr("title=\"" + ShortestDouble(c.plan.totals.energy_pj) + "\""));
  for (const planner::OperatorPlan& op : c.plan.operators) {
    EXPECT_THAT(html, HasSubstr("<td>" + op.name + "</td>"));
  }
  EXPECT_THAT(html, HasSubstr("ifmap_spad"));
  EXPECT_THAT(html, HasSubstr("compute:\n"));
}

TEST(ReportRender, TwoPlansAreComparedOperatorByOperator) {
  const Case a;
  Case b;
  planner::PlanOptions options;
  options.evaluations = 300;
  b.architecture = Machine("simba");
  b.plan = planner::PlanLayerwise(b.network, b.architecture, options).value();
  const std::vector<Subject> both = {a.subject(), b.subject()};
  const Json payload = Json::parse(Payload(both).value());
  ASSERT_EQ(payload["reports"].size(), 2U);
  for (std::size_t i = 0; i < b.plan.operators.size(); ++i) {
    EXPECT_EQ(payload["reports"][1]["operators"][i], b.plan.operators[i].solution)
        << "the second plan of a network repeats none of its operators";
  }
  const std::string html = Render(both, Style::kPlain).value();
  const double delta =
      b.plan.solutions[0].cost.score.energy_pj - a.plan.solutions[0].cost.score.energy_pj;
  EXPECT_THAT(html, HasSubstr("title=\"" + ShortestDouble(delta) + "\""));
  EXPECT_THAT(html, HasSubstr("A: sample on eyeriss"));
  EXPECT_THAT(html, HasSubstr("B: sample on simba"));
}

TEST(ReportRender, SaysWhenThisBuildHasNoInteractiveForm) {
  const Case c;
  const Subject one = c.subject();
  const auto html = Render({&one, 1}, Style::kInteractive);
  EXPECT_EQ(html.has_value(), InteractiveAvailable());
  if (!html) {
    EXPECT_EQ(html.error().code, ErrorCode::kUsage);
    EXPECT_THAT(html.error().hint, HasSubstr("Node.js"));
  } else {
    EXPECT_LT(html->size(), 800'000U);
  }
}

}  // namespace
}  // namespace sluice::report
