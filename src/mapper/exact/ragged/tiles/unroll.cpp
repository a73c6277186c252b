#include "mapper/exact/ragged/tiles/unroll.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <vector>

#include "cost/compiled.h"
#include "mapper/exact/model/model.h"
#include "mapper/exact/model/placements.h"
#include "mapper/exact/ragged/tiles/steps.h"
#include "mapping/mapping.h"
#include "mapping/validity.h"

namespace sluice::mapper::exact {
namespace {

using cost::HasBit;
using cost::Index;

/// Factors of one fan-out.
struct Option {
  Unrolling::Factors factor{};
  Unrolling::Factors active{};
  Unrolling::Factors on_x{};
  double product = 1;
};

/// The options of each fan-out by itself, then all their combinations.
class Lister {
 public:
  Lister(const Model& model, const std::function<bool(double)>& wanted,
         const std::function<bool(const Unrolling&)>& visit)
      : model_(model), wanted_(wanted), visit_(visit) {
    for (int d = 0; d < model.compiled().dims; ++d) {
      points_ *= static_cast<double>(model.compiled().bound[Index(d)]);
    }
    for (int l = 0; l < model.levels(); ++l) {
      units_.push_back(static_cast<double>(Limits(l).x * Limits(l).y));
      all_units_ *= units_.back();
    }
    for (auto& factors : current_.factor) {
      factors.fill(1);
    }
    current_.active = current_.factor;
    current_.on_x = current_.factor;
  }

  bool Run() {
    for (int l = 0; l < model_.levels(); ++l) {
      ListOptions(l);
    }
    Combine(0, 1, all_units_);
    return !stopped_;
  }

 private:
  [[nodiscard]] const mapping::ValidityTable::Level& Limits(int level) const {
    return model_.evaluator().validity().levels[Index(level)];
  }
  [[nodiscard]] std::int64_t Bound(int dim) const { return model_.compiled().bound[Index(dim)]; }

  void ListOptions(int level) {
    option_ = {};
    option_.factor.fill(1);
    option_.active = option_.factor;
    option_.on_x = option_.factor;
    std::map<Unrolling::Factors, Option> options;
    Dim(level, 0, Limits(level).x, Limits(level).y, options);
    std::vector<Option>& list = options_.emplace_back();
    for (const auto& [factor, option] : options) {
      list.push_back(option);
    }
    std::ranges::stable_sort(list, std::ranges::greater(), &Option::product);
  }

  /// Factors of `dim` and those behind it, where so much is left of the axes.
  void Dim(int level, int dim, std::int64_t room_x, std::int64_t room_y,
           std::map<Unrolling::Factors, Option>& options) {
    const double others = all_units_ / units_[Index(level)];
    const double most = option_.product * static_cast<double>(room_x * room_y) * others;
    if (!wanted_(std::max(1.0, points_ / most))) {
      return;
    }
    if (dim == model_.compiled().dims) {
      const auto [it, fresh] = options.try_emplace(option_.factor, option_);
      for (std::size_t d = 0; d < option_.active.size() && !fresh; ++d) {
        it->second.active[d] = std::min(it->second.active[d], option_.active[d]);
      }
      return;
    }
    const auto& limits = Limits(level);
    const std::int64_t bound = Bound(dim);
    const std::int64_t most_x = HasBit(limits.may_unroll_x, dim) ? std::min(room_x, bound) : 1;
    const std::int64_t most_y = HasBit(limits.may_unroll_y, dim) ? std::min(room_y, bound) : 1;
    const Option before = option_;
    for (std::int64_t x = 1; x <= most_x; ++x) {
      for (std::int64_t y = 1; y <= most_y; ++y) {
        const std::int64_t least = x > 1 && y > 1 ? std::max(x * (y - 1), (x - 1) * y) + 1 : x * y;
        if (least > bound) {
          break;
        }
        option_.factor[Index(dim)] = static_cast<std::int32_t>(x * y);
        option_.active[Index(dim)] = static_cast<std::int32_t>(least);
        option_.on_x[Index(dim)] = static_cast<std::int32_t>(x);
        option_.product = before.product * static_cast<double>(x * y);
        Dim(level, dim + 1, room_x / x, room_y / y, options);
      }
    }
    option_ = before;
  }

  /// `product`: of the factors of the levels outside; `room`: units of this level and those inside.
  void Combine(int level, double product, double room) {
    if (level == model_.levels()) {
      Keep();
      return;
    }
    const double inside = room / units_[Index(level)];
    for (const Option& option : options_[Index(level)]) {
      const double all = product * option.product;
      if (stopped_ || !wanted_(std::max(1.0, points_ / (all * inside)))) {
        return;  // the next ones are smaller
      }
      current_.factor[Index(level)] = option.factor;
      current_.active[Index(level)] = option.active;
      current_.on_x[Index(level)] = option.on_x;
      Combine(level + 1, all, inside);
    }
  }

  void Keep() {
    current_.steps = 1;
    for (int d = 0; d < model_.compiled().dims; ++d) {
      std::int64_t product = 1;
      for (int l = 0; l < model_.levels(); ++l) {
        product *= current_.factor[Index(l)][Index(d)];
      }
      current_.steps *= static_cast<double>(Tiles(Bound(d), product));
    }
    stopped_ = wanted_(current_.steps) && !visit_(current_);
  }

  const Model& model_;
  const std::function<bool(double)>& wanted_;
  const std::function<bool(const Unrolling&)>& visit_;
  double points_ = 1;
  std::vector<double> units_;  ///< by level: compute units or arrays below
  double all_units_ = 1;
  std::vector<std::vector<Option>> options_;  ///< by level, large products first
  Option option_;
  Unrolling current_;
  bool stopped_ = false;
};

}  // namespace

TensorDoubles LeastWays(const Model& model, int level, const Unrolling::Factors& factors) {
  TensorDoubles least{};
  least.fill(std::numeric_limits<double>::infinity());
  mapping::Mapping mapping;
  mapping.levels.resize(Index(model.levels()));
  cost::Nest nest;
  SpatialFactors all;
  for (int d = 0; d < model.compiled().dims; ++d) {
    all.push_back(factors[Index(d)]);
  }
  ForEachPlacement(model.evaluator().validity().levels[Index(level)], all, nullptr,
                   [&](const mapping::LoopList& x, const mapping::LoopList& y) {
                     mapping.levels[Index(level)].spatial_x = x;
                     mapping.levels[Index(level)].spatial_y = y;
                     cost::BuildNest(model.compiled(), mapping, nest);
                     for (int t = 0; t < model.tensors(); ++t) {
                       least[Index(t)] =
                           std::min(least[Index(t)],
                                    cost::NetworkWordEnergy(model.compiled(), nest, level, t));
                     }
                     return true;
                   });
  return least;
}

bool ListUnrollings(const Model& model, const std::function<bool(double)>& wanted,
                    const std::function<bool(const Unrolling&)>& visit) {
  return Lister(model, wanted, visit).Run();
}

}  // namespace sluice::mapper::exact
