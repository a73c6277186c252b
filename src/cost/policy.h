#pragma once
/// \file
/// The disputed choices of analytical cost models as bits of one record (papers: Timeloop
/// ISPASS'19, KAPLA, ZigZag; see docs/cost-model.md). Not different models: one exact count,
/// different rules.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"

namespace sluice::cost {

/// What a buffer keeps of its old tile when the tile moves.
enum class WindowRule : std::uint8_t {
  kExact,          ///< every word of the new tile that the old tile held is kept
  kSameDirection,  ///< Timeloop: only along one axis, and only while the direction of travel
                   ///< repeats
};

enum class VectorRounding : std::uint8_t {
  kTotal,    ///< blocks = ceil(all words of the run / block)
  kPerTile,  ///< every tile transfer is rounded up to whole blocks
};

struct Policy {
  /// The first visit of an output tile needs no read of partial sums.
  bool first_read_elision = true;
  /// Draining an output tile to the parent reads it at the child.
  bool child_read_on_drain = true;
  /// The outermost memory adds by itself: partial sums are never fetched back from it.
  bool dram_accumulates = false;
  /// Every inner memory adds by itself; nothing but the outermost is fetched back. (Timeloop's
  /// TIMELOOP_ENABLE_UPDATED_RMW, with no first-read elision at the outermost memory.)
  bool parent_accumulates = false;
  /// Honour the fan-outs' neighbour links: a word that any instance of the fan-out held one step
  /// ago is passed along instead of read again from the parent.
  bool neighbour_forwarding = true;
  /// Honour the fan-outs' multicast and spatial reduction; off = one parent access per instance.
  bool multicast = true;
  /// Partial sums that a child reads back pay for the network too (Timeloop: only updates pay).
  bool network_read_back = true;
  /// Count the words that a strided or dilated tile skips (its bounding box).
  bool gap_words = false;
  WindowRule window = WindowRule::kExact;
  VectorRounding vector_rounding = VectorRounding::kTotal;

  friend bool operator==(const Policy&, const Policy&) = default;
};

/// `physical` (the default above) or `timeloop`; then optional changes: `timeloop,multicast=off`.
/// Errors: kUnknownName, kBadValue with the names that exist.
Result<Policy> ParsePolicy(std::string_view text);
/// The canonical text: preset name plus the bits that differ from it. ParsePolicy inverts it.
std::string PolicyText(const Policy& policy);
Policy PhysicalPolicy();
Policy TimeloopPolicy();

}  // namespace sluice::cost
