// The list of mappers and the names of stop reasons. A new mapper is one line in AllMappers.

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/diagnostic.h"
#include "base/text.h"
#include "mapper/annealing.h"
#include "mapper/exact/exact.h"
#include "mapper/mapper.h"
#include "mapper/random.h"

namespace sluice::mapper {

std::string_view StopReasonName(StopReason reason) {
  switch (reason) {
    case StopReason::kConverged:
      return "converged";
    case StopReason::kEvaluations:
      return "evaluations";
    case StopReason::kSeconds:
      return "seconds";
    case StopReason::kInterrupted:
      return "interrupted";
    case StopReason::kInfeasible:
      return "infeasible";
    case StopReason::kProven:
      return "proven";
  }
  return "unknown";
}

const std::vector<const Mapper*>& AllMappers() {
  static const ExactMapper kExact;
  static const AnnealingMapper kAnnealing;
  static const RandomMapper kRandom;
  static const std::vector<const Mapper*> kAll = {&kExact, &kAnnealing, &kRandom};
  return kAll;
}

sluice::Result<const Mapper*> FindMapper(std::string_view name) {
  std::vector<std::string> names;
  for (const Mapper* mapper : AllMappers()) {
    if (mapper->name() == name) {
      return mapper;
    }
    names.emplace_back(mapper->name());
  }
  const std::string closest = ClosestMatch(name, names);
  std::string hint =
      closest.empty() ? "the mappers are" : "did you mean `" + closest + "`? The mappers are";
  for (std::size_t i = 0; i < names.size(); ++i) {
    hint += (i == 0 ? " " : ", ") + names[i];
  }
  return Fail(Diagnostic(ErrorCode::kUnknownName, "no mapper is called '" + std::string(name) + "'")
                  .WithHint(std::move(hint)));
}

}  // namespace sluice::mapper
