/// \file
/// Slices: from a box of the output back to the points and the inputs it needs.
///
/// An axis index is an affine form of dims, so both directions are one question about *bounded
/// sums* S = { base + sum c_i * y_i : 0 <= y_i <= n_i, c_i > 0 }:
///  - which values of dim d let the other terms of its output axis reach the wanted interval;
///  - which is the smallest and the largest in-range index a set of points touches.
/// Interval arithmetic alone would only enclose (stride 2 touches every second row, a transposed
/// convolution reaches only some phases); FirstAtLeast answers exactly. It is O(terms) when S has
/// no holes beyond the common divisor of its coefficients, which is every convolution, pooling and
/// copy; otherwise it searches under a budget and falls back to the enclosing answer.
///
/// Symmetry used throughout: v is in S exactly if base + max - (v - base) is.
/// Tested by tests/property/slice_test.cpp.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "base/checked.h"
#include "ir/network.h"

namespace sluice::ir {

namespace {

/// Inclusive range of one dim.
struct Span {
  std::int64_t lo = 0;
  std::int64_t hi = 0;
};

/// Steps a search may take before it settles for an enclosing answer.
constexpr int kSearchBudget = 4096;

/// The values an affine form takes over a box.
class BoundedSum {
 public:
  BoundedSum() = default;

  void Add(std::int64_t coefficient, Span span) {
    if (coefficient < 0) {
      base_ += coefficient * span.hi;
      coefficient = -coefficient;
    } else {
      base_ += coefficient * span.lo;
    }
    if (span.hi > span.lo) {
      parts_.push_back({coefficient, span.hi - span.lo, 0, 0, true});
    }
  }

  /// Call once after the last Add.
  void Finish() {
    std::ranges::sort(parts_,
                      [](const Part& a, const Part& b) { return a.coefficient > b.coefficient; });
    std::int64_t reach = 0;
    std::int64_t divisor = 0;
    bool dense = true;
    for (std::size_t i = parts_.size(); i-- > 0;) {
      Part& part = parts_[i];
      const std::int64_t next = std::gcd(divisor, part.coefficient);
      // Without holes: the parts below step by `divisor` up to `reach`, and one step of this part
      // does not jump over the end of them. A new, smaller divisor below the first part makes
      // holes.
      dense = dense && (divisor == 0 || (next == divisor && part.coefficient <= reach + divisor));
      reach += part.coefficient * part.count;
      divisor = next;
      part.reach = reach;
      part.divisor = divisor;
      part.dense = dense;
    }
  }

  [[nodiscard]] std::int64_t min() const { return base_; }
  [[nodiscard]] std::int64_t max() const { return base_ + reach(); }

  /// Smallest value >= v, or none. Sets `exact` to false when the budget ran out; the answer is
  /// then a lower bound of the true one.
  [[nodiscard]] std::optional<std::int64_t> FirstAtLeast(std::int64_t v, bool* exact) const {
    int budget = kSearchBudget;
    const auto found = First(0, v - base_, &budget);
    if (budget <= 0) {
      *exact = false;
      return v <= max() ? std::optional(std::max(v, min())) : std::nullopt;
    }
    return found ? std::optional(base_ + *found) : std::nullopt;
  }

  /// Largest value <= v, or none; same contract.
  [[nodiscard]] std::optional<std::int64_t> LastAtMost(std::int64_t v, bool* exact) const {
    int budget = kSearchBudget;
    const auto found = First(0, max() - v, &budget);
    if (budget <= 0) {
      *exact = false;
      return v >= min() ? std::optional(std::min(v, max())) : std::nullopt;
    }
    return found ? std::optional(max() - *found) : std::nullopt;
  }

 private:
  struct Part {
    std::int64_t coefficient;
    std::int64_t count;
    std::int64_t reach;    ///< largest sum of this part and those after it
    std::int64_t divisor;  ///< common divisor of the same
    bool dense;            ///< every multiple of the divisor in [0, reach] occurs
  };

  [[nodiscard]] std::int64_t reach() const { return parts_.empty() ? 0 : parts_.front().reach; }

  /// Smallest sum of parts i.. that is >= r.
  std::optional<std::int64_t> First(std::size_t i, std::int64_t r, int* budget) const {
    if (r <= 0) {
      return 0;
    }
    if (i == parts_.size() || r > parts_[i].reach) {
      return std::nullopt;
    }
    const Part& part = parts_[i];
    if (part.dense) {
      return CeilDiv(r, part.divisor) * part.divisor;
    }
    const std::int64_t below = i + 1 < parts_.size() ? parts_[i + 1].reach : 0;
    const std::int64_t most = std::min(part.count, CeilDiv(r, part.coefficient));
    const std::int64_t least = std::max<std::int64_t>(0, CeilDiv(r - below, part.coefficient));
    std::optional<std::int64_t> best;
    for (std::int64_t y = most; y >= least && --*budget > 0; --y) {
      const auto rest = First(i + 1, r - part.coefficient * y, budget);
      if (rest) {
        const std::int64_t value = part.coefficient * y + *rest;
        best = best ? std::min(*best, value) : value;
        if (value == r) {
          break;
        }
      }
    }
    return best;
  }

  std::int64_t base_ = 0;
  std::vector<Part> parts_;
};

BoundedSum SumOf(const AxisExpr& axis, const std::vector<Span>& spans, std::int32_t without = -1) {
  BoundedSum sum;
  for (const Term& term : axis.terms) {
    if (term.dim != without) {
      sum.Add(term.coefficient, spans[static_cast<std::size_t>(term.dim)]);
    }
  }
  sum.Finish();
  return sum;
}

/// The interval of (sum of terms) that puts an axis index into `range`.
Span Target(const AxisExpr& axis, Range range) {
  return {range.begin * axis.divisor - axis.offset, range.end * axis.divisor - 1 - axis.offset};
}

/// Whether the others can bring the axis into the target when this term contributes `part`.
bool Reaches(const BoundedSum& others, Span target, std::int64_t part) {
  bool exact = true;
  const auto first = others.FirstAtLeast(target.lo - part, &exact);
  return first && *first <= target.hi - part;
}

/// Shrinks the span of `term.dim` to the values that can reach the target. False: there are none.
bool Tighten(const AxisExpr& axis, const Term& term, Span target, std::vector<Span>* spans) {
  const BoundedSum others = SumOf(axis, *spans, term.dim);
  Span& span = (*spans)[static_cast<std::size_t>(term.dim)];
  const std::int64_t c = term.coefficient;
  const std::int64_t lo = target.lo - others.max();
  const std::int64_t hi = target.hi - others.min();
  if (c > 0) {
    span = {std::max(span.lo, CeilDiv(lo, c)), std::min(span.hi, FloorDiv(hi, c))};
  } else {
    span = {std::max(span.lo, CeilDiv(-hi, -c)), std::min(span.hi, FloorDiv(-lo, -c))};
  }
  // Interval arithmetic is done; now skip values whose phase the others cannot complete.
  int budget = kSearchBudget;
  Span tight = span;
  while (tight.lo <= tight.hi && --budget > 0 && !Reaches(others, target, c * tight.lo)) {
    ++tight.lo;
  }
  while (tight.lo <= tight.hi && --budget > 0 && !Reaches(others, target, c * tight.hi)) {
    --tight.hi;
  }
  if (budget > 0) {
    span = tight;
  }
  return span.lo <= span.hi;
}

/// Indices of `axis` inside `limit` that points of the box touch; empty if none.
Range Touched(const AxisExpr& axis, const std::vector<Span>& spans, Range limit) {
  if (axis.indirect) {
    return limit;
  }
  const BoundedSum sum = SumOf(axis, spans);
  const Span target = Target(axis, limit);
  bool exact = true;
  const auto first = sum.FirstAtLeast(target.lo, &exact);
  const auto last = sum.LastAtMost(target.hi, &exact);
  if (!first || !last || *first > *last) {
    return {};
  }
  return {FloorDiv(*first + axis.offset, axis.divisor),
          FloorDiv(*last + axis.offset, axis.divisor) + 1};
}

Slice EmptySlice(const Operator& op) {
  Slice slice;
  slice.dims.resize(op.dims.size());
  for (const Access& access : op.accesses) {
    slice.accesses.emplace_back(access.axes.size());
  }
  return slice;
}

}  // namespace

Slice SliceOutput(const Operator& op, const std::vector<Tensor>& tensors, const Box& output) {
  std::vector<Span> spans;
  spans.reserve(op.dims.size());
  for (const Dim& dim : op.dims) {
    spans.push_back({0, dim.bound - 1});
  }
  const Access& out = op.output();
  // One round is exact when no dim stands on two output axes; more rounds only tighten the others.
  constexpr int kRounds = 4;
  for (int round = 0; round < kRounds; ++round) {
    const auto unchanged = [before = spans](const std::vector<Span>& now) {
      return std::equal(before.begin(), before.end(), now.begin(),
                        [](Span a, Span b) { return a.lo == b.lo && a.hi == b.hi; });
    };
    for (std::size_t x = 0; x < out.axes.size(); ++x) {
      const AxisExpr& axis = out.axes[x];
      if (axis.indirect) {
        continue;
      }
      const Span target = Target(axis, output[x]);
      if (target.hi < target.lo || !Reaches(SumOf(axis, spans), target, 0)) {
        return EmptySlice(op);
      }
      for (const Term& term : axis.terms) {
        if (!Tighten(axis, term, target, &spans)) {
          return EmptySlice(op);
        }
      }
    }
    if (unchanged(spans)) {
      break;
    }
  }

  Slice slice;
  for (std::size_t d = 0; d < op.dims.size(); ++d) {
    if (op.dims[d].whole) {
      spans[d] = {0, op.dims[d].bound - 1};
    }
    slice.dims.push_back({spans[d].lo, spans[d].hi + 1});
  }
  for (std::size_t a = 0; a < op.accesses.size(); ++a) {
    const Access& access = op.accesses[a];
    const Tensor& tensor = tensors[static_cast<std::size_t>(access.tensor.value)];
    const bool is_output = a + 1 == op.accesses.size();
    Box box;
    for (std::size_t x = 0; x < access.axes.size(); ++x) {
      const Range limit = is_output ? output[x] : Range{0, tensor.shape[x]};
      box.push_back(Touched(access.axes[x], spans, limit));
    }
    if (std::ranges::any_of(box, [](Range r) { return r.size() == 0; })) {
      std::ranges::fill(box, Range{});
    }
    slice.accesses.push_back(std::move(box));
  }
  return slice;
}

Slice FullSlice(const Operator& op, const std::vector<Tensor>& tensors) {
  const Tensor& tensor = tensors[static_cast<std::size_t>(op.output().tensor.value)];
  Box full;
  for (const std::int64_t extent : tensor.shape) {
    full.push_back({0, extent});
  }
  return SliceOutput(op, tensors, full);
}

}  // namespace sluice::ir
