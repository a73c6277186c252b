#pragma once
/// \file
/// The known-optimum guard: follows a mapping that is known to be optimal through every step of the
/// exact search and names the first rule that would lose it. For tests: a wrong bound is found
/// where it is wrong, not where the answer is.

#include <optional>
#include <string>

#include "mapper/mapper.h"
#include "mapping/mapping.h"

namespace sluice::mapper::exact {

/// What loses every mapping as good as `known`, if anything does; the search is confined to its
/// tiles, spatial factors and kept tensors, in all orders and placements of its loops. Requires: a
/// valid mapping with even factors; `problem` is even. O(labels of the problem).
std::optional<std::string> LostBy(const Problem& problem, const mapping::Mapping& known);

}  // namespace sluice::mapper::exact
