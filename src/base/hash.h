#pragma once
/// \file
/// Content hash for provenance and cache keys: XXH3-128 as 32 hex digits.

#include <string>
#include <string_view>

namespace sluice {

/// 32 lower-case hex digits; stable across platforms and versions of Sluice.
std::string ContentHash(std::string_view bytes);

}  // namespace sluice
