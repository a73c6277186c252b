#pragma once
/// \file
/// Words of the plan format that its writer and its reader share.

#include <array>
#include <string_view>

#include "cost/cost.h"

namespace sluice::io {

inline constexpr std::string_view kPlanFormatName = "sluice-plan";

inline constexpr std::array<std::string_view, 4> kResourceNames = {"compute", "read", "write",
                                                                   "network"};
[[nodiscard]] constexpr std::string_view ResourceName(cost::Resource resource) {
  return kResourceNames[static_cast<std::size_t>(resource)];
}

}  // namespace sluice::io
