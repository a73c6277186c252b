/// \file
/// Oracles answer for batches of codes what their models say, count what they were asked, and agree
/// with one another on what no model may change: the work and its bound.

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/rng.h"
#include "cost/evaluator.h"
#include "cost/maestro/exact.h"
#include "cost/oracle/maestro_oracle.h"
#include "cost/oracle/reference_oracle.h"
#include "io/yaml/arch/arch.h"
#include "ir/network.h"
#include "testing/edge_conv.h"
#include "testing/nests.h"

namespace sluice {
namespace {

using cost::CodeCost;
using cost::CodeVerdict;
using mapping::DataflowCode;

using testing::Conv;
using testing::Edge;

/// Canonical codes of `layer`, most of them too large for an L1 of 512 words.
std::vector<DataflowCode> Codes(const mapping::Layer& layer, std::size_t count) {
  Rng rng(7);
  std::vector<DataflowCode> codes;
  for (std::size_t i = 0; i < count; ++i) {
    DataflowCode code;
    auto parent = CodeExtents(layer);
    for (int l = 0; l < 2; ++l) {
      mapping::LevelCode level;
      level.parallel = static_cast<mapping::CodeDim>(rng.Below(4));
      level.units = rng.Between(1, 14);
      for (std::size_t d = 0; d < parent.size(); ++d) {
        level.tile[d] = d < 4 ? rng.Between(1, std::max<std::int64_t>(parent[d], 1)) : parent[d];
      }
      parent = level.tile;
      code.levels.push_back(level);
    }
    codes.push_back(mapping::Canonical(layer, code));
  }
  return codes;
}

TEST(MaestroOracle, SaysWhatTheModelSays) {
  const auto oracle = cost::MakeMaestroOracle(Conv(), Edge(), {});
  ASSERT_TRUE(oracle);
  const auto codes = Codes(Conv(), 200);
  std::vector<CodeCost> costs(codes.size());
  ASSERT_TRUE((*oracle)->Evaluate(codes, costs));
  const cost::maestro::ExactModel model(Conv(), Edge());
  int legal = 0;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const auto report = model.Evaluate(Decode(Conv(), codes[i]));
    ASSERT_EQ(report.verdict, cost::maestro::Verdict::kOk);
    EXPECT_EQ(costs[i].cycles, static_cast<double>(report.runtime));
    EXPECT_EQ(costs[i].inner_words, report.l1_words());
    EXPECT_DOUBLE_EQ(costs[i].energy_full_pj,
                     costs[i].level_pj[0] + costs[i].level_pj[1] + costs[i].compute_pj);
    EXPECT_EQ(costs[i].energy_outer_pj, costs[i].level_pj[0]);
    EXPECT_EQ(costs[i].legal(), report.l1_words() <= 512 && report.l2_words() <= 108000);
    EXPECT_TRUE(costs[i].physical);
    legal += costs[i].legal() ? 1 : 0;
  }
  EXPECT_GT(legal, 0);
  EXPECT_LT(legal, 200);
  EXPECT_EQ((*oracle)->counters().samples, 200);
  EXPECT_EQ((*oracle)->counters().batches, 1);
  EXPECT_GT((*oracle)->counters().cpu_seconds, 0);
}

TEST(MaestroOracle, CompatibleModeCanFilterTheImpossible) {
  // 64 channels in tiles of 60: the tool drops the last 4 (MAESTRO leaves out a ragged spatial
  // tile).
  auto codes = Codes(Conv(), 400);
  for (DataflowCode& code : codes) {
    code.levels[0].parallel = mapping::CodeDim::kK;
    code.levels[0].tile[0] = 12;
    code.levels[1].units = 42;
    code.levels[0].tile[2] = code.levels[0].tile[3] = 1;
    code.levels[1].tile = {1, 1, 1, 1, 3, 3};
  }
  std::vector<CodeCost> raw(codes.size());
  std::vector<CodeCost> filtered(codes.size());
  const auto any = cost::MakeMaestroOracle(Conv(), Edge(), {cost::MaestroMode::kCompatible, false});
  const auto strict =
      cost::MakeMaestroOracle(Conv(), Edge(), {cost::MaestroMode::kCompatible, true});
  ASSERT_TRUE((*any)->Evaluate(codes, raw));
  ASSERT_TRUE((*strict)->Evaluate(codes, filtered));
  int impossible = 0;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    EXPECT_EQ(raw[i].cycles, filtered[i].cycles);
    EXPECT_NE(raw[i].verdict, CodeVerdict::kImpossible);
    if (raw[i].legal() && !raw[i].physical) {
      EXPECT_EQ(filtered[i].verdict, CodeVerdict::kImpossible);
      ++impossible;
    }
  }
  EXPECT_GT(impossible, 0);
}

TEST(MaestroOracle, RefusesCodesThatAreNotCanonical) {
  const auto oracle = cost::MakeMaestroOracle(Conv(), Edge(), {});
  auto codes = Codes(Conv(), 3);
  codes[0].levels[1].tile[0] = codes[0].levels[0].tile[0] + 1;
  codes[1].levels.clear();
  codes[2].levels[1].units = 169;  // more than there are PEs
  std::vector<CodeCost> costs(3);
  ASSERT_TRUE((*oracle)->Evaluate(codes, costs));
  for (const CodeCost& cost : costs) {
    EXPECT_EQ(cost.verdict, CodeVerdict::kRefused) << CodeVerdictName(cost.verdict);
  }
}

TEST(MaestroOracle, RefusesBadMachines) {
  auto hardware = Edge();
  hardware.pes = 0;
  EXPECT_EQ(cost::MakeMaestroOracle(Conv(), hardware, {}).error().code, ErrorCode::kBadValue);
}

mapping::Workload ConvNest() {
  return testing::MakeNest({{"K", 64}, {"C", 32}, {"P", 28}, {"Q", 28}, {"R", 3}, {"S", 3}},
                           {{"Input", {"C", "P+R", "Q+S"}},
                            {"Weight", {"K", "C", "R", "S"}},
                            {"Output", {"K", "P", "Q"}}});
}

TEST(ReferenceOracle, PricesCodesOnEveryArchitecture) {
  const mapping::Workload workload = ConvNest();
  int machines = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(SLUICE_SOURCE_DIR) + "/archs")) {
    if (entry.path().extension() != ".yaml") {
      continue;
    }
    SCOPED_TRACE(entry.path());
    const auto architecture = io::LoadArchitecture(entry.path().string());
    ASSERT_TRUE(architecture) << architecture.error().Render();
    const auto chain = arch::ChainFor(*architecture, workload.body);
    ASSERT_TRUE(chain);
    const auto oracle = cost::MakeReferenceOracle(workload, *chain, cost::PhysicalPolicy());
    ASSERT_TRUE(oracle) << oracle.error().Render();
    EXPECT_EQ((*oracle)->layer(), Conv());
    const auto codes = Codes((*oracle)->layer(), 100);
    std::vector<CodeCost> costs(codes.size());
    ASSERT_TRUE((*oracle)->Evaluate(codes, costs));
    const auto evaluator = cost::Evaluator::Create(workload, *chain, cost::PhysicalPolicy());
    ASSERT_TRUE(evaluator);
    for (std::size_t i = 0; i < codes.size(); ++i) {
      const auto mapping = (*oracle)->code_mapper()->MappingOf(codes[i]);
      EXPECT_TRUE(costs[i].legal());
      EXPECT_TRUE(evaluator->IsValid(mapping));
      EXPECT_EQ(costs[i].cycles, evaluator->Evaluate(mapping).cycles);
      EXPECT_TRUE(costs[i].physical);
      double sum = costs[i].compute_pj;
      for (const double energy : costs[i].level_pj) {
        sum += energy;
      }
      EXPECT_LE(sum, costs[i].energy_full_pj * (1 + 1e-9));
    }
    ++machines;
  }
  EXPECT_GE(machines, 10);
}

TEST(ReferenceOracle, RefusesWhatIsNoProduct) {
  const auto pool = testing::MakeNest({{"P", 5}, {"R", 3}}, {{"I", {"P+R"}}, {"O", {"P"}}});
  const auto chain = testing::MakeChain(testing::MakeMapping(pool, {"P=5 R=3"}));
  const auto oracle = cost::MakeReferenceOracle(pool, chain, cost::PhysicalPolicy());
  EXPECT_EQ(oracle.error().code, ErrorCode::kOperatorInvalid);
}

}  // namespace
}  // namespace sluice
