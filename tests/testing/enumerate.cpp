#include "testing/enumerate.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "mapping/mapping.h"
#include "mapping/validity.h"

namespace sluice::testing {
namespace {

bool ByDim(const mapping::Loop& a, const mapping::Loop& b) {
  return a.dim < b.dim;
}

class Enumeration {
 public:
  struct Kind {
    bool imperfect = false;
    bool axis_orders = false;
  };
  Enumeration(const mapping::Workload& workload, const arch::Chain& chain, Kind kind,
              std::int64_t limit, const std::function<void(const mapping::Mapping&)>& visit)
      : workload_(workload),
        chain_(chain),
        table_(mapping::MakeValidityTable(workload, chain)),
        imperfect_(kind.imperfect),
        axis_orders_(kind.axis_orders),
        limit_(limit),
        visit_(visit) {
    mapping_.levels.resize(chain.levels.size());
    for (auto& level : mapping_.levels) {
      level.keep = 0;
    }
  }

  std::int64_t Run() {
    Dim(0);
    return looked_ > limit_ ? -1 : valid_;
  }

 private:
  // Slot s of a dim: level s / 3; temporal, X, Y.
  void Dim(int d) {
    if (d == workload_.dims()) {
      Keeps(0);
      return;
    }
    const std::int64_t bound = workload_.bounds[static_cast<std::size_t>(d)];
    if (imperfect_) {
      std::vector<std::int64_t> factors(3 * chain_.levels.size(), 1);
      RaggedSlot(d, factors.size(), bound, factors);
    } else {
      Slot(d, 0, bound);
    }
  }

  [[nodiscard]] bool MayHold(int d, std::size_t slot, std::int64_t factor) const {
    const auto& limits = table_.levels[slot / 3];
    const bool on_y = slot % 3 == 2;
    const std::uint32_t may = on_y ? limits.may_unroll_y : limits.may_unroll_x;
    return factor == 1 || slot % 3 == 0 ||
           ((may >> static_cast<unsigned>(d) & 1U) != 0 && factor <= (on_y ? limits.y : limits.x));
  }

  mapping::LoopList& LoopsOf(std::size_t slot) {
    mapping::LevelMapping& level = mapping_.levels[slot / 3];
    return slot % 3 == 0 ? level.temporal : slot % 3 == 1 ? level.spatial_x : level.spatial_y;
  }

  // From the innermost slot outwards: `tiles` of what is inside `slot` cover the dim.
  void RaggedSlot(int d, std::size_t slot, std::int64_t tiles, std::vector<std::int64_t>& factors) {
    if (looked_ > limit_) {
      return;
    }
    if (slot == 0) {
      if (tiles == 1) {
        WithRaggedLoops(d, factors);
      }
      return;
    }
    --slot;
    for (std::int64_t factor = 1; factor <= tiles && MayHold(d, slot, factor); ++factor) {
      factors[slot] = factor;
      RaggedSlot(d, slot, (tiles + factor - 1) / factor, factors);
    }
    factors[slot] = 1;
  }

  // The last round of each loop: the digits of (bound - 1), factors being the radices.
  void WithRaggedLoops(int d, const std::vector<std::int64_t>& factors) {
    std::int64_t stride = 1;
    for (const std::int64_t factor : factors) {
      stride *= factor;
    }
    std::int64_t rest = workload_.bounds[static_cast<std::size_t>(d)] - 1;
    for (std::size_t s = 0; s < factors.size(); ++s) {
      stride /= factors[s];
      const std::int64_t digit = rest / stride;
      rest -= digit * stride;
      if (factors[s] > 1) {
        LoopsOf(s).push_back(
            {d, static_cast<std::int32_t>(factors[s]), static_cast<std::int32_t>(digit + 1)});
      }
    }
    Dim(d + 1);
    for (std::size_t s = 0; s < factors.size(); ++s) {
      if (factors[s] > 1) {
        LoopsOf(s).pop_back();
      }
    }
  }

  void Slot(int d, std::size_t slot, std::int64_t rest) {
    if (looked_ > limit_) {
      return;
    }
    if (slot == 3 * chain_.levels.size()) {
      if (rest == 1) {
        Dim(d + 1);
      }
      return;
    }
    mapping::LoopList& loops = LoopsOf(slot);
    for (std::int64_t factor = 1; factor <= rest; ++factor) {
      if (rest % factor != 0 || !MayHold(d, slot, factor)) {
        continue;
      }
      if (factor == 1) {
        Slot(d, slot + 1, rest);
        continue;
      }
      loops.push_back(mapping::PerfectLoop(d, factor));
      Slot(d, slot + 1, rest / factor);
      loops.pop_back();
    }
  }

  void Keeps(std::size_t l) {
    if (l == chain_.levels.size()) {
      if (!mapping::FitsQuickly(workload_, table_, mapping_)) {
        ++looked_;
        return;
      }
      Orders(0);
      return;
    }
    const auto& limits = table_.levels[l];
    const std::uint32_t free = limits.may_keep & ~limits.must_keep;
    for (std::uint32_t chosen = free;; chosen = (chosen - 1) & free) {
      mapping_.levels[l].keep = limits.must_keep | chosen;
      Keeps(l + 1);
      if (chosen == 0) {
        break;
      }
    }
  }

  template <class Next>
  void Permute(mapping::LoopList& loops, const Next& next) {
    const mapping::LoopList before = loops;
    do {
      next();
    } while (looked_ <= limit_ && std::next_permutation(loops.begin(), loops.end(), ByDim));
    loops = before;
  }

  void Orders(std::size_t l) {
    if (l == chain_.levels.size()) {
      ++looked_;
      ++valid_;
      visit_(mapping_);
      return;
    }
    mapping::LevelMapping& level = mapping_.levels[l];
    const auto axes = [&] {
      if (!axis_orders_) {
        Orders(l + 1);
        return;
      }
      Permute(level.spatial_x, [&] { Permute(level.spatial_y, [&] { Orders(l + 1); }); });
    };
    if (l + 1 == chain_.levels.size()) {
      axes();
    } else {
      Permute(level.temporal, axes);
    }
  }

  const mapping::Workload& workload_;
  const arch::Chain& chain_;
  mapping::ValidityTable table_;
  bool imperfect_;
  bool axis_orders_;
  std::int64_t limit_;
  const std::function<void(const mapping::Mapping&)>& visit_;
  mapping::Mapping mapping_;
  std::int64_t looked_ = 0;
  std::int64_t valid_ = 0;
};

}  // namespace

std::int64_t ForEachMapping(const mapping::Workload& workload, const arch::Chain& chain,
                            bool axis_orders, std::int64_t limit,
                            const std::function<void(const mapping::Mapping&)>& visit) {
  return Enumeration(workload, chain, {false, axis_orders}, limit, visit).Run();
}

std::int64_t ForEachImperfectMapping(const mapping::Workload& workload, const arch::Chain& chain,
                                     bool axis_orders, std::int64_t limit,
                                     const std::function<void(const mapping::Mapping&)>& visit) {
  return Enumeration(workload, chain, {true, axis_orders}, limit, visit).Run();
}

}  // namespace sluice::testing
