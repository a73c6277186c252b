#pragma once
/// \file
/// The codes that a search may propose for one layer on one machine: random ones, the nearest one
/// to any code, neighbours of one, and points of a unit cube for searches over real numbers.
///
/// In the divisor space each tile divides its parent (outputs along Y and X). Units run from 1 to
/// the number of PEs. Parallel dims are those of GAMMA: K C Y X, as far as the layer has them;
/// where windows may be cut, R and S too. Tested by tests/property/code_search_test.cpp.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/rng.h"
#include "cost/maestro/hardware.h"
#include "mapper/codes/search.h"
#include "mapping/dataflow/code.h"
#include "mapping/dataflow/dataflow.h"

namespace sluice::mapper::codes {

class CodeSpace {
 public:
  /// Requires: ValidateLayer(layer), 1 to kMaxCodeLevels levels, hardware.pes > 0.
  CodeSpace(const mapping::Layer& layer, const cost::maestro::Hardware& hardware,
            const SpaceOptions& options);

  [[nodiscard]] bool Contains(const mapping::DataflowCode& code) const;
  /// Parallel dims, orders and tiles uniform over their choices; the product of the units at most
  /// the number of PEs.
  [[nodiscard]] mapping::DataflowCode Random(Rng& rng) const;
  /// The nearest code of the space with as many levels: tiles rounded (in logarithms) to divisors
  /// of their parents, windows whole, units cut. The identity on codes of the space.
  [[nodiscard]] mapping::DataflowCode Repair(mapping::DataflowCode code) const;
  /// A code that differs in one decision: a parallel dim, units (uniform, a divisor of the trip
  /// count, or a step of up to 4), two loops swapped, a new divisor tile, or the next divisor.
  [[nodiscard]] mapping::DataflowCode Neighbour(const mapping::DataflowCode& code, Rng& rng) const;

  /// Coordinates of a point: per level the parallel dim, units (but not of the outermost level), an
  /// order key a dim and a tile a tiled dim.
  [[nodiscard]] std::size_t coordinates() const;
  /// Requires: coordinates() numbers; they are clamped to [0, 1].
  [[nodiscard]] mapping::DataflowCode FromPoint(std::span<const double> point) const;
  /// A point that FromPoint takes back to `code`. Requires: Contains(code).
  [[nodiscard]] std::vector<double> ToPoint(const mapping::DataflowCode& code) const;

  [[nodiscard]] const mapping::Layer& layer() const { return layer_; }
  [[nodiscard]] const SpaceOptions& options() const { return options_; }
  /// 1 for dims that the layer does not have.
  [[nodiscard]] const mapping::CodeSizes& extents() const { return extents_; }
  [[nodiscard]] std::int64_t pes() const { return pes_; }
  /// Dims that may be parallel.
  [[nodiscard]] std::span<const mapping::CodeDim> parallel() const { return parallel_; }
  /// Dims whose tile is a choice.
  [[nodiscard]] std::span<const mapping::CodeDim> tiled() const { return tiled_; }
  /// What a tile of `dim` may be inside a parent of `parent`, ascending. Requires: the divisor
  /// space, `parent` a divisor of the extent.
  [[nodiscard]] std::vector<std::int64_t> Divisors(mapping::CodeDim dim, std::int64_t parent) const;

 private:
  [[nodiscard]] mapping::CodeSizes ParentOf(const mapping::DataflowCode& code,
                                            std::size_t level) const;
  [[nodiscard]] std::int64_t Nearest(mapping::CodeDim dim, std::int64_t parent,
                                     std::int64_t tile) const;
  /// The tile at `share` (0 to 1) of the choices.
  [[nodiscard]] std::int64_t At(mapping::CodeDim dim, std::int64_t parent, double share) const;
  [[nodiscard]] double ShareOf(mapping::CodeDim dim, std::int64_t parent, std::int64_t tile) const;
  [[nodiscard]] std::int64_t Step(mapping::CodeDim dim, std::int64_t parent, std::int64_t tile,
                                  bool up) const;
  [[nodiscard]] std::int64_t OtherUnits(const mapping::DataflowCode& code, std::size_t level,
                                        Rng& rng) const;
  void MoveTile(mapping::DataflowCode& code, bool step, Rng& rng) const;
  void MoveOrder(mapping::LevelCode& level, Rng& rng) const;

  mapping::Layer layer_;
  SpaceOptions options_;
  std::int64_t pes_ = 1;
  mapping::CodeSizes extents_{};
  std::vector<mapping::CodeDim> parallel_;
  std::vector<mapping::CodeDim> tiled_;
  std::vector<mapping::CodeDim> present_;
  std::array<std::vector<std::int64_t>, mapping::kCodeDims> divisors_;  ///< of the extents
};

}  // namespace sluice::mapper::codes
