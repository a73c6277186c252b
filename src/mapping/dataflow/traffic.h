#pragma once
/// \file
/// Internal to fill.cpp: what moves in a nest that is being filled, by the rules of reuse.
///
/// A tile enters again in every step of the loops outside that move it, and of those outside of
/// them; where the innermost of these slides a window, only what is new. Units that share a word
/// get it once, along the shortest way from the middle of the left edge. What is left out: partial
/// overlaps of the tiles of several units, roundings to blocks, leakage.
/// Tested by tests/property/dataflow_code_test.cpp, through fill.h.

#include <array>
#include <cstddef>
#include <cstdint>

#include "arch/architecture.h"
#include "mapping/dataflow/fill.h"
#include "mapping/workload.h"

namespace sluice::mapping {

/// Factors on every level; what is not placed runs at the outermost memory.
struct FillNest {
  std::array<FillWish::Factors, arch::kMaxLevels> temporal;
  std::array<FillWish::Factors, std::size_t{2} * arch::kMaxLevels> spatial;
  std::array<FillWish::Factors, arch::kMaxLevels> extent;  ///< of the tile that a memory holds
  std::array<std::uint32_t, arch::kMaxLevels> keep;
};

/// Words of a box with these extents.
std::int64_t TileWords(const Workload& workload, std::size_t tensor,
                       const FillWish::Factors& extent);

class NestTraffic {
 public:
  /// Keeps references; the nest may change, its units only before SetUnits.
  NestTraffic(const Workload& workload, const FillMachine& machine, const FillWish& wish,
              const FillNest& nest)
      : workload_(workload), machine_(machine), wish_(wish), nest_(nest) {}

  /// What the units of the nest make of its fan-outs.
  void SetUnits();
  /// Picojoules of a tensor's way from the memory `from` to `to` (the number of memories: the
  /// compute unit).
  [[nodiscard]] double Energy(std::size_t tensor, std::size_t from, std::size_t to) const;
  /// Of the nest with its keeps.
  [[nodiscard]] FillFigures Figures() const;

 private:
  /// Steps in which the tile of a tensor changes; `distinct`: of them with a tile that was not
  /// there before.
  struct Visits {
    double all = 1;
    double distinct = 1;
  };
  /// The fan-out below a memory, for one tensor.
  struct FanOut {
    double apart = 1;   ///< tiles that are told apart
    double copies = 1;  ///< units that share one
    double word_pj = 0;
    double reduction_pj = 0;  ///< a word that is added up on its way
  };
  /// In words of all instances.
  struct Traffic {
    double read = 0;     ///< from the outer memory
    double updated = 0;  ///< into the outer memory
    double filled = 0;   ///< into the inner memory
    double drained = 0;  ///< from the inner memory
    double network_pj = 0;
  };
  [[nodiscard]] FanOut FanOutOf(std::size_t tensor, std::size_t memory) const;
  [[nodiscard]] double FreshShare(std::size_t tensor, std::size_t dim,
                                  const FillWish::Factors& extent, std::int64_t trips) const;
  [[nodiscard]] Visits VisitsOf(std::size_t tensor, std::size_t memory) const;
  [[nodiscard]] Traffic TrafficOf(std::size_t tensor, std::size_t from, std::size_t to) const;
  void Account(std::size_t tensor, std::size_t from, std::size_t to, FillFigures& figures) const;
  void Finish(std::size_t memory, FillFigures& figures) const;

  const Workload& workload_;
  const FillMachine& machine_;
  const FillWish& wish_;
  const FillNest& nest_;
  std::array<std::array<FanOut, kMaxTensors>, arch::kMaxLevels> fan_out_{};
  std::array<double, arch::kMaxLevels> instances_{};
};

}  // namespace sluice::mapping
