#include "mapping/dataflow/fill.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "arch/architecture.h"
#include "ir/network.h"
#include "mapping/dataflow/traffic.h"
#include "mapping/mapping.h"
#include "mapping/validity.h"
#include "mapping/workload.h"

namespace sluice::mapping {
namespace {

using Factors = FillWish::Factors;

bool Has(std::uint32_t mask, std::size_t bit) {
  return (mask >> bit & 1U) != 0;
}

/// The largest divisor of `number` that is at most `limit` and, if `of` is not 0, divides `of`.
std::int64_t LargestDivisor(std::int64_t number, std::int64_t limit, std::int64_t of) {
  std::int64_t best = 1;
  for (std::int64_t d = 1; d <= number / d; ++d) {
    if (number % d != 0) {
      continue;
    }
    for (const std::int64_t f : {d, number / d}) {
      if (f > best && f <= limit && (of == 0 || of % f == 0)) {
        best = f;
      }
    }
  }
  return best;
}

std::int64_t SmallestPrime(std::int64_t number) {
  for (std::int64_t p = 2; p <= number / p; ++p) {
    if (number % p == 0) {
      return p;
    }
  }
  return number;
}

class Filler {
 public:
  Filler(const Workload& workload, const FillMachine& machine, const FillWish& wish)
      : workload_(workload),
        machine_(machine),
        wish_(wish),
        memories_(machine.memories.size()),
        dims_(workload.bounds.size()),
        tensors_(workload.tensors.size()),
        traffic_(workload, machine, wish, nest_) {
    for (std::size_t m = 0; m < memories_; ++m) {
      nest_.temporal[m].fill(1);
      nest_.extent[m].fill(1);
      nest_.keep[m] = machine.memories[m].must_keep;
    }
    nest_.keep[0] = ~0U;
    for (std::size_t a = 0; a < machine.axes.size(); ++a) {
      nest_.spatial[a].fill(1);
    }
    std::ranges::copy(workload.bounds, nest_.temporal[0].begin());
    std::ranges::copy(workload.bounds, nest_.extent[0].begin());
  }

  void Run() {
    FillAxes();
    traffic_.SetUnits();
    const FillNest bare = nest_;
    for (std::size_t m = memories_; m-- > 1;) {
      TakeTile(m, false);
    }
    const auto keep = ChooseKeeps(bare);
    nest_ = bare;
    nest_.keep = keep;
    for (std::size_t m = memories_; m-- > 1;) {
      TakeTile(m, true);
    }
    for (std::size_t m = memories_; m-- > 1;) {
      Grow(m);
    }
    DropKeeps();
  }

  [[nodiscard]] FillFigures Figures() const { return traffic_.Figures(); }

  [[nodiscard]] Mapping Write() const {
    Mapping mapping;
    const auto all = static_cast<std::uint32_t>((1U << tensors_) - 1);
    for (std::size_t m = 0; m < memories_; ++m) {
      LevelMapping level;
      level.keep = nest_.keep[m] & all;
      for (const std::int32_t dim : wish_.order[m]) {
        const std::int64_t trips = nest_.temporal[m][static_cast<std::size_t>(dim)];
        if (trips > 1) {
          level.temporal.push_back(PerfectLoop(dim, trips));
        }
      }
      mapping.levels.push_back(level);
    }
    for (std::size_t a = 0; a < machine_.axes.size(); ++a) {
      const FillMachine::Axis& axis = machine_.axes[a];
      LevelMapping& level = mapping.levels[axis.memory];
      for (const std::int32_t dim : wish_.order[axis.memory]) {
        const std::int64_t units = nest_.spatial[a][static_cast<std::size_t>(dim)];
        if (units > 1) {
          (axis.y ? level.spatial_y : level.spatial_x).push_back(PerfectLoop(dim, units));
        }
      }
    }
    return mapping;
  }

 private:
  [[nodiscard]] bool FitsAt(const FillNest& nest, std::size_t memory) const {
    std::int64_t left = machine_.memories[memory].usable_words;
    for (std::size_t t = 0; t < tensors_ && left >= 0; ++t) {
      if (Has(nest.keep[memory], t)) {
        left -= TileWords(workload_, t, nest.extent[memory]);
      }
    }
    return left >= 0;
  }

  /// Memories first .. last.
  [[nodiscard]] bool Fits(std::size_t first, std::size_t last) const {
    for (std::size_t m = first; m <= last; ++m) {
      if (!FitsAt(nest_, m)) {
        return false;
      }
    }
    return true;
  }

  /// Takes a factor of `dim` from the loops of memory `from` to those of `to`.
  void Move(std::size_t dim, std::int64_t factor, std::size_t from, std::size_t to) {
    nest_.temporal[from][dim] /= factor;
    nest_.temporal[to][dim] *= factor;
    for (std::size_t m = from + 1; m <= to; ++m) {
      nest_.extent[m][dim] *= factor;
    }
  }
  void MoveBack(std::size_t dim, std::int64_t factor, std::size_t from, std::size_t to) {
    nest_.temporal[from][dim] *= factor;
    nest_.temporal[to][dim] /= factor;
    for (std::size_t m = from + 1; m <= to; ++m) {
      nest_.extent[m][dim] /= factor;
    }
  }

  /// Puts up to `units` of what is left of `dim` on the axis, as far as memories allow.
  bool Spread(std::size_t a, std::size_t dim, std::int64_t units, bool dividing) {
    const FillMachine::Axis& axis = machine_.axes[a];
    std::int64_t used = 1;
    for (std::size_t d = 0; d < dims_; ++d) {
      used *= nest_.spatial[a][d];
    }
    const std::int64_t room = axis.size / used;
    if (!Has(axis.may_unroll, dim) || room < 2) {
      return false;
    }
    std::int64_t factor = LargestDivisor(nest_.temporal[0][dim], std::min(units, room),
                                         dividing && axis.size % used == 0 ? room : 0);
    while (factor > 1) {
      nest_.temporal[0][dim] /= factor;
      for (std::size_t m = 1; m <= axis.memory; ++m) {
        nest_.extent[m][dim] *= factor;
      }
      if (axis.memory == 0 || Fits(1, axis.memory)) {
        nest_.spatial[a][dim] *= factor;
        return true;
      }
      nest_.temporal[0][dim] *= factor;
      for (std::size_t m = 1; m <= axis.memory; ++m) {
        nest_.extent[m][dim] /= factor;
      }
      factor = LargestDivisor(nest_.temporal[0][dim], factor - 1, 0);
    }
    return false;
  }

  void FillAxes() {
    for (std::size_t a = 0; a < machine_.axes.size(); ++a) {
      for (const FillWish::Share& share : wish_.axis[a]) {
        const bool any = share.units >= machine_.axes[a].size;
        if (!any || !Spread(a, static_cast<std::size_t>(share.dim), share.units, true)) {
          Spread(a, static_cast<std::size_t>(share.dim), share.units, false);
        }
      }
    }
    constexpr std::int64_t kAny = std::numeric_limits<std::int64_t>::max();
    for (const bool dividing : {true, false}) {
      for (std::size_t a = 0; a < machine_.axes.size(); ++a) {
        for (const std::int32_t dim : wish_.order[machine_.axes[a].memory]) {
          Spread(a, static_cast<std::size_t>(dim), kAny, dividing);
        }
      }
    }
  }

  /// As much of the tile in the code as fits; all of it without `fitting`.
  void TakeTile(std::size_t m, bool fitting) {
    for (const std::int32_t at : wish_.order[m]) {
      const auto dim = static_cast<std::size_t>(at);
      const std::int64_t wanted = wish_.tile[m][dim] / nest_.extent[m][dim];
      std::int64_t factor = LargestDivisor(nest_.temporal[0][dim], wanted, 0);
      while (factor > 1) {
        Move(dim, factor, 0, m);
        if (!fitting || Fits(1, m)) {
          break;
        }
        MoveBack(dim, factor, 0, m);
        factor = LargestDivisor(nest_.temporal[0][dim], factor - 1, 0);
      }
    }
  }

  /// Fills a memory with factors of the nearest loops outside of it.
  void Grow(std::size_t m) {
    for (std::size_t i = 0; i < wish_.yielding[m - 1]; ++i) {
      const auto dim = static_cast<std::size_t>(wish_.order[m - 1][i]);
      for (std::size_t from = m; from-- > 0;) {
        GrowFrom(dim, from, m);
      }
    }
  }

  /// Moves what fits of the loop over `dim` at memory `from`, smallest primes first.
  void GrowFrom(std::size_t dim, std::size_t from, std::size_t m) {
    std::int64_t left = nest_.temporal[from][dim];
    while (left > 1) {
      const std::int64_t prime = SmallestPrime(left);
      Move(dim, prime, from, m);
      left /= prime;
      if (!Fits(from + 1, m)) {
        MoveBack(dim, prime, from, m);
        while (left % prime == 0) {
          left /= prime;
        }
      }
    }
  }

  using Masks = std::array<std::uint32_t, arch::kMaxLevels>;
  struct Path {
    double energy = 0;
    std::uint32_t memories = 0;  ///< bit m: kept there
  };
  /// The cheapest path of a tensor through the memories that `allowed` has a bit for.
  [[nodiscard]] Path CheapestPath(std::size_t tensor, std::uint32_t allowed) const {
    std::array<double, arch::kMaxLevels + 1> best{};
    std::array<std::size_t, arch::kMaxLevels + 1> before{};
    for (std::size_t to = 1; to <= memories_; ++to) {
      best[to] = std::numeric_limits<double>::infinity();
      if (to < memories_ && !Has(allowed, to)) {
        continue;
      }
      for (std::size_t from = to; from-- > 0;) {
        if (from == 0 || Has(allowed, from)) {
          const double energy = best[from] + traffic_.Energy(tensor, from, to);
          if (energy < best[to]) {
            best[to] = energy;
            before[to] = from;
          }
          if (Has(machine_.memories[from].must_keep, tensor)) {
            break;  // no way around it
          }
        }
      }
    }
    Path path{best[memories_], 1U};
    for (std::size_t m = before[memories_]; m > 0; m = before[m]) {
      path.memories |= 1U << m;
    }
    return path;
  }

  /// Memories that may hold a tensor, and whose sizes do.
  [[nodiscard]] std::uint32_t Allowed(std::size_t tensor, const FillNest& bare) const {
    std::uint32_t allowed = 1;
    for (std::size_t m = 1; m < memories_; ++m) {
      const FillMachine::Memory& memory = machine_.memories[m];
      const bool fits = TileWords(workload_, tensor, bare.extent[m]) <= memory.usable_words;
      if (Has(memory.must_keep, tensor) || (Has(memory.may_keep, tensor) && fits)) {
        allowed |= 1U << m;
      }
    }
    return allowed;
  }

  /// Keeps for the loops of nest_; with no loops (`bare`) they fit.
  [[nodiscard]] Masks ChooseKeeps(const FillNest& bare) const {
    std::array<std::uint32_t, kMaxTensors> allowed{};
    std::array<Path, kMaxTensors> path{};
    for (std::size_t t = 0; t < tensors_; ++t) {
      allowed[t] = Allowed(t, bare);
      path[t] = CheapestPath(t, allowed[t]);
    }
    FillNest trial = bare;
    const auto masks = [&] {
      for (std::size_t m = 1; m < memories_; ++m) {
        trial.keep[m] = machine_.memories[m].must_keep;
        for (std::size_t t = 0; t < tensors_; ++t) {
          trial.keep[m] |= Has(path[t].memories, m) ? 1U << t : 0U;
        }
      }
    };
    masks();
    for (std::size_t m = memories_; m-- > 1;) {
      while (!FitsAt(trial, m)) {
        // The tensor that loses least goes around.
        double least = std::numeric_limits<double>::infinity();
        std::size_t leaves = tensors_;
        Path way;
        for (std::size_t t = 0; t < tensors_; ++t) {
          if (!Has(path[t].memories, m) || Has(machine_.memories[m].must_keep, t)) {
            continue;
          }
          const Path other = CheapestPath(t, allowed[t] & ~(1U << m));
          if (leaves == tensors_ || other.energy - path[t].energy < least) {
            least = other.energy - path[t].energy;
            leaves = t;
            way = other;
          }
        }
        if (leaves == tensors_) {
          break;  // what must be kept does not fit: no mapping does
        }
        allowed[leaves] &= ~(1U << m);
        path[leaves] = way;
        masks();
        m = memories_;  // the way around may lead through memories that were full
        break;
      }
    }
    return trial.keep;
  }

  void DropKeeps() {
    for (std::size_t t = 0; t < tensors_; ++t) {
      std::uint32_t kept = 1;
      for (std::size_t m = 1; m < memories_; ++m) {
        kept |= Has(nest_.keep[m], t) ? 1U << m : 0U;
      }
      const Path path = CheapestPath(t, kept);
      for (std::size_t m = 1; m < memories_; ++m) {
        if (!Has(path.memories, m)) {
          nest_.keep[m] &= ~(1U << t);
        }
      }
    }
  }

  const Workload& workload_;
  const FillMachine& machine_;
  const FillWish& wish_;
  std::size_t memories_;
  std::size_t dims_;
  std::size_t tensors_;
  FillNest nest_;
  NestTraffic traffic_;
};

}  // namespace

FillMachine MakeFillMachine(const Workload& workload, const arch::Chain& chain) {
  FillMachine machine;
  for (std::size_t m = 0; m < chain.levels.size(); ++m) {
    const arch::Memory& memory = chain.levels[m].memory;
    const auto block = static_cast<double>(memory.block_words);
    machine.memories.push_back({UsableWords(memory), MustKeep(workload, chain, m),
                                MayKeep(workload, chain, m) | MustKeep(workload, chain, m),
                                memory.read_pj / block, memory.fill_pj / block,
                                memory.update_pj / block, memory.read_bandwidth.value_or(0),
                                memory.write_bandwidth.value_or(0)});
    const arch::FanOut& fan_out = chain.levels[m].fan_out;
    for (const bool y : {false, true}) {
      const std::int64_t size = y ? fan_out.y : fan_out.x;
      if (size > 1) {
        machine.axes.push_back({m, y, size, MayUnroll(workload, chain, m, y ? 1 : 0),
                                fan_out.network.multicast, fan_out.network.reduction,
                                fan_out.network.hop_pj, fan_out.network.router_pj,
                                fan_out.network.reduction_pj});
      }
    }
  }
  machine.cycles_per_point = 0;
  for (const ir::Work& work : workload.body) {
    const auto count = static_cast<double>(work.per_point);
    double cycles = count;  // moves need no unit
    for (const arch::ComputeClass& unit : chain.compute.classes) {
      if (unit.work_class == work.work_class) {
        cycles = count / unit.operations_per_cycle;
        machine.compute_pj += count * unit.pj_per_operation;
      }
    }
    machine.cycles_per_point += cycles;
  }
  return machine;
}

Mapping Fill(const Workload& workload, const FillMachine& machine, const FillWish& wish) {
  Filler filler(workload, machine, wish);
  filler.Run();
  return filler.Write();
}

FillFigures EstimateFill(const Workload& workload, const FillMachine& machine,
                         const FillWish& wish) {
  Filler filler(workload, machine, wish);
  filler.Run();
  return filler.Figures();
}

}  // namespace sluice::mapping
