#include "mapper/exact/ragged/tiles/unroll.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <vector>

#include "arch/architecture.h"
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

class Lister {
 public:
  Lister(const Model& model, const std::function<bool(double)>& wanted, std::size_t most)
      : model_(model), wanted_(wanted), most_(most) {
    // Units below each level, at most.
    below_.assign(Index(model.levels()) + 1, 1);
    for (int l = model.levels() - 1; l >= 0; --l) {
      below_[Index(l)] = below_[Index(l + 1)] * static_cast<double>(Limits(l).x * Limits(l).y);
    }
    for (auto& factors : current_.factor) {
      factors.fill(1);
    }
    current_.active = current_.factor;
    current_.on_x = current_.factor;
  }

  std::optional<std::vector<Unrolling>> Run() {
    if (model_.levels() > 0) {
      Dim(0, 0, Limits(0).x, Limits(0).y);
    }
    if (found_.size() > most_) {
      return std::nullopt;
    }
    std::vector<Unrolling> all;
    all.reserve(found_.size());
    for (const auto& [key, unrolling] : found_) {
      all.push_back(unrolling);
    }
    std::ranges::stable_sort(all, {}, &Unrolling::steps);
    return all;
  }

 private:
  [[nodiscard]] const mapping::ValidityTable::Level& Limits(int level) const {
    return model_.evaluator().validity().levels[Index(level)];
  }
  [[nodiscard]] std::int64_t Bound(int dim) const { return model_.compiled().bound[Index(dim)]; }
  [[nodiscard]] std::int64_t Product(int dim) const {
    std::int64_t product = 1;
    for (int l = 0; l < model_.levels(); ++l) {
      product *= current_.factor[Index(l)][Index(dim)];
    }
    return product;
  }

  /// Fewest steps when `room` more units than decided can be put to use on any dim. Ceilings count
  /// for dims that change no more.
  [[nodiscard]] double LeastSteps(int level, int dim, double room) const {
    const bool last = below_[Index(level + 1)] == 1;
    double steps = 1;
    double open = 1;
    for (int d = 0; d < model_.compiled().dims; ++d) {
      const std::int64_t bound = Bound(d);
      const std::int64_t product = Product(d);
      const auto rounded = static_cast<double>(Tiles(bound, product));
      if (last && d < dim) {
        steps *= rounded;
      } else {
        open *= std::max(1.0, static_cast<double>(bound) / static_cast<double>(product));
      }
    }
    return steps * std::max(1.0, open / room);
  }

  void Dim(int level, int dim, std::int64_t room_x, std::int64_t room_y) {
    if (found_.size() > most_) {
      return;
    }
    const double room =
        static_cast<double>(room_x * room_y) * below_[Index(std::min(level + 1, model_.levels()))];
    if (!wanted_(LeastSteps(level, dim, room))) {
      return;
    }
    if (dim == model_.compiled().dims) {
      if (level + 1 < model_.levels()) {
        Dim(level + 1, 0, Limits(level + 1).x, Limits(level + 1).y);
      } else {
        Keep();
      }
      return;
    }
    const auto& limits = Limits(level);
    const std::int64_t bound = Bound(dim);
    const std::int64_t most_x = HasBit(limits.may_unroll_x, dim) ? std::min(room_x, bound) : 1;
    const std::int64_t most_y = HasBit(limits.may_unroll_y, dim) ? std::min(room_y, bound) : 1;
    std::int32_t& factor = current_.factor[Index(level)][Index(dim)];
    std::int32_t& active = current_.active[Index(level)][Index(dim)];
    std::int32_t& on_x = current_.on_x[Index(level)][Index(dim)];
    for (std::int64_t x = 1; x <= most_x; ++x) {
      for (std::int64_t y = 1; y <= most_y; ++y) {
        const std::int64_t least = x > 1 && y > 1 ? std::max(x * (y - 1), (x - 1) * y) + 1 : x * y;
        if (least > bound) {
          break;
        }
        factor = static_cast<std::int32_t>(x * y);
        active = static_cast<std::int32_t>(least);
        on_x = static_cast<std::int32_t>(x);
        Dim(level, dim + 1, room_x / x, room_y / y);
      }
    }
    factor = active = on_x = 1;
  }

  void Keep() {
    current_.steps = 1;
    for (int d = 0; d < model_.compiled().dims; ++d) {
      const std::int64_t product = Product(d);
      current_.steps *= static_cast<double>(Tiles(Bound(d), product));
    }
    const auto [it, fresh] = found_.try_emplace(current_.factor, current_);
    for (std::size_t l = 0; l < current_.active.size() && !fresh; ++l) {
      for (std::size_t d = 0; d < current_.active[l].size(); ++d) {
        std::int32_t& active = it->second.active[l][d];
        active = std::min(active, current_.active[l][d]);
      }
    }
  }

  const Model& model_;
  const std::function<bool(double)>& wanted_;
  std::size_t most_;
  std::vector<double> below_;
  Unrolling current_;
  std::map<std::array<Unrolling::Factors, arch::kMaxLevels>, Unrolling> found_;
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

std::optional<std::vector<Unrolling>> ListUnrollings(const Model& model,
                                                     const std::function<bool(double)>& wanted,
                                                     std::size_t most) {
  return Lister(model, wanted, most).Run();
}

}  // namespace sluice::mapper::exact
