#pragma once
/// \file
/// The reference cost model as an oracle: a code is decoded to a mapping of the machine
/// (mapping/dataflow/nest.h) and priced by cost::Evaluator. Works on every architecture.

#include <memory>

#include "arch/architecture.h"
#include "base/diagnostic.h"
#include "cost/oracle/oracle.h"
#include "cost/policy.h"
#include "mapping/workload.h"

namespace sluice::cost {

/// It has a code_mapper(). Errors: kOperatorInvalid when the operator is no product of two tensors;
/// those of Evaluator::Create.
Result<std::unique_ptr<CostOracle>> MakeReferenceOracle(const mapping::Workload& workload,
                                                        const arch::Chain& chain,
                                                        const Policy& policy);

/// A machine as a search over codes sees it: compute units as PEs, the innermost memory as L1, the
/// one above as L2, the narrowest network as the NoC.
maestro::Hardware EquivalentHardware(const arch::Chain& chain);

}  // namespace sluice::cost
