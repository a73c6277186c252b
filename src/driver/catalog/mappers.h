#pragma once
/// \file
/// The mappers as a user names them: those of the module mapper, and the searches over dataflow
/// codes (mapper/codes and `dcp`) as mappers. Where both have a name, the mapper of the whole map
/// space has it. Tested by tests/cli/map_test.py.

#include <memory>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "mapper/mapper.h"

namespace sluice::driver {

struct MapperEntry {
  std::string name;
  std::string description;  ///< one sentence
};
/// In the order in which `sluice mappers` prints them.
std::vector<MapperEntry> ListMappers();

struct NamedMapper {
  const mapper::Mapper* mapper = nullptr;
  std::unique_ptr<const mapper::Mapper> owned;  ///< `mapper`, unless it lives for ever
  bool coded = false;                           ///< searches codes
};
/// Errors: kUnknownName with the closest name; those of reading a predictor.
Result<NamedMapper> FindNamedMapper(const std::string& name);

}  // namespace sluice::driver
