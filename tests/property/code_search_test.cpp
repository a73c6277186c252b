/// \file
/// Every search over codes: proposes codes of its space only, keeps to its budget, gives the same
/// result twice, never forgets what it found, and is near the optimum where that can be enumerated.

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/rng.h"
#include "cost/oracle/maestro_oracle.h"
#include "mapper/codes/exhaustive.h"
#include "mapper/codes/judge.h"
#include "mapper/codes/search.h"
#include "mapper/codes/searches.h"
#include "mapper/codes/space.h"

namespace sluice::mapper::codes {
namespace {

using mapping::CodeDim;
using mapping::DataflowCode;

mapping::Layer MakeLayer(std::int64_t k, std::int64_t c, std::int64_t outputs, std::int64_t window,
                         std::int64_t type = 1) {
  mapping::LayerCode code;
  code.k = k;
  code.c = c;
  code.y = code.x = outputs + window - 1;
  code.r = code.s = window;
  code.type = type;
  auto layer = mapping::LayerOf(code);
  EXPECT_TRUE(layer.has_value());
  return *layer;
}

cost::maestro::Hardware Edge(std::int64_t pes, std::int64_t bandwidth) {
  cost::maestro::Hardware hardware;
  hardware.pes = pes;
  hardware.l1_words = 512;
  hardware.l2_words = 108000;
  hardware.noc_bandwidth = bandwidth;
  hardware.hop_latency = 1;
  return hardware;
}

/// MAESTRO's model, noting what it is asked; fails after `fail_after` codes.
class Recorder final : public cost::CostOracle {
 public:
  Recorder(const mapping::Layer& layer, const cost::maestro::Hardware& hardware,
           std::int64_t fail_after = std::numeric_limits<std::int64_t>::max())
      : CostOracle(layer, hardware), fail_after_(fail_after) {
    auto inner = cost::MakeMaestroOracle(layer, hardware, {cost::MaestroMode::kCompatible, true});
    EXPECT_TRUE(inner.has_value());
    inner_ = std::move(*inner);
  }
  [[nodiscard]] std::string_view name() const override { return "recorder"; }
  [[nodiscard]] std::size_t levels() const override { return 2; }
  [[nodiscard]] const std::vector<DataflowCode>& asked() const { return asked_; }
  [[nodiscard]] const std::vector<cost::CodeCost>& answers() const { return answers_; }

 private:
  Status Price(std::span<const DataflowCode> codes, std::span<cost::CodeCost> costs) override {
    for (std::size_t i = 0; i < codes.size(); ++i) {
      if (static_cast<std::int64_t>(asked_.size()) >= fail_after_) {
        return Fail(ErrorCode::kBadValue, "the program died");
      }
      const auto status = inner_->Evaluate(codes.subspan(i, 1), costs.subspan(i, 1));
      EXPECT_TRUE(status.has_value());
      asked_.push_back(codes[i]);
      answers_.push_back(costs[i]);
    }
    return {};
  }

  std::unique_ptr<cost::CostOracle> inner_;
  std::int64_t fail_after_;
  std::vector<DataflowCode> asked_;
  std::vector<cost::CodeCost> answers_;
};

std::vector<mapping::Layer> Layers() {
  return {MakeLayer(64, 32, 28, 3), MakeLayer(1, 96, 14, 3, 2), MakeLayer(24, 36, 7, 1, 1),
          MakeLayer(13, 17, 5, 5)};
}

bool IsFixed(const CodeSearch& search) {
  return search.name() == "dla" || search.name() == "shi" || search.name() == "eye";
}

TEST(CodeSearch, ProposesCodesOfTheSpaceWithinTheBudget) {
  for (const mapping::Layer& layer : Layers()) {
    for (const CodeSearch* search : AllCodeSearches()) {
      for (const std::int64_t budget : {1, 7, 250}) {
        SCOPED_TRACE(std::string(search->name()) + " " + std::to_string(budget));
        Recorder oracle(layer, Edge(168, 32));
        CodeProblem problem;
        problem.oracle = &oracle;
        problem.samples = budget;
        const CodeResult result = search->Run(problem);
        const CodeSpace space(layer, Edge(168, 32), problem.space);
        for (const DataflowCode& code : oracle.asked()) {
          ASSERT_TRUE(space.Contains(code));
        }
        EXPECT_EQ(result.samples, static_cast<std::int64_t>(oracle.asked().size()));
        EXPECT_EQ(result.samples, IsFixed(*search) ? 1 : budget);
        EXPECT_EQ(result.legal, std::ranges::count_if(oracle.answers(), &cost::CodeCost::legal));
        EXPECT_FALSE(result.stopped.has_value());
        double best = std::numeric_limits<double>::infinity();
        for (const cost::CodeCost& cost : oracle.answers()) {
          best = std::min(best, ValueOf(cost, problem.objective, problem.energy));
        }
        EXPECT_EQ(result.value, best);
        EXPECT_EQ(result.best.has_value(), std::isfinite(best));
      }
    }
  }
}

TEST(CodeSearch, IsDeterministicAndSeedsMatter) {
  for (const CodeSearch* search : AllCodeSearches()) {
    SCOPED_TRACE(search->name());
    std::vector<std::vector<DataflowCode>> asked;
    for (const std::uint64_t seed : {5U, 5U, 6U}) {
      Recorder oracle(Layers()[0], Edge(168, 32));
      CodeProblem problem;
      problem.oracle = &oracle;
      problem.samples = 300;
      problem.seed = seed;
      EXPECT_FALSE(search->Run(problem).stopped.has_value());
      asked.push_back(oracle.asked());
    }
    EXPECT_TRUE(asked[0] == asked[1]);
    EXPECT_EQ(asked[0] == asked[2], IsFixed(*search));
  }
}

TEST(CodeSearch, TracesFallAndEndAtTheBudget) {
  for (const CodeSearch* search : AllCodeSearches()) {
    SCOPED_TRACE(search->name());
    if (IsFixed(*search)) {
      continue;
    }
    Recorder oracle(Layers()[0], Edge(168, 32));
    CodeProblem problem;
    problem.oracle = &oracle;
    problem.samples = 1500;
    const CodeResult result = search->Run(problem);
    ASSERT_EQ(result.trace.size(), 4U);
    const std::vector<std::int64_t> at = {100, 300, 1000, 1500};
    for (std::size_t i = 0; i < at.size(); ++i) {
      EXPECT_EQ(result.trace[i].samples, at[i]);
      double best = std::numeric_limits<double>::infinity();
      for (std::int64_t s = 0; s < at[i]; ++s) {
        best = std::min(best, ValueOf(oracle.answers()[static_cast<std::size_t>(s)],
                                      problem.objective, problem.energy));
      }
      EXPECT_EQ(result.trace[i].value, best);
      if (i > 0) {
        EXPECT_GE(result.trace[i].cpu_seconds, result.trace[i - 1].cpu_seconds);
      }
    }
    EXPECT_EQ(result.trace.back().value, result.value);
  }
}

TEST(CodeSearch, KeepsWhatItFoundWhenTheOracleFails) {
  for (const CodeSearch* search : AllCodeSearches()) {
    if (IsFixed(*search)) {
      continue;
    }
    SCOPED_TRACE(search->name());
    Recorder oracle(Layers()[0], Edge(168, 32), 230);
    CodeProblem problem;
    problem.oracle = &oracle;
    problem.samples = 1000;
    const CodeResult result = search->Run(problem);
    ASSERT_TRUE(result.stopped.has_value());
    EXPECT_EQ(result.stopped->message, "the program died");
    double best = std::numeric_limits<double>::infinity();
    for (const cost::CodeCost& cost : oracle.answers()) {
      best = std::min(best, ValueOf(cost, problem.objective, problem.energy));
    }
    EXPECT_TRUE(std::isfinite(best));
    EXPECT_EQ(result.value, best);
    EXPECT_LE(result.samples, 230);
  }
}

TEST(CodeSearch, NoSearchIsWorseThanItsStart) {
  const mapping::Layer layer = Layers()[0];
  Recorder scout(layer, Edge(168, 32));
  CodeProblem problem;
  problem.oracle = &scout;
  problem.samples = 3000;
  const CodeResult good = (*FindCodeSearch("annealing"))->Run(problem);
  ASSERT_TRUE(good.best.has_value());
  for (const CodeSearch* search : AllCodeSearches()) {
    if (IsFixed(*search)) {
      continue;
    }
    SCOPED_TRACE(search->name());
    Recorder oracle(layer, Edge(168, 32));
    problem.oracle = &oracle;
    problem.samples = 50;
    problem.starts = std::span(&*good.best, 1);
    EXPECT_LE(search->Run(problem).value, good.value);
  }
}

/// All codes of a two-level divisor space; orders of loops that iterate.
double Optimum(const CodeSpace& space, cost::CostOracle& oracle, CodeObjective objective) {
  double best = std::numeric_limits<double>::infinity();
  std::vector<DataflowCode> batch;
  std::vector<cost::CodeCost> costs;
  const auto flush = [&] {
    costs.assign(batch.size(), {});
    EXPECT_TRUE(oracle.Evaluate(batch, costs).has_value());
    for (const cost::CodeCost& cost : costs) {
      best = std::min(best, ValueOf(cost, objective, EnergyKind::kOuter));
    }
    batch.clear();
  };
  std::vector<std::array<CodeDim, mapping::kCodeDims>> orders;
  std::vector<CodeDim> first = {CodeDim::kK, CodeDim::kC, CodeDim::kY};
  do {
    orders.push_back({first[0], first[1], first[2], CodeDim::kX, CodeDim::kR, CodeDim::kS});
  } while (std::ranges::next_permutation(first).found);
  DataflowCode code;
  code.levels.resize(2);
  code.levels[0].units = 0;
  const auto tiles = [&](std::size_t level, const mapping::CodeSizes& parent, auto&& next) {
    for (const auto k : space.Divisors(CodeDim::kK, parent[0])) {
      for (const auto c : space.Divisors(CodeDim::kC, parent[1])) {
        for (const auto y : space.Divisors(CodeDim::kY, parent[2])) {
          code.levels[level].tile = {k, c, y, parent[3], parent[4], parent[5]};
          next();
        }
      }
    }
  };
  for (const auto outer : space.parallel()) {
    for (const auto inner : space.parallel()) {
      for (std::int64_t units = 1; units <= space.pes(); ++units) {
        for (const auto& outer_order : orders) {
          for (const auto& inner_order : orders) {
            tiles(0, space.extents(), [&] {
              tiles(1, code.levels[0].tile, [&] {
                code.levels[0].parallel = outer;
                code.levels[0].order = outer_order;
                code.levels[1].parallel = inner;
                code.levels[1].order = inner_order;
                code.levels[1].units = units;
                batch.push_back(code);
                if (batch.size() == 4096) {
                  flush();
                }
              });
            });
          }
        }
      }
    }
  }
  flush();
  return best;
}

TEST(CodeSearch, FindsTheOptimumOfATinyLayer) {
  // X, R and S are 1, so three dims and their orders are the whole space.
  mapping::LayerCode tiny;
  tiny.k = 4;
  tiny.c = 3;
  tiny.y = 4;
  const auto layer = mapping::LayerOf(tiny);
  ASSERT_TRUE(layer.has_value());
  const auto hardware = Edge(4, 2);
  for (const CodeObjective objective :
       {CodeObjective::kLatency, CodeObjective::kEnergy, CodeObjective::kEdp}) {
    SCOPED_TRACE(CodeObjectiveName(objective));
    auto oracle = cost::MakeMaestroOracle(*layer, hardware, {cost::MaestroMode::kCompatible, true});
    ASSERT_TRUE(oracle.has_value());
    const CodeSpace space(*layer, hardware, {});
    const double optimum = Optimum(space, **oracle, objective);
    ASSERT_TRUE(std::isfinite(optimum));
    for (const CodeSearch* search : AllCodeSearches()) {
      CodeProblem problem;
      problem.oracle = oracle->get();
      problem.objective = objective;
      problem.samples = 10000;
      const double value = search->Run(problem).value;
      EXPECT_GE(value, optimum) << search->name();
      if (search->name() == "annealing" || search->name() == "random") {
        EXPECT_EQ(value, optimum) << search->name();
      }
      if (!IsFixed(*search)) {
        EXPECT_LE(value, 1.3 * optimum) << search->name();
      }
    }
  }
}

TEST(EnumerateCodes, FindsWhatTryingEveryCodeFinds) {
  mapping::LayerCode tiny;
  tiny.k = 4;
  tiny.c = 3;
  tiny.y = 4;
  const auto layer = mapping::LayerOf(tiny);
  for (const std::int64_t pes : {3, 4, 7}) {
    SCOPED_TRACE(pes);
    const auto hardware = Edge(pes, 2);
    auto oracle = cost::MakeMaestroOracle(*layer, hardware, {cost::MaestroMode::kExact, true});
    ASSERT_TRUE(oracle.has_value());
    const auto all = EnumerateCodes(**oracle, {}, EnergyKind::kOuter, 1'000'000);
    ASSERT_TRUE(all.has_value());
    const CodeSpace space(*layer, hardware, {});
    for (std::size_t o = 0; o < all->best.size(); ++o) {
      EXPECT_EQ(all->best[o].value, Optimum(space, **oracle, static_cast<CodeObjective>(o)));
      ASSERT_TRUE(all->best[o].code.has_value());
      EXPECT_TRUE(space.Contains(*all->best[o].code));
    }
  }
}

/// Windows, strides and depth-wise layers: nobody finds anything better.
TEST(EnumerateCodes, NoSearchFindsMore) {
  Rng rng(5);
  mapping::LayerCode strided{.k = 6, .c = 2, .y = 9, .x = 9, .r = 3, .s = 3};
  strided.stride_y = strided.stride_x = 2;
  mapping::LayerCode depthwise{.k = 1, .c = 6, .y = 8, .x = 8, .r = 3, .s = 3, .type = 2};
  for (const mapping::LayerCode& code : {strided, depthwise}) {
    const auto layer = mapping::LayerOf(code);
    ASSERT_TRUE(layer.has_value());
    const auto hardware = Edge(12, 4);
    auto oracle = cost::MakeMaestroOracle(*layer, hardware, {cost::MaestroMode::kExact, true});
    const auto all = EnumerateCodes(**oracle, {}, EnergyKind::kOuter, 10'000'000);
    ASSERT_TRUE(all.has_value());
    const CodeSpace space(*layer, hardware, {});
    for (int i = 0; i < 20'000; ++i) {
      const auto random = space.Random(rng);
      cost::CodeCost cost;
      ASSERT_TRUE((*oracle)->Evaluate(std::span(&random, 1), std::span(&cost, 1)).has_value());
      for (std::size_t o = 0; o < all->best.size(); ++o) {
        const double value = ValueOf(cost, static_cast<CodeObjective>(o), EnergyKind::kOuter);
        ASSERT_GE(value, all->best[o].value);
      }
    }
    CodeProblem problem;
    problem.oracle = oracle->get();
    problem.samples = 20'000;
    EXPECT_EQ(MakeAnnealingSearch({})->Run(problem).value, all->best[2].value);
  }
}

TEST(EnumerateCodes, SaysWhatIsTooMuch) {
  mapping::LayerCode tiny;
  tiny.k = 8;
  tiny.c = 8;
  const auto layer = mapping::LayerOf(tiny);
  auto oracle = cost::MakeMaestroOracle(*layer, Edge(8, 2), {cost::MaestroMode::kExact, true});
  const auto few = EnumerateCodes(**oracle, {}, EnergyKind::kOuter, 100);
  ASSERT_FALSE(few.has_value());
  EXPECT_EQ(few.error().code, ErrorCode::kBadValue);
  SpaceOptions any;
  any.divisor_tiles = false;
  EXPECT_FALSE(EnumerateCodes(**oracle, any, EnergyKind::kOuter, 100'000'000).has_value());
}

TEST(CodeSpace, RepairIsTheIdentityOnTheSpaceAndPointsComeBack) {
  Rng rng(11);
  for (const mapping::Layer& layer : Layers()) {
    for (const bool divisors : {true, false}) {
      for (const bool whole : {true, false}) {
        for (int levels = 1; levels <= mapping::kMaxCodeLevels; ++levels) {
          const CodeSpace space(layer, Edge(168, 32), {levels, divisors, whole});
          for (int i = 0; i < 50; ++i) {
            const DataflowCode code = space.Random(rng);
            ASSERT_TRUE(space.Contains(code));
            ASSERT_EQ(space.Repair(code), code);
            ASSERT_EQ(space.FromPoint(space.ToPoint(code)), code);
            ASSERT_TRUE(space.Contains(space.Neighbour(code, rng)));
          }
        }
      }
    }
  }
}

TEST(CodeSpace, EveryCodeCanBeRepaired) {
  Rng rng(12);
  const mapping::Layer layer = Layers()[0];
  const CodeSpace space(layer, Edge(168, 32), {});
  for (int i = 0; i < 2000; ++i) {
    DataflowCode code;
    for (int l = 0; l < 1 + i % 4; ++l) {
      mapping::LevelCode level;
      level.parallel = static_cast<CodeDim>(rng.Below(6));
      level.units = rng.Between(-5, 1000);
      for (auto& tile : level.tile) {
        tile = rng.Between(-3, 200);
      }
      code.levels.push_back(level);
    }
    const DataflowCode repaired = space.Repair(code);
    ASSERT_TRUE(space.Contains(repaired));
    ASSERT_EQ(repaired.levels.size(), code.levels.size());
  }
}

TEST(CodeSpace, NeighboursReachEverything) {
  // All codes of a small space from one of them.
  mapping::LayerCode tiny;
  tiny.k = 2;
  tiny.y = 3;
  const auto layer = mapping::LayerOf(tiny);
  ASSERT_TRUE(layer.has_value());
  const CodeSpace space(*layer, Edge(3, 2), {.levels = 1});
  Rng rng(3);
  std::set<std::vector<std::int64_t>> seen;
  DataflowCode code = space.Random(rng);
  for (int i = 0; i < 200000; ++i) {
    code = space.Neighbour(code, rng);
    seen.insert(ToNumbers(code));
  }
  EXPECT_EQ(seen.size(), 4U * 720U * 2U * 2U);  // parallel dims, orders, tiles of K and of Y
}

TEST(CodeSearch, NamesAreFoundAndOthersAreErrors) {
  std::set<std::string_view> names;
  for (const CodeSearch* search : AllCodeSearches()) {
    EXPECT_TRUE(names.insert(search->name()).second);
    ASSERT_TRUE(FindCodeSearch(search->name()).has_value());
    EXPECT_EQ(*FindCodeSearch(search->name()), search);
    EXPECT_FALSE(search->description().empty());
  }
  EXPECT_EQ(FindCodeSearch("gamma").error().code, ErrorCode::kUnknownName);
}

}  // namespace
}  // namespace sluice::mapper::codes
