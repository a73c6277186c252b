/// A Timeloop case that is read can be evaluated, and what is written of it for Timeloop reads back
/// with the same mapping and cost; a refusal points into the text.

#include <cmath>

#include "cost/evaluator.h"
#include "fuzz/targets.h"
#include "io/timeloop/reader.h"
#include "io/timeloop/stats.h"
#include "io/timeloop/writer.h"

namespace sluice::fuzz {
namespace {

Result<io::TimeloopCase> Read(const std::string& text) {
  std::vector<io::YamlDocument> documents;
  SLUICE_TRY(io::YamlDocument document, io::YamlDocument::Parse(text, "fuzz.yaml"));
  documents.push_back(std::move(document));
  return io::ReadTimeloop(documents);
}

/// nullopt when counts would not fit: an error in words, no cost.
std::optional<cost::Score> Evaluate(const io::TimeloopCase& c) {
  const auto evaluator = cost::Evaluator::Create(c.workload, c.chain, cost::TimeloopPolicy());
  if (!evaluator) {
    RequireGoodDiagnostic(evaluator.error(), {}, /*anywhere=*/true);
    return std::nullopt;
  }
  const cost::Cost cost = evaluator->EvaluateFull(c.mapping);
  Require(io::TimeloopView(cost, *evaluator, c.mapping).levels.size() == c.chain.levels.size(),
          "figures of some levels are missing");
  return cost.score;
}

}  // namespace

void TimeloopYaml(std::string_view bytes) {
  const auto read = Read(std::string(bytes));
  if (!read) {
    RequireGoodDiagnostic(read.error(), bytes, /*anywhere=*/true);
    return;
  }
  const auto score = Evaluate(*read);
  const auto written = io::WriteTimeloop(read->workload, read->chain, read->mapping);
  if (!written || !written->notes.empty()) {
    return;  // Timeloop cannot say it, and the writer said so
  }
  const auto again = Read(written->Merged());
  Require(again.has_value(), (again ? std::string() : again.error().Render()) + written->Merged());
  Require(again->mapping == read->mapping, "reads back differently:\n" + written->Merged());
  const auto same = Evaluate(*again);
  Require(score.has_value() == same.has_value() && (!score || score->cycles == same->cycles),
          "costs change on the way:\n" + written->Merged());
}

}  // namespace sluice::fuzz
