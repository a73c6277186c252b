#include "mapper/exact/certify.h"

#include <algorithm>
#include <optional>

#include "cost/certificate.h"
#include "mapper/mapper.h"

namespace sluice::mapper {

std::optional<cost::Certificate> Certify(const Problem& problem, const Result& result) {
  if (!result.best || problem.imperfect || result.stopped != StopReason::kProven) {
    return std::nullopt;
  }
  cost::Certificate certificate;
  certificate.problem = cost::ProblemKey(*problem.evaluator, problem.constraints);
  certificate.objective = problem.objective;
  certificate.mapping = *result.best;
  certificate.score = result.score;
  certificate.bound = std::min(result.bound, result.score.value(problem.objective));
  certificate.evaluations = result.evaluations;
  certificate.candidates = result.candidates;
  certificate.ruled_out = result.ruled_out;
  return certificate;
}

}  // namespace sluice::mapper
