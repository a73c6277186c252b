/// \file
/// Codes that several layers share: a shared cost is the sum of what each layer's own oracle says
/// of the code that it becomes there, and that code is of the layer's space; every search works on
/// such an oracle; `dcp` predicts it well enough to be worth its name.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/rng.h"
#include "cost/oracle/maestro_oracle.h"
#include "driver/reproduce/dcp_set.h"
#include "mapper/codes/search.h"
#include "mapper/codes/searches.h"
#include "mapper/codes/shared.h"
#include "mapper/codes/space.h"
#include "predict/predictor.h"
#include "predict/search/propagate.h"

namespace sluice::mapper::codes {
namespace {

std::unique_ptr<cost::CostOracle> OracleOf(const mapping::Layer& layer, std::int64_t bandwidth) {
  return *cost::MakeMaestroOracle(layer, driver::EdgeMachine(bandwidth),
                                  {cost::MaestroMode::kExact, true, false});
}

/// Of the twelve layers, two of them depth-wise, some several times.
struct Net {
  std::vector<mapping::Layer> layers;
  std::vector<std::int64_t> counts;
};
Net MakeNet() {
  const auto twelve = driver::TwelveLayers();
  Net net;
  for (const std::size_t i : {3U, 5U, 8U, 10U, 11U}) {
    net.layers.push_back(twelve[i].layer);
    net.counts.push_back(static_cast<std::int64_t>(i % 3) + 1);
  }
  return net;
}

std::unique_ptr<cost::CostOracle> Sharing(const Net& net, const SpaceOptions& space) {
  std::vector<SharingLayer> layers;
  for (std::size_t l = 0; l < net.layers.size(); ++l) {
    layers.push_back({OracleOf(net.layers[l], 32), net.counts[l]});
  }
  auto shared = MakeSharedOracle(std::move(layers), space);
  EXPECT_TRUE(shared.has_value());
  return std::move(*shared);
}

TEST(SharedCode, CostsTheSumOfItsLayers) {
  const Net net = MakeNet();
  for (const bool divisors : {true, false}) {
    SpaceOptions options;
    options.divisor_tiles = divisors;
    const auto shared = Sharing(net, options);
    ASSERT_EQ(shared->parts().size(), net.layers.size());
    const CodeSpace space(shared->layer(), shared->hardware(), options);
    Rng rng(7);
    int legal = 0;
    for (int i = 0; i < 200; ++i) {
      mapping::DataflowCode code = space.Random(rng);
      if (i % 2 == 0) {  // tiles that fit everywhere
        for (mapping::LevelCode& level : code.levels) {
          std::fill_n(level.tile.begin(), 4, 1);
        }
        code = space.Repair(code);
      }
      cost::CodeCost total;
      ASSERT_TRUE(shared->Evaluate(std::span(&code, 1), std::span(&total, 1)).has_value());
      double cycles = 0;
      double energy = 0;
      std::int64_t inner = 0;
      bool all = true;
      for (std::size_t l = 0; l < net.layers.size(); ++l) {
        const auto own = OracleOf(net.layers[l], 32);
        const mapping::DataflowCode adapted = shared->PartCode(l, code);
        EXPECT_TRUE(CodeSpace(net.layers[l], own->hardware(), options).Contains(adapted));
        cost::CodeCost cost;
        ASSERT_TRUE(own->Evaluate(std::span(&adapted, 1), std::span(&cost, 1)).has_value());
        cycles += static_cast<double>(net.counts[l]) * cost.cycles;
        energy += static_cast<double>(net.counts[l]) * cost.energy_outer_pj;
        inner = std::max(inner, cost.inner_words);
        all = all && cost.legal();
      }
      EXPECT_NEAR(total.cycles, cycles, 1e-9 * cycles);
      EXPECT_NEAR(total.energy_outer_pj, energy, 1e-9 * energy);
      EXPECT_EQ(total.inner_words, inner);
      EXPECT_EQ(total.legal(), all);
      legal += all ? 1 : 0;
    }
    EXPECT_GT(legal, 0);
  }
}

TEST(SharedCode, EverySearchFindsOne) {
  const auto shared = Sharing(MakeNet(), {});
  CodeProblem problem;
  problem.oracle = shared.get();
  problem.samples = 150;
  for (const CodeSearch* search : AllCodeSearches()) {
    const CodeResult result = search->Run(problem);
    EXPECT_LE(result.samples, 150) << search->name();
    if (result.samples > 1) {  // the fixed dataflows need not fit
      ASSERT_TRUE(result.best.has_value()) << search->name();
      EXPECT_GE(result.cost.cycles, result.cost.compute_bound);
    }
  }
}

TEST(SharedCode, DcpBeatsAnnealingWithFewSamples) {
  auto loaded = predict::Predictor::Load(std::string(SLUICE_SOURCE_DIR) +
                                         "/models/predictors/default.predictor");
  ASSERT_TRUE(loaded.has_value());
  const auto dcp = predict::MakePropagationSearch(
      {std::make_shared<const predict::Predictor>(std::move(*loaded))}, {});
  const auto annealing = MakeAnnealingSearch({});
  const auto shared = Sharing(MakeNet(), {});
  double gain = 0;
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    CodeProblem problem;
    problem.oracle = shared.get();
    problem.samples = 100;
    problem.seed = seed;
    const CodeResult ours = dcp->Run(problem);
    EXPECT_EQ(ours.samples, 100);
    gain += std::log(annealing->Run(problem).value / ours.value);
  }
  EXPECT_GT(gain / 3, 0.05);
}

TEST(SharedCode, MistakesAreErrors) {
  EXPECT_FALSE(MakeSharedOracle({}, {}).has_value());
  const Net net = MakeNet();
  std::vector<SharingLayer> layers;
  layers.push_back({OracleOf(net.layers[0], 32), 1});
  layers.push_back({OracleOf(net.layers[1], 64), 1});
  EXPECT_FALSE(MakeSharedOracle(std::move(layers), {}).has_value());
}

}  // namespace
}  // namespace sluice::mapper::codes
