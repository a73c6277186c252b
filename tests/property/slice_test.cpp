/// \file
/// SliceOutput against enumeration of every point of the iteration space, on random affine
/// operators: strides, dilation, offsets (padding), groups (two dims on one axis), transposed
/// outputs (strided and overlapping writes), divisors, mirrored axes, whole dims. The result must
/// be the smallest boxes, not merely enclosing ones, when each dim stands on at most one axis of an
/// access; enclosing otherwise.

#include <gtest/gtest.h>
#include <rapidcheck.h>
// rapidcheck's gtest glue needs gtest first.
#include <algorithm>
#include <functional>
#include <optional>
#include <vector>

#include <rapidcheck/gtest.h>

#include "base/checked.h"
#include "ir/network.h"

namespace sluice::ir {
namespace {

using Point = std::vector<std::int64_t>;

struct Case {
  Operator op;
  std::vector<Tensor> tensors;
  Box output;
};

std::int64_t Index(const AxisExpr& axis, const Point& point) {
  std::int64_t sum = axis.offset;
  for (const Term& term : axis.terms) {
    sum += term.coefficient * point[static_cast<std::size_t>(term.dim)];
  }
  return FloorDiv(sum, axis.divisor);
}

/// Calls `visit` on every point of `box`.
void Enumerate(const Box& box, const std::function<void(const Point&)>& visit) {
  Point point;
  for (const Range& range : box) {
    if (range.size() == 0) {
      return;
    }
    point.push_back(range.begin);
  }
  while (true) {
    visit(point);
    std::size_t d = 0;
    for (; d < point.size(); ++d) {
      if (++point[d] < box[d].end) {
        break;
      }
      point[d] = box[d].begin;
    }
    if (d == point.size()) {
      return;
    }
  }
}

/// The indices of one access at one point, if all are inside `limit`.
std::optional<Point> Element(const Access& access, const Point& point, const Box& limit) {
  Point element;
  for (std::size_t x = 0; x < access.axes.size(); ++x) {
    const std::int64_t index = Index(access.axes[x], point);
    if (index < limit[x].begin || index >= limit[x].end) {
      return std::nullopt;
    }
    element.push_back(index);
  }
  return element;
}

/// Bounding box; starts as "nothing seen".
class Bounds {
 public:
  void Add(const Point& point) {
    for (std::size_t i = 0; i < point.size(); ++i) {
      if (!any_) {
        box_.push_back({point[i], point[i] + 1});
      } else {
        box_[i].begin = std::min(box_[i].begin, point[i]);
        box_[i].end = std::max(box_[i].end, point[i] + 1);
      }
    }
    any_ = true;
  }
  [[nodiscard]] bool any() const { return any_; }
  [[nodiscard]] Box box(std::size_t rank) const { return any_ ? box_ : Box(rank); }

 private:
  bool any_ = false;
  Box box_;
};

Slice BruteForce(const Case& c) {
  Box all;
  for (const Dim& dim : c.op.dims) {
    all.push_back({0, dim.bound});
  }
  Bounds writing;
  Enumerate(all, [&](const Point& point) {
    if (Element(c.op.output(), point, c.output)) {
      writing.Add(point);
    }
  });
  Slice slice;
  slice.dims = writing.box(c.op.dims.size());
  if (writing.any()) {
    for (std::size_t d = 0; d < c.op.dims.size(); ++d) {
      if (c.op.dims[d].whole) {
        slice.dims[d] = all[d];
      }
    }
  }
  for (std::size_t a = 0; a < c.op.accesses.size(); ++a) {
    const Access& access = c.op.accesses[a];
    Box limit = c.output;
    if (a + 1 < c.op.accesses.size()) {
      limit.clear();
      for (const std::int64_t extent :
           c.tensors[static_cast<std::size_t>(access.tensor.value)].shape) {
        limit.push_back({0, extent});
      }
    }
    Bounds touched;
    Enumerate(slice.dims, [&](const Point& point) {
      if (const auto element = Element(access, point, limit)) {
        touched.Add(*element);
      }
    });
    slice.accesses.push_back(touched.box(access.axes.size()));
  }
  return slice;
}

std::int64_t Pick(std::int64_t lo, std::int64_t hi) {
  return *rc::gen::inRange(lo, hi + 1);
}

/// An access that spreads the dims over up to three axes. `repeat`: a dim may stand on several
/// axes.
Access RandomAccess(const Operator& op, bool repeat) {
  Access access;
  access.axes.resize(static_cast<std::size_t>(Pick(1, 3)));
  for (std::size_t d = 0; d < op.dims.size(); ++d) {
    for (std::size_t x = 0; x < access.axes.size(); ++x) {
      const bool here =
          repeat ? Pick(0, 2) == 0 : Pick(0, static_cast<std::int64_t>(access.axes.size())) == 0;
      if (here) {
        const std::int64_t sign = Pick(0, 5) == 0 ? -1 : 1;
        access.axes[x].terms.push_back({static_cast<std::int32_t>(d), sign * Pick(1, 4)});
        if (!repeat) {
          break;
        }
      }
    }
  }
  for (AxisExpr& axis : access.axes) {
    axis.offset = Pick(-4, 6);
    axis.divisor = Pick(0, 3) == 0 ? Pick(2, 3) : 1;
  }
  return access;
}

Case RandomCase(bool repeat) {
  Case c;
  c.op.name = "op";
  c.op.kind = "Random";
  c.op.body = {{WorkClass::kMac, 1}};
  const std::int64_t dims = Pick(1, 4);
  for (std::int64_t d = 0; d < dims; ++d) {
    c.op.dims.push_back({std::string(1, static_cast<char>('A' + d)), Pick(1, 6), Pick(0, 7) == 0});
  }
  const std::int64_t reads = Pick(1, 2);
  for (std::int64_t a = 0; a <= reads; ++a) {
    Access access = RandomAccess(c.op, repeat);
    access.tensor = {static_cast<std::int32_t>(a)};
    access.mode = a == reads ? AccessMode::kAccumulate : AccessMode::kRead;
    Tensor tensor;
    tensor.name = "t" + std::to_string(a);
    for (std::size_t x = 0; x < access.axes.size(); ++x) {
      tensor.shape.push_back(Pick(1, 14));
    }
    c.tensors.push_back(std::move(tensor));
    c.op.accesses.push_back(std::move(access));
  }
  for (const std::int64_t extent : c.tensors.back().shape) {
    const std::int64_t begin = Pick(0, extent - 1);
    c.output.push_back({begin, Pick(begin + 1, extent)});
  }
  return c;
}

void Print(const Slice& slice, std::ostream& out) {
  const auto print = [&](const Box& box) {
    for (const Range& r : box) {
      out << '[' << r.begin << ',' << r.end << ')';
    }
    out << ' ';
  };
  print(slice.dims);
  for (const Box& box : slice.accesses) {
    print(box);
  }
}

std::string Describe(const Case& c) {
  std::ostringstream out;
  for (const Dim& d : c.op.dims) {
    out << d.name << '<' << d.bound << (d.whole ? " whole; " : "; ");
  }
  for (const Access& a : c.op.accesses) {
    for (const AxisExpr& x : a.axes) {
      out << '(';
      for (const Term& t : x.terms) {
        out << t.coefficient << '*' << c.op.dims[static_cast<std::size_t>(t.dim)].name << " + ";
      }
      out << x.offset << ")/" << x.divisor << ' ';
    }
    out << "; ";
  }
  out << "brute ";
  Print(BruteForce(c), out);
  out << "got ";
  Print(SliceOutput(c.op, c.tensors, c.output), out);
  return out.str();
}

bool Encloses(const Box& outer, const Box& inner) {
  for (std::size_t i = 0; i < inner.size(); ++i) {
    if (inner[i].size() > 0 && (outer[i].begin > inner[i].begin || outer[i].end < inner[i].end)) {
      return false;
    }
  }
  return true;
}

RC_GTEST_PROP(SliceProperty, IsTheSmallestBoxWhenDimsStandOnOneAxis, ()) {
  const Case c = RandomCase(/*repeat=*/false);
  RC_ASSERT(Validate(c.op, c.tensors).has_value());
  const Slice expected = BruteForce(c);
  const Slice got = SliceOutput(c.op, c.tensors, c.output);
  RC_LOG() << Describe(c) << '\n';
  RC_ASSERT(got.dims == expected.dims);
  RC_ASSERT(got.accesses == expected.accesses);
}

RC_GTEST_PROP(SliceProperty, EnclosesWhenDimsRepeatOnAxes, ()) {
  const Case c = RandomCase(/*repeat=*/true);
  const Slice expected = BruteForce(c);
  const Slice got = SliceOutput(c.op, c.tensors, c.output);
  RC_LOG() << Describe(c) << '\n';
  RC_ASSERT(Encloses(got.dims, expected.dims));
  for (std::size_t a = 0; a < got.accesses.size(); ++a) {
    RC_ASSERT(Encloses(got.accesses[a], expected.accesses[a]));
  }
}

/// Halos: the slices of a partition of the output cover what the whole needs, and a larger output
/// never needs less.
RC_GTEST_PROP(SliceProperty, IsMonotone, ()) {
  const Case c = RandomCase(/*repeat=*/false);
  const Slice whole = FullSlice(c.op, c.tensors);
  const Slice part = SliceOutput(c.op, c.tensors, c.output);
  RC_ASSERT(Encloses(whole.dims, part.dims));
  for (std::size_t a = 0; a < part.accesses.size(); ++a) {
    RC_ASSERT(Encloses(whole.accesses[a], part.accesses[a]));
  }
}

/// A convolution with stride, dilation, padding and groups, written as the importer writes it, and
/// the transposed one: the two shapes that everything else is built from, over many parameters.
RC_GTEST_PROP(SliceProperty, ConvolutionsAreExact, ()) {
  const bool transposed = Pick(0, 1) == 1;
  const std::int64_t p = Pick(1, 9);
  const std::int64_t r = Pick(1, 4);
  const std::int64_t groups = Pick(1, 3);
  const std::int64_t channels = Pick(1, 3);
  const std::int64_t stride = Pick(1, 4);
  const std::int64_t dilation = Pick(1, 3);
  const std::int64_t pad = Pick(0, 3);
  Case c;
  c.op.name = "conv";
  c.op.dims = {{"G", groups}, {"C", channels}, {"P", p}, {"R", r}};
  c.op.body = {{WorkClass::kMac, 1}};
  const AxisExpr channel{{{0, channels}, {1, 1}}, 0, 1, false};
  const AxisExpr strided{{{2, stride}, {3, dilation}}, -pad, 1, false};
  const AxisExpr plain{{{2, 1}}, 0, 1, false};
  const std::int64_t extent =
      std::max<std::int64_t>(1, (p - 1) * stride + (r - 1) * dilation + 1 - 2 * pad);
  c.tensors.resize(3);
  c.tensors[0].shape = {groups * channels, transposed ? p : extent};
  c.tensors[1].shape = {channels, r};
  c.tensors[2].shape = {groups * channels, transposed ? extent : p};
  c.op.accesses = {{{0}, AccessMode::kRead, {channel, transposed ? plain : strided}},
                   {{1}, AccessMode::kRead, {{{{1, 1}}, 0, 1, false}, {{{3, 1}}, 0, 1, false}}},
                   {{2}, AccessMode::kAccumulate, {channel, transposed ? strided : plain}}};
  for (const std::int64_t e : c.tensors[2].shape) {
    const std::int64_t begin = Pick(0, e - 1);
    c.output.push_back({begin, Pick(begin + 1, e)});
  }
  RC_LOG() << Describe(c) << '\n';
  RC_ASSERT(Validate(c.op, c.tensors).has_value());
  const Slice expected = BruteForce(c);
  const Slice got = SliceOutput(c.op, c.tensors, c.output);
  RC_ASSERT(got.dims == expected.dims);
  RC_ASSERT(got.accesses == expected.accesses);
}

}  // namespace
}  // namespace sluice::ir
