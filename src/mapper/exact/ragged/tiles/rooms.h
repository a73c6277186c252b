#pragma once
/// \file
/// Which tiles fit where, by the tensors that each level keeps. A cell stands for its smallest
/// tile, so none that fits is refused.

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "arch/architecture.h"
#include "mapper/exact/model/model.h"
#include "mapper/exact/ragged/tiles/steps.h"

namespace sluice::mapper::exact {

/// The tensors that each level keeps, a bit each.
using Keeps = std::array<std::uint32_t, arch::kMaxLevels>;

/// Where tiles may be for one choice of keeps.
class Room {
 public:
  /// Whether a tile may be inside `level`: it and every level outside has room for it.
  [[nodiscard]] bool Fits(Cells x, int level) const {
    return (levels_[static_cast<std::size_t>(x)] >> static_cast<unsigned>(level) & 1U) != 0;
  }

 private:
  friend class Rooms;
  std::vector<std::uint8_t> levels_;  ///< by tile, a bit a level
};

class Rooms {
 public:
  /// Both must outlive this.
  Rooms(const Model& model, const Steps& steps);

  /// Worked out when first asked for: O(tiles x levels). Valid until the next call.
  const Room& Of(const Keeps& keeps);

 private:
  [[nodiscard]] std::vector<std::uint8_t> MakeLevel(int level, std::uint32_t keep) const;

  const Model* model_;
  const Steps* steps_;
  std::vector<double> words_;  ///< [tile][tensor]: of the smallest tile of the cells
  /// By level and what it keeps: [tile], whether it has room.
  std::map<std::pair<int, std::uint32_t>, std::vector<std::uint8_t>> level_;
  std::map<Keeps, Room> room_;
};

}  // namespace sluice::mapper::exact
