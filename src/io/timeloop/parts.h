#pragma once
/// \file
/// The four parts of a Timeloop case, one reader each. Internal to the Timeloop reader.
///
/// Order matters: the architecture gives the levels, the energy table fills in their energies, the
/// problem gives the dims, and the mapping needs both (and may switch multicast off).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "arch/architecture.h"
#include "base/diagnostic.h"
#include "io/yaml/yaml.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"

namespace sluice::io::timeloop {

/// A problem with all its dims; the workload drops those of bound 1, which may still be named in a
/// mapping.
struct Problem {
  mapping::Workload workload;
  std::vector<std::string> dim_names;
  std::vector<std::int64_t> bounds;
  std::vector<int> workload_dim;  ///< index into workload.bounds, -1 for a dim of bound 1

  /// Index into dim_names, or -1.
  [[nodiscard]] int FindDim(std::string_view name) const;
};

/// A chain whose energies are still zero.
struct Machine {
  arch::Chain chain;
  /// Instances of a level that share one physical access (Timeloop's cluster_size).
  std::vector<std::int64_t> cluster_sizes;
};

/// Value of `problem:`. Checks dims, coefficients, projections and the instance.
Result<Problem> ReadProblem(const Cursor& problem);

/// Value of `architecture:`. `warnings` receives approximations.
Result<Machine> ReadArchitecture(const Cursor& architecture, std::vector<std::string>& warnings);

/// Value of `ERT:`. Sets the energies of `machine.chain`; every memory and the compute unit must
/// have a table, and every table a component.
Status ReadEnergyTable(const Cursor& ert, Machine& machine);

/// Value of `mapping:`. `no_reuse` switches multicast and reduction of `chain`'s fan-outs off.
Result<mapping::Mapping> ReadMapping(const Cursor& mapping, const Problem& problem,
                                     arch::Chain& chain);

/// Errors unless the optional `version` is one of the 0.1-0.3 family.
Status CheckVersion(const std::optional<Cursor>& version);

}  // namespace sluice::io::timeloop
