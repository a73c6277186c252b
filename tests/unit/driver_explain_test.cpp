// Explanations of a matrix product whose loops are few enough to check by hand.

#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cost/evaluator.h"
#include "driver/explain/explain.h"
#include "driver/sorting.h"
#include "driver/text/page.h"
#include "driver/text/table.h"
#include "ir/network.h"
#include "mapping/directives.h"
#include "mapping/mapping.h"

namespace sluice::driver {
namespace {

/// DRAM - 4 x 1 fan-out - Buffer - MAC.
arch::Chain MakeChain() {
  arch::Chain chain;
  arch::Level dram;
  dram.memory.name = "DRAM";
  dram.memory.read_pj = 100;
  dram.memory.update_pj = 100;
  dram.fan_out.name = "PEs";
  dram.fan_out.x = 4;
  arch::Level buffer;
  buffer.memory.name = "Buffer";
  buffer.memory.read_pj = 1;
  buffer.memory.fill_pj = 1;
  buffer.memory.update_pj = 1;
  chain.levels = {dram, buffer};
  chain.compute.name = "MAC";
  chain.compute.classes = {{ir::WorkClass::kMac, 1.0, 1.0}};
  return chain;
}

class ExplainTest : public ::testing::Test {
 protected:
  /// M=8 N=6 K=10. DRAM: for K 5, for M 2; 4 PEs share M; Buffer: for N 6, for K 2.
  void SetUp() override {
    const ir::Network network = ir::ParseOperatorDescriptor("gemm M=8 N=6 K=10").value();
    const mapping::Workload workload =
        mapping::MakeWorkload(network.operators.front(), network).value();
    const auto dim = [&workload](const std::string& name) {
      for (int d = 0; d < workload.dims(); ++d) {
        if (workload.dim_names[static_cast<std::size_t>(d)] == name) {
          return d;
        }
      }
      ADD_FAILURE() << name;
      return 0;
    };
    mapping_.levels.resize(2);
    mapping_.levels[0].keep = ~0U;
    mapping_.levels[1].keep = ~0U;
    mapping_.levels[0].temporal = {mapping::PerfectLoop(dim("K"), 5),
                                   mapping::PerfectLoop(dim("M"), 2)};
    mapping_.levels[0].spatial_x = {mapping::PerfectLoop(dim("M"), 4)};
    mapping_.levels[1].temporal = {mapping::PerfectLoop(dim("N"), 6),
                                   mapping::PerfectLoop(dim("K"), 2)};
    evaluator_.emplace(
        cost::Evaluator::Create(workload, MakeChain(), cost::PhysicalPolicy()).value());
    explanation_ = Explain(*evaluator_, mapping_);
  }

  /// The term of the tensor that moves with exactly these dims.
  [[nodiscard]] const TrafficTerm& Term(int level, const std::string& dims) const {
    const mapping::Workload& workload = evaluator_->workload();
    for (const TrafficTerm& term : explanation_.traffic) {
      std::string touched;
      for (int d = 0; d < workload.dims(); ++d) {
        const auto& tensor = workload.tensors[static_cast<std::size_t>(term.tensor)];
        if (((tensor.dims >> static_cast<unsigned>(d)) & 1U) != 0) {
          touched += workload.dim_names[static_cast<std::size_t>(d)];
        }
      }
      if (term.level == level && touched == dims) {
        return term;
      }
    }
    ADD_FAILURE() << level << " " << dims;
    return explanation_.traffic.front();
  }

  static std::string Text(const std::vector<LoopNote>& loops) {
    std::string text;
    for (const LoopNote& loop : loops) {
      text += loop.dim + std::to_string(loop.bound) + "@" + std::to_string(loop.level) +
              (loop.axis == LoopAxis::kTime ? ""
               : loop.axis == LoopAxis::kX  ? "x"
                                            : "y") +
              " ";
    }
    return text;
  }

  mapping::Mapping mapping_;
  std::optional<cost::Evaluator> evaluator_;
  Explanation explanation_;
};

TEST_F(ExplainTest, ActivationsMoveWithBothLoopsAndSpread) {
  const TrafficTerm& term = Term(0, "MK");
  EXPECT_EQ(term.inner, 1);
  EXPECT_EQ(term.inner_tile_words, 2);
  EXPECT_EQ(Text(term.moving), "K5@0 M2@0 ");
  EXPECT_EQ(Text(term.repeating), "");
  EXPECT_EQ(Text(term.reusing), "");
  EXPECT_EQ(Text(term.spreading), "M4@0x ");
  EXPECT_EQ(term.deliveries * term.places * term.inner_tile_words, term.reads);
  EXPECT_EQ(term.reads, 80);
}

TEST_F(ExplainTest, WeightsStayDuringTheInnerLoopAndAreShared) {
  const TrafficTerm& term = Term(0, "NK");
  EXPECT_EQ(Text(term.moving), "K5@0 ");
  EXPECT_EQ(Text(term.reusing), "M2@0 ");
  EXPECT_EQ(Text(term.sharing), "M4@0x ");
  EXPECT_EQ(term.deliveries, 5);
  EXPECT_EQ(term.places, 1);
  EXPECT_EQ(term.reads, 60);
}

TEST_F(ExplainTest, OutputsComeBackForEveryStepOfTheReductionOutside) {
  const TrafficTerm& term = Term(0, "MN");
  EXPECT_TRUE(term.is_output);
  EXPECT_EQ(Text(term.moving), "M2@0 ");
  EXPECT_EQ(Text(term.repeating), "K5@0 ");
  EXPECT_EQ(term.deliveries, 10);
  EXPECT_EQ(term.updates, 10 * 6 * 4);
}

TEST_F(ExplainTest, TheComputeUnitFetchesForEveryOperation) {
  const TrafficTerm& term = Term(1, "NK");
  EXPECT_EQ(term.inner, -1);
  EXPECT_EQ(term.inner_tile_words, 1);
  EXPECT_EQ(term.deliveries * term.places, 8 * 6 * 10);
  EXPECT_EQ(term.reads, 8 * 6 * 10);
  EXPECT_EQ(Text(term.reusing), "");
}

TEST_F(ExplainTest, SharesAndBindingAddUp) {
  double shares = 0;
  for (const TrafficTerm& term : explanation_.traffic) {
    shares += term.share;
  }
  const cost::Cost& cost = explanation_.cost;
  EXPECT_NEAR(shares + (cost.compute_energy_pj + cost.leakage_pj) / cost.score.energy_pj, 1, 1e-12);
  int binding = 0;
  for (const LatencyTerm& term : explanation_.latency) {
    binding += term.binds ? 1 : 0;
    EXPECT_LE(term.cycles, cost.score.cycles);
  }
  EXPECT_EQ(binding, 1);
  EXPECT_TRUE(explanation_.latency.front().binds);
}

TEST_F(ExplainTest, RoofsAreThoseOfLimitedPortsAndNeverExceeded) {
  EXPECT_TRUE(explanation_.roofs.empty());  // no port of this machine has a limited rate
  EXPECT_EQ(explanation_.peak, 4);
  arch::Chain chain = MakeChain();
  chain.levels[0].memory.read_bandwidth = 0.5;
  chain.levels[1].memory.write_bandwidth = 100;
  const cost::Evaluator evaluator =
      cost::Evaluator::Create(evaluator_->workload(), chain, cost::PhysicalPolicy()).value();
  const cost::Cost cost = evaluator.EvaluateFull(mapping_);
  const std::vector<RoofTerm> roofs = RoofsOf(evaluator, cost);
  ASSERT_EQ(roofs.size(), 2);
  std::int64_t reads = 0;
  for (const cost::TensorTraffic& traffic : cost.level[0].tensors) {
    reads += traffic.reads;
  }
  EXPECT_EQ(roofs[0].port, "DRAM read port");
  EXPECT_EQ(roofs[0].words, reads);
  EXPECT_DOUBLE_EQ(roofs[0].intensity, 480.0 / static_cast<double>(reads));
  EXPECT_TRUE(roofs[0].bandwidth);
  EXPECT_DOUBLE_EQ(roofs[0].roof, 0.5 * roofs[0].intensity);
  EXPECT_NEAR(roofs[0].share, 1, 0.01);  // it binds, up to the last cycle
  EXPECT_EQ(roofs[1].port, "Buffer write port");
  EXPECT_FALSE(roofs[1].bandwidth);
  EXPECT_EQ(roofs[1].roof, 4);
  for (const RoofTerm& term : roofs) {
    EXPECT_LE(term.share, 1);
  }
}

TEST_F(ExplainTest, MemoriesCountWhatOneInstanceHolds) {
  arch::Chain chain = MakeChain();
  chain.levels[1].memory.capacity_words = 64;
  chain.levels[1].memory.buffering = 2;
  const cost::Evaluator evaluator =
      cost::Evaluator::Create(evaluator_->workload(), chain, cost::PhysicalPolicy()).value();
  const Explanation explanation = Explain(evaluator, mapping_);
  ASSERT_EQ(explanation.memories.size(), 2);
  EXPECT_EQ(explanation.memories[0].full, 0);  // no limit
  const MemoryTerm& buffer = explanation.memories[1];
  EXPECT_EQ(buffer.instances_used, 4);
  EXPECT_EQ(buffer.instances, 4);
  EXPECT_EQ(buffer.tile_words, 1 * 2 + 6 * 2 + 1 * 6);  // M x K, N x K, M x N
  EXPECT_DOUBLE_EQ(buffer.full, 2.0 * 20 / 64);
}

TEST_F(ExplainTest, DirectivesAreTheMappingOnceMore) {
  mapping::Workload labelled = evaluator_->workload();
  labelled.tensor_names = explanation_.tensor_labels;
  const auto back = mapping::ParseDirectives(labelled, evaluator_->chain(), explanation_.directives,
                                             "directives");
  ASSERT_TRUE(back.has_value()) << back.error().Render();
  EXPECT_EQ(cost::Evaluator::Create(labelled, MakeChain(), cost::PhysicalPolicy())
                .value()
                .Evaluate(*back)
                .energy_pj,
            explanation_.cost.score.energy_pj);
}

TEST(PageTest, KeepsLinesAndWhatStandsOut) {
  Page page;
  page.Heading("first");
  page.Add("one\ntwo\n", Emphasis::kStrong);
  page.Heading("second");
  Page all;
  all.Add("");
  all.Add(page);
  EXPECT_EQ(all.Plain(), "\nfirst\none\ntwo\n\nsecond\n");
  ASSERT_EQ(all.lines().size(), 6);
  EXPECT_EQ(all.lines()[1].emphasis, Emphasis::kHeading);
  EXPECT_EQ(all.lines()[3].emphasis, Emphasis::kStrong);
  EXPECT_EQ(all.lines()[4].emphasis, Emphasis::kNone);
}

TEST(TableTest, WrappedTextStaysWithinEightyColumns) {
  EXPECT_EQ(Wrapped("  a", "b c", 6), "  a   b c\n");
  EXPECT_EQ(Wrapped("  a", "", 6), "  a\n");
  const std::string words = Wrapped("x", std::string(70, 'w') + " next", 4);
  EXPECT_EQ(words, "x   " + std::string(70, 'w') + " next\n");
  EXPECT_EQ(Wrapped("x", std::string(72, 'w') + " next", 4),
            "x   " + std::string(72, 'w') + "\n    next\n");
  EXPECT_EQ(Wrapped("x", "a " + std::string(100, 'w') + " b", 4),
            "x   a\n    " + std::string(76, 'w') + "\n    " + std::string(24, 'w') + " b\n");
}

TEST(TableTest, AlignsShortensAndDropsTrailingBlanks) {
  Table table({{"name", Table::Align::kLeft, 8}, {"n", Table::Align::kRight}, {"note"}});
  table.Add({"a", "1", ""});
  table.Add({"a-very-long-name", "1000", "x"});
  EXPECT_EQ(table.Render(1),
            " name         n  note\n"
            " a            1\n"
            " a-..name  1000  x\n");
}

TEST(SortLargestFirstTest, KeepsTheOrderOfEqualOnes) {
  std::vector<std::pair<int, char>> items = {{1, 'a'}, {3, 'b'}, {1, 'c'}, {3, 'd'}, {2, 'e'}};
  SortLargestFirst(items, [](const auto& item) { return item.first; });
  const std::vector<std::pair<int, char>> sorted = {
      {3, 'b'}, {3, 'd'}, {2, 'e'}, {1, 'a'}, {1, 'c'}};
  EXPECT_EQ(items, sorted);
}

TEST(TableTest, Numbers) {
  EXPECT_EQ(Grouped(0), "0");
  EXPECT_EQ(Grouped(-1234567), "-1,234,567");
  EXPECT_EQ(Grouped(999), "999");
  EXPECT_EQ(Percent(0.1234), "12.3 %");
}

}  // namespace
}  // namespace sluice::driver
