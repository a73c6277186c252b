// Verdicts as JSON. See verify.h.

#include "driver/verify.h"

#include <cstddef>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "verify/verify.h"

namespace sluice::driver {

std::string JsonOfVerification(const Verification& verification) {
  using Json = nlohmann::ordered_json;
  constexpr std::string_view kNames[] = {"verified", "rejected", "unfinished"};
  Json operators = Json::array();
  for (const VerifiedOperator& op : verification.operators) {
    const verify::Report& report = op.report;
    operators.push_back({{"operator", op.name},
                         {"uses", op.uses},
                         {"objective", op.objective},
                         {"value", op.value},
                         {"bound", op.bound},
                         {"optimal", op.optimal()},
                         {"verdict", kNames[static_cast<std::size_t>(report.verdict)]},
                         {"reason", report.reason},
                         {"choices", report.choices},
                         {"opened", report.opened},
                         {"nodes", report.nodes},
                         {"mappings", report.mappings},
                         {"seconds", report.seconds}});
  }
  const Json json = {{"architecture", verification.architecture_name},
                     {"verified", verification.Count(verify::Verdict::kVerified)},
                     {"rejected", verification.Count(verify::Verdict::kRejected)},
                     {"unfinished", verification.Count(verify::Verdict::kUnfinished)},
                     {"operators", operators}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace sluice::driver
