#pragma once
/// \file
/// What a fan-out may unroll: every vector of spatial factors that fits its axes, and the ways to
/// place one on X and Y. Costs depend on the vector only, unless distance costs energy.

#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "mapper/exact/model/model.h"
#include "mapper/exact/model/placements.h"
#include "mapping/mapping.h"

namespace sluice::mapper::exact {

struct Space {
  Tile factors = 0;            ///< lattice number of the spatial factors
  double units = 1;            ///< their product
  double copies = 1;           ///< of the output
  TensorDoubles merge{};       ///< of any tile; more where `collides` is set
  std::uint32_t collides = 0;  ///< bit t: Merge depends on the child's tile
  TensorDoubles way{};         ///< Model::NetworkRate where `collides` is clear
};

/// One way to lay spatial factors on the axes, and what a word of each tensor pays for its way.
struct Placement {
  mapping::LoopList x;
  mapping::LoopList y;
  TensorDoubles rate{};
};

/// Not thread-safe: placements are worked out when first asked for.
class Spaces {
 public:
  explicit Spaces(const Model& model);
  /// Options of the fan-out below `level`, most units first; never empty.
  [[nodiscard]] const std::vector<Space>& At(int level) const {
    return options_[static_cast<std::size_t>(level)];
  }
  /// Numbers of the options whose factors divide `room`, ascending; worked out when first asked
  /// for.
  const std::vector<std::int32_t>& Dividing(int level, Tile room);
  /// Child tiles that one parent access serves, where the children have tile x.
  /// `space`: of At(level). Where tiles collide, worked out when first asked for.
  [[nodiscard]] double Merge(int level, const Space& space, int t, Tile x);
  /// Least picojoules that a word pays for its way, whatever the placement. `merge`: of Merge.
  [[nodiscard]] double Way(int level, const Space& space, int t, double merge) const {
    return cost::HasBit(space.collides, t) ? model_->NetworkRate(level, t, merge, space.units)
                                           : space.way[cost::Index(t)];
  }
  /// The placements of an option that may be best, whatever the traffic: none costs every tensor as
  /// much as another. One, if distance is free; all, if rates depend on more than the placement.
  const std::vector<Placement>& Placements(int level, std::size_t option);
  /// Least picojoules of a word of tensor t on its way through the fan-out, over all placements.
  double Rate(int level, std::size_t option, int t, double merge);
  /// The rates of each of Placements() where the children have tile x; null where `rate` says all.
  const std::vector<TensorDoubles>* CollidingRates(int level, std::size_t option, Tile x);
  /// Least rates of an option whose placements differ; null if there is nothing to choose.
  const TensorDoubles* LeastRates(int level, std::size_t option);

 private:
  struct Placed {
    std::vector<Placement> placements;
    TensorDoubles least{};
    /// By WindowPart: the rates of every placement.
    std::unordered_map<std::size_t, std::vector<TensorDoubles>> colliding;
  };
  void Enumerate(int level);
  void Collect(int level, int dim, Tile room, Tile factors, std::int64_t cells,
               std::vector<std::int32_t>& out) const;
  [[nodiscard]] SpatialFactors FactorsOf(Tile factors) const;
  [[nodiscard]] AllowFactor AllowedAt(int level) const;
  [[nodiscard]] bool HasPlacement(int level, Tile factors) const;
  void Work(int level, const Space& space, Placed& placed) const;
  [[nodiscard]] std::size_t WindowPart(std::uint32_t tensors, Tile x) const;

  const Model* model_;
  /// [tensor][axis][AxisPart of the factors, of the tile], 0 where nobody asked; empty for axes of
  /// very many parts.
  std::array<std::array<std::vector<double>, mapping::kMaxAxes>, mapping::kMaxTensors> overlaps_;
  std::vector<std::vector<Space>> options_;
  std::vector<std::vector<Placed>> placed_;
  std::vector<std::vector<std::int32_t>> number_;  ///< [level][factors]: the option, or -1
  std::vector<std::vector<std::vector<std::int32_t>>> dividing_;  ///< [level][room]
};

}  // namespace sluice::mapper::exact
