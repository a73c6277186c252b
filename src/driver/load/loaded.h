#pragma once
/// \file
/// The same work as driver.h on values that are already in memory: what a program that embeds
/// Sluice needs. The functions of driver.h read files and then call these. Tested by tests/install
/// (through the public API) and tests/cli.

#include <cstddef>
#include <string>
#include <string_view>

#include "driver/driver.h"

namespace sluice::driver {

/// The bytes of an ONNX file. `path` stands in errors and in plans; `request.model` is not used.
/// Errors: those of io::ImportOnnx.
Result<LoadedNetwork> ParseNetwork(std::string_view bytes, const std::string& path,
                                   const ModelRequest& request);

/// The text of an architecture file. `path` stands in errors and in plans.
Result<LoadedArchitecture> ParseArchitecture(std::string text, const std::string& path);

/// As PlanNetwork. Of `model`, batch and dims are recorded.
Result<planner::Plan> PlanLoaded(const LoadedNetwork& network,
                                 const LoadedArchitecture& architecture, const ModelRequest& model,
                                 const SearchRequest& search, const std::string& command_line);

/// Scores a valid mapping of a workload on a chain.
Result<Evaluation> ScoreMapping(const std::string& architecture_name,
                                const mapping::Workload& workload, const arch::Chain& chain,
                                const mapping::Mapping& mapping, const cost::Policy& policy);

/// Scores `mapping_text` (YAML or JSON, called `file` in errors) of one operator. Requires: `op` is
/// an operator of `network`. Errors: those of the reader and of mapping::CheckMapping; kUsage for a
/// view.
Result<Evaluation> EvaluateLoaded(const ir::Network& network, const ir::Operator& op,
                                  const LoadedArchitecture& architecture, std::string mapping_text,
                                  const std::string& file, const cost::Policy& policy);

}  // namespace sluice::driver
