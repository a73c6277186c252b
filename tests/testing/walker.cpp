#include "testing/walker.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "testing/walk_edge.h"

namespace sluice::testing {
namespace {

std::int64_t Size(const Words& words) {
  return static_cast<std::int64_t>(words.size());
}

std::int64_t CeilDivide(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

class Walker {
 public:
  Walker(const mapping::Workload& workload, const arch::Chain& chain,
         const mapping::Mapping& mapping, const cost::Policy& policy)
      : workload_(workload),
        chain_(chain),
        mapping_(mapping),
        policy_(policy),
        nest_(workload, mapping),
        levels_(static_cast<int>(mapping.levels.size())) {}

  cost::Cost Run() {
    cost_.levels = levels_;
    cost_.tensors = static_cast<int>(workload_.tensors.size());
    CountSteps();
    for (std::size_t t = 0; t < workload_.tensors.size(); ++t) {
      if (workload_.tensors[t].is_output) {
        CountOutput(t);
      } else {
        CountInput(t);
      }
    }
    CountCycles();
    CountEnergy();
    return cost_;
  }

 private:
  void CountSteps() {
    cost_.operations = 1;
    for (const Words& c : nest_.Everything()) {
      cost_.operations *= Size(c);
    }
    std::vector<std::int64_t> index(nest_.size(), 0);
    std::vector<Words> coordinates;
    for (int level = 0; level <= levels_; ++level) {
      std::int64_t steps = 0;
      std::int64_t busiest = 0;
      nest_.ForEach(nest_.Above(level, false), index, [&] {
        std::int64_t active = 0;
        nest_.ForEach(nest_.Above(level, true), index,
                      [&] { active += nest_.Coordinates(level, index, coordinates) ? 1 : 0; });
        steps += active > 0 ? 1 : 0;
        busiest = std::max(busiest, active);
      });
      if (level < levels_) {
        cost_.level[static_cast<std::size_t>(level)].instances_used = busiest;
      } else {
        cost_.instances_used = busiest;
        steps_ = steps;
      }
    }
  }

  [[nodiscard]] bool Kept(int level, std::size_t tensor) const {
    return level == 0 || ((mapping_.levels[static_cast<std::size_t>(level)].keep >> tensor) & 1U);
  }

  cost::TensorTraffic& At(int level, std::size_t tensor) {
    return cost_.level[static_cast<std::size_t>(level)].tensors[tensor];
  }

  [[nodiscard]] std::int64_t Block(int level) const {
    return level < levels_ ? chain_.levels[static_cast<std::size_t>(level)].memory.block_words : 1;
  }

  /// Whether all fan-outs between the two levels that the mapping uses have a feature.
  [[nodiscard]] bool Offered(int parent, int child, bool arch::Network::* feature) const {
    for (int l = parent; l < child; ++l) {
      const auto at = static_cast<std::size_t>(l);
      std::int64_t used = 1;
      for (const mapping::LoopList* loops :
           {&mapping_.levels[at].spatial_x, &mapping_.levels[at].spatial_y}) {
        for (const mapping::Loop& loop : *loops) {
          used *= loop.bound;
        }
      }
      if (used > 1 && !(chain_.levels[at].fan_out.network.*feature)) {
        return false;
      }
    }
    return true;
  }

  /// The levels that keep the tensor, outermost first, then the compute unit.
  [[nodiscard]] std::vector<int> Holders(std::size_t tensor) const {
    std::vector<int> result;
    for (int l = 0; l < levels_; ++l) {
      if (Kept(l, tensor)) {
        result.push_back(l);
      }
    }
    result.push_back(levels_);
    return result;
  }

  [[nodiscard]] Edge Count(std::size_t tensor, int parent, int child) const {
    const bool output = workload_.tensors[tensor].is_output;
    EdgeRule rule;
    rule.parent = parent;
    rule.child = child;
    rule.output = output;
    for (const arch::Level& level : chain_.levels) {
      const arch::Network& network = level.fan_out.network;
      rule.merges.push_back(policy_.multicast && (output ? network.reduction : network.multicast));
    }
    for (std::size_t l = 0; l < chain_.levels.size(); ++l) {
      Grid grid;
      for (const mapping::Loop& loop : mapping_.levels[l].spatial_x) {
        grid.x_bounds.push_back(loop.bound);
      }
      for (const mapping::Loop& loop : mapping_.levels[l].spatial_y) {
        grid.y_bounds.push_back(loop.bound);
      }
      grid.source_y = static_cast<double>(chain_.levels[l].fan_out.y - 1) / 2.0;
      rule.grids.push_back(grid);
    }
    rule.retain = child < levels_;
    rule.forward = !output && rule.retain && policy_.multicast && policy_.neighbour_forwarding &&
                   Offered(parent, child, &arch::Network::multicast) &&
                   Offered(parent, child, &arch::Network::neighbour_forwarding);
    rule.window = policy_.window;
    rule.parent_block = Block(parent);
    rule.child_block = Block(child);
    return WalkEdge(nest_, TensorSpace(workload_, tensor, policy_.gap_words), rule);
  }

  void StartTensor(std::size_t tensor) {
    const TensorSpace space(workload_, tensor, policy_.gap_words);
    At(0, tensor).tile_words = Size(space.TileOf(nest_.Everything()).words);
    for (int l = 0; l < levels_; ++l) {
      At(l, tensor).kept = Kept(l, tensor);
    }
  }

  void CountInput(std::size_t tensor) {
    StartTensor(tensor);
    const std::vector<int> holders = Holders(tensor);
    for (std::size_t i = 0; i + 1 < holders.size(); ++i) {
      const int parent = holders[i];
      const int child = holders[i + 1];
      const Edge edge = Count(tensor, parent, child);
      At(parent, tensor).reads = edge.merged;
      At(parent, tensor).read_blocks = edge.merged_blocks;
      At(parent, tensor).network_words = edge.merged;
      BookHops(tensor, edge);
      if (child < levels_) {
        At(child, tensor).fills = edge.delivered;
        At(child, tensor).fill_blocks = edge.delivered_blocks;
        At(child, tensor).tile_words = edge.tile_words;
      }
    }
  }

  /// Groups of one size share their average way; routers are counted on the average, rounded down.
  void BookHops(std::size_t tensor, const Edge& edge) {
    for (const auto& [fan_out, classes] : edge.hops) {
      const arch::Network& network =
          chain_.levels[static_cast<std::size_t>(fan_out)].fan_out.network;
      cost::TensorTraffic& at = At(fan_out, tensor);
      for (const auto& [size, together] : classes) {
        const double average = together.hops / static_cast<double>(together.groups);
        const auto words = static_cast<double>(together.words);
        at.hops += words * average;
        at.network_energy_pj +=
            words * (average * network.hop_pj + network.router_pj * (1 + std::floor(average)));
      }
      if (workload_.tensors[tensor].is_output) {
        at.network_energy_pj +=
            static_cast<double>(edge.reductions_in.at(fan_out)) * network.reduction_pj;
      }
    }
  }

  void CountOutput(std::size_t tensor) {
    StartTensor(tensor);
    const bool accumulates = workload_.tensors[tensor].read_modify_write;
    const std::vector<int> holders = Holders(tensor);
    std::optional<Edge> above;  // the edge that drains the level `parent`
    for (std::size_t i = 0; i + 1 < holders.size(); ++i) {
      const int parent = holders[i];
      const int child = holders[i + 1];
      const Edge edge = Count(tensor, parent, child);
      cost::TensorTraffic& at = At(parent, tensor);
      at.updates = edge.merged;
      at.update_blocks = edge.merged_blocks;
      at.network_words = edge.merged;
      at.spatial_reductions = edge.reductions;
      BookHops(tensor, edge);
      if (accumulates) {
        const std::int64_t again = AddAccumulation(i > 0 ? holders[i - 1] : -1, edge, above, at);
        if (policy_.network_read_back && child < levels_ && FetchedBack(parent)) {
          at.network_words += again;
        }
      }
      if (child < levels_) {
        DrainChild(parent, accumulates, edge, At(child, tensor));
      }
      above = edge;
    }
  }

  /// Counts and returns the words that `at` must read to add what arrives over `below`.
  /// `above` and `grandparent` are the edge that drains `at` and where to (none at level 0).
  std::int64_t AddAccumulation(int grandparent, const Edge& below, const std::optional<Edge>& above,
                               cost::TensorTraffic& at) const {
    std::int64_t words = below.merged;
    std::int64_t blocks = below.merged_blocks;
    if (policy_.first_read_elision) {
      const bool within_visit = policy_.parent_accumulates && grandparent > 0;
      if (within_visit) {
        words = std::max<std::int64_t>(below.merged - above->delivered, 0);
        // An instance that idles in a ragged round keeps its tile while the parent's moves on: what
        // it adds later belongs to no visit of the parent, and only the number of words is defined.
        const bool idle = below.merged_in_visit != words;
        blocks =
            idle ? CeilDivide(words * below.merged_blocks, std::max<std::int64_t>(below.merged, 1))
                 : below.merged_in_visit_blocks;
      } else if (!policy_.parent_accumulates || above) {
        const std::int64_t partition = above ? above->delivered - above->again : at.tile_words;
        words = std::max<std::int64_t>(below.merged - partition, 0);
        blocks = below.merged_again_blocks;
      }
    }
    at.reads += words;
    at.read_blocks += blocks;
    return words;
  }

  /// Whether children of `parent` read partial sums back from it.
  [[nodiscard]] bool FetchedBack(int parent) const {
    return parent == 0 ? !policy_.dram_accumulates : !policy_.parent_accumulates;
  }

  void DrainChild(int parent, bool accumulates, const Edge& edge,
                  cost::TensorTraffic& child) const {
    child.tile_words = edge.tile_words;
    if (policy_.child_read_on_drain) {
      child.reads += edge.delivered;
      child.read_blocks += edge.delivered_blocks;
    }
    if (accumulates && FetchedBack(parent)) {
      child.fills = policy_.first_read_elision ? edge.again : edge.delivered;
      child.fill_blocks = policy_.first_read_elision ? edge.again_blocks : edge.delivered_blocks;
    }
  }

  void CountCycles() {
    double per_point = 0;
    double energy = 0;
    for (const ir::Work& work : workload_.body) {
      for (const arch::ComputeClass& c : chain_.compute.classes) {
        if (c.work_class == work.work_class) {
          per_point += static_cast<double>(work.per_point) / c.operations_per_cycle;
          energy += static_cast<double>(work.per_point) * c.pj_per_operation;
        }
      }
    }
    cost_.compute_energy_pj = energy * static_cast<double>(cost_.operations);
    cost_.compute_cycles =
        static_cast<std::int64_t>(std::ceil(static_cast<double>(steps_) * per_point));
    double cycles = static_cast<double>(cost_.compute_cycles);
    for (int l = 0; l < levels_; ++l) {
      cost::LevelCost& level = cost_.level[static_cast<std::size_t>(l)];
      const arch::Level& machine = chain_.levels[static_cast<std::size_t>(l)];
      std::int64_t reads = 0;
      std::int64_t writes = 0;
      std::int64_t network = 0;
      for (std::size_t t = 0; t < workload_.tensors.size(); ++t) {
        reads += level.tensors[t].reads;
        writes += level.tensors[t].fills + level.tensors[t].updates;
        network += level.tensors[t].network_words;
      }
      const auto port = [&](std::int64_t words, const std::optional<double>& bandwidth) {
        return bandwidth ? std::ceil(static_cast<double>(words) /
                                     (static_cast<double>(level.instances_used) * *bandwidth))
                         : 0.0;
      };
      level.read_cycles = port(reads, machine.memory.read_bandwidth);
      level.write_cycles = port(writes, machine.memory.write_bandwidth);
      level.network_cycles = port(network, machine.fan_out.network.bandwidth);
      cycles = std::max({cycles, level.read_cycles, level.write_cycles, level.network_cycles});
    }
    cost_.score.cycles = cycles;
    cost_.utilization = static_cast<double>(cost_.operations) * per_point /
                        (cycles * static_cast<double>(chain_.compute_instances()));
  }

  void CountEnergy() {
    const double cycles = cost_.score.cycles;
    double energy = cost_.compute_energy_pj;
    cost_.leakage_pj = chain_.compute.leakage_pj_per_cycle * cycles *
                       static_cast<double>(chain_.compute_instances());
    for (int l = 0; l < levels_; ++l) {
      const auto at = static_cast<std::size_t>(l);
      cost::LevelCost& level = cost_.level[at];
      const arch::Memory& memory = chain_.levels[at].memory;
      level.leakage_pj =
          memory.leakage_pj_per_cycle * cycles * static_cast<double>(chain_.instances(at));
      cost_.leakage_pj += level.leakage_pj;
      for (std::size_t t = 0; t < workload_.tensors.size(); ++t) {
        cost::TensorTraffic& traffic = level.tensors[t];
        if (policy_.vector_rounding == cost::VectorRounding::kTotal) {
          const auto rounded = [&](std::int64_t words) {
            const std::int64_t together = memory.block_words * level.instances_used;
            return memory.block_words == 1 ? words
                                           : CeilDivide(words, together) * level.instances_used;
          };
          traffic.read_blocks = rounded(traffic.reads);
          traffic.fill_blocks = rounded(traffic.fills);
          traffic.update_blocks = rounded(traffic.updates);
        }
        traffic.energy_pj = static_cast<double>(traffic.read_blocks) * memory.read_pj +
                            static_cast<double>(traffic.fill_blocks) * memory.fill_pj +
                            static_cast<double>(traffic.update_blocks) * memory.update_pj;
        energy += traffic.energy_pj + traffic.network_energy_pj;
      }
    }
    cost_.score.energy_pj = energy + cost_.leakage_pj;
  }

  const mapping::Workload& workload_;
  const arch::Chain& chain_;
  const mapping::Mapping& mapping_;
  const cost::Policy& policy_;
  Nest nest_;
  int levels_;
  std::int64_t steps_ = 0;
  cost::Cost cost_;
};

}  // namespace

cost::Cost Walk(const mapping::Workload& workload, const arch::Chain& chain,
                const mapping::Mapping& mapping, const cost::Policy& policy) {
  return Walker(workload, chain, mapping, policy).Run();
}

}  // namespace sluice::testing
