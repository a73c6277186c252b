// The worked examples of docs/cost-model.md, number by number, by the evaluator and by the walker.
// Each test has the title of its section there; change both or neither.

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cost/evaluator.h"
#include "testing/nests.h"
#include "testing/walker.h"

namespace sluice::testing {
namespace {

using cost::Policy;
using cost::TensorTraffic;

class Example {
 public:
  Example(mapping::Workload workload, const std::vector<std::string>& levels)
      : workload_(std::move(workload)),
        mapping_(MakeMapping(workload_, levels)),
        chain_(MakeChain(mapping_)) {}

  arch::Chain& chain() {
    ran_ = false;
    return chain_;
  }
  Policy& policy() {
    ran_ = false;
    return policy_;
  }

  /// Both models must agree on `counter` of a tensor at a level.
  void Expect(std::size_t level, const std::string& tensor, std::int64_t TensorTraffic::* counter,
              std::int64_t value) {
    SCOPED_TRACE("level " + std::to_string(level) + " " + tensor);
    Run();
    EXPECT_EQ(walked_.level[level].tensors[Find(tensor)].*counter, value) << "walker";
    EXPECT_EQ(evaluated_.level[level].tensors[Find(tensor)].*counter, value) << "evaluator";
  }
  void Expect(std::size_t level, const std::string& tensor, double TensorTraffic::* counter,
              double value) {
    SCOPED_TRACE("level " + std::to_string(level) + " " + tensor);
    Run();
    EXPECT_NEAR(walked_.level[level].tensors[Find(tensor)].*counter, value, 1e-9 * value);
    EXPECT_NEAR(evaluated_.level[level].tensors[Find(tensor)].*counter, value, 1e-9 * value);
  }
  void ExpectCycles(double cycles) {
    Run();
    EXPECT_EQ(walked_.score.cycles, cycles);
    EXPECT_EQ(evaluated_.score.cycles, cycles);
  }
  void ExpectEnergy(double energy_pj) {
    Run();
    EXPECT_NEAR(walked_.score.energy_pj, energy_pj, 1e-9 * energy_pj);
    EXPECT_NEAR(evaluated_.score.energy_pj, energy_pj, 1e-9 * energy_pj);
  }

 private:
  void Run() {
    if (!ran_) {
      walked_ = Walk(workload_, chain_, mapping_, policy_);
      evaluated_ =
          cost::Evaluator::Create(workload_, chain_, policy_).value().EvaluateFull(mapping_);
      ran_ = true;
    }
  }

  [[nodiscard]] std::size_t Find(const std::string& tensor) const {
    for (std::size_t t = 0; t < workload_.tensor_names.size(); ++t) {
      if (workload_.tensor_names[t] == tensor) {
        return t;
      }
    }
    ADD_FAILURE() << "no tensor " << tensor;
    return 0;
  }

  mapping::Workload workload_;
  mapping::Mapping mapping_;
  arch::Chain chain_;
  Policy policy_ = cost::PhysicalPolicy();
  cost::Cost walked_;
  cost::Cost evaluated_;
  bool ran_ = false;  // walked_ and evaluated_ belong to the present machine and policy
};

constexpr auto kReads = &TensorTraffic::reads;
constexpr auto kFills = &TensorTraffic::fills;
constexpr auto kUpdates = &TensorTraffic::updates;
constexpr auto kTile = &TensorTraffic::tile_words;

mapping::Workload Conv1d(std::int64_t m, std::int64_t r, std::int64_t p) {
  return MakeNest({{"M", m}, {"R", r}, {"P", p}},
                  {{"W", {"M", "R"}}, {"I", {"R+P"}}, {"O", {"M", "P"}}});
}

mapping::Workload Gemm(std::int64_t m, std::int64_t n, std::int64_t k) {
  return MakeNest({{"M", m}, {"N", n}, {"K", k}},
                  {{"A", {"M", "K"}}, {"B", {"K", "N"}}, {"Z", {"M", "N"}}});
}

// --- moves of a tile ---------------------------------------------------------------------------

TEST(CostExamples, Q1_WindowSlides) {
  for (const Policy& policy : {cost::PhysicalPolicy(), cost::TimeloopPolicy()}) {
    Example e(Conv1d(4, 3, 16), {"M=4 P=16", "R=3"});
    e.policy() = policy;
    e.Expect(1, "I", kTile, 3);
    e.Expect(1, "I", kFills, 72);
    e.Expect(0, "I", kReads, 72);
  }
}

TEST(CostExamples, Q2_OneWordBufferPInside) {
  for (const Policy& policy : {cost::PhysicalPolicy(), cost::TimeloopPolicy()}) {
    Example e(Conv1d(1, 3, 16), {"R=3 P=16", ""});
    e.policy() = policy;
    e.Expect(1, "I", kTile, 1);
    e.Expect(1, "I", kFills, 48);
  }
}

TEST(CostExamples, Q3_OneWordBufferRInside) {
  for (const Policy& policy : {cost::PhysicalPolicy(), cost::TimeloopPolicy()}) {
    Example e(Conv1d(1, 3, 16), {"P=16 R=3", ""});
    e.policy() = policy;
    e.Expect(1, "I", kFills, 48);
  }
}

TEST(CostExamples, Q4_TwoDimensionalTiles) {
  for (const Policy& policy : {cost::PhysicalPolicy(), cost::TimeloopPolicy()}) {
    Example e(
        MakeNest({{"M", 2}, {"C", 16}, {"P", 28}, {"Q", 28}, {"R", 3}, {"S", 3}},
                 {{"W", {"M", "C", "R", "S"}}, {"I", {"C", "P+R", "Q+S"}}, {"O", {"M", "P", "Q"}}}),
        {"M=2 Q=4 P=4", "C=16 P=7 Q=7 R=3 S=3"});
    e.policy() = policy;
    e.Expect(1, "I", kTile, 1296);
    e.Expect(1, "I", kFills, 34560);
  }
}

TEST(CostExamples, WindowRule) {
  Example e(Conv1d(2, 5, 4), {"M=2 P=4", "R=5"});
  e.Expect(1, "I", kFills, 14);
  e.policy().window = cost::WindowRule::kSameDirection;
  e.Expect(1, "I", kFills, 16);
}

// --- partial sums ------------------------------------------------------------------------------

TEST(CostExamples, PartialSums) {
  Example e(Gemm(4, 4, 4), {"K=2 M=2", "M=2 N=4 K=2"});
  e.Expect(1, "Z", kTile, 8);
  e.Expect(1, "Z", kUpdates, 64);
  e.Expect(1, "Z", kReads, 48 + 32);
  e.Expect(1, "Z", kFills, 16);
  e.Expect(0, "Z", kUpdates, 32);
  e.Expect(0, "Z", kReads, 16);
  e.Expect(0, "Z", kFills, 0);
  e.Expect(0, "Z", &TensorTraffic::network_words, 48);
  e.Expect(1, "A", kFills, 16);
  e.Expect(1, "B", kFills, 16);
}

TEST(CostExamples, ChildReadOnDrainOff) {
  Example e(Gemm(4, 4, 4), {"K=2 M=2", "M=2 N=4 K=2"});
  e.policy().child_read_on_drain = false;
  e.Expect(1, "Z", kReads, 48);
}

TEST(CostExamples, FirstReadElisionOff) {
  Example e(Gemm(4, 4, 4), {"K=2 M=2", "M=2 N=4 K=2"});
  e.policy().first_read_elision = false;
  e.Expect(1, "Z", kReads, 64 + 32);
  e.Expect(1, "Z", kFills, 32);
  e.Expect(0, "Z", kReads, 32);
}

TEST(CostExamples, DramAccumulates) {
  Example e(Gemm(4, 4, 4), {"K=2 M=2", "M=2 N=4 K=2"});
  e.policy().dram_accumulates = true;
  e.Expect(1, "Z", kFills, 0);
  e.Expect(0, "Z", kReads, 16);
  e.Expect(0, "Z", &TensorTraffic::network_words, 32);
}

TEST(CostExamples, NetworkReadBackOff) {
  Example e(Gemm(4, 4, 4), {"K=2 M=2", "M=2 N=4 K=2"});
  e.policy().network_read_back = false;
  e.Expect(0, "Z", &TensorTraffic::network_words, 32);
}

TEST(CostExamples, ParentAccumulates) {
  Example e(Gemm(4, 4, 8), {"K=2 M=2", "K=2 N=4", "M=2 K=2"});
  e.Expect(2, "Z", kUpdates, 128);
  e.Expect(2, "Z", kReads, 112 + 64);
  e.Expect(2, "Z", kFills, 48);
  e.Expect(1, "Z", kUpdates, 64);
  e.Expect(1, "Z", kReads, 48 + 32);
  e.Expect(1, "Z", kFills, 16);
  e.Expect(0, "Z", kReads, 16);
  e.policy().parent_accumulates = true;
  e.Expect(2, "Z", kReads, 64 + 64);
  e.Expect(2, "Z", kFills, 0);
  e.Expect(1, "Z", kReads, 48 + 32);
  e.Expect(1, "Z", kFills, 16);
  e.Expect(0, "Z", kReads, 32);
  e.Expect(0, "Z", kUpdates, 32);
}

// --- space -------------------------------------------------------------------------------------

TEST(CostExamples, Multicast) {
  Example e(Gemm(2, 3, 4), {"", "K=4 x:M=2 y:N=3", ""});
  e.Expect(1, "A", kReads, 8);
  e.Expect(1, "B", kReads, 12);
  e.Expect(2, "A", kFills, 24);
  e.policy().multicast = false;
  e.Expect(1, "A", kReads, 24);
  e.Expect(1, "B", kReads, 24);
  e.policy().multicast = true;
  e.chain().levels[1].fan_out.network.multicast = false;
  e.Expect(1, "A", kReads, 24);
}

TEST(CostExamples, SpatialReduction) {
  Example e(Gemm(2, 1, 4), {"", "M=2 x:K=4", ""});
  e.Expect(1, "Z", kUpdates, 2);
  e.Expect(1, "Z", &TensorTraffic::spatial_reductions, 6);
  e.Expect(1, "Z", kReads, 2);  // the drain to level 0
  e.chain().levels[1].fan_out.network.reduction = false;
  e.Expect(1, "Z", kUpdates, 8);
  e.Expect(1, "Z", kReads, 6 + 2);
}

TEST(CostExamples, NeighbourForwarding) {
  Example e(Conv1d(1, 3, 4), {"R=3 x:P=4", ""});
  e.Expect(0, "I", kReads, 12);
  e.chain().levels[0].fan_out.network.neighbour_forwarding = true;
  e.Expect(0, "I", kReads, 6);
  e.Expect(1, "I", kFills, 12);
  e.policy().neighbour_forwarding = false;
  e.Expect(0, "I", kReads, 12);
}

// --- shapes ------------------------------------------------------------------------------------

TEST(CostExamples, GapWords) {
  Example e(MakeNest({{"K", 2}, {"P", 8}}, {{"W", {"K"}}, {"I", {"3P"}}, {"O", {"K", "P"}}}),
            {"P=2", "K=2 P=4"});
  e.Expect(1, "I", kTile, 4);
  e.Expect(1, "I", kFills, 8);
  e.policy().gap_words = true;
  e.Expect(1, "I", kTile, 10);
  e.Expect(1, "I", kFills, 20);
  e.Expect(0, "I", kTile, 22);
}

TEST(CostExamples, RaggedTiles) {
  Example e(Conv1d(1, 2, 7), {"P=2", "P=4,3 R=2"});
  e.Expect(1, "I", kTile, 5);
  e.Expect(1, "I", kFills, 8);
  e.Expect(0, "O", kUpdates, 7);
  e.ExpectCycles(14);
}

TEST(CostExamples, RaggedSpace) {
  Example e(Gemm(3, 1, 2), {"M=2 x:M=2,1", "K=2"});
  e.Expect(1, "A", kFills, 6);
  e.Expect(1, "B", kFills, 4);
  e.Expect(0, "B", kReads, 2);
  e.Expect(0, "Z", kUpdates, 3);
  e.ExpectCycles(4);
}

TEST(CostExamples, VectorRounding) {
  Example e(Conv1d(1, 3, 16), {"P=16", "R=3"});
  e.chain().levels[1].memory.block_words = 4;
  e.Expect(1, "I", kFills, 18);
  e.Expect(1, "I", &TensorTraffic::fill_blocks, 5);
  e.policy().vector_rounding = cost::VectorRounding::kPerTile;
  e.Expect(1, "I", kFills, 18);
  e.Expect(1, "I", &TensorTraffic::fill_blocks, 16);
}

// --- totals ------------------------------------------------------------------------------------

TEST(CostExamples, Energy) {
  Example e(Gemm(4, 4, 4), {"K=2 M=2", "M=2 N=4 K=2"});
  arch::Memory& dram = e.chain().levels[0].memory;
  dram.read_pj = 200;
  dram.update_pj = 200;
  arch::Memory& buffer = e.chain().levels[1].memory;
  buffer.read_pj = 2;
  buffer.fill_pj = 3;
  buffer.update_pj = 3;
  buffer.leakage_pj_per_cycle = 0.5;
  e.chain().compute.classes[0].pj_per_operation = 1;
  // DRAM: (16 + 16 + 16) reads and 32 updates; buffer: 64 + 64 + 80 reads, 48 fills, 64 updates.
  e.ExpectEnergy(200 * (48 + 32) + 2 * 208 + 3 * 48 + 3 * 64 + 0.5 * 64 + 64);
}

TEST(CostExamples, Hops) {
  Example e(Gemm(2, 3, 4), {"", "K=4 x:M=2 y:N=3", ""});
  arch::Network& network = e.chain().levels[1].fan_out.network;
  network.hop_pj = 1;
  network.router_pj = 0.5;
  e.Expect(1, "A", &TensorTraffic::hops, 20.0);
  e.Expect(1, "B", &TensorTraffic::hops, 28.0);
  e.Expect(1, "Z", &TensorTraffic::hops, 7.0);
  e.Expect(1, "A", &TensorTraffic::network_energy_pj, 20 + 0.5 * 8 * 3);
  e.Expect(1, "B", &TensorTraffic::network_energy_pj, 28 + 0.5 * 12 * 3);
  e.Expect(1, "Z", &TensorTraffic::network_energy_pj, 7 + 0.5 * 6 * 2);
}

TEST(CostExamples, Latency) {
  Example e(Gemm(4, 4, 4), {"K=2 M=2", "M=2 N=4 K=2"});
  e.ExpectCycles(64);
  e.chain().levels[0].memory.read_bandwidth = 0.5;
  e.ExpectCycles(96);
  e.chain().levels[1].memory.read_bandwidth = 2;
  e.ExpectCycles(104);
  e.chain().levels[0].fan_out.network.bandwidth = 0.5;
  e.ExpectCycles(160);  // 16 + 16 down, 32 + 16 for the partial sums
}

}  // namespace
}  // namespace sluice::testing
