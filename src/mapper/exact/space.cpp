#include "mapper/exact/space.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "cost/compiled.h"
#include "mapper/exact/lattice.h"
#include "mapper/exact/model.h"
#include "mapping/mapping.h"
#include "mapping/validity.h"

namespace sluice::mapper::exact {
namespace {

using cost::HasBit;
using cost::Index;
using Visit = std::function<bool(const mapping::LoopList&, const mapping::LoopList&)>;

/// Splits each spatial factor into an X and a Y part, dim by dim.
class Splitter {
 public:
  Splitter(const Lattice& lattice, const mapping::ValidityTable::Level& limits, Tile factors)
      : lattice_(lattice), limits_(limits), factors_(factors) {}

  /// Returns false when `visit` asked to stop.
  bool Run(const Visit& visit) { return Dim(0, 1, 1, visit); }

 private:
  bool Dim(int d, std::int64_t x, std::int64_t y, const Visit& visit) {
    if (d == lattice_.dims()) {
      return visit(x_, y_);
    }
    const std::int64_t factor = lattice_.Value(factors_, d);
    if (factor == 1) {
      return Dim(d + 1, x, y, visit);
    }
    for (std::int64_t on_x = factor; on_x >= 1; --on_x) {
      const std::int64_t on_y = factor / on_x;
      if (factor % on_x != 0 || x * on_x > limits_.x || y * on_y > limits_.y ||
          (on_x > 1 && !HasBit(limits_.may_unroll_x, d)) ||
          (on_y > 1 && !HasBit(limits_.may_unroll_y, d))) {
        continue;
      }
      if (on_x > 1) {
        x_.push_back(mapping::PerfectLoop(d, on_x));
      }
      if (on_y > 1) {
        y_.push_back(mapping::PerfectLoop(d, on_y));
      }
      const bool go_on = Dim(d + 1, x * on_x, y * on_y, visit);
      if (on_x > 1) {
        x_.pop_back();
      }
      if (on_y > 1) {
        y_.pop_back();
      }
      if (!go_on) {
        return false;
      }
    }
    return true;
  }

  const Lattice& lattice_;
  const mapping::ValidityTable::Level& limits_;
  Tile factors_;
  mapping::LoopList x_;
  mapping::LoopList y_;
};

bool ByDim(const mapping::Loop& a, const mapping::Loop& b) {
  return a.dim < b.dim;
}

}  // namespace

Spaces::Spaces(const Model& model) : model_(&model) {
  options_.resize(Index(model.levels()));
  for (int l = 0; l < model.levels(); ++l) {
    Enumerate(l);
  }
}

void Spaces::Enumerate(int level) {
  const Lattice& lattice = model_->lattice();
  const auto& limits = model_->evaluator().validity().levels[Index(level)];
  const auto cells = static_cast<double>(limits.x * limits.y);
  std::vector<Space>& options = options_[Index(level)];
  const std::uint32_t may = limits.may_unroll_x | limits.may_unroll_y;
  // Lattice numbers grow dim by dim, so extending known vectors by one dim at a time meets each
  // vector once.
  std::vector<Tile> vectors = {0};
  for (int d = 0; d < lattice.dims(); ++d) {
    if (cells <= 1 || !HasBit(may, d)) {
      continue;
    }
    const std::size_t known = vectors.size();
    for (std::size_t i = 0; i < known; ++i) {
      for (const Lattice::Step& step : lattice.Steps(d, 0)) {
        if (model_->Product(vectors[i]) * step.factor <= cells) {
          vectors.push_back(vectors[i] + step.offset);
        }
      }
    }
  }
  for (const Tile factors : vectors) {
    if (!HasPlacement(level, factors)) {
      continue;
    }
    Space space;
    space.factors = factors;
    space.units = model_->Product(factors);
    space.copies = model_->Copies(factors);
    for (int t = 0; t < model_->tensors(); ++t) {
      space.merge[Index(t)] = model_->Merge(level, t, factors, 0);
      for (int a = 0; a < model_->compiled().tensor[Index(t)].axes; ++a) {
        int spatial = 0;
        for (const mapping::WorkloadTerm& term :
             model_->compiled().tensor[Index(t)].axis[Index(a)]) {
          spatial += lattice.Value(factors, term.dim) > 1 ? 1 : 0;
        }
        if (spatial > 1) {
          space.collides |= 1U << static_cast<unsigned>(t);
        }
      }
    }
    options.push_back(space);
  }
  std::ranges::stable_sort(options,
                           [](const Space& a, const Space& b) { return a.units > b.units; });
}

bool Spaces::HasPlacement(int level, Tile factors) const {
  bool found = false;
  Splitter(model_->lattice(), model_->evaluator().validity().levels[Index(level)], factors)
      .Run([&found](const mapping::LoopList&, const mapping::LoopList&) {
        found = true;
        return false;
      });
  return found;
}

void Spaces::ForEachPlacement(int level, Tile factors, bool ordered, const Visit& visit) const {
  Splitter splitter(model_->lattice(), model_->evaluator().validity().levels[Index(level)],
                    factors);
  if (!ordered) {
    splitter.Run(visit);
    return;
  }
  splitter.Run([&visit](const mapping::LoopList& split_x, const mapping::LoopList& split_y) {
    mapping::LoopList x = split_x;
    do {
      mapping::LoopList y = split_y;
      do {
        if (!visit(x, y)) {
          return false;
        }
      } while (std::next_permutation(y.begin(), y.end(), ByDim));
    } while (std::next_permutation(x.begin(), x.end(), ByDim));
    return true;
  });
}

}  // namespace sluice::mapper::exact
