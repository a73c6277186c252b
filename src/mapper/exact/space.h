#pragma once
/// \file
/// What a fan-out may unroll: every vector of spatial factors that fits its axes, and the ways to
/// place one on X and Y. Costs depend on the vector only, unless distance costs energy.

#include <cstdint>
#include <functional>
#include <vector>

#include "mapper/exact/model.h"
#include "mapping/mapping.h"

namespace sluice::mapper::exact {

struct Space {
  Tile factors = 0;            ///< lattice number of the spatial factors
  double units = 1;            ///< their product
  double copies = 1;           ///< of the output
  TensorDoubles merge{};       ///< Model::Merge where `collides` is clear
  std::uint32_t collides = 0;  ///< bit t: Merge depends on the child's tile
};

class Spaces {
 public:
  explicit Spaces(const Model& model);
  /// Options of the fan-out below `level`, most units first; never empty.
  [[nodiscard]] const std::vector<Space>& At(int level) const {
    return options_[static_cast<std::size_t>(level)];
  }
  /// Calls `visit(x, y)` with every placement of `factors` until it returns false. `ordered`: also
  /// every order of the dims on an axis (it decides distances).
  void ForEachPlacement(int level, Tile factors, bool ordered,
                        const std::function<bool(const mapping::LoopList& x,
                                                 const mapping::LoopList& y)>& visit) const;

 private:
  void Enumerate(int level);
  [[nodiscard]] bool HasPlacement(int level, Tile factors) const;

  const Model* model_;
  std::vector<std::vector<Space>> options_;
};

}  // namespace sluice::mapper::exact
