#pragma once
/// \file
/// The states that walks have reached: tiles, and for each set of open edges the least energy.
/// Few of all tiles are ever reached, so these have slots in the order of their discovery.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "mapper/exact/ragged/tiles/steps.h"

namespace sluice::mapper::exact {

class Front {
 public:
  /// Forgets all. `masks`: sets of open edges, at most 2^31 of tiles times these.
  void Reset(Cells tiles, std::size_t masks) {
    for (const Cells x : reached_) {
      slot_[static_cast<std::size_t>(x)] = -1;
      alive_[static_cast<std::size_t>(x) / 64] = 0;
    }
    slot_.resize(static_cast<std::size_t>(tiles), -1);
    alive_.resize(static_cast<std::size_t>(tiles) / 64 + 1, 0);
    reached_.clear();
    energy_.clear();
    masks_ = masks;
  }
  [[nodiscard]] std::size_t masks() const { return masks_; }
  /// By slot.
  [[nodiscard]] const std::vector<Cells>& reached() const { return reached_; }
  [[nodiscard]] double& At(std::int32_t slot, std::size_t open) {
    return energy_[static_cast<std::size_t>(slot) * masks_ + open];
  }
  [[nodiscard]] double At(std::int32_t slot, std::size_t open) const {
    return energy_[static_cast<std::size_t>(slot) * masks_ + open];
  }
  /// Number of a state.
  [[nodiscard]] std::int32_t State(std::int32_t slot, std::size_t open) const {
    return slot * static_cast<std::int32_t>(masks_) + static_cast<std::int32_t>(open);
  }
  [[nodiscard]] std::int32_t SlotOf(Cells x) const { return slot_[static_cast<std::size_t>(x)]; }
  /// A slot for x, with all energies infinite when it is new.
  std::int32_t Add(Cells x) {
    std::int32_t& slot = slot_[static_cast<std::size_t>(x)];
    if (slot < 0) {
      slot = static_cast<std::int32_t>(reached_.size());
      reached_.push_back(x);
      energy_.resize(energy_.size() + masks_, std::numeric_limits<double>::infinity());
      const auto tile = static_cast<std::size_t>(x);
      alive_[tile / 64] |= std::uint64_t{1} << (tile % 64);
    }
    return slot;
  }
  /// Calls `visit` with all tiles by rising number, also with larger ones that it adds.
  template <class Visit>
  void Ascend(const Visit& visit) const {
    for (std::size_t word = 0; word < alive_.size(); ++word) {
      for (std::uint64_t done = 0; (alive_[word] & ~done) != 0;) {
        const int bit = std::countr_zero(alive_[word] & ~done);
        done |= std::uint64_t{1} << static_cast<unsigned>(bit);
        visit(static_cast<Cells>(word * 64 + static_cast<std::size_t>(bit)));
      }
    }
  }

 private:
  std::size_t masks_ = 1;
  std::vector<std::int32_t> slot_;  ///< by tile; -1: not reached
  std::vector<Cells> reached_;
  std::vector<double> energy_;        ///< [slot][open]
  std::vector<std::uint64_t> alive_;  ///< a bit for each tile
};

}  // namespace sluice::mapper::exact
