#include "cost/axis/axis_set.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace sluice::cost {

AxisSet AxisSet::Build(GeneratorList generators, bool bounding) {
  GeneratorList active;
  std::int64_t extent = 1;
  for (const Generator& g : generators) {
    if (g.count > 1) {
      active.push_back(g);
      extent += g.step * (g.count - 1);
    }
  }
  if (bounding) {
    return Progression(1, extent);
  }
  if (active.empty()) {
    return Progression(1, 1);
  }
  std::ranges::sort(active, [](const Generator& a, const Generator& b) { return a.step < b.step; });
  // Greedy merge: a progression of `count` steps of `step`, extended by a generator whose step is a
  // multiple of it and leaves no gap, is a longer progression.
  const std::int64_t step = active[0].step;
  std::int64_t count = active[0].count;
  bool regular = true;
  for (std::size_t i = 1; i < active.size(); ++i) {
    const Generator& g = active[i];
    if (g.step % step != 0 || g.step / step > count) {
      regular = false;
      break;
    }
    count += (g.step / step) * (g.count - 1);
  }
  if (regular) {
    return Progression(step, count);
  }
  AxisSet set;
  set.irregular_ = {0};
  for (const Generator& g : active) {
    std::vector<std::int64_t> next;
    next.reserve(set.irregular_.size() * static_cast<std::size_t>(g.count));
    for (std::int64_t i = 0; i < g.count; ++i) {
      for (const std::int64_t v : set.irregular_) {
        next.push_back(v + i * g.step);
      }
    }
    std::ranges::sort(next);
    const auto repeated = std::ranges::unique(next);
    next.erase(repeated.begin(), repeated.end());
    set.irregular_ = std::move(next);
  }
  set.size_ = static_cast<std::int64_t>(set.irregular_.size());
  return set;
}

std::int64_t AxisSet::Overlap(const AxisSet& other, std::int64_t shift) const {
  if (irregular_.empty() && other.irregular_.empty() &&
      (step_ == other.step_ || other.size_ == 1)) {
    if (shift % step_ != 0) {
      return 0;
    }
    const std::int64_t moved = shift / step_;
    const std::int64_t begin = std::max<std::int64_t>(0, moved);
    const std::int64_t end = std::min(size_, moved + other.size_);
    return std::max<std::int64_t>(0, end - begin);
  }
  std::int64_t common = 0;
  std::int64_t i = 0;
  std::int64_t j = 0;
  while (i < size_ && j < other.size_) {
    const std::int64_t a = At(i);
    const std::int64_t b = other.At(j) + shift;
    common += a == b ? 1 : 0;
    i += a <= b ? 1 : 0;
    j += b <= a ? 1 : 0;
  }
  return common;
}

}  // namespace sluice::cost
