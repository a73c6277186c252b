#pragma once
/// \file
/// Quantities with units, as users write them: `108 KiB`, `200 MHz`, `1.2 pJ/bit`, `64 B/cycle`.
/// One table of unit spellings serves the parser, the error texts and the JSON Schema.
/// Tested by tests/unit/units_test.cpp.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/diagnostic.h"

namespace sluice::io {

/// What kind of quantity a scalar with a unit is, and the unit that its value is converted to.
enum class Unit : std::uint8_t {
  kBits,            ///< `16 bit`, `512 B`, `108 KiB`, `8 MiB` -> bits
  kWords,           ///< `16 words`                            -> words
  kHertz,           ///< `200 MHz`, `1 GHz`                    -> Hz
  kEnergy,          ///< `1.2 pJ`, `200 fJ`                    -> pJ
  kEnergyPerBit,    ///< `1.2 pJ/bit`                          -> pJ/bit
  kEnergyPerWord,   ///< `1.2 pJ/word`                         -> pJ/word
  kEnergyPerCycle,  ///< `0.3 pJ/cycle`                        -> pJ/cycle
  kBandwidth,       ///< `64 B/cycle`, `16 bit/cycle`          -> bits/cycle
  kWordsPerCycle,   ///< `16 words/cycle`                      -> words/cycle
  kBandwidthTime,   ///< `25.6 GB/s`                           -> bits/s
  kPower,           ///< `1 mW`                                -> W
  kRate,            ///< `2048 op/cycle`                       -> operations/cycle
};

struct Quantity {
  Unit unit = Unit::kBits;
  double value = 0;  ///< in the unit named above; finite and not negative
};

/// A decimal number, optional spaces, a unit of one of the kinds in `allowed` (not empty).
/// Errors (without a position): kBadUnit for a missing or foreign unit, kBadValue for a number that
/// is negative, not finite, too large, or a fraction of a bit or word.
Result<Quantity> ParseQuantity(std::string_view text, std::span<const Unit> allowed);

/// The spellings of a kind, most usual first.
std::span<const std::string_view> UnitSpellings(Unit unit);

/// A regular expression (ECMA 262) that accepts exactly the texts with a unit of `allowed`; for
/// schemas.
std::string QuantityPattern(std::span<const Unit> allowed);

}  // namespace sluice::io
