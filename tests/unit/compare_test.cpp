/// \file
/// Comparisons of searches: quartiles, what counts as best known, cells as means of their runs, and
/// the page.

#include "driver/compare/compare.h"

#include <cmath>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "cost/oracle/maestro_oracle.h"
#include "driver/reproduce/dcp_set.h"

namespace sluice::driver {
namespace {

CodeSubject Subject(const NamedLayer& layer) {
  return {layer.name,
          [layer = layer.layer] {
            return cost::MakeMaestroOracle(layer, EdgeMachine(kFairBandwidth),
                                           {cost::MaestroMode::kCompatible, true});
          },
          std::nullopt};
}

CompareOptions Options() {
  CompareOptions options;
  options.searches = {"annealing", "random", "dla"};
  options.budgets = {100, 400};
  options.seeds = 3;
  options.threads = 2;
  return options;
}

TEST(Compare, Quartiles) {
  const Quartiles one = QuartilesOf({7});
  EXPECT_EQ(one.low, 7);
  EXPECT_EQ(one.high, 7);
  const Quartiles five = QuartilesOf({5, 1, 4, 2, 3});
  EXPECT_EQ(five.low, 2);
  EXPECT_EQ(five.median, 3);
  EXPECT_EQ(five.high, 4);
  const double inf = std::numeric_limits<double>::infinity();
  EXPECT_EQ(QuartilesOf({1, 2, inf}).median, 2);
  EXPECT_EQ(QuartilesOf({1, 2, inf}).high, inf);
  EXPECT_EQ(QuartilesOf({1, 2}).median, 1.5);
}

TEST(Compare, CellsAreMeansOverTheBestOfAllRuns) {
  const auto layers = TwelveLayers();
  const auto comparison = Compare({Subject(layers[3]), Subject(layers[11])}, Options());
  ASSERT_TRUE(comparison);
  EXPECT_TRUE(comparison->complete);
  EXPECT_EQ(comparison->runs.size(), 3U * 2U * 2U * 3U);
  for (std::size_t l = 0; l < 2; ++l) {
    double best = std::numeric_limits<double>::infinity();
    for (const CompareRun& run : comparison->runs) {
      if (run.layer == l) {
        best = std::min(best, run.result.value);
      }
    }
    EXPECT_EQ(comparison->layers[l].best_known, best);
    EXPECT_FALSE(comparison->layers[l].proven);
    EXPECT_GE(comparison->layers[l].cycles, comparison->layers[l].compute_bound);
  }
  std::vector<double> qualities;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    double product = 1;
    for (const CompareRun& run : comparison->runs) {
      if (run.search == 1 && run.budget == 0 && run.seed == seed) {
        EXPECT_EQ(run.result.samples, 100);
        product *= run.result.value / comparison->layers[run.layer].best_known;
      }
    }
    qualities.push_back(std::sqrt(product));
  }
  EXPECT_NEAR(comparison->cells[1][0].quality.median, QuartilesOf(qualities).median, 1e-12);
  EXPECT_EQ(comparison->cells[1][0].samples, 100);
  EXPECT_EQ(comparison->cells[2][1].samples, 1);  // fixed dataflows ask once
}

TEST(Compare, ThreadsDoNotMatter) {
  const auto layers = TwelveLayers();
  CompareOptions options = Options();
  const auto two = Compare({Subject(layers[3])}, options);
  options.threads = 1;
  const auto one = Compare({Subject(layers[3])}, options);
  ASSERT_TRUE(one);
  ASSERT_TRUE(two);
  for (std::size_t i = 0; i < one->runs.size(); ++i) {
    EXPECT_EQ(one->runs[i].result.value, two->runs[i].result.value);
    EXPECT_EQ(one->runs[i].seed, two->runs[i].seed);
  }
}

TEST(Compare, ProvenValuesAndScoutsCount) {
  const auto layers = TwelveLayers();
  CompareOptions options = Options();
  CodeSubject subject = Subject(layers[3]);
  options.best_known_samples = 2000;
  const auto scouted = Compare({subject}, options);
  ASSERT_TRUE(scouted);
  EXPECT_EQ(scouted->runs.size(), 18U);  // the scout is no run
  const auto plain = Compare({subject}, Options());
  ASSERT_TRUE(plain);
  EXPECT_LT(scouted->layers[0].best_known, plain->layers[0].best_known);
  subject.proven = 1.0;
  const auto proven = Compare({subject}, options);
  ASSERT_TRUE(proven);
  EXPECT_EQ(proven->layers[0].best_known, 1.0);
  EXPECT_TRUE(proven->layers[0].proven);
  EXPECT_EQ(proven->layers[0].best_found, scouted->layers[0].best_found);
}

TEST(Compare, MistakesAreErrors) {
  const auto subject = Subject(TwelveLayers()[3]);
  CompareOptions options = Options();
  options.searches = {"anealing"};
  EXPECT_EQ(Compare({subject}, options).error().code, ErrorCode::kUnknownName);
  EXPECT_EQ(Compare({}, Options()).error().code, ErrorCode::kUsage);
  const SearchPaths paths;
  CostRequest cost;
  cost.model = "maestr";
  EXPECT_EQ(CompareRequested(paths, "dcp12", cost, Options()).error().code,
            ErrorCode::kUnknownName);
  cost.model = "reference";
  EXPECT_EQ(CompareRequested(paths, "dcp12", cost, Options()).error().code, ErrorCode::kUsage);
}

TEST(Compare, APageHasEverySearchAndNoForeignMarkup) {
  const auto layers = TwelveLayers();
  auto comparison = Compare({Subject(layers[3])}, Options());
  ASSERT_TRUE(comparison);
  comparison->title = "<script>alert(1)</script>";
  comparison->model = "\"model\"";
  const std::string html = HtmlOfComparison(*comparison);
  EXPECT_EQ(html.find("<script"), std::string::npos);
  EXPECT_EQ(html.find("http"), std::string::npos);
  for (const std::string& search : comparison->options.searches) {
    EXPECT_NE(html.find("</i>" + search), std::string::npos);
  }
  std::size_t drawings = 0;
  for (std::size_t at = html.find("<svg"); at != std::string::npos;
       at = html.find("<svg", at + 1)) {
    ++drawings;
  }
  EXPECT_EQ(drawings, 2U);
  EXPECT_EQ(html.find("nan"), std::string::npos);
  EXPECT_EQ(html.find("inf"), std::string::npos);
}

}  // namespace
}  // namespace sluice::driver
