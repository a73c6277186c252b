/// The one-line texts of the command line: operator descriptors, policies, objectives. All three
/// parsers get the same bytes; what one accepts must keep its promises.

#include "cost/cost.h"
#include "cost/policy.h"
#include "fuzz/targets.h"
#include "ir/network.h"

namespace sluice::fuzz {
namespace {

void CheckDescriptor(const std::string& text) {
  const auto network = ir::ParseOperatorDescriptor(text);
  if (!network) {
    RequireGoodDiagnostic(network.error(), text);
    return;
  }
  Require(ir::Validate(*network).has_value(), "an invalid operator was read");
  Require(network->operators.size() == 1, "a descriptor is one operator");
  const ir::Operator& op = network->operators.front();
  Require(ir::OperatorBytes(*network, op) > 0, "an operator that moves no bytes");
  Require(ir::FullSlice(op, network->tensors).accesses.size() == op.accesses.size(),
          "a slice that misses accesses");
  const auto workload = mapping::MakeWorkload(op, *network);
  if (!workload) {
    RequireGoodDiagnostic(workload.error(), text, /*anywhere=*/true);
    return;
  }
  Require(workload->points() == op.points(), "points lost on the way to the workload");
  Require(!mapping::WorkloadKey(*workload).empty(), "a workload without a key");
}

}  // namespace

void Descriptor(std::string_view bytes) {
  const std::string text(bytes);
  CheckDescriptor(text);
  if (const auto policy = cost::ParsePolicy(text)) {
    const auto again = cost::ParsePolicy(cost::PolicyText(*policy));
    Require(again.has_value() && *again == *policy, "a policy that reads back differently");
  } else {
    RequireGoodDiagnostic(policy.error(), text, /*anywhere=*/true);
  }
  if (const auto objective = cost::ParseObjective(text)) {
    Require(cost::ObjectiveName(*objective) == text, "an objective by another name");
  } else {
    RequireGoodDiagnostic(objective.error(), text, /*anywhere=*/true);
  }
}

}  // namespace sluice::fuzz
