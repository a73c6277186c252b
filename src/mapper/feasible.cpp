#include "mapper/feasible.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "arch/architecture.h"
#include "base/checked.h"
#include "base/diagnostic.h"
#include "mapper/mapspace.h"
#include "mapping/mapping.h"
#include "mapping/validity.h"
#include "mapping/workload.h"

namespace sluice::mapper {
namespace {

constexpr std::int64_t kUnlimited = std::numeric_limits<std::int64_t>::max();
/// Labels of one dim, and nodes of the search over all dims, before it gives up its proof.
constexpr std::size_t kMostLabels = 5'000;
constexpr std::int64_t kMostNodes = 500'000;
/// Up to this bound every imperfect factor is tried.
constexpr std::int64_t kAllFactors = 512;

/// Factors of one dim on all slots.
struct Placement {
  std::array<std::int32_t, kMaxSlots> factor;
  /// Points of the dim in a tile of each level, at most its bound.
  std::array<std::int64_t, arch::kMaxLevels> points{};
  Placement() { factor.fill(1); }
};

bool IsSpatial(std::size_t slot) {
  return slot % kSlotsPerLevel != 0;
}

/// The placements of one dim that no other dominates.
class Placer {
 public:
  Placer(const SpaceLimits& limits, std::size_t levels, std::size_t dim, std::int64_t bound,
         bool imperfect)
      : limits_(limits),
        slots_(kSlotsPerLevel * levels),
        dim_(dim),
        bound_(bound),
        imperfect_(imperfect) {}

  std::vector<Placement> Run(bool& proven) {
    if (OutermostIsFree()) {
      std::vector<Placement> one;
      AddOutermost(one);
      return one;
    }
    proven = proven && (!imperfect_ || bound_ <= kAllFactors);
    // Labels by the product of the factors so far, from the innermost slot outwards.
    Labels labels;
    labels[1].emplace_back();
    for (std::size_t s = slots_; s-- > 0;) {
      labels = Step(s, labels, proven);
    }
    std::vector<Placement> done;
    for (const auto& [product, list] : labels) {
      if (product >= bound_) {
        done.insert(done.end(), list.begin(), list.end());
      }
    }
    return done;
  }

 private:
  using Labels = std::map<std::int64_t, std::vector<Placement>>;

  [[nodiscard]] std::int32_t Min(std::size_t slot) const { return limits_.min[slot][dim_]; }
  [[nodiscard]] std::int32_t Max(std::size_t slot) const { return limits_.max[slot][dim_]; }

  /// Whether everything that is not prescribed may go to slot 0: then that is the only placement
  /// worth looking at.
  [[nodiscard]] bool OutermostIsFree() const {
    for (std::size_t s = 1; s < slots_; ++s) {
      if (Min(s) != 1 && Min(s) != Max(s)) {
        return false;
      }
    }
    return Min(0) == 1 && Max(0) >= bound_;
  }

  void AddOutermost(std::vector<Placement>& out) const {
    Placement placement;
    std::int64_t fixed = 1;
    for (std::size_t s = 1; s < slots_; ++s) {
      placement.factor[s] = Min(s);
      fixed = CheckedMul(fixed, Min(s)).value_or(kUnlimited);
    }
    if (!imperfect_ && bound_ % fixed != 0) {
      return;
    }
    placement.factor[0] = static_cast<std::int32_t>(CeilDiv(bound_, fixed));
    if (Finish(placement)) {
      out.push_back(placement);
    }
  }

  /// Tile points; false when an imperfect loop would not run as often as it must.
  bool Finish(Placement& placement) const {
    std::int64_t inside = 1;
    for (std::size_t s = slots_; s-- > 0;) {
      if ((placement.factor[s] - 1) > (bound_ - 1) / inside) {
        return false;
      }
      inside *= placement.factor[s];
      if (!IsSpatial(s)) {
        placement.points[s / kSlotsPerLevel] = std::min(inside, bound_);
      }
    }
    return inside >= bound_;
  }

  /// Factors that are worth a try in slot s around loops that cover `inside` points: all divisors
  /// of what is left; for imperfect dims all that run as often as they say, or, in large dims, the
  /// smallest for every number of rounds outside.
  [[nodiscard]] std::vector<std::int64_t> Candidates(std::size_t s, std::int64_t inside) const {
    const std::int64_t rest = CeilDiv(bound_, inside);
    std::vector<std::int64_t> factors;
    const auto add = [&](std::int64_t factor) {
      if (factor >= Min(s) && factor <= Max(s) && (imperfect_ || rest % factor == 0)) {
        factors.push_back(factor);
      }
    };
    if (imperfect_ && bound_ <= kAllFactors) {
      for (std::int64_t i = 1; i <= rest; ++i) {
        add(i);
      }
      return factors;
    }
    for (std::int64_t i = 1; i * i <= rest; ++i) {
      if (imperfect_ || rest % i == 0) {
        add(i);
        add(CeilDiv(rest, i));
      }
    }
    if (imperfect_) {
      add(std::min<std::int64_t>(Min(s), rest));
      add(std::min<std::int64_t>(Max(s), rest));
    }
    std::ranges::sort(factors);
    const auto repeated = std::ranges::unique(factors);
    factors.erase(repeated.begin(), repeated.end());
    return factors;
  }

  Labels Step(std::size_t s, const Labels& labels, bool& proven) const {
    Labels next;
    std::size_t count = 0;
    for (const auto& [inside, list] : labels) {
      for (const std::int64_t factor : Candidates(s, inside)) {
        for (Placement placement : list) {
          placement.factor[s] = static_cast<std::int32_t>(factor);
          if (!IsSpatial(s)) {
            placement.points[s / kSlotsPerLevel] = std::min(inside * factor, bound_);
          }
          if (count >= kMostLabels) {
            proven = false;
            return next;
          }
          count += Insert(next[inside * factor], placement, s) ? 1 : 0;
        }
      }
    }
    return next;
  }

  /// Adds a label unless another is at least as good; drops those that it beats.
  [[nodiscard]] bool Insert(std::vector<Placement>& list, const Placement& placement,
                            std::size_t slot) const {
    for (const Placement& other : list) {
      if (Dominates(other, placement, slot)) {
        return false;
      }
    }
    std::erase_if(list, [&](const Placement& other) { return Dominates(placement, other, slot); });
    list.push_back(placement);
    return true;
  }

  /// Tile points of the levels reached so far and use of the fan-outs: no worse in any.
  [[nodiscard]] bool Dominates(const Placement& a, const Placement& b, std::size_t slot) const {
    for (std::size_t s = slot; s < slots_; ++s) {
      const bool worse = IsSpatial(s) ? a.factor[s] > b.factor[s]
                                      : a.points[s / kSlotsPerLevel] > b.points[s / kSlotsPerLevel];
      if (worse) {
        return false;
      }
    }
    return true;
  }

  const SpaceLimits& limits_;
  std::size_t slots_;
  std::size_t dim_;
  std::int64_t bound_;
  bool imperfect_;
};

class Finder {
 public:
  Finder(const mapping::Workload& workload, const arch::Chain& chain, const SpaceLimits& limits,
         bool imperfect)
      : workload_(workload),
        chain_(chain),
        limits_(limits),
        imperfect_(imperfect),
        levels_(chain.levels.size()),
        dims_(workload.bounds.size()) {}

  Feasibility Run() {
    for (std::size_t d = 0; d < dims_; ++d) {
      placements_.push_back(
          Placer(limits_, levels_, d, workload_.bounds[d], imperfect_).Run(result_.proven));
      if (placements_.back().empty()) {
        result_.reasons.push_back(NoPlacement(d));
      }
    }
    if (!result_.reasons.empty()) {
      return std::move(result_);
    }
    for (std::size_t l = 0; l < levels_; ++l) {
      usable_[l] = mapping::UsableWords(chain_.levels[l].memory);
      for (std::size_t d = 0; d < dims_; ++d) {
        least_[d][l] = std::ranges::min(placements_[d], {}, [&](const Placement& placement) {
                         return placement.points[l];
                       }).points[l];
      }
    }
    chosen_.assign(dims_, 0);
    Search(0);
    if (result_.point) {
      result_.reasons.clear();
    } else if (best_excess_ == kUnlimited) {
      result_.reasons.push_back(NoRoom());
    } else {
      Explain();
    }
    return std::move(result_);
  }

 private:
  using Points = std::array<std::int64_t, mapping::kMaxDims>;

  /// Points of each dim in a tile of `level`: of the placements chosen for the first `placed` dims,
  /// the least of the others.
  [[nodiscard]] Points TilePoints(std::size_t level, std::size_t placed) const {
    Points points;
    points.fill(1);
    for (std::size_t d = 0; d < dims_; ++d) {
      points[d] = d < placed ? placements_[d][chosen_[d]].points[level] : least_[d][level];
    }
    return points;
  }

  [[nodiscard]] std::int64_t TensorWords(std::size_t t, const Points& points) const {
    std::int64_t words = 1;
    for (const mapping::WorkloadAxis& axis : workload_.tensors[t].axes) {
      std::int64_t extent = 1;
      for (const mapping::WorkloadTerm& term : axis) {
        extent += term.coefficient * (points[static_cast<std::size_t>(term.dim)] - 1);
      }
      words *= extent;
    }
    return words;
  }

  [[nodiscard]] std::int64_t KeptWords(std::size_t level, const Points& points) const {
    std::int64_t words = 0;
    for (std::size_t t = 0; t < workload_.tensors.size(); ++t) {
      words += (limits_.must_keep[level] >> t & 1U) != 0U ? TensorWords(t, points) : 0;
    }
    return words;
  }

  /// Bits by which the tiles exceed the memories; a lower bound while dims are open.
  [[nodiscard]] std::int64_t Excess(std::size_t placed) const {
    std::int64_t bits = 0;
    for (std::size_t l = 0; l < levels_; ++l) {
      if (usable_[l] == kUnlimited) {
        continue;
      }
      const std::int64_t over = KeptWords(l, TilePoints(l, placed)) - usable_[l];
      if (over > 0) {
        const auto more = CheckedMul(over, chain_.levels[l].memory.word_bits);
        bits = more ? CheckedAdd(bits, *more).value_or(kUnlimited - 1) : kUnlimited - 1;
      }
    }
    return bits;
  }

  [[nodiscard]] bool FanOutsHold(std::size_t placed) const {
    for (std::size_t l = 0; l < levels_; ++l) {
      for (const SlotKind kind : {SlotKind::kSpatialX, SlotKind::kSpatialY}) {
        const arch::FanOut& fan_out = chain_.levels[l].fan_out;
        const std::int64_t size = kind == SlotKind::kSpatialX ? fan_out.x : fan_out.y;
        std::int64_t product = 1;
        for (std::size_t d = 0; d < placed && product <= size; ++d) {
          product *= placements_[d][chosen_[d]].factor[SlotIndex(l, kind)];
        }
        if (product > size) {
          return false;
        }
      }
    }
    return true;
  }

  void Search(std::size_t placed) {
    if (result_.point) {
      return;
    }
    if (++nodes_ > kMostNodes) {
      result_.proven = false;
      return;
    }
    if (!FanOutsHold(placed)) {
      return;
    }
    const std::int64_t excess = Excess(placed);
    if (excess >= best_excess_) {
      return;
    }
    if (placed == dims_) {
      best_excess_ = excess;
      best_ = chosen_;
      if (excess == 0) {
        result_.point = MakePoint();
      }
      return;
    }
    for (std::size_t i = 0; i < placements_[placed].size(); ++i) {
      chosen_[placed] = i;
      Search(placed + 1);
    }
  }

  [[nodiscard]] Point MakePoint() const {
    Point point;
    for (auto& slot : point.factor) {
      slot.fill(1);
    }
    for (std::size_t d = 0; d < dims_; ++d) {
      for (std::size_t s = 0; s < kSlotsPerLevel * levels_; ++s) {
        point.factor[s][d] = placements_[d][chosen_[d]].factor[s];
      }
    }
    for (std::size_t l = 0; l < levels_; ++l) {
      for (std::size_t d = 0; d < dims_; ++d) {
        point.order[l][d] = static_cast<std::uint8_t>(d);
      }
      point.keep[l] = limits_.must_keep[l];
    }
    return point;
  }

  [[nodiscard]] mapping::Violation NoPlacement(std::size_t dim) const {
    mapping::Violation v;
    v.code = ErrorCode::kConstraints;
    v.dim = static_cast<int>(dim);
    v.message = fmt::format("the constraints leave dim {} no factors that multiply to {}{}",
                            workload_.dim_names[dim], workload_.bounds[dim],
                            result_.proven ? "" : " (not proven: the search was cut short)");
    return v;
  }

  [[nodiscard]] mapping::Violation NoRoom() const {
    mapping::Violation v;
    v.code = ErrorCode::kConstraints;
    v.message =
        result_.proven
            ? "the constraints push more factors onto the fan-outs than they have instances"
            : "no mapping that satisfies the constraints was found; the search was cut short";
    return v;
  }

  /// The levels that overflow in the best combination.
  void Explain() {
    chosen_ = best_;
    for (std::size_t l = 0; l < levels_; ++l) {
      const Points points = TilePoints(l, dims_);
      const std::int64_t words = KeptWords(l, points);
      if (words > usable_[l]) {
        result_.reasons.push_back(Overflow(l, points, words));
      }
    }
  }

  [[nodiscard]] mapping::Violation Overflow(std::size_t level, const Points& points,
                                            std::int64_t words) const {
    const arch::Memory& memory = chain_.levels[level].memory;
    mapping::Violation v;
    v.code = ErrorCode::kMappingCapacity;
    v.level = static_cast<int>(level);
    v.words_needed = words;
    v.words_available = usable_[level];
    v.capacity_wanted = CapacityFor(memory, words);
    std::int64_t largest = -1;
    for (std::size_t t = 0; t < workload_.tensors.size(); ++t) {
      const bool kept = (limits_.must_keep[level] >> t & 1U) != 0U;
      const std::int64_t own = kept ? TensorWords(t, points) : -1;
      if (own > largest) {
        largest = own;
        v.tensor = static_cast<int>(t);
      }
    }
    v.message = fmt::format(
        "the smallest tiles that {} has to keep need {} words, {} more than the {} that are "
        "usable; the largest is {} with {}",
        memory.name, words, words - usable_[level], usable_[level],
        workload_.tensor_names[static_cast<std::size_t>(v.tensor)], largest);
    if (!result_.proven) {
      v.message += " (not proven: the search was cut short)";
    }
    return v;
  }

  const mapping::Workload& workload_;
  const arch::Chain& chain_;
  const SpaceLimits& limits_;
  bool imperfect_;
  std::size_t levels_;
  std::size_t dims_;
  std::array<std::int64_t, arch::kMaxLevels> usable_{};
  std::vector<std::vector<Placement>> placements_;
  /// Of any placement of a dim.
  std::array<std::array<std::int64_t, arch::kMaxLevels>, mapping::kMaxDims> least_{};
  std::vector<std::size_t> chosen_;
  std::vector<std::size_t> best_;
  std::int64_t best_excess_ = kUnlimited;
  std::int64_t nodes_ = 0;
  Feasibility result_;
};

/// `12,544 B`
std::string Bytes(std::int64_t words, const arch::Memory& memory) {
  const double bits = static_cast<double>(words) * memory.word_bits;
  std::string digits = fmt::format("{:.0f}", std::ceil(bits / 8));
  for (std::size_t i = digits.size(); i > 3; i -= 3) {
    digits.insert(i - 3, ",");
  }
  return digits + " B";
}

}  // namespace

std::string CureText(const arch::Chain& chain, const std::vector<mapping::Violation>& reasons) {
  std::string text;
  for (const mapping::Violation& reason : reasons) {
    if (reason.level < 0 || reason.capacity_wanted == 0) {
      return {};
    }
    const arch::Memory& memory = chain.levels[static_cast<std::size_t>(reason.level)].memory;
    text += fmt::format("{}{} needs {} instead of {}", text.empty() ? "" : ", ", memory.name,
                        Bytes(reason.capacity_wanted, memory),
                        Bytes(memory.capacity_words.value_or(0), memory));
  }
  return text;
}

Feasibility FindFeasible(const mapping::Workload& workload, const arch::Chain& chain,
                         const SpaceLimits& limits, bool imperfect) {
  Feasibility found = Finder(workload, chain, limits, imperfect).Run();
  if (imperfect && !found.point && !found.proven) {
    // Perfect factors are imperfect ones, too, and so few that the search seldom gives up on them.
    const Feasibility perfect = Finder(workload, chain, limits, false).Run();
    found.point = perfect.point;
  }
  if (found.point) {
    found.reasons.clear();
  }
  return found;
}

std::int64_t CapacityFor(const arch::Memory& memory, std::int64_t words) {
  arch::Memory changed = memory;
  const auto enough = [&](std::int64_t capacity) {
    changed.capacity_words = capacity;
    return mapping::UsableWords(changed) >= words;
  };
  auto capacity =
      static_cast<std::int64_t>(std::floor(static_cast<double>(words) * memory.buffering));
  while (!enough(capacity)) {
    ++capacity;
  }
  while (capacity > 1 && enough(capacity - 1)) {
    --capacity;
  }
  return capacity;
}

}  // namespace sluice::mapper
