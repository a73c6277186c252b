#include "cost/evaluator.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include <fmt/format.h>

#include "arch/architecture.h"
#include "base/checked.h"
#include "base/diagnostic.h"
#include "cost/axis/moves.h"
#include "cost/compiled.h"
#include "cost/cost.h"
#include "cost/policy.h"
#include "ir/network.h"
#include "mapping/mapping.h"
#include "mapping/validity.h"
#include "mapping/workload.h"

namespace sluice::cost {
namespace {

constexpr std::int64_t kCountLimit = std::int64_t{1} << 61;

CompiledTensor CompileTensor(const mapping::WorkloadTensor& tensor, const Policy& policy) {
  CompiledTensor out;
  out.axes = static_cast<int>(tensor.axes.size());
  out.is_output = tensor.is_output;
  out.accumulates = tensor.read_modify_write;
  out.dims = tensor.dims;
  std::uint32_t seen = 0;
  for (int a = 0; a < out.axes; ++a) {
    const mapping::WorkloadAxis& axis = tensor.axes[Index(a)];
    out.axis[Index(a)] = axis;
    if (axis.size() > 1) {
      out.windows |= 1U << static_cast<unsigned>(a);
    }
    for (const mapping::WorkloadTerm& term : axis) {
      const std::uint32_t bit = 1U << static_cast<unsigned>(term.dim);
      out.joint = out.joint || (seen & bit) != 0;
      seen |= bit;
      out.coefficient[Index(a)][Index(term.dim)] += term.coefficient;
      if (axis.size() == 1) {
        out.single_dims |= bit;
      }
      // A single strided term moves like a dense one unless gaps count.
      out.plain = out.plain && (term.coefficient == 1 || !policy.gap_words);
    }
  }
  out.plain = out.plain && out.windows == 0 && !out.joint;
  return out;
}

CompiledLevel CompileLevel(const arch::Chain& chain, std::size_t l, const Policy& policy) {
  const arch::Memory& memory = chain.levels[l].memory;
  const arch::FanOut& fan_out = chain.levels[l].fan_out;
  CompiledLevel out;
  out.block_words = memory.block_words;
  out.read_bandwidth = memory.read_bandwidth.value_or(0);
  out.write_bandwidth = memory.write_bandwidth.value_or(0);
  out.network_bandwidth = fan_out.network.bandwidth.value_or(0);
  out.read_pj = memory.read_pj;
  out.fill_pj = memory.fill_pj;
  out.update_pj = memory.update_pj;
  out.leakage_pj = memory.leakage_pj_per_cycle * static_cast<double>(chain.instances(l));
  out.hop_pj = fan_out.network.hop_pj;
  out.router_pj = fan_out.network.router_pj;
  out.reduction_pj = fan_out.network.reduction_pj;
  out.fan_x = fan_out.x;
  out.fan_y = fan_out.y;
  out.multicast = policy.multicast && fan_out.network.multicast;
  out.reduction = policy.multicast && fan_out.network.reduction;
  out.forwarding =
      policy.neighbour_forwarding && out.multicast && fan_out.network.neighbour_forwarding;
  out.has_network_cost = out.hop_pj > 0 || out.router_pj > 0 || out.reduction_pj > 0;
  return out;
}

/// Rounds up; positive and below 2^62. (std::ceil is a library call on baseline x86-64.)
double Ceil(double value) {
  const auto whole = static_cast<double>(static_cast<std::int64_t>(value));
  return whole < value ? whole + 1.0 : whole;
}

/// No counter of any mapping exceeds points x (sum of coefficients per axis) per tensor. The sum of
/// these limits.
Result<double> CheckCounts(const mapping::Workload& workload) {
  std::int64_t points = 1;
  for (const std::int64_t bound : workload.bounds) {
    const auto product = CheckedMul(points, bound);
    if (!product || *product > kCountLimit) {
      return Fail(Diagnostic(ErrorCode::kOnnxOverflow,
                             fmt::format("operator `{}` has more than 2^61 points", workload.name))
                      .WithHint("a dimension is probably wrong"));
    }
    points = *product;
  }
  double sum = 0;
  for (std::size_t t = 0; t < workload.tensors.size(); ++t) {
    std::int64_t limit = points;
    for (const mapping::WorkloadAxis& axis : workload.tensors[t].axes) {
      std::int64_t factor = 0;
      for (const mapping::WorkloadTerm& term : axis) {
        factor = CheckedAdd(factor, term.coefficient).value_or(kCountLimit);
      }
      limit = CheckedMul(limit, std::max<std::int64_t>(1, factor)).value_or(kCountLimit + 1);
      if (limit > kCountLimit) {
        return Fail(ErrorCode::kOnnxOverflow,
                    fmt::format("traffic of tensor `{}` of operator `{}` can exceed 2^61 words",
                                workload.tensor_names[t], workload.name));
      }
    }
    sum += static_cast<double>(limit);
  }
  return sum;
}

/// Cycles are counted in whole numbers. `words`: of all counters of one kind.
Status CheckCycles(const Compiled& compiled, const arch::Chain& chain,
                   const mapping::Workload& workload, double words) {
  const auto check = [&](double cycles, const std::string& slow) -> Status {
    if (cycles <= static_cast<double>(kCountLimit)) {
      return {};
    }
    return Fail(Diagnostic(ErrorCode::kArchInvalid,
                           fmt::format("operator `{}` could take more than 2^61 cycles: {} is "
                                       "too slow",
                                       workload.name, slow))
                    .WithHint("check the unit of its rate"));
  };
  SLUICE_TRY_STATUS(check(static_cast<double>(compiled.points) * compiled.cycles_per_point,
                          fmt::format("compute unit `{}`", chain.compute.name)));
  for (int l = 0; l < compiled.levels; ++l) {
    const CompiledLevel& level = compiled.level[Index(l)];
    double slowest = 0;  // cycles for a word; two counters share a port at most
    for (const double rate :
         {level.read_bandwidth, level.write_bandwidth, level.network_bandwidth}) {
      slowest = std::max(slowest, rate > 0 ? 2 / rate : 0);
    }
    SLUICE_TRY_STATUS(
        check(words * slowest, fmt::format("memory `{}`", chain.levels[Index(l)].memory.name)));
  }
  return {};
}

}  // namespace

Result<Evaluator> Evaluator::Create(const mapping::Workload& workload, const arch::Chain& chain,
                                    const Policy& policy) {
  if (chain.levels.empty() || chain.levels.size() > Index(kMaxLevels)) {
    return Fail(ErrorCode::kArchInvalid,
                fmt::format("a chain of {} memories cannot be evaluated (1 to {})",
                            chain.levels.size(), kMaxLevels));
  }
  SLUICE_TRY(const double words, CheckCounts(workload));
  Evaluator evaluator(workload, chain, policy);
  Compiled& compiled = evaluator.compiled_;
  double cycles = 0;
  double picojoules = 0;
  for (const ir::Work& work : workload.body) {
    const auto unit = std::ranges::find_if(
        chain.compute.classes,
        [&work](const arch::ComputeClass& c) { return c.work_class == work.work_class; });
    if (unit == chain.compute.classes.end()) {
      if (work.work_class != ir::WorkClass::kMove) {
        return Fail(ErrorCode::kArchInvalid,
                    fmt::format("compute unit `{}` does not run the work of operator `{}`",
                                chain.compute.name, workload.name));
      }
      cycles += static_cast<double>(work.per_point);
      continue;
    }
    cycles += static_cast<double>(work.per_point) / unit->operations_per_cycle;
    picojoules += static_cast<double>(work.per_point) * unit->pj_per_operation;
  }
  compiled.cycles_per_point = cycles;
  compiled.compute_pj_per_point = picojoules;
  SLUICE_TRY_STATUS(CheckCycles(compiled, chain, workload, words));
  return evaluator;
}

Evaluator::Evaluator(const mapping::Workload& workload, const arch::Chain& chain,
                     const Policy& policy)
    : workload_(workload),
      chain_(chain),
      policy_(policy),
      validity_(mapping::MakeValidityTable(workload, chain)) {
  compiled_.dims = workload.dims();
  compiled_.tensors = static_cast<int>(workload.tensors.size());
  compiled_.levels = static_cast<int>(chain.levels.size());
  for (int d = 0; d < compiled_.dims; ++d) {
    compiled_.bound[Index(d)] = workload.bounds[Index(d)];
  }
  compiled_.points = workload.points();
  for (int t = 0; t < compiled_.tensors; ++t) {
    compiled_.tensor[Index(t)] = CompileTensor(workload.tensors[Index(t)], policy);
  }
  for (std::size_t l = 0; l < chain.levels.size(); ++l) {
    compiled_.level[l] = CompileLevel(chain, l, policy);
    compiled_.any_network_cost = compiled_.any_network_cost || compiled_.level[l].has_network_cost;
  }
  compiled_.compute_units = chain.compute_instances();
  compiled_.compute_leakage_pj =
      chain.compute.leakage_pj_per_cycle * static_cast<double>(compiled_.compute_units);
}

bool Evaluator::IsValid(const mapping::Mapping& mapping) const {
  return mapping::FitsQuickly(workload_, validity_, mapping);
}

void Evaluator::Count(const mapping::Mapping& mapping, bool with_hops, Work& work) const {
  for (int l = 0; l < compiled_.levels; ++l) {
    for (int t = 0; t < compiled_.tensors; ++t) {
      work.at[Index(l)][Index(t)] = Counters{};
    }
  }
  Nest nest;  // scratch; BuildNest fills what is used
  BuildNest(compiled_, mapping, nest);
  if (nest.ragged) {
    CountRagged(compiled_, policy_, mapping, nest, work);
  } else {
    CountPerfect(compiled_, policy_, mapping, nest, work);
  }
  RoundTotals(compiled_, policy_, work);
  if (with_hops || compiled_.any_network_cost) {
    CountNetwork(compiled_, mapping, nest, work);
  }
}

// The one place where counts become energy and cycles. `cost` is filled too when given; the
// arithmetic is the same, so that both entry points agree bit for bit.
Score Evaluator::Summarize(const Work& work, Cost* cost) const {
  const auto compute_cycles =
      static_cast<std::int64_t>(Ceil(static_cast<double>(work.steps) * compiled_.cycles_per_point));
  auto cycles = static_cast<double>(compute_cycles);
  Binding binding;
  double energy = static_cast<double>(compiled_.points) * compiled_.compute_pj_per_point;
  double leakage_per_cycle = compiled_.compute_leakage_pj;
  if (cost != nullptr) {
    cost->compute_energy_pj = energy;
  }
  for (int l = 0; l < compiled_.levels; ++l) {
    const CompiledLevel& level = compiled_.level[Index(l)];
    std::int64_t read_words = 0;
    std::int64_t write_words = 0;
    std::int64_t network_words = 0;
    for (int t = 0; t < compiled_.tensors; ++t) {
      const Counters& c = work.at[Index(l)][Index(t)];
      const double access = static_cast<double>(c.read_blocks) * level.read_pj +
                            static_cast<double>(c.fill_blocks) * level.fill_pj +
                            static_cast<double>(c.update_blocks) * level.update_pj;
      energy += access + c.network_pj;
      read_words += c.reads;
      write_words += c.fills + c.updates;
      network_words += c.network_words;
      if (cost != nullptr) {
        TensorTraffic& traffic = cost->level[Index(l)].tensors[Index(t)];
        traffic = {
            c.reads,       c.fills,         c.updates,       c.tile_words, c.read_blocks,
            c.fill_blocks, c.update_blocks, c.network_words, c.hops,       c.spatial_reductions,
            access,        c.network_pj,    c.kept};
      }
    }
    const auto instances = static_cast<double>(work.instances[Index(l)]);
    const auto needed = [instances](std::int64_t words, double bandwidth) {
      return bandwidth > 0 ? Ceil(static_cast<double>(words) / (instances * bandwidth)) : 0.0;
    };
    const double read_cycles = needed(read_words, level.read_bandwidth);
    const double write_cycles = needed(write_words, level.write_bandwidth);
    const double network_cycles = needed(network_words, level.network_bandwidth);
    const auto limit = [&](double candidate, Resource resource) {
      if (candidate > cycles) {
        cycles = candidate;
        binding = {resource, l};
      }
    };
    limit(read_cycles, Resource::kRead);
    limit(write_cycles, Resource::kWrite);
    limit(network_cycles, Resource::kNetwork);
    leakage_per_cycle += level.leakage_pj;
    if (cost != nullptr) {
      LevelCost& out = cost->level[Index(l)];
      out.instances_used = work.instances[Index(l)];
      out.read_cycles = read_cycles;
      out.write_cycles = write_cycles;
      out.network_cycles = network_cycles;
    }
  }
  energy += leakage_per_cycle * cycles;
  if (cost != nullptr) {
    for (int l = 0; l < compiled_.levels; ++l) {
      cost->level[Index(l)].leakage_pj = compiled_.level[Index(l)].leakage_pj * cycles;
    }
    cost->leakage_pj = leakage_per_cycle * cycles;
    cost->compute_cycles = compute_cycles;
    cost->binding = binding;
  }
  return {energy, cycles};
}

Score Evaluator::Evaluate(const mapping::Mapping& mapping) const {
  Work work;
  Count(mapping, false, work);
  return Summarize(work, nullptr);
}

Cost Evaluator::EvaluateFull(const mapping::Mapping& mapping) const {
  Work work;
  Count(mapping, true, work);
  Cost cost;
  cost.score = Summarize(work, &cost);
  cost.levels = compiled_.levels;
  cost.tensors = compiled_.tensors;
  cost.operations = compiled_.points;
  for (int t = 0; t < compiled_.tensors; ++t) {
    std::int64_t words = 1;
    for (int a = 0; a < compiled_.tensor[Index(t)].axes; ++a) {
      words *=
          TileAxis(compiled_.tensor[Index(t)].axis[Index(a)], compiled_.bound, policy_.gap_words)
              .size();
    }
    cost.level[0].tensors[Index(t)].tile_words = words;
  }
  cost.instances_used = work.instances[Index(compiled_.levels)];
  cost.utilization = static_cast<double>(compiled_.points) * compiled_.cycles_per_point /
                     (cost.score.cycles * static_cast<double>(compiled_.compute_units));
  return cost;
}

}  // namespace sluice::cost
