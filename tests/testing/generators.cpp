#include "testing/generators.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/checked.h"
#include "mapping/validity.h"

namespace sluice::testing {
namespace {

using mapping::Workload;

bool Chance(Rng& rng, std::uint32_t one_in) {
  return rng.Below(one_in) == 0;
}

template <class T>
T Pick(Rng& rng, const std::vector<T>& values) {
  return values[rng.Below(static_cast<std::uint32_t>(values.size()))];
}

/// Where the choices come from, and how large a workload may become.
struct Drawing {
  Rng& rng;
  std::int64_t max_points;
};

/// A workload under construction: dims by name with the bounds drawn first, so that the number of
/// points can be limited; dims of bound 1 are dropped as MakeWorkload does.
class Draft {
 public:
  struct DrawnDim {
    std::string name;
    std::int64_t bound = 1;
  };
  struct Move {
    std::string dim;
    std::int64_t coefficient = 1;
  };
  using Axis = std::vector<Move>;

  Draft(Drawing drawing, std::string name, std::vector<std::string> dims, std::int64_t largest) {
    Rng& rng = drawing.rng;
    workload_.name = std::move(name);
    std::vector<DrawnDim> drawn;
    std::int64_t points = 1;
    for (std::string& dim : dims) {
      drawn.push_back({std::move(dim), rng.Between(1, largest)});
      points *= drawn.back().bound;
    }
    while (points > drawing.max_points) {
      const auto big =
          std::max_element(drawn.begin(), drawn.end(),
                           [](const DrawnDim& a, const DrawnDim& b) { return a.bound < b.bound; });
      points = points / big->bound * (big->bound - 1);
      --big->bound;
    }
    for (const DrawnDim& dim : drawn) {
      if (dim.bound == 1) {
        continue;
      }
      if (Chance(rng, 12)) {
        workload_.whole |= 1U << workload_.bounds.size();
      }
      workload_.dim_names.push_back(dim.name);
      workload_.bounds.push_back(dim.bound);
    }
    workload_.body = {{ir::WorkClass::kMac, 1}};
  }

  void Add(std::string name, arch::TensorClass tensor_class, const std::vector<Axis>& axes) {
    mapping::WorkloadTensor tensor;
    tensor.tensor_class = tensor_class;
    for (const Axis& axis : axes) {
      mapping::WorkloadAxis terms;
      for (const Move& move : axis) {
        const auto at = std::find(workload_.dim_names.begin(), workload_.dim_names.end(), move.dim);
        if (at != workload_.dim_names.end()) {
          const auto dim = static_cast<std::int32_t>(at - workload_.dim_names.begin());
          terms.push_back({dim, move.coefficient});
          tensor.dims |= 1U << static_cast<unsigned>(dim);
        }
      }
      tensor.axes.push_back(terms);
    }
    workload_.tensor_names.push_back(std::move(name));
    workload_.tensors.push_back(tensor);
  }

  std::int64_t Bound(const std::string& name) const {
    const auto at = std::find(workload_.dim_names.begin(), workload_.dim_names.end(), name);
    return at == workload_.dim_names.end()
               ? 1
               : workload_.bounds[static_cast<std::size_t>(at - workload_.dim_names.begin())];
  }

  void SetBody(std::vector<ir::Work> body) { workload_.body = std::move(body); }

  /// Marks the last tensor as the output. `reduces`: points accumulate into it.
  Workload Finish(bool reduces) {
    workload_.tensors.back().is_output = true;
    workload_.tensors.back().read_modify_write = reduces;
    return std::move(workload_);
  }
  /// True when some dim does not move the last tensor.
  bool Reduces() const {
    return workload_.tensors.back().dims != (1U << workload_.bounds.size()) - 1U;
  }

 private:
  Workload workload_;
};

constexpr auto kInput = arch::TensorClass::kInput;
constexpr auto kWeight = arch::TensorClass::kWeight;
constexpr auto kOutput = arch::TensorClass::kOutput;

Workload Gemm(const Drawing& from, bool batched) {
  Draft draft(from, batched ? "bmm" : "gemm",
              batched ? std::vector<std::string>{"B", "M", "N", "K"}
                      : std::vector<std::string>{"M", "N", "K"},
              12);
  draft.Add("Input", kInput, {{{"B"}}, {{"M"}}, {{"K"}}});
  draft.Add("Weight", kWeight, {{{"B"}}, {{"K"}}, {{"N"}}});
  draft.Add("Output", kOutput, {{{"B"}}, {{"M"}}, {{"N"}}});
  return draft.Finish(draft.Reduces());
}

Workload Conv(const Drawing& from) {
  Draft draft(from, "conv", {"N", "K", "C", "P", "Q", "R", "S"}, 5);
  const auto sp = from.rng.Between(1, 3);
  const auto sq = from.rng.Between(1, 3);
  const auto dr = from.rng.Between(1, 3);
  const auto ds = from.rng.Between(1, 3);
  draft.Add("Input", kInput, {{{"N"}}, {{"C"}}, {{"P", sp}, {"R", dr}}, {{"Q", sq}, {"S", ds}}});
  draft.Add("Weight", kWeight, {{{"K"}}, {{"C"}}, {{"R"}}, {{"S"}}});
  draft.Add("Output", kOutput, {{{"N"}}, {{"K"}}, {{"P"}}, {{"Q"}}});
  return draft.Finish(draft.Reduces());
}

Workload Depthwise(const Drawing& from) {
  Draft draft(from, "depthwise", {"N", "G", "P", "Q", "R", "S"}, 5);
  const auto s = from.rng.Between(1, 2);
  const auto d = from.rng.Between(1, 2);
  draft.Add("Input", kInput, {{{"N"}}, {{"G"}}, {{"P", s}, {"R", d}}, {{"Q", s}, {"S", d}}});
  draft.Add("Weight", kWeight, {{{"G"}}, {{"R"}}, {{"S"}}});
  draft.Add("Output", kOutput, {{{"N"}}, {{"G"}}, {{"P"}}, {{"Q"}}});
  return draft.Finish(draft.Reduces());
}

Workload Grouped(const Drawing& from) {
  Draft draft(from, "grouped", {"N", "G", "K", "C", "P", "R"}, 5);
  const auto s = from.rng.Between(1, 3);
  const auto d = from.rng.Between(1, 3);
  const std::int64_t k = draft.Bound("K");
  const std::int64_t c = draft.Bound("C");
  draft.Add("Input", kInput, {{{"N"}}, {{"G", c}, {"C"}}, {{"P", s}, {"R", d}}});
  draft.Add("Weight", kWeight, {{{"G", k}, {"K"}}, {{"C"}}, {{"R"}}});
  draft.Add("Output", kOutput, {{{"N"}}, {{"G", k}, {"K"}}, {{"P"}}});
  return draft.Finish(draft.Reduces());
}

Workload Conv1d(const Drawing& from) {
  Draft draft(from, "conv1d", {"K", "C", "P", "R"}, 10);
  const auto s = from.rng.Between(1, 4);
  const auto d = from.rng.Between(1, 4);
  draft.Add("Input", kInput, {{{"C"}}, {{"P", s}, {"R", d}}});
  draft.Add("Weight", kWeight, {{{"K"}}, {{"C"}}, {{"R"}}});
  draft.Add("Output", kOutput, {{{"K"}}, {{"P"}}});
  return draft.Finish(draft.Reduces());
}

Workload Pooling(const Drawing& from) {
  Draft draft(from, "pool", {"C", "P", "R", "L"}, 8);
  const auto s = from.rng.Between(1, 4);
  draft.Add("Input", kInput, {{{"C"}}, {{"P", s}, {"R"}}, {{"L"}}});
  draft.Add("Output", kOutput, {{{"C"}}, {{"P"}}});
  draft.SetBody({{ir::WorkClass::kVector, 1}});
  return draft.Finish(draft.Reduces());
}

Workload Elementwise(const Drawing& from) {
  Draft draft(from, "add", {"N", "C", "P"}, 12);
  draft.Add("Input", kInput, {{{"N"}}, {{"C"}}, {{"P"}}});
  if (Chance(from.rng, 2)) {
    draft.Add("Other", kWeight, {{{"C"}}, {}});
  } else {
    draft.Add("Other", kWeight, {{{"N"}}, {{"C"}}, {{"P"}}});
  }
  draft.Add("Output", kOutput, {{{"N"}}, {{"C"}}, {{"P"}}});
  draft.SetBody({{ir::WorkClass::kVector, 1}, {ir::WorkClass::kTranscendental, 1}});
  return draft.Finish(false);
}

Workload Scatter(const Drawing& from) {
  Draft draft(from, "transposed", {"K", "C", "P", "R"}, 8);
  const auto s = from.rng.Between(1, 3);
  draft.Add("Input", kInput, {{{"C"}}, {{"P"}}});
  draft.Add("Weight", kWeight, {{{"C"}}, {{"K"}}, {{"R"}}});
  draft.Add("Output", kOutput, {{{"K"}}, {{"P", s}, {"R"}}});
  const bool window = draft.Bound("P") > 1 && draft.Bound("R") > s;
  return draft.Finish(draft.Reduces() || window);
}

double RandomEnergy(Rng& rng) {
  return static_cast<double>(rng.Below(64)) / 4.0;
}

std::optional<double> RandomBandwidth(Rng& rng) {
  if (Chance(rng, 3)) {
    return std::nullopt;
  }
  return static_cast<double>(1 + rng.Below(32)) / 2.0;
}

arch::FanOut RandomFanOut(Rng& rng, bool used) {
  arch::FanOut fan_out;
  if (!used) {
    return fan_out;
  }
  fan_out.x = rng.Between(2, 8);
  fan_out.y = Chance(rng, 2) ? 1 : rng.Between(2, 6);
  fan_out.network.multicast = !Chance(rng, 3);
  fan_out.network.reduction = !Chance(rng, 3);
  fan_out.network.neighbour_forwarding = Chance(rng, 4);
  fan_out.network.hop_pj = RandomEnergy(rng);
  fan_out.network.router_pj = RandomEnergy(rng);
  fan_out.network.reduction_pj = RandomEnergy(rng);
  fan_out.network.bandwidth = RandomBandwidth(rng);
  if (Chance(rng, 4)) {
    fan_out.dims_x = {"K", "C", "P", "M", "G"};
  }
  if (Chance(rng, 4)) {
    fan_out.dims_y = {"Q", "R", "N", "C", "B"};
  }
  return fan_out;
}

/// Prime factors in ascending order.
std::vector<std::int32_t> Primes(std::int64_t n) {
  std::vector<std::int32_t> primes;
  for (std::int32_t p = 2; n > 1; ++p) {
    for (; n % p == 0; n /= p) {
      primes.push_back(p);
    }
  }
  return primes;
}

/// One place of the nest that can hold a factor of every dim.
struct Slot {
  mapping::LoopList* loops = nullptr;
  std::uint32_t allowed = ~0U;
  std::int64_t room = 0;  ///< instances left; 0 = a temporal slot, without limit

  [[nodiscard]] bool Takes(int dim, std::int64_t factor) const {
    return (allowed >> static_cast<unsigned>(dim) & 1U) != 0U && (room == 0 || room >= factor);
  }
  void Multiply(int dim, std::int64_t factor) {
    if (room != 0) {
      room /= factor;
    }
    for (mapping::Loop& loop : *loops) {
      if (loop.dim == dim) {
        loop = mapping::PerfectLoop(dim, loop.bound * factor);
        return;
      }
    }
    loops->push_back(mapping::PerfectLoop(dim, factor));
  }
};

void PlacePerfect(int dim, std::int64_t bound, std::vector<Slot>& slots, Rng& rng) {
  for (const std::int32_t prime : Primes(bound)) {
    for (;;) {
      Slot& slot = slots[rng.Below(static_cast<std::uint32_t>(slots.size()))];
      if (slot.Takes(dim, prime)) {
        slot.Multiply(dim, prime);
        break;
      }
    }
  }
}

/// Slots come innermost first; every slot takes some factor of what is left, the outermost the
/// rest.
void PlaceImperfect(int dim, std::int64_t bound, std::vector<Slot>& slots, Rng& rng) {
  std::int64_t product = 1;
  std::vector<mapping::Loop*> loops;  // innermost first
  for (std::size_t s = 0; s < slots.size(); ++s) {
    const std::int64_t rest = CeilDiv(bound, product);
    std::int64_t factor = rest;
    if (s + 1 < slots.size()) {
      const std::int64_t limit = slots[s].room == 0 ? rest : std::min(rest, slots[s].room);
      factor = Chance(rng, 3) ? rng.Between(1, limit) : (Chance(rng, 5) ? limit : 1);
    }
    if (factor > 1 && slots[s].Takes(dim, factor)) {
      slots[s].Multiply(dim, factor);
      loops.push_back(&slots[s].loops->back());
      product *= factor;
    }
  }
  std::int64_t index = bound - 1;  // written in mixed radix, it gives the last round of every loop
  for (mapping::Loop* loop : loops) {
    loop->last = static_cast<std::int32_t>(index % loop->bound) + 1;
    index /= loop->bound;
  }
}

void Shuffle(mapping::LoopList& loops, Rng& rng) {
  for (std::size_t i = loops.size(); i > 1; --i) {
    std::swap(loops[i - 1], loops[rng.Below(static_cast<std::uint32_t>(i))]);
  }
}

}  // namespace

mapping::Workload RandomWorkload(Rng& rng, WorkloadKind kind, std::int64_t max_points) {
  const Drawing from{rng, max_points};
  switch (kind) {
    case WorkloadKind::kGemm:
      return Gemm(from, false);
    case WorkloadKind::kBatchedGemm:
      return Gemm(from, true);
    case WorkloadKind::kConv:
      return Conv(from);
    case WorkloadKind::kDepthwise:
      return Depthwise(from);
    case WorkloadKind::kGrouped:
      return Grouped(from);
    case WorkloadKind::kConv1d:
      return Conv1d(from);
    case WorkloadKind::kPooling:
      return Pooling(from);
    case WorkloadKind::kElementwise:
      return Elementwise(from);
    case WorkloadKind::kScatter:
      return Scatter(from);
  }
  return Gemm(from, false);
}

mapping::Workload RandomWorkload(Rng& rng) {
  return RandomWorkload(rng, static_cast<WorkloadKind>(rng.Below(kWorkloadKinds)));
}

arch::Chain RandomChain(Rng& rng) {
  static const std::vector<std::string> kNames = {"DRAM", "GLB", "SPAD", "RF"};
  arch::Chain chain;
  const std::size_t levels = 1 + rng.Below(4);
  const std::uint32_t fan_outs = rng.Below(3);
  std::vector<bool> fanned(levels, false);
  for (std::uint32_t i = 0; i < fan_outs; ++i) {
    fanned[rng.Below(static_cast<std::uint32_t>(levels))] = true;
  }
  for (std::size_t l = 0; l < levels; ++l) {
    arch::Level level;
    arch::Memory& memory = level.memory;
    memory.name = kNames[l];
    memory.word_bits = Pick(rng, std::vector<int>{8, 16, 32});
    memory.block_words = Pick(rng, std::vector<std::int64_t>{1, 1, 2, 4, 8});
    memory.buffering = Pick(rng, std::vector<double>{1.0, 1.0, 2.0, 1.5});
    memory.read_bandwidth = RandomBandwidth(rng);
    memory.write_bandwidth = RandomBandwidth(rng);
    memory.read_pj = RandomEnergy(rng);
    memory.fill_pj = RandomEnergy(rng);
    memory.update_pj = RandomEnergy(rng);
    memory.leakage_pj_per_cycle = RandomEnergy(rng);
    if (l > 0) {
      if (!Chance(rng, 3)) {
        memory.capacity_words = rng.Between(4, 512 >> (2 * l));
      }
      for (arch::Keep& keep : memory.keep) {
        keep = Pick(rng, std::vector<arch::Keep>{arch::Keep::kMay, arch::Keep::kMay,
                                                 arch::Keep::kMust, arch::Keep::kNever});
      }
    }
    level.fan_out = RandomFanOut(rng, fanned[l]);
    level.fan_out.name = fanned[l] ? kNames[l] + "_array" : std::string();
    chain.levels.push_back(std::move(level));
  }
  chain.compute.name = "PE";
  for (const auto work : {ir::WorkClass::kMac, ir::WorkClass::kVector,
                          ir::WorkClass::kTranscendental, ir::WorkClass::kMove}) {
    chain.compute.classes.push_back(
        {work, RandomEnergy(rng), static_cast<double>(1 + rng.Below(4))});
  }
  chain.compute.leakage_pj_per_cycle = RandomEnergy(rng);
  return chain;
}

mapping::Mapping RandomMapping(const mapping::Workload& workload, const arch::Chain& chain,
                               Rng& rng, bool imperfect) {
  mapping::Mapping result;
  result.levels.resize(chain.levels.size());
  std::vector<Slot> slots;  // innermost first
  for (std::size_t l = chain.levels.size(); l-- > 0;) {
    mapping::LevelMapping& level = result.levels[l];
    const arch::FanOut& fan_out = chain.levels[l].fan_out;
    if (fan_out.y > 1) {
      slots.push_back({&level.spatial_y, MayUnroll(workload, chain, l, 1), fan_out.y});
    }
    if (fan_out.x > 1) {
      slots.push_back({&level.spatial_x, MayUnroll(workload, chain, l, 0), fan_out.x});
    }
    slots.push_back({&level.temporal, ~0U, 0});
    const std::uint32_t must = MustKeep(workload, chain, l);
    const std::uint32_t may = MayKeep(workload, chain, l);
    level.keep = must | (may & static_cast<std::uint32_t>(rng.Next()));
  }
  for (int d = 0; d < workload.dims(); ++d) {
    const std::int64_t bound = workload.bounds[static_cast<std::size_t>(d)];
    if (imperfect) {
      PlaceImperfect(d, bound, slots, rng);
    } else {
      PlacePerfect(d, bound, slots, rng);
    }
  }
  for (mapping::LevelMapping& level : result.levels) {
    Shuffle(level.temporal, rng);
    Shuffle(level.spatial_x, rng);
    Shuffle(level.spatial_y, rng);
  }
  return result;
}

}  // namespace sluice::testing
