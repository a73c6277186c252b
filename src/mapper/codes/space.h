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
  /// The nearest code of the space: as many levels, tiles rounded (in logarithms) to divisors of
  /// their parents, windows whole, units cut. The identity on codes of the space.
  [[nodiscard]] mapping::DataflowCode Repair(mapping::DataflowCode code) const;
  /// A code that differs in one decision: a parallel dim, units (uniform, a divisor of the trip
  /// count, or a step of up to 4), two loops swapped, a new divisor tile, or the next divisor.
  [[nodiscard]] mapping::DataflowCode Neighbour(const mapping::DataflowCode& code, Rng& rng) const;

  /// Coordinates of a point: per level the parallel dim, units, six order keys and six tiles.
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
  /// What a tile of `dim` may be inside a parent of `parent`, ascending: its divisors, or in the
  /// other space every number (then only `parent` is returned and the caller draws).
  [[nodiscard]] std::span<const std::int64_t> Divisors(std::int64_t parent) const;

 private:
  struct Table {
    std::int64_t number = 1;
    std::vector<std::int64_t> divisors;
  };

  void Finish(mapping::DataflowCode& code) const;
  std::int64_t NearestTile(std::int64_t tile, std::int64_t parent) const;
  std::int64_t RandomTile(std::int64_t parent, Rng& rng) const;
  std::int64_t OtherUnits(const mapping::DataflowCode& code, std::size_t level, Rng& rng) const;

  mapping::Layer layer_;
  SpaceOptions options_;
  std::int64_t pes_ = 1;
  mapping::CodeSizes extents_{};
  std::vector<mapping::CodeDim> parallel_;
  std::vector<mapping::CodeDim> tiled_;
  std::vector<Table> tables_;  ///< of every divisor of an extent, ascending by number
};

}  // namespace sluice::mapper::codes
