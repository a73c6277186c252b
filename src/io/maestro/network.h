#pragma once
/// \file
/// MAESTRO's mapping files (`.m`): layers with their dataflows. docs/formats/maestro.md is the
/// specification. Strict where the tool guesses: what it ends on without a word, or reads
/// differently from how it looks, is an error at its place.
/// Tested by tests/unit/maestro_files_test.cpp, tests/golden/maestro_test.cpp, tests/fuzz.

#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "mapping/dataflow/dataflow.h"

namespace sluice::io {

struct MaestroLayer {
  std::string name;
  mapping::Layer layer;
  mapping::Dataflow dataflow;
  friend bool operator==(const MaestroLayer&, const MaestroLayer&) = default;
};

struct MaestroNetwork {
  std::string name;
  std::vector<MaestroLayer> layers;  ///< at least one
  friend bool operator==(const MaestroNetwork&, const MaestroNetwork&) = default;
};

/// Every layer and dataflow returned is valid (mapping::ValidateLayer, ValidateDataflow). A layer
/// without `Dataflow` has that of the layer before, sizes as they were there. `file` names the text
/// in errors. Errors: 1200s, kOperatorInvalid, kMappingInvalid.
Result<MaestroNetwork> ReadMaestroNetwork(std::string_view text, const std::string& file);
Result<MaestroNetwork> LoadMaestroNetwork(const std::string& path);

/// Reads back to an equal network. Requires: names that are single words.
std::string WriteMaestroNetwork(const MaestroNetwork& network);

}  // namespace sluice::io
