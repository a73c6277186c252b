#include "mapping/dataflow/fill.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "arch/architecture.h"
#include "base/static_vector.h"
#include "mapping/mapping.h"
#include "mapping/validity.h"
#include "mapping/workload.h"

namespace sluice::mapping {
namespace {

using Factors = FillWish::Factors;
constexpr std::size_t kMaxAxesOfMachine = std::size_t{2} * arch::kMaxLevels;

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

/// Factors on every level; what is not placed runs at the outermost memory.
struct Nest {
  std::array<Factors, arch::kMaxLevels> temporal;
  std::array<Factors, kMaxAxesOfMachine> spatial;
  std::array<Factors, arch::kMaxLevels> extent;  ///< of the tile that a memory holds
  std::array<std::uint32_t, arch::kMaxLevels> keep;
};

class Filler {
 public:
  Filler(const Workload& workload, const FillMachine& machine, const FillWish& wish)
      : workload_(workload),
        machine_(machine),
        wish_(wish),
        memories_(machine.memories.size()),
        dims_(workload.bounds.size()),
        tensors_(workload.tensors.size()) {
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

  Mapping Run() {
    FillAxes();
    const Nest bare = nest_;
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
    return Write();
  }

 private:
  [[nodiscard]] std::int64_t Words(std::size_t tensor, const Factors& extent) const {
    std::int64_t words = 1;
    for (const WorkloadAxis& axis : workload_.tensors[tensor].axes) {
      std::int64_t length = 1;
      for (const WorkloadTerm& term : axis) {
        length += term.coefficient * (extent[static_cast<std::size_t>(term.dim)] - 1);
      }
      words *= length;
    }
    return words;
  }

  [[nodiscard]] bool FitsAt(const Nest& nest, std::size_t memory) const {
    std::int64_t left = machine_.memories[memory].usable_words;
    for (std::size_t t = 0; t < tensors_ && left >= 0; ++t) {
      if (Has(nest.keep[memory], t)) {
        left -= Words(t, nest.extent[memory]);
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

  /// Steps in which the tile of a tensor at `memory` changes (the count of loops of the memories
  /// outside); `distinct`: of them with a tile that was not there before.
  struct Visits {
    double all = 1;
    double distinct = 1;
  };
  [[nodiscard]] Visits VisitsOf(std::size_t tensor, std::size_t memory) const {
    Visits visits;
    bool inside = memory == memories_;  // nothing stays in the compute unit
    for (std::size_t m = memory; m-- > 0;) {
      for (std::size_t i = wish_.order[m].size(); i-- > 0;) {
        const auto dim = static_cast<std::size_t>(wish_.order[m][i]);
        const std::int64_t trips = nest_.temporal[m][dim];
        if (trips == 1) {
          continue;
        }
        const bool moves = Has(workload_.tensors[tensor].dims, dim);
        inside = inside || moves;
        visits.all *= inside ? static_cast<double>(trips) : 1.0;
        visits.distinct *= moves ? static_cast<double>(trips) : 1.0;
      }
    }
    return visits;
  }

  /// What lies between two memories for one tensor.
  struct Way {
    double instances = 1;   ///< of the outer memory
    double copies = 1;      ///< of the inner one, for each of the outer
    double merged = 1;      ///< of them those that ask for words of their own
    double network_pj = 0;  ///< a word of a tile of the outer memory's instance
  };
  [[nodiscard]] Way WayBetween(std::size_t tensor, std::size_t from, std::size_t to) const {
    const bool output = workload_.tensors[tensor].is_output;
    Way way;
    double columns = 1;  // copies along X, which each have hops along Y
    for (std::size_t a = 0; a < machine_.axes.size(); ++a) {
      const FillMachine::Axis& axis = machine_.axes[a];
      double groups = 1;
      double shared = 1;
      for (std::size_t d = 0; d < dims_; ++d) {
        const auto units = static_cast<double>(nest_.spatial[a][d]);
        (Has(workload_.tensors[tensor].dims, d) ? groups : shared) *= units;
      }
      if (axis.memory < from) {
        way.instances *= groups * shared;
        continue;
      }
      if (axis.memory >= to) {
        continue;
      }
      const bool merges = output ? axis.reduction : axis.multicast;
      // Words enter in the middle of the left edge; copies of one word share their way.
      const double hops = axis.y ? columns * std::max(shared - 1, groups * shared / 4)
                                 : shared - 1 + (groups - 1) * shared / 2;
      columns = axis.y ? 1 : shared;
      const double words = way.copies * groups * (merges ? 1.0 : shared);
      way.network_pj += words * (hops * axis.hop_pj +
                                 (output && merges ? (shared - 1) * axis.reduction_pj : 0.0));
      way.copies *= groups * shared;
      way.merged *= merges ? groups : groups * shared;
    }
    return way;
  }

  /// Energy of a tensor's way from the memory `from` to `to` (the number of memories: the compute
  /// unit).
  [[nodiscard]] double Edge(std::size_t tensor, std::size_t from, std::size_t to) const {
    const bool output = workload_.tensors[tensor].is_output;
    const Way way = WayBetween(tensor, from, to);
    const Visits visits = VisitsOf(tensor, to);
    const double tile =
        to == memories_ ? 1.0 : static_cast<double>(Words(tensor, nest_.extent[to]));
    const double back = output ? visits.all - visits.distinct : 0;  // partial sums that return
    const FillMachine::Memory& parent = machine_.memories[from];
    const double outer = output ? visits.all * parent.update_pj + back * parent.read_pj
                                : visits.all * parent.read_pj;
    double energy = way.merged * outer + way.network_pj * (visits.all + back);
    if (to < memories_) {
      const FillMachine::Memory& child = machine_.memories[to];
      const double inner =
          output ? back * child.fill_pj + visits.all * child.read_pj : visits.all * child.fill_pj;
      energy += way.copies * inner;
    }
    return energy * tile * way.instances;
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
          const double energy = best[from] + Edge(tensor, from, to);
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
  [[nodiscard]] std::uint32_t Allowed(std::size_t tensor, const Nest& bare) const {
    std::uint32_t allowed = 1;
    for (std::size_t m = 1; m < memories_; ++m) {
      const FillMachine::Memory& memory = machine_.memories[m];
      const bool fits = Words(tensor, bare.extent[m]) <= memory.usable_words;
      if (Has(memory.must_keep, tensor) || (Has(memory.may_keep, tensor) && fits)) {
        allowed |= 1U << m;
      }
    }
    return allowed;
  }

  /// Keeps for the loops of nest_; with no loops (`bare`) they fit.
  [[nodiscard]] Masks ChooseKeeps(const Nest& bare) const {
    std::array<std::uint32_t, kMaxTensors> allowed{};
    std::array<Path, kMaxTensors> path{};
    for (std::size_t t = 0; t < tensors_; ++t) {
      allowed[t] = Allowed(t, bare);
      path[t] = CheapestPath(t, allowed[t]);
    }
    Nest trial = bare;
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

  const Workload& workload_;
  const FillMachine& machine_;
  const FillWish& wish_;
  std::size_t memories_;
  std::size_t dims_;
  std::size_t tensors_;
  Nest nest_;
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
                                memory.update_pj / block});
    const arch::FanOut& fan_out = chain.levels[m].fan_out;
    for (const bool y : {false, true}) {
      const std::int64_t size = y ? fan_out.y : fan_out.x;
      if (size > 1) {
        machine.axes.push_back({m, y, size, MayUnroll(workload, chain, m, y ? 1 : 0),
                                fan_out.network.multicast, fan_out.network.reduction,
                                fan_out.network.hop_pj + fan_out.network.router_pj,
                                fan_out.network.reduction_pj});
      }
    }
  }
  return machine;
}

Mapping Fill(const Workload& workload, const FillMachine& machine, const FillWish& wish) {
  return Filler(workload, machine, wish).Run();
}

}  // namespace sluice::mapping
