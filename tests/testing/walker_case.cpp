#include "testing/walker_case.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "cost/evaluator.h"
#include "testing/generators.h"
#include "testing/walker.h"

namespace sluice::testing {
namespace {

/// The rule for blocks of read-back partial sums is approximate for windows on the output and for
/// boxes with gaps (docs/cost-model.md, "Vector accesses"), hence also the energy.
bool BlocksAreExact(const WalkerCase& c) {
  if (c.policy.vector_rounding == cost::VectorRounding::kTotal) {
    return true;
  }
  const auto& axes = c.workload.tensors.back().axes;
  return std::all_of(axes.begin(), axes.end(), [&](const mapping::WorkloadAxis& axis) {
    return axis.empty() || (axis.size() == 1 && (axis[0].coefficient == 1 || !c.policy.gap_words));
  });
}

/// Hops are averages over groups of one size, exact where all instances are alike; the walk lets
/// read-back and forwarded words travel for free.
bool HopsAreExact(const WalkerCase& c) {
  bool exact = !c.policy.network_read_back && !c.policy.neighbour_forwarding;
  for (const mapping::LevelMapping& level : c.mapping.levels) {
    for (const mapping::LoopList* loops : {&level.temporal, &level.spatial_x, &level.spatial_y}) {
      for (const mapping::Loop& loop : *loops) {
        exact = exact && loop.last == loop.bound;
      }
    }
  }
  return exact;
}

bool HopsAreFree(const WalkerCase& c) {
  return std::all_of(c.chain.levels.begin(), c.chain.levels.end(), [](const arch::Level& level) {
    const arch::Network& n = level.fan_out.network;
    return n.hop_pj == 0 && n.router_pj == 0 && n.reduction_pj == 0;
  });
}

/// Collects differing counters.
class Comparison {
 public:
  void At(std::string place) { place_ = std::move(place); }
  void Check(const char* counter, std::int64_t walked, std::int64_t evaluated) {
    if (walked != evaluated) {
      Add(counter, fmt::format("walker {} evaluator {}", walked, evaluated));
    }
  }
  void Check(const char* counter, double walked, double evaluated) {
    if (!(std::abs(walked - evaluated) <= 1e-9 * std::abs(walked))) {
      Add(counter, fmt::format("walker {} evaluator {}", walked, evaluated));
    }
  }
  [[nodiscard]] const std::vector<Mismatch>& mismatches() const { return mismatches_; }

 private:
  void Add(const char* counter, const std::string& values) {
    mismatches_.push_back({counter, fmt::format("{}{}: {}", place_, counter, values)});
  }

  std::string place_;
  std::vector<Mismatch> mismatches_;
};

void CompareTensor(bool blocks, const cost::TensorTraffic& walked,
                   const cost::TensorTraffic& evaluated, Comparison& out) {
  out.Check("kept", std::int64_t{walked.kept}, std::int64_t{evaluated.kept});
  out.Check("tile_words", walked.tile_words, evaluated.tile_words);
  out.Check("fills", walked.fills, evaluated.fills);
  out.Check("updates", walked.updates, evaluated.updates);
  out.Check("reads", walked.reads, evaluated.reads);
  out.Check("network_words", walked.network_words, evaluated.network_words);
  out.Check("spatial_reductions", walked.spatial_reductions, evaluated.spatial_reductions);
  if (blocks) {
    out.Check("fill_blocks", walked.fill_blocks, evaluated.fill_blocks);
    out.Check("update_blocks", walked.update_blocks, evaluated.update_blocks);
    out.Check("read_blocks", walked.read_blocks, evaluated.read_blocks);
    out.Check("energy_pj", walked.energy_pj, evaluated.energy_pj);
  }
}

/// The evaluator books the whole way from parent to child at the parent, the walk at each fan-out.
void CompareHops(const WalkerCase& c, const cost::Cost& walked, const cost::Cost& evaluated,
                 Comparison& out) {
  for (std::size_t t = 0; t < c.workload.tensors.size(); ++t) {
    cost::TensorTraffic w;
    cost::TensorTraffic e;
    for (std::size_t l = 0; l < c.mapping.levels.size(); ++l) {
      w.hops += walked.level[l].tensors[t].hops;
      e.hops += evaluated.level[l].tensors[t].hops;
      w.network_energy_pj += walked.level[l].tensors[t].network_energy_pj;
      e.network_energy_pj += evaluated.level[l].tensors[t].network_energy_pj;
    }
    out.At(c.workload.tensor_names[t] + " ");
    out.Check("hops", w.hops, e.hops);
    out.Check("network_energy_pj", w.network_energy_pj, e.network_energy_pj);
  }
}

}  // namespace

cost::Policy RandomPolicy(Rng& rng) {
  switch (rng.Below(6)) {
    case 0:
      return cost::PhysicalPolicy();
    case 1:
      return cost::TimeloopPolicy();
    default:
      break;
  }
  const auto coin = [&] { return rng.Below(2) == 0; };
  cost::Policy policy;
  policy.first_read_elision = coin();
  policy.child_read_on_drain = coin();
  policy.dram_accumulates = coin();
  policy.parent_accumulates = coin();
  policy.neighbour_forwarding = coin();
  policy.multicast = rng.Below(4) != 0;
  policy.network_read_back = coin();
  policy.gap_words = coin();
  policy.window = coin() ? cost::WindowRule::kExact : cost::WindowRule::kSameDirection;
  policy.vector_rounding = coin() ? cost::VectorRounding::kTotal : cost::VectorRounding::kPerTile;
  return policy;
}

WalkerCase RandomWalkerCase(Rng& rng) {
  WalkerCase c;
  c.workload = RandomWorkload(rng);
  c.chain = RandomChain(rng);
  c.mapping = RandomMapping(c.workload, c.chain, rng, rng.Below(2) == 0);
  c.policy = RandomPolicy(rng);
  if (rng.Below(2) == 0) {  // hops cost nothing: the total energy can be compared
    for (arch::Level& level : c.chain.levels) {
      level.fan_out.network.hop_pj = 0;
      level.fan_out.network.router_pj = 0;
      level.fan_out.network.reduction_pj = 0;
    }
  }
  return c;
}

std::vector<Mismatch> Differences(const WalkerCase& c) {
  const auto evaluator = cost::Evaluator::Create(c.workload, c.chain, c.policy);
  if (!evaluator) {
    return {{"Create", evaluator.error().message}};
  }
  const cost::Cost evaluated = evaluator->EvaluateFull(c.mapping);
  const cost::Cost walked = Walk(c.workload, c.chain, c.mapping, c.policy);
  const bool blocks = BlocksAreExact(c);
  const bool hops = HopsAreExact(c);
  Comparison out;
  out.Check("operations", walked.operations, evaluated.operations);
  out.Check("levels", std::int64_t{walked.levels}, std::int64_t{evaluated.levels});
  out.Check("tensors", std::int64_t{walked.tensors}, std::int64_t{evaluated.tensors});
  out.Check("instances_used", walked.instances_used, evaluated.instances_used);
  out.Check("compute_cycles", walked.compute_cycles, evaluated.compute_cycles);
  for (std::size_t l = 0; l < c.mapping.levels.size(); ++l) {
    const std::string at = fmt::format("level {} ", l);
    out.At(at);
    const cost::LevelCost& w = walked.level[l];
    const cost::LevelCost& e = evaluated.level[l];
    out.Check("instances_used", w.instances_used, e.instances_used);
    for (std::size_t t = 0; t < c.workload.tensors.size(); ++t) {
      out.At(at + c.workload.tensor_names[t] + " ");
      CompareTensor(blocks, w.tensors[t], e.tensors[t], out);
    }
    out.At(at);
    out.Check("read_cycles", w.read_cycles, e.read_cycles);
    out.Check("write_cycles", w.write_cycles, e.write_cycles);
    out.Check("network_cycles", w.network_cycles, e.network_cycles);
  }
  if (hops) {
    CompareHops(c, walked, evaluated, out);
  }
  out.At("");
  out.Check("cycles", walked.score.cycles, evaluated.score.cycles);
  out.Check("compute_energy_pj", walked.compute_energy_pj, evaluated.compute_energy_pj);
  out.Check("leakage_pj", walked.leakage_pj, evaluated.leakage_pj);
  for (std::size_t l = 0; l < c.mapping.levels.size(); ++l) {
    out.Check("leakage_pj", walked.level[l].leakage_pj, evaluated.level[l].leakage_pj);
  }
  out.Check("utilization", walked.utilization, evaluated.utilization);
  if (blocks && (hops || HopsAreFree(c))) {
    out.Check("energy_pj", walked.score.energy_pj, evaluated.score.energy_pj);
  }
  return out.mismatches();
}

}  // namespace sluice::testing
